//! Values for the suites.

use bytes::Bytes;
use domain::belt::{Belt, Direction, Origin};
use domain::clock::{Clock, ClockQuality};
use domain::ids::{BootId, LogId, MachineId, SessionId, SiteId};
use domain::live::{Segment, Session};
use domain::log::{BootStart, Hole, Lane, Position};
use domain::record::{Event, EventKind, Payload, Reading, Record, SpeedSummary};
use domain::registry::{BeltKind, DriveKind};
use domain::signal::Capabilities;
use domain::units::{MonotonicMicros, SECOND, Speed, UnixMicros};
use domain::usage::{Grade, Guidance, Motion, MotionKey, Usage};

use crate::fact::{Fact, FactKind};
use crate::journal::Slice;
use crate::registry::{Grant, Machine, Role, Site, Token};
use crate::telemetry::Block;

/// An event time that many seconds after some moment.
pub(super) fn second(seconds: i64) -> UnixMicros {
    UnixMicros(1_800_000_000_000_000 + seconds * 1_000_000)
}

pub(super) fn machine(name: &str) -> MachineId {
    MachineId::new(name).expect("suites name machines well")
}

pub(super) fn site(name: &str) -> SiteId {
    SiteId::new(name).expect("suites name sites well")
}

pub(super) fn log(octet: u8) -> LogId {
    LogId([octet; 16])
}

/// A clock that maps monotonic second 0 to `second(0)`.
pub(super) fn clock() -> Clock {
    Clock { quality: ClockQuality::Synchronised, offset_us: second(0).0, uncertainty_us: 1_500 }
}

/// A slice that uses every field.
pub(super) fn slice(name: &str, first: u64, last: u64) -> Slice {
    let before = Position::new(2, first.saturating_sub(3));
    Slice {
        machine: machine(name),
        log: log(7),
        lane: Lane::Events,
        boot: BootStart {
            boot_count: 3,
            previous: Some(before),
            other_previous: Some(Position::new(1, 900)),
            maker: Some(BootId([0x5a; 16])),
        },
        first,
        last,
        records: u32::try_from(last - first + 1).expect("suites have short slices"),
        hole: Some(Hole { from: Some(before), to: Position::new(3, first), records_at_least: 2 }),
        clock: clock(),
        body: Bytes::from(format!("{name} {first} to {last}")),
    }
}

/// A slice that leaves out what can be left out.
pub(super) fn bare_slice(name: &str, first: u64) -> Slice {
    Slice {
        lane: Lane::Readings,
        boot: BootStart { boot_count: 1, previous: None, other_previous: None, maker: None },
        hole: None,
        clock: Clock::UNDATED,
        body: Bytes::new(),
        ..slice(name, first, first)
    }
}

pub(super) fn site_created(author: &str, request_id: Option<&str>, name: &str) -> Fact {
    let site = Site {
        id: site(name),
        display_name: format!("Gym \"{name}\" äöü"),
        time_zone: "Europe/Vienna".to_owned(),
        created: second(1),
        history: Default::default(),
    };
    Fact {
        time: second(1),
        author: author.to_owned(),
        request_id: request_id.map(str::to_owned),
        kind: FactKind::SiteCreated(site),
    }
}

pub(super) fn machine_created(name: &str, at: &str) -> Fact {
    let machine = Machine {
        id: machine(name),
        site: site(at),
        display_name: name.to_uppercase(),
        model: "Maker 9".to_owned(),
        belt: BeltKind::Reversible,
        drive: DriveKind::Manual,
        key_generation: 1,
        created: second(2),
        place: None,
        revoked_generation: 0,
        revoked: None,
        acknowledged: None,
        history: Default::default(),
        drills: Vec::new(),
        maintained: None,
    };
    Fact {
        time: second(2),
        author: "local:anna".to_owned(),
        request_id: None,
        kind: FactKind::MachineCreated(machine),
    }
}

