//! What comes between the steps of compaction and retention.

use std::path::PathBuf;
use std::sync::OnceLock;

use domain::clock::{Clock, ClockQuality};
use domain::ids::{LogId, MachineId};
use domain::record::{Payload, Reading, Record};
use domain::units::MonotonicMicros;

use super::*;

const LATER: UnixMicros = UnixMicros(1_000 * 24 * 3_600 * 1_000_000);

/// Readings with these numbers, one a second.
fn block(numbers: &[u64]) -> Block {
    let record = |n: u64| {
        let payload = Payload::Reading(Reading { span_ms: 1_000, ..Reading::default() });
        Record { at: MonotonicMicros(n * 1_000_000), other_n: 0, payload }
    };
    Block {
        sequence: 1,
        machine: MachineId::new("tm-1").unwrap(),
        log: LogId([1; 16]),
        lane: Lane::Readings,
        boot_count: 1,
        clock: Clock { quality: ClockQuality::Synchronised, offset_us: 0, uncertainty_us: 0 },
        records: numbers.iter().map(|n| (*n, record(*n))).collect(),
    }
}

fn all() -> RangeQuery {
    let machine = MachineId::new("tm-1").unwrap();
    RangeQuery { machine, from: UnixMicros(0), until: LATER, after: None, max: 1_000 }
}

async fn numbers(telemetry: &SqliteTelemetry) -> Vec<u64> {
    let listed = telemetry.readings(&all()).await.unwrap();
    listed.into_iter().map(|stored| stored.position.n).collect()
}

/// A record that joins a small chunk after it was read would be lost with it.
#[tokio::test]
async fn what_is_put_between_reading_and_moving_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let telemetry = SqliteTelemetry::open(folder.path()).unwrap();
    telemetry.put(vec![block(&[1, 2, 4, 5])]).await.unwrap();
    let history = telemetry.history.clone();
    let write = move |connection: &_| history::write_file(connection, &history, LATER);
    let written = telemetry.readers.read("compacting", write).await.unwrap().unwrap();
    telemetry.put(vec![block(&[3])]).await.unwrap();
    let commit = move |connection: &Connection, _: &mut put::Memory| history::commit(connection, &written);
    assert!(!telemetry.writer.write("compacting", commit).await.unwrap());
    assert_eq!(numbers(&telemetry).await, [1, 2, 3, 4, 5]);
    assert_eq!(telemetry.stock().await.unwrap().files, 0);
    assert_eq!(telemetry.compact(LATER).await.unwrap().records, 5);
    assert_eq!(numbers(&telemetry).await, [1, 2, 3, 4, 5]);
    assert_eq!(telemetry.counts(None).await.unwrap().readings, 5);
}

/// Otherwise a file could be removed between a listing's look into the index and its look into the file.
#[tokio::test]
async fn files_are_held_while_a_listing_reads() {
    static HISTORY: OnceLock<Arc<History>> = OnceLock::new();
    let folder = tempfile::tempdir().unwrap();
    let telemetry = SqliteTelemetry::open(folder.path()).unwrap();
    telemetry.put(vec![block(&[1, 2, 3])]).await.unwrap();
    telemetry.compact(LATER).await.unwrap();
    HISTORY.set(telemetry.history.clone()).unwrap();
    let is_held = || HISTORY.get().map(|history| history.is_held());
    let query = all();
    let seen = telemetry.list(Lane::Readings, &query, |_| HISTORY.get().map(|history| history.is_held()));
    let seen: Vec<bool> = seen.await.unwrap().into_iter().map(|stored| stored.value).collect();
    assert_eq!(seen, [true; 3]);
    assert_eq!(is_held(), Some(false));
}

/// Eight files of the day that begins so many seconds after 1970; their paths.
async fn eight_files(telemetry: &SqliteTelemetry, folder: &Path, begin: u64) -> Vec<PathBuf> {
    let before = paths(folder);
    for part in 0..8 {
        telemetry.put(vec![block(&[begin + part * 10 + 1, begin + part * 10 + 2])]).await.unwrap();
        telemetry.compact(LATER).await.unwrap();
    }
    let made: Vec<PathBuf> = paths(folder).into_iter().filter(|path| !before.contains(path)).collect();
    assert_eq!(made.len(), 8);
    made
}

