//! Usage: what belts did, by direction and effective grade, and for how much of the time that can be told.
//!
//! A reading becomes a [`Stretch`]; [`UsageFold`] cuts stretches at quarters of an hour in UTC and adds each moment once.
//! Everything is an integer and adds up exactly, in any order: hours, days and months are sums of quarters.

pub mod calendar;
pub mod code;
mod coverage;
mod covered;
pub mod energy;
mod fold;
pub mod intervals;
mod stretch;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::coverage::Coverage;
pub use self::covered::Covered;
pub use self::fold::{OpenDay, PartId, UsageFold, UsageRow};
pub use self::stretch::Stretch;
use crate::belt::{Contact, Contacts, Direction, Origin};
use crate::units::{Incline, Speed};

/// Microseconds of a quarter of an hour.
pub const QUARTER_US: i64 = 900 * 1_000_000;
/// Quarters of a day.
pub const QUARTERS_A_DAY: i64 = 96;
/// The |incline| from which on a deck is not level, in tenths of a per cent: 1 %, a level deck reads up to 0.5 % off.
pub const LEVEL_BELOW: Incline = Incline(10);
/// The fastest that counts as slow in reverse: 2 mph, what starting advice says.
pub const SLOW_MAX: Speed = Speed(894);

/// How steep it is for the person, as the belt runs: incline times the sign of the belt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Below 1 % either way.
    Level,
    /// The belt carries the person down, so they walk up.
    Uphill,
    /// A raised front end and a belt in reverse, or a lowered one and a belt forward.
    Downhill,
    /// The incline is not known, or it is not level and the direction is not known.
    #[default]
    Unknown,
}

impl Grade {
    /// All, level first.
    pub const ALL: [Grade; 4] = [Grade::Level, Grade::Uphill, Grade::Downhill, Grade::Unknown];

    /// Of a belt that moves.
    pub fn of(direction: Direction, incline: Option<Incline>) -> Grade {
        let Some(incline) = incline else { return Grade::Unknown };
        if incline.0.abs() < LEVEL_BELOW.0 {
            return Grade::Level;
        }
        match (direction, incline.0 > 0) {
            (Direction::Forward, true) | (Direction::Reverse, false) => Grade::Uphill,
            (Direction::Forward, false) | (Direction::Reverse, true) => Grade::Downhill,
            (Direction::Stopped | Direction::Unknown, _) => Grade::Unknown,
        }
    }
}

/// What tells motion apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MotionKey {
    /// Which way the belt ran: forward, reverse or unknown.
    pub direction: Direction,
    /// How that is known.
    pub origin: Origin,
    /// How steep it was.
    pub grade: Grade,
}

/// Motion of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Motion {
    /// Time that readings cover, in microseconds.
    pub observed_us: u64,
    /// Belt distance in that time, in nanometres: mm/s times microseconds, exact.
    pub distance_nm: u128,
    /// Greatest speed.
    pub speed_max: Speed,
    /// How often the belt began to move this way after it had stood.
    pub starts: u32,
    /// Of reverse only: how much of it was as starting advice says.
    pub guidance: Option<Guidance>,
}

impl Motion {
    /// Belt distance in whole millimetres, rounded down.
    pub fn distance_mm(&self) -> u64 {
        u64::try_from(self.distance_nm / 1_000_000).unwrap_or(u64::MAX)
    }

    /// Mean speed over the observed time, rounded down; 0 if nothing was observed.
    pub fn speed_mean(&self) -> Speed {
        let mean = self.distance_nm.checked_div(u128::from(self.observed_us)).unwrap_or(0);
        Speed(u32::try_from(mean).unwrap_or(u32::MAX))
    }

    /// Adds more of the same kind.
    pub fn merge(&mut self, other: &Motion) {
        self.observed_us = self.observed_us.saturating_add(other.observed_us);
        self.distance_nm = self.distance_nm.saturating_add(other.distance_nm);
        self.speed_max = self.speed_max.max(other.speed_max);
        self.starts = self.starts.saturating_add(other.starts);
        self.guidance = match (self.guidance, other.guidance) {
            (None, one) | (one, None) => one,
            (Some(one), Some(two)) => Some(one.merged(&two)),
        };
    }
}

