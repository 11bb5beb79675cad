//! Telemetry in SQLite: chunks by machine, lane, log, boot and number.
//!
//! No two chunks of one boot overlap in their numbers, so each record is in one place and is counted once. No chunk
//! spans more than [`domain::limits::CHUNK_SPAN_US_MAX`], so those that reach into a stretch of time begin at most
//! that long before it. Days that are over are compacted into files (`history.rs`); those chunks may lie between each
//! other, and span up to [`domain::limits::COMPACTED_SPAN_US_MAX`].

mod list;
mod put;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use domain::ids::MachineId;
use domain::log::Lane;
use domain::record::{Event, Payload, Reading, Record};
use domain::units::UnixMicros;
use rusqlite::Connection;
use tokio::sync::Mutex;

use super::failure::Failure;
use super::file::{Durability, Format, StoreFile, look};
use super::history::{self, History};
use super::readers::Readers;
use super::values::{Columns, first_row};
use super::writer::Writer;
use crate::journal::Sequence;
use crate::telemetry::{
    Block, CheckPlace, CheckStep, Compaction, Counts, Damages, Forgotten, RangeQuery, Stock, Stored,
    Telemetry,
};
use crate::{StoreError, StoreErrorKind, bounds};

pub(super) const FORMAT: Format = Format {
    name: "telemetry",
    application_id: 0x4257_746c,
    version: 2,
    schema: &[
        "
CREATE TABLE machine (
    machine_no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    readings INTEGER NOT NULL DEFAULT 0,
    events INTEGER NOT NULL DEFAULT 0,
    undated INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE log (log_no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE) STRICT;
CREATE TABLE chunk (
    machine_no INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    log_no INTEGER NOT NULL,
    boot_count INTEGER NOT NULL,
    first_n INTEGER NOT NULL,
    last_n INTEGER NOT NULL,
    records INTEGER NOT NULL,
    first_us INTEGER,
    last_us INTEGER,
    body BLOB NOT NULL,
    PRIMARY KEY (machine_no, lane, log_no, boot_count, first_n)
) STRICT, WITHOUT ROWID;
CREATE INDEX chunk_time ON chunk (machine_no, lane, first_us, last_us) WHERE first_us IS NOT NULL;
",
        history::SCHEMA,
    ],
    // What a power cut takes is read again from the journal: only the watermark must not say more than is there.
    durability: Durability::Later,
    cache_kib: 64 * 1024,
    overwrites_erased: false,
    // Format 1 had no files.
    upgrade: |connection| Ok(connection.execute_batch(history::SCHEMA)?),
};

/// The long history in `telemetry.db`.
#[derive(Debug)]
pub struct SqliteTelemetry {
    /// Closed first: only a writer that closes last can move the log into the file.
    readers: Readers,
    writer: Writer<put::Memory>,
    history: Arc<History>,
    /// Held for a step of compaction or retention.
    turn: Mutex<()>,
}

impl SqliteTelemetry {
    /// Opens the history of a folder, or makes an empty one. Blocks for as long as the disk takes.
    pub fn open(folder: &Path) -> Result<SqliteTelemetry, StoreError> {
        let (file, connection) = StoreFile::open(folder, &FORMAT)?;
        let history = Arc::new(History::new(folder));
        let settled = history::settle(&connection, &history, |connection, blocks| {
            put::blocks(connection, &mut put::Memory::default(), &history, blocks)
        });
        settled.map_err(|failure| failure.explain("settling the history of", file.path()))?;
        let writer = Writer::start(file.clone(), connection, &FORMAT)?;
        Ok(SqliteTelemetry { writer, readers: Readers::new(file), history, turn: Mutex::new(()) })
    }

    /// Whether a folder's history holds any record. It must have been opened before. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn has_records(folder: &Path) -> Result<bool, StoreError> {
        let (connection, _) = look(folder, &FORMAT)?;
        let path = folder.join("telemetry.db");
        let counts = counts(&connection, None).map_err(|failure| failure.explain("reading", &path))?;
        Ok(counts != Counts::default())
    }

    async fn list<T: Send + 'static>(
        &self,
        lane: Lane,
        query: &RangeQuery,
        value: fn(Record) -> Option<T>,
    ) -> Result<Vec<Stored<T>>, StoreError> {
        let Some(from) = bounds::range(query)? else {
            return Ok(Vec::new());
        };
        let (query, history) = (query.clone(), self.history.clone());
        let work = move |connection: &_| list::records(connection, &history, lane, &query, from, value);
        self.readers.read("reading", work).await
    }

    /// Makes one file of a day's many. The index is on disk with the new one before the old ones are removed.
    async fn merge(&self) -> Result<Compaction, StoreError> {
        let history = self.history.clone();
        let merge = move |connection: &_| history::merge_files(connection, &history);
        let Some(merged) = self.readers.read("merging files of", merge).await? else {
            return Ok(Compaction::default());
        };
        let (name, files_merged) = (merged.name().to_owned(), merged.files());
        let commit = move |connection: &Connection, _: &mut _| history::commit_merged(connection, &merged);
        let committed = self.writer.write_with(Durability::AtOnce, "merging files of", commit).await;
        if let Err(error) = committed {
            let history = self.history.clone();
            away(move || history.remove(&name)).await?;
            return Err(error);
        }
        self.remove_gone().await?;
        Ok(Compaction { files_merged, more: true, ..Compaction::default() })
    }

    /// Removes files that hold nothing any more. The index has lost them on disk: nobody is led to them, now or after
    /// a crash. It forgets their names when they are gone from the disk: one whose name it does not know is taken in
    /// when the store is opened.
    async fn remove_gone(&self) -> Result<u64, StoreError> {
        let gone = self.readers.read("reading the files of", history::gone).await?;
        if gone.is_empty() {
            return Ok(0);
        }
        let count = gone.len() as u64;
        let history = self.history.clone();
        let remove = move || {
            history.remove_all(gone.iter().map(|(_, name)| name.as_str()))?;
            Ok(gone)
        };
        let gone = away(remove).await?;
        let forget = move |connection: &Connection, _: &mut _| {
            let mut statement = connection.prepare_cached("DELETE FROM history_file WHERE file_no = ?1")?;
            for (number, _) in &gone {
                statement.execute([number])?;
            }
            Ok(())
        };
        self.writer.write("removing files from", forget).await?;
        Ok(count)
    }
}

