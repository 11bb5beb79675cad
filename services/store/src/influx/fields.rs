//! A record as the fields of a point, and back. `docs/influxdb.md` lists them.
//!
//! A field that is not there was not known; of bit sets and texts: was empty. Whole numbers without sign that do not fit
//! InfluxDB's come out as the negative numbers with the same bits: nothing is cut off.

mod text;

use domain::belt::{Belt, Contact, Contacts, Direction, Origin};
use domain::ids::LogId;
use domain::log::Position;
use domain::record::{Event, EventKind, Extra, Payload, Reading, Record, SpeedSummary};
use domain::signal::Capabilities;
use domain::units::{Incline, MonotonicMicros, Speed};

use super::line::Line;

/// Fields that say which record a point is.
pub(super) const LOG: &str = "log";
pub(super) const BOOT: &str = "boot";
pub(super) const NUMBER: &str = "n";

/// A record with its place, as a point tells them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) log: LogId,
    pub(super) position: Position,
    pub(super) uncertainty_us: u64,
    pub(super) record: Record,
}

/// What a point does not tell, or not in a way that was ever written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its field {field} {problem}")]
pub(super) struct BadPoint {
    field: String,
    problem: &'static str,
}

/// The fields of one point: names, and values as InfluxDB's CSV writes them.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields<'v>(Vec<(&'v str, &'v str)>);

/// Adds a record to its point.
pub(super) fn tell(line: Line, log: LogId, position: Position, uncertainty_us: u64, record: &Record) -> Line {
    let line = line
        .text(LOG, &log.to_string())
        .int(BOOT, position.boot_count.into())
        .int(NUMBER, position.n.cast_signed())
        .int("at_us", record.at.0.cast_signed())
        .int("other_n", record.other_n.cast_signed())
        .int("uncertainty_us", uncertainty_us.cast_signed());
    match &record.payload {
        Payload::Reading(reading) => tell_reading(line, reading),
        Payload::Event(event) => tell_event(line, event),
        // The bounds of the telemetry let none in.
        Payload::Recording(_) | Payload::Commissioning(_) => line,
    }
}

fn tell_reading(line: Line, reading: &Reading) -> Line {
    let speed = reading.speed;
    let extra = &reading.extra;
    let line = line
        .text("direction", direction_name(reading.direction))
        .text("origin", origin_name(reading.origin))
        .int("span_ms", reading.span_ms.into())
        .int("holds_for_ms", reading.holds_for_ms.into());
    let line = tell_contacts(line, "contacts_open", "contacts_closed", reading.contacts);
    let line = Given(line)
        .int("speed_mm_s", speed.map(|speed| speed.mean.0))
        .int("speed_min_mm_s", speed.map(|speed| speed.min.0))
        .int("speed_max_mm_s", speed.map(|speed| speed.max.0))
        .int("speed_rise_mm_s", speed.and_then(|speed| speed.rise))
        .int("speed_fall_mm_s", speed.and_then(|speed| speed.fall))
        .int("incline_tenths_percent", reading.incline.map(|incline| incline.0))
        .int("commanded_mm_s", extra.commanded.map(|speed| speed.0))
        .int("elapsed_s", extra.elapsed_s)
        .int("distance_m", extra.distance_m)
        .int("steps", extra.steps)
        .int("belt_force_n", extra.belt_force_n)
        .int("heart_rate_bpm", extra.heart_rate_bpm)
        .int("second_speed_mm_s", extra.second_speed.map(|speed| speed.0))
        .int("declared_mode", extra.declared_mode)
        .0;
    match extra.heart_rate_contact {
        Some(contact) => line.flag("heart_rate_contact", contact),
        None => line,
    }
}

fn tell_event(line: Line, event: &Event) -> Line {
    let line = line.text("kind", event.kind.name());
    let line = tell_belt(line, &AT_IT, &event.belt);
    let line = tell_belt(line, &BEFORE_IT, &event.before);
    let line = line.int("count", event.count.into()).int("last_us", event.last.0.cast_signed());
    let line = Given(line)
        .int("capabilities", event.capabilities.map(|capabilities| capabilities.0))
        .int("recording_us", event.recording.map(|at| at.0.cast_signed()))
        .text("contact", event.contact.map(Contact::name))
        .text("direction_before", event.direction_before.map(direction_name))
        .0;
    let line = tell_text(line, "source", &event.source);
    tell_text(line, "detail", &event.detail)
}

