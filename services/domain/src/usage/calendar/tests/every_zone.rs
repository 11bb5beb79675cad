//! What the calendar takes for granted, asked of every zone that there is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::usage::calendar::{QUARTER_EARLIEST, QUARTER_LATEST, Zones};

fn every_zone() -> Vec<TimeZone> {
    let bundled = TimeZoneDatabase::bundled();
    let all: Vec<TimeZone> = bundled.available().map(|name| bundled.get(name.as_str()).unwrap()).collect();
    assert!(all.len() > 400, "there are {} zones", all.len());
    all
}

fn begin(quarter: i64) -> Timestamp {
    Timestamp::from_second(quarter * 900).unwrap()
}

#[test]
fn clocks_are_whole_quarters_from_utc() {
    for zone in every_zone() {
        let first = zone.to_offset(begin(QUARTER_EARLIEST)).seconds();
        assert_eq!(first % 900, 0, "{zone:?} in 2000");
        let transitions = zone.following(begin(QUARTER_EARLIEST));
        for transition in transitions.take_while(|one| one.timestamp() < begin(QUARTER_LATEST)) {
            assert_eq!(transition.offset().seconds() % 900, 0, "{zone:?} at {}", transition.timestamp());
        }
    }
}

/// Zones whose clocks were put on or back within a quarter, and the last year in which that happened.
#[test]
fn few_clocks_change_within_a_quarter_and_none_any_more() {
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    for zone in every_zone() {
        let transitions = zone.following(begin(QUARTER_EARLIEST));
        for transition in transitions.take_while(|one| one.timestamp() < begin(QUARTER_LATEST)) {
            if transition.timestamp().as_second() % 900 != 0 {
                let year = transition.timestamp().strftime("%Y").to_string();
                last.insert(zone.iana_name().unwrap().to_owned(), year);
            }
        }
    }
    let last: Vec<String> = last.into_iter().map(|(zone, year)| format!("{zone} {year}")).collect();
    assert_eq!(
        last,
        [
            "America/Goose_Bay 2011",
            "America/Moncton 2006",
            "America/St_Johns 2011",
            "Antarctica/Casey 2022",
            "Asia/Gaza 2011",
            "Asia/Hebron 2011",
            "Canada/Newfoundland 2011",
        ]
    );
}

/// The spans of constant offset against the clock, where each begins and ends and every ten days.
#[test]
fn offset_spans_are_what_clocks_show() {
    for zone in every_zone() {
        let name = zone.iana_name().unwrap();
        let spans = Zones::always(name).unwrap().offset_spans(QUARTER_EARLIEST, QUARTER_LATEST).unwrap();
        let mut next = QUARTER_EARLIEST;
        let mut before = None;
        for one in &spans {
            assert_eq!(one.span.from, next, "{name}");
            assert!(!one.span.is_empty(), "{name}");
            assert_ne!(before, Some(one.offset_seconds), "{name}");
            (next, before) = (one.span.until, Some(one.offset_seconds));
            let between = (one.span.from..one.span.until).step_by(960);
            for quarter in between.chain([one.span.until - 1]) {
                let shown = zone.to_offset(begin(quarter)).seconds();
                assert_eq!(one.offset_seconds, shown, "{name} at {}", begin(quarter));
            }
        }
        assert_eq!(next, QUARTER_LATEST, "{name}");
    }
}
