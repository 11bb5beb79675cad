//! From MQTT to the journal, and from the journal to everything else.
//!
//! [`ingest::IngestMind`] decides; the body around it does the I/O: `subscriber` receives, `pipeline` loops, `write`
//! writes behind the journal. Nothing is acknowledged before the journal has it on disk.

mod acks;
mod body_clock;
pub mod clock;
mod commit;
pub mod counters;
mod fold;
mod follow;
pub mod ingest;
mod live;
pub mod log;
mod machine;
mod metrics;
mod pipeline;
pub mod readiness;
pub mod recover;
pub mod refusals;
mod registry;
pub mod sender;
pub mod start;
mod subscriber;
mod trim;
mod write;

pub use fold::block_of;
pub use registry::Registered;
pub use start::{Ingest, IngestHandle, IngestSettings, StartError};
pub use subscriber::{BrokerAddress, BrokerTls};
