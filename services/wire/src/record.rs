//! Records: readings, events and pieces of recordings, as the spool and the journal hold them.

use domain::belt::Direction;
use domain::commissioning::CommissioningReport;
use domain::limits;
use domain::log::Lane;
use domain::record::{Event, EventKind, Extra, Payload, Reading, Record, SpeedSummary};
use domain::signal::Capabilities;
use domain::units::{MonotonicMicros, Speed};
use prost::Message;
use prost::bytes::Bytes;

use crate::convert::{
    belt_from, belt_to, contact_from, contact_to, contacts_from, direction_from, direction_to, incline_from,
    kind_from, kind_to, origin_from, origin_to, speed_from,
};
use crate::recording::{piece_from, piece_to};
use crate::{Unreadable, proto};

/// Encodes a record, as the spool holds it and the envelope carries it.
pub fn encode(record: &Record) -> Bytes {
    let payload = match &record.payload {
        Payload::Reading(reading) => proto::record::Payload::Reading(reading_to(reading)),
        Payload::Event(event) => proto::record::Payload::Event(event_to(event, record.at)),
        Payload::Recording(piece) => proto::record::Payload::Recording(piece_to(piece)),
        Payload::Commissioning(report) => {
            proto::record::Payload::Commissioning(proto::Commissioning { report: report.encode().into() })
        }
    };
    proto::Record { monotonic_us: record.at.0, other_n: record.other_n, payload: Some(payload) }
        .encode_to_vec()
        .into()
}

/// Reads a record of a lane. What cannot be read is kept as it came; the reason names field and value.
pub fn decode(lane: Lane, octets: &[u8]) -> Result<Record, Unreadable> {
    if octets.len() > limits::RECORD_BYTES_MAX {
        let (length, max) = (octets.len(), limits::RECORD_BYTES_MAX);
        return Err(Unreadable::new(format!("Record has {length} octets; at most {max} are allowed")));
    }
    let record =
        proto::Record::decode(octets).map_err(|error| Unreadable::new(format!("Record: {error}")))?;
    let at = MonotonicMicros(record.monotonic_us);
    let payload = match record.payload {
        Some(proto::record::Payload::Reading(reading)) => Payload::Reading(reading_from(reading)?),
        Some(proto::record::Payload::Event(event)) => Payload::Event(event_from(event, at)?),
        Some(proto::record::Payload::Recording(piece)) => Payload::Recording(piece_from(piece, at)?),
        Some(proto::record::Payload::Commissioning(told)) => {
            let report = CommissioningReport::decode(&told.report)
                .map_err(|error| Unreadable::new(format!("Commissioning.report: {error}")))?;
            Payload::Commissioning(Box::new(report))
        }
        None => return Err(Unreadable::new("Record.payload is of a kind that this program does not know")),
    };
    if payload.lane() != lane {
        let (held, lane) = (payload.lane().name(), lane.name());
        return Err(Unreadable::new(format!("Record.payload belongs to {held}, not to the lane {lane}")));
    }
    Ok(Record { at, other_n: record.other_n, payload })
}

fn reading_to(reading: &Reading) -> proto::Reading {
    let speed = reading.speed.as_ref();
    let extra = &reading.extra;
    proto::Reading {
        span_ms: reading.span_ms,
        direction: direction_to(reading.direction).into(),
        origin: origin_to(reading.origin).into(),
        speed_mean_mm_s: speed.map(|s| s.mean.0),
        speed_min_mm_s: speed.map(|s| s.min.0),
        speed_max_mm_s: speed.map(|s| s.max.0),
        rise_mm_s: speed.and_then(|s| s.rise),
        fall_mm_s: speed.and_then(|s| s.fall),
        incline_tenths_pct: reading.incline.map(|incline| incline.0),
        contacts_closed: reading.contacts.closed,
        contacts_open: reading.contacts.open,
        holds_for_ms: reading.holds_for_ms,
        commanded_mm_s: extra.commanded.map(|speed| speed.0),
        elapsed_s: extra.elapsed_s,
        distance_m: extra.distance_m,
        steps: extra.steps,
        belt_force_n: extra.belt_force_n,
        heart_rate_contact: extra.heart_rate_contact,
        heart_rate_bpm: extra.heart_rate_bpm,
        second_speed_mm_s: extra.second_speed.map(|speed| speed.0),
        declared_mode: extra.declared_mode,
    }
}