/// How much of reverse motion was as starting advice says, in microseconds. What was not seen is in no `known`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Guidance {
    /// At 2 mph or slower.
    pub slow_us: u64,
    /// With hands on the rail.
    pub rail_held_us: u64,
    /// In which it was known whether hands were on the rail.
    pub rail_known_us: u64,
    /// With the safety key in.
    pub key_in_us: u64,
    /// In which it was known whether the safety key was in.
    pub key_known_us: u64,
}

impl Guidance {
    /// Of `micros` in reverse at these speeds with these contacts seen.
    pub fn of(mean: Option<Speed>, contacts: Contacts, micros: u64) -> Guidance {
        let counted = |counts: bool| if counts { micros } else { 0 };
        let rail = contacts.is_open(Contact::HandRail);
        let key = contacts.is_open(Contact::SafetyKey);
        Guidance {
            slow_us: counted(mean.is_some_and(|mean| mean <= SLOW_MAX)),
            rail_held_us: counted(rail == Some(false)),
            rail_known_us: counted(rail.is_some()),
            key_in_us: counted(key == Some(false)),
            key_known_us: counted(key.is_some()),
        }
    }

    /// Both together.
    #[must_use]
    pub fn merged(&self, other: &Guidance) -> Guidance {
        Guidance {
            slow_us: self.slow_us.saturating_add(other.slow_us),
            rail_held_us: self.rail_held_us.saturating_add(other.rail_held_us),
            rail_known_us: self.rail_known_us.saturating_add(other.rail_known_us),
            key_in_us: self.key_in_us.saturating_add(other.key_in_us),
            key_known_us: self.key_known_us.saturating_add(other.key_known_us),
        }
    }
}

/// What a belt did in some time, or several belts together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// By key, ascending; few.
    motions: Vec<(MotionKey, Motion)>,
    /// Time in which the belt is known to have stood, in microseconds.
    pub rest_us: u64,
    /// Time that readings cover, by what they could report.
    pub coverage: Coverage,
}

impl Usage {
    /// Motion of all kinds of which there is any, by key.
    pub fn motions(&self) -> impl Iterator<Item = &(MotionKey, Motion)> {
        self.motions.iter().filter(|(_, motion)| motion.observed_us > 0 || motion.starts > 0)
    }

    /// The same with kinds of which there was some, and is nothing since it was counted anew.
    pub fn kinds(&self) -> impl Iterator<Item = &(MotionKey, Motion)> {
        self.motions.iter()
    }

    /// Motion of one direction, however it is known and however steep it was.
    pub fn of_direction(&self, direction: Direction) -> Motion {
        self.sum(|key| key.direction == direction)
    }

    /// All motion.
    pub fn motion(&self) -> Motion {
        self.sum(|_| true)
    }

    /// Motion whose key is wanted.
    pub fn sum(&self, wanted: impl Fn(&MotionKey) -> bool) -> Motion {
        let mut sum = Motion::default();
        self.motions.iter().filter(|(key, _)| wanted(key)).for_each(|(_, motion)| sum.merge(motion));
        sum
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        *self == Usage::default()
    }

    /// Adds motion.
    pub fn add(&mut self, key: MotionKey, motion: &Motion) {
        match self.motions.binary_search_by_key(&key, |(key, _)| *key) {
            Ok(index) => self.motions[index].1.merge(motion),
            Err(index) => self.motions.insert(index, (key, *motion)),
        }
    }

    /// Adds what happened in other time, or on another machine. Associative and commutative.
    pub fn merge(&mut self, other: &Usage) {
        other.motions.iter().for_each(|(key, motion)| self.add(*key, motion));
        self.rest_us = self.rest_us.saturating_add(other.rest_us);
        self.coverage.merge(&other.coverage);
    }
}
