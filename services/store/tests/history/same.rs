//! Compaction changes nothing that can be asked for.

use domain::clock::{Clock, ClockQuality};
use domain::ids::LogId;
use domain::log::Lane;
use domain::units::UnixMicros;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use store::memory::MemoryTelemetry;
use store::telemetry::{Block, RangeQuery, Telemetry};

use crate::given::{
    LATER, all, block, check, clock, compact, counted, files, folder, numbers, open, put, readings, second,
};

#[derive(Debug, Clone)]
enum Doing {
    Put(Vec<Block>),
    /// Compact once, at a time at which some days are over.
    Compact(UnixMicros),
    /// Put while a step of compaction is under way.
    Both(Vec<Block>),
    Reopen,
}

fn blocks() -> impl Strategy<Value = Block> {
    let days = select(vec![0, 0, 80_000, 86_390, 3 * 86_400]);
    let numbers = subsequence((1..40_u64).collect::<Vec<_>>(), 0..20);
    let clocks = prop_oneof![
        6 => Just(clock()),
        2 => Just(Clock { quality: ClockQuality::Estimated, offset_us: second(7).0, uncertainty_us: 3 }),
        1 => Just(Clock::UNDATED),
    ];
    let place = (select(vec!["tm-1", "tm-2"]), select(Lane::ALL.to_vec()), 1..3_u8, 1..3_u32);
    (place, days, numbers, clocks).prop_map(|((name, lane, log, boot_count), later_s, numbers, clock)| {
        let whole = block(name, lane, 1, 40);
        let records = whole.records.into_iter().filter(|(n, _)| numbers.contains(n)).collect();
        let offset_us = clock.offset_us + later_s * 1_000_000;
        let clock = Clock { offset_us: if clock == Clock::UNDATED { 0 } else { offset_us }, ..clock };
        Block { log: LogId([log; 16]), boot_count, clock, records, ..block(name, lane, 1, 1) }
    })
}

fn doings() -> impl Strategy<Value = Doing> {
    let some = || prop::collection::vec(blocks(), 0..4);
    let times = select(vec![second(0), second(2 * 86_400), second(5 * 86_400), LATER]);
    prop_oneof![
        5 => some().prop_map(Doing::Put),
        3 => times.prop_map(Doing::Compact),
        2 => some().prop_map(Doing::Both),
        1 => Just(Doing::Reopen),
    ]
}

async fn agree(sqlite: &dyn Telemetry, memory: &MemoryTelemetry) {
    for name in ["tm-1", "tm-2"] {
        let part = RangeQuery { from: second(5), until: second(86_400), max: 7, ..all(name) };
        // Far from where a day's chunk begins.
        let end = RangeQuery { from: second(80_005), until: second(86_400), ..all(name) };
        for query in [all(name), part, end] {
            let told = sqlite.readings(&query).await.expect("readings can be listed");
            assert_eq!(told, memory.readings(&query).await.expect("readings can be listed"));
            let told = sqlite.events(&query).await.expect("events can be listed");
            assert_eq!(told, memory.events(&query).await.expect("events can be listed"));
            for lane in Lane::ALL {
                let told = sqlite.history(lane, &query).await.expect("records can be listed");
                assert_eq!(told, memory.history(lane, &query).await.expect("records can be listed"));
            }
        }
        let counts = sqlite.counts(Some(&all(name).machine)).await.expect("records are counted");
        assert_eq!(counts, memory.counts(Some(&all(name).machine)).await.expect("records are counted"));
    }
}

