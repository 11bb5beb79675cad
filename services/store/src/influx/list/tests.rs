use std::collections::BTreeMap;

use domain::ids::{LogId, MachineId};
use domain::log::Position;
use domain::record::{Payload, Reading};
use domain::units::MonotonicMicros;
use proptest::prelude::*;

use super::*;

/// Records by microsecond and slot.
type Points = BTreeMap<(i64, u16), (LogId, Position)>;

fn stored(us: i64, (log, position): (LogId, Position)) -> Stored<Record> {
    let payload = Payload::Reading(Reading::default());
    let value = Record { at: MonotonicMicros(0), other_n: 0, payload };
    Stored { log, position, time: UnixMicros(us), uncertainty_us: 0, value }
}

/// Walks a page, and says how many questions it took.
fn page(points: &Points, query: &RangeQuery) -> (Vec<Cursor>, usize) {
    let from = query.after.map_or(query.from, |(time, _, _)| time.max(query.from));
    let mut walk = Walk::new(Lane::Readings, query, from);
    let mut questions = 0;
    while let Some(question) = walk.question() {
        questions += 1;
        assert!(questions < 10_000, "it does not end");
        match question {
            Question::First(span) => {
                let first = points.range((span.first, 0)..=(span.last, 999)).next();
                walk.first(first.map(|((us, _), _)| *us));
            }
            Question::Rows(span, max) => {
                let rows = points.range((span.first, 0)..=(span.last, 999)).take(max);
                let rows: Vec<_> = rows.map(|((us, _), place)| stored(*us, *place)).collect();
                let cut_at = rows.last().map(|row| row.time.0).filter(|_| rows.len() == max);
                walk.rows_are(rows, cut_at);
            }
        }
    }
    (walk.page().iter().map(|stored| (stored.time, stored.log, stored.position)).collect(), questions)
}

fn query(from: i64, until: i64, max: usize) -> RangeQuery {
    let machine = MachineId::new("tm-1").unwrap();
    RangeQuery { machine, from: UnixMicros(from), until: UnixMicros(until), after: None, max }
}

/// A reading a second from that second on.
fn seconds(from: i64, count: i64) -> Points {
    let record = |n: i64| ((n * 1_000_000, 0), (LogId([1; 16]), Position::new(1, n.unsigned_abs())));
    (from..from + count).map(record).collect()
}

#[test]
fn few_questions_make_a_page() {
    let check = |points: &Points, query: RangeQuery, page_len: usize, at_most: usize| {
        let (page, questions) = page(points, &query);
        assert_eq!(page.len(), page_len);
        assert!(questions <= at_most, "{questions} questions");
    };
    let all = query(i64::MIN, i64::MAX, 1_000);
    check(&Points::new(), all.clone(), 0, 1);
    check(&seconds(1_800_000_000, 5_000), all.clone(), 1_000, 2);
    check(&seconds(1_800_000_000, 100), all, 100, 3);
    check(&seconds(0, 5_000), query(0, 600_000_000, 1_000), 600, 1);
    // A year lies between them.
    let mut apart = seconds(0, 3);
    apart.extend(seconds(31_536_000, 3));
    check(&apart, query(0, i64::MAX, 10), 6, 8);
}

#[test]
fn a_microsecond_with_many_records_is_read_whole() {
    let place = |slot: u16| (LogId([1; 16]), Position::new(1, u64::from(1_000 - slot)));
    let mut points: Points = (0..1_000).map(|slot| ((7, slot), place(slot))).collect();
    points.extend(seconds(1, 9));
    let (first, _) = page(&points, &query(0, i64::MAX, 1));
    assert_eq!(first, [(UnixMicros(7), LogId([1; 16]), Position::new(1, 1))]);
    let after = Some((UnixMicros(7), LogId([1; 16]), Position::new(1, 999)));
    let (rest, _) = page(&points, &RangeQuery { after, ..query(0, i64::MAX, 3) });
    assert_eq!(rest.iter().map(|(time, _, _)| time.0).collect::<Vec<_>>(), [7, 1_000_000, 2_000_000]);
}

proptest! {
    #[test]
    fn pages_give_each_record_once(
        times in proptest::collection::vec((0_i64..4, 0_i64..3, 0_u8..3), 0..60),
        max in 1_usize..9,
        from in 0_i64..400_000_000,
    ) {
        let mut points = Points::new();
        for (n, (far, near, log)) in times.into_iter().enumerate() {
            let us = far * 100_000_000 + near;
            let slot = u16::try_from(points.range((us, 0)..=(us, 999)).count()).unwrap();
            points.insert((us, slot), (LogId([log; 16]), Position::new(1, 60 - n as u64)));
        }
        let of = |((us, _), (log, position)): (&(i64, u16), &(LogId, Position))| (UnixMicros(*us), *log, *position);
        let mut expected: Vec<Cursor> = points.iter().map(of).filter(|place| place.0.0 >= from).collect();
        expected.sort_unstable();
        let mut seen = Vec::new();
        let mut query = query(from, i64::MAX, max);
        loop {
            let (page, _) = page(&points, &query);
            prop_assert!(page.len() <= max);
            let Some(last) = page.last() else { break };
            query.after = Some(*last);
            seen.extend(page);
            prop_assert!(seen.len() <= expected.len());
        }
        prop_assert_eq!(seen, expected);
    }
}
