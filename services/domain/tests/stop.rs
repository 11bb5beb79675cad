//! The newest stop that took a moving belt, from a machine's events.

use domain::belt::{Belt, Contact, Direction, Origin};
use domain::ids::{LogId, MachineId};
use domain::log::Position;
use domain::machine::{MachineFold, MachineMind};
use domain::record::{Event, EventKind, Payload, Reading, Record, SpeedSummary};
use domain::stop::{Stop, StopContact, fold_stop};
use domain::units::{MonotonicMicros, Speed, UnixMicros};
use proptest::option;
use proptest::prelude::*;

fn at(seconds: i64) -> UnixMicros {
    UnixMicros(seconds * 1_000_000)
}

fn belt(speed: Option<u32>) -> Belt {
    let (direction, origin) = match speed {
        Some(0) => (Direction::Stopped, Origin::Measured),
        Some(_) => (Direction::Reverse, Origin::Measured),
        None => (Direction::Unknown, Origin::Unknown),
    };
    Belt { direction, origin, speed: speed.map(Speed), ..Belt::default() }
}

fn event(kind: EventKind, contact: Option<Contact>, before: Option<u32>) -> Event {
    let mut event = Event::new(kind, MonotonicMicros(0), belt(before.map(|_| 0)), belt(before));
    event.contact = contact;
    event
}

fn opened(contact: Contact, before: Option<u32>) -> Event {
    event(EventKind::ContactOpened, Some(contact), before)
}

fn closed(contact: Contact) -> Event {
    event(EventKind::ContactClosed, Some(contact), Some(0))
}

/// What is left of events at seconds: contact, time, speed, release.
type Left = Option<(StopContact, i64, Option<u32>, Option<i64>)>;

fn fold(events: &[(i64, Event)], session_is_open: bool) -> Option<Stop> {
    events.iter().fold(None, |last, (seconds, event)| fold_stop(last, at(*seconds), event, session_is_open))
}

fn check(events: &[(i64, Event)], session_is_open: bool, expected: Left) {
    let seconds = |time: UnixMicros| time.0 / 1_000_000;
    let left = fold(events, session_is_open).map(|stop| {
        (stop.contact, seconds(stop.time), stop.speed.map(|speed| speed.0), stop.released.map(seconds))
    });
    assert_eq!(left, expected, "{events:?}");
}

#[test]
fn what_counts_as_a_stop() {
    use StopContact::{EmergencyStop, MachinePower, SafetyKey};
    let stop = |contact| Contact::ALL.into_iter().find(|one| StopContact::of(*one) == Some(contact)).unwrap();
    for contact in [EmergencyStop, SafetyKey, MachinePower] {
        let one = |before| [(5, opened(stop(contact), before))];
        check(&one(Some(29)), false, Some((contact, 5, Some(29), None)));
        // The button counts at standstill too; key and switch are how a standing machine is left.
        let standing = (contact == EmergencyStop).then_some((contact, 5, Some(28), None));
        check(&one(Some(28)), true, standing);
        // Unknown is not standstill.
        let unknown = Some((contact, 5, None, None));
        check(&one(None), true, unknown);
        check(&one(None), false, unknown.filter(|_| contact == EmergencyStop));
    }
    for contact in [Contact::HandRail, Contact::UserPresence] {
        check(&[(5, opened(contact, Some(900)))], true, None);
    }
    check(&[(5, closed(Contact::EmergencyStop))], true, None);
    check(&[(5, event(EventKind::BeltStopped, None, Some(900)))], true, None);
    check(
        &[(5, event(EventKind::SafetyKeyStop, None, Some(900)))],
        true,
        Some((SafetyKey, 5, Some(900), None)),
    );
}

#[test]
fn a_circuit_that_falls_with_the_power_is_a_stop_only_of_a_belt_that_may_have_moved() {
    for (before, expected) in [(Some(0), false), (Some(900), true), (None, true)] {
        let mut event = opened(Contact::EmergencyStop, before);
        event.belt.contacts.set(Contact::MachinePower, true);
        assert_eq!(fold_stop(None, at(5), &event, false).is_some(), expected, "{before:?}");
    }
}

#[test]
fn the_direction_is_that_of_the_greatest_speed() {
    let mut event = opened(Contact::EmergencyStop, Some(447));
    assert_eq!(fold_stop(None, at(1), &event, false).map(|stop| stop.direction), Some(Direction::Reverse));
    event.before = Belt::default();
    event.belt = Belt { direction: Direction::Forward, speed: Some(Speed(800)), ..Belt::default() };
    let stop = fold_stop(None, at(1), &event, false).expect("a stop");
    assert_eq!((stop.direction, stop.speed), (Direction::Forward, Some(Speed(800))));
}

