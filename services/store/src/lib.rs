//! Three stores, one truth: Journal, Ledger, Telemetry. Contracts, one contract suite each, and their engines.
//!
//! The journal is the truth. Ledger and telemetry are derived from it, as whole values under deterministic keys,
//! so deriving them twice is harmless.

mod bounds;
pub mod chunk;
pub mod contract;
pub mod error;
pub mod fact;
pub mod feed;
pub mod influx;
pub mod journal;
pub mod ledger;
pub mod memory;
pub mod registry;
pub mod sqlite;
pub mod telemetry;

pub use error::{StoreError, StoreErrorKind};
