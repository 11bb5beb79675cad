//! Incidents as callers meet them: lists, counts, one with its evidence, watches, rules.

mod bad;
mod rebuild;
mod recount;
mod rehearsal;
mod sights;
mod sources;
mod watch;

use domain::belt::{Contact, Contacts, Direction, Origin};
use domain::ids::{IncidentId, RecordingId};
use domain::incident::{Incident, MeasuredStop, Rule, Severity, TracePoint};
use domain::signal::Capabilities;
use domain::units::{Incline, Speed};
use store::ledger::{Derived, DerivedIncident, DerivedPiece, Ledger, RecordedPoint};
use tonic::Code;
use wire::api::v1;

use super::{Bench, NOON, machine_id, seconds, with_token};

/// An active critical emergency stop of a belt in reverse, so many seconds after noon, found 2 s later.
pub(super) fn incident(id: u8, machine: &str, second: i64) -> DerivedIncident {
    let time = NOON.plus(second * 1_000_000);
    let point = |offset: i64, speed| TracePoint {
        time: time.plus(offset * 1_000_000),
        span_ms: 1_000,
        direction: Direction::Reverse,
        origin: Origin::Measured,
        speeds: Some((Speed(speed), Speed(speed), Speed(speed + 10))),
        incline: Some(Incline(15)),
        contacts: Contacts { closed: 0, open: Contact::EmergencyStop.bit() },
    };
    let incident = Incident {
        id: IncidentId([id; 16]),
        machine: machine_id(machine),
        rule: Rule::EmergencyStop,
        rule_version: 1,
        severity: Severity::Critical,
        time,
        noticed: time,
        drill: None,
        cleared: None,
        direction: Direction::Reverse,
        origin: Origin::Measured,
        speed: Some(Speed(1_000)),
        incline: Some(Incline(15)),
        contact: Some(Contact::EmergencyStop),
        count: 1,
        measured: vec![("held_ms".to_owned(), 7)],
        thresholds: vec![("emergency-stop.reset".to_owned(), 50)],
        detail: "the button".to_owned(),
        explained: String::new(),
        capabilities: Capabilities::SPEED.and(Capabilities::DIRECTION),
        stop: Some(MeasuredStop { time_ms: 1_500, distance_mm: 750 }),
        recording: Some(RecordingId([id; 16])),
        trace: vec![point(-1, 1_000), point(0, 500)],
        trace_complete: true,
        revision: 1,
    };
    DerivedIncident { incident, detected: time.plus(2_000_000) }
}

impl Bench {
    pub(super) async fn found(&self, incidents: Vec<DerivedIncident>) {
        self.ledger.put(Derived { incidents, ..Derived::default() }).await.unwrap();
    }
}

pub(super) fn changed(mut one: DerivedIncident, change: impl FnOnce(&mut Incident)) -> DerivedIncident {
    change(&mut one.incident);
    one
}

/// Seven incidents: of `n-1` 0 to 3, of `n-2` 4 and 5, of `s-1` 6; some of them of other kinds.
async fn with_incidents() -> Bench {
    let bench = Bench::furnished().await;
    let overspeed = |one: &mut Incident| (one.rule, one.severity) = (Rule::ReverseOverspeed, Severity::High);
    bench
        .found(vec![
            incident(0, "n-1", -100),
            changed(incident(1, "n-1", -200), overspeed),
            changed(incident(2, "n-1", -300), |one| one.cleared = Some(NOON)),
            changed(incident(3, "n-1", -400), |one| one.severity = Severity::Medium),
            changed(incident(4, "n-2", -500), |one| one.direction = Direction::Forward),
            changed(incident(5, "n-2", -600), overspeed),
            incident(6, "s-1", -700),
        ])
        .await;
    bench
}