#[test]
fn the_newest_stop_stays_and_the_key_does_not_hide_the_button() {
    use Contact::{EmergencyStop as Button, MachinePower as Power, SafetyKey as Key};
    let moving = |contact| opened(contact, Some(900));
    let button = |time| Some((StopContact::EmergencyStop, time, Some(900), None));
    let key = |time| Some((StopContact::SafetyKey, time, Some(900), None));
    let power = |time| Some((StopContact::MachinePower, time, Some(900), None));
    // A newer one replaces an older one, and one that comes late replaces nothing.
    check(&[(0, moving(Key)), (60, moving(Button))], true, button(60));
    check(&[(60, moving(Key)), (0, moving(Button))], true, key(60));
    check(&[(0, moving(Button)), (5, moving(Button))], true, button(5));
    check(&[(5, moving(Button)), (0, moving(Button))], true, button(5));
    check(&[(0, moving(Key)), (3, moving(Button))], true, button(3));
    // Of one stop the greater need is shown, whichever comes first.
    check(&[(0, moving(Button)), (10, moving(Key))], true, button(0));
    check(&[(0, moving(Button)), (11, moving(Key))], true, key(11));
    check(&[(0, moving(Button)), (10, moving(Power))], true, button(0));
    check(&[(10, moving(Key)), (0, moving(Button))], true, button(0));
    check(&[(0, moving(Key)), (2, moving(Power))], true, key(0));
    check(&[(0, moving(Key)), (12, moving(Power))], true, power(12));
    for both in [[Button, Key], [Key, Button]] {
        check(&both.map(|contact| (0, moving(contact))), true, button(0));
    }
    // The console tells the same pull once more.
    let told = event(EventKind::SafetyKeyStop, None, Some(900));
    check(&[(0, moving(Key)), (1, told.clone())], true, key(0));
    check(&[(0, moving(Key)), (1, closed(Key)), (8, told)], true, key(8));
}

#[test]
fn a_stop_is_released_by_the_first_closing_of_its_own_contact() {
    use Contact::{EmergencyStop as Button, SafetyKey as Key};
    let pressed = (10, opened(Button, Some(900)));
    let released = |time| Some((StopContact::EmergencyStop, 10, Some(900), time));
    check(&[pressed.clone(), (12, closed(Key))], true, released(None));
    check(&[pressed.clone(), (12, closed(Button))], true, released(Some(12)));
    check(&[pressed.clone(), (14, closed(Button)), (12, closed(Button))], true, released(Some(12)));
    check(&[pressed.clone(), (9, closed(Button))], true, released(None));
    check(&[pressed.clone(), (12, closed(Button)), pressed], true, released(Some(12)));
}

#[test]
fn the_machine_mind_folds_stops_of_dated_events() {
    let mut mind = MachineMind::new(MachineId::new("tm-01").expect("an id"), MachineFold::default());
    let mut take = |n: u64, time: Option<UnixMicros>, payload: Payload| {
        let record = Record { at: MonotonicMicros(0), other_n: 0, payload };
        mind.fold(LogId([1; 16]), Position::new(1, n), time, &record);
        mind.fold_state().last_stop
    };
    let key = || Payload::Event(opened(Contact::SafetyKey, None));
    assert_eq!(take(1, Some(at(1)), key()), None, "no session is open");
    let speed = SpeedSummary { mean: Speed(900), min: Speed(900), max: Speed(900), rise: None, fall: None };
    let reading = Reading { span_ms: 1_000, speed: Some(speed), holds_for_ms: 3_000, ..Reading::default() };
    assert_eq!(take(2, Some(at(3)), Payload::Reading(reading)), None);
    assert_eq!(take(3, None, key()), None, "undated");
    assert_eq!(take(4, Some(at(4)), key()).map(|stop| stop.time), Some(at(4)));
}

proptest! {
    #[test]
    fn an_event_that_comes_twice_changes_nothing(
        story in prop::collection::vec((
            0..40_i64,
            prop::sample::select(Contact::ALL.to_vec()),
            any::<bool>(),
            option::of(0..2_000_u32),
        ), 1..12),
    ) {
        let mut last = None;
        for (seconds, contact, open, speed) in story {
            let event = if open { opened(contact, speed) } else { closed(contact) };
            last = fold_stop(last, at(seconds), &event, true);
            prop_assert_eq!(fold_stop(last, at(seconds), &event, true), last);
        }
    }

    #[test]
    fn a_stop_is_replaced_by_an_older_one_only_if_that_has_the_greater_need(
        stops in prop::collection::vec((0..100_i64, prop::sample::select(Contact::ALL.to_vec())), 1..12),
    ) {
        let mut last: Option<Stop> = None;
        for (seconds, contact) in stops {
            let next = fold_stop(last, at(seconds), &opened(contact, Some(900)), true);
            if let (Some(last), Some(next)) = (last, next) {
                // Only a greater need of the same stop may be older.
                prop_assert!(next.time >= last.time || next.contact < last.contact);
            }
            last = next;
        }
    }
}
