//! A stretch of time in which a belt did one thing.

use super::{Coverage, Grade, Guidance, Motion, MotionKey, Usage};
use crate::belt::{Contact, Contacts, Direction, Origin, STANDSTILL};
use crate::record::Reading;
use crate::registry::{BeltKind, direction_as_registered};
use crate::signal::Capabilities;
use crate::units::{Incline, MILLI, Speed, UnixMicros};

/// What a belt did from one moment to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Beginning.
    pub from: UnixMicros,
    /// End.
    pub until: UnixMicros,
    /// Which way the belt ran, as its registry entry lets it be read.
    pub direction: Direction,
    /// How that is known.
    pub origin: Origin,
    /// Mean and greatest speed; `None`: not known, which is not zero.
    pub speed: Option<(Speed, Speed)>,
    /// Incline; `None`: not known.
    pub incline: Option<Incline>,
    /// Contacts seen.
    pub contacts: Contacts,
    /// Signals that could be reported throughout.
    pub reportable: Capabilities,
}

impl Stretch {
    /// What a reading tells that ended at `time`. `able`: what the agent's sources can report; `belt`: what the belt
    /// can do, as it was registered then.
    pub fn of(time: UnixMicros, reading: &Reading, able: Capabilities, belt: BeltKind) -> Stretch {
        let span_us = i64::try_from(u64::from(reading.span_ms) * MILLI).unwrap_or(i64::MAX);
        let speed = reading.speed.map(|speed| (speed.mean, speed.max));
        let is_moving = speed.map(|(_, max)| max > STANDSTILL);
        let (direction, origin) = direction_as_registered(belt, reading.direction, reading.origin, is_moving);
        let mut reportable = Capabilities(0);
        let mut report = |signal: Capabilities, seen: bool| {
            if seen {
                reportable = reportable.and(signal);
            }
        };
        report(Capabilities::SPEED, speed.is_some());
        // A standing belt runs neither way; whether it could be told that it runs depends on its sources.
        let told = match direction {
            Direction::Forward | Direction::Reverse => true,
            Direction::Stopped | Direction::Unknown => {
                is_moving == Some(false) && (able.has(Capabilities::DIRECTION) || belt == BeltKind::OneWay)
            }
        };
        report(Capabilities::DIRECTION, told);
        report(Capabilities::INCLINE, reading.incline.is_some());
        for (signal, contact) in [
            (Capabilities::EMERGENCY_STOP, Contact::EmergencyStop),
            (Capabilities::SAFETY_KEY, Contact::SafetyKey),
            (Capabilities::HAND_RAIL, Contact::HandRail),
        ] {
            report(signal, (reading.contacts.closed | reading.contacts.open) & contact.bit() != 0);
        }
        Stretch {
            from: time.plus(-span_us),
            until: time,
            direction,
            origin,
            speed,
            incline: reading.incline,
            contacts: reading.contacts,
            reportable,
        }
    }

    /// Whether the belt moved; `None`: not known.
    pub fn is_moving(&self) -> Option<bool> {
        self.speed.map(|(_, max)| max > STANDSTILL && self.direction != Direction::Stopped)
    }

    /// Adds a part of it that is this long, in microseconds, to usage; `starts`: the belt began to move with it.
    pub(super) fn add_to(&self, usage: &mut Usage, micros: u64, starts: bool) {
        usage.coverage.add(Capabilities(self.reportable.0 & Coverage::KEPT.0), micros);
        let Some((mean, max)) = self.speed else { return };
        // A belt that stood throughout may still be told with the last of its ramp.
        if self.is_moving() == Some(false) {
            usage.rest_us = usage.rest_us.saturating_add(micros);
            return;
        }
        let (direction, origin) = match self.direction {
            Direction::Stopped | Direction::Unknown => (Direction::Unknown, Origin::Unknown),
            Direction::Forward | Direction::Reverse => (self.direction, self.origin),
        };
        let key = MotionKey { direction, origin, grade: Grade::of(direction, self.incline) };
        let motion = Motion {
            observed_us: micros,
            distance_nm: u128::from(mean.0) * u128::from(micros),
            speed_max: max,
            starts: u32::from(starts),
            guidance: (direction == Direction::Reverse)
                .then(|| Guidance::of(Some(mean), self.contacts, micros)),
        };
        usage.add(key, &motion);
    }
}
