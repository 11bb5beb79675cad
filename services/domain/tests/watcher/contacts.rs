//! Contacts: debounced, with their first edge; what chatters, contradicts or goes with its source.

use super::*;

#[test]
fn a_stop_that_takes_its_source_along_is_told_with_its_edge() {
    let mut stage = Stage::new(1);
    stage.run(Some(Direction::Reverse), 894, 1_000);
    stage.contact(Contact::EmergencyStop, false);
    stage.wait(100);
    stage.contact(Contact::EmergencyStop, true);
    stage.wait(5);
    stage.signal(0, SignalValue::Lost("its supply went".to_owned()));
    let opened = |(kind, _): &(EventKind, u64)| *kind == EventKind::ContactOpened;
    assert_eq!(stage.events().into_iter().find(opened), Some((EventKind::ContactOpened, 1_100)));
    // A contact that closes and opens again within its bounce has not opened: it did not close either.
    let mut stage = Stage::new(1);
    stage.contact(Contact::EmergencyStop, true);
    stage.wait(100);
    stage.contact(Contact::EmergencyStop, false);
    stage.wait(5);
    stage.signal(0, SignalValue::Lost("its supply went".to_owned()));
    assert_eq!(stage.events().into_iter().find(opened), None);
}

#[test]
fn a_bouncing_contact_is_one_event_at_its_first_edge() {
    let mut stage = Stage::new(1);
    stage.run(Some(Direction::Reverse), 894, 1_000);
    stage.contact(Contact::EmergencyStop, false);
    assert_eq!(stage.events(), [], "the first level is no edge");
    for open in [true, false, true, false, true] {
        stage.wait(2);
        stage.contact(Contact::EmergencyStop, open);
    }
    stage.wait(20);
    stage.contact(Contact::EmergencyStop, true);
    assert_eq!(stage.events(), [(EventKind::ContactOpened, 1_002)]);
    let event = stage.last_event();
    assert_eq!(event.contact, Some(Contact::EmergencyStop));
    assert_eq!(event.belt.contacts.is_open(Contact::EmergencyStop), Some(true));
    assert_eq!((event.before.direction, event.before.speed), (Direction::Reverse, Some(Speed(894))));
}

#[test]
fn a_chattering_contact_is_told_in_sums() {
    let mut stage = Stage::new(1);
    stage.contact(Contact::SafetyKey, false);
    for edge in 0..100_u32 {
        stage.wait(100);
        stage.contact(Contact::SafetyKey, edge % 2 == 0);
        stage.wait(100);
    }
    stage.wait(10_000);
    let single = |kind: EventKind| kind == EventKind::ContactOpened || kind == EventKind::ContactClosed;
    let singles = stage.events().into_iter().filter(|(kind, _)| single(*kind)).count();
    let sums = stage.told.iter().filter_map(event).filter(|e| e.kind == EventKind::ContactChattering);
    let in_sums: u32 = sums.map(|event| event.count).sum();
    assert_eq!(singles, 20);
    assert_eq!(in_sums, 80, "every edge is told once");
}

#[test]
fn a_contact_that_opens_with_the_power_at_standstill_says_so() {
    let mut stage = Stage::new(1);
    stage.run(Some(Direction::Stopped), 0, 2_000);
    stage.contact(Contact::EmergencyStop, false);
    stage.contact(Contact::MachinePower, false);
    stage.wait(100);
    stage.contact(Contact::EmergencyStop, true);
    stage.contact(Contact::MachinePower, true);
    stage.wait(100);
    let stop = stage.told.iter().filter_map(event).find(|e| e.contact == Some(Contact::EmergencyStop));
    assert_eq!(stop.map(|e| e.detail.as_str()), Some("with loss of machine power at standstill"));
}

#[test]
fn sources_that_contradict_each_other_on_a_contact_are_told_once_until_they_agreed() {
    let stop = |open| SignalValue::ContactLevel { contact: Contact::EmergencyStop, open };
    // What the second source says while the first says closed, for how long; how often it is told.
    let check = |says: &[(bool, u64)], expected: &[u64]| {
        let mut stage = Stage::new(2);
        for (open, millis) in says {
            for _ in 0..millis / 100 {
                stage.wait(100);
                stage.signal(0, stop(false));
                stage.signal(1, stop(*open));
            }
        }
        let disagreed = |(kind, _): &(EventKind, u64)| *kind == EventKind::ContactDisagreed;
        let told: Vec<u64> = stage.events().into_iter().filter(disagreed).map(|(_, at)| at).collect();
        assert_eq!(told, expected, "{says:?}");
        stage
    };
    check(&[(false, 5_000)], &[]);
    check(&[(false, 2_000), (true, 1_900), (false, 2_000)], &[]);
    let stage = check(&[(false, 2_000), (true, 60_000)], &[2_100]);
    let told = stage.told.iter().filter_map(event).find(|e| e.kind == EventKind::ContactDisagreed).unwrap();
    assert_eq!((told.contact, told.source.as_str()), (Some(Contact::EmergencyStop), "source-0"));
    assert_eq!(told.detail, "source-0 says closed, source-1 says open");
    // The first one's level counts: no edge is told.
    assert!(stage.events().iter().all(|(kind, _)| *kind != EventKind::ContactOpened));
    check(&[(true, 3_000), (false, 2_000), (true, 3_000)], &[100]);
    check(&[(true, 3_000), (false, 3_200), (true, 3_000)], &[100, 6_300]);
}

#[test]
fn a_contact_that_the_first_source_opens_alone_is_a_contradiction_until_one_of_them_is_silent() {
    let stop = |open| SignalValue::ContactLevel { contact: Contact::EmergencyStop, open };
    let mut stage = Stage::new(2);
    let mut run = |opens: bool, second: bool, millis: u64| {
        for _ in 0..millis / 100 {
            stage.wait(100);
            stage.signal(0, stop(opens));
            if second {
                stage.signal(1, stop(false));
            }
        }
        let disagreed = |(kind, _): &(EventKind, u64)| *kind == EventKind::ContactDisagreed;
        stage.events().into_iter().filter(disagreed).count()
    };
    assert_eq!(run(false, true, 1_000), 0);
    assert_eq!(run(true, true, 1_500), 0);
    // The second one falls silent before two seconds are over.
    assert_eq!(run(true, false, 1_000), 1, "what it said last stands until it counts as silent");
    assert_eq!(run(true, false, 60_000), 1);
}
