//! Usage: sums in any order, each moment once, and what a reading tells.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::intervals::{RecoveryKind, intervals};
use super::*;
use crate::belt::{Contact, Contacts, STANDSTILL};
use crate::live::Segment;
use crate::record::{Reading, SpeedSummary};
use crate::registry::BeltKind;
use crate::signal::Capabilities;
use crate::units::UnixMicros;

const SECOND_US: i64 = 1_000_000;

fn reading(span_s: u32, direction: Direction, mm_s: u32, incline: Option<i32>) -> Reading {
    let speed =
        SpeedSummary { mean: Speed(mm_s), min: Speed(mm_s), max: Speed(mm_s), ..SpeedSummary::default() };
    let origin = match direction {
        Direction::Unknown => Origin::Unknown,
        Direction::Forward | Direction::Reverse | Direction::Stopped => Origin::Measured,
    };
    Reading {
        span_ms: span_s * 1_000,
        direction,
        origin,
        speed: Some(speed),
        incline: incline.map(Incline),
        ..Reading::default()
    }
}

fn at(seconds: i64) -> UnixMicros {
    UnixMicros(seconds * SECOND_US)
}

/// All quarters that a fold gave, by day and number.
fn quarters(ended: &[OpenDay], open: Option<&OpenDay>) -> BTreeMap<(i32, u8), Usage> {
    let mut all: BTreeMap<(i32, u8), Usage> = BTreeMap::new();
    for day in ended.iter().chain(open) {
        for quarter in code::quarters(&day.quarters()) {
            let (number, usage) = quarter.unwrap();
            all.entry((day.day, number)).or_default().merge(&usage);
        }
    }
    all.retain(|_, usage| !usage.is_empty());
    all
}

#[derive(Debug, Clone)]
struct Told {
    ends_s: i64,
    reading: Reading,
}

fn told() -> impl Strategy<Value = Told> {
    let directions = vec![Direction::Forward, Direction::Reverse, Direction::Stopped, Direction::Unknown];
    let incline = proptest::option::of(-30..60_i32);
    let speed = proptest::option::weighted(0.9, 0..3_000_u32);
    // Three days, so that parts of days end and begin again.
    (0..259_200_i64, 1..60_u32, prop::sample::select(directions), speed, incline).prop_map(
        |(ends_s, span_s, direction, mm_s, incline)| {
            let mut reading = reading(span_s, direction, mm_s.unwrap_or(0), incline);
            reading.speed = mm_s.and(reading.speed);
            reading.contacts.see(Contact::SafetyKey, ends_s % 3 == 0);
            Told { ends_s, reading }
        },
    )
}

/// The same by looking at each second alone: the first reading that tells of a second counts.
fn second_by_second(told: &[Told], able: Capabilities, belt: BeltKind) -> BTreeMap<(i32, u8), Usage> {
    let mut by_second: BTreeMap<i64, &Told> = BTreeMap::new();
    for told in told {
        let span_s = i64::from(told.reading.span_ms / 1_000);
        for second in told.ends_s - span_s..told.ends_s {
            by_second.entry(second).or_insert(told);
        }
    }
    let mut all: BTreeMap<(i32, u8), Usage> = BTreeMap::new();
    for (second, told) in by_second {
        let stretch = Stretch::of(at(told.ends_s), &told.reading, able, belt);
        let key = (second.div_euclid(86_400), second.rem_euclid(86_400) / 900);
        let key = (i32::try_from(key.0).unwrap(), u8::try_from(key.1).unwrap());
        stretch.add_to(all.entry(key).or_default(), 1_000_000, false);
    }
    all
}

/// Starts depend on the order in which a belt was seen, so they are compared apart.
fn without_starts(all: BTreeMap<(i32, u8), Usage>) -> BTreeMap<(i32, u8), Usage> {
    let strip = |usage: Usage| {
        let mut stripped = Usage { motions: Vec::new(), ..usage.clone() };
        for (key, motion) in usage.motions() {
            stripped.add(*key, &Motion { starts: 0, ..*motion });
        }
        stripped
    };
    all.into_iter().map(|(key, usage)| (key, strip(usage))).collect()
}