/// The recording of an incident, all of it.
pub(super) async fn with_recording(bench: &Bench, number: u8) {
    let point = |ms: i64| RecordedPoint {
        time: NOON.plus(-100_000_000 + ms * 1_000),
        direction: Direction::Reverse,
        origin: Origin::Measured,
        speed: Some(Speed(1_000)),
        incline: None,
        contacts: Contacts::default(),
    };
    let piece = DerivedPiece {
        recording: RecordingId([number; 16]),
        machine: machine_id("n-1"),
        number: 0,
        is_last: true,
        points: (-20..20).map(point).collect(),
    };
    bench.ledger.put(Derived { recordings: vec![piece], ..Derived::default() }).await.unwrap();
}

/// First digits of the ids.
pub(super) fn numbers(incidents: &[v1::Incident]) -> Vec<u8> {
    incidents.iter().map(|incident| u8::from_str_radix(&incident.id[..2], 16).unwrap()).collect()
}

#[tokio::test]
async fn filters_orders_and_counts() {
    let bench = with_incidents().await;
    let mut service = bench.incidents().await;
    let all = v1::IncidentFilter::default;
    let mut check = async |filter: v1::IncidentFilter, order: v1::IncidentOrder, expected: &[u8]| {
        let request = v1::ListIncidentsRequest {
            filter: Some(filter.clone()),
            order: order.into(),
            ..Default::default()
        };
        let page = service.list_incidents(request).await.unwrap().into_inner();
        assert_eq!(numbers(&page.incidents), expected, "{filter:?}");
        assert_eq!(page.next_page_token, "");
        let counts = service.count_incidents(v1::CountIncidentsRequest { filter: Some(filter) }).await;
        let counts = counts.unwrap().into_inner().counts;
        assert_eq!(counts.iter().map(|one| one.count).sum::<u64>(), expected.len() as u64);
    };
    use v1::IncidentOrder::{NewestFirst, OldestFirst, Unspecified, WorstFirst};
    check(all(), Unspecified, &[0, 1, 2, 3, 4, 5, 6]).await;
    check(all(), NewestFirst, &[0, 1, 2, 3, 4, 5, 6]).await;
    check(all(), OldestFirst, &[6, 5, 4, 3, 2, 1, 0]).await;
    check(all(), WorstFirst, &[0, 2, 4, 6, 1, 5, 3]).await;
    check(v1::IncidentFilter { site_id: "north".to_owned(), ..all() }, NewestFirst, &[0, 1, 2, 3, 4, 5])
        .await;
    let machines = vec!["n-2".to_owned(), "s-1".to_owned()];
    check(v1::IncidentFilter { machine_ids: machines, ..all() }, NewestFirst, &[4, 5, 6]).await;
    let rules = vec!["reverse-overspeed".to_owned(); 2];
    check(v1::IncidentFilter { rules, ..all() }, NewestFirst, &[1, 5]).await;
    let severities = vec![v1::Severity::Medium.into(), v1::Severity::High.into()];
    check(v1::IncidentFilter { severities, ..all() }, WorstFirst, &[1, 5, 3]).await;
    let directions = vec![v1::Direction::Forward.into()];
    check(v1::IncidentFilter { directions, ..all() }, NewestFirst, &[4]).await;
    let state = v1::IncidentState::Cleared.into();
    check(v1::IncidentFilter { state, ..all() }, NewestFirst, &[2]).await;
    let state = v1::IncidentState::Active.into();
    check(v1::IncidentFilter { state, ..all() }, NewestFirst, &[0, 1, 3, 4, 5, 6]).await;
    let range = Some(v1::TimeRange { start_time: Some(seconds(-500)), end_time: Some(seconds(-200)) });
    check(v1::IncidentFilter { range, ..all() }, NewestFirst, &[2, 3, 4]).await;
    let range = Some(v1::TimeRange { start_time: None, end_time: Some(seconds(-600)) });
    check(v1::IncidentFilter { range, ..all() }, NewestFirst, &[6]).await;
    let range = Some(v1::TimeRange { start_time: Some(seconds(-200)), end_time: None });
    check(v1::IncidentFilter { range, ..all() }, NewestFirst, &[0, 1]).await;
}

