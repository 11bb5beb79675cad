//! Blind spots and rates: what can be told, and how often it happens.

use domain::belt::{Direction, Origin};
use domain::ids::SessionId;
use domain::incident::Rule;
use domain::live::{LiveState, Segment, Session};
use domain::signal::Capabilities;
use domain::units::Speed;
use domain::usage::Grade;
use store::fact::{Fact, FactKind, NewCommissioning};
use store::ledger::{Derived, Ledger};
use wire::api::v1;

use super::super::{Bench, NOON, machine_id, seconds};
use super::{changed, incident};

pub(super) const ENCODER: Capabilities =
    Capabilities::SPEED.and(Capabilities::DIRECTION).and(Capabilities::EMERGENCY_STOP);

impl Bench {
    pub(super) fn can(&self, machine: &str, capabilities: Capabilities) {
        self.feed.put(LiveState { capabilities, heard: Some(NOON), ..LiveState::new(machine_id(machine)) });
    }

    pub(super) async fn prove_direction(&self, machine: &str) {
        let new = NewCommissioning {
            machine: machine_id(machine),
            direction_proven: true,
            stops: Vec::new(),
            silent_on_stop: false,
            incline_is_target: false,
            note: String::new(),
            seen: None,
        };
        // Long ago, so that it held when what these tests look at happened.
        let (time, kind) = (NOON.plus(-36_000_000_000), FactKind::Commissioned(new));
        let fact = Fact { time, author: "test".to_owned(), request_id: None, kind };
        self.ledger.add_fact(fact).await.unwrap();
    }

    async fn sight(&self, machine: &str) -> v1::MachineSight {
        let request = v1::ListBlindSpotsRequest { site_id: String::new(), machine_id: machine.to_owned() };
        let mut machines =
            self.incidents().await.list_blind_spots(request).await.unwrap().into_inner().machines;
        assert_eq!(machines.len(), 1);
        machines.remove(0)
    }
}

fn of(sight: &v1::MachineSight, rule: &str) -> (v1::Sight, String) {
    let found = sight.rules.iter().find(|one| one.rule == rule).unwrap();
    (found.sight(), found.reason.clone())
}

#[tokio::test]
async fn a_machine_says_what_it_can_report() {
    let bench = Bench::furnished().await;
    let unknown = bench.sight("n-1").await;
    assert_eq!((unknown.rules.len(), of(&unknown, "emergency-stop").0), (30, v1::Sight::Unknown));
    assert!(unknown.gains.is_empty() && unknown.capabilities.is_empty());

    bench.can("n-1", Capabilities::SPEED);
    let blind = bench.sight("n-1").await;
    assert_eq!(
        of(&blind, "emergency-stop"),
        (v1::Sight::Blind, "the machine does not report emergency_stop".to_owned())
    );
    let gain = blind.gains.iter().find(|gain| gain.capability == "emergency_stop").unwrap();
    assert!(gain.rules.contains(&"emergency-stop".to_owned()), "{gain:?}");
    assert!(blind.gains.is_sorted_by_key(|gain| std::cmp::Reverse(gain.rules.len())), "{:?}", blind.gains);

    bench.can("n-1", ENCODER);
    let untested = bench.sight("n-1").await;
    assert_eq!(untested.capabilities, ["direction", "emergency_stop", "speed"]);
    assert_eq!(of(&untested, "emergency-stop"), (v1::Sight::Untested, String::new()));
    let (sight, reason) = of(&untested, "reverse-overspeed");
    assert_eq!((sight, reason.contains("proven")), (v1::Sight::Blind, true), "{reason}");
    bench.prove_direction("n-1").await;
    assert_eq!(of(&bench.sight("n-1").await, "reverse-overspeed").0, v1::Sight::Untested);
    bench.found(vec![incident(1, "n-1", 0), incident(2, "n-2", 0)]).await;
    assert_eq!(of(&bench.sight("n-1").await, "emergency-stop").0, v1::Sight::Seen);

    let request = v1::ListBlindSpotsRequest { site_id: "north".to_owned(), ..Default::default() };
    let machines = bench.incidents().await.list_blind_spots(request).await.unwrap().into_inner().machines;
    assert_eq!(machines.iter().map(|one| one.machine_id.as_str()).collect::<Vec<_>>(), ["n-1", "n-2"]);
}

/// A session with one segment each of reverse, rest and forward, 10 minutes each, half of which was seen.
async fn session(bench: &Bench, id: u8, machine: &str, start_s: i64) {
    let at = |minute: i64| NOON.plus((start_s + minute * 60) * 1_000_000);
    let segment = |direction, from: i64| Segment {
        ended: at(from + 10),
        observed_us: 300_000_000,
        distance_mm: 1,
        speed_max: Speed(if direction == Direction::Stopped { 0 } else { 1_000 }),
        ..Segment::begun(direction, Origin::Measured, Grade::Unknown, at(from))
    };
    let session = Session {
        id: SessionId([id; 16]),
        machine: machine_id(machine),
        started: at(0),
        last_motion: at(30),
        ended: true,
        segments: vec![
            segment(Direction::Reverse, 0),
            segment(Direction::Stopped, 10),
            segment(Direction::Forward, 20),
        ],
        revision: 1,
    };
    bench.ledger.put(Derived { sessions: vec![session], ..Derived::default() }).await.unwrap();
}

