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

/// What is proven from when on, and for which configurations; none: for whichever.
type Steps<'a> = &'a [(i64, bool, &'a [ConfigurationHash])];

fn timeline(steps: Steps<'_>) -> Timeline {
    let entry = |(from, proven, configurations): &(i64, bool, &[ConfigurationHash])| {
        (UnixMicros(*from), settings(*proven, configurations))
    };
    Timeline::new(MachineSettings::default(), steps.iter().map(entry).collect())
}

fn sources(starts: &[(i64, ConfigurationHash)]) -> Configurations {
    let mut sources = Configurations::default();
    starts.iter().for_each(|(from, told)| sources.tell(UnixMicros(*from), Some(*told)));
    sources
}

#[test]
fn a_direction_that_was_proven_later_is_known_by_now() {
    let check = |steps: Steps<'_>, time: i64, expected: bool| {
        let shown = timeline(steps).known_by_now(UnixMicros(time), &Configurations::default()).into_owned();
        assert_eq!(shown.direction_proven, expected, "{steps:?} at {time}");
    };
    check(&[], 5, false);
    check(&[(10, true, &[])], 5, true);
    check(&[(10, true, &[]), (20, false, &[])], 5, false);
    check(&[(10, true, &[]), (20, false, &[])], 15, true);
    check(&[(10, true, &[]), (20, false, &[])], 25, false);
}

#[test]
fn what_sources_told_counts_by_how_they_were_set_then() {
    // As it is folded, and as it is shown.
    let check = |steps: Steps<'_>, starts: &[(i64, ConfigurationHash)], time: i64, expected: (bool, bool)| {
        let (timeline, sources, time) = (timeline(steps), sources(starts), UnixMicros(time));
        let holding = timeline.holding(time, &sources).direction_proven;
        let shown = timeline.known_by_now(time, &sources).direction_proven;
        assert_eq!((holding, shown), expected, "{steps:?}, {starts:?} at {time:?}");
    };
    let changed = [(10, ONE), (30, TWO)];
    // Proven for the first, changed later: from then on unknown.
    check(&[(20, true, &[ONE])], &changed, 15, (false, true));
    check(&[(20, true, &[ONE])], &changed, 25, (true, true));
    check(&[(20, true, &[ONE])], &changed, 35, (false, false));
    // Commissioned anew: what was between is known by now.
    let anew: Steps<'_> = &[(20, true, &[ONE]), (40, true, &[ONE, TWO])];
    check(anew, &changed, 35, (false, true));
    check(anew, &changed, 45, (true, true));
    check(anew, &changed, 25, (true, true));
    // Only the second was proven: what the first told stays unknown.
    check(&[(40, true, &[TWO])], &changed, 25, (false, false));
    check(&[(40, true, &[TWO])], &changed, 35, (false, true));
    // A person said that it counts, until the agent's report told for which; and the other way round.
    check(&[(20, true, &[]), (40, true, &[TWO])], &changed, 25, (true, true));
    check(&[(20, true, &[ONE]), (40, true, &[])], &changed, 35, (false, true));
}

#[test]
fn what_an_earlier_commissioning_has_proven_is_known_only_of_what_was_before_the_newest() {
    let newest = MachineSettings { proven_before: vec![ONE], ..settings(true, &[TWO]) };
    let entries = vec![(UnixMicros(20), settings(true, &[ONE])), (UnixMicros(40), newest)];
    let timeline = Timeline::new(MachineSettings::default(), entries);
    // In the end somebody goes back to the first, and nobody has looked at the belt since.
    let sources = sources(&[(10, ONE), (30, TWO), (50, ONE)]);
    for (time, expected) in [(5, true), (15, true), (25, true), (35, true), (45, true), (55, false)] {
        let shown = timeline.known_by_now(UnixMicros(time), &sources).direction_proven;
        assert_eq!(shown, expected, "at {time}");
    }
    assert!(timeline.to_come(&Configurations::default()).direction_proven);
    assert!(!timeline.to_come(&sources).direction_proven);
}