fn usage() -> impl Strategy<Value = Usage> {
    let belts = prop::sample::select(vec![BeltKind::OneWay, BeltKind::Reversible]);
    (prop::collection::vec(told(), 0..12), any::<u32>(), belts).prop_map(|(told, able, belt)| {
        let all = second_by_second(&told, Capabilities(able), belt);
        all.values().fold(Usage::default(), |mut sum, usage| {
            sum.merge(usage);
            sum
        })
    })
}

fn coverage() -> impl Strategy<Value = Coverage> {
    prop::collection::vec((0..128_u32, 0..1_000_000_u64), 0..14).prop_map(|sets| {
        let mut coverage = Coverage::default();
        sets.iter().for_each(|(bits, micros)| coverage.add(Capabilities(*bits), *micros));
        coverage
    })
}

proptest! {
    #[test]
    fn quarters_are_what_each_second_was_whatever_the_order(
        told in prop::collection::vec(told(), 0..50), able in any::<u32>(), one_way in any::<bool>(),
    ) {
        let able = Capabilities(able);
        let belt = if one_way { BeltKind::OneWay } else { BeltKind::Reversible };
        let mut fold = UsageFold { able, ..UsageFold::default() };
        let mut ended = Vec::new();
        for (number, told) in told.iter().enumerate() {
            let part = PartId(u64::try_from(number).unwrap());
            let stretch = Stretch::of(at(told.ends_s), &told.reading, able, belt);
            ended.extend(fold.add(&stretch, part));
            prop_assert!(fold.add(&stretch, part).is_empty(), "the same again changes nothing");
        }
        let parts: std::collections::BTreeSet<_> = ended.iter().map(|day| (day.day, day.part)).collect();
        prop_assert_eq!(parts.len(), ended.len(), "each part has a key of its own");
        let folded = quarters(&ended, fold.open.as_ref());
        prop_assert_eq!(without_starts(folded), second_by_second(&told, able, belt));
    }

    #[test]
    fn merging_is_associative_and_commutative(a in usage(), b in usage(), c in usage()) {
        let merged = |one: &Usage, two: &Usage| { let mut sum = one.clone(); sum.merge(two); sum };
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &Usage::default()), a);
    }

    #[test]
    fn coverage_of_many_sets_merges_in_any_order(a in coverage(), b in coverage(), c in coverage()) {
        let merged = |one: &Coverage, two: &Coverage| { let mut sum = one.clone(); sum.merge(two); sum };
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &b).observed_us(), a.observed_us() + b.observed_us());
        prop_assert!(a.sets().count() <= 8);
    }

    #[test]
    fn what_is_written_reads_back(a in usage(), b in usage(), cut in any::<prop::sample::Index>()) {
        let mut octets = Vec::new();
        code::put(&mut octets, 3, &a);
        code::put(&mut octets, 95, &b);
        let read: Vec<_> = code::quarters(&octets).map(Result::unwrap).collect();
        prop_assert_eq!(&read, &[(3, a.clone()), (95, b)]);
        prop_assert_eq!(code::total(&code::encode(&a)), Ok(a.clone()));
        code::put(&mut octets, 3, &a);
        let joined: Vec<_> = code::quarters(&code::joined(&octets)).map(Result::unwrap).collect();
        prop_assert_eq!(joined.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [3, 95]);
        prop_assert_eq!(code::total(&code::joined(&octets)), code::total(&octets));
        // Cut octets are an error or fewer quarters, never a panic.
        let cut = cut.index(octets.len());
        prop_assert!(code::quarters(&octets[..cut]).count() <= 3);
    }

    #[test]
    fn any_octets_are_usage_or_an_error(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = code::total(&octets);
    }

    #[test]
    fn spans_are_given_once(spans in prop::collection::vec((0..2_000_i64, 1..90_i64), 0..60)) {
        let mut covered = Covered::default();
        let mut seen = std::collections::BTreeSet::new();
        for (from, length) in spans {
            let given = covered.take(at(from), at(from + length));
            let mut expected: Vec<i64> = (from..from + length).filter(|second| seen.insert(*second)).collect();
            for (begin, end) in given {
                let part: Vec<i64> = (begin.0 / SECOND_US..end.0 / SECOND_US).collect();
                prop_assert_eq!(&part[..], &expected[..part.len()]);
                expected.drain(..part.len());
            }
            prop_assert!(expected.is_empty());
            let spans = covered.spans().to_vec();
            prop_assert_eq!(Covered::from_spans(spans), Some(covered.clone()));
        }
    }
}

