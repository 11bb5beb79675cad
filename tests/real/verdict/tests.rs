use domain::belt::Belt;
use domain::record::{Event, EventKind, Payload, Reading, Record};
use domain::recording::RecordingPiece;
use domain::units::MonotonicMicros;

use super::*;
use crate::stored::Said;

const OFFSET_US: i64 = 1_000_000_000;

fn record(lane: Lane, n: u64) -> Record {
    let at = MonotonicMicros(n * 1_000_000);
    let payload = match lane {
        Lane::Events => {
            Payload::Event(Event::new(EventKind::BeltStarted, at, Belt::default(), Belt::default()))
        }
        Lane::Readings => Payload::Reading(Reading { span_ms: 1_000, ..Reading::default() }),
    };
    Record { at, other_n: 0, payload }
}

fn stored(lane: Lane, boot_count: u32, n: u64) -> Stored {
    let record = record(lane, n);
    Stored {
        log: lane.name().to_owned(),
        position: Position::new(boot_count, n),
        unix_us: i64::try_from(record.at.0).unwrap() + OFFSET_US,
        uncertainty_us: 1_000,
        said: expected(&record).expect("the history holds it"),
    }
}

/// Three records a lane in each of two boots, all of them stored, then changed.
fn judged(change: impl FnOnce(&mut Listing)) -> Verdict {
    let (mut truth, mut listing) = (Truth::default(), Listing::default());
    for (boot_count, n) in [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)] {
        for lane in Lane::ALL {
            truth.records.insert((lane, Position::new(boot_count, n)), record(lane, n));
            listing.records.push(stored(lane, boot_count, n));
        }
    }
    change(&mut listing);
    let verdict = Verdict::of("tm-01", &truth, &listing, OFFSET_US);
    assert_eq!((verdict.boots, verdict.events, verdict.readings), (2, 6, 6));
    verdict
}

#[test]
fn what_is_stored_as_it_was_seen_is_clean() {
    let verdict = judged(|_| {});
    assert!(verdict.is_clean(), "{verdict}");
    // Sent, then killed before it was told; twice in a row.
    let verdict = judged(|listing| {
        listing.records.push(stored(Lane::Events, 1, 4));
        listing.records.push(stored(Lane::Events, 1, 5));
    });
    assert!(verdict.is_clean() && verdict.untold == 2, "{verdict}");
    // A piece of a recording that nobody told comes before the event.
    let verdict = judged(|listing| listing.records.push(stored(Lane::Events, 1, 5)));
    assert!(verdict.is_clean() && verdict.untold == 1, "{verdict}");
}

#[test]
fn recordings_are_in_no_listing() {
    let piece = RecordingPiece { trigger: MonotonicMicros(1), number: 0, is_last: true, points: Vec::new() };
    let record = Record { at: MonotonicMicros(9), other_n: 0, payload: Payload::Recording(piece) };
    let mut truth = Truth::default();
    truth.records.insert((Lane::Events, Position::new(1, 1)), record);
    let verdict = Verdict::of("tm-01", &truth, &Listing::default(), OFFSET_US);
    assert!(verdict.is_clean() && verdict.events == 0, "{verdict}");
}

/// Each planted difference is found, counted where it belongs, and told.
#[test]
fn every_difference_is_found() {
    let check = |what: &str, change: fn(&mut Listing), count: fn(&Verdict) -> u64, expected: u64| {
        let verdict = judged(change);
        assert_eq!(count(&verdict), expected, "{what}: {verdict}");
        assert!(!verdict.is_clean(), "{what}: {verdict}");
    };
    // Events and readings take turns in the listing, events first.
    check("an event gone", |listing| drop(listing.records.remove(0)), |verdict| verdict.events_missing, 1);
    check("a reading gone", |listing| drop(listing.records.remove(1)), |verdict| verdict.readings_missing, 1);
    check("all gone", |listing| listing.records.clear(), |verdict| verdict.readings_missing, 6);
    check("a loss recorded", |listing| listing.lost = 1, |verdict| verdict.lost, 1);
    let twice: fn(&mut Listing) = |listing| listing.records.push(stored(Lane::Readings, 1, 2));
    check("stored twice", twice, |verdict| verdict.twice, 1);
    let altered: fn(&mut Listing) = |listing| {
        let Said::Event(event) = &mut listing.records[0].said else { unreachable!("an event comes first") };
        event.count += 1;
    };
    check("altered", altered, |verdict| verdict.altered, 1);
    let invented: fn(&mut Listing) = |listing| listing.records.push(stored(Lane::Readings, 1, 5));
    check("after a gap", invented, |verdict| verdict.invented, 1);
    let invented: fn(&mut Listing) = |listing| listing.records.push(stored(Lane::Readings, 2, 4));
    check("after the boot that ended well", invented, |verdict| verdict.invented, 1);
    let invented: fn(&mut Listing) = |listing| listing.records.push(stored(Lane::Readings, 3, 1));
    check("of a boot that never was", invented, |verdict| verdict.invented, 1);
    let foreign: fn(&mut Listing) = |listing| listing.records[3].log = "another".to_owned();
    check("of another log", foreign, |verdict| verdict.invented, 1);
    let late: fn(&mut Listing) = |listing| listing.records[0].unix_us += 30_000;
    check("dated wrongly", late, |verdict| verdict.misdated, 1);
    let back: fn(&mut Listing) = |listing| {
        listing.records[0].uncertainty_us = 10_000_000;
        listing.records[0].unix_us += 5_000_000;
    };
    check("dated before the one before", back, |verdict| verdict.misdated, 1);
}
