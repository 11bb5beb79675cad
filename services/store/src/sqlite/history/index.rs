//! The index of compacted chunks, in `telemetry.db`.

use domain::log::Lane;
use domain::units::UnixMicros;
use rusqlite::{Connection, params};

use crate::chunk::Head;
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{Columns, lane_code, rows};

/// What format 2 of the telemetry has more than format 1.
pub(in crate::sqlite) const SCHEMA: &str = "
CREATE TABLE history_file (
    file_no INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    bytes INTEGER NOT NULL,
    gone INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE filed (
    machine_no INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    first_us INTEGER NOT NULL,
    file_no INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    last_us INTEGER NOT NULL,
    log_no INTEGER NOT NULL,
    boot_count INTEGER NOT NULL,
    first_n INTEGER NOT NULL,
    last_n INTEGER NOT NULL,
    records INTEGER NOT NULL,
    head_bytes INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (machine_no, lane, first_us, file_no, offset)
) STRICT, WITHOUT ROWID;
CREATE INDEX filed_place ON filed (machine_no, lane, log_no, boot_count, last_n, first_n);
CREATE INDEX filed_file ON filed (file_no, offset);
";

/// Where the records of one boot stand, in the file's own numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::sqlite) struct Run {
    pub(in crate::sqlite) machine_no: i64,
    pub(in crate::sqlite) lane: Lane,
    pub(in crate::sqlite) log_no: i64,
    pub(in crate::sqlite) boot_count: u32,
}

/// A compacted chunk: what it holds, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sqlite) struct Filed {
    pub(in crate::sqlite) run: Run,
    pub(in crate::sqlite) first_n: u64,
    pub(in crate::sqlite) last_n: u64,
    pub(in crate::sqlite) records: u64,
    pub(in crate::sqlite) first: UnixMicros,
    pub(in crate::sqlite) last: UnixMicros,
    pub(in crate::sqlite) file_no: i64,
    /// The file's name.
    pub(in crate::sqlite) file: String,
    /// Where its frame begins.
    pub(in crate::sqlite) offset: u64,
    /// How long the frame's head is.
    pub(in crate::sqlite) head_bytes: u64,
    /// How long the chunk is.
    pub(in crate::sqlite) bytes: u64,
}

impl Filed {
    /// The columns that [`Filed::read`] takes, of `filed JOIN history_file USING (file_no)`.
    pub(super) const COLUMNS: &str =
        "machine_no, lane, log_no, boot_count, first_n, last_n, records, first_us, last_us, file_no, name,
         offset, head_bytes, filed.bytes";

    /// A row of these columns.
    pub(in crate::sqlite) fn read(columns: &mut Columns<'_, '_>) -> Result<Filed, Failure> {
        let (machine_no, lane) = (columns.get()?, columns.lane()?);
        Ok(Filed {
            run: Run { machine_no, lane, log_no: columns.get()?, boot_count: columns.get()? },
            first_n: columns.get()?,
            last_n: columns.get()?,
            records: columns.get()?,
            first: columns.time()?,
            last: columns.time()?,
            file_no: columns.get()?,
            file: columns.get()?,
            offset: columns.get()?,
            head_bytes: columns.get()?,
            bytes: columns.get()?,
        })
    }

    /// Whether this is what the chunk says of itself.
    pub(super) fn is_of(&self, head: &Head) -> bool {
        head.lane == self.run.lane
            && head.count as u64 == self.records
            && (head.first_n, head.last_n) == (self.first_n, self.last_n)
            && head.times == Some((self.first, self.last))
    }
}

/// The compacted chunks of a boot between whose first and last number one of `first` to `last` lies. For what is new
/// there are none, and it takes one look: no chunk has a number as great.
pub(in crate::sqlite) fn overlapping(
    connection: &Connection,
    run: &Run,
    first: u64,
    last: u64,
) -> Result<Vec<Filed>, Failure> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {} FROM filed INDEXED BY filed_place JOIN history_file USING (file_no)
         WHERE machine_no = ?1 AND lane = ?2 AND log_no = ?3 AND boot_count = ?4
             AND last_n >= ?5 AND first_n <= ?6",
        Filed::COLUMNS
    ))?;
    let params = params![run.machine_no, lane_code(run.lane), run.log_no, run.boot_count, first, last];
    rows(&mut statement, params, Filed::read)
}

/// Takes a chunk into the index.
pub(super) fn insert(connection: &Connection, filed: &Filed) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "INSERT INTO filed (machine_no, lane, log_no, boot_count, first_n, last_n, records, first_us,
                 last_us, file_no, offset, head_bytes, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            filed.run.machine_no,
            lane_code(filed.run.lane),
            filed.run.log_no,
            filed.run.boot_count,
            filed.first_n,
            filed.last_n,
            filed.records,
            filed.first.0,
            filed.last.0,
            filed.file_no,
            filed.offset,
            filed.head_bytes,
            filed.bytes,
        ])?;
    Ok(())
}

/// Takes a chunk out of the index; whether it was there.
pub(in crate::sqlite) fn drop_filed(connection: &Connection, filed: &Filed) -> Result<bool, Failure> {
    let key =
        params![filed.run.machine_no, lane_code(filed.run.lane), filed.first.0, filed.file_no, filed.offset];
    let removed = connection
        .prepare_cached(
            "DELETE FROM filed
             WHERE machine_no = ?1 AND lane = ?2 AND first_us = ?3 AND file_no = ?4 AND offset = ?5",
        )?
        .execute(key)?;
    Ok(removed > 0)
}

/// Takes a file into the index; its number.
pub(super) fn insert_file(connection: &Connection, name: &str, bytes: u64) -> Result<i64, Failure> {
    connection
        .prepare_cached("INSERT INTO history_file (name, bytes) VALUES (?1, ?2)")?
        .execute(params![name, bytes])?;
    Ok(connection.last_insert_rowid())
}

/// Counts records of a machine that came or went.
pub(super) fn count(
    connection: &Connection,
    machine_no: i64,
    lane: Lane,
    records: i64,
) -> Result<(), Failure> {
    let change = match lane {
        Lane::Events => "UPDATE machine SET events = events + ?2 WHERE machine_no = ?1",
        Lane::Readings => "UPDATE machine SET readings = readings + ?2 WHERE machine_no = ?1",
    };
    connection.prepare_cached(change)?.execute(params![machine_no, records])?;
    Ok(())
}

/// The numbers of all machines.
pub(super) fn machines(connection: &Connection) -> Result<Vec<i64>, Failure> {
    let mut statement = connection.prepare_cached("SELECT machine_no FROM machine ORDER BY machine_no")?;
    rows(&mut statement, [], |columns| columns.get())
}
