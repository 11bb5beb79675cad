use super::*;
use crate::texts::Language;
use crate::words::Unit;

const READER: Reader = Reader { t: Texts { language: Language::English }, unit: Unit::KilometresPerHour };

fn site(id: &str) -> v1::Site {
    v1::Site { id: id.to_owned(), time_zone: "Europe/Vienna".to_owned(), ..v1::Site::default() }
}

fn machine(site: &str, status: v1::Status, presence: v1::Presence, stopped: Option<i64>) -> v1::MachineState {
    let time = |seconds| prost_types::Timestamp { seconds, nanos: 0 };
    v1::MachineState {
        machine: Some(v1::Machine { site_id: site.to_owned(), ..v1::Machine::default() }),
        status: status.into(),
        presence: presence.into(),
        last_stop: stopped.map(|at| v1::LastStop { time: Some(time(at)), ..v1::LastStop::default() }),
        ..v1::MachineState::default()
    }
}

#[test]
fn the_site_with_the_most_stops_is_first_and_tells_the_oldest() {
    let (online, offline) = (v1::Presence::Online, v1::Presence::Offline);
    let states = [
        machine("a", v1::Status::Forward, online, None),
        machine("b", v1::Status::EmergencyStop, online, Some(40)),
        machine("b", v1::Status::KeyPulled, online, Some(10)),
        machine("b", v1::Status::Offline, offline, Some(1)),
    ];
    let now = jiff::Timestamp::from_second(100).unwrap();
    let lines = lines(vec![site("a"), site("b"), site("empty")], &states, &Known::NotSeen, READER, now);
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            (line.site.as_str(), line.stops, line.oldest.as_str(), line.away, line.heard, line.machines)
        })
        .collect();
    assert_eq!(told, [("b", 2, "1 min", 1, 2, 3), ("a", 0, "", 0, 1, 1), ("empty", 0, "", 0, 0, 0)]);
    let statuses: Vec<_> = lines[0].statuses.iter().map(|(class, _, count)| (*class, *count)).collect();
    assert_eq!(statuses, [("emergency-stop", 1), ("key-pulled", 1), ("offline", 1)]);
    assert_eq!(lines[0].time, "01:01");
}

#[test]
fn that_nobody_is_needed_is_not_said_while_something_is_open() {
    let now = jiff::Timestamp::from_second(100_000).unwrap();
    let quiet = |known: &Known| {
        let lines = lines(vec![site("a")], &[], known, READER, now);
        (lines[0].is_quiet, lines[0].incidents.as_ref().map(|incidents| incidents.open.count))
    };
    let counted = |severity: v1::Severity, count| {
        let counts = vec![v1::SeverityCount { severity: severity.into(), count, open: 0 }];
        let found = v1::SiteIncidents { site_id: "a".to_owned(), counts, ..Default::default() };
        Known::Sites(BTreeMap::from([("a".to_owned(), found)]))
    };
    assert_eq!(quiet(&Known::NotSeen), (true, None));
    assert_eq!(quiet(&Known::Missing), (false, None));
    assert_eq!(quiet(&Known::Sites(BTreeMap::new())), (true, Some(0)));
    assert_eq!(quiet(&counted(v1::Severity::Low, 3)), (true, Some(3)));
    assert_eq!(quiet(&counted(v1::Severity::Medium, 0)), (true, Some(0)));
    assert_eq!(quiet(&counted(v1::Severity::Medium, 1)), (false, Some(1)));
    assert_eq!(quiet(&counted(v1::Severity::Critical, 1)), (false, Some(1)));
}

#[test]
fn a_site_tells_what_waits_longest() {
    let now = jiff::Timestamp::from_second(7_300).unwrap();
    let oldest = v1::Incident {
        id: "0".repeat(32),
        rule: "emergency-stop".to_owned(),
        title: "Emergency stop".to_owned(),
        time: Some(prost_types::Timestamp { seconds: 100, nanos: 0 }),
        ..v1::Incident::default()
    };
    let counts = vec![v1::SeverityCount { severity: v1::Severity::High.into(), count: 2, open: 1 }];
    let found =
        v1::SiteIncidents { counts, oldest_open: Some(oldest), proofs_overdue: 3, ..Default::default() };
    let told = incidents(&site("a b"), Some(&found), READER, now);
    assert_eq!(told.waits, Some(("0".repeat(32), "Emergency stop".to_owned(), "2 h".to_owned())));
    assert_eq!((told.href.as_str(), told.proofs_overdue), ("/incidents?site=a+b", 3));
    assert_eq!((told.severities[0].words, told.severities[0].not_acknowledged), ("High", 1));
}
