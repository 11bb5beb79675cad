//! One record with everything a rule needs to judge it.

use super::{Seen, Track};
use crate::belt::{Belt, Contact, Direction, Origin};
use crate::incident::definition::Memory;
use crate::incident::settings::MachineSettings;
use crate::incident::threshold::Threshold;
use crate::record::{Event, EventKind, Reading};
use crate::registry::direction_as_registered;
use crate::signal::Capabilities;
use crate::units::{Speed, UnixMicros};

/// A record that was taken into the track, and what holds for the machine at its time.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Event time of the record.
    pub time: UnixMicros,
    /// The record.
    pub seen: Seen<'a>,
    /// Everything known with it.
    pub track: &'a Track,
    /// What people have set.
    pub settings: &'a MachineSettings,
}

impl<'a> Step<'a> {
    /// The record, if it is an event.
    pub fn event(&self) -> Option<&'a Event> {
        match self.seen {
            Seen::Event { event, .. } => Some(event),
            Seen::Reading { .. } => None,
        }
    }

    /// The record, if it is an event of this kind.
    pub fn event_of(&self, kind: EventKind) -> Option<&'a Event> {
        self.event().filter(|event| event.kind == kind)
    }

    /// The record, if it is an event of this kind about this contact.
    pub fn edge(&self, kind: EventKind, contact: Contact) -> Option<&'a Event> {
        self.event_of(kind).filter(|event| event.contact == Some(contact))
    }

    /// The record, if it is a reading, with where its interval begins.
    pub fn reading(&self) -> Option<(&'a Reading, UnixMicros)> {
        match self.seen {
            Seen::Reading { reading, began } => Some((reading, began)),
            Seen::Event { .. } => None,
        }
    }

    /// The belt as the record shows it.
    pub fn picture(&self) -> &'a Belt {
        match self.seen {
            Seen::Event { event, .. } => &event.belt,
            Seen::Reading { .. } => &self.track.belt,
        }
    }

    /// Which way the belt of the record runs, as far as rules may say so.
    pub fn direction(&self) -> (Direction, Origin) {
        self.direction_of(self.picture())
    }

    /// Which way a belt runs, as far as rules may say so: a measured direction counts only if commissioning has proven
    /// its sign; a one-way belt that moves runs forward, declared.
    pub fn direction_of(&self, belt: &Belt) -> (Direction, Origin) {
        let (direction, origin) = self.settings.direction(belt.direction, belt.origin);
        direction_as_registered(self.settings.belt, direction, origin, belt.is_moving())
    }

    /// Whether the belt of the record is known to run in reverse.
    pub fn is_reverse(&self) -> bool {
        self.direction().0 == Direction::Reverse
    }

    /// Whether the machine can report all of these.
    pub fn can(&self, capabilities: Capabilities) -> bool {
        self.track.capabilities.is_some_and(|known| known.has(capabilities))
    }

    /// The value of a threshold.
    pub fn limit(&self, threshold: &Threshold) -> i64 {
        self.settings.limits.get(threshold)
    }

    /// The value of a threshold in mm/s.
    pub fn speed_limit(&self, threshold: &Threshold) -> Speed {
        Speed(u32::try_from(self.limit(threshold)).unwrap_or(0))
    }

    /// The value of a threshold in milliseconds, as microseconds.
    pub fn limit_us(&self, threshold: &Threshold) -> i64 {
        self.limit(threshold).saturating_mul(1_000)
    }

    /// The value of a threshold that is yes or no.
    pub fn is_on(&self, threshold: &Threshold) -> bool {
        self.settings.limits.is_on(threshold)
    }

    /// Microseconds of the reading's interval in which the belt ran in reverse above [`MOVING`]. `None`: not known, or the
    /// record is no reading.
    pub fn reverse_us(&self) -> Option<i64> {
        let (reading, began) = self.reading()?;
        match self.direction().0 {
            Direction::Reverse => above_us(reading, self.time.since(began), MOVING),
            Direction::Forward | Direction::Stopped => Some(0),
            Direction::Unknown => None,
        }
    }

    /// Which way the belt ran when it was last seen moving, and how that is known.
    pub fn last_direction(&self) -> (Direction, Origin) {
        let Some((_, speed, direction)) = self.track.motion else { return Default::default() };
        let origin = match direction {
            Direction::Unknown | Direction::Stopped => Origin::Unknown,
            Direction::Forward | Direction::Reverse if self.can(Capabilities::DIRECTION) => Origin::Measured,
            Direction::Forward | Direction::Reverse => Origin::Declared,
        };
        self.direction_of(&Belt { direction, origin, speed: Some(speed), ..Belt::default() })
    }

    /// Whether a stop by button or key is under way: from its edge until the belt stands, and then for as long as the
    /// contact is known to be open.
    pub fn is_stopping(&self) -> bool {
        self.track.stop.as_ref().is_some_and(|stop| {
            let is_held = self.track.contact(stop.contact.contact()).open == Some(true);
            stop.standstill.is_none() || (stop.released.is_none() && is_held)
        })
    }

    /// Whether this moment lies at most so many microseconds before the record.
    pub fn within_us(&self, moment: Option<UnixMicros>, micros: i64) -> bool {
        moment.is_some_and(|moment| (0..=micros).contains(&self.time.since(moment)))
    }
}

