//! Stories of a belt: what starts a recording, and what is in it.

use domain::belt::Direction;
use domain::limits;
use domain::log::Lane;
use domain::record::Record;
use domain::recording::RecordingPiece;
use domain::signal::{Capabilities, SignalValue, SourceNumber};
use domain::units::{SECOND, Speed};
use proptest::prelude::*;

use super::*;

const START: MonotonicMicros = MonotonicMicros(1_000_000);

/// A recorder of one source, and what it has told.
struct Stage {
    recorder: Recorder,
    now: MonotonicMicros,
    period_ms: u64,
    told: Vec<Observed>,
}

impl Stage {
    fn new(period_ms: u64) -> Stage {
        let name = "belt".to_owned();
        let spec = SourceSpec { name, capabilities: Capabilities::SPEED, period_us: period_ms * 1_000 };
        let recorder = Recorder::new(vec![spec], WatcherSettings::default(), START);
        Stage { recorder, now: START, period_ms, told: Vec::new() }
    }

    fn signal(&mut self, values: &[SignalValue]) {
        let signal =
            |value: &SignalValue| Signal { at: self.now, source: SourceNumber(0), value: value.clone() };
        let signals: Vec<Signal> = values.iter().map(signal).collect();
        self.recorder.observe(&signals, self.now, &mut self.told);
    }

    fn wait(&mut self, millis: u64) {
        for _ in 0..millis / 20 {
            self.now = self.now.plus(20_000);
            self.recorder.observe(&[], self.now, &mut self.told);
        }
    }

    fn run(&mut self, mm_s: u32, millis: u64) {
        for _ in 0..millis / self.period_ms {
            self.wait(self.period_ms);
            self.signal(&[
                SignalValue::MeasuredDirection(Direction::Reverse),
                SignalValue::Speed(Speed(mm_s)),
            ]);
        }
    }

    fn contact(&mut self, contact: Contact, open: bool) {
        self.signal(&[SignalValue::ContactLevel { contact, open }]);
        self.wait(100);
    }

    fn pieces(&self) -> Vec<(MonotonicMicros, &RecordingPiece)> {
        let piece = |observed: &'_ Observed| matches!(observed.payload, Payload::Recording(_));
        let told = self.told.iter().filter(|observed| piece(observed));
        told.filter_map(|observed| match &observed.payload {
            Payload::Recording(piece) => Some((observed.at, piece)),
            Payload::Event(_) | Payload::Reading(_) | Payload::Commissioning(_) => None,
        })
        .collect()
    }

    /// Events with the recording that they name, in milliseconds since the start.
    fn events(&self) -> Vec<(EventKind, Option<u64>)> {
        let millis = |at: MonotonicMicros| at.since(START) / 1_000;
        self.told
            .iter()
            .filter_map(|observed| match &observed.payload {
                Payload::Event(event) => Some((event.kind, event.recording.map(millis))),
                Payload::Recording(_) | Payload::Commissioning(_) | Payload::Reading(_) => None,
            })
            .collect()
    }
}

/// A belt that runs at 500 mm/s with all contacts closed.
fn running(period_ms: u64) -> Stage {
    let mut stage = Stage::new(period_ms);
    for contact in Contact::ALL {
        stage.contact(contact, false);
    }
    stage.run(500, 30_000);
    stage
}

