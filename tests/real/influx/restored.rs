//! A folder that knows less than InfluxDB does.

use std::ops::RangeInclusive;

use anyhow::ensure;
use domain::belt::{Contacts, Direction, Origin};
use domain::clock::{Clock, ClockQuality};
use domain::ids::{LogId, MachineId};
use domain::log::Lane;
use domain::record::{Payload, Reading, Record, SpeedSummary};
use domain::units::{Incline, MonotonicMicros, Speed, UnixMicros};
use store::telemetry::{Block, RangeQuery, Telemetry};

use super::place::{Place, Places};

/// When the boots of this suite began.
const BEGIN_US: i64 = 1_790_000_000_000_000;

/// Readings of a boot, one a second.
pub(super) fn block(boot_count: u32, numbers: RangeInclusive<u64>) -> Block {
    Block {
        sequence: *numbers.start(),
        machine: MachineId::new("tm-1").expect("a machine's id"),
        log: LogId([1; 16]),
        lane: Lane::Readings,
        boot_count,
        clock: clock(boot_count, 0),
        records: numbers.map(|n| (n, reading(n))).collect(),
    }
}

/// The clock of a boot, `later_us` later than usual.
fn clock(boot_count: u32, later_us: i64) -> Clock {
    let offset_us = BEGIN_US + i64::from(boot_count) * 86_400_000_000 + later_us;
    Clock { quality: ClockQuality::Estimated, offset_us, uncertainty_us: 20_000 }
}

fn reading(n: u64) -> Record {
    let speed = Speed(800 + (n % 50) as u32);
    let reading = Reading {
        span_ms: 1_000,
        direction: Direction::Reverse,
        origin: Origin::Measured,
        speed: Some(SpeedSummary { mean: speed, min: speed, max: speed, rise: Some(3), fall: Some(2) }),
        incline: Some(Incline(15)),
        contacts: Contacts { open: 0, closed: 3 },
        holds_for_ms: 3_000,
        ..Reading::default()
    };
    Record { at: MonotonicMicros(n * 1_000_000), other_n: 0, payload: Payload::Reading(reading) }
}

fn later(block: Block) -> Block {
    Block { clock: clock(block.boot_count, 1_234_567), ..block }
}

fn undated(block: Block) -> Block {
    Block { clock: Clock::UNDATED, ..block }
}

async fn numbers(telemetry: &dyn Telemetry) -> anyhow::Result<Vec<(u32, u64)>> {
    let query = RangeQuery {
        machine: MachineId::new("tm-1")?,
        from: UnixMicros(i64::MIN),
        until: UnixMicros(i64::MAX),
        after: None,
        max: 1_000,
    };
    let stored = telemetry.readings(&query).await?;
    Ok(stored.iter().map(|stored| (stored.position.boot_count, stored.position.n)).collect())
}

pub(super) async fn run(places: &Places) -> anyhow::Result<()> {
    let place = Place::new(1_000);
    let telemetry = place.open(places).await?;
    telemetry.put(vec![block(1, 1..=10)]).await?;
    telemetry.set_watermark(1).await?;
    drop(telemetry);
    let backup = copy(&place)?;
    let telemetry = place.open_only(places)?;
    telemetry.put(vec![block(1, 11..=20), block(2, 1..=10), undated(block(3, 1..=5))]).await?;
    telemetry.set_watermark(3).await?;
    drop(telemetry);
    let expected: Vec<(u32, u64)> =
        (1..=20).map(|n| (1, n)).chain((1..=10).map(|n| (2, n))).chain((6..=8).map(|n| (3, n))).collect();

    // The backup, and a folder that lost its index: what comes again, under whatever clock, is there already.
    for place in [place.with_folder(backup), place.with_folder(tempfile::tempdir()?)] {
        let telemetry = place.open_only(places)?;
        telemetry.put(vec![later(block(1, 11..=20))]).await?;
        telemetry.put(vec![block(2, 1..=10), later(block(2, 5..=10)), block(3, 3..=8)]).await?;
        telemetry.put(vec![undated(block(3, 1..=4))]).await?;
        ensure!(numbers(&telemetry).await? == expected, "it lists {:?}", numbers(&telemetry).await?);
        let counts = telemetry.counts(None).await?;
        ensure!((counts.readings, counts.undated) == (38, 5), "it counts {counts:?}");
        drop(telemetry);
        // Opened again, it knows all.
        let telemetry = place.open_only(places)?;
        telemetry.put(vec![later(block(2, 1..=10)), later(block(3, 1..=8))]).await?;
        ensure!(
            numbers(&telemetry).await? == expected,
            "opened again, it lists {:?}",
            numbers(&telemetry).await?
        );
    }
    Ok(())
}

/// The files of a folder as they are, in another one.
fn copy(place: &Place) -> anyhow::Result<tempfile::TempDir> {
    let copy = tempfile::tempdir()?;
    for entry in std::fs::read_dir(place.folder.path())? {
        let entry = entry?;
        std::fs::copy(entry.path(), copy.path().join(entry.file_name()))?;
    }
    Ok(copy)
}
