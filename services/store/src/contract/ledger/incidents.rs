//! Cases of incidents: versions, changes, counts, what is refused.

use domain::belt::{Contact, Contacts, Direction, Origin};
use domain::handling::Handling;
use domain::ids::{IncidentId, MachineId, RecordingId};
use domain::incident::{Incident, MeasuredStop, Rule, Severity, TracePoint};
use domain::signal::Capabilities;
use domain::units::{Incline, Speed};

use crate::StoreErrorKind;
use crate::contract::given::{machine, second};
use crate::contract::refused;
use crate::ledger::{
    Derived, DerivedIncident, IncidentCount, IncidentFilter, IncidentOrder, IncidentQuery, Ledger,
    StoredIncident,
};

/// An incident that uses every field.
pub(in crate::contract) fn incident(octet: u8, name: &str, at: i64, revision: u64) -> Incident {
    let trace = |at: i64| TracePoint {
        time: second(at),
        span_ms: 1_000,
        direction: Direction::Reverse,
        origin: Origin::Measured,
        speeds: Some((Speed(1_000), Speed(990), Speed(1_010))),
        incline: Some(Incline(-5)),
        contacts: Contacts { closed: 3, open: 4 },
    };
    Incident {
        id: IncidentId([octet; 16]),
        machine: machine(name),
        rule: Rule::ReverseOverspeed,
        rule_version: 2,
        severity: Severity::High,
        time: second(at),
        noticed: second(at),
        drill: None,
        cleared: (revision > 2).then(|| second(at + 9)),
        direction: Direction::Reverse,
        origin: Origin::Measured,
        speed: Some(Speed(1_100)),
        incline: None,
        contact: Some(Contact::HandRail),
        count: 3,
        measured: vec![("speed_mm_s".to_owned(), 1_100), ("time_ms".to_owned(), -1)],
        thresholds: vec![("reverse-overspeed.max".to_owned(), 894)],
        detail: "With \"quotes\" and äöü.".to_owned(),
        explained: String::new(),
        capabilities: Capabilities::SPEED.and(Capabilities::DIRECTION),
        stop: Some(MeasuredStop { time_ms: 900, distance_mm: 450 }),
        recording: Some(RecordingId([octet; 16])),
        trace: vec![trace(at - 1), TracePoint { speeds: None, incline: None, ..trace(at) }],
        trace_complete: false,
        revision,
    }
}

/// The incident as it is stored when nothing speaks against it.
fn stored(incident: Incident, detected: i64, change: u64) -> StoredIncident {
    StoredIncident {
        incident,
        detected: second(detected),
        change,
        unconfirmed: None,
        handling: Handling::default(),
    }
}

pub(super) async fn put(ledger: &dyn Ledger, incidents: Vec<Incident>, detected: i64) {
    let derived =
        incidents.into_iter().map(|incident| DerivedIncident { incident, detected: second(detected) });
    let derived = Derived { incidents: derived.collect(), ..Derived::default() };
    ledger.put(derived).await.expect("putting works");
}

pub(super) async fn get(ledger: &dyn Ledger, octet: u8) -> Option<StoredIncident> {
    ledger.incident(&IncidentId([octet; 16])).await.expect("an incident can be read")
}

pub(super) async fn changes(ledger: &dyn Ledger, after: u64, max: usize) -> Vec<StoredIncident> {
    ledger.incident_changes(after, max).await.expect("changes can be read")
}

pub(super) fn newest(ledger: &dyn Ledger) -> u64 {
    *ledger.incident_change().borrow()
}

