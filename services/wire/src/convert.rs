//! Domain values that several messages share, to generated messages and back.

use domain::belt::{Belt, Contact, Contacts, Direction, Origin};
use domain::clock::{Clock, ClockQuality};
use domain::ids::{BootId, LogId};
use domain::limits;
use domain::log::{Lane, Position};
use domain::record::EventKind;
use domain::units::{Incline, Speed};
use prost::bytes::Bytes;

use crate::{Unreadable, proto};

const CONTACT_BITS: u32 = 0b1_1111;

pub(crate) fn position_to(position: Position) -> proto::Position {
    proto::Position { boot_count: position.boot_count, n: position.n }
}

pub(crate) fn position_from(field: &str, position: proto::Position) -> Result<Position, Unreadable> {
    if position.boot_count == 0 || position.n == 0 {
        let (boot_count, n) = (position.boot_count, position.n);
        return Err(Unreadable::new(format!("{field} is {boot_count}/{n}; both parts count from 1")));
    }
    Ok(Position::new(position.boot_count, position.n))
}

pub(crate) fn maybe_position(
    field: &str,
    position: Option<proto::Position>,
) -> Result<Option<Position>, Unreadable> {
    position.map(|position| position_from(field, position)).transpose()
}

pub(crate) fn log_id(field: &str, octets: &[u8]) -> Result<LogId, Unreadable> {
    LogId::from_slice(octets).ok_or_else(|| wrong_length(field, octets))
}

pub(crate) fn boot_id(field: &str, octets: &[u8]) -> Result<BootId, Unreadable> {
    BootId::from_slice(octets).ok_or_else(|| wrong_length(field, octets))
}

/// The id of a process that need not be told.
pub(crate) fn maybe_boot_id(field: &str, octets: &[u8]) -> Result<Option<BootId>, Unreadable> {
    (!octets.is_empty()).then(|| boot_id(field, octets)).transpose()
}

pub(crate) fn maybe_octets(id: Option<BootId>) -> Bytes {
    id.map_or_else(Bytes::new, |id| octets(&id.0))
}

fn wrong_length(field: &str, octets: &[u8]) -> Unreadable {
    Unreadable::new(format!("{field} has {} octets; 16 are required", octets.len()))
}

pub(crate) fn octets(id: &[u8; 16]) -> Bytes {
    Bytes::copy_from_slice(id)
}

pub(crate) fn lane_to(lane: Lane) -> proto::Lane {
    match lane {
        Lane::Events => proto::Lane::Events,
        Lane::Readings => proto::Lane::Readings,
    }
}

pub(crate) fn lane_from(field: &str, lane: i32) -> Result<Lane, Unreadable> {
    match proto::Lane::try_from(lane) {
        Ok(proto::Lane::Events) => Ok(Lane::Events),
        Ok(proto::Lane::Readings) => Ok(Lane::Readings),
        Ok(proto::Lane::Unspecified) | Err(_) => {
            Err(Unreadable::new(format!("{field} is {lane}; 1 (events) or 2 (readings) is required")))
        }
    }
}

pub(crate) fn clock_to(clock: &Clock) -> proto::Clock {
    let quality = match clock.quality {
        ClockQuality::Synchronised => proto::ClockQuality::Synchronised,
        ClockQuality::Estimated => proto::ClockQuality::Estimated,
        ClockQuality::Undated => proto::ClockQuality::Undated,
    };
    proto::Clock { quality: quality.into(), offset_us: clock.offset_us, uncertainty_us: clock.uncertainty_us }
}

/// An absent clock, or one of a quality that we do not know, is undated: we do not guess.
pub(crate) fn clock_from(clock: Option<proto::Clock>) -> Clock {
    let Some(clock) = clock else { return Clock::UNDATED };
    let quality = match clock.quality() {
        proto::ClockQuality::Synchronised => ClockQuality::Synchronised,
        proto::ClockQuality::Estimated => ClockQuality::Estimated,
        proto::ClockQuality::Undated | proto::ClockQuality::Unspecified => return Clock::UNDATED,
    };
    Clock { quality, offset_us: clock.offset_us, uncertainty_us: clock.uncertainty_us }
}

pub(crate) fn direction_to(direction: Direction) -> proto::Direction {
    match direction {
        Direction::Forward => proto::Direction::Forward,
        Direction::Reverse => proto::Direction::Reverse,
        Direction::Stopped => proto::Direction::Stopped,
        Direction::Unknown => proto::Direction::Unknown,
    }
}

pub(crate) fn direction_from(field: &str, direction: i32) -> Result<Direction, Unreadable> {
    match proto::Direction::try_from(direction) {
        Ok(proto::Direction::Forward) => Ok(Direction::Forward),
        Ok(proto::Direction::Reverse) => Ok(Direction::Reverse),
        Ok(proto::Direction::Stopped) => Ok(Direction::Stopped),
        Ok(proto::Direction::Unknown) => Ok(Direction::Unknown),
        Ok(proto::Direction::Unspecified) | Err(_) => {
            Err(Unreadable::new(format!("{field} is {direction}; 1 to 4 are known")))
        }
    }
}

pub(crate) fn origin_to(origin: Origin) -> proto::Origin {
    match origin {
        Origin::Measured => proto::Origin::Measured,
        Origin::Declared => proto::Origin::Declared,
        Origin::Unknown => proto::Origin::Unknown,
    }
}