async fn told_the_same(doings: Vec<Doing>) {
    let live = folder();
    let (memory, mut sqlite) = (MemoryTelemetry::new(), open(live.path()));
    for doing in doings {
        match doing {
            Doing::Put(blocks) => {
                sqlite.put(blocks.clone()).await.expect("putting works");
                memory.put(blocks).await.expect("putting works");
            }
            Doing::Compact(now) => {
                sqlite.compact(now).await.expect("compaction works");
            }
            Doing::Both(blocks) => {
                let (put, step) = tokio::join!(sqlite.put(blocks.clone()), sqlite.compact(LATER));
                put.expect("putting works");
                step.expect("compaction works");
                memory.put(blocks).await.expect("putting works");
            }
            Doing::Reopen => {
                drop(sqlite);
                sqlite = open(live.path());
            }
        }
        agree(&sqlite, &memory).await;
    }
    compact(&sqlite).await;
    agree(&sqlite, &memory).await;
    let (_, damages) = check(&sqlite).await;
    assert_eq!(damages, []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn compaction_at_any_moment_changes_no_answer(doings in prop::collection::vec(doings(), 1..14)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be started");
        runtime.block_on(told_the_same(doings));
    }
}

#[tokio::test]
async fn a_day_becomes_few_chunks_of_about_equal_length() {
    let live = folder();
    let telemetry = open(live.path());
    put(&telemetry, (0..500).map(|part| readings("tm-1", part * 20 + 1, part * 20 + 20))).await;
    let before = telemetry.readings(&all("tm-1")).await.expect("readings can be listed");
    assert_eq!(before.len(), 10_000);
    let done = compact(&telemetry).await;
    assert_eq!((done.records, done.chunks_before, done.chunks), (10_000, 500, 2));
    assert!(done.bytes < done.bytes_before, "{done:?}");
    assert_eq!(files(live.path()).len(), 1);
    assert!(files(live.path())[0].ends_with("-1.chunks"));
    let after = telemetry.readings(&all("tm-1")).await.expect("readings can be listed");
    assert_eq!(after, before);
    assert_eq!(check(&telemetry).await, (2, vec![]));
}

/// A day is compacted six hours after its end; what comes later makes another file of that day.
#[tokio::test]
async fn a_day_is_compacted_when_it_is_over_for_some_hours() {
    let live = folder();
    let telemetry = open(live.path());
    put(&telemetry, [readings("tm-1", 86_000, 86_399), readings("tm-1", 86_400, 86_500)]).await;
    for early in [86_400, 30 * 3_600 - 1] {
        let done = telemetry.compact(second(early)).await.expect("compaction works");
        assert_eq!(done.records, 0);
    }
    let done = telemetry.compact(second(30 * 3_600)).await.expect("compaction works");
    assert_eq!((done.records, done.more), (400, true));
    let done = telemetry.compact(second(30 * 3_600)).await.expect("compaction works");
    assert_eq!((done.records, done.more), (0, false));
    put(&telemetry, [readings("tm-1", 50_000, 50_009), readings("tm-1", 86_390, 86_399)]).await;
    compact(&telemetry).await;
    let names = files(live.path());
    let days: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(days, ["2027-01-15-1.chunks", "2027-01-15-2.chunks", "2027-01-16-1.chunks"]);
    assert_eq!(counted(&telemetry).await, (511, 0));
}

/// Nobody who reads while days are compacted and forgotten misses a record, or is told of damage.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_all_records_before_during_and_after() {
    let live = folder();
    let telemetry = open(live.path());
    for day in 0..4 {
        let from = day * 86_400 + 1;
        put(&telemetry, (0..20).map(|part| readings("tm-1", from + part * 5, from + part * 5 + 4))).await;
    }
    let all_numbers = numbers(&telemetry, "tm-1").await;
    assert_eq!(all_numbers.len(), 400);
    let work = async {
        compact(&telemetry).await;
        for day in 1..4 {
            telemetry.forget(Lane::Readings, second(day * 86_400)).await.expect("it forgets");
        }
    };
    let read = async {
        let mut seen = usize::MAX;
        while seen > 100 {
            let told = numbers(&telemetry, "tm-1").await;
            // Days go from the oldest; nothing of the others is missing.
            assert_eq!(told[..], all_numbers[all_numbers.len() - told.len()..]);
            assert_eq!(told.len() % 100, 0);
            seen = told.len();
        }
    };
    tokio::join!(work, read);
    assert_eq!(telemetry.damages().places, []);
}

/// Records that come late again and again make a small file each time; from eight on a day's files become one.
#[tokio::test]
async fn many_small_files_of_a_day_become_one() {
    let live = folder();
    let telemetry = open(live.path());
    put(&telemetry, [block("tm-1", Lane::Events, 1, 9)]).await;
    for part in 0..10 {
        put(&telemetry, [readings("tm-1", part * 20 + 1, part * 20 + 10)]).await;
        put(&telemetry, [readings("tm-2", part * 20 + 1, part * 20 + 5)]).await;
        let done = telemetry.compact(LATER).await.expect("compaction works");
        assert!(done.more && done.files_merged == 0, "{done:?}");
    }
    let (first, second) = (numbers(&telemetry, "tm-1").await, numbers(&telemetry, "tm-2").await);
    assert_eq!((first.len(), second.len()), (100, 50));
    // The first step took the events, the second the readings of two parts.
    assert_eq!(files(live.path()).len(), 10);
    compact(&telemetry).await;
    assert_eq!(files(live.path()).len(), 2);
    assert_eq!(telemetry.compact(LATER).await.expect("compaction works").files_merged, 0);
    drop(telemetry);
    for _ in 0..2 {
        let telemetry = open(live.path());
        assert_eq!(numbers(&telemetry, "tm-1").await, first);
        assert_eq!(numbers(&telemetry, "tm-2").await, second);
        assert_eq!(counted(&telemetry).await, (150, 9));
        assert_eq!(check(&telemetry).await, (19, vec![]));
        put(&telemetry, [readings("tm-1", 1, 10), block("tm-1", Lane::Events, 1, 9)]).await;
        assert_eq!(counted(&telemetry).await, (150, 9));
    }
    // Without the index it is all there, too.
    std::fs::remove_file(live.path().join("telemetry.db")).expect("it can be removed");
    let telemetry = open(live.path());
    assert_eq!(numbers(&telemetry, "tm-1").await, first);
    assert_eq!(counted(&telemetry).await, (150, 9));
}
