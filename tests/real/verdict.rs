//! Holds what is stored of a machine against what its agent has seen.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use domain::log::{Lane, Position};

use crate::stored::{Listing, Stored, expected};
use crate::truth::Truth;

/// Differences that are told one by one; the rest is only counted.
const TOLD_MAX: usize = 20;
/// Two readings of this computer's clocks are never further apart than this, in microseconds.
const CLOCK_TOLERANCE_US: i64 = 20_000;

/// What came out, of one machine or several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Machines compared.
    pub(crate) machines: u64,
    /// Lives of their agents in which something was written.
    pub(crate) boots: u64,
    /// Events of the truth.
    pub(crate) events: u64,
    /// Readings of the truth.
    pub(crate) readings: u64,
    /// Events of the truth that are not stored.
    pub(crate) events_missing: u64,
    /// Readings of the truth that are not stored.
    pub(crate) readings_missing: u64,
    /// Records that are stored more than once.
    pub(crate) twice: u64,
    /// Records that are stored with another content.
    pub(crate) altered: u64,
    /// Records that are stored and that no agent can have made.
    pub(crate) invented: u64,
    /// Records whose event time is further off than they say, or before that of the record before them.
    pub(crate) misdated: u64,
    /// Records that were sent just before a kill that kept the agent from writing them into its truth.
    pub(crate) untold: u64,
    /// Records that the server says are lost.
    pub(crate) lost: u64,
    /// Lines of the truth that a kill cut.
    pub(crate) cut_lines: u64,
    /// The first differences in words.
    pub(crate) differences: Vec<String>,
}

impl Verdict {
    /// Compares one machine. `offset_us` is what this computer's wall clock is ahead of its monotonic clock.
    ///
    /// A SIGKILL is no power cut: whatever the truth holds was given to the kernel before. So nothing of it may be
    /// missing, and nothing may be recorded as lost.
    pub(crate) fn of(machine: &str, truth: &Truth, listing: &Listing, offset_us: i64) -> Verdict {
        let listed = || truth.records.iter().filter(|(_, record)| expected(record).is_some());
        let of_lane = |lane| listed().filter(|((of, _), _)| *of == lane).count() as u64;
        let boots: BTreeSet<u32> = truth.records.keys().map(|(_, position)| position.boot_count).collect();
        let mut verdict = Verdict {
            machines: 1,
            boots: boots.len() as u64,
            events: of_lane(Lane::Events),
            readings: of_lane(Lane::Readings),
            lost: listing.lost,
            cut_lines: truth.cut_lines,
            ..Verdict::default()
        };
        let stored = verdict.by_place(machine, listing);
        for ((lane, position), record) in &truth.records {
            let Some(expected) = expected(record) else { continue };
            let place = format!("{machine} {} {position}", lane.name());
            let Some(found) = stored.get(&(*lane, *position)) else {
                verdict.missing(*lane, &place);
                continue;
            };
            if found.said != expected {
                verdict.altered += 1;
                verdict.tell(format!("{place}: stored as {:?}, was {record:?}", found.said));
            }
            let true_us = i64::try_from(record.at.0).unwrap_or(i64::MAX).saturating_add(offset_us);
            let off_us = found.unix_us - true_us;
            if off_us.abs() > found.uncertainty_us + CLOCK_TOLERANCE_US {
                verdict.misdated += 1;
                verdict.tell(format!("{place}: {off_us} µs off, said at most {}", found.uncertainty_us));
            }
        }
        verdict.check_rest(machine, truth, &stored);
        verdict.check_order(machine, truth, &stored);
        verdict
    }

