//! The same records, events first or in their turn.

use crate::belt::{Belt, Contact, Contacts, Direction, Origin};
use crate::ids::{IncidentId, LogId, MachineId};
use crate::incident::mind::IncidentFold;
use crate::incident::settings::{MachineSettings, Timeline};
use crate::incident::{Incident, Rule};
use crate::log::{Lane, Position};
use crate::machine::{MachineFold, MachineMind};
use crate::record::{Event, EventKind, Payload, Reading, Record, SpeedSummary};
use crate::registry::BeltKind;
use crate::signal::Capabilities;
use crate::units::{MonotonicMicros, Speed, UnixMicros};
use std::collections::BTreeMap;

const T0: i64 = 1_767_614_400_000_000;

struct Two {
    fold: IncidentFold,
    incidents: BTreeMap<IncidentId, Incident>,
    timeline: Timeline,
}

fn place(lane: Lane, n: u64) -> (LogId, Position) {
    (LogId::for_lane([9; 16], lane), Position::new(1, n))
}

impl Two {
    fn new() -> Two {
        let settings =
            MachineSettings { belt: BeltKind::Reversible, direction_proven: true, ..Default::default() };
        Two {
            fold: IncidentFold::default(),
            incidents: BTreeMap::new(),
            timeline: Timeline::always(settings),
        }
    }
    fn keep(&mut self, changed: Vec<Incident>) {
        for one in changed {
            self.incidents.insert(one.id, one);
        }
    }
    fn at_once(&mut self, n: u64, at: u64, record: &Record) {
        let m = MachineId::new("stage").unwrap();
        let changed = self.fold.at_once(
            &m,
            place(Lane::Events, n),
            UnixMicros(T0 + i64::try_from(at).unwrap()),
            record,
            self.timeline.newest(),
        );
        self.keep(changed);
    }
    fn merged(&mut self, lane: Lane, n: u64, at: u64, record: &Record) {
        let m = MachineId::new("stage").unwrap();
        let changed = self.fold.merged(
            &m,
            place(lane, n),
            UnixMicros(T0 + i64::try_from(at).unwrap()),
            record,
            self.timeline.newest(),
        );
        self.keep(changed);
    }
}

fn event(at: u64, kind: EventKind, contact: Option<Contact>, moving: bool) -> Record {
    let speed = Some(Speed(if moving { 1000 } else { 0 }));
    let belt = Belt {
        direction: if moving { Direction::Forward } else { Direction::Stopped },
        origin: Origin::Measured,
        speed,
        incline: None,
        contacts: Contacts::default(),
    };
    let mut e = Event::new(kind, MonotonicMicros(at), belt, belt);
    e.contact = contact;
    if kind == EventKind::AgentStarted {
        e.capabilities = Some(Capabilities(0xffff));
    }
    Record { at: MonotonicMicros(at), other_n: 0, payload: Payload::Event(e) }
}

fn reading(at: u64, moving: bool, direction: Direction, mm_s: u32) -> Record {
    let s = Speed(if moving { mm_s } else { 0 });
    let speed = SpeedSummary { mean: s, min: s, max: s, rise: None, fall: None };
    Record {
        at: MonotonicMicros(at),
        other_n: 0,
        payload: Payload::Reading(Reading {
            span_ms: 1000,
            direction,
            origin: Origin::Measured,
            speed: Some(speed),
            ..Reading::default()
        }),
    }
}

const S: u64 = 1_000_000;

/// Events and the readings second by second; `ahead`: the events lane comes wholly first.
fn run(events: &[Record], seconds: u64, ahead: bool) -> BTreeMap<IncidentId, Incident> {
    let mut two = Two::new();
    if ahead {
        for (n, e) in (1..).zip(events) {
            two.at_once(n, e.at.0, e);
        }
    }
    let mut next = 0;
    for s in 0..seconds {
        let at = s * S;
        while next < events.len() && events[next].at.0 <= at {
            let e = &events[next];
            let n = next as u64 + 1;
            if !ahead {
                two.at_once(n, e.at.0, e);
            }
            two.merged(Lane::Events, n, e.at.0, e);
            next += 1;
        }
        two.merged(Lane::Readings, s + 1, at, &reading(at, false, Direction::Stopped, 0));
    }
    two.incidents
}

