//! The journal in SQLite: rows in the order in which they came, no index but their sequence.

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ids::BootId;
use domain::log::{BootStart, Hole};
use rusqlite::{Connection, params};

use super::failure::Failure;
use super::file::{Durability, Format, StoreFile};
use super::names::Names;
use super::readers::Readers;
use super::values::{first_row, lane_code, limit, rows};
use super::writer::Writer;
use crate::chunk::codes::quality_code;
use crate::journal::{Journal, JournalSpan, Sequence, Slice};
use crate::{StoreError, bounds};

pub(super) const FORMAT: Format = Format {
    name: "journal",
    application_id: 0x4257_6a6c,
    version: 2,
    schema: &["
CREATE TABLE machine (machine_no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE log (log_no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE) STRICT;
CREATE TABLE slice (
    sequence INTEGER PRIMARY KEY,
    machine_no INTEGER NOT NULL,
    log_no INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    boot_count INTEGER NOT NULL,
    previous_boot INTEGER,
    previous_n INTEGER,
    other_previous_boot INTEGER,
    other_previous_n INTEGER,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    records INTEGER NOT NULL,
    hole_from_boot INTEGER,
    hole_from_n INTEGER,
    hole_to_boot INTEGER,
    hole_to_n INTEGER,
    hole_records INTEGER,
    clock_quality INTEGER NOT NULL,
    clock_offset_us INTEGER NOT NULL,
    clock_uncertainty_us INTEGER NOT NULL,
    body BLOB NOT NULL,
    maker BLOB
) STRICT;
"],
    durability: Durability::AtOnce,
    cache_kib: 8 * 1024,
    overwrites_erased: false,
    // Format 1 did not say which process made a slice.
    upgrade: |connection| Ok(connection.execute_batch("ALTER TABLE slice ADD COLUMN maker BLOB")?),
};

/// Slices removed in one transaction, so that appends need not wait long.
const TRIM_STEP: u64 = 4_096;

/// The journal in `journal.db`.
#[derive(Debug)]
pub struct SqliteJournal {
    /// Closed first: only a writer that closes last can move the log into the file.
    readers: Readers,
    writer: Writer<Names>,
}

impl SqliteJournal {
    /// Opens the journal of a folder, or makes an empty one. Blocks for as long as the disk takes.
    pub fn open(folder: &Path) -> Result<SqliteJournal, StoreError> {
        let (file, connection) = StoreFile::open(folder, &FORMAT)?;
        let writer = Writer::start(file.clone(), connection, &FORMAT)?;
        Ok(SqliteJournal { writer, readers: Readers::new(file) })
    }
}

#[async_trait]
impl Journal for SqliteJournal {
    async fn append(&self, slices: Arc<[Slice]>) -> Result<Sequence, StoreError> {
        bounds::slices(&slices)?;
        self.writer.write("appending to", move |connection, names| append(connection, names, &slices)).await
    }

    async fn read(&self, after: Sequence, max: usize) -> Result<Vec<(Sequence, Slice)>, StoreError> {
        bounds::slices_read(max)?;
        // No sequence is greater than SQLite's greatest number.
        let Ok(after) = i64::try_from(after) else {
            return Ok(Vec::new());
        };
        self.readers.read("reading", move |connection| read(connection, after, max)).await
    }

    async fn trim(&self, through: Sequence) -> Result<(), StoreError> {
        let span = self.span().await?;
        bounds::trim(through, span.last)?;
        let mut trimmed = span.trimmed;
        while trimmed < through {
            trimmed = through.min(trimmed + TRIM_STEP);
            // A trim that a power cut takes back is only done again.
            self.writer
                .write_with(Durability::Later, "trimming", move |connection, _| trim(connection, trimmed))
                .await?;
        }
        Ok(())
    }

    async fn span(&self) -> Result<JournalSpan, StoreError> {
        self.readers.read("reading", span).await
    }
}

/// What the journal holds.
pub(super) fn span(connection: &Connection) -> Result<JournalSpan, Failure> {
    let mut statement = connection.prepare_cached("SELECT value FROM about WHERE name = 'trimmed'")?;
    let trimmed = first_row(&mut statement, [], |columns| columns.get::<u64>())?.unwrap_or(0);
    let mut statement = connection.prepare_cached("SELECT max(sequence) FROM slice")?;
    let last: Option<u64> = statement.query_row([], |row| row.get(0))?;
    Ok(JournalSpan { trimmed, last: last.unwrap_or(trimmed) })
}

fn append(connection: &Connection, names: &mut Names, slices: &[Slice]) -> Result<Sequence, Failure> {
    let mut sequence = span(connection)?.last;
    let mut statement = connection.prepare_cached(
        "INSERT INTO slice VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, \
         ?19, ?20, ?21, ?22)",
    )?;
    for slice in slices {
        sequence += 1;
        let (previous, other) = (slice.boot.previous, slice.boot.other_previous);
        let from = slice.hole.and_then(|hole| hole.from);
        let to = slice.hole.map(|hole| hole.to);
        statement.execute(params![
            sequence,
            names.machine(connection, &slice.machine)?,
            names.log(connection, slice.log)?,
            lane_code(slice.lane),
            slice.boot.boot_count,
            previous.map(|position| position.boot_count),
            previous.map(|position| position.n),
            other.map(|position| position.boot_count),
            other.map(|position| position.n),
            slice.first,
            slice.last,
            slice.records,
            from.map(|position| position.boot_count),
            from.map(|position| position.n),
            to.map(|position| position.boot_count),
            to.map(|position| position.n),
            slice.hole.map(|hole| hole.records_at_least),
            quality_code(slice.clock.quality),
            slice.clock.offset_us,
            slice.clock.uncertainty_us,
            &slice.body[..],
            slice.boot.maker.map(|maker| maker.0),
        ])?;
    }
    Ok(sequence)
}

fn read(connection: &Connection, after: i64, max: usize) -> Result<Vec<(Sequence, Slice)>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT sequence, machine.id, log.id, lane, boot_count, previous_boot, previous_n, other_previous_boot,
                other_previous_n, first, last, records, hole_from_boot, hole_from_n, hole_to_boot, hole_to_n,
                hole_records, clock_quality, clock_offset_us, clock_uncertainty_us, maker, body
         FROM slice JOIN machine USING (machine_no) JOIN log USING (log_no)
         WHERE sequence > ?1 ORDER BY sequence LIMIT ?2",
    )?;
    rows(&mut statement, params![after, limit(max)], |columns| {
        let sequence = columns.get()?;
        let (machine, log, lane) = (columns.machine()?, columns.log()?, columns.lane()?);
        let (boot_count, previous, other_previous) =
            (columns.get()?, columns.maybe_position()?, columns.maybe_position()?);
        let (first, last, records) = (columns.get()?, columns.get()?, columns.get()?);
        let (from, to) = (columns.maybe_position()?, columns.maybe_position()?);
        let records_at_least: Option<u64> = columns.get()?;
        let hole = to.zip(records_at_least).map(|(to, records_at_least)| Hole { from, to, records_at_least });
        let clock = columns.clock()?;
        let maker = columns.get::<Option<[u8; 16]>>()?.map(BootId);
        let boot = BootStart { boot_count, previous, other_previous, maker };
        let body = Bytes::from(columns.get::<Vec<u8>>()?);
        Ok((sequence, Slice { machine, log, lane, boot, first, last, records, hole, clock, body }))
    })
}

fn trim(connection: &Connection, through: Sequence) -> Result<(), Failure> {
    connection.prepare_cached("DELETE FROM slice WHERE sequence <= ?1")?.execute([through])?;
    connection
        .prepare_cached(
            "INSERT INTO about (name, value) VALUES ('trimmed', ?1)
             ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
        )?
        .execute([through])?;
    Ok(())
}