    /// What is stored by its place. There is one log a lane, and one record a place.
    fn by_place<'a>(
        &mut self,
        machine: &str,
        listing: &'a Listing,
    ) -> BTreeMap<(Lane, Position), &'a Stored> {
        let mut logs: BTreeMap<Lane, &str> = BTreeMap::new();
        let mut stored = BTreeMap::new();
        for one in &listing.records {
            let lane = one.said.lane();
            let place = format!("{machine} {} {}", lane.name(), one.position);
            if *logs.entry(lane).or_insert(&one.log) != one.log {
                self.invented += 1;
                self.tell(format!("{place}: of another log, {}", one.log));
            } else if stored.insert((lane, one.position), one).is_some() {
                self.twice += 1;
                self.tell(format!("{place}: stored twice"));
            }
        }
        stored
    }

    /// What is stored and not in the truth must continue a boot that was killed.
    fn check_rest(&mut self, machine: &str, truth: &Truth, stored: &BTreeMap<(Lane, Position), &Stored>) {
        let mut last: Option<(Lane, Position)> = None;
        for (lane, position) in stored.keys().copied() {
            if truth.records.contains_key(&(lane, position)) {
                continue;
            }
            let told = truth.last_n(lane, position.boot_count);
            let before = last.filter(|(of, at)| *of == lane && at.boot_count == position.boot_count);
            let expected = before.map_or(told, |(_, at)| at.n) + 1;
            // Pieces of recordings are in no listing: among events there are numbers that nobody sees.
            let follows = position.n == expected || (lane == Lane::Events && position.n > expected);
            // The last boot was not killed: it told everything.
            if follows && position.boot_count < truth.last_boot() {
                self.untold += 1;
                last = Some((lane, position));
            } else {
                self.invented += 1;
                self.tell(format!("{machine} {} {position}: nobody told it", lane.name()));
            }
        }
    }

    /// Within a boot, event time goes the way of the monotonic clock.
    fn check_order(&mut self, machine: &str, truth: &Truth, stored: &BTreeMap<(Lane, Position), &Stored>) {
        let mut before: Option<(u32, Lane, u64, i64)> = None;
        for ((lane, position), record) in &truth.records {
            let Some(found) = stored.get(&(*lane, *position)) else { continue };
            let (boot, at, unix_us) = (position.boot_count, record.at.0, found.unix_us);
            let is_back = before.is_some_and(|(in_boot, of, earlier, earlier_unix)| {
                in_boot == boot && of == *lane && at >= earlier && unix_us < earlier_unix
            });
            if is_back {
                self.misdated += 1;
                self.tell(format!("{machine} {} {position}: dated before the record before it", lane.name()));
            }
            before = Some((boot, *lane, at, unix_us));
        }
    }

    fn missing(&mut self, lane: Lane, place: &str) {
        match lane {
            Lane::Events => self.events_missing += 1,
            Lane::Readings => self.readings_missing += 1,
        }
        self.tell(format!("{place}: not stored"));
    }

    fn tell(&mut self, difference: String) {
        if self.differences.len() < TOLD_MAX {
            self.differences.push(difference);
        }
    }

    /// Adds another machine's verdict.
    pub(crate) fn add(&mut self, other: Verdict) {
        self.machines += other.machines;
        self.boots += other.boots;
        self.events += other.events;
        self.readings += other.readings;
        self.events_missing += other.events_missing;
        self.readings_missing += other.readings_missing;
        self.twice += other.twice;
        self.altered += other.altered;
        self.invented += other.invented;
        self.misdated += other.misdated;
        self.untold += other.untold;
        self.lost += other.lost;
        self.cut_lines += other.cut_lines;
        for difference in other.differences {
            self.tell(difference);
        }
    }

    /// Whether everything of the truth is stored.
    pub(crate) fn is_complete(&self) -> bool {
        self.events_missing + self.readings_missing == 0
    }

    /// Whether what is stored is what was seen, once.
    pub(crate) fn is_clean(&self) -> bool {
        let wrong = self.twice + self.altered + self.invented + self.misdated + self.lost;
        self.is_complete() && wrong == 0
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { machines, boots, events, readings, .. } = self;
        write!(f, "{machines} machines, {boots} boots: {events} events and {readings} readings seen; ")?;
        write!(f, "missing {} and {}, ", self.events_missing, self.readings_missing)?;
        write!(f, "twice {}, altered {}, ", self.twice, self.altered)?;
        write!(f, "invented {}, misdated {}, ", self.invented, self.misdated)?;
        write!(f, "recorded lost {}, stored though untold {}, ", self.lost, self.untold)?;
        write!(f, "lines cut {}", self.cut_lines)?;
        for difference in &self.differences {
            write!(f, "\n  {difference}")?;
        }
        Ok(())
    }
}