fn reading_from(reading: proto::Reading) -> Result<Reading, Unreadable> {
    within("Reading.span_ms", reading.span_ms, 1, limits::READING_SPAN_MS_MAX)?;
    within("Reading.holds_for_ms", reading.holds_for_ms, 0, limits::READING_HOLDS_MS_MAX)?;
    let extra = Extra {
        commanded: speed_from("Reading.commanded_mm_s", reading.commanded_mm_s)?,
        elapsed_s: reading.elapsed_s,
        distance_m: reading.distance_m,
        steps: reading.steps,
        belt_force_n: reading.belt_force_n,
        heart_rate_contact: reading.heart_rate_contact,
        heart_rate_bpm: reading.heart_rate_bpm,
        second_speed: speed_from("Reading.second_speed_mm_s", reading.second_speed_mm_s)?,
        declared_mode: reading.declared_mode,
    };
    Ok(Reading {
        span_ms: reading.span_ms,
        direction: direction_from("Reading.direction", reading.direction)?,
        origin: origin_from("Reading.origin", reading.origin)?,
        speed: speeds_from(&reading)?,
        incline: incline_from("Reading.incline_tenths_pct", reading.incline_tenths_pct)?,
        contacts: contacts_from("Reading.contacts", reading.contacts_closed, reading.contacts_open)?,
        holds_for_ms: reading.holds_for_ms,
        extra,
    })
}

fn speeds_from(reading: &proto::Reading) -> Result<Option<SpeedSummary>, Unreadable> {
    let speed = |field, value| speed_from(field, value);
    let mean = speed("Reading.speed_mean_mm_s", reading.speed_mean_mm_s)?;
    let min = speed("Reading.speed_min_mm_s", reading.speed_min_mm_s)?;
    let max = speed("Reading.speed_max_mm_s", reading.speed_max_mm_s)?;
    match (mean, min, max) {
        (None, None, None) => Ok(None),
        (Some(mean), Some(min), Some(max)) if min <= mean && mean <= max => {
            Ok(Some(SpeedSummary { mean, min, max, rise: reading.rise_mm_s, fall: reading.fall_mm_s }))
        }
        (mean, min, max) => {
            let show = |speed: Option<Speed>| speed.map_or("absent".to_owned(), |s| s.0.to_string());
            let (mean, min, max) = (show(mean), show(min), show(max));
            let message = format!("Reading.speed is {min} ≤ {mean} ≤ {max}; all three in order, or none");
            Err(Unreadable::new(message))
        }
    }
}

fn event_to(event: &Event, at: MonotonicMicros) -> proto::Event {
    proto::Event {
        kind: kind_to(event.kind),
        at: Some(belt_to(&event.belt)),
        before: Some(belt_to(&event.before)),
        contact: contact_to(event.contact).into(),
        source: event.source.clone(),
        count: if event.count == 1 { 0 } else { event.count },
        last_monotonic_us: if event.last == at { 0 } else { event.last.0 },
        direction_before: event.direction_before.map_or(0, |d| direction_to(d).into()),
        detail: event.detail.clone(),
        capabilities: event.capabilities.map(|capabilities| capabilities.0),
        recording_monotonic_us: event.recording.map(|trigger| trigger.0),
    }
}

fn event_from(event: proto::Event, at: MonotonicMicros) -> Result<Event, Unreadable> {
    short("Event.source", &event.source, limits::SOURCE_NAME_BYTES_MAX)?;
    short("Event.detail", &event.detail, limits::DETAIL_BYTES_MAX)?;
    let kind = kind_from("Event.kind", event.kind)?;
    let last = match event.last_monotonic_us {
        0 => at,
        micros if micros >= at.0 || kind == EventKind::SourceStale => MonotonicMicros(micros),
        micros => {
            let message = format!("Event.last_monotonic_us is {micros}; at least {} is required", at.0);
            return Err(Unreadable::new(message));
        }
    };
    Ok(Event {
        kind,
        belt: belt_from("Event.at", event.at)?,
        before: belt_from("Event.before", event.before)?,
        contact: contact_from("Event.contact", event.contact)?,
        source: event.source,
        count: event.count.max(1),
        last,
        direction_before: direction_before(event.direction_before)?,
        detail: event.detail,
        capabilities: event.capabilities.map(Capabilities),
        recording: event.recording_monotonic_us.map(MonotonicMicros),
    })
}

fn direction_before(direction: i32) -> Result<Option<Direction>, Unreadable> {
    if direction == 0 {
        return Ok(None);
    }
    direction_from("Event.direction_before", direction).map(Some)
}

fn within(field: &str, value: u32, least: u32, most: u32) -> Result<(), Unreadable> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Unreadable::new(format!("{field} is {value}; {least} to {most} is allowed")))
}

fn short(field: &str, text: &str, max: usize) -> Result<(), Unreadable> {
    if text.len() <= max {
        return Ok(());
    }
    Err(Unreadable::new(format!("{field} has {} octets; at most {max} are allowed", text.len())))
}
