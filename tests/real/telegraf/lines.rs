//! Records as line protocol, with the fields that Beltwatch gives its points.

use std::fmt::Write;

use agent::spool::Row;
use beltwatch::bench::tape::Tape;
use bytes::Bytes;
use domain::belt::{Belt, Direction, Origin};
use domain::clock::Clock;
use domain::log::Lane;
use domain::record::{Event, Payload, Reading};

use super::stage::LOG;

/// One message of a machine.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) lane: Lane,
    pub(super) payload: Bytes,
}

/// All that a machine publishes: so many readings and the events between them, in messages of at most so many records.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) messages: Vec<Message>,
    pub(super) readings: u64,
    pub(super) events: u64,
}

impl Script {
    /// What the tape tells of a machine.
    pub(super) fn write(
        machine: &str,
        tape: &Tape,
        clock: Clock,
        readings: u64,
        per_message: usize,
    ) -> anyhow::Result<Script> {
        let events = tape.other_n(Lane::Readings, readings);
        let mut script = Script { messages: Vec::new(), readings, events };
        let mut writer = Writer { machine, clock, last: [(0, 0); 2], text: String::new(), lines: 0 };
        let mut told = 0;
        for n in 1..=readings {
            writer.add(Lane::Readings, &tape.row(Lane::Readings, n))?;
            if writer.lines < per_message && n < readings {
                continue;
            }
            script.messages.extend(writer.take(Lane::Readings));
            let due = tape.other_n(Lane::Readings, n);
            // Events wait for company as in a backlog.
            while due - told >= per_message as u64 || (n == readings && told < due) {
                for _ in 0..per_message.min(usize::try_from(due - told)?) {
                    told += 1;
                    writer.add(Lane::Events, &tape.row(Lane::Events, told))?;
                }
                script.messages.extend(writer.take(Lane::Events));
            }
        }
        Ok(script)
    }
}

struct Writer<'a> {
    machine: &'a str,
    clock: Clock,
    /// For each lane the newest time and how many records had it.
    last: [(i64, i64); 2],
    text: String,
    lines: usize,
}

