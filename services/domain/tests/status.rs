//! The one ranked status of a machine.

use domain::belt::{Belt, Contact, Direction, Origin};
use domain::ids::{MachineId, SessionId};
use domain::live::{Latest, LiveState};
use domain::record::EventKind;
use domain::registry::BeltKind;
use domain::status::{Status, status};
use domain::stop::{Stop, StopContact};
use domain::units::{Speed, UnixMicros};
use proptest::option;
use proptest::prelude::*;

fn at(seconds: i64) -> UnixMicros {
    UnixMicros(seconds * 1_000_000)
}

/// A machine that was heard at 1 000 s, of which there is no picture.
fn heard() -> LiveState {
    LiveState { heard: Some(at(1_000)), ..LiveState::new(MachineId::new("tm-01").expect("an id")) }
}

/// A machine whose belt does this since 900 s; the picture is of 1 000 s and holds until 1 010 s.
fn seen(direction: Direction, speed: Option<u32>, open: &[Contact]) -> LiveState {
    let origin = if direction == Direction::Unknown { Origin::Unknown } else { Origin::Measured };
    let mut belt = Belt { direction, origin, speed: speed.map(Speed), ..Belt::default() };
    for contact in Contact::ALL {
        belt.contacts.set(contact, open.contains(&contact));
    }
    let (since, last_event) = (Some(at(900)), None);
    let latest = Some(Latest { time: at(1_000), belt, holds_until: at(1_010), since, last_event });
    LiveState { latest, ..heard() }
}

fn forward() -> LiveState {
    seen(Direction::Forward, Some(900), &[])
}

fn standing(open: &[Contact]) -> LiveState {
    seen(Direction::Stopped, Some(0), open)
}

fn in_session(live: LiveState) -> LiveState {
    LiveState { session: Some((SessionId([1; 16]), at(800))), ..live }
}

fn lost(live: LiveState) -> LiveState {
    LiveState { lost_by_broker: true, ..live }
}

/// Stopped by a contact at 950 s.
fn stopped_by(contact: StopContact, live: LiveState) -> LiveState {
    let (direction, speed) = (Direction::Forward, Some(Speed(900)));
    LiveState { last_stop: Some(Stop { time: at(950), contact, direction, speed, released: None }), ..live }
}

fn check(live: &LiveState, now: i64, expected: Status, since: Option<i64>) {
    let said = status(live, BeltKind::Reversible, None, at(now));
    assert_eq!(said, (expected, since.map(at)), "{live:?} at {now}");
}

/// The same, once the stop of 950 s was seen to.
fn check_seen_to(live: &LiveState, now: i64, expected: Status) {
    assert_eq!(status(live, BeltKind::Reversible, Some(at(950)), at(now)).0, expected, "{live:?} at {now}");
}

#[test]
fn every_status() {
    let stops = |contact| stopped_by(contact, standing(&[]));
    check(&stops(StopContact::EmergencyStop), 1_001, Status::EmergencyStop, Some(950));
    check(&standing(&[Contact::EmergencyStop]), 1_001, Status::EmergencyStop, None);
    check(&stops(StopContact::SafetyKey), 1_001, Status::KeyPulled, Some(950));
    check(&stops(StopContact::MachinePower), 1_001, Status::PowerLost, Some(950));
    check(&seen(Direction::Reverse, Some(447), &[]), 1_001, Status::Reverse, Some(900));
    check(&seen(Direction::Unknown, Some(447), &[]), 1_001, Status::MovingUnknown, Some(900));
    check(&lost(heard()), 1_001, Status::Offline, Some(1_000));
    check(&heard(), 1_091, Status::Offline, Some(1_000));
    check(&heard(), 1_046, Status::Silent, Some(1_000));
    check(&heard(), 1_001, Status::Silent, None);
    check(&forward(), 1_011, Status::Silent, Some(1_010));
    check(&forward(), 1_010, Status::Forward, Some(900));
    check(&in_session(standing(&[])), 1_001, Status::Resting, Some(900));
    check(&standing(&[Contact::SafetyKey]), 1_001, Status::OutOfUse, None);
    check(&standing(&[Contact::MachinePower]), 1_001, Status::OutOfUse, None);
    check(&standing(&[Contact::HandRail, Contact::UserPresence]), 1_001, Status::Free, Some(900));
    check(&LiveState { heard: None, ..heard() }, 1_001, Status::NeverSeen, None);
}

