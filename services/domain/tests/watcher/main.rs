//! The signal watcher: stories of a belt in, readings and events out.

mod contacts;

use domain::belt::{Belt, Contact, Direction, Origin};
use domain::record::{Event, EventKind, Payload, Reading, SpeedSummary};
use domain::signal::{Capabilities, Signal, SignalValue, SourceNumber, SourceSpec};
use domain::units::{MonotonicMicros, Speed};
use domain::watcher::{Observed, SignalWatcher, WatcherSettings};
use proptest::prelude::*;

const START: MonotonicMicros = MonotonicMicros(1_000_000);

/// A watcher of one source that speaks ten times a second, and what it has told.
struct Stage {
    watcher: SignalWatcher,
    now: MonotonicMicros,
    told: Vec<Observed>,
}

impl Stage {
    fn new(sources: usize) -> Stage {
        let spec = |number| SourceSpec {
            name: format!("source-{number}"),
            capabilities: Capabilities::SPEED,
            period_us: 100_000,
        };
        let sources = (0..sources).map(spec).collect();
        let watcher = SignalWatcher::new(sources, WatcherSettings::default(), START);
        Stage { watcher, now: START, told: Vec::new() }
    }

    fn signal(&mut self, source: u8, value: SignalValue) {
        let signal = Signal { at: self.now, source: SourceNumber(source), value };
        self.watcher.apply(&signal, &mut self.told);
    }

    fn wait(&mut self, millis: u64) {
        self.now = self.now.plus(millis * 1_000);
        self.watcher.tick(self.now, &mut self.told);
    }

    /// The belt runs so for a while, told ten times a second.
    fn run(&mut self, direction: Option<Direction>, mm_s: u32, millis: u64) {
        for _ in 0..millis / 100 {
            self.wait(100);
            if let Some(direction) = direction {
                self.signal(0, SignalValue::MeasuredDirection(direction));
            }
            self.signal(0, SignalValue::Speed(Speed(mm_s)));
        }
    }

    fn contact(&mut self, contact: Contact, open: bool) {
        self.signal(0, SignalValue::ContactLevel { contact, open });
    }

    fn events(&self) -> Vec<(EventKind, u64)> {
        let millis = |at: MonotonicMicros| at.since(START) / 1_000;
        self.told.iter().filter_map(|o| event(o).map(|event| (event.kind, millis(o.at)))).collect()
    }

    fn last_event(&self) -> &Event {
        self.told.iter().rev().find_map(event).expect("there is an event")
    }

    fn readings(&self) -> Vec<&Reading> {
        self.told.iter().filter_map(reading).collect()
    }
}

fn event(observed: &Observed) -> Option<&Event> {
    match &observed.payload {
        Payload::Event(event) => Some(event),
        Payload::Reading(_) | Payload::Recording(_) | Payload::Commissioning(_) => None,
    }
}

fn reading(observed: &Observed) -> Option<&Reading> {
    match &observed.payload {
        Payload::Reading(reading) => Some(reading),
        Payload::Event(_) | Payload::Recording(_) | Payload::Commissioning(_) => None,
    }
}

#[test]
fn a_start_and_a_stop_are_told_at_their_first_moments() {
    let mut stage = Stage::new(1);
    stage.run(Some(Direction::Stopped), 0, 2_000);
    stage.run(Some(Direction::Forward), 400, 3_000);
    stage.run(Some(Direction::Stopped), 0, 2_000);
    assert_eq!(stage.events(), [(EventKind::BeltStarted, 2_100), (EventKind::BeltStopped, 5_093)]);
}

#[test]
fn intervals_never_mix_directions_and_add_up_to_the_whole_time() {
    let mut stage = Stage::new(1);
    stage.run(Some(Direction::Stopped), 0, 2_000);
    stage.run(Some(Direction::Forward), 500, 3_000);
    stage.run(Some(Direction::Stopped), 0, 2_000);
    stage.run(Some(Direction::Reverse), 400, 3_000);
    stage.run(Some(Direction::Stopped), 0, 40_000);
    let time = |direction| -> u32 {
        stage.readings().iter().filter(|r| r.direction == direction).map(|r| r.span_ms).sum()
    };
    assert_eq!(time(Direction::Forward), 3_000);
    assert_eq!(time(Direction::Reverse), 3_000);
    // Before the first standstill of a second nothing is known.
    assert!(time(Direction::Unknown) <= 1_200, "{}", time(Direction::Unknown));
    let known = |direction| stage.readings().into_iter().filter(move |r| r.direction == direction);
    assert!(known(Direction::Reverse).all(|r| r.origin == Origin::Measured));
    assert!(known(Direction::Forward).all(|r| r.speed.is_some_and(|s| s.mean == Speed(500))));
}

