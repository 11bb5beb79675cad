//! Domain values to messages of the public API.

pub(crate) mod people;
pub(crate) mod sessions;

use domain::belt::{Belt, Contact, Contacts, Direction, Origin};
use domain::ids::LogId;
use domain::incident::settings::Timeline;
use domain::log::Position;
use domain::proven::Configurations;
use domain::record::{Event, Reading};
use domain::registry::{BeltKind, DriveKind, direction_as_registered};
use domain::units::{Incline, Speed, UnixMicros};
use prost_types::{Duration, Timestamp};
use store::feed::Feed;
use store::registry::{Machine, Place, Registry, Site, StaffedDays};
use store::telemetry::Stored;
use wire::api::v1;

use crate::live;

/// By what the history of a machine is read.
#[derive(Debug)]
pub(crate) struct ReadBy {
    kind: BeltKind,
    timeline: Timeline,
    sources: Configurations,
}

impl ReadBy {
    /// By its registry entry, and how the sources of its agent were set.
    pub(crate) fn of(registry: &Registry, machine: &Machine, feed: &Feed) -> ReadBy {
        ReadBy {
            kind: machine.belt,
            timeline: registry.timeline(&machine.id).unwrap_or_default(),
            sources: live::configurations(feed, &machine.id),
        }
    }

    /// Which way the belt ran then, as far as it may be said: what was not proven is unknown, a one-way belt that moves runs
    /// forward.
    pub(crate) fn direction(
        &self,
        time: UnixMicros,
        seen: (Direction, Origin),
        is_moving: Option<bool>,
    ) -> (Direction, Origin) {
        let (way, how) = self.timeline.known_by_now(time, &self.sources).direction(seen.0, seen.1);
        direction_as_registered(self.kind, way, how, is_moving)
    }
}

/// A moment.
pub(crate) fn timestamp(time: UnixMicros) -> Timestamp {
    let nanos = i32::try_from(time.0.rem_euclid(1_000_000) * 1_000).expect("below 1 000 000 000");
    Timestamp { seconds: time.0.div_euclid(1_000_000), nanos }
}

/// A length of time.
pub(crate) fn duration(micros: u64) -> Duration {
    let seconds =
        i64::try_from(micros / 1_000_000).expect("a u64 of microseconds is fewer seconds than an i64 holds");
    let nanos = i32::try_from(micros % 1_000_000 * 1_000).expect("below 1 000 000 000");
    Duration { seconds, nanos }
}

pub(crate) fn site(site: &Site) -> v1::Site {
    v1::Site {
        id: site.id.to_string(),
        display_name: site.display_name.clone(),
        time_zone: site.time_zone.clone(),
        create_time: Some(timestamp(site.created)),
        staffed_spans: site.staffed().map(week_spans).unwrap_or_default(),
        open_spans: site.open().map(week_spans).unwrap_or_default(),
        first_weekday: u32::from(site.first_weekday()) + 1,
    }
}

fn week_spans(days: &StaffedDays) -> Vec<v1::StaffedSpan> {
    let spans = |(day, spans): (u32, &Vec<(u16, u16)>)| -> Vec<v1::StaffedSpan> {
        let span = |(start, end): &(u16, u16)| v1::StaffedSpan {
            day,
            start_minute: (*start).into(),
            end_minute: (*end).into(),
        };
        spans.iter().map(span).collect()
    };
    (1..).zip(days).flat_map(spans).collect()
}

pub(crate) fn machine(machine: &Machine) -> v1::Machine {
    let belt = match machine.belt {
        BeltKind::OneWay => v1::BeltKind::OneWay,
        BeltKind::Reversible => v1::BeltKind::Reversible,
        BeltKind::Unknown => v1::BeltKind::Unknown,
    };
    let drive = match machine.drive {
        DriveKind::Motor => v1::DriveKind::Motor,
        DriveKind::Manual => v1::DriveKind::Manual,
    };
    v1::Machine {
        id: machine.id.to_string(),
        site_id: machine.site.to_string(),
        display_name: machine.display_name.clone(),
        model: machine.model.clone(),
        belt: belt.into(),
        drive: drive.into(),
        create_time: Some(timestamp(machine.created)),
        place: machine.place.map(place),
        revoke_time: machine.revoked_since().map(timestamp),
        out_of_service_reason: machine.out_of_service().map(|(why, _)| why.to_owned()).unwrap_or_default(),
        out_of_service_time: machine.out_of_service().map(|(_, since)| timestamp(since)),
        commission_time: machine.commissioned().map(timestamp),
        direction_proven: machine.direction_proven(),
        maintain_time: machine.maintained.as_ref().map(|maintained| timestamp(maintained.at)),
        maintain_note: machine.maintained.as_ref().map(|one| one.note.clone()).unwrap_or_default(),
    }
}

