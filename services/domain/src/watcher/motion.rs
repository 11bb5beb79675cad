//! Whether the belt moves, and how fast it was a moment ago.

use std::collections::VecDeque;

use crate::belt::{Direction, STANDSTILL};
use crate::units::{MILLI, MonotonicMicros, SECOND, Speed};

/// How long the belt must be slow to stand still.
const STANDSTILL_US: u64 = SECOND;
/// How far back an event's picture looks.
const BEFORE_US: u64 = 2 * SECOND;
/// Over which time rises and falls are told.
const CHANGE_US: u64 = 1_500 * MILLI;
/// Most speeds remembered; a source faster than this is remembered for a shorter time.
const REMEMBERED_MAX: usize = 256;

/// What is known of the belt's motion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Motion {
    #[default]
    Unknown,
    Moving,
    Standing,
}

/// A change of motion, with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MotionEdge {
    /// The belt left standstill.
    Started(MonotonicMicros),
    /// The belt has stood still since.
    Stopped(MonotonicMicros),
    /// The belt was found standing.
    FirstStanding,
}

/// Watches the speed.
#[derive(Debug, Default)]
pub(super) struct MotionWatch {
    motion: Motion,
    slow_since: Option<MonotonicMicros>,
    remembered: VecDeque<(MonotonicMicros, Speed, Direction)>,
}

impl MotionWatch {
    pub(super) fn motion(&self) -> Motion {
        self.motion
    }

    /// Whether this speed lies on the other side of standstill than the last one.
    pub(super) fn crosses(&self, speed: Speed) -> bool {
        match self.motion {
            Motion::Moving => (speed <= STANDSTILL) != self.slow_since.is_some(),
            Motion::Standing => speed > STANDSTILL,
            Motion::Unknown => false,
        }
    }

    /// Takes a speed.
    pub(super) fn see(&mut self, speed: Speed, at: MonotonicMicros) -> Option<MotionEdge> {
        if speed <= STANDSTILL {
            self.slow_since.get_or_insert(at);
            return self.settle(at);
        }
        self.slow_since = None;
        let was = std::mem::replace(&mut self.motion, Motion::Moving);
        (was == Motion::Standing).then_some(MotionEdge::Started(at))
    }

    /// Lets time pass.
    pub(super) fn settle(&mut self, now: MonotonicMicros) -> Option<MotionEdge> {
        let since = self.slow_since.filter(|since| now.since(*since) >= STANDSTILL_US)?;
        match std::mem::replace(&mut self.motion, Motion::Standing) {
            Motion::Moving => Some(MotionEdge::Stopped(since)),
            Motion::Unknown => Some(MotionEdge::FirstStanding),
            Motion::Standing => None,
        }
    }

    /// The source is silent: nothing is known any more.
    pub(super) fn forget(&mut self) {
        *self = MotionWatch::default();
    }

    /// Keeps a speed for pictures of the time before.
    pub(super) fn remember(&mut self, at: MonotonicMicros, speed: Speed, direction: Direction) {
        while self.remembered.front().is_some_and(|(old, _, _)| at.since(*old) > BEFORE_US) {
            self.remembered.pop_front();
        }
        if self.remembered.len() >= REMEMBERED_MAX {
            self.remembered.pop_front();
        }
        self.remembered.push_back((at, speed, direction));
    }

    /// The greatest speed in the 2 s before, and the direction at it.
    pub(super) fn greatest_before(&self, at: MonotonicMicros) -> Option<(Speed, Direction)> {
        let recent = self.remembered.iter();
        let recent = recent.filter(|(then, _, _)| *then <= at && at.since(*then) <= BEFORE_US);
        recent.max_by_key(|(_, speed, _)| *speed).map(|(_, speed, direction)| (*speed, *direction))
    }

    /// Rise and fall between the newest speed and those of the 1.5 s before it, in mm/s.
    pub(super) fn change_over_window(&self) -> (u32, u32) {
        let Some((newest, speed, _)) = self.remembered.back() else { return (0, 0) };
        let recent = self.remembered.iter().filter(|(then, _, _)| newest.since(*then) <= CHANGE_US);
        recent.fold((0, 0), |(rise, fall), (_, old, _)| {
            (rise.max(speed.0.saturating_sub(old.0)), fall.max(old.0.saturating_sub(speed.0)))
        })
    }
}