#[test]
fn a_belt_without_a_sign_is_unknown_and_a_declared_one_is_declared() {
    let mut stage = Stage::new(1);
    stage.run(None, 800, 2_000);
    let (belt, _, _) = stage.watcher.belt(stage.now);
    assert_eq!((belt.direction, belt.origin), (Direction::Unknown, Origin::Unknown));
    stage.signal(0, SignalValue::DeclaredDirection(Direction::Reverse));
    let (belt, _, _) = stage.watcher.belt(stage.now);
    assert_eq!((belt.direction, belt.origin), (Direction::Reverse, Origin::Declared));
    stage.signal(0, SignalValue::MeasuredDirection(Direction::Forward));
    let (belt, _, _) = stage.watcher.belt(stage.now);
    assert_eq!((belt.direction, belt.origin), (Direction::Forward, Origin::Measured), "measured goes first");
}

#[test]
fn a_turn_without_a_standstill_is_told_and_one_with_is_not() {
    for (pause_ms, expected) in [(0, 1), (800, 1), (1_500, 0)] {
        let mut stage = Stage::new(1);
        stage.run(Some(Direction::Forward), 555, 2_000);
        stage.run(None, 0, pause_ms);
        stage.run(Some(Direction::Reverse), 280, 2_000);
        let turns = stage.events().into_iter().filter(|(kind, _)| *kind == EventKind::DirectionChanged);
        assert_eq!(turns.count(), expected, "a pause of {pause_ms} ms");
    }
}

#[test]
fn silence_is_not_standstill() {
    let mut stage = Stage::new(1);
    stage.run(Some(Direction::Forward), 500, 3_000);
    stage.wait(2_500);
    assert_eq!(stage.last_event().kind, EventKind::SourceStale);
    assert_eq!(stage.last_event().source, "source-0");
    assert_eq!(stage.last_event().last, START.plus(3_000_000), "when it last spoke");
    assert_eq!(stage.events().last(), Some(&(EventKind::SourceStale, 5_500)), "when it was noticed");
    stage.wait(60_000);
    let last = stage.readings().last().copied().expect("a reading");
    assert_eq!((last.direction, last.speed), (Direction::Unknown, None));
    assert_eq!(stage.watcher.belt(stage.now).0, Belt::default());
    stage.run(Some(Direction::Forward), 500, 100);
    assert_eq!(stage.last_event().kind, EventKind::SourceFresh);
}

#[test]
fn why_a_source_is_lost_is_told_once_also_after_it_fell_silent() {
    let mut stage = Stage::new(1);
    stage.run(Some(Direction::Forward), 500, 3_000);
    stage.wait(2_500);
    for reason in ["unplugged", "unplugged", "no such file"] {
        stage.signal(0, SignalValue::Lost(reason.to_owned()));
    }
    let details = || stage.told.iter().filter_map(event).filter(|event| event.kind == EventKind::SourceStale);
    let details: Vec<&str> = details().map(|event| event.detail.as_str()).collect();
    assert_eq!(details, ["", "unplugged"]);
}

#[test]
fn the_first_source_goes_first_and_the_second_takes_over_when_it_is_silent() {
    let mut stage = Stage::new(2);
    stage.signal(0, SignalValue::Speed(Speed(500)));
    stage.signal(1, SignalValue::Speed(Speed(800)));
    assert_eq!(stage.watcher.belt(stage.now).0.speed, Some(Speed(500)));
    for _ in 0..30 {
        stage.wait(100);
        stage.signal(1, SignalValue::Speed(Speed(810)));
    }
    assert_eq!(stage.watcher.belt(stage.now).0.speed, Some(Speed(810)));
    assert!(stage.readings().iter().any(|reading| reading.extra.second_speed.is_some()));
}

#[test]
fn implausible_values_are_counted_not_repeated() {
    let mut stage = Stage::new(1);
    for _ in 0..250 {
        stage.wait(100);
        stage.signal(0, SignalValue::Implausible("incline is 82 %; ±40 % is allowed".to_owned()));
    }
    let told: Vec<u32> = stage.told.iter().filter_map(event).map(|event| event.count).collect();
    assert_eq!(told, [1, 100, 100]);
    assert!(stage.last_event().detail.contains("82 %"));
}

#[test]
fn readings_stay_short_for_a_while_after_a_moving_belt_fell_silent() {
    let mut stage = Stage::new(1);
    let check = |stage: &mut Stage, expected: &[u32]| {
        let before = stage.readings().len();
        for _ in 0..600 {
            stage.wait(100);
        }
        let spans: Vec<u32> = stage.readings()[before..].iter().map(|reading| reading.span_ms).collect();
        assert_eq!(spans, expected);
    };
    stage.run(Some(Direction::Forward), 500, 3_000);
    // The interval that the silence is noticed in, ten short ones, and those of rest.
    let moving = [1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000];
    check(&mut stage, &[&[1_000, 1_000, 100][..], &moving, &[30_000]].concat());
    let holds: Vec<u32> = stage.readings().iter().rev().take(3).map(|reading| reading.holds_for_ms).collect();
    assert_eq!(holds, [61_000, 61_000, 3_000], "the last short one stands until the next");
    stage.run(Some(Direction::Stopped), 0, 2_000);
    check(&mut stage, &[3_000, 30_000]);
}

