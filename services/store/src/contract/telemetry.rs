//! The suite of the telemetry.

use domain::clock::Clock;
use domain::log::{Lane, Position};
use domain::record::{Payload, Reading};
use domain::recording::RecordingPiece;
use domain::units::{MonotonicMicros, UnixMicros};

use super::given::{block, clock, event, events_block, log, machine, reading, second};
use super::refused;
use crate::StoreErrorKind;
use crate::telemetry::{Block, Counts, Damages, RangeQuery, Stored, Telemetry};

/// Runs all cases, each in a new place.
pub async fn telemetry<O: AsyncFn() -> Box<dyn Telemetry>>(make: impl Fn() -> O) {
    an_empty_history_has_nothing(&*make()().await).await;
    records_come_back_as_they_were(&*make()().await).await;
    a_history_has_whole_records(&*make()().await).await;
    a_block_put_again_changes_nothing(&*make()().await).await;
    blocks_that_overlap_count_each_record_once(&*make()().await).await;
    ranges_end_at_the_microsecond(&*make()().await).await;
    pages_give_each_record_once(&*make()().await).await;
    undated_records_are_counted_and_not_listed(&*make()().await).await;
    long_blocks_are_found_from_their_middle(&*make()().await).await;
    machines_are_counted_apart(&*make()().await).await;
    what_cannot_be_is_refused(&*make()().await).await;
    compaction_changes_no_answer(&*make()().await).await;
    what_is_too_old_is_forgotten(&*make()().await).await;
    opened_again_it_has_all(make()).await;
}

const NONE: [u64; 0] = [];

/// All readings or events of a machine.
fn all(name: &str, max: usize) -> RangeQuery {
    let (from, until) = (UnixMicros(i64::MIN), UnixMicros(i64::MAX));
    RangeQuery { machine: machine(name), from, until, after: None, max }
}

async fn put(telemetry: &dyn Telemetry, blocks: &[Block]) {
    telemetry.put(blocks.to_vec()).await.expect("putting works");
}

async fn readings(telemetry: &dyn Telemetry, query: &RangeQuery) -> Vec<Stored<Reading>> {
    telemetry.readings(query).await.expect("readings can be listed")
}

/// Numbers of the readings listed.
async fn numbers(telemetry: &dyn Telemetry, query: &RangeQuery) -> Vec<u64> {
    readings(telemetry, query).await.into_iter().map(|stored| stored.position.n).collect()
}

/// Readings, events and undated ones of all machines.
async fn counts(telemetry: &dyn Telemetry) -> (u64, u64, u64) {
    let Counts { readings, events, undated } = telemetry.counts(None).await.expect("records are counted");
    (readings, events, undated)
}

async fn an_empty_history_has_nothing(telemetry: &dyn Telemetry) {
    assert_eq!(counts(telemetry).await, (0, 0, 0));
    assert_eq!(telemetry.watermark().await.expect("the watermark is known"), 0);
    assert_eq!(readings(telemetry, &all("tm-1", 10)).await, []);
    assert_eq!(telemetry.events(&all("tm-1", 10)).await.expect("events can be listed"), []);
    let none = telemetry.counts(Some(&machine("tm-1"))).await.expect("records are counted");
    assert_eq!(none, Counts::default());
    put(telemetry, &[]).await;
    put(telemetry, &[Block { records: Vec::new(), ..block("tm-1", 1, 1) }]).await;
    assert_eq!(counts(telemetry).await, (0, 0, 0));
}

