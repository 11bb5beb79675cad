use store::memory::MemoryLedger;
use store::sqlite::SqliteTelemetry;

use super::*;

fn now() -> UnixMicros {
    UnixMicros(1_790_812_800 * 1_000_000)
}

#[tokio::test]
async fn without_any_usage_nothing_is_removed_and_an_empty_history_is_no_trouble() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = Keeper {
        telemetry: Arc::new(SqliteTelemetry::open(folder.path()).unwrap()),
        ledger: Arc::new(MemoryLedger::new()),
        folder: folder.path().to_owned(),
        retention: RetentionConfig { free_mib_min: u64::MAX, ..RetentionConfig::default() },
        clock: now,
    };
    let seen = keeper.seen().await.unwrap();
    assert_eq!((seen.newest, seen.oldest_reading), (None, None));
    assert!(seen.free_bytes.is_some_and(|free| free > 0));
    keeper.turn(true, &CancellationToken::new()).await.unwrap();
}
