//! Copies of the stores of a folder that a server may be writing just now, and looks at such folders from outside.
//! Nothing here writes to the folder that is looked at. Everything blocks for as long as the disk takes.

mod inspect;
mod snapshot;

use std::path::Path;

use rusqlite::Connection;

use super::failure::Failure;
use super::file::{Format, look};
use super::values::first_row;
use super::{history, influx, journal, ledger, telemetry};
use crate::StoreError;
use crate::journal::Sequence;

pub use self::inspect::{
    Depth, LostOf, Overview, RefusedPoints, StoreState, check_chunks, look_at, overview, refused_points,
};
pub use self::snapshot::{HistoryFile, Snapshot};

/// The folder of compacted chunks within a store's folder.
pub const HISTORY_FOLDER: &str = history::FOLDER;

/// One of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreName {
    /// Registry, facts and what is derived.
    Ledger,
    /// The index of the long history, and what is not in files yet.
    Telemetry,
    /// Records as they arrived.
    Journal,
    /// What the folder knows of a history in InfluxDB; only where one was ever configured.
    Influxdb,
}

impl StoreName {
    /// Those that every folder has, in the order in which their states are taken.
    pub const ALL: [StoreName; 3] = [StoreName::Ledger, StoreName::Telemetry, StoreName::Journal];

    /// Those that a folder has.
    pub fn of(folder: &Path) -> Vec<StoreName> {
        let has_influxdb = folder.join(StoreName::Influxdb.file()).is_file();
        StoreName::ALL.into_iter().chain(has_influxdb.then_some(StoreName::Influxdb)).collect()
    }

    /// Its file's name.
    pub fn file(self) -> &'static str {
        match self {
            StoreName::Ledger => "ledger.db",
            StoreName::Telemetry => "telemetry.db",
            StoreName::Journal => "journal.db",
            StoreName::Influxdb => influx::FILE,
        }
    }

    fn format(self) -> &'static Format {
        match self {
            StoreName::Ledger => &ledger::FORMAT,
            StoreName::Telemetry => &telemetry::FORMAT,
            StoreName::Journal => &journal::FORMAT,
            StoreName::Influxdb => &influx::FORMAT,
        }
    }

    /// A connection that only reads, and the file's format.
    fn open(self, folder: &Path) -> Result<(Connection, i32), StoreError> {
        look(folder, self.format())
    }

    fn explained<T>(self, folder: &Path, doing: &str, result: Result<T, Failure>) -> Result<T, StoreError> {
        let path = folder.join(self.file());
        result.map_err(|failure| failure.found_when(doing, &path).explain(doing, &path))
    }
}

/// Files came with the second format of the telemetry.
fn has_files(telemetry_version: i32) -> bool {
    telemetry_version >= 2
}

fn watermark(connection: &Connection) -> Result<Sequence, Failure> {
    let mut statement = connection.prepare_cached("SELECT value FROM about WHERE name = 'watermark'")?;
    Ok(first_row(&mut statement, [], |columns| columns.get())?.unwrap_or(0))
}

#[cfg(test)]
mod tests;