/// Does what waits for the disk away from the async threads.
async fn away<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Err(StoreError::new(StoreErrorKind::Unavailable, "the server is stopping")),
    })
}

#[async_trait]
impl Telemetry for SqliteTelemetry {
    async fn put(&self, blocks: Vec<Block>) -> Result<(), StoreError> {
        blocks.iter().try_for_each(bounds::block)?;
        let history = self.history.clone();
        self.writer
            .write("writing to", move |connection, memory| put::blocks(connection, memory, &history, blocks))
            .await
    }

    async fn watermark(&self) -> Result<Sequence, StoreError> {
        let work = |connection: &Connection| {
            let mut statement =
                connection.prepare_cached("SELECT value FROM about WHERE name = 'watermark'")?;
            Ok(first_row(&mut statement, [], |columns| columns.get())?.unwrap_or(0))
        };
        self.readers.read("reading the watermark of", work).await
    }

    /// Syncs the write-ahead log, in which all that was put before stands before it: so the watermark is on disk when
    /// this returns, and never without what it speaks of.
    async fn set_watermark(&self, through: Sequence) -> Result<(), StoreError> {
        bounds::number("watermark", through)?;
        let work = move |connection: &Connection, _: &mut _| {
            connection
                .prepare_cached(
                    "INSERT INTO about (name, value) VALUES ('watermark', ?1)
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                )?
                .execute([through])?;
            Ok(())
        };
        self.writer.write_with(Durability::AtOnce, "setting the watermark of", work).await
    }

