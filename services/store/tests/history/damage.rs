//! Flipped bits: found, named, one chunk lost, the rest served.

use domain::log::Lane;
use proptest::prelude::*;
use store::telemetry::{Damage, Telemetry};

use crate::given::{
    all, check, compact, counted, files, folder, machine, numbers, open, put, readings, second,
};

/// A small file: three machines, a chunk each.
const MACHINES: [&str; 3] = ["tm-1", "tm-2", "tm-3"];
const EACH: u64 = 40;

fn flip(path: &std::path::Path, bit: usize) {
    let mut octets = std::fs::read(path).expect("the file is there");
    octets[bit / 8] ^= 1 << (bit % 8);
    std::fs::write(path, octets).expect("it can be written");
}

/// Flips each `step`-th bit of a file, one at a time. `forget_index` says that the index is lost, too.
async fn flip_each(step: usize, forget_index: bool) {
    let live = folder();
    let telemetry = open(live.path());
    put(&telemetry, MACHINES.iter().map(|name| readings(name, 1, EACH))).await;
    compact(&telemetry).await;
    drop(telemetry);
    let name = files(live.path()).remove(0);
    let path = live.path().join("history").join(&name);
    let whole = std::fs::read(&path).expect("the file is there");
    for bit in (0..whole.len() * 8).step_by(step) {
        flip(&path, bit);
        if forget_index {
            for file in ["telemetry.db", "telemetry.db-wal", "telemetry.db-shm"] {
                // Not all of them are there at all times.
                let _ = std::fs::remove_file(live.path().join(file));
            }
        }
        let telemetry = open(live.path());
        let mut served = 0;
        for name in MACHINES {
            let listed = numbers(&telemetry, name).await;
            assert!(
                listed.is_empty() || listed == (1..=EACH).collect::<Vec<_>>(),
                "bit {bit}: part of a chunk"
            );
            served += usize::from(!listed.is_empty());
        }
        assert!(served >= MACHINES.len() - 1, "bit {bit}: {served} of {} are served", MACHINES.len());
        let (_, damages) = check(&telemetry).await;
        if !forget_index {
            let [damage] = &damages[..] else { panic!("bit {bit}: {damages:?}") };
            assert_eq!(damage.lost.is_some(), served < MACHINES.len(), "bit {bit}: {damage:?}");
            assert_eq!(damage.file, format!("history/{name}"), "bit {bit}");
            assert_eq!(telemetry.damages().places, damages, "bit {bit}");
        }
        drop(telemetry);
        std::fs::write(&path, &whole).expect("it can be written");
    }
}

#[tokio::test]
async fn each_flipped_bit_is_named_and_costs_one_chunk_at_most() {
    flip_each(7, false).await;
}

/// The index is made anew from the file: what can be read of it is served.
#[tokio::test]
async fn each_flipped_bit_costs_one_chunk_at_most_without_the_index() {
    flip_each(61, true).await;
}

#[tokio::test]
async fn a_listing_that_leaves_a_chunk_out_says_so() {
    let live = folder();
    let telemetry = open(live.path());
    put(&telemetry, [readings("tm-1", 1, 50), readings("tm-1", 90_000, 90_050)]).await;
    compact(&telemetry).await;
    let [first, _] = &files(live.path())[..] else { panic!("there is a file a day") };
    let path = live.path().join("history").join(first);
    let length = usize::try_from(std::fs::metadata(&path).expect("it is there").len()).expect("it is small");
    flip(&path, (length - 3) * 8);
    assert_eq!(telemetry.damages().places, []);
    assert_eq!(numbers(&telemetry, "tm-1").await, (90_000..=90_050).collect::<Vec<_>>());
    let damages = telemetry.damages();
    let [Damage { file, offset: Some(16), lost: Some(lost), .. }] = &damages.places[..] else {
        panic!("{damages:?}")
    };
    assert_eq!(*file, format!("history/{first}"));
    assert_eq!((&lost.machine, lost.lane, lost.records), (&machine("tm-1"), Lane::Readings, 50));
    assert_eq!((lost.first_n, lost.last_n), (1, 50));
    assert_eq!(lost.times, Some((second(1), second(50))));
    // Listed again it is the same damage.
    numbers(&telemetry, "tm-1").await;
    assert_eq!(telemetry.damages(), damages);
    // When its records come again, they take its place.
    put(&telemetry, [readings("tm-1", 1, 50)]).await;
    assert_eq!(numbers(&telemetry, "tm-1").await.len(), 101);
    assert_eq!(counted(&telemetry).await, (101, 0));
    assert_eq!(check(&telemetry).await, (2, vec![]));
}