pub(super) async fn the_greater_revision_wins_and_is_the_newest_change(ledger: &dyn Ledger) {
    let told = ledger.incident_change();
    assert_eq!((newest(ledger), changes(ledger, 0, 1_000).await), (0, Vec::new()));
    assert_eq!(get(ledger, 1).await, None);
    put(ledger, vec![incident(1, "tm-1", 10, 1), incident(2, "tm-1", 20, 4)], 100).await;
    assert!(told.has_changed().expect("the ledger is there"));
    assert_eq!(*told.borrow(), 2);
    // A greater revision is taken with everything in it; when it was found first stays.
    let moved = Incident { severity: Severity::Critical, time: second(11), ..incident(1, "tm-1", 10, 3) };
    put(ledger, vec![moved.clone()], 200).await;
    // An older one that comes later is not.
    put(ledger, vec![incident(1, "tm-1", 10, 2), incident(2, "tm-1", 25, 3)], 300).await;
    let expected = [stored(incident(2, "tm-1", 20, 4), 100, 2), stored(moved.clone(), 100, 3)];
    assert_eq!(changes(ledger, 0, 1_000).await, expected);
    assert_eq!(
        (get(ledger, 1).await, get(ledger, 2).await),
        (Some(expected[1].clone()), Some(expected[0].clone()))
    );
    assert_eq!((newest(ledger), *told.borrow()), (3, 3));
    // It is listed where the new version lies.
    let query = IncidentQuery {
        filter: IncidentFilter { from: second(11), until: second(12), ..IncidentFilter::default() },
        order: IncidentOrder::WorstFirst,
        after: None,
        max: 10,
    };
    assert_eq!(ledger.incidents(&query).await.expect("incidents can be listed"), expected[1..]);
    // Two versions at once are two changes.
    put(ledger, vec![incident(3, "tm-2", 5, 1), incident(3, "tm-2", 6, 2)], 400).await;
    assert_eq!(changes(ledger, 3, 10).await, [stored(incident(3, "tm-2", 6, 2), 400, 5)]);
}

pub(super) async fn a_replay_changes_nothing(ledger: &dyn Ledger) {
    put(ledger, vec![incident(1, "tm-1", 10, 1)], 100).await;
    put(ledger, vec![incident(2, "tm-1", 20, 1), incident(1, "tm-1", 10, 2)], 101).await;
    let before = changes(ledger, 0, 10).await;
    let told = ledger.incident_change();
    // Even if it says something else: of equal revisions the first stays.
    let other = Incident { detail: "other".to_owned(), ..incident(2, "tm-9", 30, 1) };
    put(ledger, vec![incident(1, "tm-1", 10, 1), incident(1, "tm-1", 10, 2), other], 500).await;
    put(ledger, Vec::new(), 500).await;
    assert_eq!(changes(ledger, 0, 10).await, before);
    assert!(!told.has_changed().expect("the ledger is there"));
    assert_eq!(newest(ledger), 3);
}

pub(super) async fn changes_after_a_cursor_have_no_gap(ledger: &dyn Ledger) {
    let mut cursor = 0;
    let mut seen: Vec<Option<StoredIncident>> = vec![None; 40];
    for round in 1..30_u64 {
        let octets = (0..round % 7).map(|step| ((round * 11 + step * 5) % 40) as u8);
        put(ledger, octets.map(|octet| incident(octet, "tm-1", i64::from(octet), round)).collect(), 9).await;
        // It reads fewer than come, so it falls behind.
        for change in changes(ledger, cursor, 2).await {
            assert!(change.change > cursor, "changes ascend");
            cursor = change.change;
            let octet = usize::from(change.incident.id.0[0]);
            seen[octet] = Some(change);
        }
    }
    loop {
        let page = changes(ledger, cursor, 3).await;
        let Some(last) = page.last() else { break };
        cursor = last.change;
        for change in page {
            let octet = usize::from(change.incident.id.0[0]);
            seen[octet] = Some(change);
        }
    }
    assert_eq!(cursor, newest(ledger));
    assert_eq!(changes(ledger, u64::MAX, 3).await, []);
    for octet in 0..40 {
        assert_eq!(get(ledger, octet).await, seen[usize::from(octet)], "incident {octet}");
    }
    assert!(seen.iter().filter(|change| change.is_some()).count() > 30, "most were put");
}

