//! Machines, usage and incidents as the tests need them.

use domain::belt::{Direction, Origin};
use domain::handling::{Cause, Hurt, Step};
use domain::ids::{IncidentId, MachineId, SiteId};
use domain::incident::{Incident, Rule, Severity};
use domain::registry::{BeltKind, DriveKind};
use domain::signal::Capabilities;
use domain::units::{Speed, UnixMicros};
use domain::usage::{Grade, Motion, MotionKey, PartId, Usage, UsageRow, code};
use store::fact::{Fact, FactKind, IncidentStepped, MachineChange};
use store::ledger::{Derived, DerivedIncident, Ledger};
use store::registry::{Machine, Site};

pub(super) const DAY: i32 = 20_000;
/// When that day begins, in microseconds.
pub(super) const MORNING: i64 = DAY as i64 * 86_400_000_000;

pub(super) fn machine(name: &str) -> MachineId {
    MachineId::new(name).unwrap()
}

fn site(name: &str) -> SiteId {
    SiteId::new(name).unwrap()
}

async fn add(ledger: &dyn Ledger, time: i64, kind: FactKind) {
    let fact = Fact { time: UnixMicros(time), author: "user:anna".to_owned(), request_id: None, kind };
    ledger.add_fact(fact).await.unwrap();
}

/// Two sites, and machines at the first.
pub(super) async fn register(ledger: &dyn Ledger, machines: &[&str]) {
    for name in ["gym-1", "gym-2"] {
        let kind = FactKind::SiteCreated(Site {
            id: site(name),
            display_name: name.to_owned(),
            time_zone: "UTC".to_owned(),
            created: UnixMicros(1),
            history: Default::default(),
        });
        add(ledger, 1, kind).await;
    }
    for name in machines {
        let kind = FactKind::MachineCreated(Machine {
            id: machine(name),
            site: site("gym-1"),
            display_name: name.to_uppercase(),
            model: "M 9".to_owned(),
            belt: BeltKind::Reversible,
            drive: DriveKind::Motor,
            key_generation: 1,
            created: UnixMicros(2),
            place: None,
            revoked_generation: 0,
            revoked: None,
            acknowledged: None,
            history: Default::default(),
            drills: Vec::new(),
            maintained: None,
        });
        add(ledger, 2, kind).await;
    }
}

/// From ten seconds after that time on it stands at the other site, under this name.
pub(super) async fn move_machine(ledger: &dyn Ledger, time: i64, name: &str, to: &str) {
    let kind = FactKind::MachineChanged(MachineChange {
        machine: machine(name),
        display_name: Some(format!("{name} at {to}")),
        model: None,
        belt: None,
        drive: None,
        site: Some(site(to)),
    });
    add(ledger, time, kind).await;
}

pub(super) async fn close(ledger: &dyn Ledger, octet: u8) {
    let step = Step::Close { cause: Some(Cause::MachineFault), hurt: Some(Hurt::No) };
    let stepped = IncidentStepped { incident: IncidentId([octet; 16]), step, note: None, previous: None };
    add(ledger, MORNING, FactKind::IncidentStepped(stepped)).await;
}

/// Some minutes of motion, rest and coverage.
pub(super) fn usage(seed: u64) -> Usage {
    let directions = [
        (Direction::Forward, Origin::Measured),
        (Direction::Reverse, Origin::Measured),
        (Direction::Forward, Origin::Declared),
        (Direction::Unknown, Origin::Unknown),
    ];
    let (direction, origin) = directions[(seed % 4) as usize];
    let grade = Grade::ALL[(seed / 4 % 4) as usize];
    let micros = 1_000_000 * (seed % 97 + 1);
    let motion = Motion {
        observed_us: micros,
        distance_nm: u128::from(micros) * u128::from(seed % 1_777 + 30),
        speed_max: Speed((seed % 4_000) as u32 + 30),
        starts: (seed % 3) as u32,
        guidance: None,
    };
    let mut usage = Usage::default();
    usage.add(MotionKey { direction, origin, grade }, &motion);
    usage.rest_us = 7 * seed;
    usage.coverage.add(Capabilities::SPEED.and(Capabilities::DIRECTION), micros + 7 * seed);
    usage
}

/// A row of these quarters, each a number within the day and a seed.
pub(super) fn row(name: &str, day: i32, part: u64, revision: u64, quarters: &[(u8, u64)]) -> UsageRow {
    let mut octets = Vec::new();
    quarters.iter().for_each(|(number, seed)| code::put(&mut octets, *number, &usage(*seed)));
    let through = UnixMicros(i64::from(day).saturating_mul(86_400_000_000));
    UsageRow { machine: machine(name), day, part: PartId(part), revision, through, quarters: octets }
}

pub(super) async fn put_usage(ledger: &dyn Ledger, usage: Vec<UsageRow>) {
    ledger.put(Derived { usage, ..Derived::default() }).await.unwrap();
}

/// An incident as bare as can be, at this microsecond of the day.
pub(super) fn incident(octet: u8, name: &str, at: i64, revision: u64) -> Incident {
    Incident {
        id: IncidentId([octet; 16]),
        machine: machine(name),
        rule: Rule::EmergencyStop,
        rule_version: 1,
        severity: Severity::Low,
        time: UnixMicros(MORNING + at),
        noticed: UnixMicros(MORNING + at),
        drill: None,
        cleared: None,
        direction: Direction::Forward,
        origin: Origin::Measured,
        speed: None,
        incline: None,
        contact: None,
        count: 1,
        measured: Vec::new(),
        thresholds: Vec::new(),
        detail: String::new(),
        explained: String::new(),
        capabilities: Capabilities::SPEED,
        stop: None,
        recording: None,
        trace: Vec::new(),
        trace_complete: true,
        revision,
    }
}

pub(super) async fn put_incidents(ledger: &dyn Ledger, incidents: Vec<Incident>) {
    let detected = UnixMicros(MORNING + 5_000_000);
    let incidents = incidents.into_iter().map(|incident| DerivedIncident { incident, detected }).collect();
    ledger.put(Derived { incidents, ..Derived::default() }).await.unwrap();
}