#[test]
fn what_is_not_known_is_neither_forward_nor_standing() {
    // Silence is not standstill, and not forward either.
    check(&standing(&[]), 1_011, Status::Silent, Some(1_010));
    check(&seen(Direction::Unknown, None, &[]), 1_001, Status::Silent, None);
    // A speed goes before a direction that a drive keeps at rest; a direction alone says that it runs.
    check(&seen(Direction::Reverse, Some(28), &[]), 1_001, Status::Free, Some(900));
    check(&seen(Direction::Unknown, Some(0), &[]), 1_001, Status::Free, Some(900));
    check(&seen(Direction::Reverse, None, &[]), 1_001, Status::Reverse, Some(900));
    check(&seen(Direction::Stopped, None, &[]), 1_001, Status::Free, Some(900));
    check(&seen(Direction::Stopped, Some(29), &[]), 1_001, Status::MovingUnknown, Some(900));
    let unseen = seen(Direction::Unknown, Some(447), &[]);
    for (kind, expected) in [
        (BeltKind::OneWay, Status::Forward),
        (BeltKind::Reversible, Status::MovingUnknown),
        (BeltKind::Unknown, Status::MovingUnknown),
    ] {
        assert_eq!(status(&unseen, kind, None, at(1_001)).0, expected, "{kind:?}");
    }
}

#[test]
fn of_two_that_hold_the_one_that_needs_a_person_more_is_said() {
    let reverse = || seen(Direction::Reverse, Some(447), &[]);
    for (contact, expected) in [
        (StopContact::EmergencyStop, Status::EmergencyStop),
        (StopContact::SafetyKey, Status::KeyPulled),
        (StopContact::MachinePower, Status::PowerLost),
    ] {
        // A stop stays whatever the belt or the agent does since.
        for live in [reverse(), forward(), lost(forward()), in_session(standing(&[])), heard(), lost(heard())]
        {
            check(&stopped_by(contact, live.clone()), 1_001, expected, Some(950));
            check(&stopped_by(contact, live), 90_000, expected, Some(950));
        }
    }
    let key = stopped_by(StopContact::SafetyKey, standing(&[Contact::EmergencyStop]));
    check(&key, 1_001, Status::EmergencyStop, None);
    check(&in_session(reverse()), 1_001, Status::Reverse, Some(900));
    // The picture holds for a moment after the agent has gone: what moves in an unusual way goes first.
    check(&lost(reverse()), 1_001, Status::Reverse, Some(900));
    check(&lost(seen(Direction::Unknown, Some(447), &[])), 1_001, Status::MovingUnknown, Some(900));
    check(&lost(reverse()), 1_011, Status::Offline, Some(1_000));
    check(&lost(forward()), 1_001, Status::Offline, Some(1_000));
    check(&lost(in_session(standing(&[]))), 1_001, Status::Offline, Some(1_000));
    let late = LiveState { heard: Some(at(950)), ..forward() };
    check(&late, 1_001, Status::Silent, Some(950));
    check(&in_session(forward()), 1_001, Status::Forward, Some(900));
    check(&in_session(standing(&[Contact::SafetyKey])), 1_001, Status::Resting, Some(900));
}

#[test]
fn a_stop_that_was_seen_to_is_said_no_more_and_a_later_one_is() {
    for contact in [StopContact::EmergencyStop, StopContact::SafetyKey, StopContact::MachinePower] {
        let live = stopped_by(contact, standing(&[]));
        check_seen_to(&live, 1_001, Status::Free);
        let earlier = status(&live, BeltKind::Reversible, Some(at(949)), at(1_001)).0;
        assert!(earlier <= Status::PowerLost, "{earlier:?}");
    }
    // The circuit is still open: that is so, whoever has seen it.
    let pressed = stopped_by(StopContact::EmergencyStop, standing(&[Contact::EmergencyStop]));
    check_seen_to(&pressed, 1_001, Status::EmergencyStop);
    let (_, since) = status(&pressed, BeltKind::Reversible, Some(at(950)), at(1_001));
    assert_eq!(since, Some(at(950)), "it has not been released since");
    check_seen_to(
        &stopped_by(StopContact::SafetyKey, standing(&[Contact::SafetyKey])),
        1_001,
        Status::OutOfUse,
    );
}