#[test]
fn some_events_start_a_recording_and_others_do_not() {
    let check = |what: &str, story: fn(&mut Stage), expected: usize| {
        let mut stage = running(100);
        story(&mut stage);
        let recordings = stage.pieces().iter().filter(|(_, piece)| piece.number == 0).count();
        assert_eq!(recordings, expected, "{what}: {:?}", stage.events());
    };
    check("nothing", |stage| stage.run(500, 60_000), 0);
    check("emergency stop", |stage| stage.contact(Contact::EmergencyStop, true), 1);
    check("key", |stage| stage.contact(Contact::SafetyKey, true), 1);
    check("key, as told", |stage| stage.signal(&[SignalValue::SafetyKeyStop]), 1);
    check("power in motion", |stage| stage.contact(Contact::MachinePower, true), 1);
    let standing: fn(&mut Stage) = |stage| {
        stage.run(0, 4_000);
        stage.contact(Contact::MachinePower, true);
    };
    check("power at standstill", standing, 0);
    check("a person leaves", |stage| stage.contact(Contact::UserPresence, true), 0);
    check("hands off", |stage| stage.contact(Contact::HandRail, true), 0);
    check("silence in motion", |stage| stage.wait(3_000), 1);
    let silent: fn(&mut Stage) = |stage| {
        stage.run(0, 4_000);
        stage.wait(10_000);
    };
    check("silence at standstill", silent, 0);
    check("a jump", |stage| stage.run(1_000, 200), 1);
    check("a fault", |stage| stage.signal(&[SignalValue::Fault("E01".to_owned())]), 0);
    let turn: fn(&mut Stage) = |stage| stage.signal(&[SignalValue::MeasuredDirection(Direction::Forward)]);
    check("a turn in motion", turn, 1);
    let pressed: fn(&mut Stage) = |stage| {
        stage.contact(Contact::EmergencyStop, true);
        stage.run(0, 60_000);
        stage.run(400, 1_000);
    };
    check("a stop, and a start against it", pressed, 2);
}

#[test]
fn a_recording_holds_the_belt_before_and_after() {
    let check = |period_ms: u64, points_min: usize, points_max: usize| {
        let mut stage = running(period_ms);
        let begin = stage.now;
        stage.contact(Contact::EmergencyStop, true);
        stage.run(0, 60_000);
        let pieces = stage.pieces();
        let trigger = pieces[0].1.trigger;
        assert_eq!(trigger, begin, "every {period_ms} ms");
        let points: Vec<_> = pieces.iter().flat_map(|(_, piece)| piece.points.iter()).collect();
        assert!((points_min..=points_max).contains(&points.len()), "every {period_ms} ms: {}", points.len());
        let (first, last) = (points[0], points[points.len() - 1]);
        let before = trigger.since(first.at);
        assert!((19 * SECOND..=20 * SECOND).contains(&before), "every {period_ms} ms: {before}");
        let after = last.at.since(trigger);
        assert!((20 * SECOND..=21 * SECOND).contains(&after), "every {period_ms} ms: {after}");
        assert_eq!((first.direction, first.speed), (Direction::Reverse, Some(Speed(500))));
        assert_eq!((last.direction, last.speed), (Direction::Stopped, Some(Speed(0))));
        assert_eq!(last.contacts.is_open(Contact::EmergencyStop), Some(true));
    };
    check(20, 360, 410);
    check(100, 395, 410);
    check(1_000, 40, 60);
}

#[test]
fn what_is_remembered_is_written_right_behind_the_event() {
    let mut stage = running(100);
    stage.contact(Contact::SafetyKey, true);
    let place = stage.told.iter().position(|observed| match &observed.payload {
        Payload::Event(event) => event.kind == EventKind::ContactOpened,
        Payload::Reading(_) | Payload::Recording(_) | Payload::Commissioning(_) => false,
    });
    let behind = &stage.told[place.expect("it is told") + 1..];
    let lengths: Vec<usize> = behind
        .iter()
        .map_while(|observed| match &observed.payload {
            Payload::Recording(piece) => Some(piece.points.len()),
            Payload::Reading(_) | Payload::Event(_) | Payload::Commissioning(_) => None,
        })
        .collect();
    assert_eq!(lengths.len(), 2, "{lengths:?}");
    assert!(lengths.iter().sum::<usize>() >= 195, "{lengths:?}");
}

#[test]
fn a_recording_ends_some_time_after_standstill_and_at_last_in_any_case() {
    let check = |moving_ms: u64, seconds: u64| {
        let mut stage = running(100);
        stage.contact(Contact::EmergencyStop, true);
        stage.run(500, moving_ms);
        stage.run(0, 300_000 - moving_ms);
        let pieces = stage.pieces();
        let (at, last) = pieces[pieces.len() - 1];
        assert!(last.is_last && pieces.iter().filter(|(_, piece)| piece.is_last).count() == 1);
        let after = at.since(last.trigger);
        assert!(after.abs_diff(seconds * SECOND) <= 300_000, "{moving_ms}: {after}");
    };
    check(0, 20);
    check(10_000, 20);
    // A standstill is known after a second.
    check(30_000, 36);
    check(200_000, 120);
}

