use std::sync::Arc;

use bytes::Bytes;
use domain::clock::Clock;
use domain::ids::{LogId, MachineId};
use domain::log::{BootStart, Lane};

use super::*;
use crate::StoreErrorKind;
use crate::journal::{Journal, JournalSpan, Slice};
use crate::sqlite::{InfluxIndex, SqliteJournal, SqliteLedger, SqliteTelemetry};
use crate::telemetry::Telemetry;

fn slice(first: u64) -> Slice {
    Slice {
        machine: MachineId::new("tm-1").unwrap(),
        log: LogId([1; 16]),
        lane: Lane::Events,
        boot: BootStart { boot_count: 1, previous: None, other_previous: None, maker: None },
        first,
        last: first,
        records: 1,
        hole: None,
        clock: Clock::UNDATED,
        body: Bytes::from_static(b"a record"),
    }
}

#[tokio::test]
async fn a_copy_is_the_state_that_was_taken_whatever_is_written_after_it() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let journal = SqliteJournal::open(folder.path()).unwrap();
    let telemetry = SqliteTelemetry::open(folder.path()).unwrap();
    let ledger = SqliteLedger::open(folder.path()).unwrap();
    let slices: Vec<Slice> = (1..=10).map(slice).collect();
    journal.append(slices.into()).await.unwrap();
    telemetry.set_watermark(7).await.unwrap();
    journal.trim(5).await.unwrap();

    let snapshot = Snapshot::take(folder.path()).unwrap();
    journal.append(Arc::new([slice(11)])).await.unwrap();
    journal.trim(9).await.unwrap();
    telemetry.set_watermark(10).await.unwrap();
    let mut told = 0;
    snapshot.copy(copy.path(), &mut |bytes| told += bytes).unwrap();
    assert_eq!(told, snapshot.bytes().unwrap(), "progress adds up to what there is");
    drop((snapshot, journal, telemetry, ledger));

    let expected = Overview {
        span: JournalSpan { trimmed: 5, last: 10 },
        watermark: 7,
        checkpointed: 0,
        machines: 0,
        lost: Vec::new(),
        stock: None,
    };
    let found = overview(copy.path()).unwrap();
    assert_eq!(Overview { stock: None, ..found }, expected);
    for name in StoreName::ALL {
        let state = look_at(copy.path(), name, Depth::Whole).unwrap();
        assert_eq!((state.problems, state.version), (Vec::new(), state.version_newest), "{name:?}");
    }
    // No log beside any of them, and a server can go on with it.
    let there = std::fs::read_dir(copy.path()).unwrap().count();
    assert_eq!(there, 3);
    let journal = SqliteJournal::open(copy.path()).unwrap();
    assert_eq!(journal.append(Arc::new([slice(11)])).await.unwrap(), 11);
}

#[tokio::test]
async fn what_a_folder_knows_of_influxdb_is_copied_with_it() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let journal = SqliteJournal::open(folder.path()).unwrap();
    let telemetry = SqliteTelemetry::open(folder.path()).unwrap();
    let ledger = SqliteLedger::open(folder.path()).unwrap();
    assert_eq!(StoreName::of(folder.path()), StoreName::ALL);
    let index = InfluxIndex::open(folder.path()).unwrap();
    let slices: Vec<Slice> = (1..=10).map(slice).collect();
    journal.append(slices.into()).await.unwrap();
    telemetry.set_watermark(2).await.unwrap();
    index.set_watermark(8).await.unwrap();
    journal.trim(6).await.unwrap();

    let snapshot = Snapshot::take(folder.path()).unwrap();
    index.set_watermark(9).await.unwrap();
    assert_eq!(snapshot.watermark(), 8, "the history that is written counts");
    snapshot.copy(copy.path(), &mut |_| {}).unwrap();
    drop((snapshot, journal, telemetry, ledger, index));
    assert_eq!(StoreName::of(copy.path()).last(), Some(&StoreName::Influxdb));
    assert_eq!(overview(copy.path()).unwrap().watermark, 8);
    let state = look_at(copy.path(), StoreName::Influxdb, Depth::Whole).unwrap();
    assert_eq!((state.problems, state.version), (Vec::new(), state.version_newest));
    assert_eq!(InfluxIndex::open(copy.path()).unwrap().watermark().await.unwrap(), 8);
}

#[test]
fn what_is_not_there_or_not_readable_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let error = look_at(folder.path(), StoreName::Ledger, Depth::Quick).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    assert!(error.context.contains("ledger.db"), "{error}");
    assert!(!folder.path().join("ledger.db").exists(), "looking makes nothing");

    drop(SqliteJournal::open(folder.path()).unwrap());
    std::fs::rename(folder.path().join("journal.db"), folder.path().join("ledger.db")).unwrap();
    let error = look_at(folder.path(), StoreName::Ledger, Depth::Quick).unwrap_err();
    assert!(error.context.contains("is no ledger of Beltwatch"), "{error}");
}
