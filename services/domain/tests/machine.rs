//! The machine mind: records in the order of writing in, latest picture and sessions out.

use std::sync::Arc;

use domain::belt::{Direction, Origin};
use domain::ids::{LogId, MachineId};
use domain::incident::settings::{MachineSettings, Timeline};
use domain::live::Session;
use domain::log::Position;
use domain::machine::{MachineFold, MachineMind};
use domain::record::{Payload, Reading, Record, SpeedSummary};
use domain::signal::Capabilities;
use domain::units::{MonotonicMicros, Speed, UnixMicros};
use domain::usage::{Motion, code};
use proptest::prelude::*;

const LOG: LogId = LogId([1; 16]);

/// A stretch with one direction and speed, in seconds.
type Stretch = (Direction, u32, u32);

/// Of a machine whose direction is proven.
fn mind() -> MachineMind {
    let mut mind = MachineMind::new(MachineId::new("tm-01").expect("an id"), MachineFold::default());
    mind.obey(proven());
    mind
}

fn proven() -> Arc<Timeline> {
    Arc::new(Timeline::always(MachineSettings { direction_proven: true, ..MachineSettings::default() }))
}

fn reading(direction: Direction, mm_s: u32) -> Record {
    let speed = Speed(mm_s);
    let origin = if direction == Direction::Unknown { Origin::Unknown } else { Origin::Measured };
    let reading = Reading {
        span_ms: 1_000,
        direction,
        origin,
        speed: Some(SpeedSummary { mean: speed, min: speed, max: speed, rise: None, fall: None }),
        holds_for_ms: 3_000,
        ..Reading::default()
    };
    Record { at: MonotonicMicros(0), other_n: 0, payload: Payload::Reading(reading) }
}

/// The readings of a story, one a second, with their event times in seconds.
fn story(stretches: &[Stretch]) -> Vec<(i64, Record)> {
    let mut at = 0;
    let mut records = Vec::new();
    for (direction, mm_s, seconds) in stretches {
        for _ in 0..*seconds {
            at += 1;
            records.push((at, reading(*direction, *mm_s)));
        }
    }
    records
}

fn fold(mind: &mut MachineMind, records: &[(i64, Record)], first: u64) -> Vec<Session> {
    let mut written = Vec::new();
    for (n, (seconds, record)) in (first..).zip(records) {
        let time = Some(UnixMicros(seconds * 1_000_000));
        written.extend(mind.fold(LOG, Position::new(1, n), time, record).sessions);
    }
    written
}

#[test]
fn ten_pairs_of_reverse_and_forward_are_one_session_with_twenty_segments_of_motion() {
    let mut stretches = Vec::new();
    for _ in 0..10 {
        stretches.extend([
            (Direction::Reverse, 447, 30),
            (Direction::Stopped, 0, 5),
            (Direction::Forward, 1_000, 60),
            (Direction::Stopped, 0, 5),
        ]);
    }
    stretches.push((Direction::Stopped, 0, 300));
    let mut mind = mind();
    let written = fold(&mut mind, &story(&stretches), 1);
    let ended: Vec<_> = written.iter().filter(|session| session.ended).collect();
    let [session] = ended[..] else { panic!("{} sessions ended", ended.len()) };
    assert!(written.iter().all(|other| other.id == session.id));
    let of = |direction| session.segments.iter().filter(move |s| s.direction == direction);
    assert_eq!((of(Direction::Reverse).count(), of(Direction::Forward).count()), (10, 10));
    assert_eq!(of(Direction::Stopped).count(), 19, "the rest after the last motion is not part of it");
    assert!(of(Direction::Reverse).all(|s| s.observed_us == 30_000_000 && s.distance_mm == 13_410));
    assert!(mind.fold_state().session.is_none());
}

#[test]
fn usage_never_grows_across_silence() {
    let mut records = story(&[(Direction::Forward, 1_000, 10)]);
    records
        .extend(story(&[(Direction::Forward, 1_000, 10)]).into_iter().map(|(at, record)| (at + 100, record)));
    let mut mind = mind();
    fold(&mut mind, &records, 1);
    let session = mind.open_session().expect("it goes on: the gap is shorter than a rest");
    let [segment] = session.segments[..] else { panic!("{:?}", session.segments) };
    assert_eq!((segment.observed_us, segment.distance_mm), (20_000_000, 20_000));

    records.extend(
        story(&[(Direction::Forward, 1_000, 1)]).into_iter().map(|(at, record)| (at + 1_000, record)),
    );
    let mut mind = mind_after(&records);
    assert_eq!(
        mind.open_session().map(|s| s.started),
        Some(UnixMicros(1_000_000_000)),
        "a new one after long silence"
    );
    assert!(fold(&mut mind, &[], 1).is_empty());
}

fn mind_after(records: &[(i64, Record)]) -> MachineMind {
    let mut mind = mind();
    fold(&mut mind, records, 1);
    mind
}

