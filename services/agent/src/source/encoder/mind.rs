//! Signals from an encoder's edges.

use std::time::Duration;

use domain::belt::Direction;
use domain::signal::SignalValue;
use domain::units::{MILLI, MonotonicMicros, SECOND, Speed};

use super::Settings;
use super::health::Health;
use super::odometer::Odometer;
use super::quadrature::{Pulses, Quadrature, Slack, Step};
use super::window::{Pace, Window};
use crate::source::gpio::{Edge, LineMind, Order, Ordered, Told};

/// How often it speaks while the belt moves.
pub(super) const OUTPUT_US: u64 = 100 * MILLI;
/// While the belt moves, edges are taken together: the kernel has their times, and room for more than twice as many as
/// come in this time.
const PATIENCE: Duration = Duration::from_millis(40);
/// How often it speaks while the belt stands.
const REST_OUTPUT_US: u64 = 500 * MILLI;
/// Without a count for so long the belt stands; after a slow belt it takes longer.
const STANDS_US: u64 = 500 * MILLI;
/// So many of the last intervals without a count are a standstill.
const STANDS_INTERVALS: u64 = 3;
/// After so long without a count the belt stands in any case.
const STANDS_US_MAX: u64 = 12 * SECOND;
/// The counts that begin a motion come within this time.
const BEGINS_US: u64 = 4 * SECOND;
/// How long an edge waits for one that is missing before it.
const MISSING_US: u64 = 50 * MILLI;
/// So far a belt goes that does not only rock, in nanometres.
const ROCKS_NM: u64 = 20_000_000;
/// Nothing that people stand on is faster: 45 km/h, in mm/s.
const FASTEST_MM_S: u32 = 12_500;

/// What makes counts of edges.
#[derive(Debug)]
enum Counter {
    Quadrature(Quadrature, Slack),
    Pulses(Pulses),
}

/// What is known of the belt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Motion {
    Unknown,
    Moving,
    Resting,
}

/// How many edges there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// All that came.
    pub edges: u64,
    /// Those among them that cannot follow the one before.
    pub invalid: u64,
    /// Those that did not come.
    pub lost: u64,
}

/// Makes speed and direction of edges.
#[derive(Debug)]
pub struct Mind {
    counter: Counter,
    invert: bool,
    order: Order,
    window: Window,
    health: Health,
    motion: Motion,
    /// When a count was last heard of, or edges were lost.
    quiet_since: MonotonicMicros,
    due: MonotonicMicros,
    counters: Counters,
    odometer: Odometer,
}

impl Mind {
    /// A mind that has seen no edge yet, of an encoder whose lines were opened now.
    pub fn new(settings: &Settings, odometer: Odometer, now: MonotonicMicros) -> Mind {
        let nm_per_count = settings.nm_per_count();
        let rocks = ROCKS_NM / nm_per_count;
        let counter = match settings.line_b {
            Some(_) => {
                let width = i64::try_from(rocks.max(2)).unwrap_or(i64::MAX);
                Counter::Quadrature(Quadrature::default(), Slack::new(width))
            }
            None => Counter::Pulses(Pulses::new(nm_per_count / u64::from(FASTEST_MM_S))),
        };
        // Coarse counts have gone far enough after two.
        let period = if settings.line_b.is_some() { 4 } else { 2 };
        let least = if rocks >= 4 { period } else { 2 };
        odometer.interrupted();
        Mind {
            counter,
            invert: settings.invert,
            order: Order::default(),
            window: Window::new(nm_per_count, least, period),
            health: Health::default(),
            motion: Motion::Unknown,
            quiet_since: now,
            due: now.plus(OUTPUT_US),
            counters: Counters::default(),
            odometer,
        }
    }

