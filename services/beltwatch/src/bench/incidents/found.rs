//! Incidents such as a fleet of 200 machines raises within two years.

use domain::belt::{Contact, Contacts, Direction, Origin};
use domain::ids::{IncidentId, LogId, MachineId, RecordingId};
use domain::incident::{Incident, Rule, Severity, TracePoint};
use domain::log::Position;
use domain::signal::Capabilities;
use domain::units::{Incline, Speed, UnixMicros};
use store::ledger::DerivedIncident;

const SECOND_US: i64 = 1_000_000;
/// Dice that an incident throws.
const DICE: u64 = 16;
/// Machines of the fleet.
const MACHINES: usize = 200;
/// Machines of one site.
pub(super) const MACHINES_OF_SITE: usize = 20;
/// When the two years begin, in microseconds: 2024-07-03.
const BEGIN_US: i64 = 1_720_000_000 * SECOND_US;
/// How long two years are, in microseconds.
const SPAN_US: i64 = 2 * 365 * 24 * 3_600 * SECOND_US;
/// Readings of a trace, one a second.
const TRACE: i64 = 20;
/// Of so many incidents one is active.
const ACTIVE_OF: u64 = 10;
/// Of so many incidents one is of [`OFTEN`].
const OFTEN_OF: u64 = 4;
/// The rule that is raised most.
pub(super) const OFTEN: Rule = Rule::EmergencyStop;
/// Of so many incidents of a rule that is always critical all but one are of [`INSTEAD`]: the worst are rare.
const INSTEAD_OF: u64 = 8;
const INSTEAD: Rule = Rule::AgentOffline;

/// One of the machines, from 0.
pub(super) fn machine(number: usize) -> MachineId {
    MachineId::new(&format!("bench-{number:05}")).expect("it is an id")
}

/// An incident of so many. They lie evenly within the two years, and come to the ledger in no order of time: agents that
/// were offline tell theirs late.
pub(super) fn incident(number: usize, of: usize) -> DerivedIncident {
    let dice = |which: u64, sides: u64| dice(number as u64 * DICE + which) % sides;
    let machine = machine(usize::try_from(dice(0, MACHINES as u64)).expect("it is less than 200"));
    let rule = rule(&dice);
    let severities = rule.definition().severities;
    // The worst that a rule can have is the rarest.
    let is_worst = dice(4, 5) == 0;
    let severity = if is_worst { severities[0] } else { severities[severities.len() - 1] };
    let direction = [Direction::Forward, Direction::Forward, Direction::Reverse, Direction::Unknown]
        [usize::try_from(dice(5, 4)).expect("it is less than 4")];
    let late_us = i64::try_from(dice(6, 600)).expect("it is less than 600") * SECOND_US;
    let step_us = SPAN_US / i64::try_from(of).expect("there are not so many");
    let time = UnixMicros(BEGIN_US + step_us * i64::try_from(number).expect("it is less than all") - late_us);
    let cleared = (dice(7, ACTIVE_OF) != 0).then(|| time.plus(4 * SECOND_US));
    let speed = Speed(u32::try_from(600 + dice(8, 3_000)).expect("it is less than 3 600"));
    let log = LogId([7; 16]);
    let id = IncidentId::of(&machine, log, rule, Position { boot_count: 1, n: number as u64 });
    let incident = Incident {
        id,
        rule,
        severity,
        time,
        noticed: time,
        drill: None,
        cleared,
        direction,
        recording: (severity >= Severity::High).then_some(RecordingId(id.0)),
        trace: trace(time, direction, speed),
        ..empty(machine, speed)
    };
    DerivedIncident { incident, detected: time.plus(late_us) }
}

fn rule(dice: &impl Fn(u64, u64) -> u64) -> Rule {
    if dice(1, OFTEN_OF) == 0 {
        return OFTEN;
    }
    let rules = Rule::ALL.len() as u64;
    let rule = Rule::ALL[usize::try_from(dice(2, rules)).expect("it is less than 30")];
    let is_critical = rule.definition().severities == [Severity::Critical];
    if is_critical && dice(3, INSTEAD_OF) != 0 { INSTEAD } else { rule }
}

/// What is the same for all.
fn empty(machine: MachineId, speed: Speed) -> Incident {
    Incident {
        id: IncidentId([0; 16]),
        machine,
        rule: OFTEN,
        rule_version: 1,
        severity: Severity::Info,
        time: UnixMicros(0),
        noticed: UnixMicros(0),
        drill: None,
        cleared: None,
        direction: Direction::Unknown,
        origin: Origin::Measured,
        speed: Some(speed),
        incline: Some(Incline(10)),
        contact: Some(Contact::EmergencyStop),
        count: 1,
        measured: vec![("speed_mm_s".to_owned(), i64::from(speed.0)), ("held_ms".to_owned(), 2_100)],
        thresholds: vec![("reverse-overspeed.limit".to_owned(), 1_639)],
        detail: String::new(),
        explained: String::new(),
        capabilities: Capabilities::SPEED.and(Capabilities::EMERGENCY_STOP),
        stop: None,
        recording: None,
        trace: Vec::new(),
        trace_complete: true,
        revision: 3,
    }
}

fn trace(time: UnixMicros, direction: Direction, speed: Speed) -> Vec<TracePoint> {
    let mut contacts = Contacts::default();
    contacts.set(Contact::EmergencyStop, false);
    let point = |second: i64| TracePoint {
        time: time.plus((second - TRACE / 2) * SECOND_US),
        span_ms: 1_000,
        direction,
        origin: Origin::Measured,
        speeds: Some((speed, Speed(speed.0.saturating_sub(14)), Speed(speed.0 + 14))),
        incline: Some(Incline(10)),
        contacts,
    };
    (0..TRACE).map(point).collect()
}

/// What a number of an incident leads to: splitmix64, so that each run has the same incidents.
pub(super) fn dice(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
