//! Events of the last day and sessions of today, in the site's zone.

use askama::Template;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use wire::api::v1;

use crate::call::{Failure, answer};
use crate::frame::MissingPart;
use crate::outage::Part;
use crate::router::Dashboard;
use crate::texts::Texts;
use crate::tile;
use crate::visitor::Visitor;
use crate::words::{self, Reader};

/// How far back events are listed.
const EVENTS_SPAN: SignedDuration = SignedDuration::from_hours(24);
const EVENTS_ASKED: i32 = 10_000;
/// A machine that chatters more than this in a day has its oldest events shown, and is told that there are more.
const EVENT_PAGES_MAX: usize = 5;
/// Events that a page shows, the newest of those asked for.
const EVENTS_SHOWN: usize = 100;
const SESSIONS_ASKED: i32 = 100;

/// The events, or why they cannot be shown.
#[derive(Debug, Template)]
#[template(path = "machine_events.html")]
pub(super) struct EventsPart {
    t: Texts,
    id: String,
    missing: Option<MissingPart>,
    events: Vec<EventLine>,
    more: bool,
    coverage: String,
}

#[derive(Debug, PartialEq, Eq)]
struct EventLine {
    time: String,
    what: &'static str,
    /// Whether it is of the kind that stops belts.
    alarm: bool,
    detail: String,
    before: String,
}

/// The sessions, or why they cannot be shown.
#[derive(Debug, Template)]
#[template(path = "machine_sessions.html")]
pub(super) struct SessionsPart {
    t: Texts,
    id: String,
    missing: Option<MissingPart>,
    sessions: Vec<SessionLine>,
    more: bool,
    as_of: String,
}

#[derive(Debug, PartialEq)]
struct SessionLine {
    start: String,
    end: String,
    ended: bool,
    length: String,
    distance: String,
    coverage: String,
    segments: Vec<SegmentLine>,
}

/// A stretch with one direction, and where it lies in a strip of 1000 units.
#[derive(Debug, PartialEq)]
struct SegmentLine {
    direction: &'static str,
    words: &'static str,
    length: String,
    speed: String,
    begin: u32,
    width: u32,
}

fn time(at: Timestamp) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() })
}

pub(super) async fn events(
    dashboard: &Dashboard,
    visitor: &Visitor,
    machine: &str,
    zone: &TimeZone,
    now: Timestamp,
) -> EventsPart {
    let t = visitor.t();
    let asked = list_events(dashboard, visitor, machine, now).await;
    let mut part = EventsPart {
        t,
        id: machine.to_owned(),
        missing: None,
        events: Vec::new(),
        more: false,
        coverage: String::new(),
    };
    match dashboard.outages().note(Part::Events, asked) {
        Ok(page) => {
            part.more = page.events.len() > EVENTS_SHOWN || !page.next_page_token.is_empty();
            let newest = page.events.iter().rev().take(EVENTS_SHOWN);
            part.events = newest.map(|event| event_line(event, visitor.reader, zone)).collect();
            part.coverage = coverage_words(page.coverage.as_ref(), visitor.reader);
        }
        Err(missing) => part.missing = Some(MissingPart::new(&missing, t, zone)),
    }
    part
}

/// All events of the span, as far as the pages allowed: events come oldest first.
async fn list_events(
    dashboard: &Dashboard,
    visitor: &Visitor,
    machine: &str,
    now: Timestamp,
) -> Result<v1::ListEventsResponse, Failure> {
    let range = v1::TimeRange { start_time: time(now - EVENTS_SPAN), end_time: time(now) };
    let mut client = dashboard.clients().telemetry();
    let mut all = v1::ListEventsResponse::default();
    for page in 0..EVENT_PAGES_MAX {
        let message = v1::ListEventsRequest {
            machine_id: machine.to_owned(),
            range: Some(range),
            page_size: EVENTS_ASKED,
            page_token: std::mem::take(&mut all.next_page_token),
        };
        let answer = answer(client.list_events(visitor.caller.request(message))).await?;
        // A page's coverage is that of its own part of the span.
        all.coverage = if page == 0 { answer.coverage } else { None };
        all.events.extend(answer.events);
        all.next_page_token = answer.next_page_token;
        if all.next_page_token.is_empty() {
            break;
        }
    }
    Ok(all)
}

fn event_line(event: &v1::Event, reader: Reader, zone: &TimeZone) -> EventLine {
    let before = event.before.as_ref().map(|belt| {
        let (_, direction) = tile::direction_name(belt.direction(), reader);
        let speed = belt.speed_mps.map(|speed| format!(", {}", reader.speed(speed))).unwrap_or_default();
        format!("{direction}{speed}")
    });
    let mut detail = vec![event.source.clone(), event.detail.clone()];
    if event.count > 1 {
        detail.push(reader.t.counted(event.count));
    }
    detail.retain(|part| !part.is_empty());
    let stops = ["emergency_stop", "safety_key", "machine_power"];
    EventLine {
        time: words::moment(event.time).map(|at| words::clock_seconds(at, zone)).unwrap_or_default(),
        what: event_words(&event.kind, &event.contact, reader.t),
        alarm: event.kind == "contact_opened" && stops.contains(&event.contact.as_str()),
        detail: detail.join(" · "),
        before: before.unwrap_or_default(),
    }
}