pub(crate) fn origin_from(field: &str, origin: i32) -> Result<Origin, Unreadable> {
    match proto::Origin::try_from(origin) {
        Ok(proto::Origin::Measured) => Ok(Origin::Measured),
        Ok(proto::Origin::Declared) => Ok(Origin::Declared),
        Ok(proto::Origin::Unknown) => Ok(Origin::Unknown),
        Ok(proto::Origin::Unspecified) | Err(_) => {
            Err(Unreadable::new(format!("{field} is {origin}; 1 to 3 are known")))
        }
    }
}

pub(crate) fn contact_to(contact: Option<Contact>) -> proto::Contact {
    match contact {
        None => proto::Contact::Unspecified,
        Some(Contact::EmergencyStop) => proto::Contact::EmergencyStop,
        Some(Contact::SafetyKey) => proto::Contact::SafetyKey,
        Some(Contact::MachinePower) => proto::Contact::MachinePower,
        Some(Contact::HandRail) => proto::Contact::HandRail,
        Some(Contact::UserPresence) => proto::Contact::UserPresence,
    }
}

pub(crate) fn contact_from(field: &str, contact: i32) -> Result<Option<Contact>, Unreadable> {
    match proto::Contact::try_from(contact) {
        Ok(proto::Contact::Unspecified) => Ok(None),
        Ok(proto::Contact::EmergencyStop) => Ok(Some(Contact::EmergencyStop)),
        Ok(proto::Contact::SafetyKey) => Ok(Some(Contact::SafetyKey)),
        Ok(proto::Contact::MachinePower) => Ok(Some(Contact::MachinePower)),
        Ok(proto::Contact::HandRail) => Ok(Some(Contact::HandRail)),
        Ok(proto::Contact::UserPresence) => Ok(Some(Contact::UserPresence)),
        Err(_) => Err(Unreadable::new(format!("{field} is {contact}; 0 to 5 are known"))),
    }
}

/// An event kind's number is its place in `EventKind::ALL`, from 1.
pub(crate) fn kind_to(kind: EventKind) -> i32 {
    let place = EventKind::ALL.iter().position(|k| *k == kind).expect("ALL holds every kind");
    i32::try_from(place + 1).expect("there are few kinds")
}

pub(crate) fn kind_from(field: &str, kind: i32) -> Result<EventKind, Unreadable> {
    let place = usize::try_from(kind).ok().and_then(|kind| kind.checked_sub(1));
    place
        .and_then(|place| EventKind::ALL.get(place).copied())
        .ok_or_else(|| Unreadable::new(format!("{field} is {kind}; 1 to {} are known", EventKind::ALL.len())))
}

pub(crate) fn contacts_from(field: &str, closed: u32, open: u32) -> Result<Contacts, Unreadable> {
    if (closed | open) & !CONTACT_BITS != 0 {
        let seen = closed | open;
        return Err(Unreadable::new(format!("{field} has bits {seen:#b}; bits 0 to 4 are known")));
    }
    Ok(Contacts { closed, open })
}

/// Speeds beyond anything a sensor can carry are no speeds; what is merely implausible is the agent's to judge.
pub(crate) fn speed_from(field: &str, speed: Option<u32>) -> Result<Option<Speed>, Unreadable> {
    match speed {
        Some(value) if value > limits::SPEED_WIRE_MM_S_MAX => {
            let max = limits::SPEED_WIRE_MM_S_MAX;
            Err(Unreadable::new(format!("{field} is {value} mm/s; at most {max} is allowed")))
        }
        Some(value) => Ok(Some(Speed(value))),
        None => Ok(None),
    }
}

pub(crate) fn incline_from(field: &str, incline: Option<i32>) -> Result<Option<Incline>, Unreadable> {
    match incline {
        Some(value) if value.unsigned_abs() > 1_000 => {
            Err(Unreadable::new(format!("{field} is {value} tenths of a per cent; ±1000 is allowed")))
        }
        Some(value) => Ok(Some(Incline(value))),
        None => Ok(None),
    }
}

pub(crate) fn belt_to(belt: &Belt) -> proto::BeltSnapshot {
    proto::BeltSnapshot {
        direction: direction_to(belt.direction).into(),
        origin: origin_to(belt.origin).into(),
        speed_mm_s: belt.speed.map(|speed| speed.0),
        incline_tenths_pct: belt.incline.map(|incline| incline.0),
        contacts_closed: belt.contacts.closed,
        contacts_open: belt.contacts.open,
    }
}

/// An absent picture is one in which nothing is known.
pub(crate) fn belt_from(field: &str, belt: Option<proto::BeltSnapshot>) -> Result<Belt, Unreadable> {
    let Some(belt) = belt else { return Ok(Belt::default()) };
    Ok(Belt {
        direction: direction_from(&format!("{field}.direction"), belt.direction)?,
        origin: origin_from(&format!("{field}.origin"), belt.origin)?,
        speed: speed_from(&format!("{field}.speed_mm_s"), belt.speed_mm_s)?,
        incline: incline_from(&format!("{field}.incline_tenths_pct"), belt.incline_tenths_pct)?,
        contacts: contacts_from(&format!("{field}.contacts"), belt.contacts_closed, belt.contacts_open)?,
    })
}
