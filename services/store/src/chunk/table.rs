//! Readings as columns of whole numbers, which a coder walks through one after another.

use domain::belt::Contacts;
use domain::clock::Clock;
use domain::record::{Extra, Payload, Reading, Record, SpeedSummary};
use domain::units::{Incline, MonotonicMicros, Speed};

use super::coder::{Bit, Coder, Numbers};
use super::codes::{direction_code, direction_of, quality_code, quality_of};
use super::readings::{OUT_OF_RANGE, number};
use super::{ChunkError, Head, Row};

/// The columns, in the order in which they are coded. An optional value has one that says where it is, before it.
pub(super) mod column {
    pub(crate) const SKIPPED: usize = 0;
    pub(crate) const AT: usize = 1;
    pub(crate) const SPAN: usize = 2;
    pub(crate) const OTHER_N: usize = 3;
    pub(crate) const QUALITY: usize = 4;
    pub(crate) const OFFSET: usize = 5;
    pub(crate) const UNCERTAINTY: usize = 6;
    pub(crate) const DIRECTION: usize = 7;
    pub(crate) const HAS_SPEED: usize = 8;
    pub(crate) const MEAN: usize = 9;
    pub(crate) const BELOW: usize = 10;
    pub(crate) const ABOVE: usize = 11;
    pub(crate) const HAS_RISE: usize = 12;
    pub(crate) const RISE: usize = 13;
    pub(crate) const HAS_FALL: usize = 14;
    pub(crate) const FALL: usize = 15;
    pub(crate) const HAS_INCLINE: usize = 16;
    pub(crate) const INCLINE: usize = 17;
    pub(crate) const CLOSED: usize = 18;
    pub(crate) const OPEN: usize = 19;
    pub(crate) const HOLDS: usize = 20;
    /// Then the nine of `Extra`, each with the column before it.
    pub(crate) const HAS_COMMANDED: usize = 21;
    pub(crate) const HAS_ELAPSED: usize = 23;
    pub(crate) const HAS_DISTANCE: usize = 25;
    pub(crate) const HAS_STEPS: usize = 27;
    pub(crate) const HAS_BELT_FORCE: usize = 29;
    pub(crate) const HAS_CONTACT: usize = 31;
    pub(crate) const HAS_HEART_RATE: usize = 33;
    pub(crate) const HAS_SECOND_SPEED: usize = 35;
    pub(crate) const HAS_MODE: usize = 37;
    pub(crate) const COUNT: usize = 39;
}

use column::{
    ABOVE, AT, BELOW, CLOSED, COUNT, DIRECTION, HAS_BELT_FORCE, HAS_COMMANDED, HAS_CONTACT, HAS_DISTANCE,
    HAS_ELAPSED, HAS_FALL, HAS_HEART_RATE, HAS_INCLINE, HAS_MODE, HAS_RISE, HAS_SECOND_SPEED, HAS_SPEED,
    HAS_STEPS, HOLDS, OFFSET, OPEN, OTHER_N, QUALITY, SKIPPED, SPAN, UNCERTAINTY,
};

/// What a value probably is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guess {
    pub(super) value: i64,
    /// The context in which is learnt whether it is just that.
    pub(super) hit: usize,
    /// The context in which is learnt how far off it is otherwise.
    pub(super) size: usize,
}

/// How many contexts the guesses of a column have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contexts {
    pub(super) hits: usize,
    pub(super) sizes: usize,
}

/// Readings as columns. Where an optional value is missing, its column has 0.
#[derive(Debug)]
pub(super) struct Table {
    rows: usize,
    columns: Vec<Vec<i64>>,
}

impl Table {
    /// So many rows of zeros.
    pub(super) fn empty(rows: usize) -> Table {
        Table { rows, columns: vec![vec![0; rows]; COUNT] }
    }

