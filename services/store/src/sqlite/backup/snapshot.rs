//! One state of the stores, while somebody writes them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::{StoreName, has_files, watermark};
use crate::journal::{JournalSpan, Sequence};
use crate::sqlite::failure::Failure;
use crate::sqlite::journal::span;
use crate::sqlite::lock::sync_folder;
use crate::sqlite::values::rows;
use crate::{StoreError, StoreErrorKind};

/// How often the states are taken before it is given up; the journal is not trimmed as often as that.
const ATTEMPTS_MAX: usize = 50;
const PAUSE: Duration = Duration::from_millis(200);
/// Pages copied from one report of progress to the next.
const PAGES_AT_ONCE: i32 = 2_048;

/// One state of the stores. The server goes on; its write-ahead logs grow for as long as this is held.
///
/// The states are taken one after another: of the ledger, of the telemetry, then of the journal. So the journal has
/// every slice that the others speak of. What is trimmed from the journal was in both others before; if nothing was
/// trimmed from before the first state was taken until the last one was, the others have all that the journal lacks.
#[derive(Debug)]
pub struct Snapshot {
    folder: PathBuf,
    ledger: Connection,
    telemetry: Connection,
    influxdb: Option<Connection>,
    journal: Connection,
    span: JournalSpan,
    watermark: Sequence,
    files: Vec<HistoryFile>,
}

/// A file of compacted chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryFile {
    /// Its name in [`super::HISTORY_FOLDER`].
    pub name: String,
    /// Its octets.
    pub bytes: u64,
}

impl Snapshot {
    /// Takes the states.
    ///
    /// # Errors
    /// A store is not there, is of a newer format or cannot be read; `Conflict` if the journal is trimmed all the time.
    pub fn take(folder: &Path) -> Result<Snapshot, StoreError> {
        for _ in 0..ATTEMPTS_MAX {
            if let Some(snapshot) = Snapshot::attempt(folder)? {
                return Ok(snapshot);
            }
            std::thread::sleep(PAUSE);
        }
        let context = format!("the journal of {} is trimmed all the time: try again later", folder.display());
        Err(StoreError::new(StoreErrorKind::Conflict, context))
    }

    /// `None`: the journal was trimmed in between.
    fn attempt(folder: &Path) -> Result<Option<Snapshot>, StoreError> {
        let (journal, _) = StoreName::Journal.open(folder)?;
        let (ledger, _) = StoreName::Ledger.open(folder)?;
        let (telemetry, version) = StoreName::Telemetry.open(folder)?;
        let doing = "taking the state of";
        let before = StoreName::Journal.explained(folder, doing, span(&journal))?;
        StoreName::Ledger.explained(folder, doing, hold(&ledger))?;
        let of_telemetry =
            hold(&telemetry).and_then(|()| Ok((watermark(&telemetry)?, files(&telemetry, version)?)));
        let (watermark, files) = StoreName::Telemetry.explained(folder, doing, of_telemetry)?;
        let influxdb = hold_influxdb(folder)?;
        // The history is in one of the two: the other one stands still.
        let watermark = watermark.max(influxdb.as_ref().map_or(0, |(_, watermark)| *watermark));
        let influxdb = influxdb.map(|(connection, _)| connection);
        let of_journal = hold(&journal).and_then(|()| span(&journal));
        let span = StoreName::Journal.explained(folder, doing, of_journal)?;
        let folder = folder.to_owned();
        let snapshot = Snapshot { folder, ledger, telemetry, influxdb, journal, span, watermark, files };
        Ok((span.trimmed == before.trimmed).then_some(snapshot))
    }

    /// What the journal holds.
    pub fn span(&self) -> JournalSpan {
        self.span
    }

    /// Everything up to this slice is in the telemetry.
    pub fn watermark(&self) -> Sequence {
        self.watermark
    }

    /// The files of compacted chunks that belong to it. One that is missing was removed after the state was taken: then
    /// another state must be taken.
    pub fn files(&self) -> &[HistoryFile] {
        &self.files
    }

    /// The stores that it has.
    pub fn stores(&self) -> impl Iterator<Item = StoreName> {
        self.connections().map(|(name, _)| name)
    }

