//! Moving a day's small chunks into a file of large ones.

use std::fs::File;

use domain::limits;
use domain::log::Lane;
use domain::units::UnixMicros;
use rusqlite::{Connection, params};

use super::History;
use super::index::{self, Filed, Run, machines};
use super::writer::FileWriter;
use crate::chunk;
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{Columns, first_row, lane_code, limit};
use crate::telemetry::Compaction;

const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// A file that was written and is not in the index yet.
#[derive(Debug)]
pub(in crate::sqlite) struct Written {
    pub(super) name: String,
    pub(super) chunks: Vec<Filed>,
    pub(super) moved: Vec<Small>,
    /// What will have been done.
    pub(in crate::sqlite) compaction: Compaction,
}

impl Written {
    /// The file's name.
    pub(in crate::sqlite) fn name(&self) -> &str {
        &self.name
    }
}

/// A small chunk as it was when it was read.
#[derive(Debug)]
pub(super) struct Small {
    pub(super) run: Run,
    pub(super) first_n: u64,
    pub(super) last_n: u64,
    pub(super) records: u64,
    pub(super) first: UnixMicros,
    pub(super) last: UnixMicros,
}

/// Writes a file of the oldest day that has small chunks and is over long enough; `None`: there is none.
pub(in crate::sqlite) fn write_file(
    connection: &Connection,
    history: &History,
    now: UnixMicros,
) -> Result<Option<Written>, Failure> {
    let settled = now.0.saturating_sub(limits::COMPACTION_AGE_US);
    let end = settled.saturating_sub(settled.rem_euclid(DAY_US));
    let machines = machines(connection)?;
    for lane in Lane::ALL {
        let Some(oldest) = oldest(connection, &machines, lane)?.filter(|oldest| oldest.0 < end) else {
            continue;
        };
        let begin = oldest.0.saturating_sub(oldest.0.rem_euclid(DAY_US));
        let (name, file) = history.create(&day_name(begin.div_euclid(DAY_US)))?;
        let times = (begin, begin.saturating_add(DAY_US));
        let written = write_day(connection, history, (&name, &file), &machines, lane, times);
        if written.is_err() {
            // Nothing knows of it: at worst it is removed when the store is opened.
            let _ = history.remove(&name);
        }
        return written.map(Some);
    }
    Ok(None)
}

/// Writes what begins in the times, as much as one step takes.
fn write_day(
    connection: &Connection,
    history: &History,
    (name, file): (&str, &File),
    machines: &[i64],
    lane: Lane,
    (begin, end): (i64, i64),
) -> Result<Written, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT machine_no, lane, log_no, boot_count, first_n, last_n, records, first_us, last_us, body
         FROM chunk INDEXED BY chunk_time
         WHERE machine_no = ?1 AND lane = ?2 AND first_us >= ?3 AND first_us < ?4
         ORDER BY log_no, boot_count, first_n LIMIT ?5",
    )?;
    let mut writer = FileWriter::begin(connection, file, &history.folder.join(name))?;
    for machine_no in machines {
        let room = limits::COMPACTION_STEP_CHUNKS_MAX.saturating_sub(writer.moved());
        let params = params![machine_no, lane_code(lane), begin, end, limit(room)];
        let mut chunks = statement.query(params)?;
        while let Some(row) = chunks.next()? {
            let mut columns = Columns::of(row);
            let small = Small::read(&mut columns)?;
            let body: Vec<u8> = columns.get()?;
            match chunk::decode(&body) {
                Ok((_, rows)) => writer.add(small, rows, body.len())?,
                // It moves as it is: a check names it there, and it is in nobody's way here.
                Err(_) => writer.add_damaged(small, &body)?,
            }
            if writer.is_full() {
                break;
            }
        }
        drop(chunks);
        writer.flush()?;
        if writer.is_full() || writer.moved() >= limits::COMPACTION_STEP_CHUNKS_MAX {
            break;
        }
    }
    let (chunks, moved, compaction) = writer.finish()?;
    history.sync(name, file)?;
    Ok(Written { name: name.to_owned(), chunks, moved, compaction })
}

impl Small {
    fn read(columns: &mut Columns<'_, '_>) -> Result<Small, Failure> {
        let (machine_no, lane) = (columns.get()?, columns.lane()?);
        Ok(Small {
            run: Run { machine_no, lane, log_no: columns.get()?, boot_count: columns.get()? },
            first_n: columns.get()?,
            last_n: columns.get()?,
            records: columns.get()?,
            first: columns.time()?,
            last: columns.time()?,
        })
    }
}

/// Takes a file into the index, and what is in it out of the small chunks; all of it or nothing. `false`: a small chunk
/// has changed since it was read, and nothing was done.
pub(in crate::sqlite) fn commit(connection: &Connection, written: &Written) -> Result<bool, Failure> {
    let mut changed = connection.prepare_cached(
        "SELECT count(*) FROM chunk
         WHERE machine_no = ?1 AND lane = ?2 AND log_no = ?3 AND boot_count = ?4 AND first_n = ?5
             AND last_n = ?6 AND records = ?7 AND first_us = ?8 AND last_us = ?9",
    )?;
    let mut remove = connection.prepare_cached(
        "DELETE FROM chunk
         WHERE machine_no = ?1 AND lane = ?2 AND log_no = ?3 AND boot_count = ?4 AND first_n = ?5",
    )?;
    for small in &written.moved {
        let run = small.run;
        let as_it_was = params![
            run.machine_no,
            lane_code(run.lane),
            run.log_no,
            run.boot_count,
            small.first_n,
            small.last_n,
            small.records,
            small.first.0,
            small.last.0
        ];
        if first_row(&mut changed, as_it_was, |columns| columns.get::<i64>())? != Some(1) {
            return Ok(false);
        }
    }
    let file_no = index::insert_file(connection, &written.name, written.compaction.bytes)?;
    for filed in &written.chunks {
        index::insert(connection, &Filed { file_no, ..filed.clone() })?;
    }
    for small in &written.moved {
        let run = small.run;
        let key = params![run.machine_no, lane_code(run.lane), run.log_no, run.boot_count, small.first_n];
        remove.execute(key)?;
    }
    Ok(true)
}

/// The oldest time of the small chunks of a lane.
fn oldest(connection: &Connection, machines: &[i64], lane: Lane) -> Result<Option<UnixMicros>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT min(first_us) FROM chunk INDEXED BY chunk_time
         WHERE machine_no = ?1 AND lane = ?2 AND first_us IS NOT NULL",
    )?;
    let mut oldest: Option<i64> = None;
    for machine_no in machines {
        let params = params![machine_no, lane_code(lane)];
        let first: Option<i64> = first_row(&mut statement, params, |columns| columns.get())?.flatten();
        oldest = [oldest, first].into_iter().flatten().min();
    }
    Ok(oldest.map(UnixMicros))
}

/// A day since 1970 as its date.
fn day_name(day: i64) -> String {
    // Days from the first of March of the year 0, in eras of 400 years.
    let days = day + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day_of_month:02}")
}
