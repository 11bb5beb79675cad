//! Proof tests as callers meet them: begun, ended, measured; when they are due; how braking changes.

mod proofs;

use domain::belt::{Contact, Direction};
use domain::incident::{Incident, MeasuredStop, Rule};
use domain::units::Speed;
use store::ledger::{Derived, DerivedIncident, Ledger};
use store::registry::Role;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use wire::api::v1;
use wire::api::v1::drill_service_client::DrillServiceClient;

use super::bad_input::check;
use super::incidents::incident;
use super::{Bench, ByOperator, NOON, seconds, with_token};

const DAY: i64 = 24 * 3_600;

async fn drills(bench: &Bench) -> DrillServiceClient<ByOperator> {
    DrillServiceClient::with_interceptor(bench.channel().await, bench.as_operator())
}

async fn put(bench: &Bench, incidents: Vec<DerivedIncident>) {
    bench.ledger.put(Derived { incidents, ..Derived::default() }).await.unwrap();
}

/// A stop of a belt at 1 m/s that came to rest in so many milliseconds; `None`: that was not seen.
fn stop(id: u8, second: i64, contact: Contact, time_ms: Option<u32>) -> DerivedIncident {
    let mut one = incident(id, "n-1", second);
    one.incident.rule =
        if contact == Contact::SafetyKey { Rule::SafetyKeyPulled } else { Rule::EmergencyStop };
    one.incident.contact = Some(contact);
    one.incident.stop = time_ms.map(|time_ms| MeasuredStop { time_ms, distance_mm: time_ms / 2 });
    one
}

fn with(mut one: DerivedIncident, change: impl FnOnce(&mut Incident)) -> DerivedIncident {
    change(&mut one.incident);
    one
}

fn start(minutes: i32, request_id: &str) -> v1::StartDrillRequest {
    v1::StartDrillRequest { machine_id: "n-1".to_owned(), minutes, request_id: request_id.to_owned() }
}

fn end(number: u64, note: &str) -> v1::EndDrillRequest {
    v1::EndDrillRequest { machine_id: "n-1".to_owned(), number, note: note.to_owned() }
}

/// The proof test with this number, or the newest.
async fn get(bench: &Bench, number: u64) -> Result<v1::Drill, Status> {
    let request = v1::GetDrillRequest { machine_id: "n-1".to_owned(), number };
    drills(bench).await.get_drill(request).await.map(|answer| answer.into_inner().drill.unwrap())
}

fn reason(status: &Status) -> (Code, String) {
    (status.code(), status.get_details_error_info().unwrap().reason)
}

#[tokio::test]
async fn bad_requests_name_field_value_and_what_is_allowed() {
    let bench = Bench::furnished().await;
    let mut service = drills(&bench).await;
    for minutes in [-1, 16] {
        let status = service.start_drill(start(minutes, "")).await.unwrap_err();
        check(status, "minutes", &[&minutes.to_string(), "1 to 15 are allowed"]);
    }
    let status = service.start_drill(start(1, &"x".repeat(65))).await.unwrap_err();
    check(status, "request_id", &["at most 64"]);
    let status = service.start_drill(v1::StartDrillRequest::default()).await.unwrap_err();
    check(status, "machine_id", &["\"\"", "1 to 64"]);
    let status = service.end_drill(end(1, &"x".repeat(201))).await.unwrap_err();
    check(status, "note", &["201 characters", "at most 200"]);
    let stops = |change: &dyn Fn(&mut v1::ListStopsRequest)| {
        let mut request = v1::ListStopsRequest { machine_id: "n-1".to_owned(), ..Default::default() };
        change(&mut request);
        request
    };
    let status = service.list_stops(stops(&|one| one.page_size = -1)).await.unwrap_err();
    check(status, "page_size", &["-1", "0 to 1000"]);
    let range = |start, end| Some(v1::TimeRange { start_time: start, end_time: end });
    let later = range(Some(seconds(5)), Some(seconds(5)));
    let status = service.list_stops(stops(&|one| one.range.clone_from(&later))).await.unwrap_err();
    check(status, "range.start_time", &["before"]);
    let long = range(Some(seconds(-3_661 * DAY)), None);
    let status = service.list_stops(stops(&|one| one.range.clone_from(&long))).await.unwrap_err();
    check(status, "range", &["3661 days", "at most 3660"]);
    let request = v1::ListProofsRequest { site_id: "N/1".to_owned(), ..Default::default() };
    check(service.list_proofs(request).await.unwrap_err(), "site_id", &["N/1", "a-z"]);
    let request = v1::ListDrillsRequest { machine_id: "N/1".to_owned(), ..Default::default() };
    check(service.list_drills(request).await.unwrap_err(), "machine_id", &["N/1", "a-z"]);
}

