//! Values for these tests.

use std::path::Path;

use domain::belt::{Belt, Direction, Origin};
use domain::clock::{Clock, ClockQuality};
use domain::ids::{LogId, MachineId};
use domain::log::Lane;
use domain::record::{Event, EventKind, Payload, Reading, Record, SpeedSummary};
use domain::units::{MonotonicMicros, SECOND, Speed, UnixMicros};
use store::sqlite::SqliteTelemetry;
use store::telemetry::{Block, Compaction, Damage, RangeQuery, Telemetry};
use tempfile::TempDir;

/// A midnight.
pub(crate) const MIDNIGHT_S: i64 = 1_799_971_200;
/// Long after everything here.
pub(crate) const LATER: UnixMicros = UnixMicros((MIDNIGHT_S + 400 * 24 * 3_600) * 1_000_000);

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

pub(crate) fn open(folder: &Path) -> SqliteTelemetry {
    SqliteTelemetry::open(folder).expect("it opens")
}

pub(crate) fn machine(name: &str) -> MachineId {
    MachineId::new(name).expect("it is an id")
}

/// So many seconds after midnight.
pub(crate) fn second(seconds: i64) -> UnixMicros {
    UnixMicros((MIDNIGHT_S + seconds) * 1_000_000)
}

pub(crate) fn clock() -> Clock {
    Clock { quality: ClockQuality::Synchronised, offset_us: second(0).0, uncertainty_us: 1_500 }
}

fn reading(at: u64) -> Record {
    let mean = 1_000 + u32::try_from(at * 37 % 23).expect("it is small");
    let speed = SpeedSummary {
        mean: Speed(mean),
        min: Speed(mean - 9),
        max: Speed(mean + 7),
        rise: Some(4),
        fall: Some(11),
    };
    let reading = Reading {
        span_ms: 1_000,
        direction: Direction::Reverse,
        origin: Origin::Measured,
        speed: Some(speed),
        holds_for_ms: 3_000,
        ..Reading::default()
    };
    Record { at: MonotonicMicros(at * SECOND), other_n: at / 100, payload: Payload::Reading(reading) }
}

fn event(at: u64) -> Record {
    let at = MonotonicMicros(at * SECOND);
    let event = Event::new(EventKind::BeltStopped, at, Belt::default(), Belt::default());
    Record { at, other_n: 4, payload: Payload::Event(event) }
}

/// Records of boot 1 with numbers `from` to `to`, of which number n was made n seconds after midnight.
pub(crate) fn block(name: &str, lane: Lane, from: u64, to: u64) -> Block {
    let record = match lane {
        Lane::Readings => reading,
        Lane::Events => event,
    };
    Block {
        sequence: from,
        machine: machine(name),
        log: LogId([1; 16]),
        lane,
        boot_count: 1,
        clock: clock(),
        records: (from..=to).map(|n| (n, record(n))).collect(),
    }
}

pub(crate) fn readings(name: &str, from: u64, to: u64) -> Block {
    block(name, Lane::Readings, from, to)
}

/// All records of a machine, at most as many as fit a page.
pub(crate) fn all(name: &str) -> RangeQuery {
    let (from, until) = (UnixMicros(i64::MIN), UnixMicros(i64::MAX));
    RangeQuery { machine: machine(name), from, until, after: None, max: 10_001 }
}

/// Puts blocks one by one, so that each is a chunk of its own.
pub(crate) async fn put(telemetry: &SqliteTelemetry, blocks: impl IntoIterator<Item = Block>) {
    for block in blocks {
        telemetry.put(vec![block]).await.expect("putting works");
    }
}

/// Numbers of a machine's readings.
pub(crate) async fn numbers(telemetry: &SqliteTelemetry, name: &str) -> Vec<u64> {
    let listed = telemetry.readings(&all(name)).await.expect("readings can be listed");
    listed.into_iter().map(|stored| stored.position.n).collect()
}

pub(crate) async fn counted(telemetry: &SqliteTelemetry) -> (u64, u64) {
    let counts = telemetry.counts(None).await.expect("records are counted");
    (counts.readings, counts.events)
}

/// Compacts until there is nothing more to do; all steps together.
pub(crate) async fn compact(telemetry: &SqliteTelemetry) -> Compaction {
    let mut whole = Compaction::default();
    loop {
        let step = telemetry.compact(LATER).await.expect("compaction works");
        whole.records += step.records;
        whole.chunks_before += step.chunks_before;
        whole.bytes_before += step.bytes_before;
        whole.chunks += step.chunks;
        whole.bytes += step.bytes;
        if !step.more {
            return whole;
        }
    }
}

/// Everything that a whole check finds damaged, and how many chunks it looked at.
pub(crate) async fn check(telemetry: &SqliteTelemetry) -> (u64, Vec<Damage>) {
    let (mut chunks, mut damages, mut next) = (0, Vec::new(), None);
    loop {
        let step = telemetry.check(next).await.expect("checking works");
        chunks += step.chunks;
        damages.extend(step.damages);
        next = step.next;
        if next.is_none() {
            return (chunks, damages);
        }
    }
}

/// The names of the chunk files of a store, in order.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("history")).expect("the folder is there");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.expect("it can be listed").file_name().into_string().expect("names are UTF-8")
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}