fn differ(one: &BTreeMap<IncidentId, Incident>, other: &BTreeMap<IncidentId, Incident>) -> Vec<String> {
    let mut all = Vec::new();
    for (id, a) in one {
        match other.get(id) {
            None => all.push(format!("{:?} missing", a.rule)),
            Some(b) if a != b => all.push(format!("{:?} at {}: count {}/{} cleared {:?}/{:?} trace {}/{} complete {}/{} stop {:?}/{:?} revision {}/{}", a.rule, (a.time.0 - T0) / 1_000_000, a.count, b.count, a.cleared.map(|t| t.0-T0), b.cleared.map(|t| t.0-T0), a.trace.len(), b.trace.len(), a.trace_complete, b.trace_complete, a.stop, b.stop, a.revision, b.revision)),
            Some(_) => {}
        }
    }
    all
}

#[test]
fn many_stops_ahead_of_their_readings_are_the_same() {
    let mut events = vec![event(0, EventKind::AgentStarted, None, false)];
    for k in 0..70 {
        let at = (20 + 30 * k) * S;
        events.push(event(at, EventKind::ContactOpened, Some(Contact::EmergencyStop), false));
        events.push(event(at + 5 * S, EventKind::ContactClosed, Some(Contact::EmergencyStop), false));
    }
    let live = run(&events, 2300, false);
    let late = run(&events, 2300, true);
    let differ = differ(&live, &late);
    assert!(differ.is_empty(), "{:#?}", differ);
}

#[test]
fn an_incident_that_goes_on_for_long_is_the_same_when_events_come_first() {
    let mut events = vec![event(0, EventKind::AgentStarted, None, false)];
    for k in 0..10 {
        events.push(event((20 + 5 * k) * S, EventKind::FaultReported, None, k == 9));
    }
    let live = run(&events, 300, false);
    let late = run(&events, 300, true);
    let differ = differ(&live, &late);
    assert!(differ.is_empty(), "{:#?}", differ);
}

#[test]
fn a_bounce_long_after_the_edge_goes_on_with_the_stop() {
    // a bounce after 10 s and more of a pressed button
    let mut events = vec![event(0, EventKind::AgentStarted, None, false)];
    let c = Some(Contact::EmergencyStop);
    events.push(event(20 * S, EventKind::ContactOpened, c, false));
    events.push(event(50 * S, EventKind::ContactClosed, c, false));
    events.push(event(50 * S + 30_000, EventKind::ContactOpened, c, true));
    let mut two = Two::new();
    two.at_once(1, 0, &events[0]);
    two.at_once(2, events[1].at.0, &events[1]);
    two.at_once(3, events[2].at.0, &events[2]);
    two.merged(Lane::Events, 1, 0, &events[0]);
    two.merged(Lane::Events, 2, events[1].at.0, &events[1]);
    two.merged(Lane::Events, 3, events[2].at.0, &events[2]);
    two.at_once(4, events[3].at.0, &events[3]);
    let found: Vec<_> = two
        .incidents
        .values()
        .filter(|i| i.rule == Rule::EmergencyStop)
        .map(|i| (i.cleared.is_some(), i.count, i.severity))
        .collect();
    assert!(
        found.iter().any(|(cleared, ..)| !cleared),
        "the button is pressed on a moving belt; found {found:?}"
    );
}