/// Names of the fields of a belt's picture.
struct BeltFields {
    direction: &'static str,
    origin: &'static str,
    speed: &'static str,
    incline: &'static str,
    open: &'static str,
    closed: &'static str,
}

const AT_IT: BeltFields = BeltFields {
    direction: "direction",
    origin: "origin",
    speed: "speed_mm_s",
    incline: "incline_tenths_percent",
    open: "contacts_open",
    closed: "contacts_closed",
};
const BEFORE_IT: BeltFields = BeltFields {
    direction: "before_direction",
    origin: "before_origin",
    speed: "before_speed_mm_s",
    incline: "before_incline_tenths_percent",
    open: "before_contacts_open",
    closed: "before_contacts_closed",
};

fn tell_belt(line: Line, names: &BeltFields, belt: &Belt) -> Line {
    let line = line
        .text(names.direction, direction_name(belt.direction))
        .text(names.origin, origin_name(belt.origin));
    let line = Given(line)
        .int(names.speed, belt.speed.map(|speed| speed.0))
        .int(names.incline, belt.incline.map(|incline| incline.0))
        .0;
    tell_contacts(line, names.open, names.closed, belt.contacts)
}

fn tell_contacts(line: Line, open: &str, closed: &str, contacts: Contacts) -> Line {
    let any = |bits: u32| (bits != 0).then_some(bits);
    Given(line).int(open, any(contacts.open)).int(closed, any(contacts.closed)).0
}

fn tell_text(line: Line, name: &str, value: &str) -> Line {
    match value.is_empty() {
        true => line,
        false => line.text(name, &text::plain(value)),
    }
}

/// Adds what is there.
struct Given(Line);

impl Given {
    fn int(self, name: &str, value: Option<impl Into<i64>>) -> Given {
        match value {
            Some(value) => Given(self.0.int(name, value.into())),
            None => self,
        }
    }

    fn text(self, name: &str, value: Option<&str>) -> Given {
        match value {
            Some(value) => Given(self.0.text(name, value)),
            None => self,
        }
    }
}

impl<'v> Fields<'v> {
    /// Adds a field that was read.
    pub(super) fn add(&mut self, name: &'v str, value: &'v str) {
        self.0.push((name, value));
    }

    /// The record of a point of readings.
    pub(super) fn reading(&self) -> Result<Told, BadPoint> {
        let reading = Reading {
            span_ms: self.needed("span_ms")?,
            direction: self.word("direction", direction_of)?.unwrap_or_default(),
            origin: self.word("origin", origin_of)?.unwrap_or_default(),
            speed: self.speed()?,
            incline: self.int("incline_tenths_percent")?.map(Incline),
            contacts: self.contacts("contacts_open", "contacts_closed")?,
            holds_for_ms: self.needed("holds_for_ms")?,
            extra: Extra {
                commanded: self.int("commanded_mm_s")?.map(Speed),
                elapsed_s: self.int("elapsed_s")?,
                distance_m: self.int("distance_m")?,
                steps: self.int("steps")?,
                belt_force_n: self.int("belt_force_n")?,
                heart_rate_contact: self.flag("heart_rate_contact")?,
                heart_rate_bpm: self.int("heart_rate_bpm")?,
                second_speed: self.int("second_speed_mm_s")?.map(Speed),
                declared_mode: self.int("declared_mode")?,
            },
        };
        self.told(Payload::Reading(reading))
    }

    /// The record of a point of events.
    pub(super) fn event(&self) -> Result<Told, BadPoint> {
        let kind = self.word("kind", |name| EventKind::ALL.into_iter().find(|kind| kind.name() == name))?;
        let event = Event {
            kind: kind.ok_or_else(|| bad("kind", MISSING))?,
            belt: self.belt(&AT_IT)?,
            before: self.belt(&BEFORE_IT)?,
            contact: self.word("contact", contact_of)?,
            source: self.said("source")?,
            count: self.needed("count")?,
            last: MonotonicMicros(self.needed::<i64>("last_us")?.cast_unsigned()),
            direction_before: self.word("direction_before", direction_of)?,
            detail: self.said("detail")?,
            capabilities: self.int("capabilities")?.map(Capabilities),
            recording: self.int::<i64>("recording_us")?.map(|at| MonotonicMicros(at.cast_unsigned())),
        };
        self.told(Payload::Event(event))
    }