#[test]
fn what_a_reading_tells() {
    let speed_and_direction = Capabilities::SPEED.and(Capabilities::DIRECTION);
    let check = |direction, mm_s, belt, able, expected: (Direction, Origin), covers_direction: bool| {
        let stretch = Stretch::of(at(100), &reading(10, direction, mm_s, None), able, belt);
        assert_eq!((stretch.direction, stretch.origin), expected, "{direction:?} {mm_s} {belt:?}");
        let covers = stretch.reportable.has(Capabilities::DIRECTION);
        assert_eq!(covers, covers_direction, "{direction:?} {mm_s} {belt:?}");
    };
    let (unknown, measured) = ((Direction::Unknown, Origin::Unknown), Origin::Measured);
    let declared = (Direction::Forward, Origin::Declared);
    // A blind reversible machine is unknown when it moves, and would not be told apart when it stands.
    check(Direction::Unknown, 1_000, BeltKind::Reversible, Capabilities::SPEED, unknown, false);
    check(
        Direction::Stopped,
        0,
        BeltKind::Reversible,
        Capabilities::SPEED,
        (Direction::Stopped, measured),
        false,
    );
    // A one-way machine is forward, declared.
    check(Direction::Unknown, 1_000, BeltKind::OneWay, Capabilities::SPEED, declared, true);
    check(Direction::Stopped, 0, BeltKind::OneWay, Capabilities::SPEED, (Direction::Stopped, measured), true);
    check(
        Direction::Reverse,
        500,
        BeltKind::Reversible,
        speed_and_direction,
        (Direction::Reverse, measured),
        true,
    );
    check(
        Direction::Stopped,
        0,
        BeltKind::Unknown,
        speed_and_direction,
        (Direction::Stopped, measured),
        true,
    );
}

#[test]
fn a_belt_that_nobody_sees_neither_moves_nor_rests() {
    let mut blind = reading(60, Direction::Unknown, 0, None);
    blind.speed = None;
    let mut usage = Usage::default();
    Stretch::of(at(60), &blind, Capabilities(0), BeltKind::OneWay).add_to(&mut usage, 60_000_000, true);
    assert_eq!((usage.motion(), usage.rest_us), (Motion::default(), 0));
    assert_eq!(usage.coverage.observed_us(), 60_000_000);
    assert_eq!(usage.coverage.covered_us(Capabilities::SPEED), 0);
}

#[test]
fn grades_follow_the_sign_of_the_belt() {
    for (direction, tenths, expected) in [
        (Direction::Forward, 9, Grade::Level),
        (Direction::Forward, 10, Grade::Uphill),
        (Direction::Forward, -10, Grade::Downhill),
        (Direction::Reverse, 10, Grade::Downhill),
        (Direction::Reverse, -10, Grade::Uphill),
        (Direction::Unknown, -9, Grade::Level),
        (Direction::Unknown, 50, Grade::Unknown),
    ] {
        assert_eq!(Grade::of(direction, Some(Incline(tenths))), expected, "{direction:?} {tenths}");
        assert_eq!(Grade::of(direction, None), Grade::Unknown);
    }
}