/// Ramps of 2.4 km/h a second: over 1.5 s they rise by 3.6 km/h, however seldom the speed is told.
#[test]
fn rises_and_falls_over_a_second_and_a_half_do_not_depend_on_the_rate() {
    for period_ms in [20, 100, 500, 700, 1_000, 1_300] {
        let mut stage = Stage::new(1);
        let mut ramp = |falls: bool| {
            for at in 0..=5_000 / period_ms {
                let risen = at * period_ms * 2 / 3;
                let speed = u32::try_from(if falls { 4_000 - risen } else { risen }).expect("it is small");
                stage.signal(0, SignalValue::Speed(Speed(speed)));
                stage.wait(period_ms);
            }
            stage.wait(4_000);
        };
        ramp(false);
        ramp(true);
        let greatest = |change: fn(&SpeedSummary) -> Option<u32>| {
            let speeds = stage.readings().into_iter().filter_map(|reading| reading.speed);
            speeds.filter_map(|speed| change(&speed)).max().expect("there are speeds")
        };
        for found in [greatest(|speed| speed.rise), greatest(|speed| speed.fall)] {
            assert!(found.abs_diff(1_000) <= 1, "every {period_ms} ms: {found} mm/s");
        }
    }
}

#[test]
fn jumps_of_the_speed_are_told_once_in_a_while_and_ramps_are_not() {
    let jumps = |from: u32, to: u32| {
        let mut stage = Stage::new(1);
        stage.run(None, from, 3_000);
        stage.run(None, to, 3_000);
        stage.run(None, from, 3_000);
        stage.run(None, to, 12_000);
        let told = stage.told.iter().filter(|o| event(o).is_some_and(|e| e.kind == EventKind::SpeedJumped));
        told.map(|o| (event(o).map_or(String::new(), |e| e.detail.clone()), o.at.since(START) / 1_000))
            .collect::<Vec<_>>()
    };
    assert_eq!(jumps(1_000, 1_499), []);
    assert_eq!(jumps(1_000, 1_500), [("rise".to_owned(), 3_100)], "a fall of 500 is none");
    assert_eq!(jumps(1_666, 1_000), [("rise".to_owned(), 6_100)], "a fall of 666 is none");
    let both = [("rise".to_owned(), 3_100), ("fall".to_owned(), 6_100)];
    assert_eq!(jumps(1_000, 1_667), both, "the second rise comes too soon");
}

#[test]
fn a_jump_shows_the_belt_before_it() {
    let mut stage = Stage::new(1);
    stage.run(Some(Direction::Reverse), 2_000, 3_000);
    stage.run(Some(Direction::Reverse), 100, 100);
    let jump = stage.last_event();
    assert_eq!((jump.kind, jump.detail.as_str()), (EventKind::SpeedJumped, "fall"));
    assert_eq!((jump.belt.speed, jump.before.speed), (Some(Speed(100)), Some(Speed(2_000))));
}

#[test]
fn sources_that_contradict_each_other_are_told_once_until_they_agreed() {
    let (forward, reverse) = (Direction::Forward, Direction::Reverse);
    // What the second source says while the first says forward, for how long; how often it is told.
    let check = |speed: u32, says: &[(Direction, u64)], expected: &[u64]| {
        let mut stage = Stage::new(2);
        for (direction, millis) in says {
            for _ in 0..millis / 100 {
                stage.wait(100);
                stage.signal(0, SignalValue::MeasuredDirection(forward));
                stage.signal(0, SignalValue::Speed(Speed(speed)));
                stage.signal(1, SignalValue::MeasuredDirection(*direction));
            }
        }
        let told: Vec<u64> = stage
            .events()
            .into_iter()
            .filter(|(kind, _)| *kind == EventKind::DirectionDisagreed)
            .map(|(_, at)| at)
            .collect();
        assert_eq!(told, expected, "{says:?}");
        stage
    };
    check(500, &[(forward, 2_000), (reverse, 900), (forward, 2_000)], &[]);
    check(139, &[(reverse, 5_000)], &[]);
    check(500, &[(Direction::Stopped, 5_000)], &[]);
    let stage = check(500, &[(forward, 2_000), (reverse, 20_000)], &[2_100]);
    let told = stage.told.iter().filter_map(event).find(|e| e.kind == EventKind::DirectionDisagreed);
    assert_eq!(told.map(|e| e.detail.as_str()), Some("source-0 measures forward, source-1 measures reverse"));
    check(500, &[(reverse, 2_000), (forward, 2_000), (reverse, 2_000)], &[100]);
    check(500, &[(reverse, 2_000), (forward, 3_200), (reverse, 2_000)], &[100, 5_300]);
}