    /// The readings among `rows`, which are all.
    pub(super) fn of(rows: &[Row], head: &Head) -> Table {
        let mut table = Table::empty(rows.len());
        let mut expected = head.first_n;
        for (place, row) in rows.iter().enumerate() {
            let Payload::Reading(reading) = &row.record.payload else { continue };
            let mut set = |column: usize, value: i64| table.columns[column][place] = value;
            set(SKIPPED, row.n.wrapping_sub(expected).cast_signed());
            expected = row.n.wrapping_add(1);
            set(AT, row.record.at.0.cast_signed());
            set(OTHER_N, row.record.other_n.cast_signed());
            set(QUALITY, quality_code(row.clock.quality));
            set(OFFSET, row.clock.offset_us);
            set(UNCERTAINTY, row.clock.uncertainty_us.cast_signed());
            set(SPAN, reading.span_ms.into());
            set(DIRECTION, direction_code(reading.direction, reading.origin));
            set(CLOSED, reading.contacts.closed.into());
            set(OPEN, reading.contacts.open.into());
            set(HOLDS, reading.holds_for_ms.into());
            let mut maybe = |column: usize, value: Option<i64>| {
                if let Some(value) = value {
                    set(column, 1);
                    set(column + 1, value);
                }
            };
            maybe(HAS_INCLINE, reading.incline.map(|incline| incline.0.into()));
            if let Some(speed) = reading.speed {
                let mean = i64::from(speed.mean.0);
                maybe(HAS_SPEED, Some(mean));
                maybe(HAS_RISE, speed.rise.map(i64::from));
                maybe(HAS_FALL, speed.fall.map(i64::from));
                set(BELOW, mean - i64::from(speed.min.0));
                set(ABOVE, i64::from(speed.max.0) - mean);
            }
            for (column, value) in EXTRAS.into_iter().zip(extras(&reading.extra)) {
                if let Some(value) = value {
                    set(column, 1);
                    set(column + 1, value);
                }
            }
        }
        table
    }

    /// The value of a row.
    pub(super) fn at(&self, column: usize, row: usize) -> i64 {
        self.columns[column][row]
    }

    /// Codes the rows of one column in which `where_is`, an earlier column, is not 0. `guess` may look at the columns
    /// before and the rows before.
    pub(super) fn code<C: Coder, G: FnMut(&Table, usize) -> Guess>(
        &mut self,
        coder: &mut C,
        (column, where_is): (usize, Option<usize>),
        contexts: Contexts,
        guess: impl Fn() -> G,
    ) {
        let concerned = |table: &Table, row: usize| where_is.is_none_or(|place| table.at(place, row) != 0);
        let is_guessed = || {
            let mut guess = guess();
            let mut rows = (0..self.rows).filter(|row| concerned(self, *row));
            rows.all(|row| guess(self, row).value == self.at(column, row))
        };
        let mut once = Bit::NEW;
        let is_guessed = coder.decided(&mut once, is_guessed);
        let mut guess = guess();
        let mut hits = vec![Bit::NEW; contexts.hits];
        let mut sizes = if is_guessed { Vec::new() } else { vec![Numbers::NEW; contexts.sizes] };
        for row in 0..self.rows {
            if !concerned(self, row) {
                continue;
            }
            let guessed = guess(self, row);
            let off = if is_guessed {
                0
            } else {
                let off = self.at(column, row).wrapping_sub(guessed.value);
                coder.number(&mut hits[guessed.hit], &mut sizes[guessed.size], off)
            };
            self.columns[column][row] = guessed.value.wrapping_add(off);
        }
    }

    /// The rows again.
    pub(super) fn rows(&self, head: &Head) -> Result<Vec<Row>, ChunkError> {
        let mut expected = Some(head.first_n);
        let rows = (0..self.rows).map(|row| {
            let skipped = self.at(SKIPPED, row).cast_unsigned();
            let n = expected.and_then(|n| n.checked_add(skipped));
            let n = n.ok_or(ChunkError::Damaged("it has a number that cannot be"))?;
            expected = n.checked_add(1);
            let clock = Clock {
                quality: quality_of(self.at(QUALITY, row))?,
                offset_us: self.at(OFFSET, row),
                uncertainty_us: self.at(UNCERTAINTY, row).cast_unsigned(),
            };
            let record = Record {
                at: MonotonicMicros(self.at(AT, row).cast_unsigned()),
                other_n: self.at(OTHER_N, row).cast_unsigned(),
                payload: Payload::Reading(self.reading(row)?),
            };
            Ok(Row { n, clock, record })
        });
        let rows: Vec<Row> = rows.collect::<Result<_, ChunkError>>()?;
        if rows.last().map(|row| row.n) != Some(head.last_n) {
            return Err(ChunkError::Damaged("its last number is another than it says"));
        }
        Ok(rows)
    }

