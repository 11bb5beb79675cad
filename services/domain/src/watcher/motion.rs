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
/// A rise over that time that is told: 1.8 km/h. The steepest ordinary ramp has 1.25 km/h.
const RISE_MM_S: u32 = 500;
/// A fall over that time that is told: 2.4 km/h. The steepest ordinary stop has 1.46 km/h.
const FALL_MM_S: u32 = 667;
/// Least time between two told jumps of one kind.
const JUMP_PAUSE_US: u64 = 10 * SECOND;
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
            let since = self.slow_since.unwrap_or_else(|| self.came_to_rest(speed, at));
            self.slow_since = Some(since);
            return self.settle(at);
        }
        self.slow_since = None;
        let was = std::mem::replace(&mut self.motion, Motion::Moving);
        (was == Motion::Standing).then_some(MotionEdge::Started(at))
    }

    /// When the belt got slow, if it was told slow first at `at`: it is taken to have braked evenly from the speed told
    /// before. A source that is asked rarely would else tell every stop too long.
    fn came_to_rest(&self, speed: Speed, at: MonotonicMicros) -> MonotonicMicros {
        let last = self.remembered.back().filter(|(then, old, _)| *old > STANDSTILL && *then < at);
        let Some((then, old, _)) = last else { return at };
        let (whole, above) = (u64::from(old.0 - speed.0), u64::from(old.0 - STANDSTILL.0));
        then.plus(at.since(*then) * above / whole)
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

    /// Keeps a speed for pictures of the time before, and one older than these: it says where the window began.
    pub(super) fn remember(&mut self, at: MonotonicMicros, speed: Speed, direction: Direction) {
        while self.remembered.get(1).is_some_and(|(old, _, _)| at.since(*old) > BEFORE_US) {
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

    /// Rise and fall from the 1.5 s before to a speed that is not remembered yet, in mm/s. Where no speed was told at
    /// the beginning of that time, the belt is taken to have changed evenly between those around it.
    pub(super) fn change_to(&self, speed: Speed, at: MonotonicMicros) -> (u32, u32) {
        let inside = self.remembered.partition_point(|(then, _, _)| at.since(*then) >= CHANGE_US);
        let recent = self.remembered.range(inside..).map(|(_, old, _)| *old);
        let first = inside.checked_sub(1).and_then(|older| self.remembered.get(older));
        let begin = first.map(|(then, old, _)| {
            let next = self.remembered.get(inside).map_or((at, speed), |(then, next, _)| (*then, *next));
            between((*then, *old), next, MonotonicMicros(at.0 - CHANGE_US))
        });
        recent.chain(begin).fold((0, 0), |(rise, fall), old| {
            (rise.max(speed.0.saturating_sub(old.0)), fall.max(old.0.saturating_sub(speed.0)))
        })
    }
}

/// The speed at a moment between two that were told, rounded.
fn between(old: (MonotonicMicros, Speed), next: (MonotonicMicros, Speed), at: MonotonicMicros) -> Speed {
    let whole = i128::from(next.0.since(old.0)).max(1);
    let change = i128::from(next.1.0) - i128::from(old.1.0);
    let part = (2 * change * i128::from(at.since(old.0)) + whole).div_euclid(2 * whole);
    Speed(u32::try_from(i128::from(old.1.0) + part).unwrap_or(u32::MAX))
}

/// The speed rose or fell faster than any ramp does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Jump {
    Rise,
    Fall,
}

/// Notices jumps of the speed, each kind not too often.
#[derive(Debug, Default)]
pub(super) struct JumpWatch {
    rise_told: Option<MonotonicMicros>,
    fall_told: Option<MonotonicMicros>,
}

impl JumpWatch {
    /// Takes a change over 1.5 s, in mm/s; what there is to tell.
    pub(super) fn see(&mut self, (rise, fall): (u32, u32), at: MonotonicMicros) -> Option<Jump> {
        let due = |told: &Option<MonotonicMicros>| told.is_none_or(|told| at.since(told) >= JUMP_PAUSE_US);
        if fall >= FALL_MM_S && due(&self.fall_told) {
            self.fall_told = Some(at);
            return Some(Jump::Fall);
        }
        if rise >= RISE_MM_S && due(&self.rise_told) {
            self.rise_told = Some(at);
            return Some(Jump::Rise);
        }
        None
    }
}
