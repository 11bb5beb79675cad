//! Messages as JSON, in the product's words. What is not known is null.

use domain::belt::{Belt, Contact, Contacts, Direction, Origin};
use domain::clock::{Clock, ClockQuality};
use domain::log::Position;
use domain::record::{Event, Payload, Reading};
use domain::recording::{RecordingPiece, RecordingPoint};
use domain::signal::Capabilities;
use serde_json::{Value, json};
use wire::ack::Ack;
use wire::envelope::{Entry, Envelope};
use wire::status::Status;

pub(super) fn envelope(envelope: &Envelope) -> Value {
    json!({
        "log_id": envelope.log.to_string(),
        "boot_id": envelope.sender.to_string(),
        "sender_boot_count": envelope.sender_boot_count,
        "lane": envelope.lane.name(),
        "first": envelope.first().to_string(),
        "last": envelope.last().to_string(),
        "after": position(envelope.after),
        "previous": position(envelope.boot.previous),
        "other_previous": position(envelope.boot.other_previous),
        "clock": clock(&envelope.clock),
        "sent_monotonic_us": envelope.sent.0,
        "records": envelope.entries.iter().map(|entry| record(envelope, entry)).collect::<Vec<_>>(),
    })
}

fn record(envelope: &Envelope, entry: &Entry) -> Value {
    let place = Position::new(envelope.boot.boot_count, entry.n).to_string();
    let record = match wire::record::decode(envelope.lane, &entry.record) {
        Ok(record) => record,
        Err(error) => {
            let octets = hex::encode(&entry.record);
            return json!({ "position": place, "error": error.to_string(), "record": octets });
        }
    };
    let mut value = json!({
        "position": place,
        "monotonic_us": record.at.0,
        "unix_us": envelope.clock.unix(record.at).map(|unix| unix.0),
        "other_n": record.other_n,
    });
    match &record.payload {
        Payload::Reading(told) => value["reading"] = reading(told),
        Payload::Event(told) => value["event"] = event(told),
        Payload::Recording(told) => value["recording"] = recording(told),
        Payload::Commissioning(told) => value["commissioning"] = json!(told),
    }
    value
}

fn reading(reading: &Reading) -> Value {
    let (speed, extra) = (reading.speed.as_ref(), &reading.extra);
    json!({
        "span_ms": reading.span_ms,
        "direction": direction(reading.direction),
        "origin": origin(reading.origin),
        "speed_mean_mm_s": speed.map(|speed| speed.mean.0),
        "speed_min_mm_s": speed.map(|speed| speed.min.0),
        "speed_max_mm_s": speed.map(|speed| speed.max.0),
        "rise_mm_s": speed.and_then(|speed| speed.rise),
        "fall_mm_s": speed.and_then(|speed| speed.fall),
        "incline_tenths_pct": reading.incline.map(|incline| incline.0),
        "contacts": contacts(reading.contacts),
        "holds_for_ms": reading.holds_for_ms,
        "commanded_mm_s": extra.commanded.map(|speed| speed.0),
        "elapsed_s": extra.elapsed_s,
        "distance_m": extra.distance_m,
        "steps": extra.steps,
        "belt_force_n": extra.belt_force_n,
        "heart_rate_contact": extra.heart_rate_contact,
        "heart_rate_bpm": extra.heart_rate_bpm,
        "second_speed_mm_s": extra.second_speed.map(|speed| speed.0),
        "declared_mode": extra.declared_mode,
    })
}

fn event(event: &Event) -> Value {
    json!({
        "kind": event.kind.name(),
        "contact": event.contact.map(Contact::name),
        "belt": belt(&event.belt),
        "before": belt(&event.before),
        "source": event.source,
        "count": event.count,
        "last_monotonic_us": event.last.0,
        "direction_before": event.direction_before.map(direction),
        "detail": event.detail,
        "capabilities": event.capabilities.map(capabilities),
        "recording_monotonic_us": event.recording.map(|trigger| trigger.0),
    })
}