/// Above this a belt moves enough for rules about motion: 0.3 km/h, in mm/s.
pub const MOVING: Speed = Speed(83);

/// Microseconds of a reading's interval with a speed above a level: exact if the speed stood or made one step, an
/// estimate on a ramp. `None`: no speed is known.
pub fn above_us(reading: &Reading, span_us: i64, level: Speed) -> Option<i64> {
    let speed = reading.speed?;
    if speed.min > level {
        return Some(span_us);
    }
    if speed.max <= level {
        return Some(0);
    }
    // Noise at the level is no step over it.
    let over = speed.max.0 - level.0;
    let above = if over < NOISE_MM_S { over } else { speed.mean.0 - speed.min.0 };
    let all = speed.max.0 - speed.min.0;
    Some(span_us * i64::from(above) / i64::from(all.max(1)))
}

impl Memory {
    /// For how long a condition has held without a break, in microseconds, after a step. `holds_us` says for how much of
    /// the reading's interval it held; a part counts to its end if it did not hold before, else to its beginning.
    /// Readings that do not follow each other break it. An event changes nothing.
    pub fn hold(&mut self, step: &Step<'_>, holds_us: i64) -> i64 {
        let Some((_, began)) = step.reading() else { return self.held_us };
        let span_us = step.time.since(began);
        if step.track.gap_us > BREAK_US {
            self.let_go();
        }
        if holds_us <= 0 {
            self.let_go();
            return 0;
        }
        if self.since.is_none() {
            self.since = Some(step.time.plus(-holds_us));
        }
        self.held_us += holds_us;
        let held_us = self.held_us;
        let was_whole = holds_us >= span_us;
        if !was_whole && held_us > holds_us {
            // It held before and has ended in this interval.
            self.let_go();
        }
        held_us
    }

    /// The same as [`Memory::hold`] for a condition that holds only while a contact is open too. `None`: the contact is
    /// not known.
    pub fn hold_while_open(&mut self, step: &Step<'_>, contact: Contact, holds_us: i64) -> Option<i64> {
        let Some((reading, began)) = step.reading() else { return Some(self.held_us) };
        let track = step.track.contact(contact);
        let seen = |level: u32| level & contact.bit() != 0;
        let open_us = match (seen(reading.contacts.closed), seen(reading.contacts.open)) {
            (false, false) => {
                self.let_go();
                return None;
            }
            (true, false) => 0,
            (false, true) => i64::MAX,
            (true, true) if track.open == Some(true) => {
                // It was closed for a moment: what was before does not count.
                self.let_go();
                track.opened.map_or(0, |opened| step.time.since(opened.max(began)))
            }
            (true, true) => track.closed.map_or(0, |closed| closed.since(began)),
        };
        Some(self.hold(step, holds_us.min(open_us)))
    }

    /// The condition does not hold.
    pub fn let_go(&mut self) {
        (self.since, self.held_us) = (None, 0);
    }
}

/// A speed that exceeds a level by less, in mm/s, may be noise: a step of a console, 0.1 km/h.
const NOISE_MM_S: u32 = 28;
/// Time without readings that breaks a condition, in microseconds.
const BREAK_US: i64 = 500_000;