async fn records_come_back_as_they_were(telemetry: &dyn Telemetry) {
    put(telemetry, &[block("tm-1", 1, 3), events_block("tm-1", 5, 5)]).await;
    let Payload::Reading(value) = reading(2, 1_000).payload else { panic!("a reading was given") };
    let listed = readings(telemetry, &all("tm-1", 10)).await;
    let expected = Stored {
        log: log(1),
        position: Position::new(1, 2),
        time: second(2),
        uncertainty_us: clock().uncertainty_us,
        value,
    };
    assert_eq!(listed[1], expected);
    let Payload::Event(value) = event(5).payload else { panic!("an event was given") };
    let events = telemetry.events(&all("tm-1", 10)).await.expect("events can be listed");
    let expected = Stored {
        log: log(2),
        position: Position::new(1, 5),
        time: second(5),
        uncertainty_us: clock().uncertainty_us,
        value,
    };
    assert_eq!(events, [expected]);
    assert_eq!(counts(telemetry).await, (3, 1, 0));
}

/// What folds them anew needs the other lane's numbers, too.
async fn a_history_has_whole_records(telemetry: &dyn Telemetry) {
    put(telemetry, &[block("tm-1", 1, 3), events_block("tm-1", 5, 6), block("tm-2", 1, 1)]).await;
    let of = async |lane, query: RangeQuery| telemetry.history(lane, &query).await.expect("it can be listed");
    let listed = of(Lane::Readings, all("tm-1", 10)).await;
    let expected = Stored {
        log: log(1),
        position: Position::new(1, 2),
        time: second(2),
        uncertainty_us: clock().uncertainty_us,
        value: reading(2, 1_000),
    };
    assert_eq!((listed.len(), &listed[1]), (3, &expected));
    let events = of(Lane::Events, all("tm-1", 1)).await;
    assert_eq!(events.iter().map(|stored| &stored.value).collect::<Vec<_>>(), [&event(5)]);
    let last = &events[0];
    let after = Some((last.time, last.log, last.position));
    let next = of(Lane::Events, RangeQuery { after, ..all("tm-1", 10) }).await;
    assert_eq!(next.iter().map(|stored| &stored.value).collect::<Vec<_>>(), [&event(6)]);
    refused(telemetry.history(Lane::Events, &all("tm-1", 0)).await, StoreErrorKind::Invalid);
}

async fn a_block_put_again_changes_nothing(telemetry: &dyn Telemetry) {
    let blocks = [block("tm-1", 1, 3), block("tm-1", 4, 6), events_block("tm-1", 1, 2)];
    put(telemetry, &blocks).await;
    let before = readings(telemetry, &all("tm-1", 100)).await;
    put(telemetry, &blocks).await;
    put(telemetry, &[blocks[1].clone(), blocks[1].clone(), blocks[0].clone()]).await;
    assert_eq!(readings(telemetry, &all("tm-1", 100)).await, before);
    assert_eq!(counts(telemetry).await, (6, 2, 0));
}

/// After an old journal was restored, the same records may come in other slices, under another settled clock.
async fn blocks_that_overlap_count_each_record_once(telemetry: &dyn Telemetry) {
    put(telemetry, &[block("tm-1", 10, 19), block("tm-1", 20, 29)]).await;
    let mut later = block("tm-1", 5, 24);
    later.clock.offset_us += 3_000_000;
    put(telemetry, &[later]).await;
    assert_eq!(counts(telemetry).await, (25, 0, 0));
    let times = readings(telemetry, &all("tm-1", 100)).await;
    let time_of = |n: u64| times.iter().find(|stored| stored.position.n == n).map(|stored| stored.time);
    assert_eq!(time_of(5), Some(second(8)), "a new record has the time it came with");
    assert_eq!(time_of(10), Some(second(10)), "a known one keeps the time that was settled first");
    assert!(times.is_sorted_by_key(|stored| (stored.time, stored.log, stored.position)));
    // A record inside the numbers of a block that skipped it.
    let mut skipping = block("tm-2", 1, 9);
    skipping.records.retain(|(n, _)| n % 2 == 1);
    put(telemetry, &[skipping.clone()]).await;
    put(telemetry, &[block("tm-2", 4, 4), block("tm-2", 1, 9), skipping]).await;
    assert_eq!(numbers(telemetry, &all("tm-2", 100)).await, (1..=9).collect::<Vec<_>>());
    // The same numbers of another boot or log are other records.
    let boot = Block { boot_count: 2, ..block("tm-2", 1, 9) };
    put(telemetry, &[boot, Block { log: log(3), ..block("tm-2", 1, 9) }]).await;
    assert_eq!(counts(telemetry).await, (25 + 27, 0, 0));
}

