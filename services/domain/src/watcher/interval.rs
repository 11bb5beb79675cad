//! The interval that becomes the next reading.

use crate::belt::{Contacts, Direction, Origin};
use crate::limits;
use crate::record::{Extra, Reading, SpeedSummary};
use crate::units::{Incline, MILLI, MonotonicMicros, Speed};

/// An interval under way.
#[derive(Debug)]
pub(super) struct Interval {
    started: MonotonicMicros,
    direction: Option<(Direction, Origin)>,
    mixed: bool,
    speeds: Option<Speeds>,
    contacts: Contacts,
}

/// Speeds so far: each value stands until the next.
#[derive(Debug, Clone, Copy)]
struct Speeds {
    last: Speed,
    last_at: MonotonicMicros,
    first_at: MonotonicMicros,
    /// Sum of speed times time, in mm/s times microseconds.
    travelled: u128,
    min: Speed,
    max: Speed,
    rise: u32,
    fall: u32,
}

impl Interval {
    pub(super) fn new(now: MonotonicMicros) -> Interval {
        Interval { started: now, direction: None, mixed: false, speeds: None, contacts: Contacts::default() }
    }

    pub(super) fn started(&self) -> MonotonicMicros {
        self.started
    }

    /// Whether this direction differs from the one seen so far.
    pub(super) fn is_other(&self, direction: Direction, origin: Origin) -> bool {
        self.direction.is_some_and(|seen| seen != (direction, origin))
    }

    pub(super) fn see_direction(&mut self, direction: Direction, origin: Origin) {
        self.mixed |= self.is_other(direction, origin);
        self.direction = Some((direction, origin));
    }

    /// What was slow has turned out to be a standstill, or a start: the direction is judged by what comes.
    pub(super) fn restart_direction(&mut self) {
        self.direction = None;
        self.mixed = false;
    }

    pub(super) fn see_speed(&mut self, speed: Speed, change: (u32, u32), at: MonotonicMicros) {
        let Some(speeds) = &mut self.speeds else {
            let (rise, fall) = change;
            self.speeds = Some(Speeds {
                last: speed,
                last_at: at,
                first_at: at,
                travelled: 0,
                min: speed,
                max: speed,
                rise,
                fall,
            });
            return;
        };
        speeds.extend(at);
        speeds.last = speed;
        speeds.min = speeds.min.min(speed);
        speeds.max = speeds.max.max(speed);
        speeds.rise = speeds.rise.max(change.0);
        speeds.fall = speeds.fall.max(change.1);
    }

    pub(super) fn see_contacts(&mut self, levels: Contacts) {
        self.contacts.closed |= levels.closed;
        self.contacts.open |= levels.open;
    }

    /// Ends the interval and begins the next. `None`: it was shorter than a millisecond.
    pub(super) fn close(
        &mut self,
        now: MonotonicMicros,
        incline: Option<Incline>,
        holds_for_ms: u32,
        extra: &mut Extra,
    ) -> Option<Reading> {
        let span_ms = u32::try_from(now.since(self.started) / MILLI).unwrap_or(u32::MAX);
        if span_ms == 0 {
            return None;
        }
        let interval = std::mem::replace(self, Interval::new(now));
        let (direction, origin) = match interval.direction {
            Some(seen) if !interval.mixed => seen,
            Some(_) | None => (Direction::Unknown, Origin::Unknown),
        };
        Some(Reading {
            span_ms: span_ms.min(limits::READING_SPAN_MS_MAX),
            direction,
            origin,
            speed: interval.speeds.map(|speeds| speeds.summary(now)),
            incline,
            contacts: interval.contacts,
            holds_for_ms,
            extra: std::mem::take(extra),
        })
    }
}

impl Speeds {
    fn extend(&mut self, at: MonotonicMicros) {
        self.travelled += u128::from(self.last.0) * u128::from(at.since(self.last_at));
        self.last_at = self.last_at.max(at);
    }

    fn summary(mut self, now: MonotonicMicros) -> SpeedSummary {
        self.extend(now);
        let known_us = u128::from(now.since(self.first_at));
        let mean = match known_us {
            0 => self.last,
            known_us => Speed(u32::try_from((self.travelled + known_us / 2) / known_us).unwrap_or(u32::MAX)),
        };
        let mean = mean.clamp(self.min, self.max);
        SpeedSummary { mean, min: self.min, max: self.max, rise: Some(self.rise), fall: Some(self.fall) }
    }
}
