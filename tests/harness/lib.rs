//! What the suites share: a whole service in a test, a belt that follows a script, and the simulation.

pub mod belt;
pub mod service;

#[path = "../simulation/lib.rs"]
pub mod simulation;
