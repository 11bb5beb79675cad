//! Stories of messages, commits and restarts, with the real mind on a clock that is set by hand.

mod agent;
mod delivery;
mod faults;
mod refusals;
mod world;
