mod facts;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use domain::clock::Clock;
use domain::ids::{LogId, MachineId, SessionId};
use domain::live::Session;
use domain::log::{BootStart, Lane};
use domain::record::{Event, Payload, Reading, Record};
use domain::units::{MonotonicMicros, UnixMicros};
use store::StoreErrorKind;
use store::journal::{Journal, Sequence, Slice};
use store::ledger::{Checkpoint, Derived, Ledger};
use store::memory::{MemoryJournal, MemoryLedger, MemoryTelemetry};
use store::telemetry::{Block, Counts, RangeQuery, Stored, Telemetry};
use tokio::sync::{mpsc, watch};
use wire::envelope::{Entry, encode_slice};

use super::*;
use crate::fold::block_of;

/// A telemetry that fails for its first writes.
#[derive(Debug, Default)]
struct Failing {
    inner: MemoryTelemetry,
    failures: AtomicU32,
    puts: AtomicU32,
}

#[async_trait]
impl Telemetry for Failing {
    async fn put(&self, blocks: Vec<Block>) -> Result<(), StoreError> {
        let left = self.failures.load(Ordering::Relaxed);
        if left > 0 {
            self.failures.store(left - 1, Ordering::Relaxed);
            return Err(StoreError::new(StoreErrorKind::Unavailable, "the telemetry is away"));
        }
        self.puts.fetch_add(1, Ordering::Relaxed);
        self.inner.put(blocks).await
    }

    async fn watermark(&self) -> Result<Sequence, StoreError> {
        self.inner.watermark().await
    }

    async fn set_watermark(&self, through: Sequence) -> Result<(), StoreError> {
        self.inner.set_watermark(through).await
    }

    async fn readings(&self, query: &RangeQuery) -> Result<Vec<Stored<Reading>>, StoreError> {
        self.inner.readings(query).await
    }

    async fn events(&self, query: &RangeQuery) -> Result<Vec<Stored<Event>>, StoreError> {
        self.inner.events(query).await
    }

    async fn history(&self, lane: Lane, query: &RangeQuery) -> Result<Vec<Stored<Record>>, StoreError> {
        self.inner.history(lane, query).await
    }

    async fn counts(&self, machine: Option<&MachineId>) -> Result<Counts, StoreError> {
        self.inner.counts(machine).await
    }
}

fn slice(n: u64) -> Slice {
    let reading = Reading { span_ms: 1_000, ..Reading::default() };
    let record = Record { at: MonotonicMicros(n), other_n: 0, payload: Payload::Reading(reading) };
    Slice {
        machine: MachineId::new("tm-01").unwrap(),
        log: LogId([1; 16]),
        lane: Lane::Readings,
        boot: BootStart { boot_count: 1, previous: None, other_previous: None, maker: None },
        first: n,
        last: n,
        records: 1,
        hole: None,
        clock: Clock::UNDATED,
        body: encode_slice(&[Entry { n, record: wire::record::encode(&record) }]),
    }
}

/// Writes what is given of a journal of ten slices, with some failures; how much is in the telemetry then, and in how many
/// puts it came.
async fn check(given: &[(Sequence, Sequence, bool)], failures: u32) -> (Counts, Sequence, Readiness, u32) {
    let journal = Arc::new(MemoryJournal::new());
    let slices: Vec<Slice> = (1..=10).map(slice).collect();
    journal.append(slices.clone().into()).await.unwrap();
    let telemetry = Arc::new(Failing { failures: AtomicU32::new(failures), ..Failing::default() });
    let (work, waiting) = mpsc::channel(10);
    let (watermark, _seen) = watch::channel(0);
    let readiness = Readiness::default();
    let writer = telemetry::TelemetryWriter {
        telemetry: telemetry.clone(),
        journal,
        work: waiting,
        held: None,
        watermark,
        readiness: readiness.clone(),
        give_up: CancellationToken::new(),
    };
    for (after, through, with_blocks) in given {
        let of_these = (1..).zip(&slices).filter(|(n, _)| with_blocks & (after < n) & (n <= through));
        let blocks = of_these.filter_map(|(n, slice)| block_of(n, slice)).collect();
        work.send(telemetry::Work { after: *after, through: *through, blocks }).await.unwrap();
    }
    drop(work);
    writer.run().await;
    let puts = telemetry.puts.load(Ordering::Relaxed);
    (telemetry.counts(None).await.unwrap(), telemetry.watermark().await.unwrap(), readiness, puts)
}