impl Writer<'_> {
    fn take(&mut self, lane: Lane) -> Option<Message> {
        self.lines = 0;
        let text = std::mem::take(&mut self.text);
        (!text.is_empty()).then(|| Message { lane, payload: Bytes::from(text) })
    }

    fn add(&mut self, lane: Lane, row: &Row) -> anyhow::Result<()> {
        let record = wire::record::decode(lane, &row.octets)?;
        let unix_us = self.clock.offset_us + i64::try_from(row.at.0)?;
        // InfluxDB keeps one point a series and time: records of one microsecond get a nanosecond each.
        let last = &mut self.last[lane.index()];
        *last = if last.0 == unix_us { (unix_us, last.1 + 1) } else { (unix_us, 0) };
        let nanoseconds = unix_us * 1_000 + last.1;
        let (measurement, machine) = (measurement(lane), self.machine);
        write!(self.text, "{measurement},machine={machine} ")?;
        match &record.payload {
            Payload::Reading(reading) => self.reading(reading)?,
            Payload::Event(event) => self.event(event)?,
            Payload::Recording(_) | Payload::Commissioning(_) => {
                anyhow::bail!("a tape holds readings and events")
            }
        }
        let (boot, n) = (row.position.boot_count, row.position.n);
        let (at, other_n, uncertainty) = (row.at.0, record.other_n, self.clock.uncertainty_us);
        writeln!(
            self.text,
            "log=\"{LOG}\",boot={boot}i,n={n}i,at_us={at}i,other_n={other_n}i,uncertainty_us={uncertainty}i \
             {nanoseconds}"
        )?;
        self.lines += 1;
        Ok(())
    }

    fn reading(&mut self, reading: &Reading) -> anyhow::Result<()> {
        let (direction, origin) = (direction(reading.direction), origin(reading.origin));
        write!(self.text, "direction=\"{direction}\",origin=\"{origin}\",")?;
        let (speed, extra) = (reading.speed.as_ref(), &reading.extra);
        for (name, value) in [
            ("span_ms", Some(i64::from(reading.span_ms))),
            ("holds_for_ms", Some(i64::from(reading.holds_for_ms))),
            ("speed_mm_s", speed.map(|speed| i64::from(speed.mean.0))),
            ("speed_min_mm_s", speed.map(|speed| i64::from(speed.min.0))),
            ("speed_max_mm_s", speed.map(|speed| i64::from(speed.max.0))),
            ("speed_rise_mm_s", speed.and_then(|speed| speed.rise).map(i64::from)),
            ("speed_fall_mm_s", speed.and_then(|speed| speed.fall).map(i64::from)),
            ("incline_tenths_percent", reading.incline.map(|incline| i64::from(incline.0))),
            ("contacts_open", bits(reading.contacts.open)),
            ("contacts_closed", bits(reading.contacts.closed)),
            ("commanded_mm_s", extra.commanded.map(|speed| i64::from(speed.0))),
            ("elapsed_s", extra.elapsed_s.map(i64::from)),
            ("distance_m", extra.distance_m.map(i64::from)),
            ("steps", extra.steps.map(i64::from)),
            ("belt_force_n", extra.belt_force_n.map(i64::from)),
            ("heart_rate_bpm", extra.heart_rate_bpm.map(i64::from)),
            ("second_speed_mm_s", extra.second_speed.map(|speed| i64::from(speed.0))),
            ("declared_mode", extra.declared_mode.map(i64::from)),
        ] {
            self.number(name, value)?;
        }
        if let Some(contact) = extra.heart_rate_contact {
            write!(self.text, "heart_rate_contact={contact},")?;
        }
        Ok(())
    }

    fn event(&mut self, event: &Event) -> anyhow::Result<()> {
        write!(self.text, "kind=\"{}\",", event.kind.name())?;
        self.belt("", &event.belt)?;
        self.belt("before_", &event.before)?;
        self.number("count", Some(i64::from(event.count)))?;
        self.number("last_us", Some(i64::try_from(event.last.0)?))?;
        if let Some(contact) = event.contact {
            write!(self.text, "contact=\"{}\",", contact.name())?;
        }
        if let Some(before) = event.direction_before {
            write!(self.text, "direction_before=\"{}\",", direction(before))?;
        }
        for (name, text) in [("source", &event.source), ("detail", &event.detail)] {
            if !text.is_empty() {
                write!(self.text, "{name}=\"{}\",", text.replace('\\', "\\\\").replace('"', "\\\""))?;
            }
        }
        Ok(())
    }

    fn belt(&mut self, before: &str, belt: &Belt) -> anyhow::Result<()> {
        let (direction, origin) = (direction(belt.direction), origin(belt.origin));
        write!(self.text, "{before}direction=\"{direction}\",{before}origin=\"{origin}\",")?;
        for (name, value) in [
            ("speed_mm_s", belt.speed.map(|speed| i64::from(speed.0))),
            ("incline_tenths_percent", belt.incline.map(|incline| i64::from(incline.0))),
            ("contacts_open", bits(belt.contacts.open)),
            ("contacts_closed", bits(belt.contacts.closed)),
        ] {
            self.number(&format!("{before}{name}"), value)?;
        }
        Ok(())
    }

    fn number(&mut self, name: &str, value: Option<i64>) -> anyhow::Result<()> {
        if let Some(value) = value {
            write!(self.text, "{name}={value}i,")?;
        }
        Ok(())
    }
}

/// The measurement that holds a lane's records.
pub(super) fn measurement(lane: Lane) -> &'static str {
    match lane {
        Lane::Events => "event",
        Lane::Readings => "reading",
    }
}

fn bits(contacts: u32) -> Option<i64> {
    (contacts != 0).then_some(i64::from(contacts))
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Forward => "forward",
        Direction::Reverse => "reverse",
        Direction::Stopped => "stopped",
        Direction::Unknown => "unknown",
    }
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Measured => "measured",
        Origin::Declared => "declared",
        Origin::Unknown => "unknown",
    }
}
