use super::*;
use crate::record::Reading;
use crate::units::{MonotonicMicros, Speed};

const ONE: ConfigurationHash = ConfigurationHash([1; 16]);
const TWO: ConfigurationHash = ConfigurationHash([2; 16]);

fn settings(direction_proven: bool, proven_for: &[ConfigurationHash]) -> MachineSettings {
    MachineSettings { direction_proven, proven_for: proven_for.to_vec(), ..MachineSettings::default() }
}

fn record(payload: Payload) -> Record {
    Record { at: MonotonicMicros(1), other_n: 0, payload }
}

#[test]
fn a_measured_direction_counts_only_if_its_sign_was_proven() {
    let check = |proven: bool, seen: (Direction, Origin), expected: (Direction, Origin)| {
        assert_eq!(settings(proven, &[]).direction(seen.0, seen.1), expected, "{proven}, {seen:?}");
    };
    let unknown = (Direction::Unknown, Origin::Unknown);
    for direction in [Direction::Forward, Direction::Reverse] {
        check(true, (direction, Origin::Measured), (direction, Origin::Measured));
        check(false, (direction, Origin::Measured), unknown);
        // What a person said, and what never had a sign, needs no proof.
        check(false, (direction, Origin::Declared), (direction, Origin::Declared));
    }
    check(false, (Direction::Stopped, Origin::Measured), (Direction::Stopped, Origin::Measured));
    check(false, unknown, unknown);
}

#[test]
fn it_was_proven_for_some_configurations() {
    let check = |proven: bool,
                 configurations: &[ConfigurationHash],
                 told: Option<ConfigurationHash>,
                 expected: bool| {
        let settings = settings(proven, configurations);
        assert_eq!(settings.direction_counts(told), expected, "{configurations:?}, {told:?}");
        assert_eq!(
            settings.of_configuration(told).direction_proven,
            expected,
            "{configurations:?}, {told:?}"
        );
    };
    check(true, &[], None, true);
    check(true, &[], Some(ONE), true);
    check(true, &[ONE], None, true);
    check(true, &[ONE], Some(ONE), true);
    check(true, &[ONE], Some(TWO), false);
    check(true, &[ONE, TWO], Some(TWO), true);
    check(false, &[ONE], Some(ONE), false);
    check(false, &[], None, false);
}

#[test]
fn an_agent_tells_its_configuration_with_its_first_event() {
    let check = |kind: EventKind, detail: &str, expected: Option<ConfigurationHash>| {
        let mut event = Event::new(kind, MonotonicMicros(1), Belt::default(), Belt::default());
        detail.clone_into(&mut event.detail);
        assert_eq!(configuration_told(&event), expected, "{kind:?}: {detail}");
    };
    check(EventKind::AgentStarted, &configuration_detail(ONE), Some(ONE));
    check(EventKind::AgentStarted, &format!("1.2.3, {} and more", configuration_detail(TWO)), Some(TWO));
    check(EventKind::FaultReported, &configuration_detail(ONE), None);
    for detail in
        ["", "configuration", "configuration ", "configuration 12", "01010101010101010101010101010101"]
    {
        check(EventKind::AgentStarted, detail, None);
    }
}

#[test]
fn all_of_a_record_counts_alike() {
    let belt = |direction, origin| Belt { direction, origin, speed: Some(Speed(900)), ..Belt::default() };
    let seen = belt(Direction::Reverse, Origin::Measured);
    let mut event = Event::new(EventKind::DirectionChanged, MonotonicMicros(1), seen, seen);
    event.direction_before = Some(Direction::Forward);
    let turned = record(Payload::Event(event.clone()));
    assert_eq!(settings(true, &[]).record(&turned), Cow::Borrowed(&turned));
    let counts = settings(false, &[]).record(&turned).into_owned();
    let unknown = belt(Direction::Unknown, Origin::Unknown);
    let expected =
        Event { belt: unknown, before: unknown, direction_before: Some(Direction::Unknown), ..event };
    assert_eq!(counts.payload, Payload::Event(expected));

    let reading =
        Reading { direction: Direction::Reverse, origin: Origin::Measured, span_ms: 7, ..Reading::default() };
    let counts = settings(false, &[]).record(&record(Payload::Reading(reading.clone()))).into_owned();
    let expected = Reading { direction: Direction::Unknown, origin: Origin::Unknown, ..reading };
    assert_eq!(counts.payload, Payload::Reading(expected));
}

#[test]
fn a_direction_that_was_proven_later_is_known_by_now() {
    let at = UnixMicros;
    let check = |steps: &[(i64, bool)], time: i64, expected: bool| {
        let entries = steps.iter().map(|(from, proven)| (at(*from), settings(*proven, &[]))).collect();
        let timeline = Timeline::new(MachineSettings::default(), entries);
        assert_eq!(timeline.known_by_now(at(time)).direction_proven, expected, "{steps:?} at {time}");
    };
    check(&[], 5, false);
    check(&[(10, true)], 5, true);
    check(&[(10, true), (20, false)], 5, false);
    check(&[(10, true), (20, false)], 15, true);
    check(&[(10, true), (20, false)], 25, false);
}
