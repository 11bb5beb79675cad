use super::*;
use crate::words::Unit;

const ENGLISH: Reader = Reader { t: Texts { language: Language::English }, unit: Unit::KilometresPerHour };
const GERMAN: Reader = Reader { t: Texts { language: Language::German }, unit: Unit::MilesPerHour };

fn span(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

fn motion(seconds: i64, distance_m: f64) -> v1::Motion {
    v1::Motion { observed: span(seconds), distance_m, ..v1::Motion::default() }
}

fn keyed(direction: v1::Direction, origin: v1::DirectionOrigin, seconds: i64) -> v1::KeyedMotion {
    v1::KeyedMotion {
        direction: direction.into(),
        origin: origin.into(),
        grade: v1::Grade::Unspecified.into(),
        motion: Some(motion(seconds, 0.0)),
    }
}

#[test]
fn lengths_come_in_the_unit_that_reads_best() {
    let check = |seconds: f64, english: &str, german: &str| {
        assert_eq!(length(seconds, ENGLISH), english, "{seconds}");
        assert_eq!(length(seconds, GERMAN), german, "{seconds}");
    };
    check(0.0, "0 min", "0 min");
    check(0.2, "1 s", "1 s");
    check(59.0, "59 s", "59 s");
    check(90.0, "1.5 min", "1,5 min");
    check(600.0, "10 min", "10 min");
    check(5_300.0, "88 min", "88 min");
    check(5_400.0, "1.5 h", "1,5 Std.");
    check(3_600_000.0, "1000.0 h", "1000,0 Std.");
}

#[test]
fn almost_all_is_not_all_and_almost_none_is_not_none() {
    let check = |part: f64, whole: f64, expected: Option<&str>| {
        assert_eq!(percent(part, whole, ENGLISH).as_deref(), expected, "{part} of {whole}");
    };
    check(0.0, 0.0, None);
    check(0.0, 10.0, Some("0"));
    check(1.0, 1e6, Some("0.1"));
    check(93.4, 100.0, Some("93"));
    check(99.99, 100.0, Some("99.9"));
    check(100.0, 100.0, Some("100"));
    check(130.0, 100.0, Some("130"));
    assert_eq!(percent(0.5, 100.0, GERMAN).as_deref(), Some("0,5"));
}

#[test]
fn declared_motion_is_kept_apart_from_measured() {
    use v1::{Direction as D, DirectionOrigin as O};
    let usage = v1::Usage {
        forward: Some(motion(100, 250.0)),
        reverse: Some(motion(30, 30.0)),
        unknown: Some(motion(20, 20.0)),
        keyed: vec![
            keyed(D::Forward, O::Measured, 60),
            keyed(D::Forward, O::Declared, 40),
            keyed(D::Reverse, O::Measured, 20),
            keyed(D::Reverse, O::Declared, 10),
            keyed(D::Unknown, O::Unknown, 20),
        ],
        ..v1::Usage::default()
    };
    let split = Split::of(&usage);
    assert_eq!(Kind::ALL.map(|kind| split.get(kind)), [60.0, 40.0, 30.0, 20.0]);
    assert_eq!((split.motion(), split.distance_m), (150.0, 300.0));
    assert_eq!(split.cell(Kind::Reverse, ENGLISH), "30 s (10 s declared)");
    assert_eq!(split.cell(Kind::Declared, ENGLISH), "40 s");
    let strip = strip(&split, 300.0);
    let drawn: Vec<_> =
        strip.iter().map(|one| (one.class, one.begin.as_str(), one.length.as_str())).collect();
    let expected = [
        ("k-measured", "0.00%", "20.00%"),
        ("k-declared", "20.00%", "13.33%"),
        ("k-reverse", "33.33%", "10.00%"),
        ("k-unknown", "43.33%", "6.67%"),
    ];
    assert_eq!(drawn, expected);
    assert_eq!(Split::of(&v1::Usage::default()), Split::default());
}

#[test]
fn coverage_says_what_is_missing() {
    let coverage_of = |asked, speed, direction, heard| v1::UsageCoverage {
        asked: span(asked),
        speed: span(speed),
        direction: span(direction),
        machines: 12,
        machines_heard: heard,
        machines_with_direction: 9,
        ..v1::UsageCoverage::default()
    };
    let lines = coverage(&coverage_of(1_000, 930, 800, 10), ENGLISH);
    assert_eq!(lines[0], "Counted for 93 % of the time; 2 of 12 machines told nothing.");
    assert_eq!(
        lines[1],
        "The direction was known for 80 % of the time; 9 of 12 machines told it or cannot run in reverse."
    );
    let all = coverage(&coverage_of(1_000, 1_000, 800, 12), ENGLISH);
    assert_eq!(all[0], "Counted for 100 % of the time; all of 12 machines told something.");
    assert_eq!(coverage(&coverage_of(0, 0, 0, 0), ENGLISH), ["No time of this span has passed yet."]);
}

#[test]
fn silent_machines_are_named_as_far_as_there_is_room() {
    let as_of = v1::AsOf {
        time: Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 0 }),
        machines_silent: 23,
        silent_machine_ids: (0..25).map(|n| format!("n-{n}")).collect(),
    };
    let names = BTreeMap::from([("n-0".to_owned(), "Treadmill 0".to_owned())]);
    let told = AsOf::new(Some(&as_of), &names, &TimeZone::UTC, ENGLISH.t);
    assert_eq!(told.line, "Complete up to 2027-01-15 08:00:00 UTC.");
    assert_eq!(told.silent.len(), NAMED_MAX);
    assert_eq!(told.silent[0].1, "Treadmill 0");
    assert_eq!((told.silent[1].1.as_str(), told.more.as_str()), ("n-1", "and 3 more"));
    let none = AsOf::new(Some(&v1::AsOf::default()), &names, &TimeZone::UTC, ENGLISH.t);
    assert_eq!(none.line, "No machine was heard in the last day.");
}