async fn ranges_end_at_the_microsecond(telemetry: &dyn Telemetry) {
    put(telemetry, &[block("tm-1", 1, 10), block("tm-1", 11, 20), block("tm-1", 21, 30)]).await;
    let between = async |from: i64, until: i64| {
        let query = RangeQuery { from: UnixMicros(from), until: UnixMicros(until), ..all("tm-1", 100) };
        numbers(telemetry, &query).await
    };
    let us = |seconds| second(seconds).0;
    assert_eq!(between(us(10), us(12)).await, [10, 11]);
    assert_eq!(between(us(10), us(12) + 1).await, [10, 11, 12]);
    assert_eq!(between(us(10) + 1, us(12)).await, [11]);
    assert_eq!(between(us(14), us(15)).await, [14]);
    assert_eq!(between(us(14), us(14)).await, NONE);
    assert_eq!(between(us(15), us(14)).await, NONE);
    assert_eq!(between(us(30), i64::MAX).await, [30]);
    assert_eq!(between(us(31), i64::MAX).await, NONE);
    assert_eq!(between(i64::MIN, us(1)).await, NONE);
    assert_eq!(between(i64::MIN, us(1) + 1).await, [1]);
}

async fn pages_give_each_record_once(telemetry: &dyn Telemetry) {
    // Two logs whose records lie between each other, some at the same moment, in blocks that do not come in order.
    let other = |from, to| Block { log: log(9), ..block("tm-1", from, to) };
    let mut half = other(30, 34);
    half.clock.offset_us += 500_000;
    put(telemetry, &[block("tm-1", 21, 40), other(10, 25), block("tm-1", 1, 20), half]).await;
    let everything = readings(telemetry, &all("tm-1", 1_000)).await;
    assert_eq!(everything.len(), 40 + 16 + 5);
    assert!(everything.is_sorted_by_key(|stored| (stored.time, stored.log, stored.position)));
    for max in [1, 2, 7, 60, 61] {
        let mut query = all("tm-1", max);
        let mut seen = Vec::new();
        loop {
            let page = readings(telemetry, &query).await;
            let Some(last) = page.last() else { break };
            assert!(page.len() <= max);
            query.after = Some((last.time, last.log, last.position));
            seen.extend(page);
            assert!(seen.len() <= everything.len(), "pages repeat records");
        }
        assert_eq!(seen, everything, "in pages of {max}");
    }
}

async fn undated_records_are_counted_and_not_listed(telemetry: &dyn Telemetry) {
    let undated = |name, from, to| Block { clock: Clock::UNDATED, ..block(name, from, to) };
    put(telemetry, &[undated("tm-1", 1, 5), block("tm-1", 6, 8)]).await;
    put(telemetry, &[Block { clock: Clock::UNDATED, ..events_block("tm-1", 1, 2) }]).await;
    assert_eq!(counts(telemetry).await, (8, 2, 7));
    assert_eq!(numbers(telemetry, &all("tm-1", 100)).await, [6, 7, 8]);
    put(telemetry, &[undated("tm-1", 4, 7), block("tm-1", 1, 2)]).await;
    assert_eq!(counts(telemetry).await, (8, 2, 7));
    assert_eq!(numbers(telemetry, &all("tm-1", 100)).await, [6, 7, 8]);
    put(telemetry, &[undated("tm-1", 1, 10)]).await;
    assert_eq!(counts(telemetry).await, (10, 2, 9));
}