#[tokio::test]
async fn pages_give_each_incident_once_in_every_order_and_their_token_is_bound() {
    let bench = Bench::furnished().await;
    let kinds = Severity::ALL;
    let many = (0..40_u8).map(|id| {
        // Four at each moment.
        changed(incident(id, "n-1", -i64::from(id / 4)), |one| one.severity = kinds[usize::from(id) % 5])
    });
    bench.found(many.collect()).await;
    let mut service = bench.incidents().await;
    for order in 1..=3 {
        for page_size in [1, 7, 39, 40, 41] {
            let (mut ids, mut page_token) = (Vec::new(), String::new());
            loop {
                let request = v1::ListIncidentsRequest { order, page_size, page_token, filter: None };
                let page = service.list_incidents(request).await.unwrap().into_inner();
                assert!(page.incidents.len() <= page_size as usize);
                ids.extend(numbers(&page.incidents));
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    break;
                }
            }
            ids.sort_unstable();
            assert_eq!(ids, (0..40).collect::<Vec<_>>(), "order {order}, {page_size} a page");
        }
    }
    let first = v1::ListIncidentsRequest { page_size: 3, ..Default::default() };
    let page_token = service.list_incidents(first).await.unwrap().into_inner().next_page_token;
    let other = v1::ListIncidentsRequest { order: 2, page_token, ..Default::default() };
    let status = service.list_incidents(other).await.unwrap_err();
    assert!(status.message().contains("page_token belongs to a request with other fields"), "{status:?}");
}

#[tokio::test]
async fn one_incident_has_its_evidence() {
    let bench = with_incidents().await;
    let piece = |number, is_last, offsets: &[i64]| DerivedPiece {
        recording: RecordingId([0; 16]),
        machine: machine_id("n-1"),
        number,
        is_last,
        points: offsets
            .iter()
            .map(|ms| RecordedPoint {
                time: NOON.plus(-100_000_000 + ms * 1_000),
                direction: Direction::Reverse,
                origin: Origin::Measured,
                speed: Some(Speed(1_000)),
                incline: None,
                contacts: Contacts::default(),
            })
            .collect(),
    };
    let mut service = bench.incidents().await;
    let mut get = async || {
        let request = v1::GetIncidentRequest { incident_id: "00".repeat(16) };
        service.get_incident(request).await.unwrap().into_inner()
    };
    let found = get().await;
    assert!(found.recording.is_empty() && !found.recording_complete);
    let incident = found.incident.unwrap();
    assert_eq!((incident.title.as_str(), incident.site_id.as_str()), ("Emergency stop", "north"));
    assert_eq!((incident.time, incident.detect_time), (Some(seconds(-100)), Some(seconds(-98))));
    assert_eq!((incident.speed_mps, incident.incline_percent), (Some(1.0), Some(1.5)));
    assert_eq!(incident.stop.unwrap().distance_m, 0.75);
    assert_eq!(incident.capabilities, ["direction", "speed"]);
    assert!(incident.has_recording && !incident.late);
    assert_eq!(
        found.readings.iter().map(|one| one.speed_mean_mps).collect::<Vec<_>>(),
        [Some(1.0), Some(0.5)]
    );
    assert!(!found.readings_incomplete);
    assert!(found.rule.unwrap().action_card.starts_with("Go to the person."));

    let put =
        async |recordings| bench.ledger.put(Derived { recordings, ..Derived::default() }).await.unwrap();
    put(vec![piece(0, false, &[-20, -10]), piece(2, true, &[10])]).await;
    let found = get().await;
    assert_eq!((found.recording.len(), found.recording_complete), (3, false), "a piece is missing");
    put(vec![piece(1, false, &[0])]).await;
    let found = get().await;
    assert_eq!((found.recording.len(), found.recording_complete), (4, true));
    assert!(found.recording.is_sorted_by_key(|point| point.time.map(|time| (time.seconds, time.nanos))));
}