pub(super) fn token_created(octet: u8, sites: &[&str]) -> Fact {
    let token = Token {
        hash: [octet; 32],
        number: 0,
        display_name: "wall display".to_owned(),
        grants: vec![Grant { role: Role::Viewer, sites: sites.iter().map(|name| site(name)).collect() }],
        author: "user:anna".to_owned(),
        created: second(3),
        expires: second(99),
        revoked: None,
    };
    Fact {
        time: second(3),
        author: "local:anna".to_owned(),
        request_id: None,
        kind: FactKind::TokenCreated(token),
    }
}

pub(super) fn session(octet: u8, name: &str, started: i64, revision: u64) -> Session {
    let segment = |direction, from: i64, to: i64| Segment {
        direction,
        origin: Origin::Measured,
        started: second(from),
        ended: second(to),
        observed_us: 9 * SECOND,
        distance_mm: 25_000,
        distance_remainder: 999_999,
        speed_max: Speed(2_800),
        grade: Grade::Uphill,
        incline_us: 7 * SECOND,
        incline_sum: -35 * 1_000_000,
        guidance: Guidance { slow_us: u64::from(direction == Direction::Reverse), ..Guidance::default() },
    };
    Session {
        id: SessionId([octet; 16]),
        machine: machine(name),
        started: second(started),
        last_motion: second(started + 20),
        ended: revision > 5,
        segments: vec![
            segment(Direction::Reverse, started, started + 10),
            segment(Direction::Stopped, started + 10, started + 15),
            segment(Direction::Forward, started + 15, started + 20),
        ],
        revision,
    }
}

/// What a belt does that runs in reverse for some seconds and stands for one.
pub(super) fn usage(seconds: u64) -> Usage {
    let observed_us = seconds * SECOND;
    let key = MotionKey { direction: Direction::Reverse, origin: Origin::Measured, grade: Grade::Downhill };
    let guidance = Guidance { slow_us: observed_us, ..Guidance::default() };
    let motion = Motion {
        observed_us,
        distance_nm: u128::from(observed_us) * 800,
        speed_max: Speed(800),
        starts: 1,
        guidance: Some(guidance),
    };
    let mut usage = Usage::default();
    usage.rest_us = SECOND;
    usage.add(key, &motion);
    usage.coverage.add(Capabilities::SPEED, observed_us + SECOND);
    usage
}

/// A reading of that second of a boot.
pub(super) fn reading(at: u64, mean: u32) -> Record {
    let speed =
        SpeedSummary { mean: Speed(mean), min: Speed(mean), max: Speed(mean + 3), rise: Some(3), fall: None };
    Record {
        at: MonotonicMicros(at * SECOND),
        other_n: 1,
        payload: Payload::Reading(Reading {
            span_ms: 1_000,
            direction: Direction::Reverse,
            origin: Origin::Measured,
            speed: Some(speed),
            holds_for_ms: 3_000,
            ..Reading::default()
        }),
    }
}

/// An event of that second of a boot.
pub(super) fn event(at: u64) -> Record {
    let at = MonotonicMicros(at * SECOND);
    let belt = Belt { speed: Some(Speed(1_000)), ..Belt::default() };
    let mut event = Event::new(EventKind::BeltStopped, at, belt, Belt::default());
    event.detail = "seen".to_owned();
    event.recording = Some(MonotonicMicros(7));
    event.capabilities = Some(Capabilities::SPEED);
    Record { at, other_n: 4, payload: Payload::Event(event) }
}

/// Readings of boot 1 with numbers `from` to `to`, one a second, of which number n was made in second n.
pub(super) fn block(name: &str, from: u64, to: u64) -> Block {
    Block {
        sequence: from,
        machine: machine(name),
        log: log(1),
        lane: Lane::Readings,
        boot_count: 1,
        clock: clock(),
        records: (from..=to).map(|n| (n, reading(n, 1_000))).collect(),
    }
}

/// The same of events.
pub(super) fn events_block(name: &str, from: u64, to: u64) -> Block {
    Block {
        lane: Lane::Events,
        log: log(2),
        records: (from..=to).map(|n| (n, event(n))).collect(),
        ..block(name, from, to)
    }
}
