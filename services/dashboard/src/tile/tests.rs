use super::*;
use crate::texts::{Language, Texts};
use crate::words::Unit;

const READER: Reader = Reader { t: Texts { language: Language::English }, unit: Unit::KilometresPerHour };

fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

fn stop(contact: &str, direction: v1::Direction, speed: Option<f64>, released: bool) -> v1::LastStop {
    v1::LastStop {
        time: at(100),
        contact: contact.to_owned(),
        direction: direction.into(),
        speed_mps: speed,
        release_time: released.then(|| at(110)).flatten(),
        ..v1::LastStop::default()
    }
}

fn state(status: v1::Status, stop: Option<v1::LastStop>) -> v1::MachineState {
    v1::MachineState {
        status: status.into(),
        status_since_time: at(50),
        last_stop: stop,
        ..Default::default()
    }
}

#[test]
fn a_stop_says_what_took_the_belt_and_how_fast_it_ran() {
    let check = |status, stop, why: &str| {
        let tile = Tile::new(&state(status, Some(stop)), READER);
        assert_eq!((tile.why.as_str(), tile.since), (why, Some(100_000)));
        assert_eq!(tile.stop, "100.000000000");
        assert!(tile.needs_somebody());
    };
    let (forward, reverse) = (v1::Direction::Forward, v1::Direction::Reverse);
    let key = stop("safety_key", forward, Some(2.0), false);
    check(v1::Status::KeyPulled, key, "Stopped by safety key at 7.2\u{a0}km/h, {ago}.");
    let emergency = stop("emergency_stop", reverse, Some(0.5), true);
    let words = "Stopped by emergency stop at 1.8\u{a0}km/h in reverse, {ago}.";
    check(v1::Status::EmergencyStop, emergency, words);
    let power = stop("machine_power", v1::Direction::Unknown, None, false);
    let words = "Stopped by loss of power, speed not known, {ago}.";
    check(v1::Status::PowerLost, power, words);
}

#[test]
fn a_contact_is_open_or_closed_only_if_that_is_known() {
    let check = |contact: v1::ContactState, released, more: &str| {
        let stop = stop("safety_key", v1::Direction::Forward, Some(2.0), released);
        let contacts = v1::Contacts { safety_key: contact.into(), ..v1::Contacts::default() };
        let belt = v1::Belt { contacts: Some(contacts), ..v1::Belt::default() };
        let state = v1::MachineState { belt: Some(belt), ..state(v1::Status::KeyPulled, Some(stop)) };
        assert_eq!(Tile::new(&state, READER).more, more);
    };
    check(v1::ContactState::Open, false, "Key is still out.");
    check(v1::ContactState::Both, true, "Key is still out.");
    check(v1::ContactState::Closed, true, "Key is back.");
    check(v1::ContactState::Unknown, true, "Key is back.");
    check(v1::ContactState::Unknown, false, "");
}

#[test]
fn a_stop_that_somebody_has_seen_to_is_not_asked_for_again() {
    let mut seen = stop("emergency_stop", v1::Direction::Forward, Some(2.0), false);
    seen.acknowledged_by = "user:anna".to_owned();
    seen.acknowledge_time = at(120);
    let tile = Tile::new(&state(v1::Status::EmergencyStop, Some(seen)), READER);
    assert_eq!(tile.why, "Emergency stop is pressed, {for}");
    assert_eq!((tile.more.as_str(), tile.stop.as_str()), ("anna has seen to it.", ""));
    assert!(tile.needs_somebody(), "the circuit is open still");
}

#[test]
fn every_status_has_its_own_class_words_and_rank() {
    let tiles: Vec<Tile> = STATUSES.iter().map(|status| Tile::new(&state(*status, None), READER)).collect();
    for (number, tile) in (1..).zip(&tiles) {
        assert_eq!(tile.rank, number);
        assert_eq!(tile.needs_somebody(), number <= 3, "{}", tile.status);
        assert_eq!(tiles.iter().filter(|other| other.status == tile.status).count(), 1);
        assert_eq!(tiles.iter().filter(|other| other.status_words == tile.status_words).count(), 1);
    }
    let unknown = Tile::new(&state(v1::Status::Unspecified, None), READER);
    assert!(!unknown.needs_somebody() && unknown.rank > 12);
}

#[test]
fn what_is_not_known_is_not_zero() {
    let tile = Tile::new(&state(v1::Status::Silent, None), READER);
    assert_eq!((tile.speed.as_str(), tile.direction), ("", "d-unknown"));
    let belt =
        v1::Belt { direction: v1::Direction::Stopped.into(), speed_mps: Some(0.0), ..Default::default() };
    let tile = Tile::new(&v1::MachineState { belt: Some(belt), ..state(v1::Status::Free, None) }, READER);
    assert_eq!((tile.speed.as_str(), tile.direction), ("0.0", "d-stopped"));
}