fn paths(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder.join(history::FOLDER)) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The new file is removed, for which nobody may hold the files.
#[tokio::test]
async fn merging_that_fails_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let telemetry = SqliteTelemetry::open(folder.path()).unwrap();
    let files = eight_files(&telemetry, folder.path(), 0).await;
    let aside = folder.path().join("aside");
    std::fs::rename(&files[3], &aside).unwrap();
    std::fs::create_dir(&files[3]).unwrap();
    for _ in 0..2 {
        let error = telemetry.compact(LATER).await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
        assert!(!telemetry.history.is_held());
        assert_eq!(paths(folder.path()), files);
    }
    std::fs::remove_dir(&files[3]).unwrap();
    std::fs::rename(&aside, &files[3]).unwrap();
    telemetry.put(vec![block(&[100])]).await.unwrap();
    assert_eq!(numbers(&telemetry).await.len(), 17);
    assert_eq!(telemetry.compact(LATER).await.unwrap().records, 1);
    assert_eq!(telemetry.compact(LATER).await.unwrap().files_merged, 9);
    assert_eq!(paths(folder.path()).len(), 1);
    assert_eq!(numbers(&telemetry).await.len(), 17);
}

/// They cannot be merged, keep their place in the index, and are in no other day's way.
#[tokio::test]
async fn merging_ends_where_files_are_missing_or_cut() {
    let folder = tempfile::tempdir().unwrap();
    let telemetry = SqliteTelemetry::open(folder.path()).unwrap();
    let lost = eight_files(&telemetry, folder.path(), 0).await;
    eight_files(&telemetry, folder.path(), 90_000).await;
    for (place, path) in lost.iter().enumerate() {
        if place < 4 {
            std::fs::remove_file(path).unwrap();
        } else {
            let file = std::fs::File::options().write(true).open(path).unwrap();
            file.set_len(file.metadata().unwrap().len() - 1).unwrap();
        }
    }
    let merged = telemetry.compact(LATER).await.unwrap();
    assert_eq!((merged.files_merged, merged.more), (8, true));
    for _ in 0..2 {
        assert_eq!(telemetry.compact(LATER).await.unwrap(), Compaction::default());
        assert_eq!(paths(folder.path()).len(), 4 + 1);
    }
    assert_eq!(telemetry.stock().await.unwrap().files, 8 + 1);
    assert_eq!(telemetry.counts(None).await.unwrap().readings, 32);
    assert_eq!(numbers(&telemetry).await.len(), 16);
}

/// A file that ends only when it is read is like one that is cut after it was chosen.
#[cfg(unix)]
#[tokio::test]
async fn a_step_that_would_empty_one_file_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let telemetry = SqliteTelemetry::open(folder.path()).unwrap();
    let files = eight_files(&telemetry, folder.path(), 0).await;
    for path in &files[1..] {
        std::fs::remove_file(path).unwrap();
        std::os::unix::fs::symlink("/dev/null", path).unwrap();
    }
    assert_eq!(telemetry.compact(LATER).await.unwrap(), Compaction::default());
    assert_eq!(paths(folder.path()), files);
    assert_eq!(numbers(&telemetry).await, [1, 2]);
}

/// While the disk of the folder is away, nobody can tell that a file is gone for good: its name is kept, so that it is
/// not taken for a new one when it is back.
#[tokio::test]
async fn what_was_forgotten_does_not_come_back() {
    for opened_between in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (there, away) = (folder.path().join(history::FOLDER), folder.path().join("away"));
        let telemetry = SqliteTelemetry::open(folder.path()).unwrap();
        telemetry.put(vec![block(&[1, 2, 3])]).await.unwrap();
        telemetry.compact(LATER).await.unwrap();
        std::fs::rename(&there, &away).unwrap();
        let error = telemetry.forget(Lane::Readings, LATER).await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
        drop(telemetry);
        if opened_between {
            drop(SqliteTelemetry::open(folder.path()).unwrap());
        }
        std::fs::rename(&away, &there).unwrap();
        for _ in 0..2 {
            let telemetry = SqliteTelemetry::open(folder.path()).unwrap();
            assert_eq!(telemetry.counts(None).await.unwrap().readings, 0);
            assert_eq!(numbers(&telemetry).await, [0; 0]);
            assert_eq!(paths(folder.path()), [""; 0].map(PathBuf::from));
            assert_eq!(telemetry.forget(Lane::Readings, LATER).await.unwrap(), Forgotten::default());
        }
    }
}