#[tokio::test(start_paused = true)]
async fn what_the_telemetry_was_not_given_it_reads_from_the_journal() {
    for (given, failures) in [
        (&[(0, 4, true), (4, 10, true)][..], 0),
        (&[(4, 10, true)], 0),
        (&[(10, 10, false)], 0),
        (&[(0, 2, true), (5, 7, true), (10, 10, false)], 0),
        (&[(0, 4, true), (4, 10, true)], 3),
        (&[(2, 10, true)], 5),
    ] {
        let (counts, watermark, readiness, _) = check(given, failures).await;
        assert_eq!((counts.readings, watermark), (10, 10), "{given:?}");
        assert!(readiness.is_ready(), "it works again");
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_put_together_as_far_as_it_follows_one_another() {
    for (given, wanted) in [
        (&[(0, 4, true), (4, 7, true), (7, 10, true)][..], 1),
        // Slice 5 was not given: what is before it, it, what is behind it.
        (&[(0, 2, true), (2, 4, true), (5, 7, true), (7, 10, true)], 3),
    ] {
        let (counts, watermark, _, puts) = check(given, 0).await;
        assert_eq!((counts.readings, watermark, puts), (10, 10, wanted), "{given:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_has_to_give_up_says_why_it_could_not() {
    let telemetry = Arc::new(Failing { failures: AtomicU32::new(u32::MAX), ..Failing::default() });
    let (work, waiting) = mpsc::channel(1);
    let readiness = Readiness::default();
    let give_up = CancellationToken::new();
    let writer = telemetry::TelemetryWriter {
        telemetry,
        journal: Arc::new(MemoryJournal::new()),
        work: waiting,
        held: None,
        watermark: watch::channel(0).0,
        readiness: readiness.clone(),
        give_up: give_up.clone(),
    };
    let blocks = block_of(1, &slice(1)).into_iter().collect();
    work.send(telemetry::Work { after: 0, through: 1, blocks }).await.unwrap();
    let running = tokio::spawn(writer.run());
    while readiness.is_ready() {
        tokio::task::yield_now().await;
    }
    assert_eq!(readiness.troubles(), [(Part::Telemetry, "the telemetry is away".to_owned())]);
    give_up.cancel();
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn of_many_versions_the_ledger_gets_the_newest() {
    let ledger = Arc::new(MemoryLedger::new());
    let machine = MachineId::new("tm-01").unwrap();
    let (work, waiting) = mpsc::channel(10);
    let (saved, seen) = watch::channel(0);
    let writer = ledger::LedgerWriter {
        ledger: ledger.clone(),
        work: waiting,
        saved,
        reports: ledger::Reports::default(),
        readiness: Readiness::default(),
        give_up: CancellationToken::new(),
    };
    for revision in 1..=3 {
        let session = Session {
            id: SessionId([1; 16]),
            machine: machine.clone(),
            started: UnixMicros(1),
            last_motion: UnixMicros(2),
            ended: false,
            segments: Vec::new(),
            revision,
        };
        let state = Bytes::from(vec![u8::try_from(revision).unwrap()]);
        let checkpoint = Checkpoint { machine: machine.clone(), sequence: revision * 10, revision, state };
        let derived =
            Derived { checkpoints: vec![checkpoint], sessions: vec![session], ..Derived::default() };
        work.send(ledger::Work { derived, saved: revision * 10 }).await.unwrap();
    }
    drop(work);
    writer.run().await;
    assert_eq!(*seen.borrow(), 30);
    let checkpoints = ledger.checkpoints(None, 10).await.unwrap();
    assert_eq!(checkpoints.iter().map(|checkpoint| checkpoint.sequence).collect::<Vec<_>>(), [30]);
    let session = ledger.session(&SessionId([1; 16])).await.unwrap().expect("it was written");
    assert_eq!(session.revision, 3);
}
