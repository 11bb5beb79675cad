//! Removing what is too old.

use domain::limits;
use domain::log::Lane;
use domain::units::UnixMicros;
use rusqlite::{Connection, params};

use super::index::{count, machines};
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{lane_code, limit, rows};
use crate::telemetry::Forgotten;

/// Takes chunks of a lane all of whose records are older out of the database and the index, and marks the files that
/// have no chunk left; these are [`gone`].
pub(in crate::sqlite) fn forget(
    connection: &Connection,
    lane: Lane,
    before: UnixMicros,
) -> Result<Forgotten, Failure> {
    let (mut forgotten, mut room) = (Forgotten::default(), limits::COMPACTION_STEP_CHUNKS_MAX);
    for machine_no in machines(connection)? {
        let (small_chunks, small_records) = forget_small(connection, machine_no, lane, before, room)?;
        room -= small_chunks;
        let (filed_chunks, filed_records) = forget_filed(connection, machine_no, lane, before, room)?;
        room -= filed_chunks;
        let records = small_records + filed_records;
        if records > 0 {
            count(connection, machine_no, lane, -records)?;
            forgotten.records += records.unsigned_abs();
        }
        if room == 0 {
            // There may be; if not, the next step says so.
            forgotten.more = true;
            break;
        }
    }
    connection
        .prepare_cached(
            "UPDATE history_file SET gone = 1
             WHERE gone = 0 AND NOT EXISTS (SELECT 1 FROM filed WHERE filed.file_no = history_file.file_no)",
        )?
        .execute([])?;
    Ok(forgotten)
}

/// How many chunks and records went.
fn forget_small(
    connection: &Connection,
    machine_no: i64,
    lane: Lane,
    before: UnixMicros,
    room: usize,
) -> Result<(usize, i64), Failure> {
    let mut old = connection.prepare_cached(
        "SELECT log_no, boot_count, first_n, records FROM chunk INDEXED BY chunk_time
         WHERE machine_no = ?1 AND lane = ?2 AND first_us < ?3 AND last_us < ?3 LIMIT ?4",
    )?;
    let mut remove = connection.prepare_cached(
        "DELETE FROM chunk
         WHERE machine_no = ?1 AND lane = ?2 AND log_no = ?3 AND boot_count = ?4 AND first_n = ?5",
    )?;
    let found = rows(&mut old, params![machine_no, lane_code(lane), before.0, limit(room)], |columns| {
        Ok((columns.get::<i64>()?, columns.get::<i64>()?, columns.get::<i64>()?, columns.get::<i64>()?))
    })?;
    let mut went = 0;
    for (log_no, boot_count, first_n, records) in &found {
        remove.execute(params![machine_no, lane_code(lane), log_no, boot_count, first_n])?;
        went += records;
    }
    Ok((found.len(), went))
}

fn forget_filed(
    connection: &Connection,
    machine_no: i64,
    lane: Lane,
    before: UnixMicros,
    room: usize,
) -> Result<(usize, i64), Failure> {
    let mut old = connection.prepare_cached(
        "SELECT first_us, file_no, offset, records FROM filed
         WHERE machine_no = ?1 AND lane = ?2 AND first_us < ?3 AND last_us < ?3 LIMIT ?4",
    )?;
    let mut remove = connection.prepare_cached(
        "DELETE FROM filed
         WHERE machine_no = ?1 AND lane = ?2 AND first_us = ?3 AND file_no = ?4 AND offset = ?5",
    )?;
    let found = rows(&mut old, params![machine_no, lane_code(lane), before.0, limit(room)], |columns| {
        Ok((columns.get::<i64>()?, columns.get::<i64>()?, columns.get::<i64>()?, columns.get::<i64>()?))
    })?;
    let mut went = 0;
    for (first_us, file_no, offset, records) in &found {
        remove.execute(params![machine_no, lane_code(lane), first_us, file_no, offset])?;
        went += records;
    }
    Ok((found.len(), went))
}

/// Files that hold nothing any more, by number.
pub(in crate::sqlite) fn gone(connection: &Connection) -> Result<Vec<(i64, String)>, Failure> {
    let mut statement = connection.prepare_cached("SELECT file_no, name FROM history_file WHERE gone = 1")?;
    rows(&mut statement, [], |columns| Ok((columns.get()?, columns.get()?)))
}