    async fn readings(&self, query: &RangeQuery) -> Result<Vec<Stored<Reading>>, StoreError> {
        self.list(Lane::Readings, query, |record| match record.payload {
            Payload::Reading(reading) => Some(reading),
            Payload::Event(_) | Payload::Recording(_) | Payload::Commissioning(_) => None,
        })
        .await
    }

    async fn events(&self, query: &RangeQuery) -> Result<Vec<Stored<Event>>, StoreError> {
        self.list(Lane::Events, query, |record| match record.payload {
            Payload::Event(event) => Some(event),
            Payload::Reading(_) | Payload::Recording(_) | Payload::Commissioning(_) => None,
        })
        .await
    }

    async fn history(&self, lane: Lane, query: &RangeQuery) -> Result<Vec<Stored<Record>>, StoreError> {
        self.list(lane, query, Some).await
    }

    async fn counts(&self, machine: Option<&MachineId>) -> Result<Counts, StoreError> {
        let machine = machine.cloned();
        self.readers
            .read("reading the counts of", move |connection| counts(connection, machine.as_ref()))
            .await
    }

    async fn compact(&self, now: UnixMicros) -> Result<Compaction, StoreError> {
        let _turn = self.turn.lock().await;
        let history = self.history.clone();
        let write = move |connection: &_| history::write_file(connection, &history, now);
        let Some(written) = self.readers.read("compacting", write).await? else {
            return self.merge().await;
        };
        let (name, compaction) = (written.name().to_owned(), written.compaction);
        let commit = move |connection: &Connection, _: &mut _| history::commit(connection, &written);
        let committed = self.writer.write("compacting", commit).await;
        if let Ok(true) = committed {
            return Ok(compaction);
        }
        let history = self.history.clone();
        away(move || history.remove(&name)).await?;
        // Something came in between: the next step takes it, too.
        committed.map(|_| Compaction { more: true, ..Compaction::default() })
    }

    /// The index is on disk without what was forgotten before a file is removed.
    async fn forget(&self, lane: Lane, before: UnixMicros) -> Result<Forgotten, StoreError> {
        let _turn = self.turn.lock().await;
        let work = move |connection: &Connection, _: &mut _| history::forget(connection, lane, before);
        let forgotten = self.writer.write_with(Durability::AtOnce, "forgetting in", work).await?;
        Ok(Forgotten { files: self.remove_gone().await?, ..forgotten })
    }

    async fn stock(&self) -> Result<Stock, StoreError> {
        self.readers.read("measuring", history::stock).await
    }

    async fn check(&self, after: Option<CheckPlace>) -> Result<CheckStep, StoreError> {
        let history = self.history.clone();
        let work = move |connection: &_| {
            let _held = history.hold();
            history::check(connection, &history, after)
        };
        self.readers.read("checking", work).await
    }

    fn damages(&self) -> Damages {
        self.history.damages()
    }
}

fn counts(connection: &Connection, machine: Option<&MachineId>) -> Result<Counts, Failure> {
    let counts = |columns: &mut Columns<'_, '_>| {
        Ok(Counts { readings: columns.get()?, events: columns.get()?, undated: columns.get()? })
    };
    let counted = match machine {
        Some(machine) => {
            let query = "SELECT readings, events, undated FROM machine WHERE id = ?1";
            let mut statement = connection.prepare_cached(query)?;
            first_row(&mut statement, [machine.as_str()], counts)?
        }
        None => {
            let query =
                "SELECT coalesce(sum(readings), 0), coalesce(sum(events), 0), coalesce(sum(undated), 0)
                         FROM machine";
            let mut statement = connection.prepare_cached(query)?;
            first_row(&mut statement, [], counts)?
        }
    };
    Ok(counted.unwrap_or_default())
}
