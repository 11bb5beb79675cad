//! Usage as its callers meet it, from rows that were folded by hand.

mod bad;
mod clocks;
mod export;
mod hours;
mod maintenance;
mod moved;
mod pages;
mod straight;
mod totals;

use domain::log::Position;
use domain::signal::Capabilities;
use domain::usage::{OpenDay, PartId, Stretch, UsageFold, UsageRow};
use store::ledger::Derived;
use store::registry::MachineTraits;
use wire::api::v1;
use wire::api::v1::usage_service_client::UsageServiceClient;

use super::*;

const MINUTE_US: i64 = 60_000_000;
const ABLE: Capabilities = Capabilities::SPEED.and(Capabilities::DIRECTION).and(Capabilities::INCLINE);
const BLIND: Capabilities = Capabilities::SPEED;

/// A moment from its text.
fn at(text: &str) -> UnixMicros {
    UnixMicros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

/// What a belt did.
#[derive(Debug, Clone, Copy)]
enum Did {
    /// Ran this way at so many mm/s, and it was seen.
    Ran(Direction, u32),
    /// Ran at so many mm/s, by agents that cannot tell which way.
    RanUnseen(u32),
    /// Stood.
    Stood,
    /// Nobody knows.
    Unseen,
}

impl Did {
    fn reading(self, minutes: i64) -> (Reading, Capabilities) {
        let speed = |speed: u32| {
            let (mean, min, max) = (Speed(speed), Speed(speed), Speed(speed));
            Some(SpeedSummary { mean, min, max, ..SpeedSummary::default() })
        };
        let span_ms = u32::try_from(minutes * 60_000).unwrap();
        let reading = Reading { span_ms, ..Reading::default() };
        match self {
            Did::Ran(direction, mm_s) => {
                let origin = Origin::Measured;
                (Reading { direction, origin, speed: speed(mm_s), ..reading }, ABLE)
            }
            Did::RanUnseen(mm_s) => (Reading { speed: speed(mm_s), ..reading }, BLIND),
            Did::Stood => (Reading { direction: Direction::Stopped, speed: speed(0), ..reading }, ABLE),
            Did::Unseen => (reading, BLIND),
        }
    }
}

/// What a belt did in so many minutes, as rows; each call has parts of days of its own.
fn rows(machine: &str, belt: BeltKind, from: UnixMicros, minutes: i64, did: Did) -> Vec<UsageRow> {
    let until = from.plus(minutes * MINUTE_US);
    let (reading, able) = did.reading(minutes);
    let stretch = Stretch::of(until, &reading, able, belt);
    let mut fold = UsageFold::default();
    let part = PartId::of(LOG, Position::new(1, u64::try_from(from.0 / 1_000).unwrap()));
    let mut days = fold.add(&stretch, part);
    days.extend(fold.open);
    let row = |open: OpenDay| UsageRow {
        machine: machine_id(machine),
        day: open.day,
        part: open.part,
        revision: 1,
        through: open.through,
        quarters: open.quarters(),
    };
    days.into_iter().map(row).collect()
}

/// A request's dates.
fn dates(start: &str, end: &str) -> Option<v1::DateRange> {
    let (start_date, end_date) = (start.to_owned(), end.to_owned());
    Some(v1::DateRange { start_date, end_date, time_zone: String::new() })
}

fn of_machines(machines: &[&str]) -> Option<v1::UsageScope> {
    let machine_ids = machines.iter().map(|machine| (*machine).to_owned()).collect();
    Some(v1::UsageScope { machine_ids, ..Default::default() })
}

fn of_sites(sites: &[&str]) -> Option<v1::UsageScope> {
    let site_ids = sites.iter().map(|site| (*site).to_owned()).collect();
    Some(v1::UsageScope { site_ids, ..Default::default() })
}

/// Minutes of a length of time, which are whole.
fn minutes(length: Option<prost_types::Duration>) -> i64 {
    let length = length.unwrap();
    assert_eq!((length.seconds % 60, length.nanos), (0, 0), "{length:?}");
    length.seconds / 60
}

/// Minutes forward, in reverse, unknown, and at rest.
fn moved(usage: &v1::Usage) -> (i64, i64, i64, i64) {
    let of = |motion: &Option<v1::Motion>| minutes(motion.as_ref().unwrap().observed);
    (of(&usage.forward), of(&usage.reverse), of(&usage.unknown), minutes(usage.at_rest))
}

/// Minutes asked, observed, with speed, direction and grade; machines, heard, with direction.
fn covered(usage: &v1::Usage) -> ([i64; 5], [u32; 3]) {
    let coverage = usage.coverage.as_ref().unwrap();
    let times =
        [coverage.asked, coverage.observed, coverage.speed, coverage.direction, coverage.grade].map(minutes);
    (times, [coverage.machines, coverage.machines_heard, coverage.machines_with_direction])
}

impl Bench {
    async fn usage(&self) -> UsageServiceClient<ByOperator> {
        UsageServiceClient::with_interceptor(self.channel().await, self.as_operator())
    }

    fn now_is(&self, time: &str) {
        self.stage.now.store(at(time).0, Ordering::SeqCst);
    }

    async fn fact_at(&self, time: UnixMicros, kind: FactKind) {
        let fact = Fact { time, author: "test".to_owned(), request_id: None, kind };
        self.ledger.add_fact(fact).await.unwrap();
    }

    /// A fact that holds from then on.
    async fn from(&self, time: &str, kind: FactKind) {
        let before = -domain::incident::settings::EFFECTIVE_AFTER_US;
        self.fact_at(at(time).plus(before), kind).await;
    }

    /// A machine that was registered then.
    async fn machine_since(&self, id: &str, site: &str, model: &str, belt: BeltKind, time: &str) {
        let machine = Machine {
            id: machine_id(id),
            site: site_id(site),
            display_name: format!("Treadmill {id}"),
            model: model.to_owned(),
            belt,
            drive: DriveKind::Motor,
            key_generation: 1,
            created: at(time),
            place: None,
            revoked_generation: 0,
            revoked: None,
            acknowledged: None,
            history: store::registry::History::<MachineTraits>::default(),
            drills: Vec::new(),
            maintained: None,
        };
        self.fact_at(at(time), FactKind::MachineCreated(machine)).await;
    }

    /// A belt did this from then on.
    async fn did(&self, machine: &str, from: &str, minutes: i64, did: Did) {
        let belt = self.ledger.registry().machines()[&machine_id(machine)].belt;
        let usage = rows(machine, belt, at(from), minutes, did);
        self.ledger.put(Derived { usage, ..Derived::default() }).await.unwrap();
    }

    /// North in Vienna with a reversible machine `n-1`, a one-way machine `n-2`, and a reversible machine `n-3` that is
    /// blind; south in New York with `s-1`. All since 2026-01-01, and what they did at noon of 2026-11-20 in UTC.
    async fn gym() -> Bench {
        let bench = Bench::start().await;
        bench.site("north", "Europe/Vienna").await;
        bench.site("south", "America/New_York").await;
        let since = "2026-01-01T00:00:00Z";
        bench.machine_since("n-1", "north", "Two", BeltKind::Reversible, since).await;
        bench.machine_since("n-2", "north", "One", BeltKind::OneWay, since).await;
        bench.machine_since("n-3", "north", "Two", BeltKind::Reversible, since).await;
        bench.machine_since("s-1", "south", "One", BeltKind::Unknown, since).await;
        bench.now_is("2026-11-20T18:00:00Z");
        bench.did("n-1", "2026-11-20T12:00:00Z", 30, Did::Ran(Direction::Forward, 1_000)).await;
        bench.did("n-1", "2026-11-20T12:30:00Z", 15, Did::Ran(Direction::Reverse, 500)).await;
        bench.did("n-1", "2026-11-20T12:45:00Z", 60, Did::Stood).await;
        bench.did("n-2", "2026-11-20T12:00:00Z", 20, Did::RanUnseen(2_000)).await;
        bench.did("n-3", "2026-11-20T12:00:00Z", 10, Did::RanUnseen(1_500)).await;
        bench.did("s-1", "2026-11-20T12:00:00Z", 40, Did::Unseen).await;
        bench
    }
}
