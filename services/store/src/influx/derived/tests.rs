//! What points look like, to the letter.

use domain::belt::{Contact, Direction, Origin};
use domain::handling::{Cause, Closing, Deed, Handling, HandlingState, Hurt};
use domain::ids::{IncidentId, MachineId, SiteId};
use domain::incident::{Incident, MeasuredStop, Severity};
use domain::registry::{BeltKind, DriveKind};
use domain::signal::Capabilities;
use domain::units::{Incline, Speed, UnixMicros};
use domain::usage::{Grade, Motion, MotionKey, Usage};

use super::*;
use crate::contract::an_incident;
use crate::fact::{Fact, FactKind, MachineChange, ServiceChange};
use crate::influx::line::Lines;
use crate::ledger::StoredIncident;
use crate::registry::{Machine, Registry, Site};

fn machine(name: &str) -> MachineId {
    MachineId::new(name).unwrap()
}

fn site(name: &str) -> SiteId {
    SiteId::new(name).unwrap()
}

#[track_caller]
fn check(lines: &Lines, expected: &[&str]) {
    assert_eq!(lines.iter().collect::<Vec<_>>(), expected);
}

fn usage() -> Usage {
    let mut usage = Usage::default();
    let key = |direction, origin, grade| MotionKey { direction, origin, grade };
    let motion = Motion {
        observed_us: 30_000_000,
        distance_nm: 41_670_999_999,
        speed_max: Speed(1_389),
        starts: 2,
        guidance: None,
    };
    usage.add(key(Direction::Reverse, Origin::Measured, Grade::Downhill), &motion);
    usage.add(key(Direction::Forward, Origin::Declared, Grade::Level), &Motion { starts: 0, ..motion });
    usage.rest_us = 840_000_000;
    usage.coverage.add(Capabilities::SPEED.and(Capabilities::DIRECTION), 600_000_000);
    usage.coverage.add(Capabilities::SPEED, 300_000_000);
    usage
}

#[test]
fn a_quarter_is_a_point_a_kind_of_motion_and_one_of_coverage() {
    let tm = machine("tm-01");
    let mut lines = Lines::new();
    let place = QuarterPlace { machine: &tm, day: 20_000, number: 95 };
    assert_eq!(usage_lines(place, &usage(), &mut lines), 0);
    let motion = "moving_us=30000000i,distance_mm=41670i,speed_max_mm_s=1389i";
    check(
        &lines,
        &[
            &format!(
                "usage,machine=tm-01,direction=forward,origin=declared,grade=level {motion},starts=0i 1728085500000000000"
            ),
            &format!(
                "usage,machine=tm-01,direction=reverse,origin=measured,grade=downhill {motion},starts=2i 1728085500000000000"
            ),
            "coverage,machine=tm-01 rest_us=840000000i,observed_us=900000000i,direction_us=600000000i 1728085500000000000",
        ],
    );
    // Before 1970 and beyond what InfluxDB can keep.
    let mut lines = Lines::new();
    let place = QuarterPlace { machine: &tm, day: -1, number: 0 };
    assert_eq!(usage_lines(place, &Usage::default(), &mut lines), 0);
    check(&lines, &["coverage,machine=tm-01 rest_us=0i,observed_us=0i,direction_us=0i -86400000000000"]);
    for day in [i32::MIN, i32::MAX] {
        let mut lines = Lines::new();
        assert_eq!(usage_lines(QuarterPlace { machine: &tm, day, number: 0 }, &usage(), &mut lines), 3);
        check(&lines, &[]);
    }
}

fn stored(incident: Incident) -> StoredIncident {
    let detected = UnixMicros(incident.time.0 + 2_000_000);
    StoredIncident { incident, detected, change: 9, unconfirmed: None, handling: Handling::default() }
}

fn bare() -> Incident {
    Incident {
        time: UnixMicros(1_770_000_300_000_001),
        severity: Severity::Critical,
        direction: Direction::Reverse,
        origin: Origin::Measured,
        cleared: None,
        speed: None,
        incline: None,
        contact: None,
        detail: String::new(),
        explained: String::new(),
        stop: None,
        machine: machine("tm-01"),
        revision: 3,
        ..an_incident(IncidentId([1; 16]))
    }
}

#[track_caller]
fn check_incident(stored: &StoredIncident, expected: &str) -> IncidentPlace {
    let place = incident_place(stored, Some(&site("gym-1"))).unwrap();
    let lines: Lines = incident_line(stored, &place).into_iter().collect();
    check(&lines, &[expected]);
    place
}