#[tokio::test]
async fn a_proof_test_from_its_beginning_to_its_end() {
    let bench = Bench::furnished().await;
    let mut service = drills(&bench).await;
    assert_eq!(reason(&get(&bench, 0).await.unwrap_err()), (Code::NotFound, "NOT_FOUND".to_owned()));
    let begun = service.start_drill(start(5, "one")).await.unwrap().into_inner().drill.unwrap();
    assert_eq!((begun.effective_time, begun.end_time), (Some(seconds(10)), Some(seconds(310))));
    assert!(begun.is_open && begun.author.contains("operator") && begun.machine_id == "n-1", "{begun:?}");
    bench.at(60);
    // The same request again, and others.
    assert_eq!(service.start_drill(start(5, "one")).await.unwrap().into_inner().drill.unwrap(), begun);
    let status = service.start_drill(start(6, "one")).await.unwrap_err();
    check(status, "request_id", &["used before"]);
    let status = service.start_drill(start(5, "two")).await.unwrap_err();
    assert_eq!(reason(&status), (Code::FailedPrecondition, "DRILL_UNDER_WAY".to_owned()));
    assert!(status.message().contains("\"n-1\" is under way; end it first"), "{status:?}");

    let number = begun.number;
    let ended = service.end_drill(end(number, "both good")).await.unwrap().into_inner().drill.unwrap();
    assert_eq!((ended.is_open, ended.note.as_str(), ended.end_time), (false, "both good", Some(seconds(70))));
    let facts = bench.ledger.registry().last_fact;
    bench.at(90);
    for note in ["", "both good"] {
        let again = service.end_drill(end(number, note)).await.unwrap().into_inner().drill.unwrap();
        assert_eq!(again, ended);
    }
    assert_eq!(bench.ledger.registry().last_fact, facts, "nothing new was said");
    let noted = service.end_drill(end(number, "the key is worn")).await.unwrap().into_inner().drill.unwrap();
    assert_eq!((noted.note.as_str(), noted.end_time), ("the key is worn", ended.end_time));
    assert_eq!(get(&bench, 0).await.unwrap(), noted);

    let second = service.start_drill(start(0, "")).await.unwrap().into_inner().drill.unwrap();
    assert_eq!(second.end_time, Some(seconds(700)), "10 minutes");
    assert_eq!(get(&bench, 0).await.unwrap().number, second.number);
    assert_eq!(get(&bench, number).await.unwrap(), noted);
    bench.at(700);
    assert!(!get(&bench, 0).await.unwrap().is_open, "it ends by itself");
    let all = service.list_drills(v1::ListDrillsRequest::default()).await.unwrap().into_inner().drills;
    assert_eq!(all.iter().map(|one| one.number).collect::<Vec<_>>(), [second.number, number]);
    for wrong in [number + 1, 0] {
        let status = service.end_drill(end(wrong, "")).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        assert!(status.message().contains(&format!("no proof test \"n-1/{wrong}\"")), "{status:?}");
    }
}

#[tokio::test]
async fn what_is_elsewhere_is_not_there() {
    let bench = Bench::furnished().await;
    let mut service = drills(&bench).await;
    let begun = service.start_drill(start(5, "")).await.unwrap().into_inner().drill.unwrap();
    let south = bench.token_of(Role::Staff, &["south"]).await;
    let request = with_token(&south, v1::ListDrillsRequest::default());
    assert_eq!(service.list_drills(request).await.unwrap().into_inner().drills, []);
    let codes = [
        service.start_drill(with_token(&south, start(5, ""))).await.unwrap_err().code(),
        service.end_drill(with_token(&south, end(begun.number, ""))).await.unwrap_err().code(),
    ];
    assert_eq!(codes, [Code::NotFound; 2]);
    let ids: Vec<String> =
        proofs::listed(&bench, Some(&south), "").await.into_iter().map(|one| one.0).collect();
    assert_eq!(ids, ["s-1", "s-1"]);
    assert!(get(&bench, begun.number).await.unwrap().is_open, "nobody has ended it");
}