pub(super) async fn what_was_not_confirmed_is_noted(ledger: &dyn Ledger) {
    put(ledger, (1..=3).map(|octet| incident(octet, "tm-1", 10, 1)).collect(), 100).await;
    let mark = async |octets: &[u8], rule_version| {
        let ids = octets.iter().map(|octet| IncidentId([*octet; 16])).collect();
        ledger.mark_unconfirmed(ids, rule_version).await.expect("marking works");
    };
    mark(&[2, 9, 1], 7).await;
    let marked = |octet, change| StoredIncident {
        unconfirmed: Some(7),
        ..stored(incident(octet, "tm-1", 10, 1), 100, change)
    };
    assert_eq!(changes(ledger, 3, 10).await, [marked(2, 4), marked(1, 5)]);
    // Marked again it is the same; nor does a replay of the version it has say anything new.
    mark(&[1, 2], 7).await;
    mark(&[], 8).await;
    put(ledger, vec![incident(1, "tm-1", 10, 1)], 200).await;
    assert_eq!((get(ledger, 1).await, newest(ledger)), (Some(marked(1, 5)), 5));
    mark(&[2], 8).await;
    put(ledger, vec![incident(1, "tm-1", 10, 2)], 200).await;
    let expected = [
        stored(incident(3, "tm-1", 10, 1), 100, 3),
        StoredIncident { unconfirmed: Some(8), ..marked(2, 6) },
        stored(incident(1, "tm-1", 10, 2), 100, 7),
    ];
    assert_eq!(changes(ledger, 0, 10).await, expected);
    assert_eq!(newest(ledger), 7);
}

pub(super) async fn incidents_are_counted(ledger: &dyn Ledger) {
    let of = |octet: u8, name: &str, rule, severity, revision| Incident {
        rule,
        severity,
        ..incident(octet, name, i64::from(octet), revision)
    };
    let incidents = vec![
        of(1, "tm-1", Rule::AgentOffline, Severity::Info, 1),
        of(2, "tm-1", Rule::EmergencyStop, Severity::Low, 1),
        of(3, "tm-1", Rule::EmergencyStop, Severity::Critical, 9),
        of(4, "tm-2", Rule::EmergencyStop, Severity::Critical, 1),
        of(5, "tm-2", Rule::EmergencyStop, Severity::Critical, 9),
        Incident { direction: Direction::Forward, ..of(6, "tm-3", Rule::EmergencyStop, Severity::Low, 1) },
    ];
    put(ledger, incidents, 100).await;
    let check = async |filter: IncidentFilter, expected: &[(Rule, Severity, bool, u64)]| {
        let expected = expected.iter().map(|(rule, severity, active, count)| IncidentCount {
            rule: *rule,
            severity: *severity,
            active: *active,
            count: *count,
        });
        let counts = ledger.incident_counts(&filter).await.expect("incidents can be counted");
        assert_eq!(counts, expected.collect::<Vec<_>>(), "{filter:?}");
    };
    let all = IncidentFilter::default;
    let offline = (Rule::AgentOffline, Severity::Info, true, 1);
    let stop = |severity, active, count| (Rule::EmergencyStop, severity, active, count);
    let (critical, low) = (Severity::Critical, Severity::Low);
    let everything = [stop(critical, true, 1), stop(critical, false, 2), stop(low, true, 2), offline];
    check(all(), &everything).await;
    let of_machines = |names: &[&str]| IncidentFilter {
        machines: Some(names.iter().map(|name| machine(name)).collect()),
        ..all()
    };
    check(of_machines(&["tm-3", "tm-2", "tm-1", "tm-2"]), &everything).await;
    check(of_machines(&["tm-2", "tm-9"]), &[stop(critical, true, 1), stop(critical, false, 1)]).await;
    check(of_machines(&[]), &[]).await;
    check(IncidentFilter { active: Some(false), ..all() }, &[stop(critical, false, 2)]).await;
    check(IncidentFilter { active: Some(true), ..of_machines(&["tm-1"]) }, &[stop(low, true, 1), offline])
        .await;
    check(IncidentFilter { rules: vec![Rule::AgentOffline, Rule::AbruptStop], ..all() }, &[offline]).await;
    check(IncidentFilter { severities: vec![Severity::Info, low], ..all() }, &[stop(low, true, 2), offline])
        .await;
    check(IncidentFilter { directions: vec![Direction::Forward], ..all() }, &[stop(low, true, 1)]).await;
    check(
        IncidentFilter { from: second(2), until: second(4), ..all() },
        &[stop(critical, false, 1), stop(low, true, 1)],
    )
    .await;
    check(IncidentFilter { from: second(4), until: second(2), ..all() }, &[]).await;
    // What has changed is counted as it is now.
    put(ledger, vec![of(1, "tm-1", Rule::AgentOffline, Severity::Info, 3)], 200).await;
    check(
        of_machines(&["tm-1"]),
        &[stop(critical, false, 1), stop(low, true, 1), (Rule::AgentOffline, Severity::Info, false, 1)],
    )
    .await;
}