    /// Which record a point is.
    pub(super) fn place(&self) -> Result<(LogId, Position), BadPoint> {
        let log = self.word(LOG, |text| text.parse().ok())?.ok_or_else(|| bad(LOG, MISSING))?;
        let n = self.needed::<i64>(NUMBER)?.cast_unsigned();
        Ok((log, Position::new(self.needed(BOOT)?, n)))
    }

    fn told(&self, payload: Payload) -> Result<Told, BadPoint> {
        let (log, position) = self.place()?;
        let record = Record {
            at: MonotonicMicros(self.needed::<i64>("at_us")?.cast_unsigned()),
            other_n: self.needed::<i64>("other_n")?.cast_unsigned(),
            payload,
        };
        let uncertainty_us = self.needed::<i64>("uncertainty_us")?.cast_unsigned();
        Ok(Told { log, position, uncertainty_us, record })
    }

    fn speed(&self) -> Result<Option<SpeedSummary>, BadPoint> {
        let Some(mean) = self.int("speed_mm_s")? else { return Ok(None) };
        Ok(Some(SpeedSummary {
            mean: Speed(mean),
            min: Speed(self.needed("speed_min_mm_s")?),
            max: Speed(self.needed("speed_max_mm_s")?),
            rise: self.int("speed_rise_mm_s")?,
            fall: self.int("speed_fall_mm_s")?,
        }))
    }

    fn belt(&self, names: &BeltFields) -> Result<Belt, BadPoint> {
        Ok(Belt {
            direction: self.word(names.direction, direction_of)?.unwrap_or_default(),
            origin: self.word(names.origin, origin_of)?.unwrap_or_default(),
            speed: self.int(names.speed)?.map(Speed),
            incline: self.int(names.incline)?.map(Incline),
            contacts: self.contacts(names.open, names.closed)?,
        })
    }

    fn contacts(&self, open: &'static str, closed: &'static str) -> Result<Contacts, BadPoint> {
        let bits = |name| Ok(self.int(name)?.unwrap_or(0));
        Ok(Contacts { open: bits(open)?, closed: bits(closed)? })
    }

    fn text(&self, name: &str) -> Option<&'v str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn int<T: TryFrom<i64>>(&self, name: &str) -> Result<Option<T>, BadPoint> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number: i64 = text.parse().map_err(|_| bad(name, "is no whole number"))?;
        T::try_from(number).map(Some).map_err(|_| bad(name, "is too great or too small"))
    }

    fn needed<T: TryFrom<i64>>(&self, name: &str) -> Result<T, BadPoint> {
        self.int(name)?.ok_or_else(|| bad(name, MISSING))
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, BadPoint> {
        let parse = |text: &str| text.parse().map_err(|_| bad(name, "is neither true nor false"));
        self.text(name).map(parse).transpose()
    }

    fn word<T>(&self, name: &str, known: impl Fn(&str) -> Option<T>) -> Result<Option<T>, BadPoint> {
        let Some(text) = self.text(name) else { return Ok(None) };
        known(text).map(Some).ok_or_else(|| bad(name, "is no word that is known"))
    }

    fn said(&self, name: &str) -> Result<String, BadPoint> {
        let text = self.text(name).unwrap_or_default();
        text::original(text).ok_or_else(|| bad(name, "has a backslash that stands for nothing"))
    }
}

const MISSING: &str = "is missing";

fn bad(field: &str, problem: &'static str) -> BadPoint {
    BadPoint { field: field.to_owned(), problem }
}

pub(super) fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Forward => "forward",
        Direction::Reverse => "reverse",
        Direction::Stopped => "stopped",
        Direction::Unknown => "unknown",
    }
}

fn direction_of(name: &str) -> Option<Direction> {
    let all = [Direction::Forward, Direction::Reverse, Direction::Stopped, Direction::Unknown];
    all.into_iter().find(|direction| direction_name(*direction) == name)
}

pub(super) fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Measured => "measured",
        Origin::Declared => "declared",
        Origin::Unknown => "unknown",
    }
}

fn origin_of(name: &str) -> Option<Origin> {
    [Origin::Measured, Origin::Declared, Origin::Unknown]
        .into_iter()
        .find(|origin| origin_name(*origin) == name)
}

fn contact_of(name: &str) -> Option<Contact> {
    Contact::ALL.into_iter().find(|contact| contact.name() == name)
}

#[cfg(test)]
pub(super) mod tests;