#[test]
fn what_is_not_dated_is_counted_and_not_summed() {
    let mut mind = mind();
    let folded = mind.fold(LOG, Position::new(1, 1), None, &reading(Direction::Forward, 1_000));
    assert_eq!((folded.latest_changed, folded.sessions.len()), (false, 0));
    assert_eq!((mind.fold_state().folded, mind.open_session()), (1, None));
}

#[test]
fn a_picture_stands_for_its_time_only() {
    use domain::presence::{Presence, belt_now, presence};
    let mind = mind_after(&story(&[(Direction::Reverse, 447, 2)]));
    let latest = mind.fold_state().latest.expect("a picture");
    let at = |seconds: i64| UnixMicros(seconds * 1_000_000);
    assert_eq!(belt_now(&latest, at(5)).0.direction, Direction::Reverse);
    let (belt, last_known) = belt_now(&latest, at(6));
    assert_eq!((belt.direction, belt.speed), (Direction::Unknown, None));
    assert_eq!(last_known.map(|belt| belt.direction), Some(Direction::Reverse));
    for (heard, lost, now, expected) in [
        (None, false, 0, Presence::NeverSeen),
        (Some(0), false, 45, Presence::Online),
        (Some(0), false, 46, Presence::Late),
        (Some(0), false, 91, Presence::Offline),
        (Some(0), true, 1, Presence::Offline),
    ] {
        assert_eq!(presence(heard.map(at), lost, at(now)), expected);
    }
}

proptest! {
    #[test]
    fn going_on_from_a_checkpoint_is_going_on(
        stretches in prop::collection::vec((prop::sample::select(vec![
            (Direction::Forward, 900), (Direction::Reverse, 447), (Direction::Stopped, 0), (Direction::Unknown, 700),
        ]), 1..250_u32), 1..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let stretches: Vec<Stretch> = stretches.into_iter().map(|((d, v), s)| (d, v, s)).collect();
        let records = story(&stretches);
        let cut = cut.index(records.len());
        let mut whole = mind();
        let written = fold(&mut whole, &records, 1);
        let mut first = mind();
        let mut parts = fold(&mut first, &records[..cut], 1);
        let machine = MachineId::new("tm-01").expect("an id");
        let mut second = MachineMind::new(machine, first.fold_state().clone());
        second.obey(proven());
        parts.extend(fold(&mut second, &records[cut..], cut as u64 + 1));
        prop_assert_eq!(parts, written);
        prop_assert_eq!(second, whole);
    }

    #[test]
    fn observed_time_is_never_more_than_the_time_there_was(
        stretches in prop::collection::vec((0..2_000_u32, 1..200_u32), 1..10),
    ) {
        let stretches: Vec<Stretch> = stretches.into_iter().map(|(v, s)| (Direction::Forward, v, s)).collect();
        let mind = mind_after(&story(&stretches));
        if let Some(session) = mind.open_session() {
            for segment in &session.segments {
                let there_was = u64::try_from(segment.ended.since(segment.started)).expect("time goes on");
                prop_assert!(segment.observed_us <= there_was);
            }
        }
    }
}

#[test]
fn an_unproven_direction_is_unknown_in_the_picture_in_sessions_and_in_usage() {
    let twice = |is_proven: bool| {
        let mut mind = mind();
        let settings = MachineSettings { direction_proven: is_proven, ..MachineSettings::default() };
        mind.obey(Arc::new(Timeline::always(settings)));
        fold(&mut mind, &story(&[(Direction::Reverse, 900, 60), (Direction::Forward, 900, 30)]), 1);
        mind
    };
    let (proven, unproven) = (twice(true), twice(false));
    let directions = |mind: &MachineMind| -> Vec<(Direction, Origin)> {
        let session = mind.open_session().expect("it goes on");
        session.segments.iter().map(|segment| (segment.direction, segment.origin)).collect()
    };
    let measured = |direction| (direction, Origin::Measured);
    assert_eq!(directions(&proven), [measured(Direction::Reverse), measured(Direction::Forward)]);
    assert_eq!(directions(&unproven), [(Direction::Unknown, Origin::Unknown)]);
    let latest = |mind: &MachineMind| mind.fold_state().latest.expect("a picture").belt.direction;
    assert_eq!((latest(&proven), latest(&unproven)), (Direction::Forward, Direction::Unknown));
    let usage = |mind: &MachineMind| code::total(&mind.open_usage().expect("a day").quarters).expect("usage");
    let (told, untold) = (usage(&proven), usage(&unproven));
    assert_eq!(told.of_direction(Direction::Reverse).observed_us, 60_000_000);
    assert_eq!(untold.of_direction(Direction::Unknown).observed_us, 90_000_000);
    assert_eq!(told.motion(), Motion { guidance: told.motion().guidance, ..untold.motion() });
    let (known, unknown) = (told.coverage.covered_us(DIRECTION), untold.coverage.covered_us(DIRECTION));
    assert_eq!((known, unknown), (90_000_000, 0));
}

const DIRECTION: Capabilities = Capabilities::DIRECTION;
