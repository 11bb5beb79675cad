//! What the suites share.

#[path = "../simulation/lib.rs"]
pub mod simulation;
