//! Writing blocks as chunks, each record once.

use std::collections::{BTreeMap, HashMap};

use domain::ids::LogId;
use domain::limits;
use domain::log::Lane;
use domain::units::UnixMicros;
use rusqlite::{Connection, params};

use crate::chunk::{self, Encoder, Row};
use crate::sqlite::failure::Failure;
use crate::sqlite::history::{Filed, History, Run, Unread, drop_filed, overlapping as filed_overlapping};
use crate::sqlite::names::Names;
use crate::sqlite::values::{lane_code, rows};
use crate::telemetry::Block;
use crate::{StoreError, StoreErrorKind};

/// Compacted chunks of which the numbers are remembered. More: all are forgotten and read again.
const NUMBERS_KEPT: usize = 64;

/// What the writer keeps from one put to the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    names: Names,
    encoder: Encoder,
    /// The numbers in compacted chunks, by file and offset: blocks that come again mostly come one after another.
    numbers: HashMap<(i64, u64), Vec<u64>>,
}

/// Where a boot's chunks stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    machine_no: i64,
    lane: Lane,
    log: LogId,
    log_no: i64,
    boot_count: u32,
}

impl Place {
    fn run(&self) -> Run {
        let Place { machine_no, lane, log_no, boot_count, .. } = *self;
        Run { machine_no, lane, log_no, boot_count }
    }
}

/// How many records came or went.
#[derive(Debug, Clone, Copy, Default)]
struct Change {
    readings: i64,
    events: i64,
    undated: i64,
}

impl Change {
    fn count(&mut self, lane: Lane, records: i64, undated: i64) {
        match lane {
            Lane::Events => self.events += records,
            Lane::Readings => self.readings += records,
        }
        self.undated += undated;
    }
}

/// Writes what is new in the blocks.
pub(super) fn blocks(
    connection: &Connection,
    memory: &mut Memory,
    history: &History,
    blocks: Vec<Block>,
) -> Result<(), Failure> {
    let mut changes: HashMap<i64, Change> = HashMap::new();
    for (place, rows) in joined(connection, &mut memory.names, blocks)? {
        let change = changes.entry(place.machine_no).or_default();
        let rows = not_filed(connection, memory, history, &place, rows, change)?;
        if !rows.is_empty() {
            put(connection, &mut memory.encoder, &place, rows, change)?;
        }
    }
    let mut statement = connection.prepare_cached(
        "UPDATE machine SET readings = readings + ?2, events = events + ?3, undated = undated + ?4
         WHERE machine_no = ?1",
    )?;
    for (machine_no, change) in changes {
        statement.execute(params![machine_no, change.readings, change.events, change.undated])?;
    }
    Ok(())
}

/// The rows of the blocks, those that follow each other in one boot together: so chunks are as long as can be.
fn joined(
    connection: &Connection,
    names: &mut Names,
    blocks: Vec<Block>,
) -> Result<Vec<(Place, Vec<Row>)>, Failure> {
    let mut joined: Vec<(Place, Vec<Row>)> = Vec::new();
    let mut newest: HashMap<Place, usize> = HashMap::new();
    for block in blocks {
        let place = Place {
            machine_no: names.machine(connection, &block.machine)?,
            lane: block.lane,
            log: block.log,
            log_no: names.log(connection, block.log)?,
            boot_count: block.boot_count,
        };
        let clock = block.clock;
        let mut rows = block.records.into_iter().map(|(n, record)| Row { n, clock, record }).peekable();
        let Some(first) = rows.peek().map(|row| row.n) else { continue };
        let index = newest.get(&place).copied().filter(|index| {
            let (_, before): &(Place, Vec<Row>) = &joined[*index];
            before.last().is_some_and(|last| last.n < first)
        });
        match index {
            Some(index) => joined[index].1.extend(rows),
            None => {
                newest.insert(place, joined.len());
                joined.push((place, rows.collect()));
            }
        }
    }
    Ok(joined)
}

/// The rows that are in no compacted chunk. One that cannot be read any more is replaced by what is written in its place.
fn not_filed(
    connection: &Connection,
    memory: &mut Memory,
    history: &History,
    place: &Place,
    mut rows: Vec<Row>,
    change: &mut Change,
) -> Result<Vec<Row>, Failure> {
    for filed in filed_overlapping(connection, &place.run(), rows[0].n, rows[rows.len() - 1].n)? {
        match numbers(memory, history, &filed) {
            Ok(numbers) => rows.retain(|row| numbers.binary_search(&row.n).is_err()),
            Err(Unread::Failed(error)) => return Err(error.into()),
            Err(Unread::Damaged(reason)) => {
                history.note(filed.damage(connection, reason)?);
                drop_filed(connection, &filed)?;
                change.count(place.lane, -i64::try_from(filed.records).unwrap_or(i64::MAX), 0);
            }
        }
        if rows.is_empty() {
            break;
        }
    }
    Ok(rows)
}

/// The numbers in a compacted chunk, ascending.
fn numbers<'m>(memory: &'m mut Memory, history: &History, filed: &Filed) -> Result<&'m [u64], Unread> {
    let key = (filed.file_no, filed.offset);
    if !memory.numbers.contains_key(&key) {
        let rows = history.rows(filed)?;
        if memory.numbers.len() >= NUMBERS_KEPT {
            memory.numbers.clear();
        }
        memory.numbers.insert(key, rows.iter().map(|row| row.n).collect());
    }
    Ok(memory.numbers.get(&key).map_or(&[], Vec::as_slice))
}

