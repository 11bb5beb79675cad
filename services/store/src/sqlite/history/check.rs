//! Looking at everything that is stored, and saying how much it is.

use domain::limits;
use domain::log::Lane;
use domain::units::UnixMicros;
use rusqlite::{Connection, params};

use super::file::{BEGIN_BYTES, check_begin, read_head};
use super::index::{Filed, Run, machines};
use super::{History, Unread};
use crate::chunk;
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{first_row, lane_code, limit, rows};
use crate::telemetry::{CheckPlace, CheckStep, Checked, Damage, LaneStock, LostChunk, Stock};

const DATABASE: &str = "telemetry.db";

/// One step: chunks in the database first, then those in files, in the order of their places.
pub(in crate::sqlite) fn check(
    connection: &Connection,
    history: &History,
    after: Option<CheckPlace>,
) -> Result<CheckStep, Failure> {
    let from = match after {
        None => Checked::Chunk([i64::MIN; 5]),
        Some(CheckPlace(place)) => place,
    };
    let step = match from {
        Checked::Chunk(place) => check_small(connection, place)?,
        Checked::Filed(place) => check_filed(connection, history, place)?,
    };
    step.damages.iter().for_each(|damage| history.note(damage.clone()));
    Ok(step)
}

fn check_small(connection: &Connection, after: [i64; 5]) -> Result<CheckStep, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT machine_no, lane, log_no, boot_count, first_n, last_n, records, first_us, last_us, body
         FROM chunk
         WHERE (machine_no, lane, log_no, boot_count, first_n) > (?1, ?2, ?3, ?4, ?5)
         ORDER BY machine_no, lane, log_no, boot_count, first_n LIMIT ?6",
    )?;
    let [machine_no, lane, log_no, boot_count, first_n] = after;
    let max = limit(limits::CHECK_STEP_CHUNKS_MAX);
    let mut chunks = statement.query(params![machine_no, lane, log_no, boot_count, first_n, max])?;
    let mut step =
        CheckStep { next: Some(CheckPlace(Checked::Filed([i64::MIN; 2]))), ..CheckStep::default() };
    while let Some(row) = chunks.next()? {
        step.chunks += 1;
        let mut columns = crate::sqlite::values::Columns::of(row);
        let key: [i64; 5] = [columns.get()?, columns.get()?, columns.get()?, columns.get()?, columns.get()?];
        let (last_n, records): (u64, u64) = (columns.get()?, columns.get()?);
        let (first, last): (Option<i64>, Option<i64>) = (columns.get()?, columns.get()?);
        let body: Vec<u8> = columns.get()?;
        if let Err(error) = chunk::head(&body) {
            let run = Run {
                machine_no: key[0],
                lane: if key[1] == lane_code(Lane::Events) { Lane::Events } else { Lane::Readings },
                log_no: key[2],
                boot_count: u32::try_from(key[3]).unwrap_or(0),
            };
            let numbers = (u64::try_from(key[4]).unwrap_or(0), last_n, records);
            let times = first.zip(last).map(|(first, last)| (UnixMicros(first), UnixMicros(last)));
            let lost = lost(connection, &run, numbers, times)?;
            let (file, reason) = (DATABASE.to_owned(), error.to_string());
            step.damages.push(Damage { file, offset: None, reason, lost: Some(lost) });
        }
        if step.chunks == limits::CHECK_STEP_CHUNKS_MAX as u64 {
            step.next = Some(CheckPlace(Checked::Chunk(key)));
        }
    }
    Ok(step)
}

fn check_filed(connection: &Connection, history: &History, after: [i64; 2]) -> Result<CheckStep, Failure> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {} FROM filed INDEXED BY filed_file JOIN history_file USING (file_no)
         WHERE (file_no, offset) > (?1, ?2) ORDER BY file_no, offset LIMIT ?3",
        Filed::COLUMNS
    ))?;
    let params = params![after[0], after[1], limit(limits::CHECK_STEP_CHUNKS_MAX)];
    let found = rows(&mut statement, params, Filed::read)?;
    let mut step = CheckStep { chunks: found.len() as u64, ..CheckStep::default() };
    let mut file_no = after[0];
    for filed in &found {
        if filed.file_no != file_no {
            file_no = filed.file_no;
            step.damages.extend(check_file(history, &filed.file)?);
        }
        step.damages.extend(check_frame(connection, history, filed)?);
    }
    if let Some(last) = found.last().filter(|_| found.len() == limits::CHECK_STEP_CHUNKS_MAX) {
        let offset = i64::try_from(last.offset).unwrap_or(i64::MAX);
        step.next = Some(CheckPlace(Checked::Filed([last.file_no, offset])));
    }
    Ok(step)
}

/// What a file begins with. It takes no chunk with it.
fn check_file(history: &History, file: &str) -> Result<Option<Damage>, Failure> {
    let reason = match history.octets(file, 0, BEGIN_BYTES as u64) {
        Ok(octets) => check_begin(&octets).err().map(str::to_owned),
        // Each of its chunks says so.
        Err(Unread::Damaged(_)) => None,
        Err(Unread::Failed(error)) => return Err(error.into()),
    };
    let file = name(file);
    Ok(reason.map(|reason| Damage { file, offset: Some(0), reason, lost: None }))
}