/// A machine that was commissioned with a stop from 1 m/s in 1 s, in its proof test, and the number of that; what was found
/// in the test, and besides.
async fn tested() -> (Bench, u64) {
    let bench = Bench::furnished().await;
    let commissioned = v1::CommissionedStop {
        contact: "emergency_stop".to_owned(),
        speed_mps: 1.0,
        time: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
    };
    let request = v1::RecordCommissioningRequest {
        machine_id: "n-1".to_owned(),
        stops: vec![commissioned],
        ..Default::default()
    };
    bench.admin().await.record_commissioning(request).await.unwrap();
    let begun = drills(&bench).await.start_drill(start(5, "")).await;
    let drill = begun.unwrap().into_inner().drill.unwrap().number;
    let button = |id, second, time_ms| stop(id, second, Contact::EmergencyStop, time_ms);
    let in_drill = |one| with(one, |one| one.drill = Some(drill));
    put(
        &bench,
        vec![
            in_drill(button(1, 20, Some(1_500))),
            in_drill(button(2, 40, Some(1_501))),
            in_drill(stop(3, 60, Contact::SafetyKey, Some(900))),
            in_drill(button(4, 80, None)),
            in_drill(with(button(5, 90, None), |one| one.speed = Some(Speed(0)))),
            in_drill(with(incident(6, "n-1", 95), |one| one.rule = Rule::AbruptStop)),
            with(button(7, 100, Some(3_000)), |one| one.speed = Some(Speed(2_000))),
            with(button(8, 110, Some(1_000)), |one| one.drill = Some(drill + 99)),
            button(9, 5, Some(1_000)),
        ],
    )
    .await;
    bench.at(120);
    (bench, drill)
}

/// Seconds after noon, whether it passed, milliseconds, limit.
fn told(stop: &v1::Stop) -> (i64, bool, Option<i64>, Option<i64>) {
    let ms = |one: &prost_types::Duration| one.seconds * 1_000 + i64::from(one.nanos) / 1_000_000;
    let second = stop.time.unwrap().seconds - seconds(0).seconds;
    (second, stop.passed, stop.stop_time.as_ref().map(ms), stop.limit.as_ref().map(ms))
}

#[tokio::test]
async fn stops_of_a_proof_test_are_measured_and_the_rest_is_suppressed() {
    let (bench, drill) = tested().await;
    let found = get(&bench, 0).await.unwrap();
    assert_eq!(
        found.stops.iter().map(told).collect::<Vec<_>>(),
        [
            (20, true, Some(1_500), Some(1_500)),
            (40, false, Some(1_501), Some(1_500)),
            (60, false, Some(900), None),
            (80, false, None, Some(1_500)),
        ]
    );
    let first = &found.stops[0];
    assert_eq!(
        (first.contact.as_str(), first.speed_mps, first.distance_m),
        ("emergency_stop", Some(1.0), Some(0.75))
    );
    assert_eq!(
        (first.direction(), first.drill, first.incident_id.as_str()),
        (v1::Direction::Reverse, drill, &*"01".repeat(16))
    );
    assert_eq!(found.stops[2].contact, "safety_key");
    let rules: Vec<&str> = found.suppressed.iter().map(|one| one.rule.as_str()).collect();
    assert_eq!(rules, ["emergency-stop", "abrupt-stop"], "pressed at standstill it is no test");
}

