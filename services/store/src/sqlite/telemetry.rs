//! Telemetry in SQLite: chunks by machine, lane, log, boot and number.
//!
//! No two chunks of one boot overlap in their numbers, so each record is in one place and is counted once. No chunk
//! spans more than [`domain::limits::CHUNK_SPAN_US_MAX`], so those that reach into a stretch of time begin at most
//! that long before it.

mod list;
mod put;

use std::path::Path;

use async_trait::async_trait;
use domain::ids::MachineId;
use domain::log::Lane;
use domain::record::{Event, Payload, Reading, Record};
use rusqlite::Connection;

use super::failure::Failure;
use super::file::{Durability, Format, StoreFile};
use super::readers::Readers;
use super::values::{Columns, first_row};
use super::writer::Writer;
use crate::journal::Sequence;
use crate::telemetry::{Block, Counts, RangeQuery, Stored, Telemetry};
use crate::{StoreError, bounds};

const FORMAT: Format = Format {
    name: "telemetry",
    application_id: 0x4257_746c,
    version: 1,
    schema: &["
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
"],
    // What a power cut takes is read again from the journal: only the watermark must not say more than is there.
    durability: Durability::Later,
    cache_kib: 64 * 1024,
    overwrites_erased: false,
    // There is one format so far.
    upgrade: |_| Ok(()),
};

/// The long history in `telemetry.db`.
#[derive(Debug)]
pub struct SqliteTelemetry {
    /// Closed first: only a writer that closes last can move the log into the file.
    readers: Readers,
    writer: Writer<put::Memory>,
}

impl SqliteTelemetry {
    /// Opens the history of a folder, or makes an empty one. Blocks for as long as the disk takes.
    pub fn open(folder: &Path) -> Result<SqliteTelemetry, StoreError> {
        let (file, connection) = StoreFile::open(folder, &FORMAT)?;
        let writer = Writer::start(file.clone(), connection, &FORMAT)?;
        Ok(SqliteTelemetry { writer, readers: Readers::new(file) })
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
        let query = query.clone();
        let work = move |connection: &_| list::records(connection, lane, &query, from, value);
        self.readers.read("reading", work).await
    }
}

#[async_trait]
impl Telemetry for SqliteTelemetry {
    async fn put(&self, blocks: Vec<Block>) -> Result<(), StoreError> {
        blocks.iter().try_for_each(bounds::block)?;
        self.writer
            .write("writing to", move |connection, memory| put::blocks(connection, memory, blocks))
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
            Payload::Event(_) | Payload::Recording(_) => None,
        })
        .await
    }

    async fn events(&self, query: &RangeQuery) -> Result<Vec<Stored<Event>>, StoreError> {
        self.list(Lane::Events, query, |record| match record.payload {
            Payload::Event(event) => Some(event),
            Payload::Reading(_) | Payload::Recording(_) => None,
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