/// And nothing of it stays.
pub(super) async fn what_cannot_be_is_refused(ledger: &dyn Ledger) {
    let of = |revision| DerivedIncident { incident: incident(1, "tm-1", 1, revision), detected: second(2) };
    let derived = Derived { incidents: vec![of(1), of(u64::MAX)], ..Derived::default() };
    refused(ledger.put(derived).await, StoreErrorKind::Invalid);
    assert_eq!((get(ledger, 1).await, newest(ledger)), (None, 0));
    let query = |max, machines: usize| {
        let machines: Vec<MachineId> = (0..machines).map(|number| machine(&format!("tm-{number}"))).collect();
        let filter = IncidentFilter { machines: Some(machines), ..IncidentFilter::default() };
        IncidentQuery { filter, order: IncidentOrder::NewestFirst, after: None, max }
    };
    for (max, machines) in [(0, 1), (1_001, 1), (1, 10_001)] {
        refused(ledger.incidents(&query(max, machines)).await, StoreErrorKind::Invalid);
    }
    assert_eq!(ledger.incidents(&query(1_000, 10_000)).await.expect("so many may be named"), []);
    refused(ledger.incident_counts(&query(1, 10_001).filter).await, StoreErrorKind::Invalid);
    refused(ledger.incident_changes(0, 0).await, StoreErrorKind::Invalid);
    refused(ledger.incident_changes(0, 1_001).await, StoreErrorKind::Invalid);
    refused(ledger.mark_unconfirmed(vec![IncidentId([1; 16]); 1_001], 1).await, StoreErrorKind::Invalid);
    ledger.mark_unconfirmed(vec![IncidentId([1; 16]); 1_000], 1).await.expect("so many may be marked");
}

pub(super) async fn opened_again_it_goes_on(open: impl AsyncFn() -> Box<dyn Ledger>) {
    let first = open().await;
    put(&*first, vec![incident(1, "tm-1", 10, 1), incident(2, "tm-1", 11, 1)], 100).await;
    put(&*first, vec![incident(1, "tm-1", 10, 2)], 150).await;
    first.mark_unconfirmed(vec![IncidentId([2; 16])], 5).await.expect("marking works");
    let before = changes(&*first, 0, 10).await;
    drop(first);
    let ledger = open().await;
    assert_eq!(newest(&*ledger), 4);
    assert_eq!(changes(&*ledger, 0, 10).await, before);
    put(&*ledger, vec![incident(2, "tm-1", 11, 1), incident(3, "tm-1", 0, 1)], 200).await;
    assert_eq!(changes(&*ledger, 4, 10).await, [stored(incident(3, "tm-1", 0, 1), 200, 5)]);
    assert_eq!(newest(&*ledger), 5);
}
