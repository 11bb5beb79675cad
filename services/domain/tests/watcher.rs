//! The signal watcher: stories of a belt in, readings and events out.

use domain::belt::{Belt, Contact, Direction, Origin};
use domain::record::{Event, EventKind, Payload, Reading};
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
        Payload::Reading(_) => None,
    }
}

fn reading(observed: &Observed) -> Option<&Reading> {
    match &observed.payload {
        Payload::Reading(reading) => Some(reading),
        Payload::Event(_) => None,
    }
}

#[test]
fn a_start_and_a_stop_are_told_at_their_first_moments() {
    let mut stage = Stage::new(1);
    stage.run(Some(Direction::Stopped), 0, 2_000);
    stage.run(Some(Direction::Forward), 500, 3_000);
    stage.run(Some(Direction::Stopped), 0, 2_000);
    assert_eq!(stage.events(), [(EventKind::BeltStarted, 2_100), (EventKind::BeltStopped, 5_100)]);
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
    stage.wait(60_000);
    let last = stage.readings().last().copied().expect("a reading");
    assert_eq!((last.direction, last.speed), (Direction::Unknown, None));
    assert_eq!(stage.watcher.belt(stage.now).0, Belt::default());
    stage.run(Some(Direction::Forward), 500, 100);
    assert_eq!(stage.last_event().kind, EventKind::SourceFresh);
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

fn any_value() -> impl Strategy<Value = SignalValue> {
    let direction = prop::sample::select(vec![Direction::Forward, Direction::Reverse, Direction::Stopped]);
    let contact = prop::sample::select(Contact::ALL.to_vec());
    prop_oneof![
        any::<u32>().prop_map(|speed| SignalValue::Speed(Speed(speed))),
        direction.prop_map(SignalValue::MeasuredDirection),
        (contact, any::<bool>()).prop_map(|(contact, open)| SignalValue::ContactLevel { contact, open }),
        Just(SignalValue::SafetyKeyStop),
        "[a-zäöü ]{0,300}".prop_map(SignalValue::Implausible),
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