#[test]
fn guidance_counts_only_what_was_seen() {
    let mut contacts = Contacts::default();
    let check = |contacts, mm_s, expected: [u64; 5]| {
        let Guidance { slow_us, rail_held_us, rail_known_us, key_in_us, key_known_us } =
            Guidance::of(Some(Speed(mm_s)), contacts, 7);
        assert_eq!([slow_us, rail_held_us, rail_known_us, key_in_us, key_known_us], expected);
    };
    check(contacts, 894, [7, 0, 0, 0, 0]);
    check(contacts, 895, [0, 0, 0, 0, 0]);
    contacts.see(Contact::HandRail, false);
    contacts.see(Contact::SafetyKey, true);
    check(contacts, 500, [7, 7, 7, 0, 7]);
    // Hands came and went within the interval.
    contacts.see(Contact::HandRail, true);
    check(contacts, 500, [7, 0, 0, 0, 7]);
}

fn segment(direction: Direction, from_s: i64, to_s: i64, mm_s: u64) -> Segment {
    let mut segment = Segment::begun(direction, Origin::Measured, Grade::Level, at(from_s));
    segment.ended = at(to_s);
    segment.observed_us = u64::try_from((to_s - from_s) * SECOND_US).unwrap();
    segment.distance_mm = mm_s * u64::try_from(to_s - from_s).unwrap();
    segment.speed_max = Speed(u32::try_from(mm_s).unwrap()).max(STANDSTILL);
    segment
}

#[test]
fn ten_pairs_are_ten_intervals_of_thirty_seconds_with_standing_recoveries() {
    let pair = |number: i64| {
        let from = number * 60;
        [
            segment(Direction::Reverse, from, from + 30, 447),
            segment(Direction::Stopped, from + 30, from + 60, 0),
        ]
    };
    let segments: Vec<Segment> = (0..10).flat_map(pair).collect();
    let found = intervals(&segments);
    assert_eq!(found.len(), 10);
    assert!(found.iter().all(|interval| interval.is_thirty() && interval.distance_mm == 447 * 30));
    let (last, others) = found.split_last().unwrap();
    assert_eq!(last.recovery, None);
    for interval in others {
        let recovery = interval.recovery.unwrap();
        assert_eq!((recovery.kind, recovery.length_us), (RecoveryKind::Standing, 30 * SECOND_US));
    }
}

#[test]
fn intervals_bridge_short_pauses_and_leave_short_ones_out() {
    use Direction::{Forward, Reverse, Stopped, Unknown};
    let check = |segments: &[Segment], expected: &[(Direction, i64)]| {
        let found = intervals(segments);
        let found: Vec<_> =
            found.iter().map(|found| (found.direction, found.length_us() / SECOND_US)).collect();
        assert_eq!(found, expected);
    };
    // A pause of 2 s does not end it, one of 3 s does.
    check(
        &[segment(Reverse, 0, 10, 500), segment(Stopped, 10, 12, 0), segment(Reverse, 12, 20, 500)],
        &[(Reverse, 20)],
    );
    check(
        &[segment(Reverse, 0, 10, 500), segment(Stopped, 10, 13, 0), segment(Reverse, 13, 20, 500)],
        &[(Reverse, 10), (Reverse, 7)],
    );
    // Shorter than 5 s, slower than 0.3 km/h.
    check(&[segment(Reverse, 0, 4, 500), segment(Forward, 10, 20, 80)], &[]);
    // What nobody knows the direction of is an interval of its own.
    check(&[segment(Unknown, 0, 30, 500), segment(Reverse, 30, 60, 500)], &[(Unknown, 30), (Reverse, 30)]);
}

#[test]
fn a_recovery_is_what_filled_four_fifths_of_it() {
    use Direction::{Forward, Reverse, Stopped};
    let check = |between: &[Segment], expected| {
        let mut segments = vec![segment(Reverse, 0, 30, 500)];
        segments.extend_from_slice(between);
        segments.push(segment(Reverse, 60, 90, 500));
        let recovery = intervals(&segments)[0].recovery.unwrap();
        assert_eq!((recovery.kind, recovery.length_us), (expected, 30 * SECOND_US));
    };
    check(&[segment(Forward, 32, 60, 900)], RecoveryKind::Forward);
    check(&[segment(Stopped, 30, 45, 0), segment(Forward, 45, 60, 900)], RecoveryKind::Mixed);
    check(&[], RecoveryKind::Unseen);
}