/// Writes the rows that are not there yet. Where they overlap with chunks, these are made anew from both.
fn put(
    connection: &Connection,
    encoder: &mut Encoder,
    place: &Place,
    rows: Vec<Row>,
    change: &mut Change,
) -> Result<(), Failure> {
    let old = overlapping(connection, place, rows[0].n, rows[rows.len() - 1].n)?;
    if old.is_empty() {
        return insert(connection, encoder, place, rows, change);
    }
    let mut known = BTreeMap::new();
    let mut damaged = false;
    for chunk in &old {
        match chunk::decode(&chunk.body) {
            Ok((_, rows)) => known.extend(rows.into_iter().map(|row| (row.n, row))),
            Err(error) => {
                damaged = true;
                tracing::error!(log.id = %place.log, boot = place.boot_count, first = chunk.first_n, %error,
                    "a damaged chunk is replaced by what is written in its place");
            }
        }
    }
    if !damaged && rows.iter().all(|row| known.contains_key(&row.n)) {
        return Ok(());
    }
    for row in rows {
        known.entry(row.n).or_insert(row);
    }
    for chunk in &old {
        remove(connection, place, chunk)?;
        change.count(place.lane, -chunk.records, if chunk.dated { 0 } else { -chunk.records });
    }
    insert(connection, encoder, place, known.into_values().collect(), change)
}

/// A chunk as it stands in its row.
struct Old {
    first_n: u64,
    records: i64,
    dated: bool,
    body: Vec<u8>,
}

/// Chunks that have numbers from `first` to `last`. No two overlap, so going back from the end finds them all.
fn overlapping(connection: &Connection, place: &Place, first: u64, last: u64) -> Result<Vec<Old>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT first_n, records, first_us IS NOT NULL, body FROM chunk
         WHERE machine_no = ?1 AND lane = ?2 AND log_no = ?3 AND boot_count = ?4
             AND first_n <= ?6 AND first_n >= coalesce(
                 (SELECT max(first_n) FROM chunk
                  WHERE machine_no = ?1 AND lane = ?2 AND log_no = ?3 AND boot_count = ?4 AND first_n <= ?5), 0)
             AND last_n >= ?5",
    )?;
    let params =
        params![place.machine_no, lane_code(place.lane), place.log_no, place.boot_count, first, last];
    rows(&mut statement, params, |columns| {
        Ok(Old {
            first_n: columns.get()?,
            records: columns.get()?,
            dated: columns.get()?,
            body: columns.get()?,
        })
    })
}

fn remove(connection: &Connection, place: &Place, chunk: &Old) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "DELETE FROM chunk
             WHERE machine_no = ?1 AND lane = ?2 AND log_no = ?3 AND boot_count = ?4 AND first_n = ?5",
        )?
        .execute(params![
            place.machine_no,
            lane_code(place.lane),
            place.log_no,
            place.boot_count,
            chunk.first_n
        ])?;
    Ok(())
}

fn insert(
    connection: &Connection,
    encoder: &mut Encoder,
    place: &Place,
    rows: Vec<Row>,
    change: &mut Change,
) -> Result<(), Failure> {
    let mut statement =
        connection.prepare_cached("INSERT INTO chunk VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?;
    let mut rest = &rows[..];
    while !rest.is_empty() {
        let (part, times) = next_part(&mut rest);
        let body = encoder.encode(place.lane, part).map_err(|error| {
            StoreError::with_source(
                StoreErrorKind::Invalid,
                format!("a block cannot be written: {error}"),
                error,
            )
        })?;
        let records = i64::try_from(part.len()).unwrap_or(i64::MAX);
        change.count(place.lane, records, if times.is_some() { 0 } else { records });
        statement.execute(params![
            place.machine_no,
            lane_code(place.lane),
            place.log_no,
            place.boot_count,
            part[0].n,
            part[part.len() - 1].n,
            records,
            times.map(|(least, _)| least.0),
            times.map(|(_, greatest)| greatest.0),
            body,
        ])?;
    }
    Ok(())
}

type Times = Option<(UnixMicros, UnixMicros)>;

/// Cuts off what fits one chunk: all dated or all undated, not too many, not over too long a time.
fn next_part<'r>(rest: &mut &'r [Row]) -> (&'r [Row], Times) {
    let mut times = rest[0].time().map(|time| (time, time));
    let mut count = 1;
    for row in rest.iter().take(limits::CHUNK_ROWS_MAX).skip(1) {
        let wider = match (times, row.time()) {
            (None, None) => None,
            (Some((least, greatest)), Some(time)) => {
                let (least, greatest) = (least.min(time), greatest.max(time));
                if greatest.0.abs_diff(least.0) > limits::CHUNK_SPAN_US_MAX {
                    break;
                }
                Some((least, greatest))
            }
            (None, Some(_)) | (Some(_), None) => break,
        };
        times = wider;
        count += 1;
    }
    let (part, after) = rest.split_at(count);
    *rest = after;
    (part, times)
}