#[tokio::test]
async fn rates_are_of_machines_that_can_report_what_is_asked() {
    let bench = Bench::furnished().await;
    for machine in ["n-1", "s-1"] {
        bench.can(machine, ENCODER);
    }
    // Of s-1 nobody has proven the direction; n-2 reports nothing.
    bench.prove_direction("n-1").await;
    session(&bench, 1, "n-1", -7_200).await;
    session(&bench, 2, "n-2", -7_200).await;
    session(&bench, 3, "s-1", -7_200).await;
    // Reaches into the span with the last 5 of its first 10 minutes.
    session(&bench, 4, "n-1", -10_800 - 300).await;
    let elsewhere = changed(incident(4, "n-1", -20_000), |one| one.rule = Rule::EmergencyStop);
    let forward = changed(incident(5, "n-1", -60), |one| one.direction = Direction::Forward);
    bench
        .found(vec![
            incident(1, "n-1", -100),
            incident(2, "n-1", -90),
            incident(3, "n-2", -90),
            elsewhere,
            forward,
        ])
        .await;
    let rates = async |rules: &[&str]| {
        let range = Some(v1::TimeRange { start_time: Some(seconds(-10_800)), end_time: None });
        let rules = rules.iter().map(|rule| (*rule).to_owned()).collect();
        let filter = Some(v1::IncidentFilter { rules, range, ..Default::default() });
        let request = v1::GetIncidentRatesRequest { filter };
        bench.incidents().await.get_incident_rates(request).await.unwrap().into_inner()
    };
    let found = rates(&["emergency-stop"]).await;
    let (reverse, unknown) = (found.reverse.unwrap(), found.unknown.unwrap());
    assert_eq!((reverse.incidents, reverse.minutes), (2, 7.5));
    assert_eq!((reverse.machines_able, reverse.machines), (1, 3));
    assert!(reverse.too_few_to_tell);
    let per = |count: f64| count * 1_000.0 / 7.5;
    assert_eq!(reverse.per_1000_minutes, Some(per(2.0)));
    assert!((reverse.lower.unwrap() - per(0.242_209)).abs() < 0.01, "{reverse:?}");
    assert!((reverse.upper.unwrap() - per(7.224_688)).abs() < 0.01, "{reverse:?}");
    let forward = found.forward.unwrap();
    assert_eq!((forward.incidents, forward.minutes), (1, 10.0));
    assert_eq!((unknown.incidents, unknown.minutes, unknown.machines_able), (0, 10.0, 2));
    // No machine can tell this: nothing is said, and not that there was none.
    let none = rates(&["emergency-stop", "heart-rate-limit"]).await.reverse.unwrap();
    assert_eq!((none.per_1000_minutes, none.machines_able, none.minutes), (None, 0, 0.0));
}

#[tokio::test]
async fn rates_go_by_where_a_machine_stood() {
    let bench = Bench::furnished().await;
    bench.can("n-1", ENCODER);
    bench.prove_direction("n-1").await;
    session(&bench, 1, "n-1", -7_200).await;
    session(&bench, 2, "n-1", 3_600).await;
    bench.found(vec![incident(1, "n-1", -100), incident(2, "n-1", 4_000), incident(3, "n-1", 4_100)]).await;
    let machine = v1::Machine { id: "n-1".to_owned(), site_id: "south".to_owned(), ..Default::default() };
    let update_mask = Some(prost_types::FieldMask { paths: vec!["site_id".to_owned()] });
    let request = v1::UpdateMachineRequest { machine: Some(machine), update_mask };
    bench.admin().await.update_machine(request).await.unwrap();
    bench.at(7_200);
    for (site, expected) in [("north", (1, 5.0, 1, 2)), ("south", (2, 5.0, 1, 2)), ("", (3, 10.0, 1, 3))] {
        let range = Some(v1::TimeRange { start_time: Some(seconds(-10_800)), end_time: None });
        let filter = Some(v1::IncidentFilter { site_id: site.to_owned(), range, ..Default::default() });
        let request = v1::GetIncidentRatesRequest { filter };
        let found = bench.incidents().await.get_incident_rates(request).await.unwrap().into_inner();
        let reverse = found.reverse.unwrap();
        let found = (reverse.incidents, reverse.minutes, reverse.machines_able, reverse.machines);
        assert_eq!(found, expected, "{site}");
    }
}