fn check_frame(connection: &Connection, history: &History, filed: &Filed) -> Result<Option<Damage>, Failure> {
    let octets = match history.octets(&filed.file, filed.offset, filed.head_bytes + filed.bytes) {
        Ok(octets) => octets,
        Err(Unread::Damaged(reason)) => return filed.damage(connection, reason).map(Some),
        Err(Unread::Failed(error)) => return Err(error.into()),
    };
    let (head, chunk) = octets.split_at(usize::try_from(filed.head_bytes).unwrap_or(0));
    match chunk::head(chunk) {
        Ok(found) if !filed.is_of(&found) => {
            return filed.damage(connection, "another chunk stands there".to_owned()).map(Some);
        }
        Ok(_) => {}
        Err(error) => return filed.damage(connection, error.to_string()).map(Some),
    }
    if read_head(head).is_some_and(|(frame, length)| length == head.len() && frame.bytes == filed.bytes) {
        return Ok(None);
    }
    let reason = "the head before a chunk is damaged; the chunk itself is whole".to_owned();
    Ok(Some(Damage { file: name(&filed.file), offset: Some(filed.offset), reason, lost: None }))
}

impl Filed {
    /// Says that this chunk is lost.
    pub(in crate::sqlite) fn damage(
        &self,
        connection: &Connection,
        reason: String,
    ) -> Result<Damage, Failure> {
        let numbers = (self.first_n, self.last_n, self.records);
        let lost = lost(connection, &self.run, numbers, Some((self.first, self.last)))?;
        Ok(Damage { file: name(&self.file), offset: Some(self.offset), reason, lost: Some(lost) })
    }
}

/// A file's name as seen from the store's folder.
fn name(file: &str) -> String {
    format!("{}/{file}", super::FOLDER)
}

/// Records that were lost together, by their names.
pub(in crate::sqlite) fn lost(
    connection: &Connection,
    run: &Run,
    (first_n, last_n, records): (u64, u64, u64),
    times: Option<(UnixMicros, UnixMicros)>,
) -> Result<LostChunk, Failure> {
    let mut machine = connection.prepare_cached("SELECT id FROM machine WHERE machine_no = ?1")?;
    let machine = first_row(&mut machine, [run.machine_no], |columns| columns.machine())?;
    let mut log = connection.prepare_cached("SELECT id FROM log WHERE log_no = ?1")?;
    let log = first_row(&mut log, [run.log_no], |columns| columns.log())?;
    let (Some(machine), Some(log)) = (machine, log) else {
        return Err(Failure::corrupt("a machine or log of the telemetry has no name"));
    };
    let (lane, boot_count) = (run.lane, run.boot_count);
    Ok(LostChunk { machine, lane, log, boot_count, first_n, last_n, records, times })
}

/// How much is stored.
pub(in crate::sqlite) fn stock(connection: &Connection) -> Result<Stock, Failure> {
    let number = |query: &str| {
        let mut statement = connection.prepare_cached(query)?;
        Ok::<u64, Failure>(first_row(&mut statement, [], |columns| columns.get())?.unwrap_or(0))
    };
    let page_bytes = number("PRAGMA page_size")?;
    Ok(Stock {
        events: lane_stock(connection, Lane::Events)?,
        readings: lane_stock(connection, Lane::Readings)?,
        files: number("SELECT count(*) FROM history_file WHERE gone = 0")?,
        database_bytes: page_bytes * number("PRAGMA page_count")?,
        database_free_bytes: page_bytes * number("PRAGMA freelist_count")?,
    })
}

fn lane_stock(connection: &Connection, lane: Lane) -> Result<LaneStock, Failure> {
    let mut compacted = connection.prepare_cached(
        "SELECT coalesce(sum(records), 0), coalesce(sum(head_bytes + bytes), 0) FROM filed WHERE lane = ?1",
    )?;
    let sums = |columns: &mut crate::sqlite::values::Columns<'_, '_>| {
        Ok(LaneStock { compacted: columns.get()?, bytes: columns.get()?, oldest: None })
    };
    let mut stock = first_row(&mut compacted, [lane_code(lane)], sums)?.unwrap_or_default();
    let mut oldest = connection.prepare_cached(
        "SELECT (SELECT min(first_us) FROM chunk INDEXED BY chunk_time
                 WHERE machine_no = ?1 AND lane = ?2 AND first_us IS NOT NULL),
                (SELECT min(first_us) FROM filed WHERE machine_no = ?1 AND lane = ?2)",
    )?;
    for machine_no in machines(connection)? {
        let found = first_row(&mut oldest, params![machine_no, lane_code(lane)], |columns| {
            Ok([columns.get::<Option<i64>>()?, columns.get()?])
        })?;
        let times = found.into_iter().flatten().flatten().map(UnixMicros);
        stock.oldest = times.chain(stock.oldest).min();
    }
    Ok(stock)
}
