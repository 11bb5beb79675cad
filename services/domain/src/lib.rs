//! What is true of treadmills: units, direction, signals to readings and events, sessions, presence.
//!
//! Nothing in here asks the time, waits or does I/O: time is an argument, a plain number of microseconds.
//! The agent and the server both run on this code, so both run in the same test.

pub mod belt;
pub mod clock;
pub mod commissioning;
pub mod handling;
pub mod ids;
pub mod incident;
pub mod limits;
pub mod live;
pub mod log;
pub mod machine;
pub mod merge;
pub mod presence;
pub mod proven;
pub mod record;
pub mod recording;
pub mod registry;
pub mod signal;
pub mod status;
pub mod stop;
pub mod units;
pub mod usage;
pub mod watcher;