    /// Octets of the stores.
    ///
    /// # Errors
    /// A store cannot be read.
    pub fn bytes(&self) -> Result<u64, StoreError> {
        let mut sum = 0;
        for (name, connection) in self.connections() {
            let size = |connection: &Connection| -> Result<u64, Failure> {
                let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, u64>(0));
                Ok(number("page_count")? * number("page_size")?)
            };
            sum += name.explained(&self.folder, "measuring", size(connection))?;
        }
        Ok(sum)
    }

    /// Copies the stores into a folder that has none, and brings them to disk. `progress` is told of octets that
    /// were copied since it was last told.
    ///
    /// # Errors
    /// A store cannot be read, or a copy cannot be written.
    pub fn copy(&self, to: &Path, progress: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
        for (name, connection) in self.connections() {
            let path = to.join(name.file());
            let copied = copy(connection, &path, progress);
            copied.map_err(|failure| failure.found_when("writing", &path).explain("writing", &path))?;
            File::open(&path).and_then(|file| file.sync_all()).map_err(|error| {
                let context = format!("{} cannot be synced: {error}; see to its disk", path.display());
                StoreError::with_source(StoreErrorKind::Unavailable, context, error)
            })?;
        }
        sync_folder(to)
    }

    fn connections(&self) -> impl Iterator<Item = (StoreName, &Connection)> {
        let always = [
            (StoreName::Ledger, &self.ledger),
            (StoreName::Telemetry, &self.telemetry),
            (StoreName::Journal, &self.journal),
        ];
        always.into_iter().chain(self.influxdb.iter().map(|connection| (StoreName::Influxdb, connection)))
    }
}

/// The state of `influxdb.db` with its watermark, if there is one.
pub(super) fn hold_influxdb(folder: &Path) -> Result<Option<(Connection, Sequence)>, StoreError> {
    if !StoreName::of(folder).contains(&StoreName::Influxdb) {
        return Ok(None);
    }
    let (connection, _) = StoreName::Influxdb.open(folder)?;
    let held = hold(&connection).and_then(|()| watermark(&connection));
    let watermark = StoreName::Influxdb.explained(folder, "taking the state of", held)?;
    Ok(Some((connection, watermark)))
}

/// Begins a transaction that reads; from its first look on, the connection sees one state.
fn hold(connection: &Connection) -> Result<(), Failure> {
    connection.execute_batch("BEGIN")?;
    connection.query_row("SELECT count(*) FROM about", [], |row| row.get::<_, i64>(0))?;
    Ok(())
}

fn files(connection: &Connection, version: i32) -> Result<Vec<HistoryFile>, Failure> {
    if !has_files(version) {
        return Ok(Vec::new());
    }
    let query = "SELECT name, bytes FROM history_file WHERE gone = 0 ORDER BY file_no";
    rows(&mut connection.prepare(query)?, [], |columns| {
        Ok(HistoryFile { name: columns.get()?, bytes: columns.get()? })
    })
}

fn copy(source: &Connection, path: &Path, progress: &mut dyn FnMut(u64)) -> Result<(), Failure> {
    let page_bytes: u64 = source.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let mut target = Connection::open(path)?;
    // It is synced when it is complete.
    target.pragma_update(None, "synchronous", "OFF")?;
    let backup = Backup::new(source, &mut target)?;
    let mut left = None;
    loop {
        let step = backup.step(PAGES_AT_ONCE)?;
        let seen = backup.progress();
        let remaining = u64::try_from(seen.remaining).unwrap_or(0);
        let all = u64::try_from(seen.pagecount).unwrap_or(0);
        progress(left.unwrap_or(all).saturating_sub(remaining) * page_bytes);
        left = Some(remaining);
        if matches!(step, StepResult::Done) {
            break;
        }
        if !matches!(step, StepResult::More) {
            let context = format!("{} is held by another program", path.display());
            return Err(StoreError::new(StoreErrorKind::Unavailable, context).into());
        }
    }
    drop(backup);
    // One file alone, without a log beside it.
    let mode: String = target.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0))?;
    if mode != "delete" {
        return Err(Failure::corrupt(format!("the copy has the journal mode {mode}")));
    }
    target.close().map_err(|(_, error)| error.into())
}
