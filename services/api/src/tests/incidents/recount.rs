//! Rebuilds of usage and sessions: which way belts ran is said anew, how much they ran is not.

use domain::belt::Direction;
use domain::machine::MachineFold;
use domain::usage::{Motion, OpenDay, PartId, Usage, UsageFold, UsageRow, code};
use store::ledger::{Checkpoint, Derived, Ledger, SessionQuery, UsageQuery};
use wire::api::v1;

use super::super::{Bench, NOON, machine_id, reading, seconds};
use super::rebuild::{Written, written};

const DAY_S: i64 = 86_400;
/// Yesterday, at noon.
const START_S: i64 = -DAY_S;

/// A minute in reverse, and a rest that ends the session.
fn walk(start_s: i64) -> Vec<Written> {
    let moves = (1..=60).map(|n| (start_s + n, reading(Direction::Reverse, 900)));
    let rests = (61..=300).map(|n| (start_s + n, reading(Direction::Stopped, 0)));
    written(moves.chain(rests))
}

impl Bench {
    async fn days(&self) -> Vec<UsageRow> {
        let machines = vec![machine_id("n-1")];
        let query = UsageQuery { machines, from_day: i32::MIN, until_day: i32::MAX, after: None, max: 100 };
        self.ledger.usage(&query).await.unwrap()
    }

    async fn total(&self) -> Usage {
        let mut sum = Usage::default();
        for row in self.days().await {
            sum.merge(&code::total(&row.quarters).unwrap());
        }
        sum
    }

    async fn directions(&self) -> Vec<Direction> {
        let machines = vec![machine_id("n-1")];
        let (from, until) = (NOON.plus(-9 * DAY_S * 1_000_000), NOON);
        let query = SessionQuery { machines, from, until, with: None, after: None, max: 10 };
        let sessions = self.ledger.sessions(&query).await.unwrap();
        sessions.iter().flat_map(|one| &one.segments).map(|segment| segment.direction).collect()
    }

    /// Same, changed, kept, under way, and sessions changed.
    #[track_caller]
    fn recounted(&self, expected: [u64; 5]) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let range = v1::TimeRange { start_time: Some(seconds(-3 * DAY_S)), end_time: Some(seconds(0)) };
            let request = v1::RebuildIncidentsRequest {
                site_id: "north".to_owned(),
                range: Some(range),
                ..Default::default()
            };
            let result = self.rebuild(request).await;
            let found = [
                result.usage_days_same,
                result.usage_days_changed,
                result.usage_days_kept,
                result.usage_days_under_way,
                result.sessions_changed,
            ];
            assert_eq!(found, expected, "at {place}: {result:?}");
        }
    }

    async fn commission(&self) {
        let request = v1::RecordCommissioningRequest {
            machine_id: "n-1".to_owned(),
            direction_proven: true,
            ..Default::default()
        };
        self.admin().await.record_commissioning(request).await.unwrap();
    }
}

fn moved(usage: &Usage, direction: Direction) -> u64 {
    usage.of_direction(direction).observed_us / 1_000_000
}

#[tokio::test]
async fn a_commissioning_gives_the_days_before_it_their_direction() {
    let bench = Bench::furnished().await;
    bench.ingested(&walk(START_S)).await;
    let before = bench.total().await;
    assert_eq!((moved(&before, Direction::Unknown), moved(&before, Direction::Reverse)), (60, 0));
    assert_eq!(bench.directions().await, [Direction::Unknown]);
    // Nobody has looked at the belt yet: there is nothing to say anew.
    bench.recounted([1, 0, 0, 0, 0]).await;

    bench.commission().await;
    let (change, rows) = (*bench.ledger.usage_change().borrow(), bench.days().await);
    bench.recounted([0, 1, 0, 0, 1]).await;
    let after = bench.total().await;
    assert_eq!((moved(&after, Direction::Unknown), moved(&after, Direction::Reverse)), (0, 60));
    let all = |usage: &Usage| Motion { guidance: None, ..usage.motion() };
    assert_eq!((all(&after), after.rest_us), (all(&before), before.rest_us));
    assert_eq!(after.coverage.observed_us(), before.coverage.observed_us());
    // What there was of an unknown direction is told as nothing, so that a mirror overwrites it.
    let kinds: Vec<(Direction, u64)> =
        after.kinds().map(|(key, one)| (key.direction, one.observed_us)).collect();
    assert_eq!(kinds, [(Direction::Reverse, 60_000_000), (Direction::Unknown, 0)]);
    assert_eq!(*bench.ledger.usage_change().borrow(), change + 1, "mirrors are told");
    let keys =
        |rows: &[UsageRow]| rows.iter().map(|row| (row.day, row.part, row.through)).collect::<Vec<_>>();
    assert_eq!(keys(&bench.days().await), keys(&rows));
    assert_eq!(bench.directions().await, [Direction::Reverse]);

    let (change, rows) = (*bench.ledger.usage_change().borrow(), bench.days().await);
    bench.recounted([1, 0, 0, 0, 0]).await;
    assert_eq!((*bench.ledger.usage_change().borrow(), bench.days().await), (change, rows));
}

