//! How the product's values stand in columns.

use domain::clock::Clock;
use domain::ids::{LogId, MachineId};
use domain::log::{Lane, Position};
use domain::units::UnixMicros;
use rusqlite::types::FromSql;
use rusqlite::{Params, Row, Statement};

use super::failure::Failure;
use crate::chunk::codes::quality_of;

/// Reads a row's columns from the first to the last.
#[derive(Debug)]
pub(super) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Columns<'r, 's> {
    /// The columns of a row.
    pub(super) fn of(row: &'r Row<'s>) -> Columns<'r, 's> {
        Columns { row, next: 0 }
    }

    /// The next column.
    pub(super) fn get<T: FromSql>(&mut self) -> Result<T, Failure> {
        let value = self.row.get(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// The next column as a machine's id.
    pub(super) fn machine(&mut self) -> Result<MachineId, Failure> {
        let id: String = self.get()?;
        MachineId::new(&id).map_err(|error| Failure::corrupt(format!("a machine's id is damaged: {error}")))
    }

    /// The next column as a log's id.
    pub(super) fn log(&mut self) -> Result<LogId, Failure> {
        Ok(LogId(self.get()?))
    }

    /// The next column as a lane.
    pub(super) fn lane(&mut self) -> Result<Lane, Failure> {
        match self.get::<i64>()? {
            EVENTS => Ok(Lane::Events),
            READINGS => Ok(Lane::Readings),
            code => Err(Failure::corrupt(format!("a lane has the code {code}, which is not known"))),
        }
    }

    /// The next two columns as a position.
    pub(super) fn position(&mut self) -> Result<Position, Failure> {
        Ok(Position::new(self.get()?, self.get()?))
    }

    /// The next two columns as a position that may be missing.
    pub(super) fn maybe_position(&mut self) -> Result<Option<Position>, Failure> {
        let (boot_count, n) = (self.get::<Option<u32>>()?, self.get::<Option<u64>>()?);
        Ok(boot_count.zip(n).map(|(boot_count, n)| Position::new(boot_count, n)))
    }

    /// The next column as a moment.
    pub(super) fn time(&mut self) -> Result<UnixMicros, Failure> {
        self.get().map(UnixMicros)
    }

    /// The next three columns as a clock.
    pub(super) fn clock(&mut self) -> Result<Clock, Failure> {
        let code = self.get::<i64>()?;
        let quality = quality_of(code)
            .map_err(|_| Failure::corrupt(format!("a clock has the quality {code}, which is not known")))?;
        Ok(Clock { quality, offset_us: self.get()?, uncertainty_us: self.get()? })
    }
}

/// All rows of a statement.
pub(super) fn rows<T>(
    statement: &mut Statement<'_>,
    params: impl Params,
    value: impl Fn(&mut Columns<'_, '_>) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let mut rows = statement.query(params)?;
    let mut values = Vec::new();
    while let Some(row) = rows.next()? {
        values.push(value(&mut Columns::of(row))?);
    }
    Ok(values)
}

/// A statement's first row, if there is one.
pub(super) fn first_row<T>(
    statement: &mut Statement<'_>,
    params: impl Params,
    value: impl Fn(&mut Columns<'_, '_>) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    let mut rows = statement.query(params)?;
    rows.next()?.map(|row| value(&mut Columns::of(row))).transpose()
}

const EVENTS: i64 = 0;
const READINGS: i64 = 1;

/// A lane as a number, in the lanes' own order.
pub(super) fn lane_code(lane: Lane) -> i64 {
    match lane {
        Lane::Events => EVENTS,
        Lane::Readings => READINGS,
    }
}

/// How many rows to ask for; the bounds have been checked.
pub(super) fn limit(max: usize) -> i64 {
    i64::try_from(max).unwrap_or(i64::MAX)
}