/// A small chunk that is damaged already moves as it is, and holds nothing up.
#[tokio::test]
async fn a_damaged_small_chunk_is_named_before_and_after_compaction() {
    let live = folder();
    let telemetry = open(live.path());
    put(&telemetry, (0..3).map(|part| readings("tm-1", part * 10 + 1, part * 10 + 10))).await;
    drop(telemetry);
    let database = rusqlite::Connection::open(live.path().join("telemetry.db")).expect("SQLite opens it");
    let body = "SELECT body FROM chunk WHERE first_n = 11";
    let mut octets: Vec<u8> = database.query_row(body, [], |row| row.get(0)).expect("it can be read");
    octets[20] ^= 4;
    let changed = database.execute("UPDATE chunk SET body = ?1 WHERE first_n = 11", [octets]);
    assert_eq!(changed.expect("it can be changed"), 1);
    database.close().expect("it can be closed");
    let telemetry = open(live.path());
    let (chunks, before) = check(&telemetry).await;
    assert_eq!((chunks, before.len()), (3, 1));
    assert_eq!((before[0].file.as_str(), before[0].offset), ("telemetry.db", None));
    compact(&telemetry).await;
    let (chunks, after) = check(&telemetry).await;
    assert_eq!((chunks, after.len()), (3, 1));
    assert_eq!(after[0].lost, before[0].lost);
    assert!(after[0].offset.is_some());
    assert_eq!(numbers(&telemetry, "tm-1").await.len(), 20);
    assert_eq!(counted(&telemetry).await, (30, 0));
}

#[tokio::test]
async fn a_missing_or_cut_file_costs_what_was_in_it() {
    let live = folder();
    let telemetry = open(live.path());
    put(&telemetry, [readings("tm-1", 1, 50), readings("tm-1", 90_000, 90_050)]).await;
    put(&telemetry, [readings("tm-1", 180_000, 180_009)]).await;
    compact(&telemetry).await;
    let [first, second, _] = &files(live.path())[..] else { panic!("there is a file a day") };
    let path = |name: &str| live.path().join("history").join(name);
    std::fs::remove_file(path(first)).expect("it can be removed");
    let octets = std::fs::read(path(second)).expect("it is there");
    std::fs::write(path(second), &octets[..octets.len() - 1]).expect("it can be written");
    drop(telemetry);
    let telemetry = open(live.path());
    assert_eq!(numbers(&telemetry, "tm-1").await, (180_000..=180_009).collect::<Vec<_>>());
    let reasons: Vec<String> = telemetry.damages().places.into_iter().map(|damage| damage.reason).collect();
    assert_eq!(reasons, ["its file is missing", "its file ends before it"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever stands in a file: the store opens, lists, checks.
    #[test]
    fn arbitrary_files_do_no_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..60),
        cut in prop::option::of(any::<prop::sample::Index>()),
        forget_index in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be started");
        runtime.block_on(async {
            let live = folder();
            let telemetry = open(live.path());
            put(&telemetry, MACHINES.iter().map(|name| readings(name, 1, EACH))).await;
            compact(&telemetry).await;
            drop(telemetry);
            let path = live.path().join("history").join(files(live.path()).remove(0));
            let mut octets = std::fs::read(&path).expect("the file is there");
            for (place, octet) in changes {
                let place = place.index(octets.len());
                octets[place] = octet;
            }
            if let Some(cut) = cut {
                octets.truncate(cut.index(octets.len()));
            }
            std::fs::write(&path, octets).expect("it can be written");
            if forget_index {
                std::fs::remove_file(live.path().join("telemetry.db")).expect("it can be removed");
            }
            let telemetry = open(live.path());
            for name in MACHINES {
                telemetry.readings(&all(name)).await.expect("readings can be listed");
            }
            check(&telemetry).await;
        });
    }
}