#[tokio::test]
async fn what_was_found_late_says_so() {
    let bench = Bench::furnished().await;
    for (id, minutes, late) in [(1, 15, false), (2, 16, true)] {
        let mut one = incident(id, "n-1", -7_200);
        one.detected = one.incident.time.plus(minutes * 60_000_000);
        bench.found(vec![one]).await;
        let request = v1::GetIncidentRequest { incident_id: format!("{id:02x}").repeat(16) };
        let found = bench.incidents().await.get_incident(request).await.unwrap().into_inner();
        assert_eq!(found.incident.unwrap().late, late, "after {minutes} min");
    }
}

#[tokio::test]
async fn a_caller_of_one_site_sees_its_incidents_only() {
    let bench = with_incidents().await;
    let token = bench.token(&["south"]).await;
    let mut service = bench.incidents().await;
    let request = with_token(&token, v1::ListIncidentsRequest::default());
    let page = service.list_incidents(request).await.unwrap().into_inner();
    assert_eq!(numbers(&page.incidents), [6]);
    let counts = service.count_incidents(with_token(&token, v1::CountIncidentsRequest::default())).await;
    assert_eq!(counts.unwrap().into_inner().counts.len(), 1);
    let request = v1::GetIncidentRequest { incident_id: "00".repeat(16) };
    let status = service.get_incident(with_token(&token, request)).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound, "{status:?}");
}

#[tokio::test]
async fn rules_come_with_the_thresholds_that_hold() {
    let bench = Bench::furnished().await;
    let (mut service, mut admin) = (bench.incidents().await, bench.admin().await);
    let name = "reverse-overspeed.limit";
    let mut limit = async |site: &str, machine: &str| {
        let request = v1::ListRulesRequest {
            site_id: site.to_owned(),
            machine_id: machine.to_owned(),
            ..Default::default()
        };
        let rules = service.list_rules(request).await.unwrap().into_inner().rules;
        assert_eq!(rules.iter().map(|rule| rule.number).collect::<Vec<_>>(), (1..=30).collect::<Vec<_>>());
        let mut thresholds = rules.into_iter().flat_map(|rule| rule.thresholds);
        let found = thresholds.find(|threshold| threshold.name == name).unwrap();
        (found.value, found.set_for)
    };
    let mut set = async |site: &str, machine: &str, value: Option<i64>| {
        let named = |value| v1::NamedValue { name: name.to_owned(), value };
        let request = v1::SetThresholdsRequest {
            site_id: site.to_owned(),
            machine_id: machine.to_owned(),
            thresholds: value.map(named).into_iter().collect(),
            cleared: if value.is_none() { vec![name.to_owned()] } else { Vec::new() },
            ..Default::default()
        };
        admin.set_thresholds(request).await.unwrap().into_inner()
    };
    assert_eq!(limit("", "n-1").await, (None, String::new()));
    let answer = set("north", "", Some(1_000)).await;
    assert_eq!(answer.effective_time, Some(seconds(10)));
    assert_eq!(answer.thresholds, [v1::NamedValue { name: name.to_owned(), value: 1_000 }]);
    assert_eq!(limit("", "n-1").await, (Some(1_000), "site".to_owned()));
    assert_eq!(limit("", "s-1").await, (None, String::new()));
    set("", "n-1", Some(1_200)).await;
    assert_eq!(limit("", "n-1").await, (Some(1_200), "machine".to_owned()));
    assert_eq!(limit("north", "").await, (Some(1_000), "site".to_owned()));
    set("", "n-1", None).await;
    assert_eq!(limit("", "n-1").await, (Some(1_000), "site".to_owned()));
    assert_eq!(limit("", "").await, (None, String::new()), "the defaults");
}
