//! Making files and index agree when the store is opened.

use std::collections::HashMap;

use domain::log::Lane;
use rusqlite::{Connection, params};

use super::file::{Frame, scan};
use super::index::{self, Filed, Run};
use super::{History, failed};
use crate::chunk;
use crate::sqlite::failure::Failure;
use crate::sqlite::file::{Durability, synchronous};
use crate::sqlite::names::Names;
use crate::sqlite::values::{first_row, lane_code, rows};
use crate::telemetry::Block;

/// A file of which the index knows nothing was written just before a crash, or the index is older than it or was lost.
/// What it holds is taken in where it is not stored already; a file with nothing new is removed. Files that were
/// forgotten are removed, too.
///
/// `put` writes blocks, each record once.
pub(in crate::sqlite) fn settle(
    connection: &Connection,
    history: &History,
    put: impl Fn(&Connection, Vec<Block>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut statement = connection.prepare("SELECT name, gone FROM history_file")?;
    let known = rows(&mut statement, [], |columns| Ok((columns.get::<String>()?, columns.get::<bool>()?)))?;
    let known: HashMap<String, bool> = known.into_iter().collect();
    for name in history.list()? {
        match known.get(&name) {
            // Those that are gone are removed below.
            Some(_) => {}
            None => {
                // What it adds is on disk before it may be removed.
                connection.pragma_update(None, "synchronous", synchronous(Durability::AtOnce))?;
                let transaction = connection.unchecked_transaction()?;
                let taken = take_in(&transaction, history, &name, &put)?;
                transaction.commit()?;
                tracing::warn!(
                    file = name,
                    chunks = taken,
                    "a file of the history was not in the index; what is not stored elsewhere was taken in"
                );
                if taken == 0 {
                    history.remove(&name)?;
                }
            }
        }
    }
    connection.pragma_update(None, "synchronous", synchronous(Durability::Later))?;
    let gone: Vec<&str> = known.iter().filter(|(_, gone)| **gone).map(|(name, _)| name.as_str()).collect();
    // Where there is no folder, its files may be elsewhere: they are still to be removed when they are back.
    if !gone.is_empty() && history.folder.is_dir() {
        history.remove_all(gone)?;
        connection.execute("DELETE FROM history_file WHERE gone = 1", [])?;
    }
    Ok(())
}

/// How many chunks of the file are in the index now.
fn take_in(
    connection: &Connection,
    history: &History,
    name: &str,
    put: &impl Fn(&Connection, Vec<Block>) -> Result<(), Failure>,
) -> Result<usize, Failure> {
    let path = history.folder.join(name);
    let octets = std::fs::read(&path).map_err(|error| failed("read", &path, error))?;
    let mut names = Names::default();
    let mut new = Vec::new();
    for (offset, head_bytes, frame) in scan(&octets) {
        let run = Run {
            machine_no: names.machine(connection, &frame.machine)?,
            lane: frame.lane,
            log_no: names.log(connection, frame.log)?,
            boot_count: frame.boot_count,
        };
        if is_known(connection, &run, &frame)? {
            let begin = usize::try_from(offset + head_bytes).unwrap_or(usize::MAX);
            let chunk = octets.get(begin..).unwrap_or(&[]);
            let end = usize::try_from(frame.bytes).unwrap_or(usize::MAX).min(chunk.len());
            // One that cannot be read has nothing to add.
            if let Ok((_, rows)) = chunk::decode(&chunk[..end]) {
                put(connection, blocks(&frame, rows))?;
            }
            continue;
        }
        new.push(Filed {
            run,
            first_n: frame.first_n,
            last_n: frame.last_n,
            records: frame.records,
            first: frame.first,
            last: frame.last,
            file_no: 0,
            file: String::new(),
            offset,
            head_bytes,
            bytes: frame.bytes,
        });
    }
    if new.is_empty() {
        return Ok(0);
    }
    let file_no = index::insert_file(connection, name, octets.len() as u64)?;
    for filed in &new {
        index::insert(connection, &Filed { file_no, ..filed.clone() })?;
        let records = i64::try_from(filed.records).unwrap_or(i64::MAX);
        index::count(connection, filed.run.machine_no, filed.run.lane, records)?;
    }
    Ok(new.len())
}

/// Whether something that is stored has numbers between those of the frame.
fn is_known(connection: &Connection, run: &Run, frame: &Frame) -> Result<bool, Failure> {
    if !index::overlapping(connection, run, frame.first_n, frame.last_n)?.is_empty() {
        return Ok(true);
    }
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM chunk
         WHERE machine_no = ?1 AND lane = ?2 AND log_no = ?3 AND boot_count = ?4
             AND first_n <= ?6 AND last_n >= ?5 LIMIT 1",
    )?;
    let lane: Lane = run.lane;
    let params =
        params![run.machine_no, lane_code(lane), run.log_no, run.boot_count, frame.first_n, frame.last_n];
    Ok(first_row(&mut statement, params, |columns| columns.get::<i64>())?.is_some())
}

/// The rows as blocks, one for each clock.
fn blocks(frame: &Frame, rows: Vec<chunk::Row>) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for row in rows {
        if blocks.last().is_none_or(|block| block.clock != row.clock) {
            blocks.push(Block {
                sequence: 0,
                machine: frame.machine.clone(),
                log: frame.log,
                lane: frame.lane,
                boot_count: frame.boot_count,
                clock: row.clock,
                records: Vec::new(),
            });
        }
        if let Some(block) = blocks.last_mut() {
            block.records.push((row.n, row.record));
        }
    }
    blocks
}