#[test]
fn an_incident_is_one_point_that_grows() {
    let open = stored(bare());
    let rule = open.incident.rule.name();
    let tags = format!("incident,machine=tm-01,site=gym-1,rule={rule}");
    let id = "01".repeat(16);
    let version = open.incident.rule_version;
    let count = open.incident.count;
    let first = check_incident(
        &open,
        &format!(
            "{tags} id=\"{id}\",severity=\"critical\",severity_level=5i,state=\"open\",active=t,direction=\"reverse\",\
             origin=\"measured\",late=f,needs_person=t,member=f,shelved=f,unconfirmed=f,count={count}i,\
             rule_version={version}i,revision=3i,detected_us=1770000302000001i 1770000300000001241"
        ),
    );
    assert_eq!(first.fields, 0);
    let deed = |time| Deed { number: 1, time: UnixMicros(time), by: "user:anna".to_owned() };
    let incident = Incident {
        cleared: Some(UnixMicros(1_770_000_304_500_001)),
        speed: Some(Speed(1_389)),
        incline: Some(Incline(-15)),
        contact: Some(Contact::EmergencyStop),
        detail: "it \"stopped\"".to_owned(),
        explained: "x".to_owned(),
        stop: Some(MeasuredStop { time_ms: 1_200, distance_mm: 800 }),
        revision: 4,
        ..bare()
    };
    let handling = Handling {
        state: HandlingState::Closed,
        shelved_until: Some(UnixMicros(9)),
        acknowledged: Some(deed(7)),
        closing: Some(Closing {
            first: deed(8),
            last: deed(9),
            cause: Some(Cause::MachineFault),
            hurt: Some(Hurt::No),
        }),
        ..Handling::default()
    };
    let closed = StoredIncident {
        detected: UnixMicros(1_770_002_000_000_000),
        handling,
        unconfirmed: Some(2),
        ..stored(incident)
    };
    let last = check_incident(
        &closed,
        &format!(
            "{tags} id=\"{id}\",severity=\"critical\",severity_level=5i,state=\"closed\",active=f,direction=\"reverse\",\
             origin=\"measured\",late=t,needs_person=f,member=f,shelved=f,unconfirmed=t,count={count}i,\
             rule_version={version}i,revision=4i,detected_us=1770002000000000i,speed_mm_s=1389i,\
             incline_tenths_percent=-15i,cleared_us=1770000304500001i,active_ms=4500i,contact=\"emergency_stop\",\
             detail=\"it \\\"stopped\\\"\",explained=\"x\",stop_time_ms=1200i,stop_distance_mm=800i,acknowledged_us=7i,\
             closed_us=8i,closed_cause=\"machine_fault\",hurt=\"no\",shelved_until_us=9i 1770000300000001241"
        ),
    );
    assert_eq!(last.fields, (1 << 14) - 1);
    // What has more fields replaces what has fewer, at one place.
    assert!(first.is_replaced_by(&last) && first.is_replaced_by(&first));
    assert!(!last.is_replaced_by(&first));
    assert!(!first.is_replaced_by(&IncidentPlace { site: "gym-2".to_owned(), ..last.clone() }));
    assert!(!first.is_replaced_by(&IncidentPlace { time: UnixMicros(1), ..last }));
}

#[test]
fn not_every_incident_is_a_point() {
    let place = |incident| incident_place(&stored(incident), None);
    assert_eq!(place(bare()).map(|place| place.site), Some(String::new()));
    assert_eq!(place(Incident { drill: Some(7), ..bare() }), None);
    assert_eq!(place(Incident { time: UnixMicros(i64::MAX - 9_000_000), ..bare() }), None);
}

#[test]
fn part_of_an_outage_needs_nobody_and_a_shelved_one_says_so() {
    let line = |handling| {
        let one = StoredIncident { handling, ..stored(bare()) };
        let place = incident_place(&one, None).unwrap();
        let lines: Lines = incident_line(&one, &place).into_iter().collect();
        lines.iter().next().unwrap().to_owned()
    };
    let member = line(Handling { lead: Some(IncidentId([9; 16])), ..Handling::default() });
    assert!(member.contains("needs_person=f,member=t,shelved=f"), "{member}");
    let shelved = line(Handling { shelved_until: Some(UnixMicros(9)), ..Handling::default() });
    assert!(shelved.contains("needs_person=t,member=f,shelved=t"), "{shelved}");
    assert!(shelved.starts_with("incident,machine=tm-01,rule="), "an unknown site is no tag: {shelved}");
}

