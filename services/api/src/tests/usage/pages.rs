//! Usage that takes many reads, and sums of days beside their quarters.

use store::fact::SiteChange;

use super::*;

#[tokio::test]
async fn more_days_than_one_read_gives_are_all_counted() {
    let bench = Bench::gym().await;
    let mut all = Vec::new();
    let begin = at("2026-01-02T12:00:00Z");
    for day in 0..300 {
        let from = begin.plus(day * DAY_US);
        all.extend(rows("n-1", BeltKind::Reversible, from, 30, Did::Ran(Direction::Reverse, 500)));
    }
    bench.ledger.put(Derived { usage: all, ..Derived::default() }).await.unwrap();
    let range = || dates("2026-01-01", "2026-11-01");
    let (scope, resolution) = (of_machines(&["n-1"]), v1::Resolution::Day.into());
    let request = v1::ListUsageRequest { scope, range: range(), resolution, ..Default::default() };
    let answer = bench.usage().await.list_usage(request).await.unwrap().into_inner();
    let reverse: Vec<i64> =
        answer.series[0].periods.iter().map(|one| moved(one.usage.as_ref().unwrap()).1).collect();
    assert_eq!(reverse.len(), 304);
    assert_eq!(reverse.iter().filter(|minutes| **minutes == 30).count(), 300);
    assert_eq!(reverse.iter().sum::<i64>(), 9_000);
    let request = v1::GetUsageRequest { scope: of_machines(&["n-1"]), range: range(), ..Default::default() };
    let answer = bench.usage().await.get_usage(request).await.unwrap().into_inner();
    assert_eq!(moved(&answer.total.unwrap()), (0, 9_000, 0, 0));
}

#[tokio::test]
async fn more_sums_than_one_read_gives_are_all_counted() {
    let bench = Bench::gym().await;
    let row = rows("n-1", BeltKind::Reversible, at("2026-11-05T12:00:00Z"), 1, Did::Stood).remove(0);
    let parts = (0..9_000).map(|part| UsageRow { part: PartId(part), ..row.clone() });
    bench.ledger.put(Derived { usage: parts.collect(), ..Derived::default() }).await.unwrap();
    let range = dates("2026-11-04", "2026-11-08");
    let request = v1::GetUsageRequest { scope: of_machines(&["n-1"]), range, ..Default::default() };
    let answer = bench.usage().await.get_usage(request).await.unwrap().into_inner();
    assert_eq!(moved(&answer.total.unwrap()).3, 9_000);
}

#[tokio::test]
async fn totals_are_the_sums_of_their_hours() {
    let bench = Bench::gym().await;
    let site = site_id("north");
    let zone = Some("Australia/Lord_Howe".to_owned());
    let change = SiteChange { site, display_name: None, time_zone: zone };
    bench.from("2026-10-10T00:00:00Z", FactKind::SiteChanged(change)).await;
    for (step, machine) in (0..240).zip(["n-1", "n-2", "n-3", "s-1", "n-1"].iter().cycle()) {
        let from = at("2026-09-30T00:07:00Z").plus(step * 171 * MINUTE_US);
        let belt = bench.ledger.registry().machines()[&machine_id(machine)].belt;
        let did = [Did::Ran(Direction::Reverse, 400), Did::RanUnseen(900), Did::Stood, Did::Unseen];
        let did = did[usize::try_from(step * 7 % 11 % 4).unwrap()];
        let usage = rows(machine, belt, from, 10 + step % 50, did);
        bench.ledger.put(Derived { usage, ..Derived::default() }).await.unwrap();
    }
    let range = || dates("2026-10-01", "2026-10-29");
    let mut client = bench.usage().await;
    for scope in [None, of_sites(&["north"]), of_machines(&["s-1"])] {
        let request = v1::GetUsageRequest { scope: scope.clone(), range: range(), ..Default::default() };
        let total = client.get_usage(request).await.unwrap().into_inner().total.unwrap();
        let sum = |usages: Vec<v1::Usage>| {
            let (mut times, mut did) = ([0; 5], [0; 4]);
            for usage in &usages {
                let (forward, reverse, unknown, rest) = moved(usage);
                [forward, reverse, unknown, rest].iter().zip(&mut did).for_each(|(one, sum)| *sum += one);
                covered(usage).0.iter().zip(&mut times).for_each(|(one, sum)| *sum += one);
            }
            (times, did)
        };
        let (forward, reverse, unknown, rest) = moved(&total);
        let expected = (covered(&total).0, [forward, reverse, unknown, rest]);
        for resolution in
            [v1::Resolution::Hour, v1::Resolution::Day, v1::Resolution::Week, v1::Resolution::Month]
        {
            let resolution = resolution.into();
            let request = v1::ListUsageRequest {
                scope: scope.clone(),
                range: range(),
                resolution,
                ..Default::default()
            };
            let answer = client.list_usage(request).await.unwrap().into_inner();
            assert_eq!(answer.resolution, resolution);
            let usages = answer.series[0].periods.iter().map(|period| period.usage.clone().unwrap());
            assert_eq!(sum(usages.collect()), expected, "{resolution}");
        }
        let request = v1::GetHeatMapRequest { scope, range: range() };
        let answer = client.get_heat_map(request).await.unwrap().into_inner();
        let of = |one: &dyn Fn(&v1::HeatCell) -> Option<prost_types::Duration>| {
            answer.cells.iter().map(|cell| minutes(one(cell))).sum::<i64>()
        };
        let found = [of(&|one| one.forward), of(&|one| one.reverse), of(&|one| one.unknown)];
        assert_eq!(found, [forward, reverse, unknown]);
        assert_eq!([of(&|one| one.asked), of(&|one| one.covered)], [expected.0[0], expected.0[2]]);
        assert!(expected.0[1] > 0);
    }
}