#[test]
fn faults_are_told_with_their_text_and_counted_not_repeated() {
    let mut stage = Stage::new(1);
    for _ in 0..150 {
        stage.wait(100);
        stage.signal(0, SignalValue::Fault(format!("E07 {}", "ü".repeat(200))));
    }
    let told: Vec<(EventKind, u32)> =
        stage.told.iter().filter_map(event).map(|event| (event.kind, event.count)).collect();
    assert_eq!(told, [(EventKind::FaultReported, 1), (EventKind::FaultReported, 100)]);
    let event = stage.last_event();
    assert_eq!((event.detail.len(), event.source.as_str()), (200, "source-0"));
}

fn any_value() -> impl Strategy<Value = SignalValue> {
    let direction = prop::sample::select(vec![Direction::Forward, Direction::Reverse, Direction::Stopped]);
    let contact = prop::sample::select(Contact::ALL.to_vec());
    prop_oneof![
        any::<u32>().prop_map(|speed| SignalValue::Speed(Speed(speed))),
        direction.prop_map(SignalValue::MeasuredDirection),
        (contact, any::<bool>()).prop_map(|(contact, open)| SignalValue::ContactLevel { contact, open }),
        Just(SignalValue::SafetyKeyStop),
        "[a-zäöü ]{0,300}".prop_map(SignalValue::Implausible),
        "[a-zäöü ]{0,300}".prop_map(SignalValue::Fault),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_and_whenever_readings_obey_their_bounds(
        signals in prop::collection::vec((0..u64::MAX / 2, 0..5_u8, any_value()), 0..200),
    ) {
        let mut stage = Stage::new(2);
        for (at, source, value) in signals {
            // Times jump to and fro, now and then by years.
            let at = MonotonicMicros(if at % 3 == 0 { at } else { stage.now.0.saturating_add(at % 700_000) });
            stage.now = at;
            stage.signal(source, value);
        }
        for reading in stage.readings() {
            prop_assert!((1..=60_000).contains(&reading.span_ms));
            prop_assert!(reading.speed.is_none_or(|s| s.min <= s.mean && s.mean <= s.max));
            prop_assert!(reading.holds_for_ms <= 120_000);
        }
        for event in stage.told.iter().filter_map(event) {
            prop_assert!(event.detail.len() <= 200);
        }
    }

    #[test]
    fn letting_time_pass_more_often_changes_no_event(steps in prop::collection::vec((0..600_u32, 1..40_u8), 1..60)) {
        let run = |often: bool| {
            let mut stage = Stage::new(1);
            for (speed, tenths) in &steps {
                for _ in 0..*tenths {
                    if often {
                        (0..5).for_each(|_| stage.wait(20));
                    } else {
                        stage.wait(100);
                    }
                    stage.signal(0, SignalValue::Speed(Speed(*speed)));
                }
            }
            stage.events()
        };
        prop_assert_eq!(run(false), run(true));
    }
}

#[test]
fn a_distance_that_goes_back_is_implausible_and_one_that_begins_anew_is_not() {
    for (after, expected) in [(99, None), (21, Some("distance is 21 m after 100 m")), (20, None), (0, None)] {
        let expected = if after == 99 { Some("distance is 99 m after 100 m") } else { expected };
        let mut stage = Stage::new(1);
        stage.run(None, 1_000, 500);
        stage.signal(0, SignalValue::Distance(100));
        stage.run(None, 1_000, 1_500);
        stage.signal(0, SignalValue::Distance(after));
        stage.run(None, 1_000, 1_500);
        let told = stage.told.iter().filter_map(event).find(|e| e.kind == EventKind::ValueImplausible);
        assert_eq!(told.map(|event| event.detail.as_str()), expected, "{after} m");
        let kept = stage.readings().iter().any(|reading| reading.extra.distance_m == Some(after));
        assert_eq!(kept, expected.is_none(), "{after} m");
    }
}

#[test]
fn readings_stay_short_for_a_while_after_a_stop() {
    let mut stage = Stage::new(1);
    stage.run(None, 1_000, 3_000);
    stage.told.clear();
    stage.run(None, 0, 60_000);
    let spans: Vec<u32> = stage.readings().iter().map(|reading| reading.span_ms).collect();
    assert!(spans.iter().filter(|span| **span <= 1_000).count() >= 10, "{spans:?}");
    assert!(spans.iter().any(|span| *span > 20_000), "{spans:?}");
}
