//! Measured directions: the preferred source's, the other one's, and whether they contradict each other.

use super::contradiction::Contradiction;
use super::sources::{Held, Sources};
use crate::belt::Direction;
use crate::signal::SourceNumber;
use crate::units::{MonotonicMicros, SECOND, Speed};

/// Below this speed a sign means little: 0.5 km/h.
const TOO_SLOW: Speed = Speed(139);
/// How long two sources must contradict each other.
const DISAGREED_US: u64 = SECOND;

/// Watches what sources with a sign say.
#[derive(Debug, Default)]
pub(super) struct MeasuredDirections {
    first: Option<Held<Direction>>,
    second: Option<Held<Direction>>,
    contradiction: Contradiction,
}

/// Two sources contradict each other.
#[derive(Debug)]
pub(super) struct Disagreement {
    /// Since when.
    pub(super) at: MonotonicMicros,
    pub(super) first: (SourceNumber, Direction),
    pub(super) second: (SourceNumber, Direction),
}

impl MeasuredDirections {
    /// The preferred source's direction.
    pub(super) fn preferred(&self) -> Option<Direction> {
        self.first.as_ref().map(|held| held.value)
    }

    /// Takes a direction; whether it is the preferred one.
    pub(super) fn see(&mut self, held: Held<Direction>, sources: &Sources) -> bool {
        let is_preferred = sources.prefers(&self.first, &held);
        if is_preferred {
            self.first = Some(held);
        } else {
            self.second = Some(held);
        }
        is_preferred
    }

    /// Compares both: call it when a direction or the speed has changed.
    pub(super) fn compare(&mut self, speed: Option<Speed>, at: MonotonicMicros) {
        let both =
            self.first.as_ref().zip(self.second.as_ref()).map(|(first, second)| (first.value, second.value));
        let is_fast = speed.is_some_and(|speed| speed > TOO_SLOW);
        let differ = is_fast && both.is_some_and(|(first, second)| is_opposite(first, second));
        let agree = both.is_some_and(|(first, second)| first == second);
        self.contradiction.see(differ, agree, at);
    }

    /// Lets time pass; what there is to tell.
    pub(super) fn settle(&mut self, now: MonotonicMicros) -> Option<Disagreement> {
        let at = self.contradiction.settle(now, DISAGREED_US)?;
        let (first, second) = self.first.as_ref().zip(self.second.as_ref())?;
        Some(Disagreement { at, first: (first.source, first.value), second: (second.source, second.value) })
    }

    /// A source is silent: what it said is not known any more, and the other one's goes first.
    pub(super) fn forget(&mut self, source: SourceNumber) {
        let gone = |held: &Held<Direction>| held.source == source;
        self.second = self.second.take().filter(|held| !gone(held));
        if self.first.as_ref().is_some_and(gone) {
            self.first = self.second.take();
        }
        self.contradiction.forget();
    }
}

fn is_opposite(first: Direction, second: Direction) -> bool {
    match (first, second) {
        (Direction::Forward, Direction::Reverse) | (Direction::Reverse, Direction::Forward) => true,
        (Direction::Forward | Direction::Reverse | Direction::Stopped | Direction::Unknown, _) => false,
    }
}