#[tokio::test]
async fn a_session_that_only_the_newest_readings_end_says_its_direction_all_the_same() {
    let bench = Bench::furnished().await;
    let moves = (1..=60).map(|n| (START_S + n, reading(Direction::Reverse, 900)));
    let rests = (61..=100).map(|n| (START_S + n, reading(Direction::Stopped, 0)));
    // A day later: too new for a rebuild.
    let next = [(-100, reading(Direction::Stopped, 0))];
    bench.ingested(&written(moves.chain(rests).chain(next))).await;
    assert_eq!(bench.directions().await, [Direction::Unknown]);
    bench.commission().await;
    bench.recounted([0, 1, 1, 0, 1]).await;
    assert_eq!(bench.directions().await, [Direction::Reverse]);
    bench.recounted([1, 0, 1, 0, 0]).await;
}

#[tokio::test]
async fn a_day_whose_readings_are_gone_stays_as_it_is() {
    let check = async |left: fn(&(u64, domain::record::Record)) -> bool| {
        let bench = Bench::furnished().await;
        let told = walk(START_S);
        bench.folded(&told).await;
        bench.remembers(&told, left).await;
        let before = bench.days().await;
        bench.commission().await;
        bench.recounted([0, 0, 1, 0, 0]).await;
        assert_eq!(bench.days().await, before);
    };
    check(|_| false).await;
    check(|(n, _)| *n > 30).await;
}

#[tokio::test]
async fn a_day_that_is_still_counted_into_is_left_alone() {
    let bench = Bench::furnished().await;
    bench.ingested(&walk(-3_600)).await;
    bench.commission().await;
    let before = bench.days().await;
    bench.recounted([0, 0, 0, 1, 1]).await;
    assert_eq!(bench.days().await, before, "it is not over");

    // The day is over, but the ingest has not heard of another one.
    let bench = Bench::furnished().await;
    bench.ingested(&walk(START_S)).await;
    bench.commission().await;
    let before = bench.days().await;
    let open = |part| async move {
        let row = bench.days().await.remove(0);
        let open = OpenDay {
            day: row.day,
            part,
            through: row.through,
            closed: Vec::new(),
            quarter: (0, Usage::default()),
        };
        let usage = UsageFold { open: Some(open), ..UsageFold::default() };
        let fold = MachineFold { usage, ..MachineFold::default() };
        let state = wire::checkpoint::Checkpoint { fold, ..Default::default() }.encode();
        // Newer than what the bench may hold.
        let (machine, sequence, revision) = (machine_id("n-1"), 1, 1_000_000);
        let checkpoints = vec![Checkpoint { machine, sequence, revision, state }];
        bench.ledger.put(Derived { checkpoints, ..Derived::default() }).await.unwrap();
        bench
    };
    let part = before[0].part;
    let bench = open(part).await;
    bench.recounted([0, 0, 0, 1, 1]).await;
    assert_eq!(bench.days().await, before);
}

#[tokio::test]
async fn all_parts_of_a_day_are_counted_together() {
    let bench = Bench::furnished().await;
    bench.ingested(&walk(START_S)).await;
    let mut rows = bench.days().await;
    // As if half of its quarter had come behind records of another day.
    let row = rows.remove(0);
    let mut whole = code::total(&row.quarters).unwrap();
    let part = PartId(row.part.0.wrapping_add(1));
    let number = code::quarters(&row.quarters).next().unwrap().unwrap().0;
    let mut rest = Usage::default();
    (rest.rest_us, whole.rest_us) = (whole.rest_us, 0);
    let octets = |usage: &Usage| {
        let mut octets = Vec::new();
        code::put(&mut octets, number, usage);
        octets
    };
    let first = UsageRow { revision: row.revision + 1, quarters: octets(&whole), ..row.clone() };
    let second = UsageRow { part, revision: 7, quarters: octets(&rest), ..row };
    bench.ledger.put(Derived { usage: vec![first, second], ..Derived::default() }).await.unwrap();
    let before = bench.total().await;
    bench.commission().await;
    bench.recounted([0, 1, 0, 0, 1]).await;
    let after = bench.total().await;
    assert_eq!((moved(&after, Direction::Reverse), after.rest_us), (60, before.rest_us));
    let rows = bench.days().await;
    assert_eq!(rows.iter().filter(|row| row.quarters.is_empty()).count(), 1, "{rows:?}");
    bench.recounted([1, 0, 0, 0, 0]).await;
}

#[tokio::test]
async fn readings_and_events_say_what_was_measured_and_what_counts() {
    let bench = Bench::furnished().await;
    bench.ingested(&walk(START_S)).await;
    let first = async || {
        let range =
            v1::TimeRange { start_time: Some(seconds(START_S)), end_time: Some(seconds(START_S + 9)) };
        let request = v1::ListReadingsRequest {
            machine_id: "n-1".to_owned(),
            range: Some(range),
            ..Default::default()
        };
        let reading =
            bench.history().await.list_readings(request).await.unwrap().into_inner().readings.remove(0);
        (reading.direction(), reading.origin(), reading.measured_direction())
    };
    let unknown = (v1::Direction::Unknown, v1::DirectionOrigin::Unknown, v1::Direction::Reverse);
    assert_eq!(first().await, unknown);
    bench.commission().await;
    let known = (v1::Direction::Reverse, v1::DirectionOrigin::Measured, v1::Direction::Unspecified);
    assert_eq!(first().await, known);
}
