//! Intervals of a session: maximal runs of motion in one direction.

use super::{Grade, Guidance};
use crate::belt::{Direction, Origin};
use crate::live::Segment;
use crate::units::{Speed, UnixMicros};

/// Mean speed from which on a segment is part of an interval, in mm/s: 0.3 km/h.
const MOVES_FROM: u64 = 83;
/// Pauses up to this long do not end an interval, in microseconds.
const PAUSE_US: i64 = 2_000_000;
/// Shortest interval, in microseconds.
pub const SHORTEST_US: i64 = 5_000_000;
/// What counts as an interval of 30 s, in microseconds.
const THIRTY_US: std::ops::RangeInclusive<i64> = 25_000_000..=35_000_000;

/// A maximal run of motion in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Which way the belt ran.
    pub direction: Direction,
    /// How that is known, of its first segment.
    pub origin: Origin,
    /// Beginning.
    pub started: UnixMicros,
    /// End.
    pub ended: UnixMicros,
    /// Time that readings cover, in microseconds.
    pub observed_us: u64,
    /// Belt distance, in millimetres.
    pub distance_mm: u64,
    /// Greatest speed.
    pub speed_max: Speed,
    /// How steep it was; unknown if that changed.
    pub grade: Grade,
    /// How much of it was as starting advice says; of reverse only.
    pub guidance: Guidance,
    /// What came between it and the next interval of its direction; `None`: there is none in this session.
    pub recovery: Option<Recovery>,
}

impl Interval {
    /// From its beginning to its end, in microseconds.
    pub fn length_us(&self) -> i64 {
        self.ended.since(self.started)
    }

    /// Whether it is one of 30 s: 25 to 35 s.
    pub fn is_thirty(&self) -> bool {
        THIRTY_US.contains(&self.length_us())
    }
}

/// What came after an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// What the belt did.
    pub kind: RecoveryKind,
    /// For how long, in microseconds.
    pub length_us: i64,
}

/// What the belt did in a recovery, if it did so for at least four fifths of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecoveryKind {
    /// It stood.
    Standing,
    /// It ran forward.
    Forward,
    /// It ran in reverse.
    Reverse,
    /// It did this and that.
    Mixed,
    /// It was not seen.
    Unseen,
}

/// The intervals of a session's segments, oldest first.
pub fn intervals(segments: &[Segment]) -> Vec<Interval> {
    let mut runs: Vec<Interval> = Vec::new();
    for segment in segments.iter().filter(|segment| is_part(segment)) {
        let goes_on = |run: &&mut Interval| {
            run.direction == segment.direction && segment.started.since(run.ended) <= PAUSE_US
        };
        match runs.last_mut().filter(goes_on) {
            Some(run) => extend(run, segment),
            None => runs.push(begin(segment)),
        }
    }
    runs.retain(|run| run.length_us() >= SHORTEST_US);
    for index in 0..runs.len() {
        let Interval { direction, ended, .. } = runs[index];
        let next = runs[index + 1..].iter().find(|next| next.direction == direction);
        runs[index].recovery = next.map(|next| recovery(segments, ended, next.started));
    }
    runs
}

fn is_part(segment: &Segment) -> bool {
    let mean_mm_s = (segment.distance_mm * 1_000_000).checked_div(segment.observed_us).unwrap_or(0);
    match segment.direction {
        Direction::Stopped => false,
        Direction::Forward | Direction::Reverse | Direction::Unknown => mean_mm_s > MOVES_FROM,
    }
}

fn begin(segment: &Segment) -> Interval {
    Interval {
        direction: segment.direction,
        origin: segment.origin,
        started: segment.started,
        ended: segment.ended,
        observed_us: segment.observed_us,
        distance_mm: segment.distance_mm,
        speed_max: segment.speed_max,
        grade: segment.grade,
        guidance: segment.guidance,
        recovery: None,
    }
}

fn extend(run: &mut Interval, segment: &Segment) {
    run.ended = segment.ended;
    run.observed_us += segment.observed_us;
    run.distance_mm += segment.distance_mm;
    run.speed_max = run.speed_max.max(segment.speed_max);
    run.guidance = run.guidance.merged(&segment.guidance);
    if run.grade != segment.grade {
        run.grade = Grade::Unknown;
    }
}

/// What the belt did from one moment to another.
fn recovery(segments: &[Segment], from: UnixMicros, until: UnixMicros) -> Recovery {
    let length_us = until.since(from);
    let mut kinds = [
        (RecoveryKind::Standing, 0),
        (RecoveryKind::Forward, 0),
        (RecoveryKind::Reverse, 0),
        (RecoveryKind::Unseen, length_us),
    ];
    for segment in segments {
        let within = segment.ended.min(until).since(segment.started.max(from)).max(0);
        let kind = match (is_part(segment), segment.direction) {
            (true, Direction::Forward) => Some(1),
            (true, Direction::Reverse) => Some(2),
            // Motion of which nobody knows the direction is neither rest nor a kind of recovery.
            (true, Direction::Unknown) => None,
            (_, Direction::Stopped | Direction::Forward | Direction::Reverse) => Some(0),
            (false, Direction::Unknown) => (segment.observed_us > 0).then_some(0),
        };
        if let Some(kind) = kind {
            kinds[kind].1 += within;
        }
        kinds[3].1 -= within;
    }
    let most = kinds.iter().find(|(_, micros)| micros * 5 >= length_us * 4);
    Recovery { kind: most.map_or(RecoveryKind::Mixed, |(kind, _)| *kind), length_us }
}