#[test]
fn an_older_spool_ends_what_was_open() {
    let mut two = Two::new();
    let start = event(0, EventKind::AgentStarted, None, false);
    two.at_once(1, 0, &start);
    two.merged(Lane::Events, 1, 0, &start);
    let day = 86_400 * S;
    for k in 0..20 {
        let at = day + k * S;
        two.merged(Lane::Readings, k + 1, at, &reading(at, true, Direction::Reverse, 2000));
    }
    // An older spool comes back: reverse overspeed there, too.
    for k in 0..20 {
        let at = 3600 * S + k * S;
        two.merged(Lane::Readings, 100 + k, at, &reading(at, true, Direction::Reverse, 2000));
    }
    for k in 20..60 {
        let at = 3600 * S + k * S;
        two.merged(Lane::Readings, 100 + k, at, &reading(at, false, Direction::Stopped, 0));
    }
    let found: Vec<_> = two
        .incidents
        .values()
        .filter(|i| i.rule == Rule::ReverseOverspeed)
        .map(|i| ((i.time.0 - T0) / 1_000_000, i.cleared.map(|c| (c.0 - T0) / 1_000_000)))
        .collect();
    assert!(found.len() == 2 && found.iter().all(|(t, c)| c.is_none_or(|c| c >= *t)), "{found:?}");
}

#[test]
fn an_agent_that_started_without_a_clock_can_still_be_judged() {
    let mut two = Two::new();
    // AgentStarted came undated: the machine mind passes it over (machine.rs at_once/fold return early).
    let machine = MachineId::new("stage").unwrap();
    let mut mind = crate::machine::MachineMind::new(machine, crate::machine::MachineFold::default());
    mind.obey(std::sync::Arc::new(two.timeline.clone()));
    let start = event(0, EventKind::AgentStarted, None, false);
    let (log, position) = place(Lane::Events, 1);
    two.keep(mind.at_once(log, position, None, &start));
    two.keep(mind.fold(log, position, None, &start).incidents);
    let stop = event(60 * S, EventKind::ContactOpened, Some(Contact::EmergencyStop), true);
    let (log, position) = place(Lane::Events, 2);
    two.keep(mind.at_once(log, position, Some(UnixMicros(T0 + 60_000_000)), &stop));
    assert!(
        !two.incidents.is_empty(),
        "an emergency stop of a moving belt is no incident for the whole life of this agent"
    );
}

/// Of an undated start, which comes ahead of readings that were written before it, only those behind it know.
#[test]
fn an_undated_start_counts_from_its_turn_on_wherever_it_arrives() {
    let start = |capabilities| {
        let mut start = event(0, EventKind::AgentStarted, None, false);
        if let Payload::Event(event) = &mut start.payload {
            event.capabilities = Some(capabilities);
        }
        start
    };
    let starts = [start(Capabilities::EMERGENCY_STOP), start(Capabilities::SPEED)];
    let moving = |seconds| reading(seconds * S, true, Direction::Forward, 2_500);
    let in_turn = [
        (Lane::Events, 1, starts[0].clone()),
        (Lane::Readings, 1, moving(10)),
        (Lane::Readings, 2, moving(60)),
        (Lane::Events, 2, starts[1].clone()),
        (Lane::Readings, 3, moving(110)),
        (Lane::Readings, 4, moving(160)),
    ];
    for is_ahead in [false, true] {
        let mut mind = MachineMind::new(MachineId::new("stage").unwrap(), MachineFold::default());
        let mut found = Vec::new();
        let ahead = if is_ahead { 2 } else { 0 };
        for (n, start) in (1..).zip(&starts).take(ahead) {
            let (log, position) = place(Lane::Events, n);
            mind.at_once(log, position, None, start);
        }
        for (lane, n, record) in &in_turn {
            let (log, position) = place(*lane, *n);
            let time =
                (*lane == Lane::Readings).then(|| UnixMicros(T0 + i64::try_from(record.at.0).unwrap()));
            if time.is_none() && !is_ahead {
                mind.at_once(log, position, None, record);
            }
            let incidents = mind.fold(log, position, time, record).incidents;
            found.extend(incidents.into_iter().filter(|one| one.revision == 1).map(|one| (one.rule, *n)));
        }
        assert_eq!(found, [(Rule::TelemetryLostWhileMoving, 4)], "events ahead: {is_ahead}");
    }
}