    fn reading(&self, row: usize) -> Result<Reading, ChunkError> {
        let (direction, origin) = direction_of(self.at(DIRECTION, row))?;
        let speed = match self.maybe::<u32>(HAS_SPEED, row)? {
            None => None,
            Some(mean) => Some(SpeedSummary {
                mean: Speed(mean),
                min: Speed(number(i64::from(mean).wrapping_sub(self.at(BELOW, row)))?),
                max: Speed(number(i64::from(mean).wrapping_add(self.at(ABOVE, row)))?),
                rise: self.maybe(HAS_RISE, row)?,
                fall: self.maybe(HAS_FALL, row)?,
            }),
        };
        Ok(Reading {
            span_ms: number(self.at(SPAN, row))?,
            direction,
            origin,
            speed,
            incline: self.maybe(HAS_INCLINE, row)?.map(Incline),
            contacts: Contacts { closed: number(self.at(CLOSED, row))?, open: number(self.at(OPEN, row))? },
            holds_for_ms: number(self.at(HOLDS, row))?,
            extra: self.extra(row)?,
        })
    }

    fn extra(&self, row: usize) -> Result<Extra, ChunkError> {
        let heart_rate_contact = match self.maybe::<i64>(HAS_CONTACT, row)? {
            None => None,
            Some(0) => Some(false),
            Some(1) => Some(true),
            Some(_) => return Err(OUT_OF_RANGE),
        };
        Ok(Extra {
            commanded: self.maybe(HAS_COMMANDED, row)?.map(Speed),
            elapsed_s: self.maybe(HAS_ELAPSED, row)?,
            distance_m: self.maybe(HAS_DISTANCE, row)?,
            steps: self.maybe(HAS_STEPS, row)?,
            belt_force_n: self.maybe(HAS_BELT_FORCE, row)?,
            heart_rate_contact,
            heart_rate_bpm: self.maybe(HAS_HEART_RATE, row)?,
            second_speed: self.maybe(HAS_SECOND_SPEED, row)?.map(Speed),
            declared_mode: self.maybe(HAS_MODE, row)?,
        })
    }

    fn maybe<T: TryFrom<i64>>(&self, column: usize, row: usize) -> Result<Option<T>, ChunkError> {
        match self.at(column, row) {
            0 => Ok(None),
            1 => number(self.at(column + 1, row)).map(Some),
            _ => Err(OUT_OF_RANGE),
        }
    }
}

/// Where the values of `Extra` stand, in the order of [`extras`].
pub(super) const EXTRAS: [usize; 9] = [
    HAS_COMMANDED,
    HAS_ELAPSED,
    HAS_DISTANCE,
    HAS_STEPS,
    HAS_BELT_FORCE,
    HAS_CONTACT,
    HAS_HEART_RATE,
    HAS_SECOND_SPEED,
    HAS_MODE,
];

fn extras(extra: &Extra) -> [Option<i64>; 9] {
    [
        extra.commanded.map(|speed| speed.0.into()),
        extra.elapsed_s.map(i64::from),
        extra.distance_m.map(i64::from),
        extra.steps.map(i64::from),
        extra.belt_force_n.map(i64::from),
        extra.heart_rate_contact.map(i64::from),
        extra.heart_rate_bpm.map(i64::from),
        extra.second_speed.map(|speed| speed.0.into()),
        extra.declared_mode.map(i64::from),
    ]
}