async fn long_blocks_are_found_from_their_middle(telemetry: &dyn Telemetry) {
    // A backlog at rest: a reading every half hour for ten days, in one block.
    let records = (1..=480).map(|n| (n, reading(n * 1_800, 0))).collect();
    put(telemetry, &[Block { records, ..block("tm-1", 1, 1) }]).await;
    let between = async |from, until| {
        let query = RangeQuery { from: second(from), until: second(until), ..all("tm-1", 1_000) };
        numbers(telemetry, &query).await
    };
    assert_eq!(between(432_000, 432_001).await, [240]);
    assert_eq!(between(432_001, 435_600).await, [241]);
    assert_eq!(between(0, 864_001).await.len(), 480);
    assert_eq!(counts(telemetry).await, (480, 0, 0));
}

async fn machines_are_counted_apart(telemetry: &dyn Telemetry) {
    put(telemetry, &[block("tm-1", 1, 3), events_block("tm-2", 1, 4), block("tm-2", 1, 1)]).await;
    let counts = async |name: &str| {
        let Counts { readings, events, undated } =
            telemetry.counts(Some(&machine(name))).await.expect("records are counted");
        (readings, events, undated)
    };
    assert_eq!(counts("tm-1").await, (3, 0, 0));
    assert_eq!(counts("tm-2").await, (1, 4, 0));
    assert_eq!(counts("tm-3").await, (0, 0, 0));
    assert_eq!(numbers(telemetry, &all("tm-2", 10)).await, [1]);
}

/// And nothing of it stays.
async fn what_cannot_be_is_refused(telemetry: &dyn Telemetry) {
    let mut backwards = block("tm-1", 1, 3);
    backwards.records.reverse();
    let mut mixed = block("tm-1", 1, 3);
    mixed.records[1].1 = event(2);
    let mut too_great = block("tm-1", 1, 3);
    too_great.records[2].0 = u64::MAX;
    let mut recorded = events_block("tm-1", 1, 2);
    let piece = RecordingPiece { trigger: MonotonicMicros(1), number: 0, is_last: true, points: Vec::new() };
    recorded.records[1].1.payload = Payload::Recording(piece);
    for bad in [backwards, mixed, too_great, recorded] {
        refused(telemetry.put(vec![block("tm-1", 7, 9), bad]).await, StoreErrorKind::Invalid);
    }
    assert_eq!(counts(telemetry).await, (0, 0, 0));
    refused(telemetry.readings(&all("tm-1", 0)).await, StoreErrorKind::Invalid);
    refused(telemetry.events(&all("tm-1", 10_002)).await, StoreErrorKind::Invalid);
    refused(telemetry.set_watermark(u64::MAX).await, StoreErrorKind::Invalid);
    assert_eq!(telemetry.watermark().await.expect("the watermark is known"), 0);
}

/// A year later than anything in these suites.
const LATER_S: i64 = 365 * 24 * 3_600;

async fn compact(telemetry: &dyn Telemetry) {
    while telemetry.compact(second(LATER_S)).await.expect("compaction works").more {}
}