fn recording(piece: &RecordingPiece) -> Value {
    let point = |point: &RecordingPoint| {
        json!({
            "monotonic_us": point.at.0,
            "direction": direction(point.direction),
            "origin": origin(point.origin),
            "speed_mm_s": point.speed.map(|speed| speed.0),
            "incline_tenths_pct": point.incline.map(|incline| incline.0),
            "contacts": contacts(point.contacts),
        })
    };
    json!({
        "trigger_monotonic_us": piece.trigger.0,
        "number": piece.number,
        "is_last": piece.is_last,
        "points": piece.points.iter().map(point).collect::<Vec<_>>(),
    })
}

pub(super) fn status(status: &Status) -> Value {
    let lanes = status.lanes.iter().map(|lane| {
        json!({
            "lane": lane.lane.name(),
            "log_id": lane.log.to_string(),
            "first": position(lane.first),
            "next": lane.next.to_string(),
            "dropped": lane.dropped,
        })
    });
    json!({
        "boot_id": status.boot.to_string(),
        "boot_count": status.order.boot_count,
        "connection": status.order.connection,
        "counter": status.order.counter,
        "offline": status.offline,
        "sent_monotonic_us": status.sent.0,
        "clock": clock(&status.clock),
        "agent_version": status.agent_version,
        "capabilities": capabilities(status.capabilities),
        "belt": status.belt.as_ref().map(|(picture, _, _)| belt(picture)),
        "belt_monotonic_us": status.belt.as_ref().map(|(_, at, _)| at.0),
        "belt_holds_for_ms": status.belt.as_ref().map(|(_, _, holds_for_ms)| *holds_for_ms),
        "lanes": lanes.collect::<Vec<_>>(),
        "spool_healthy": status.spool_healthy,
        "spool_bytes": status.spool_bytes,
    })
}

pub(super) fn ack(ack: &Ack) -> Value {
    let lanes = ack.lanes.iter().map(|lane| {
        json!({
            "lane": lane.lane.name(),
            "log_id": lane.log.to_string(),
            "committed": position(lane.committed),
            "window": lane.window,
        })
    });
    json!({
        "boot_id": ack.boot.to_string(),
        "connection": ack.connection,
        "counter": ack.counter,
        "lanes": lanes.collect::<Vec<_>>(),
        "echo_monotonic_us": ack.echo.map(|(sent, _)| sent.0),
        "echo_held_us": ack.echo.map(|(_, held)| held),
        "server_unix_us": ack.server_time.0,
        "refusal": ack.refusal.as_ref().map(|refusal| {
            json!({ "reason": refusal.reason, "detail": refusal.detail })
        }),
        "settings_version": ack.settings.map(|settings| settings.version),
    })
}

fn belt(belt: &Belt) -> Value {
    json!({
        "direction": direction(belt.direction),
        "origin": origin(belt.origin),
        "speed_mm_s": belt.speed.map(|speed| speed.0),
        "incline_tenths_pct": belt.incline.map(|incline| incline.0),
        "contacts": contacts(belt.contacts),
    })
}

/// Contacts that are known: "open", "closed", or "both" where both were seen.
fn contacts(contacts: Contacts) -> Value {
    let seen = Contact::ALL.into_iter().filter_map(|contact| {
        let state = match (contacts.open & contact.bit() != 0, contacts.closed & contact.bit() != 0) {
            (true, false) => "open",
            (false, true) => "closed",
            (true, true) => "both",
            (false, false) => return None,
        };
        Some((contact.name().to_owned(), json!(state)))
    });
    Value::Object(seen.collect())
}

fn capabilities(capabilities: Capabilities) -> Vec<&'static str> {
    capabilities.names().collect()
}

fn clock(clock: &Clock) -> Value {
    let quality = match clock.quality {
        ClockQuality::Synchronised => "synchronised",
        ClockQuality::Estimated => "estimated",
        ClockQuality::Undated => return json!({ "quality": "undated" }),
    };
    json!({ "quality": quality, "offset_us": clock.offset_us, "uncertainty_us": clock.uncertainty_us })
}

fn position(position: Option<Position>) -> Value {
    json!(position.map(|position| position.to_string()))
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
