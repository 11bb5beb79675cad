use domain::belt::{Direction, Origin};
use domain::clock::{Clock, ClockQuality};
use domain::ids::{LogId, SiteId};
use domain::record::{Payload, Reading, Record};
use domain::registry::{BeltKind, DriveKind};
use domain::units::MonotonicMicros;
use domain::usage::{PartId, UsageRow};
use store::fact::{Fact, FactKind};
use store::ledger::Derived;
use store::memory::MemoryLedger;
use store::registry::{Machine, Site};
use store::sqlite::SqliteTelemetry;
use store::telemetry::Block;

use super::*;

const DAY_US: i64 = 24 * 3_600 * 1_000_000;

fn now() -> UnixMicros {
    UnixMicros(20_000 * DAY_US)
}

fn keeper(folder: &Path, ledger: MemoryLedger, free_mib_min: u64) -> Keeper {
    Keeper {
        telemetry: Arc::new(SqliteTelemetry::open(folder).unwrap()),
        ledger: Arc::new(ledger),
        folder: folder.to_owned(),
        retention: RetentionConfig { free_mib_min, ..RetentionConfig::default() },
        clock: now,
    }
}

/// A ledger with one machine, whose usage is counted until now.
async fn used() -> MemoryLedger {
    let (ledger, created) = (MemoryLedger::new(), UnixMicros(0));
    let site = SiteId::new("north").unwrap();
    let machine = Machine {
        id: MachineId::new("tm-1").unwrap(),
        site: site.clone(),
        display_name: String::new(),
        model: String::new(),
        belt: BeltKind::Reversible,
        drive: DriveKind::Motor,
        key_generation: 1,
        created,
        place: None,
        revoked_generation: 0,
        revoked: None,
        acknowledged: None,
        history: Default::default(),
        drills: Vec::new(),
        maintained: None,
    };
    let (id, display_name, time_zone) = (site, String::new(), "Etc/UTC".to_owned());
    let site = Site { id, display_name, time_zone, created, history: Default::default() };
    let usage = UsageRow {
        machine: machine.id.clone(),
        day: 19_999,
        part: PartId(1),
        revision: 1,
        through: now(),
        quarters: Vec::new(),
    };
    for kind in [FactKind::SiteCreated(site), FactKind::MachineCreated(machine)] {
        ledger
            .add_fact(Fact { time: created, author: "test".to_owned(), request_id: None, kind })
            .await
            .unwrap();
    }
    ledger.put(Derived { usage: vec![usage], ..Derived::default() }).await.unwrap();
    ledger
}

/// One reading a day, for so many days until yesterday.
async fn fill(telemetry: &dyn Telemetry, days: u64) {
    let reading = |n: u64| {
        let reading = Reading {
            span_ms: 1_000,
            direction: Direction::Stopped,
            origin: Origin::Measured,
            ..Reading::default()
        };
        let at = MonotonicMicros(n * DAY_US.unsigned_abs());
        (n, Record { at, other_n: 0, payload: Payload::Reading(reading) })
    };
    let began = now().0 - i64::try_from(days).unwrap() * DAY_US - DAY_US / 2;
    let block = Block {
        sequence: 1,
        machine: MachineId::new("tm-1").unwrap(),
        log: LogId([1; 16]),
        lane: Lane::Readings,
        boot_count: 1,
        clock: Clock { quality: ClockQuality::Synchronised, offset_us: began, uncertainty_us: 0 },
        records: (1..=days).map(reading).collect(),
    };
    telemetry.put(vec![block]).await.unwrap();
}

async fn readings(keeper: &Keeper) -> u64 {
    keeper.telemetry.counts(None).await.unwrap().readings
}

#[tokio::test]
async fn without_any_usage_nothing_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = keeper(folder.path(), MemoryLedger::new(), u64::MAX);
    fill(&*keeper.telemetry, 100).await;
    let seen = keeper.seen().await.unwrap();
    assert_eq!(seen.newest, None);
    assert!(seen.free_bytes.is_some_and(|free| free > 0));
    keeper.turn(true, &CancellationToken::new()).await.unwrap();
    assert_eq!(readings(&keeper).await, 100);
}

#[tokio::test]
async fn what_is_old_goes_and_the_rest_is_compacted() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = keeper(folder.path(), used().await, 0);
    fill(&*keeper.telemetry, 100).await;
    keeper.turn(false, &CancellationToken::new()).await.unwrap();
    assert_eq!(readings(&keeper).await, 100, "it is not time to look at ages");
    assert!(keeper.telemetry.stock().await.unwrap().readings.compacted > 90);
    keeper.turn(true, &CancellationToken::new()).await.unwrap();
    let left = readings(&keeper).await;
    assert!((90..=92).contains(&left), "{left}");
}

#[tokio::test]
async fn a_full_disk_costs_all_but_the_last_week_and_no_more_than_a_month_a_turn() {
    let folder = tempfile::tempdir().unwrap();
    // No disk has as much room.
    let keeper = keeper(folder.path(), used().await, u64::MAX);
    fill(&*keeper.telemetry, 100).await;
    keeper.turn(false, &CancellationToken::new()).await.unwrap();
    let left = readings(&keeper).await;
    // With one reading a day a step may take two.
    assert!((38..=69).contains(&left), "{left}");
    for _ in 0..3 {
        keeper.turn(false, &CancellationToken::new()).await.unwrap();
    }
    assert_eq!(readings(&keeper).await, 7);
}
