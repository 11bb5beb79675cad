//! What comes between the steps of compaction and retention.

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
