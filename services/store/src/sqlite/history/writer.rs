//! Writing a chunk file.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use domain::limits;
use domain::units::UnixMicros;
use rusqlite::Connection;

use super::compact::Small;
use super::failed;
use super::file::{self, Frame};
use super::index::{Filed, Run};
use crate::chunk::{Encoder, Row};
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{Columns, first_row};
use crate::telemetry::Compaction;
use crate::{StoreError, StoreErrorKind};

/// Rows that are collected before they are cut into chunks of about equal length.
const COLLECTED_MAX: usize = 8 * limits::COMPACTED_ROWS_MAX;

/// Writes frames one after another.
pub(super) struct FileWriter<'c> {
    connection: &'c Connection,
    file: &'c File,
    path: PathBuf,
    offset: u64,
    encoder: Encoder,
    /// Rows of one boot that are not written yet.
    collected: Option<(Run, Vec<Row>)>,
    chunks: Vec<Filed>,
    moved: Vec<Small>,
    compaction: Compaction,
}

impl<'c> FileWriter<'c> {
    /// Writes what a file begins with.
    pub(super) fn begin(
        connection: &'c Connection,
        file: &'c File,
        path: &Path,
    ) -> Result<FileWriter<'c>, Failure> {
        let mut writer = FileWriter {
            connection,
            file,
            path: path.to_owned(),
            offset: 0,
            encoder: Encoder::default(),
            collected: None,
            chunks: Vec::new(),
            moved: Vec::new(),
            // There may be; if not, the next step says so.
            compaction: Compaction { more: true, ..Compaction::default() },
        };
        writer.put(&file::begin())?;
        Ok(writer)
    }

    /// How many small chunks were taken.
    pub(super) fn moved(&self) -> usize {
        self.moved.len()
    }

    /// Whether this is enough for one step.
    pub(super) fn is_full(&self) -> bool {
        self.compaction.records >= limits::COMPACTION_STEP_RECORDS_MAX as u64
    }

    /// Takes the rows of a small chunk; those of a boot come one after another, by ascending number.
    pub(super) fn add(&mut self, small: Small, rows: Vec<Row>, bytes: usize) -> Result<(), Failure> {
        let goes_on = |(run, rows): &(Run, Vec<Row>)| *run == small.run && rows.len() < COLLECTED_MAX;
        if !self.collected.as_ref().is_some_and(goes_on) {
            self.flush()?;
        }
        let run = small.run;
        self.take(small, bytes);
        self.collected.get_or_insert_with(|| (run, Vec::new())).1.extend(rows);
        Ok(())
    }

    /// Takes a small chunk that cannot be read, as it is.
    pub(super) fn add_damaged(&mut self, small: Small, body: &[u8]) -> Result<(), Failure> {
        self.flush()?;
        let numbers = (small.first_n, small.last_n, small.records);
        self.frame(small.run, numbers, (small.first, small.last), body)?;
        self.take(small, body.len());
        Ok(())
    }

    fn take(&mut self, small: Small, bytes: usize) {
        self.compaction.chunks_before += 1;
        self.compaction.bytes_before += bytes as u64;
        self.compaction.records += small.records;
        self.moved.push(small);
    }

    /// Writes what was collected, in chunks of about equal length.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        let Some((run, rows)) = self.collected.take() else { return Ok(()) };
        let parts = rows.len().div_ceil(limits::COMPACTED_ROWS_MAX).max(1);
        for part in rows.chunks(rows.len().div_ceil(parts).max(1)) {
            let chunk = self.encoder.compact(run.lane, part).map_err(|error| {
                let context = format!("chunks cannot be compacted: {error}");
                StoreError::with_source(StoreErrorKind::Invalid, context, error)
            })?;
            let times = part.iter().filter_map(Row::time);
            let (first, last) = times
                .fold((UnixMicros(i64::MAX), UnixMicros(i64::MIN)), |(least, greatest), time| {
                    (least.min(time), greatest.max(time))
                });
            let numbers = (part[0].n, part[part.len() - 1].n, part.len() as u64);
            self.frame(run, numbers, (first, last), &chunk)?;
        }
        Ok(())
    }

    fn frame(
        &mut self,
        run: Run,
        (first_n, last_n, records): (u64, u64, u64),
        (first, last): (UnixMicros, UnixMicros),
        chunk: &[u8],
    ) -> Result<(), Failure> {
        let machine =
            self.name("SELECT id FROM machine WHERE machine_no = ?1", run.machine_no, |columns| {
                columns.machine()
            })?;
        let log = self.name("SELECT id FROM log WHERE log_no = ?1", run.log_no, |columns| columns.log())?;
        let frame = Frame {
            machine,
            lane: run.lane,
            log,
            boot_count: run.boot_count,
            records,
            first_n,
            last_n,
            first,
            last,
            bytes: chunk.len() as u64,
        };
        let head = file::head(&frame);
        self.chunks.push(Filed {
            run,
            first_n,
            last_n,
            records,
            first,
            last,
            // It gets a number when it is in the index.
            file_no: 0,
            file: String::new(),
            offset: self.offset,
            head_bytes: head.len() as u64,
            bytes: frame.bytes,
        });
        self.put(&head)?;
        self.put(chunk)?;
        self.compaction.chunks += 1;
        Ok(())
    }

    fn name<T>(
        &self,
        query: &str,
        number: i64,
        value: impl Fn(&mut Columns<'_, '_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut statement = self.connection.prepare_cached(query)?;
        let found = first_row(&mut statement, [number], value)?;
        found.ok_or_else(|| Failure::corrupt(format!("the number {number} of a machine or log has no name")))
    }

    fn put(&mut self, octets: &[u8]) -> Result<(), Failure> {
        self.file.write_all(octets).map_err(|error| failed("written", &self.path, error))?;
        self.offset += octets.len() as u64;
        Ok(())
    }

    /// The chunks written, the small ones they were made of, and what was done.
    pub(super) fn finish(mut self) -> Result<(Vec<Filed>, Vec<Small>, Compaction), Failure> {
        self.flush()?;
        self.compaction.bytes = self.offset;
        Ok((self.chunks, self.moved, self.compaction))
    }
}