#[test]
fn events_name_the_recording_that_covers_them() {
    let mut stage = running(100);
    stage.contact(Contact::EmergencyStop, true);
    stage.contact(Contact::SafetyKey, true);
    stage.run(0, 60_000);
    stage.contact(Contact::SafetyKey, false);
    let at = stage.pieces()[0].1.trigger.since(START) / 1_000;
    let events = stage.events();
    let after: Vec<_> =
        events.into_iter().skip_while(|(kind, _)| *kind != EventKind::ContactOpened).collect();
    let expected = [
        (EventKind::ContactOpened, Some(at)),
        (EventKind::ContactOpened, Some(at)),
        (EventKind::BeltStopped, Some(at)),
        (EventKind::ContactClosed, None),
    ];
    assert_eq!(after, expected);
}

#[test]
fn an_agent_that_stops_leaves_a_recording_incomplete() {
    let mut stage = running(100);
    stage.contact(Contact::EmergencyStop, true);
    stage.run(500, 3_000);
    stage.recorder.stop(&mut stage.told);
    let pieces = stage.pieces();
    assert!(pieces.iter().all(|(_, piece)| !piece.is_last));
    assert_eq!(pieces[pieces.len() - 1].0, stage.now, "all that was seen is told");
}

/// What every sequence of pieces obeys, whatever the belt does.
fn check_pieces(told: &[Observed]) {
    let mut before: Option<(RecordingPiece, MonotonicMicros)> = None;
    for observed in told {
        let Payload::Recording(piece) = &observed.payload else { continue };
        let record = Record { at: observed.at, other_n: 9, payload: observed.payload.clone() };
        let octets = wire::record::encode(&record);
        assert!(octets.len() <= limits::RECORD_BYTES_MAX, "{} octets", octets.len());
        assert_eq!(wire::record::decode(Lane::Events, &octets), Ok(record));
        assert_eq!(piece.points.last().map(|point| point.at), Some(observed.at));
        assert!(piece.points.windows(2).all(|pair| pair[0].at < pair[1].at));
        let first = piece.points[0].at;
        assert!(piece.trigger.since(first) <= limits::RECORDING_BEFORE_US);
        match &before {
            Some((last, at)) if last.trigger == piece.trigger => {
                assert!(piece.number == last.number + 1 && !last.is_last && *at < first);
            }
            Some((last, _)) => assert!(last.is_last && piece.number == 0),
            None => assert_eq!(piece.number, 0),
        }
        before = Some((piece.clone(), observed.at));
    }
}

fn any_value() -> impl Strategy<Value = SignalValue> {
    let direction = prop::sample::select(vec![Direction::Forward, Direction::Reverse, Direction::Stopped]);
    let contact = prop::sample::select(Contact::ALL.to_vec());
    prop_oneof![
        (0..8_000_u32).prop_map(|speed| SignalValue::Speed(Speed(speed))),
        direction.prop_map(SignalValue::MeasuredDirection),
        (contact, any::<bool>()).prop_map(|(contact, open)| SignalValue::ContactLevel { contact, open }),
        Just(SignalValue::SafetyKeyStop),
    ]
}

proptest! {
    #[test]
    fn whatever_the_belt_does_pieces_fit_and_follow_each_other(
        steps in prop::collection::vec((any::<u64>(), any_value()), 0..400),
    ) {
        let mut stage = Stage::new(100);
        for (wait, value) in steps {
            // Mostly a tenth of a second, now and then a minute, seldom years.
            let wait_us = match wait % 100 {
                0 => wait % (1 << 50),
                1..=3 => wait % 60_000_000,
                _ => wait % 200_000,
            };
            stage.now = stage.now.plus(wait_us);
            stage.signal(&[value]);
        }
        check_pieces(&stage.told);
    }
}
