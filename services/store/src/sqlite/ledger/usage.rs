//! Usage: rows of quarters, and beside them their sums, so that a month of many machines is little to read.

use std::collections::BTreeSet;

use domain::ids::MachineId;
use domain::units::UnixMicros;
use domain::usage::{PartId, UsageRow, code};
use rusqlite::{Connection, OptionalExtension, params};

use crate::ledger::usage::{total, unread};
use crate::ledger::{UsageQuery, UsageTotal};
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{Columns, limit, rows};

/// The tables. Rows of quarters are long and written once a minute, those of one day side by side; sums are short and lie
/// by machine. A part stands such that SQLite's order is its own.
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
    PRIMARY KEY (machine, day, part)
) STRICT, WITHOUT ROWID;
CREATE TABLE usage_machine (
    machine TEXT PRIMARY KEY,
    through_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

const DAYS: &str = "SELECT day, part, revision, through_us, quarters FROM usage_day
    WHERE machine = ?1 AND (day, part) > (?2, ?3) AND day < ?4 ORDER BY day, part LIMIT ?5";
const TOTALS: &str = "SELECT day, part, total FROM usage_total
    WHERE machine = ?1 AND (day, part) > (?2, ?3) AND day < ?4 ORDER BY day, part LIMIT ?5";
const THROUGH: &str = "SELECT through_us FROM usage_machine WHERE machine = ?1";

/// Writes a row and its sum unless a greater revision of it is there.
pub(super) fn put(connection: &Connection, row: &UsageRow) -> Result<(), Failure> {
    let total = total(row)?;
    let (machine, part) = (row.machine.as_str(), part_code(row.part));
    let written = connection
        .prepare_cached(
            "INSERT INTO usage_day (machine, day, part, revision, through_us, quarters)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (machine, day, part) DO UPDATE
             SET revision = excluded.revision, through_us = excluded.through_us, quarters = excluded.quarters
             WHERE excluded.revision >= revision",
        )?
        .execute(params![machine, row.day, part, row.revision, row.through.0, row.quarters])?;
    if written == 0 {
        return Ok(());
    }
    connection
        .prepare_cached(
            "INSERT INTO usage_total (machine, day, part, total) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (machine, day, part) DO UPDATE SET total = excluded.total",
        )?
        .execute(params![machine, row.day, part, code::encode(&total)])?;
    connection
        .prepare_cached(
            "INSERT INTO usage_machine (machine, through_us) VALUES (?1, ?2)
             ON CONFLICT (machine) DO UPDATE SET through_us = excluded.through_us
             WHERE excluded.through_us > through_us",
        )?
        .execute(params![machine, row.through.0])?;
    Ok(())
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
