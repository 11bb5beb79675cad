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
    let lines = lines(vec![site("a"), site("b"), site("empty")], &states, READER, now);
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