fn place(place: Place) -> v1::Place {
    v1::Place { row: place.row.into(), column: place.column.into() }
}

pub(crate) fn direction(direction: Direction) -> i32 {
    match direction {
        Direction::Forward => v1::Direction::Forward,
        Direction::Reverse => v1::Direction::Reverse,
        Direction::Stopped => v1::Direction::Stopped,
        Direction::Unknown => v1::Direction::Unknown,
    }
    .into()
}

pub(crate) fn origin(origin: Origin) -> i32 {
    match origin {
        Origin::Measured => v1::DirectionOrigin::Measured,
        Origin::Declared => v1::DirectionOrigin::Declared,
        Origin::Unknown => v1::DirectionOrigin::Unknown,
    }
    .into()
}

pub(crate) fn contacts(contacts: Contacts) -> v1::Contacts {
    let state = |contact: Contact| -> i32 {
        match (contacts.closed & contact.bit() != 0, contacts.open & contact.bit() != 0) {
            (true, false) => v1::ContactState::Closed,
            (false, true) => v1::ContactState::Open,
            (true, true) => v1::ContactState::Both,
            (false, false) => v1::ContactState::Unknown,
        }
        .into()
    };
    v1::Contacts {
        emergency_stop: state(Contact::EmergencyStop),
        safety_key: state(Contact::SafetyKey),
        machine_power: state(Contact::MachinePower),
        hand_rail: state(Contact::HandRail),
        user_presence: state(Contact::UserPresence),
    }
}

/// A picture of a belt, as the registry lets it be read.
pub(crate) fn belt(belt: &Belt, kind: BeltKind) -> v1::Belt {
    let (way, how) = direction_as_registered(kind, belt.direction, belt.origin, belt.is_moving());
    v1::Belt {
        direction: direction(way),
        origin: origin(how),
        speed_mps: belt.speed.map(Speed::mps),
        incline_percent: belt.incline.map(Incline::percent),
        contacts: Some(contacts(belt.contacts)),
    }
}

fn position(log: LogId, position: Position) -> String {
    format!("{log}/{position}")
}

/// A reading, with what was measured where that does not count.
pub(crate) fn reading(stored: &Stored<Reading>, machine: &ReadBy) -> v1::Reading {
    let reading = &stored.value;
    let moving = reading.speed.map(|speed| speed.mean > domain::belt::STANDSTILL);
    let settings = machine.timeline.known_by_now(stored.time, &machine.sources);
    let counts = settings.direction(reading.direction, reading.origin);
    let is_unproven = counts.0 != reading.direction;
    let (way, how) = direction_as_registered(machine.kind, counts.0, counts.1, moving);
    v1::Reading {
        time: Some(timestamp(stored.time)),
        time_uncertainty: Some(duration(stored.uncertainty_us)),
        span: Some(duration(u64::from(reading.span_ms) * 1_000)),
        holds_for: Some(duration(u64::from(reading.holds_for_ms) * 1_000)),
        direction: direction(way),
        origin: origin(how),
        speed_mean_mps: reading.speed.map(|speed| speed.mean.mps()),
        speed_min_mps: reading.speed.map(|speed| speed.min.mps()),
        speed_max_mps: reading.speed.map(|speed| speed.max.mps()),
        incline_percent: reading.incline.map(Incline::percent),
        contacts: Some(contacts(reading.contacts)),
        elapsed_s: reading.extra.elapsed_s,
        distance_m: reading.extra.distance_m,
        steps: reading.extra.steps,
        position: position(stored.log, stored.position),
        measured_direction: if is_unproven { direction(reading.direction) } else { 0 },
    }
}

/// An event as it counts.
pub(crate) fn event(stored: &Stored<Event>, machine: &ReadBy) -> v1::Event {
    let event = machine.timeline.known_by_now(stored.time, &machine.sources).event(&stored.value);
    v1::Event {
        time: Some(timestamp(stored.time)),
        time_uncertainty: Some(duration(stored.uncertainty_us)),
        kind: event.kind.name().to_owned(),
        contact: contact_name(event.contact),
        at: Some(belt(&event.belt, machine.kind)),
        before: Some(belt(&event.before, machine.kind)),
        source: event.source,
        count: event.count,
        detail: event.detail,
        position: position(stored.log, stored.position),
    }
}

/// The contact's name; empty if there is none.
pub(crate) fn contact_name(contact: Option<Contact>) -> String {
    contact.map(|contact| contact.name().to_owned()).unwrap_or_default()
}