    /// How many edges there were.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn take(&mut self, ordered: Vec<Ordered>, at: MonotonicMicros) {
        for ordered in ordered {
            match ordered {
                Ordered::Edge(edge) => self.count(&edge),
                Ordered::Lost(count) => self.miss(u64::from(count), at),
            }
        }
    }

    fn count(&mut self, edge: &Edge) {
        self.counters.edges += 1;
        let step = match &mut self.counter {
            Counter::Quadrature(quadrature, _) => {
                self.health.see(edge.line, edge.at);
                quadrature.see(edge.line, edge.is_high)
            }
            Counter::Pulses(pulses) => pulses.see(edge.is_high, edge.at),
        };
        let forward = match step {
            Step::Forward => !self.invert,
            Step::Back => self.invert,
            Step::Nothing => return self.health.count(edge.at, 1, 0),
            Step::Invalid => {
                self.counters.invalid += 1;
                return self.health.count(edge.at, 1, 1);
            }
        };
        self.health.count(edge.at, 1, 0);
        self.odometer.count(forward);
        let moved = match &mut self.counter {
            Counter::Quadrature(_, slack) => slack.step(forward),
            Counter::Pulses(_) => Some(true),
        };
        if let Some(forward) = moved {
            self.window.push(edge.at, forward);
            self.quiet_since = self.quiet_since.max(edge.at);
            self.due = self.due.min(edge.at.plus(OUTPUT_US));
        }
    }

    /// Edges are missing: levels and counts around them say nothing.
    fn miss(&mut self, count: u64, at: MonotonicMicros) {
        self.counters.lost += count;
        self.health.count(at, count, count);
        self.quiet_since = self.quiet_since.max(at);
        self.odometer.interrupted();
        self.window.forget();
        match &mut self.counter {
            Counter::Quadrature(quadrature, _) => quadrature.forget(),
            Counter::Pulses(pulses) => pulses.forget(),
        }
    }

    fn stands(&self, now: MonotonicMicros) -> bool {
        let interval_us = self.window.longest_interval_us().unwrap_or(0);
        let quiet_us = STANDS_INTERVALS.saturating_mul(interval_us).clamp(STANDS_US, STANDS_US_MAX);
        now.since(self.quiet_since) >= quiet_us
    }

    /// What the belt does; `None`: not known.
    fn judge(&mut self, now: MonotonicMicros) -> Option<Pace> {
        const STANDING: Pace = Pace { speed: Speed(0), is_forward: None, time_us: 0 };
        if self.health.is_unclear(now) {
            // One wire alone tells neither speed nor standstill.
            self.motion = Motion::Unknown;
            self.window.forget();
            return None;
        }
        if self.stands(now) {
            self.motion = Motion::Resting;
            self.window.rest();
            return Some(STANDING);
        }
        // Edges that wait for a missing one are no silence.
        let pace = self.window.pace(self.order.waits_since().map_or(now, |since| since.min(now)));
        match (self.motion, pace) {
            (Motion::Moving, pace) => pace,
            (
                Motion::Resting | Motion::Unknown,
                Some(Pace { is_forward: Some(_), time_us: ..=BEGINS_US, .. }),
            ) => {
                self.motion = Motion::Moving;
                pace
            }
            (Motion::Resting, _) => Some(STANDING),
            (Motion::Unknown, _) => None,
        }
    }

    fn say(&self, pace: Pace, now: MonotonicMicros, told: &mut Vec<Told>) {
        if pace.speed > Speed(FASTEST_MM_S) {
            let what = format!("speed is {:.1} km/h", pace.speed.kmh());
            return told.push(Told { at: now, value: SignalValue::Implausible(what) });
        }
        let has_sign = match self.counter {
            Counter::Quadrature(..) => true,
            Counter::Pulses(_) => false,
        };
        if has_sign {
            let direction = match (self.motion, pace.is_forward) {
                (Motion::Resting, _) => Direction::Stopped,
                (Motion::Moving, Some(true)) => Direction::Forward,
                (Motion::Moving, Some(false)) => Direction::Reverse,
                (Motion::Moving, None) | (Motion::Unknown, _) => Direction::Unknown,
            };
            told.push(Told { at: now, value: SignalValue::MeasuredDirection(direction) });
        }
        told.push(Told { at: now, value: SignalValue::Speed(pace.speed) });
    }
}

impl LineMind for Mind {
    fn edge(&mut self, edge: &Edge, _told: &mut Vec<Told>) {
        let mut ordered = Vec::new();
        self.order.take(*edge, &mut ordered);
        self.take(ordered, edge.at);
    }

    fn levels(&mut self, _levels: &[bool], _now: MonotonicMicros, _told: &mut Vec<Told>) {}

    fn wants_levels(&self) -> bool {
        // A level that is read lies before or after edges that are under way, and nobody can say which.
        false
    }

    fn tick(&mut self, now: MonotonicMicros, told: &mut Vec<Told>) {
        let mut ordered = Vec::new();
        self.order.give_up(MonotonicMicros(now.0.saturating_sub(MISSING_US)), &mut ordered);
        self.take(ordered, now);
        let pace = self.judge(now);
        if let Some(fault) = self.health.fault(now) {
            told.push(Told { at: now, value: SignalValue::Fault(fault) });
        }
        if let Some(pace) = pace {
            self.say(pace, now, told);
        }
        let pause = match self.motion {
            Motion::Unknown | Motion::Moving => OUTPUT_US,
            Motion::Resting => REST_OUTPUT_US,
        };
        self.due = now.plus(pause);
    }

    fn due(&self) -> MonotonicMicros {
        self.due
    }

    fn patience(&self) -> Duration {
        match self.motion {
            Motion::Moving => PATIENCE,
            Motion::Unknown | Motion::Resting => Duration::ZERO,
        }
    }

    fn lost(&self) -> u64 {
        self.counters.lost
    }
}
