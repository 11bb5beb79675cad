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
use crate::sqlite::names::machine_number;
use crate::sqlite::values::{Columns, lane_code};
use crate::telemetry::{Cursor, RangeQuery, Stored};

/// Records of one machine from `from` on, by event time, log and position.
///
/// Chunks are read in the order of their first times. A record is given out when no chunk still to come can have an
/// earlier one.
pub(super) fn records<T>(
    connection: &Connection,
    lane: Lane,
    query: &RangeQuery,
    from: UnixMicros,
    value: fn(Record) -> Option<T>,
) -> Result<Vec<Stored<T>>, Failure> {
    let Some(machine_no) = machine_number(connection, &query.machine)? else {
        return Ok(Vec::new());
    };
    let mut statement = connection.prepare_cached(
        "SELECT first_us, log.id, boot_count, first_n, body
         FROM chunk INDEXED BY chunk_time JOIN log USING (log_no)
         WHERE machine_no = ?1 AND lane = ?2 AND first_us >= ?3 AND first_us < ?4 AND last_us >= ?5
         ORDER BY first_us",
    )?;
    let span = i64::try_from(limits::CHUNK_SPAN_US_MAX).unwrap_or(i64::MAX);
    let earliest = from.0.saturating_sub(span);
    let mut chunks =
        statement.query(params![machine_no, lane_code(lane), earliest, query.until.0, from.0])?;
    let mut listing = Listing { query, from, waiting: BTreeMap::new(), stored: Vec::new() };
    while let Some(row) = chunks.next()? {
        let mut columns = Columns::of(row);
        let first = columns.time()?;
        listing.give_out(first);
        if listing.stored.len() == query.max {
            break;
        }
        let (log, boot_count): (LogId, u32) = (columns.log()?, columns.get()?);
        let first_n: u64 = columns.get()?;
        let body: Vec<u8> = columns.get()?;
        match chunk::decode(&body) {
            Ok((_, rows)) => listing.add(log, boot_count, rows, value),
            // It costs its own records, not the listing.
            Err(error) => tracing::error!(machine.id = %query.machine, log.id = %log, boot = boot_count,
                first = first_n, %error, "a chunk is left out of a listing"),
        }
    }
    listing.give_out(query.until);
    Ok(listing.stored)
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