async fn compaction_changes_no_answer(telemetry: &dyn Telemetry) {
    let days = [0, 200_000].map(|day| block("tm-1", day + 1, day + 90));
    put(telemetry, &[days[0].clone(), days[1].clone(), events_block("tm-1", 1, 9)]).await;
    put(telemetry, &[Block { clock: Clock::UNDATED, ..block("tm-1", 100, 110) }, block("tm-2", 5, 9)]).await;
    let before = readings(telemetry, &all("tm-1", 1_000)).await;
    assert_eq!(before.len(), 180);
    let events = telemetry.events(&all("tm-1", 100)).await.expect("events can be listed");
    compact(telemetry).await;
    // What is stored comes again, with something new between it.
    let mut late = block("tm-2", 1, 20);
    late.records.retain(|(n, _)| n % 7 != 0);
    put(telemetry, &[days[0].clone(), late.clone()]).await;
    compact(telemetry).await;
    put(telemetry, &[block("tm-2", 5, 9), late]).await;
    assert_eq!(readings(telemetry, &all("tm-1", 1_000)).await, before);
    assert_eq!(telemetry.events(&all("tm-1", 100)).await.expect("events can be listed"), events);
    let expected: Vec<u64> = (1..=20).filter(|n| n % 7 != 0 || *n == 7).collect();
    assert_eq!(numbers(telemetry, &all("tm-2", 100)).await, expected);
    assert_eq!(counts(telemetry).await, (180 + 11 + 19, 9, 11));
    let (mut next, mut damages) = (None, Vec::new());
    loop {
        let step = telemetry.check(next).await.expect("checking works");
        damages.extend(step.damages);
        next = step.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!((damages, telemetry.damages()), (Vec::new(), Damages::default()));
}

async fn what_is_too_old_is_forgotten(telemetry: &dyn Telemetry) {
    // Engines may keep what is stored together with newer records: days apart they must not.
    let day = |number: u64| block("tm-1", number * 259_200 + 1, number * 259_200 + 30);
    let forget = async |lane, before| {
        let mut records = 0;
        loop {
            let step = telemetry.forget(lane, second(before)).await.expect("it forgets");
            records += step.records;
            if !step.more {
                return records;
            }
        }
    };
    let oldest = async |lane| telemetry.stock().await.expect("it is measured").lane(lane).oldest;
    assert_eq!(oldest(Lane::Readings).await, None);
    assert_eq!(forget(Lane::Readings, LATER_S).await, 0);
    put(telemetry, &[day(0), day(1), events_block("tm-1", 1, 9)]).await;
    compact(telemetry).await;
    put(telemetry, &[day(2), Block { clock: Clock::UNDATED, ..block("tm-1", 900_000, 900_009) }]).await;
    assert_eq!(oldest(Lane::Readings).await, Some(second(1)));
    assert_eq!(forget(Lane::Readings, 1).await, 0);
    assert_eq!(forget(Lane::Readings, 200_000).await, 30);
    assert_eq!(counts(telemetry).await, (70, 9, 10));
    assert_eq!(oldest(Lane::Readings).await, Some(second(259_201)));
    assert_eq!(oldest(Lane::Events).await, Some(second(1)));
    assert_eq!(forget(Lane::Readings, LATER_S).await, 60);
    assert_eq!(forget(Lane::Events, 10).await, 9);
    assert_eq!(counts(telemetry).await, (10, 0, 10));
    assert_eq!(readings(telemetry, &all("tm-1", 100)).await, []);
    assert_eq!((oldest(Lane::Readings).await, oldest(Lane::Events).await), (None, None));
    // What comes again is stored again.
    put(telemetry, &[day(0)]).await;
    assert_eq!(counts(telemetry).await, (40, 0, 10));
}

async fn opened_again_it_has_all(open: impl AsyncFn() -> Box<dyn Telemetry>) {
    let watermark =
        async |telemetry: &dyn Telemetry| telemetry.watermark().await.expect("the watermark is known");
    let telemetry = open().await;
    put(&*telemetry, &[block("tm-1", 1, 10)]).await;
    telemetry.set_watermark(10).await.expect("the watermark can be set");
    assert_eq!(watermark(&*telemetry).await, 10);
    put(&*telemetry, &[block("tm-1", 11, 12), events_block("tm-1", 1, 1)]).await;
    drop(telemetry);
    let telemetry = open().await;
    assert_eq!(watermark(&*telemetry).await, 10);
    put(&*telemetry, &[block("tm-1", 1, 10), block("tm-1", 11, 12), block("tm-1", 13, 13)]).await;
    assert_eq!(counts(&*telemetry).await, (13, 1, 0));
    assert_eq!(numbers(&*telemetry, &all("tm-1", 100)).await, (1..=13).collect::<Vec<_>>());
    // It goes back when an old journal was restored.
    telemetry.set_watermark(4).await.expect("the watermark can be set");
    drop(telemetry);
    assert_eq!(watermark(&*open().await).await, 4);
}
