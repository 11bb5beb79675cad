//! The three stores in SQLite: `journal.db`, `ledger.db` and `telemetry.db` in one folder.
//!
//! Each file has one thread that writes, with its own connection, and a few connections that read. Write-ahead log;
//! what the journal and the ledger say is written is on disk. A folder belongs to one server at a time: take its
//! lock before opening.

pub mod backup;
mod failure;
mod file;
mod history;
mod influx;
mod journal;
mod ledger;
mod lock;
mod mirror;
mod names;
mod readers;
mod telemetry;
mod values;
mod writer;

pub use influx::FILE as INFLUX_FILE;
pub(crate) use influx::InfluxIndex;
pub use journal::SqliteJournal;
pub use ledger::SqliteLedger;
pub use lock::{FolderLock, lock_folder};
pub use mirror::{MirrorFile, MirrorStand};
pub use telemetry::SqliteTelemetry;
