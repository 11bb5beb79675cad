//! Listing records by event time.

use std::collections::BTreeMap;

use domain::ids::LogId;
use domain::limits;
use domain::log::{Lane, Position};
use domain::record::Record;
use domain::units::UnixMicros;
use rusqlite::{Connection, params};

use crate::chunk;
use crate::sqlite::failure::Failure;
use crate::sqlite::history::{Filed, History, Run, Unread, lost};
use crate::sqlite::names::machine_number;
use crate::sqlite::values::{Columns, first_row, lane_code};
use crate::telemetry::{Cursor, Damage, RangeQuery, Stored};

/// Small chunks and compacted ones, in the order of their first times. The last column is a small chunk's body.
const CHUNKS: &str = "
SELECT machine_no, lane, log_no, boot_count, first_n, last_n, records, first_us, last_us,
    0 AS file_no, '' AS name, 0 AS offset, 0 AS head_bytes, 0 AS bytes, body
FROM chunk INDEXED BY chunk_time
WHERE machine_no = ?1 AND lane = ?2 AND first_us >= ?3 AND first_us < ?5 AND last_us >= ?6
UNION ALL
SELECT machine_no, lane, log_no, boot_count, first_n, last_n, records, first_us, last_us,
    file_no, (SELECT name FROM history_file WHERE history_file.file_no = filed.file_no), offset, head_bytes,
    bytes, NULL
FROM filed
WHERE machine_no = ?1 AND lane = ?2 AND first_us >= ?4 AND first_us < ?5 AND last_us >= ?6
ORDER BY first_us";

/// Records of one machine from `from` on, by event time, log and position.
///
/// Chunks are read in the order of their first times. A record is given out when no chunk still to come can have an
/// earlier one.
pub(super) fn records<T>(
    connection: &Connection,
    history: &History,
    lane: Lane,
    query: &RangeQuery,
    from: UnixMicros,
    value: fn(Record) -> Option<T>,
) -> Result<Vec<Stored<T>>, Failure> {
    // Before the index is asked: a file it names stays for as long as this takes.
    let _held = history.hold();
    let Some(machine_no) = machine_number(connection, &query.machine)? else {
        return Ok(Vec::new());
    };
    let mut statement = connection.prepare_cached(CHUNKS)?;
    let earliest = |span| from.0.saturating_sub(i64::try_from(span).unwrap_or(i64::MAX));
    let mut chunks = statement.query(params![
        machine_no,
        lane_code(lane),
        earliest(limits::CHUNK_SPAN_US_MAX),
        earliest(limits::COMPACTED_SPAN_US_MAX),
        query.until.0,
        from.0
    ])?;
    let mut listing = Listing { query, from, waiting: BTreeMap::new(), stored: Vec::new() };
    while let Some(row) = chunks.next()? {
        let mut columns = Columns::of(row);
        let place = Filed::read(&mut columns)?;
        listing.give_out(place.first);
        if listing.stored.len() == query.max {
            break;
        }
        let body: Option<Vec<u8>> = columns.get()?;
        if let Some(rows) = rows(connection, history, &place, body)? {
            let log = log_of(connection, place.run)?;
            listing.add(log, place.run.boot_count, rows, value);
        }
    }
    listing.give_out(query.until);
    Ok(listing.stored)
}

/// The rows of a chunk; `None`: it is damaged, which costs its own records, not the listing.
fn rows(
    connection: &Connection,
    history: &History,
    place: &Filed,
    body: Option<Vec<u8>>,
) -> Result<Option<Vec<chunk::Row>>, Failure> {
    let damage = match body {
        Some(body) => match chunk::decode(&body) {
            Ok((_, rows)) => return Ok(Some(rows)),
            Err(error) => {
                let numbers = (place.first_n, place.last_n, place.records);
                let lost = lost(connection, &place.run, numbers, Some((place.first, place.last)))?;
                let (file, reason) = ("telemetry.db".to_owned(), error.to_string());
                Damage { file, offset: None, reason, lost: Some(lost) }
            }
        },
        None => match history.rows(place) {
            Ok(rows) => return Ok(Some(rows)),
            Err(Unread::Failed(error)) => return Err(error.into()),
            Err(Unread::Damaged(reason)) => place.damage(connection, reason)?,
        },
    };
    history.note(damage);
    Ok(None)
}

fn log_of(connection: &Connection, run: Run) -> Result<LogId, Failure> {
    let mut statement = connection.prepare_cached("SELECT id FROM log WHERE log_no = ?1")?;
    let log = first_row(&mut statement, [run.log_no], |columns| columns.log())?;
    log.ok_or_else(|| Failure::corrupt("a log of the telemetry has no id"))
}

struct Listing<'q, T> {
    query: &'q RangeQuery,
    from: UnixMicros,
    waiting: BTreeMap<Cursor, Stored<T>>,
    stored: Vec<Stored<T>>,
}

impl<T> Listing<'_, T> {
    fn add(&mut self, log: LogId, boot_count: u32, rows: Vec<chunk::Row>, value: fn(Record) -> Option<T>) {
        for row in rows {
            let position = Position::new(boot_count, row.n);
            let Some(time) = row.time().filter(|time| (self.from..self.query.until).contains(time)) else {
                continue;
            };
            let cursor = (time, log, position);
            if self.query.after.is_some_and(|after| cursor <= after) {
                continue;
            }
            if let Some(value) = value(row.record) {
                let uncertainty_us = row.clock.uncertainty_us;
                self.waiting.insert(cursor, Stored { log, position, time, uncertainty_us, value });
            }
        }
    }

    /// Gives out records before `time`, up to as many as were asked for.
    fn give_out(&mut self, time: UnixMicros) {
        while self.stored.len() < self.query.max
            && let Some(first) = self.waiting.first_entry()
            && first.key().0 < time
        {
            self.stored.push(first.remove());
        }
    }
}