#[tokio::test]
async fn stops_of_a_machine_are_held_against_its_commissioning() {
    let (bench, drill) = tested().await;
    let mut service = drills(&bench).await;
    let request = v1::ListStopsRequest { machine_id: "n-1".to_owned(), ..Default::default() };
    let list = service.list_stops(request.clone()).await.unwrap().into_inner();
    assert_eq!(
        list.stops.iter().map(|one| (told(one), one.drill)).collect::<Vec<_>>(),
        [
            ((110, true, Some(1_000), Some(1_500)), drill + 99),
            ((100, true, Some(3_000), Some(3_000)), 0),
            ((60, false, Some(900), None), drill),
            ((40, false, Some(1_501), Some(1_500)), drill),
            ((20, true, Some(1_500), Some(1_500)), drill),
            // What was set holds from 10 s after it.
            ((5, false, Some(1_000), None), 0),
        ]
    );
    assert_eq!((list.has_more, list.trends.len()), (false, 0));
    let range = Some(v1::TimeRange { start_time: Some(seconds(40)), end_time: Some(seconds(110)) });
    let part = v1::ListStopsRequest { range, page_size: 2, ..request };
    let part = service.list_stops(part).await.unwrap().into_inner();
    assert_eq!(part.stops.iter().map(|one| told(one).0).collect::<Vec<_>>(), [100, 60]);
    assert!(part.has_more);
}

#[tokio::test]
async fn braking_that_becomes_weaker_has_a_trend() {
    let bench = Bench::furnished().await;
    // 1.00, 0.98 … 0.92 m/s² from 1 m/s, a week apart: 0.02 a week are 0.0857 in 30 days, of 0.96.
    let times = [1_000, 1_020, 1_042, 1_064, 1_087];
    let weekly = |(week, time_ms): (u8, u32)| {
        stop(week, (i64::from(week) - 6) * 7 * DAY, Contact::EmergencyStop, Some(time_ms))
    };
    put(&bench, (1..).zip(times).map(weekly).collect()).await;
    put(&bench, (10..14).map(|id| stop(id, -i64::from(id) * DAY, Contact::SafetyKey, Some(1_000))).collect())
        .await;
    let mut service = drills(&bench).await;
    let request = v1::ListStopsRequest { machine_id: "n-1".to_owned(), page_size: 1, ..Default::default() };
    let list = service.list_stops(request.clone()).await.unwrap().into_inner();
    let [trend] = &list.trends[..] else { panic!("{list:?}") };
    assert_eq!((trend.contact.as_str(), trend.stops), ("emergency_stop", 5));
    assert!((trend.deceleration_mps2 - 0.96).abs() < 0.001, "{trend:?}");
    assert!((trend.deceleration_percent_per_30_days + 8.9).abs() < 0.1, "{trend:?}");
    assert!(list.has_more, "the trend is of all, not of the page");
    let range = Some(v1::TimeRange { start_time: Some(seconds(-20 * DAY)), end_time: None });
    let part = service.list_stops(v1::ListStopsRequest { range, ..request }).await.unwrap().into_inner();
    assert_eq!(part.trends, []);
}

#[tokio::test]
async fn while_it_is_on_its_stops_call_nobody_and_the_machine_says_until_when() {
    let bench = Bench::furnished().await;
    drills(&bench).await.start_drill(start(5, "")).await.unwrap();
    let stopped = |second: i64| {
        let mut live = super::moving("n-1", Direction::Stopped, 0);
        live.last_stop = Some(domain::stop::Stop {
            time: NOON.plus(second * 1_000_000),
            contact: domain::stop::StopContact::EmergencyStop,
            direction: Direction::Forward,
            speed: Some(Speed(1_000)),
            released: None,
        });
        live
    };
    let state = async || {
        let request = v1::GetMachineRequest { machine_id: "n-1".to_owned() };
        bench.fleet().await.get_machine(request).await.unwrap().into_inner().machine.unwrap()
    };
    bench.feed.put(stopped(20));
    bench.at(25);
    let shown = state().await;
    assert_ne!(shown.status(), v1::Status::EmergencyStop);
    assert_eq!(shown.drill_until_time, Some(seconds(310)));
    assert_ne!(shown.last_stop.unwrap().drill, 0);
    bench.at(311);
    let shown = state().await;
    assert_ne!(shown.status(), v1::Status::EmergencyStop, "nobody is called afterwards, either");
    assert_eq!(shown.drill_until_time, None);
    // The next one is none of the test's.
    bench.feed.put(stopped(311));
    assert_eq!(state().await.status(), v1::Status::EmergencyStop);
}
