//! Requests that are refused, with the nearest that is allowed.

use super::super::bad_input::check;
use super::*;

async fn refused(bench: &Bench, range: Option<v1::DateRange>) -> tonic::Status {
    let request = v1::GetUsageRequest { range, ..Default::default() };
    bench.usage().await.get_usage(request).await.unwrap_err()
}

#[tokio::test]
async fn dates() {
    let bench = Bench::gym().await;
    let ask = async |start: &str, end: &str| refused(&bench, super::dates(start, end)).await;
    check(refused(&bench, None).await, "range", &["missing", "range.start_date is needed"]);
    check(ask("", "").await, "range.start_date", &["\"\"", "no date", "\"2026-11-01\" is allowed"]);
    check(ask("2026-02-30", "").await, "range.start_date", &["\"2026-02-30\"", "nearest is 2026-02-28"]);
    check(ask("2026-02-01", "tomorrow").await, "range.end_date", &["\"tomorrow\"", "no date"]);
    check(ask("1999-12-31", "").await, "range.start_date", &["1999-12-31", "2000-01-01 to 2099-12-31"]);
    check(ask("2099-12-31", "2100-01-02").await, "range.end_date", &["2000-01-01 to 2100-01-01"]);
    let reversed = ["is 2026-11-20; it must be before range.end_date, 2026-11-20", "ask from 2026-11-19"];
    check(ask("2026-11-20", "2026-11-20").await, "range.start_date", &reversed);
    let not_yet = ["is 2026-11-21; it must be before tomorrow, 2026-11-21", "ask from 2026-11-20"];
    check(ask("2026-11-21", "").await, "range.start_date", &not_yet);
    let long = ["is 3661 days long; at most 3660 are allowed: ask from 2016-11-13 until 2026-11-21"];
    check(ask("2016-11-12", "2026-11-21").await, "range", &long);
    check(ask("2016-11-12", "").await, "range", &long);
    let range = super::dates("2026-11-01", "");
    let range = range.map(|range| v1::DateRange { time_zone: "Europe/Berln".to_owned(), ..range });
    check(refused(&bench, range).await, "range.time_zone", &["\"Europe/Berln\"", "\"Europe/Berlin\"?"]);
}

#[tokio::test]
async fn scopes_and_choices() {
    let bench = Bench::gym().await;
    let mut client = bench.usage().await;
    let mut ask = async |change: &dyn Fn(&mut v1::GetUsageRequest)| {
        let range = super::dates("2026-11-01", "");
        let mut request =
            v1::GetUsageRequest { range, scope: Some(v1::UsageScope::default()), ..Default::default() };
        change(&mut request);
        client.get_usage(request).await.unwrap_err()
    };
    fn scope(one: &mut v1::GetUsageRequest) -> &mut v1::UsageScope {
        one.scope.as_mut().unwrap()
    }
    let name = |count: usize| vec!["north".to_owned(); count];
    let status = ask(&|one| scope(one).site_ids = name(101)).await;
    check(status, "scope.site_ids", &["101 entries", "at most 100"]);
    let status = ask(&|one| scope(one).machine_ids = name(1_001)).await;
    check(status, "scope.machine_ids", &["1001 entries", "at most 1000"]);
    let status = ask(&|one| scope(one).models = name(101)).await;
    check(status, "scope.models", &["101 entries", "at most 100"]);
    let status = ask(&|one| scope(one).site_ids = vec!["N/1".to_owned()]).await;
    check(status, "scope.site_ids", &["N/1", "a-z"]);
    check(ask(&|one| one.group_by = 9).await, "group_by", &["is 9; 0 to 3 are known"]);
    check(ask(&|one| one.order = -1).await, "order", &["is -1; 0 to 4 are known"]);
    check(ask(&|one| one.page_size = -1).await, "page_size", &["is -1", "0 to 1000"]);
}

#[tokio::test]
async fn resolutions_that_are_too_fine() {
    let bench = Bench::gym().await;
    let mut client = bench.usage().await;
    let mut ask = async |resolution: i32, by: v1::GroupBy, start: &str, end: &str| {
        let (range, group_by) = (super::dates(start, end), by.into());
        let request = v1::ListUsageRequest { range, group_by, resolution, ..Default::default() };
        client.list_usage(request).await.unwrap_err()
    };
    use v1::GroupBy::{Machine, Unspecified};
    use v1::Resolution::{Day, Hour};
    let status = ask(9, Unspecified, "2026-11-01", "").await;
    check(status, "resolution", &["is 9; 0 to 4 are known"]);
    let status = ask(Hour.into(), Unspecified, "2026-01-01", "2026-11-01").await;
    check(
        status,
        "range",
        &["is 304 days long; at most 208 are allowed: ask from 2026-04-07 until 2026-11-01"],
    );
    let status = ask(Hour.into(), Machine, "2026-04-07", "2026-11-01").await;
    let nearest = "by hour makes 4993 periods of 4 groups, 19972 together; at most 5000 are allowed: ask by day, or ask \
                   until 2026-05-29, or name at most 1 machines, models or sites";
    check(status, "resolution", &[nearest]);
    let status = ask(Day.into(), Machine, "2016-11-14", "").await;
    check(
        status,
        "resolution",
        &["by day makes 3659 periods of 4 groups", "ask by week, or ask until 2020-04-17"],
    );
    // What is proposed is allowed.
    let (range, group_by) = (super::dates("2026-04-07", "2026-05-29"), Machine.into());
    let request = v1::ListUsageRequest { range, group_by, resolution: Hour.into(), ..Default::default() };
    let answer = client.list_usage(request).await.unwrap().into_inner();
    assert_eq!(answer.series.iter().map(|series| series.periods.len()).sum::<usize>(), 4 * 52 * 24);
}

#[tokio::test]
async fn heat_maps_and_utilisation_of_too_many_days() {
    let bench = Bench::gym().await;
    let mut client = bench.usage().await;
    let range = super::dates("2025-10-01", "2026-11-21");
    let status = client.get_heat_map(v1::GetHeatMapRequest { scope: None, range }).await.unwrap_err();
    check(
        status,
        "range",
        &["is 416 days long; at most 400 are allowed: ask from 2025-10-17 until 2026-11-21"],
    );
    let range = super::dates("2026-08-01", "");
    let status = client.get_utilisation(v1::GetUtilisationRequest { scope: None, range }).await.unwrap_err();
    check(
        status,
        "range",
        &["is 112 days long; at most 92 are allowed: ask from 2026-08-21 until 2026-11-21"],
    );
}

#[tokio::test]
async fn more_days_of_machines_than_one_request_reads() {
    let bench = Bench::start().await;
    bench.site("north", "Europe/Vienna").await;
    for number in 0..28 {
        let since = "2010-01-01T00:00:00Z";
        bench.machine_since(&format!("n-{number}"), "north", "One", BeltKind::OneWay, since).await;
    }
    bench.now_is("2026-11-20T18:00:00Z");
    let mut client = bench.usage().await;
    let ask = |start: &str| v1::ListUsageRequest { range: super::dates(start, ""), ..Default::default() };
    let status = client.list_usage(ask("2016-11-14")).await.unwrap_err();
    check(status, "range", &["more than 100000 days of 28 machines", "3571 of each machine: ask for fewer"]);
    let answer = client.list_usage(ask("2017-02-11")).await.unwrap().into_inner();
    assert_eq!(answer.series[0].periods.len(), 3_570);
}
