use super::*;
use crate::texts::{Language, Texts};
use crate::words::Unit;

const READER: Reader = Reader { t: Texts { language: Language::English }, unit: Unit::KilometresPerHour };

fn machine(id: &str, speed: f64, status: v1::Status) -> v1::MachineState {
    let machine = v1::Machine { id: id.to_owned(), ..v1::Machine::default() };
    let belt = v1::Belt { speed_mps: Some(speed), ..v1::Belt::default() };
    v1::MachineState { machine: Some(machine), belt: Some(belt), status: status.into(), ..Default::default() }
}

fn changed(state: v1::MachineState) -> v1::WatchFleetResponse {
    v1::WatchFleetResponse { update: Some(Message::Changed(state)) }
}

fn snapshot(part: u32, last: bool, ids: &[&str]) -> v1::WatchFleetResponse {
    let machines = ids.iter().map(|id| machine(id, 1.0, v1::Status::Forward)).collect();
    v1::WatchFleetResponse { update: Some(Message::Snapshot(v1::FleetSnapshot { machines, part, last })) }
}

fn batch(messages: Vec<v1::WatchFleetResponse>, sent: &Sent) -> Batch {
    let mut batch = Batch::default();
    for message in messages {
        batch.take(message, sent);
    }
    batch
}

fn update(sent: &mut Sent, messages: Vec<v1::WatchFleetResponse>) -> serde_json::Value {
    serde_json::to_value(sent.update(batch(messages, sent), READER, 1, 5)).unwrap()
}

#[test]
fn of_each_machine_only_the_newest_is_sent() {
    let mut sent = Sent::default();
    let forward = v1::Status::Forward;
    let messages = [("a", 1.0), ("b", 2.0), ("a", 3.0)];
    let messages = messages.map(|(id, speed)| changed(machine(id, speed, forward))).to_vec();
    let update = update(&mut sent, messages);
    let tiles = update["tiles"].as_array().unwrap();
    let speeds: Vec<&str> = tiles.iter().map(|tile| tile["speed"].as_str().unwrap()).collect();
    assert_eq!(speeds, ["10.8", "7.2"]);
    assert_eq!(tiles[0]["value"], 10.8);
}

#[test]
fn a_snapshot_replaces_what_came_before_it() {
    let mut sent = Sent::default();
    let old = changed(machine("old", 1.0, v1::Status::Forward));
    let update = update(&mut sent, vec![old, snapshot(0, false, &["a"]), snapshot(1, true, &["b"])]);
    assert_eq!((update["begins"].as_bool(), update["completes"].as_bool()), (Some(true), Some(true)));
    let ids: Vec<&str> =
        update["tiles"].as_array().unwrap().iter().map(|tile| tile["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["a", "b"]);
}

#[test]
fn names_are_sent_once_and_again_when_they_change_or_all_begins_anew() {
    let mut sent = Sent::default();
    let mut named = |messages| update(&mut sent, messages)["tiles"][0].get("name").is_some();
    assert!(named(vec![snapshot(0, true, &["a"])]));
    assert!(!named(vec![changed(machine("a", 2.0, v1::Status::Forward))]));
    let mut renamed = machine("a", 2.0, v1::Status::Forward);
    renamed.machine.as_mut().unwrap().display_name = "new".to_owned();
    assert!(named(vec![changed(renamed)]));
    assert!(named(vec![snapshot(0, true, &["a"])]));
}

#[test]
fn a_new_stop_does_not_wait_and_a_full_batch_takes_no_more() {
    let mut sent = Sent::default();
    assert!(!batch(vec![changed(machine("a", 1.0, v1::Status::Reverse))], &sent).is_urgent());
    for status in [v1::Status::EmergencyStop, v1::Status::KeyPulled, v1::Status::PowerLost] {
        assert!(batch(vec![changed(machine("a", 0.0, status))], &sent).is_urgent());
    }
    // Once the page shows it, what else the machine tells may wait; another stop may not.
    let stop = |seconds| {
        let time = Some(prost_types::Timestamp { seconds, nanos: 0 });
        let last_stop = Some(v1::LastStop { time, ..v1::LastStop::default() });
        changed(v1::MachineState { last_stop, ..machine("a", 0.0, v1::Status::EmergencyStop) })
    };
    update(&mut sent, vec![stop(1)]);
    assert!(!batch(vec![stop(1)], &sent).is_urgent());
    assert!(batch(vec![stop(2)], &sent).is_urgent());
    update(&mut sent, vec![changed(machine("a", 1.0, v1::Status::Forward))]);
    assert!(batch(vec![stop(1)], &sent).is_urgent(), "it is shown anew");
    let ids: Vec<String> = (0..MACHINES_MAX).map(|number| number.to_string()).collect();
    let all = ids.iter().map(|id| changed(machine(id, 1.0, v1::Status::Forward)));
    assert!(batch(all.clone().collect(), &sent).is_full());
    assert!(!batch(all.skip(1).collect(), &sent).is_full());
}

#[test]
fn a_heartbeat_tells_only_the_time() {
    let heartbeat = v1::WatchFleetResponse { update: Some(Message::Heartbeat(v1::Heartbeat::default())) };
    let mut sent = Sent { pages: 1, ..Sent::default() };
    assert_eq!(update(&mut sent, vec![heartbeat]), serde_json::json!({ "now": 5 }));
}
