//! For how much time what could be told.

use serde::{Deserialize, Serialize};

use crate::signal::Capabilities;

/// Sets of signals that are told apart. More: those with the smallest bits go to `other_us`.
const SETS_MAX: usize = 8;

/// Observed time by the set of signals that could be reported in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// Bits of [`Capabilities`] and microseconds, by descending bits, at most [`SETS_MAX`].
    sets: Vec<(u32, u64)>,
    /// Observed time with sets that had no place, in microseconds.
    pub other_us: u64,
}

impl Coverage {
    /// The signals whose coverage is kept; others are left out of sets.
    pub const KEPT: Capabilities = Capabilities::SPEED
        .and(Capabilities::DIRECTION)
        .and(Capabilities::INCLINE)
        .and(Capabilities::EMERGENCY_STOP)
        .and(Capabilities::SAFETY_KEY)
        .and(Capabilities::HAND_RAIL);

    /// Adds time in which these signals could be reported, in microseconds.
    pub fn add(&mut self, signals: Capabilities, micros: u64) {
        let bits = signals.0 & Coverage::KEPT.0;
        match self.sets.binary_search_by(|(set, _)| bits.cmp(set)) {
            Ok(index) => self.sets[index].1 = self.sets[index].1.saturating_add(micros),
            Err(index) => self.sets.insert(index, (bits, micros)),
        }
        // A set that stays has been among the greatest ever since it came: so the order of adding does not matter.
        if self.sets.len() > SETS_MAX {
            if let Some((_, micros)) = self.sets.pop() {
                self.other_us = self.other_us.saturating_add(micros);
            }
        }
    }

    /// Adds coverage of other time or another machine. Associative and commutative.
    pub fn merge(&mut self, other: &Coverage) {
        other.sets.iter().for_each(|(bits, micros)| self.add(Capabilities(*bits), *micros));
        self.other_us = self.other_us.saturating_add(other.other_us);
    }

    /// Time that readings cover, whatever they tell, in microseconds.
    pub fn observed_us(&self) -> u64 {
        self.sets.iter().fold(self.other_us, |sum, (_, micros)| sum.saturating_add(*micros))
    }

    /// Time in which all of `signals` could be reported together, in microseconds. What is in sets without a place is
    /// not counted.
    pub fn covered_us(&self, signals: Capabilities) -> u64 {
        let with = self.sets.iter().filter(|(bits, _)| Capabilities(*bits).has(signals));
        with.fold(0, |sum, (_, micros)| sum.saturating_add(*micros))
    }

    /// Sets and microseconds, by descending bits.
    pub fn sets(&self) -> impl Iterator<Item = (Capabilities, u64)> + '_ {
        self.sets.iter().map(|(bits, micros)| (Capabilities(*bits), *micros))
    }
}