/// A registry after some facts, a minute each.
fn registry(kinds: Vec<FactKind>) -> Registry {
    let mut registry = Registry::default();
    for (number, kind) in (1_u64..).zip(kinds) {
        let time = UnixMicros(number.cast_signed() * 60_000_000);
        let fact = Fact { time, author: "user:anna".to_owned(), request_id: None, kind };
        let changes = registry.follow(number, &fact).unwrap();
        registry.put(number, changes);
    }
    registry
}

#[test]
fn a_machine_is_a_point_for_each_time_in_which_the_same_held() {
    let new_site = |name: &str| {
        FactKind::SiteCreated(Site {
            id: site(name),
            display_name: name.to_owned(),
            time_zone: "UTC".to_owned(),
            created: UnixMicros(5),
            history: Default::default(),
        })
    };
    let new_machine = FactKind::MachineCreated(Machine {
        id: machine("tm-01"),
        site: site("gym-1"),
        display_name: "TM \"1\"".to_owned(),
        model: String::new(),
        belt: BeltKind::Unknown,
        drive: DriveKind::Motor,
        key_generation: 1,
        created: UnixMicros(7),
        place: None,
        revoked_generation: 0,
        revoked: None,
        acknowledged: None,
        history: Default::default(),
        drills: Vec::new(),
        maintained: None,
    });
    let changed = |model: Option<&str>, belt, moved: Option<&str>| {
        FactKind::MachineChanged(MachineChange {
            machine: machine("tm-01"),
            display_name: None,
            model: model.map(str::to_owned),
            belt,
            drive: None,
            site: moved.map(site),
        })
    };
    let tagged = |why: Option<&str>| {
        let out_of_service = why.map(str::to_owned);
        FactKind::ServiceChanged(ServiceChange { machine: machine("tm-01"), out_of_service })
    };
    let lines = |kinds: &[FactKind]| {
        let mut lines = Lines::new();
        machine_lines(&registry(kinds.to_vec()).machines()[&machine("tm-01")], &mut lines);
        lines
    };
    let mut kinds = vec![new_site("gym-1"), new_site("gym-2"), new_machine];
    let first = "machine,machine=tm-01 site=\"gym-1\",name=\"TM \\\"1\\\"\",belt=\"unknown\",drive=\"motor\",model=\"\",\
                 out_of_service=f 7000";
    check(&lines(&kinds), &[first]);
    kinds.push(changed(Some("M 9"), Some(BeltKind::Reversible), None));
    kinds.push(changed(None, None, Some("gym-2")));
    kinds.push(tagged(Some("smells")));
    let point = |site: &str, out: char, minute: i64| {
        format!(
            "machine,machine=tm-01 site=\"{site}\",name=\"TM \\\"1\\\"\",belt=\"reversible\",drive=\"motor\",model=\"M 9\",\
             out_of_service={out} {}",
            (minute * 60 + 10) * 1_000_000_000
        )
    };
    let (kind, moved, out) = (point("gym-1", 'f', 4), point("gym-2", 'f', 5), point("gym-2", 't', 6));
    check(&lines(&kinds), &[first, &kind, &moved, &out]);
}

#[test]
fn a_server_is_a_point() {
    let mut figures = ServiceFigures {
        machines: 12,
        agents_connected: 10,
        agents_late: 1,
        machines_moving: 3,
        readings_committed: 1_000,
        events_committed: 20,
        refused: 2,
        deferred: 3,
        records_lost: 4,
        journal_slices: Some(500),
        journal_behind_slices: Some(5),
        watermark_lag_us: Some(12_999_999),
        mirror_behind: 6,
        uptime_us: 61_000_000,
        troubles: Vec::new(),
    };
    let rest = "machines=12i,agents_connected=10i,agents_late=1i,machines_moving=3i,readings_committed=1000i,\
                events_committed=20i,refused=2i,deferred=3i,records_lost=4i,mirror_behind=6i,uptime_s=61i,\
                journal_slices=500i,journal_behind_slices=5i,watermark_lag_s=12i";
    let line = |figures: &ServiceFigures| -> Lines {
        service_line(figures, UnixMicros(1_770_000_300_000_000)).into_iter().collect()
    };
    check(&line(&figures), &[&format!("service ready=t,troubles=0i,{rest} 1770000300000000000")]);
    let said = |part: &str, message: &str| (part.to_owned(), message.to_owned());
    figures.troubles = vec![said("journal", "full"), said("telemetry", &"x".repeat(600))];
    let trouble = format!("journal: full; telemetry: {}", "x".repeat(474));
    let expected = format!("service ready=f,troubles=2i,{rest},trouble=\"{trouble}\" 1770000300000000000");
    check(&line(&figures), &[&expected]);
}
