//! Usage: rows of quarters, and beside them their sums, so that a month of many machines is little to read.

use std::collections::BTreeSet;

use domain::ids::MachineId;
use domain::units::UnixMicros;
use domain::usage::{PartId, UsageRow, code};
use rusqlite::{Connection, OptionalExtension, params};

use crate::ledger::usage::{total, unread};
use crate::ledger::{UsageChange, UsageQuery, UsageTotal};
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{Columns, limit, rows};

/// The tables. Rows of quarters are long and written once a minute, those of one day side by side; sums are short and lie
/// by machine, each with the number of its row's last change. A part stands such that SQLite's order is its own.
pub(super) const SCHEMA: &str = "
CREATE TABLE usage_day (
    machine TEXT NOT NULL,
    day INTEGER NOT NULL,
    part INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    through_us INTEGER NOT NULL,
    quarters BLOB NOT NULL,
    PRIMARY KEY (machine, day, part)
) STRICT;
CREATE TABLE usage_total (
    machine TEXT NOT NULL,
    day INTEGER NOT NULL,
    part INTEGER NOT NULL,
    total BLOB NOT NULL,
    change_number INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (machine, day, part)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX usage_change ON usage_total (change_number);
CREATE TABLE usage_machine (
    machine TEXT PRIMARY KEY,
    through_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

const DAYS: &str = "SELECT day, part, revision, through_us, quarters FROM usage_day
    WHERE machine = ?1 AND (day, part) > (?2, ?3) AND day < ?4 ORDER BY day, part LIMIT ?5";
const TOTALS: &str = "SELECT day, part, total FROM usage_total
    WHERE machine = ?1 AND (day, part) > (?2, ?3) AND day < ?4 ORDER BY day, part LIMIT ?5";
const CHANGED: &str = "SELECT change_number, machine, day, part FROM usage_total
    WHERE change_number > ?1 ORDER BY change_number LIMIT ?2";
const NEWEST: &str = "SELECT max(change_number) FROM usage_total";
const THROUGH: &str = "SELECT through_us FROM usage_machine WHERE machine = ?1";

/// Gives the rows of format 5 numbers of their changes, by day.
pub(super) fn number(connection: &Connection) -> Result<(), Failure> {
    Ok(connection.execute_batch(
        "ALTER TABLE usage_total ADD COLUMN change_number INTEGER NOT NULL DEFAULT 0;
         UPDATE usage_total SET change_number = numbered.number
         FROM (SELECT machine, day, part, row_number() OVER (ORDER BY day, machine, part) AS number
               FROM usage_total) AS numbered
         WHERE (usage_total.machine, usage_total.day, usage_total.part)
             = (numbered.machine, numbered.day, numbered.part);
         CREATE UNIQUE INDEX usage_change ON usage_total (change_number);",
    )?)
}

/// Writes rows and their sums; gives the number of the newest change if there is one.
pub(super) fn put(connection: &Connection, usage: &[UsageRow]) -> Result<Option<u64>, Failure> {
    if usage.is_empty() {
        return Ok(None);
    }
    let before = newest_change(connection)?;
    let mut newest = before;
    for row in usage {
        newest += u64::from(put_one(connection, row, newest + 1)?);
    }
    Ok((newest > before).then_some(newest))
}

/// Number of the newest change; 0: there is none.
pub(super) fn newest_change(connection: &Connection) -> Result<u64, Failure> {
    let mut statement = connection.prepare_cached(NEWEST)?;
    Ok(statement.query_row([], |row| row.get::<_, Option<u64>>(0))?.unwrap_or(0))
}

/// Writes a row and its sum unless a greater revision of it, or the very same, is there; says whether it was written.
fn put_one(connection: &Connection, row: &UsageRow, change: u64) -> Result<bool, Failure> {
    let total = total(row)?;
    let (machine, part) = (row.machine.as_str(), part_code(row.part));
    let written = connection
        .prepare_cached(
            "INSERT INTO usage_day (machine, day, part, revision, through_us, quarters)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (machine, day, part) DO UPDATE
             SET revision = excluded.revision, through_us = excluded.through_us, quarters = excluded.quarters
             WHERE excluded.revision > revision OR (excluded.revision = revision
                 AND (excluded.through_us, excluded.quarters) <> (through_us, quarters))",
        )?
        .execute(params![machine, row.day, part, row.revision, row.through.0, row.quarters])?;
    if written == 0 {
        return Ok(false);
    }
    connection
        .prepare_cached(
            "INSERT INTO usage_total (machine, day, part, total, change_number) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (machine, day, part) DO UPDATE
             SET total = excluded.total, change_number = excluded.change_number",
        )?
        .execute(params![machine, row.day, part, code::encode(&total), change])?;
    connection
        .prepare_cached(
            "INSERT INTO usage_machine (machine, through_us) VALUES (?1, ?2)
             ON CONFLICT (machine) DO UPDATE SET through_us = excluded.through_us
             WHERE excluded.through_us > through_us",
        )?
        .execute(params![machine, row.through.0])?;
    Ok(true)
}

/// Rows changed after a number.
pub(super) fn changed(connection: &Connection, after: i64, max: usize) -> Result<Vec<UsageChange>, Failure> {
    let mut statement = connection.prepare_cached(CHANGED)?;
    rows(&mut statement, params![after, limit(max)], |columns| {
        let (change, machine) = (columns.get()?, columns.machine()?);
        Ok(UsageChange { change, machine, day: columns.get()?, part: part_of(columns.get()?) })
    })
}

/// Rows of quarters.
pub(super) fn list(connection: &Connection, query: &UsageQuery) -> Result<Vec<UsageRow>, Failure> {
    walk(connection, query, DAYS, |machine, columns| {
        Ok(UsageRow {
            machine: machine.clone(),
            day: columns.get()?,
            part: part_of(columns.get()?),
            revision: columns.get()?,
            through: columns.time()?,
            quarters: columns.get()?,
        })
    })
}

/// Sums of rows.
pub(super) fn totals(connection: &Connection, query: &UsageQuery) -> Result<Vec<UsageTotal>, Failure> {
    walk(connection, query, TOTALS, |machine, columns| {
        let (day, part) = (columns.get()?, part_of(columns.get()?));
        let octets: Vec<u8> = columns.get()?;
        let usage = code::total(&octets).map_err(|error| unread(machine, day, &error))?;
        Ok(UsageTotal { machine: machine.clone(), day, part, usage })
    })
}

/// Up to when usage of machines is counted.
pub(super) fn through(
    connection: &Connection,
    machines: &[MachineId],
) -> Result<Vec<(MachineId, UnixMicros)>, Failure> {
    let machines: BTreeSet<&MachineId> = machines.iter().collect();
    let mut statement = connection.prepare_cached(THROUGH)?;
    let mut all = Vec::with_capacity(machines.len());
    for machine in machines {
        let through = statement.query_row([machine.as_str()], |row| row.get(0)).optional()?;
        all.extend(through.map(|through| (machine.clone(), UnixMicros(through))));
    }
    Ok(all)
}

/// Machine by machine, each from where the page begins.
fn walk<T>(
    connection: &Connection,
    query: &UsageQuery,
    sql: &str,
    value: impl Fn(&MachineId, &mut Columns<'_, '_>) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let machines: BTreeSet<&MachineId> = query.machines.iter().collect();
    // A place behind all parts of the day before the first.
    let beginning = (i64::from(query.from_day) - 1, i64::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = Vec::new();
    for machine in machines {
        let (day, part) = match &query.after {
            Some((last, ..)) if machine < last => continue,
            Some((last, day, part)) if machine == last => beginning.max((i64::from(*day), part_code(*part))),
            Some(_) | None => beginning,
        };
        let left = query.max - found.len();
        if left == 0 {
            break;
        }
        let params = params![machine.as_str(), day, part, query.until_day, limit(left)];
        found.extend(rows(&mut statement, params, |columns| value(machine, columns))?);
    }
    Ok(found)
}

const TOP_BIT: u64 = 1 << 63;

/// The part as a signed number in the parts' own order.
fn part_code(part: PartId) -> i64 {
    (part.0 ^ TOP_BIT).cast_signed()
}

fn part_of(code: i64) -> PartId {
    PartId(code.cast_unsigned() ^ TOP_BIT)
}

#[cfg(test)]
mod tests;
