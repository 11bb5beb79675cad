use domain::belt::Direction;
use domain::ids::SiteId;
use domain::registry::{BeltKind, DriveKind};
use domain::stop::StopContact;
use store::registry::Acknowledged;

use super::*;

const NOON: UnixMicros = UnixMicros(1_795_176_000_000_000);

fn after(seconds: i64) -> UnixMicros {
    NOON.plus(seconds * 1_000_000)
}

/// A one-way belt of which stops up to `until` seconds after noon were seen to.
fn machine(until: Option<i64>) -> Machine {
    Machine {
        id: MachineId::new("tm-1").unwrap(),
        site: SiteId::new("north").unwrap(),
        display_name: String::new(),
        model: String::new(),
        belt: BeltKind::OneWay,
        drive: DriveKind::Motor,
        key_generation: 1,
        created: NOON,
        place: None,
        revoked_generation: 0,
        revoked: None,
        acknowledged: until.map(|until| Acknowledged {
            until: after(until),
            by: "ann".to_owned(),
            at: after(60),
        }),
        history: Default::default(),
        drills: Vec::new(),
        maintained: None,
    }
}

/// Heard at noon; the button was pressed at noon and stopped a belt whose direction nobody saw.
fn stopped(direction: Direction, released: Option<UnixMicros>) -> LiveState {
    let (contact, speed) = (StopContact::EmergencyStop, Some(Speed(1_500)));
    LiveState {
        heard: Some(NOON),
        last_stop: Some(Stop { time: NOON, contact, direction, speed, released }),
        ..LiveState::new(MachineId::new("tm-1").unwrap())
    }
}

#[test]
fn a_stop_is_shown_with_who_has_seen_to_it() {
    for (until, by) in [(None, ""), (Some(-1), ""), (Some(0), "ann"), (Some(5), "ann")] {
        let state = stopped(Direction::Unknown, Some(after(3)));
        let shown = show(&machine(until), &state, after(10));
        let open = by.is_empty();
        let expected = v1::LastStop {
            time: Some(timestamp(NOON)),
            contact: "emergency_stop".to_owned(),
            // As the registry lets it be read.
            direction: v1::Direction::Forward.into(),
            speed_mps: Some(1.5),
            release_time: Some(timestamp(after(3))),
            acknowledged_by: by.to_owned(),
            acknowledge_time: (!open).then(|| timestamp(after(60))),
            drill: 0,
        };
        assert_eq!(shown.last_stop, Some(expected), "{until:?}");
        let status = if open { v1::Status::EmergencyStop } else { v1::Status::Silent };
        assert_eq!(shown.status(), status, "{until:?}");
        assert_eq!(shown.status_since_time, open.then(|| timestamp(NOON)), "{until:?}");
    }
    let shown = show(&machine(None), &stopped(Direction::Reverse, None), after(10)).last_stop.unwrap();
    assert_eq!((shown.direction(), shown.release_time), (v1::Direction::Reverse, None));
}

#[test]
fn what_was_never_heard_says_so() {
    let shown = show(&machine(None), &unheard(&MachineId::new("tm-1").unwrap()), NOON);
    assert_eq!((shown.status(), shown.last_stop), (v1::Status::NeverSeen, None));
}

#[test]
fn time_alone_and_what_people_say_change_what_was_sent() {
    let state = stopped(Direction::Unknown, None);
    let seen_to = machine(Some(0));
    assert_ne!(aged(&machine(None), &state, after(1)), aged(&seen_to, &state, after(1)));
    assert_eq!(aged(&seen_to, &state, after(1)), aged(&seen_to, &state, after(2)));
    assert_ne!(aged(&seen_to, &state, after(1)), aged(&seen_to, &state, after(91)));
}

/// Machine and proof test from 10 s before noon until 60 s after it.
fn in_drill() -> Machine {
    let drill = Drill {
        number: 7,
        by: "user:ann".to_owned(),
        from: after(-10),
        until: after(60),
        is_ended: false,
        note: String::new(),
    };
    Machine { drills: vec![drill], ..machine(None) }
}

#[test]
fn a_stop_in_a_proof_test_calls_nobody() {
    let held = Belt {
        direction: Direction::Stopped,
        speed: Some(Speed(0)),
        contacts: domain::belt::Contacts { closed: 0, open: Contact::EmergencyStop.bit() },
        ..Belt::default()
    };
    let latest = domain::live::Latest {
        time: NOON,
        belt: held,
        holds_until: after(1_000),
        since: Some(NOON),
        last_event: None,
    };
    let state = |heard| LiveState {
        latest: Some(latest),
        heard: Some(after(heard)),
        ..stopped(Direction::Forward, None)
    };
    let check = |machine: &Machine, now: i64, expected: v1::Status, until: Option<i64>| {
        let shown = show(machine, &state(now), after(now));
        assert_eq!(shown.status(), expected, "{now}");
        assert_eq!(shown.drill_until_time, until.map(|until| timestamp(after(until))), "{now}");
        shown.last_stop.unwrap()
    };
    let stop = check(&in_drill(), 5, v1::Status::Free, Some(60));
    assert_eq!((stop.acknowledged_by.as_str(), stop.acknowledge_time, stop.drill), ("user:ann", None, 7));
    // The button was left down.
    let stop = check(&in_drill(), 61, v1::Status::EmergencyStop, None);
    assert_eq!((stop.acknowledged_by.as_str(), stop.drill), ("user:ann", 7));
    // Before the test was effective, and without one, it is as always.
    let mut late = in_drill();
    late.drills[0].from = after(1);
    let stop = check(&late, 0, v1::Status::EmergencyStop, Some(60));
    assert_eq!((stop.acknowledged_by.as_str(), stop.drill), ("", 0));
    check(&late, 5, v1::Status::EmergencyStop, Some(60));
    check(&machine(None), 5, v1::Status::EmergencyStop, None);
}

#[test]
fn the_end_of_a_proof_test_is_told() {
    let state = unheard(&MachineId::new("tm-1").unwrap());
    assert_eq!(aged(&in_drill(), &state, after(1)), aged(&in_drill(), &state, after(59)));
    assert_ne!(aged(&in_drill(), &state, after(59)), aged(&in_drill(), &state, after(60)));
}
