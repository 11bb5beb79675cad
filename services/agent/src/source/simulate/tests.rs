//! What the watcher says, held against the truth that the simulator kept.

use domain::belt::{Contact, Direction, Origin};
use domain::record::{Event, EventKind, Payload, Reading};
use domain::signal::{Script, SourceNumber};
use domain::units::{MonotonicMicros, SECOND};
use domain::watcher::{Observed, SignalWatcher, WatcherSettings};

use super::{Happening, Profile, Simulator};

const HOUR_US: u64 = 3_600 * SECOND;

fn watch(seed: u64, profile: Profile, length_us: u64) -> (Simulator, Vec<Observed>) {
    let start = MonotonicMicros(SECOND);
    let mut simulator = Simulator::new(SourceNumber(0), seed, profile, start);
    let mut watcher = SignalWatcher::new(vec![simulator.spec()], WatcherSettings::default(), start);
    let (mut signals, mut observed) = (Vec::new(), Vec::new());
    for step in 1..=length_us / 100_000 {
        let now = start.plus(step * 100_000);
        simulator.observe(now, &mut signals);
        for signal in signals.drain(..) {
            watcher.apply(&signal, &mut observed);
        }
        watcher.tick(now, &mut observed);
    }
    (simulator, observed)
}

fn events(observed: &[Observed]) -> impl Iterator<Item = (MonotonicMicros, &Event)> {
    observed.iter().filter_map(|observed| match &observed.payload {
        Payload::Event(event) => Some((observed.at, event)),
        Payload::Reading(_) | Payload::Recording(_) | Payload::Commissioning(_) => None,
    })
}

fn readings(observed: &[Observed]) -> impl Iterator<Item = &Reading> {
    observed.iter().filter_map(|observed| match &observed.payload {
        Payload::Reading(reading) => Some(reading),
        Payload::Event(_) | Payload::Recording(_) | Payload::Commissioning(_) => None,
    })
}

#[test]
fn every_stop_and_key_of_the_truth_is_told_once_at_its_time() {
    for seed in 0..20 {
        let (simulator, observed) = watch(seed, Profile::encoder().with_pace(10.0), HOUR_US);
        for (happening, contact) in
            [(Happening::EmergencyStop, Contact::EmergencyStop), (Happening::KeyPulled, Contact::SafetyKey)]
        {
            let truth: Vec<_> = simulator.truth().filter(|m| m.what == happening).map(|m| m.at).collect();
            let opened = events(&observed)
                .filter(|(_, e)| e.kind == EventKind::ContactOpened && e.contact == Some(contact));
            let told: Vec<_> = opened.map(|(at, _)| at).collect();
            assert_eq!(truth, told, "seed {seed}, {contact:?}");
        }
    }
}

#[test]
fn a_direction_is_told_as_it_was_and_a_console_tells_none() {
    let (simulator, observed) = watch(7, Profile::encoder().with_pace(10.0), HOUR_US);
    let mut reverse_us = 0;
    for reading in readings(&observed) {
        if reading.direction == Direction::Reverse {
            assert_eq!(reading.origin, Origin::Measured);
            reverse_us += u64::from(reading.span_ms) * 1_000;
        }
        let moving = reading.speed.is_some_and(|speed| speed.min.0 > 28);
        assert!(!moving || reading.direction != Direction::Unknown, "{reading:?}");
    }
    assert!(reverse_us > 0 && simulator.truth().any(|m| m.direction == Direction::Reverse));

    let (_, observed) = watch(7, Profile::ftms().with_pace(10.0), HOUR_US);
    assert!(readings(&observed).any(|r| r.speed.is_some_and(|speed| speed.min.0 > 28)));
    for reading in readings(&observed) {
        let known = [Direction::Forward, Direction::Reverse].contains(&reading.direction);
        assert!(!known, "a speed without sign has no direction: {reading:?}");
    }
}

#[test]
fn starts_and_stops_pair_up_and_readings_leave_no_gap() {
    let (simulator, observed) = watch(3, Profile::encoder().with_pace(10.0), HOUR_US);
    let count = |kind| events(&observed).filter(|(_, event)| event.kind == kind).count();
    let truth = |what| simulator.truth().filter(|moment| moment.what == what).count();
    assert!(truth(Happening::Started) > 5);
    // A start in the last second may not have been told yet; the first standstill is no stop.
    assert!(truth(Happening::Started).abs_diff(count(EventKind::BeltStarted)) <= 1);
    assert!(truth(Happening::Stopped).abs_diff(count(EventKind::BeltStopped)) <= 1);
    let mut end = MonotonicMicros(SECOND);
    for at_and_span in observed.iter().filter_map(|observed| match &observed.payload {
        Payload::Reading(reading) => Some((observed.at, u64::from(reading.span_ms) * 1_000)),
        Payload::Event(_) | Payload::Recording(_) | Payload::Commissioning(_) => None,
    }) {
        let (at, span_us) = at_and_span;
        assert!(at.0 - span_us <= end.0 + 1_000, "a gap before {at:?}");
        end = at;
    }
}

#[test]
fn the_same_seed_gives_the_same_belt() {
    let profile = Profile::encoder().with_pace(5.0);
    assert_eq!(watch(11, profile, HOUR_US / 4).1, watch(11, profile, HOUR_US / 4).1);
    assert_ne!(watch(11, profile, HOUR_US / 4).1, watch(12, profile, HOUR_US / 4).1);
}