/// What happened. A kind that this program does not know yet is not hidden.
fn event_words(kind: &str, contact: &str, t: Texts) -> &'static str {
    match (kind, contact) {
        ("contact_opened", "emergency_stop") => t.event_emergency_stop_opened(),
        ("contact_closed", "emergency_stop") => t.event_emergency_stop_closed(),
        ("contact_opened", "safety_key") => t.event_safety_key_opened(),
        ("contact_closed", "safety_key") => t.event_safety_key_closed(),
        ("contact_opened", "machine_power") => t.event_machine_power_opened(),
        ("contact_closed", "machine_power") => t.event_machine_power_closed(),
        ("contact_opened", _) => t.event_contact_opened(),
        ("contact_closed", _) => t.event_contact_closed(),
        ("contact_chattering", _) => t.event_contact_chattering(),
        ("belt_started", _) => t.event_belt_started(),
        ("belt_stopped", _) => t.event_belt_stopped(),
        ("direction_changed", _) => t.event_direction_changed(),
        ("source_stale", _) => t.event_source_stale(),
        ("source_fresh", _) => t.event_source_fresh(),
        ("user_started", _) => t.event_user_started(),
        ("user_stopped", _) => t.event_user_stopped(),
        ("user_paused", _) => t.event_user_paused(),
        ("safety_key_stop", _) => t.event_safety_key_stop(),
        ("agent_started", _) => t.event_agent_started(),
        ("spool_failing", _) => t.event_spool_failing(),
        ("spool_recovered", _) => t.event_spool_recovered(),
        ("value_implausible", _) => t.event_value_implausible(),
        ("direction_disagreed", _) => t.event_direction_disagreed(),
        ("contact_disagreed", _) => t.event_contact_disagreed(),
        ("fault_reported", _) => t.event_fault_reported(),
        ("speed_jumped", _) => t.event_speed_jumped(),
        _ => t.status_unknown(),
    }
}

pub(super) async fn sessions(
    dashboard: &Dashboard,
    visitor: &Visitor,
    machine: &str,
    zone: &TimeZone,
    now: Timestamp,
) -> SessionsPart {
    let t = visitor.t();
    let midnight = now.to_zoned(zone.clone()).start_of_day().map_or(now - EVENTS_SPAN, |day| day.timestamp());
    let message = v1::ListSessionsRequest {
        machine_id: machine.to_owned(),
        site_id: String::new(),
        range: Some(v1::TimeRange { start_time: time(midnight), end_time: time(now) }),
        page_size: SESSIONS_ASKED,
        page_token: String::new(),
    };
    let mut client = dashboard.clients().telemetry();
    let asked = answer(client.list_sessions(visitor.caller.request(message))).await;
    let mut part = SessionsPart {
        t,
        id: machine.to_owned(),
        missing: None,
        sessions: Vec::new(),
        more: false,
        as_of: String::new(),
    };
    match dashboard.outages().note(Part::Sessions, asked) {
        Ok(page) => {
            part.sessions =
                page.sessions.iter().map(|session| session_line(session, visitor.reader, zone)).collect();
            part.more = !page.next_page_token.is_empty();
            let as_of = words::moment(page.as_of).map(|at| t.as_of(words::clock_seconds(at, zone)));
            part.as_of = as_of.unwrap_or_default();
        }
        Err(missing) => part.missing = Some(MissingPart::new(&missing, t, zone)),
    }
    part
}

fn session_line(session: &v1::Session, reader: Reader, zone: &TimeZone) -> SessionLine {
    let start = words::moment(session.start_time).unwrap_or_default();
    let end = words::moment(session.last_motion_time).unwrap_or(start);
    let clock = |at: Timestamp| words::clock(at, zone);
    let distance = session.segments.iter().map(|segment| segment.distance_m).sum();
    SessionLine {
        start: clock(start),
        end: clock(end),
        ended: session.ended,
        length: reader.age(end.duration_since(start).as_secs()),
        distance: reader.distance(distance),
        coverage: coverage_words(session.coverage.as_ref(), reader),
        segments: segments(&session.segments, start, end, reader),
    }
}

fn segments(segments: &[v1::Segment], start: Timestamp, end: Timestamp, reader: Reader) -> Vec<SegmentLine> {
    let whole = end.duration_since(start).as_millis().max(1);
    let unit = |at: Timestamp| {
        let units = at.duration_since(start).as_millis().clamp(0, whole) * 1_000 / whole;
        u32::try_from(units).unwrap_or(1_000)
    };
    let line = |segment: &v1::Segment| {
        let begin = words::moment(segment.start_time).unwrap_or(start);
        let until = words::moment(segment.end_time).unwrap_or(begin);
        let (direction, words) = tile::direction_name(segment.direction(), reader);
        let rest = segment.direction() == v1::Direction::Stopped;
        let speed = (!rest).then(|| reader.t.up_to(reader.speed(segment.speed_max_mps)));
        SegmentLine {
            direction,
            words: if rest { reader.t.rest() } else { words },
            length: reader.age(until.duration_since(begin).as_secs()),
            speed: speed.unwrap_or_default(),
            begin: unit(begin),
            width: unit(until).saturating_sub(unit(begin)).max(1),
        }
    };
    segments.iter().map(line).collect()
}

/// The share of a span that readings cover, in per cent. None: the span is empty.
pub(super) fn share(coverage: &v1::Coverage) -> Option<f64> {
    let asked = coverage.asked.as_ref().map(words::seconds).filter(|asked| *asked > 0.0)?;
    Some(coverage.covered.as_ref().map_or(0.0, words::seconds) / asked * 100.0)
}

fn coverage_words(coverage: Option<&v1::Coverage>, reader: Reader) -> String {
    let t = reader.t;
    let Some(coverage) = coverage else { return t.coverage_unknown().to_owned() };
    let Some(percent) = share(coverage) else { return t.coverage_unknown().to_owned() };
    // Almost everything is not everything.
    let percent = if percent < 100.0 { percent.min(99.9) } else { 100.0 };
    let covered = t.covered_share(reader.number(percent));
    if coverage.records_lost == 0 {
        return covered;
    }
    format!("{covered} {}", t.covered_lost(coverage.records_lost))
}

#[cfg(test)]
mod tests;
