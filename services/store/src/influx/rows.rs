//! Answers of one table a field, put together to points.

use super::csv::{Row, Table};
use super::fields::{BadPoint, Fields, NUMBER};
use super::put::Found;
use crate::StoreError;

/// A point: its time in nanoseconds, and its fields.
pub(super) type Point<'t> = (i64, Fields<'t>);

/// The points of an answer, ascending by time. Every point of ours has a number: rows of other fields at times without one
/// belong to points that are not in the answer.
pub(super) fn points(tables: &[Table]) -> Result<Vec<Point<'_>>, StoreError> {
    let mut points: Vec<Point<'_>> = Vec::new();
    let mut others = Vec::new();
    for table in tables {
        let Some(name) = table.key("_field") else { continue };
        let cells = cells(table)?;
        if name != NUMBER {
            others.push((name, cells.into_iter().peekable()));
            continue;
        }
        for (time, value) in cells {
            let mut fields = Fields::default();
            fields.add(NUMBER, value);
            points.push((time, fields));
        }
    }
    points.sort_by_key(|(time, _)| *time);
    points.dedup_by_key(|(time, _)| *time);
    for (time, fields) in &mut points {
        for (name, cells) in &mut others {
            while cells.next_if(|(earlier, _)| *earlier < *time).is_some() {}
            if let Some((_, value)) = cells.next_if(|(at, _)| *at == *time) {
                fields.add(name, value);
            }
        }
    }
    Ok(points)
}

/// Times and values of a table, ascending by time.
fn cells(table: &Table) -> Result<Vec<(i64, &str)>, StoreError> {
    let (time, value) = (table.need("_time")?, table.need("_value")?);
    let mut cells = Vec::with_capacity(table.len());
    for row in table.rows() {
        if let (Some(time), Some(value)) = (row.nanoseconds(time)?, row.text(value)) {
            cells.push((time, value));
        }
    }
    cells.sort_by_key(|(time, _)| *time);
    Ok(cells)
}

/// The microsecond and the slot of a point.
pub(super) fn place_in_time(nanoseconds: i64) -> (i64, u16) {
    let slot = u16::try_from(nanoseconds.rem_euclid(1_000)).expect("a remainder of 1 000 is below it");
    (nanoseconds.div_euclid(1_000), slot)
}

/// Which record a point is.
pub(super) fn found((time, fields): &Point<'_>) -> Result<Found, BadPoint> {
    let (us, slot) = place_in_time(*time);
    let (log, position) = fields.place()?;
    Ok(Found { us, slot, log, position })
}

/// The whole number that is the only column of all rows, added up.
pub(super) fn sum(tables: &[Table]) -> Result<u64, StoreError> {
    let mut sum: u64 = 0;
    for table in tables {
        let value = table.need("_value")?;
        for row in table.rows() {
            sum = sum.saturating_add(row.unsigned(value)?.unwrap_or(0));
        }
    }
    Ok(sum)
}

/// The least and the greatest microsecond of all rows.
pub(super) fn times(tables: &[Table]) -> Result<Option<(i64, i64)>, StoreError> {
    let mut ends: Option<(i64, i64)> = None;
    for table in tables {
        let time = table.need("_time")?;
        let times = table.rows().map(|row: Row<'_>| row.nanoseconds(time));
        for time in times {
            let Some(us) = time?.map(|time| place_in_time(time).0) else { continue };
            ends = Some(ends.map_or((us, us), |(least, greatest)| (least.min(us), greatest.max(us))));
        }
    }
    Ok(ends)
}

#[cfg(test)]
mod tests;
