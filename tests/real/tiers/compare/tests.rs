use prost_types::Timestamp;
use wire::api::v1;

use super::*;

fn reading(n: i64) -> v1::Reading {
    v1::Reading {
        time: Some(Timestamp { seconds: n, nanos: 0 }),
        direction: v1::Direction::Reverse.into(),
        speed_mean_mps: Some(0.5),
        position: format!("9f/1/{n}"),
        ..v1::Reading::default()
    }
}

fn page() -> v1::ListReadingsResponse {
    v1::ListReadingsResponse {
        readings: (1..=3).map(reading).collect(),
        next_page_token: "abc".to_owned(),
        as_of: Some(Timestamp { seconds: 77, nanos: 5 }),
        coverage: Some(v1::Coverage { records_lost: 2, ..v1::Coverage::default() }),
    }
}

/// A page beside one in which something was changed.
fn check(what: &str, change: fn(&mut v1::ListReadingsResponse), expected: &[&str]) {
    let (ours, mut other) = (page(), page());
    change(&mut other);
    let (ours, other) = (format!("{ours:#?}"), format!("{other:#?}"));
    let found = differences(("one", &ours), ("other", &other));
    assert_eq!(found.len(), expected.len(), "{what}: {found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{what}: {found}");
    }
}

#[test]
fn every_planted_difference_is_found() {
    check("nothing", |_| {}, &[]);
    let direction: fn(&mut v1::ListReadingsResponse) =
        |page| page.readings[1].direction = v1::Direction::Forward.into();
    check("a direction", direction, &["readings.2.direction: Reverse on one, Forward on other"]);
    let speed: fn(&mut v1::ListReadingsResponse) = |page| page.readings[0].speed_mean_mps = None;
    check("a speed gone", speed, &["speed_mean_mps", "0.5"]);
    let later: fn(&mut v1::ListReadingsResponse) =
        |page| page.readings[2].time = Some(Timestamp { seconds: 3, nanos: 1_000 });
    check("a microsecond", later, &["readings.3.time.1.nanos: 0 on one, 1000 on other"]);
    let swapped: fn(&mut v1::ListReadingsResponse) = |page| page.readings.swap(0, 1);
    check("the order", swapped, &["position", "time.1.seconds", "position", "time.1.seconds"]);
    let lost: fn(&mut v1::ListReadingsResponse) = |page| page.coverage = None;
    check("the coverage gone", lost, &["coverage", "coverage", "coverage", "coverage", "coverage"]);
    let gone: fn(&mut v1::ListReadingsResponse) = |page| drop(page.readings.pop());
    let (ours, mut other) = (page(), page());
    gone(&mut other);
    assert!(differences(("one", &format!("{ours:#?}")), ("other", &format!("{other:#?}"))).len() > 10);
}

#[test]
fn what_may_differ_may_differ_but_not_be_missing() {
    let other: fn(&mut v1::ListReadingsResponse) = |page| {
        page.next_page_token = "xyz".to_owned();
        page.as_of = Some(Timestamp { seconds: 1_000, nanos: 0 });
    };
    check("another token and another clock", other, &[]);
    let last: fn(&mut v1::ListReadingsResponse) = |page| page.next_page_token = String::new();
    check("the last page", last, &["next_page_token: (there is one) on one, \"\" on other"]);
    let never: fn(&mut v1::ListReadingsResponse) = |page| page.as_of = None;
    check("no clock", never, &["as_of: (there is one) on one, None on other"]);
}