#[test]
fn a_machine_that_was_switched_off_is_out_of_use() {
    let off = [Contact::EmergencyStop, Contact::MachinePower];
    check(&standing(&off), 1_001, Status::OutOfUse, None);
    check(&seen(Direction::Unknown, None, &off), 1_001, Status::EmergencyStop, None);
    check(&seen(Direction::Forward, Some(900), &off), 1_001, Status::EmergencyStop, None);
}

#[test]
fn what_is_out_of_use_is_so_since_both_hold() {
    for (opened, since) in [(850, 900), (960, 960)] {
        let mut live = standing(&[Contact::SafetyKey]);
        let latest = live.latest.as_mut().expect("a picture");
        latest.last_event = Some((EventKind::ContactOpened, Some(Contact::SafetyKey), at(opened)));
        check(&live, 1_001, Status::OutOfUse, Some(since));
    }
}

fn any_live() -> impl Strategy<Value = LiveState> {
    let directions = vec![Direction::Forward, Direction::Reverse, Direction::Stopped, Direction::Unknown];
    let contacts = (0..32_u32, 0..32_u32);
    let picture = (prop::sample::select(directions), option::of(0..2_000_u32), contacts, 0..200_i64);
    let contact = vec![StopContact::EmergencyStop, StopContact::SafetyKey, StopContact::MachinePower];
    let stop = option::of((prop::sample::select(contact), 0..200_i64));
    (option::of(picture), stop, option::of(0..200_i64), any::<bool>(), any::<bool>()).prop_map(
        |(picture, stop, heard_at, lost_by_broker, session)| {
            let latest = picture.map(|(direction, speed, (closed, open), time)| {
                let latest = seen(direction, speed, &[]).latest.expect("a picture");
                let contacts = domain::belt::Contacts { closed, open };
                let belt = Belt { contacts, ..latest.belt };
                Latest { time: at(time), belt, holds_until: at(time + 20), ..latest }
            });
            let last_stop = stop.map(|(contact, time)| Stop {
                time: at(time),
                contact,
                direction: Direction::Unknown,
                speed: None,
                released: None,
            });
            let live = LiveState { latest, last_stop, heard: heard_at.map(at), lost_by_broker, ..heard() };
            if session { in_session(live) } else { live }
        },
    )
}

proptest! {
    #[test]
    fn there_is_always_one_status_and_an_emergency_stop_nobody_saw_goes_first(
        live in any_live(),
        acknowledged in option::of(0..200_i64),
        now in 0..400_i64,
        kind in prop::sample::select(vec![BeltKind::OneWay, BeltKind::Reversible, BeltKind::Unknown]),
    ) {
        let (said, since) = status(&live, kind, acknowledged.map(at), at(now));
        prop_assert_eq!(Status::ALL.iter().filter(|one| **one == said).count(), 1);
        prop_assert_eq!(status(&live, kind, acknowledged.map(at), at(now)), (said, since));
        let unseen = live.last_stop.filter(|stop| acknowledged.is_none_or(|until| stop.time > at(until)));
        match unseen {
            Some(stop) if stop.contact == StopContact::EmergencyStop => {
                prop_assert_eq!((said, since), (Status::EmergencyStop, Some(stop.time)));
            }
            Some(_) => prop_assert!(said <= Status::PowerLost),
            None => prop_assert!(said != Status::KeyPulled && said != Status::PowerLost),
        }
        // What cannot be heard, or does not hold any more, is never said to run forward or to stand.
        let holds = live.latest.is_some_and(|latest| at(now) <= latest.holds_until);
        let quiet = [Status::Forward, Status::Resting, Status::OutOfUse, Status::Free].contains(&said);
        prop_assert!(!quiet || (holds && live.heard.is_some() && !live.lost_by_broker));
    }
}
