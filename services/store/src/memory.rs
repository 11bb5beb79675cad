//! The smallest correct engine of each store, and the reference for the others. All answers are ready at once.
//!
//! A clone is another handle on the same store: what one puts the other sees, as two openings of one disk would.
//! A snapshot is a copy of what is in it now; restoring one is restoring a backup.

mod journal;
mod ledger;
mod telemetry;

pub use journal::{JournalSnapshot, MemoryJournal};
pub use ledger::{LedgerSnapshot, MemoryLedger};
pub use telemetry::{MemoryTelemetry, TelemetrySnapshot};
