//! Periods where clocks change, and of places with different clocks.

use store::fact::SiteChange;

use super::*;

async fn series(bench: &Bench, request: v1::ListUsageRequest) -> Vec<v1::UsagePeriod> {
    let answer = bench.usage().await.list_usage(request).await.unwrap().into_inner();
    assert_eq!(answer.series.len(), 1);
    answer.series.into_iter().next().unwrap().periods
}

fn by(
    resolution: v1::Resolution,
    scope: Option<v1::UsageScope>,
    range: Option<v1::DateRange>,
) -> v1::ListUsageRequest {
    v1::ListUsageRequest { resolution: resolution.into(), scope, range, ..Default::default() }
}

/// Date, hour, length in minutes and minutes of motion of the periods with any; partial ones have a mark.
fn texts(periods: &[v1::UsagePeriod]) -> Vec<String> {
    let with_motion = periods.iter().filter(|period| minutes_of(period) > 0);
    with_motion.map(text).collect()
}

fn minutes_of(period: &v1::UsagePeriod) -> i64 {
    let (forward, reverse, unknown, _) = moved(period.usage.as_ref().unwrap());
    forward + reverse + unknown
}

fn text(period: &v1::UsagePeriod) -> String {
    let hour = period.hour.map(|hour| format!(" {hour} o'clock")).unwrap_or_default();
    let cut = if period.is_partial { ".." } else { "" };
    format!("{}{hour} of {}: {}{cut}", period.date, minutes(period.length), minutes_of(period))
}

const FORWARD: Did = Did::Ran(Direction::Forward, 1_000);

#[tokio::test]
async fn the_day_on_which_clocks_are_put_back_has_an_hour_twice() {
    let bench = Bench::gym().await;
    // Half past two in Vienna, first in summer time, then in winter time.
    bench.did("n-1", "2026-10-25T00:30:00Z", 10, FORWARD).await;
    bench.did("n-1", "2026-10-25T01:30:00Z", 20, FORWARD).await;
    let range = || dates("2026-10-25", "2026-10-26");
    let hours = series(&bench, by(v1::Resolution::Hour, of_machines(&["n-1"]), range())).await;
    assert_eq!(hours.len(), 25);
    assert_eq!(texts(&hours), ["2026-10-25 2 o'clock of 60: 10", "2026-10-25 2 o'clock of 60: 20"]);
    assert_eq!(hours[3].start_time.unwrap().seconds, at("2026-10-25T01:00:00Z").0 / 1_000_000);
    let days = series(&bench, by(v1::Resolution::Day, of_machines(&["n-1"]), range())).await;
    assert_eq!(texts(&days), ["2026-10-25 of 1500: 30"]);
    assert_eq!(covered(days[0].usage.as_ref().unwrap()).0[0], 1_500);
}

#[tokio::test]
async fn the_day_on_which_clocks_are_put_on_lacks_an_hour() {
    let bench = Bench::gym().await;
    bench.did("n-1", "2026-03-29T00:45:00Z", 30, FORWARD).await;
    let range = || dates("2026-03-29", "2026-03-30");
    let hours = series(&bench, by(v1::Resolution::Hour, of_machines(&["n-1"]), range())).await;
    assert_eq!(hours.len(), 23);
    assert_eq!(texts(&hours), ["2026-03-29 1 o'clock of 60: 15", "2026-03-29 3 o'clock of 60: 15"]);
    let days = series(&bench, by(v1::Resolution::Day, of_machines(&["n-1"]), range())).await;
    assert_eq!(texts(&days), ["2026-03-29 of 1380: 30"]);
}

#[tokio::test]
async fn all_periods_of_the_span_are_there_and_the_present_cuts() {
    let bench = Bench::gym().await;
    let all = async |resolution, start, end| {
        let periods = series(&bench, by(resolution, of_machines(&["n-1"]), dates(start, end))).await;
        periods.iter().map(text).collect::<Vec<String>>()
    };
    use v1::Resolution::{Day, Month, Unspecified, Week};
    let days = ["2026-11-19 of 1440: 0", "2026-11-20 of 1440: 45..", "2026-11-21 of 1440: 0.."];
    assert_eq!(all(Day, "2026-11-19", "2026-11-22").await, days);
    assert_eq!(all(Unspecified, "2026-11-19", "").await, days[..2]);
    // The week of the 16th is cut by the span, too.
    let weeks = ["2026-11-09 of 5760: 0..", "2026-11-16 of 7200: 45.."];
    assert_eq!(all(Week, "2026-11-12", "").await, weeks);
    let months = ["2026-09-01 of 43200: 0", "2026-10-01 of 44700: 0", "2026-11-01 of 28800: 45.."];
    assert_eq!(all(Month, "2026-09-01", "").await, months);
}

#[tokio::test]
async fn weeks_begin_as_all_sites_have_it_or_on_monday() {
    let bench = Bench::gym().await;
    let opening = |site: &str, day: u8| {
        let (site, hours, first_weekday) = (site_id(site), None, Some(day));
        FactKind::OpeningSet(store::fact::NewOpening { site, hours, first_weekday })
    };
    bench.from("2026-01-02T00:00:00Z", opening("south", 6)).await;
    let firsts = async |scope| {
        let periods =
            series(&bench, by(v1::Resolution::Week, scope, dates("2026-11-02", "2026-11-16"))).await;
        periods.into_iter().map(|period| period.date).collect::<Vec<String>>()
    };
    assert_eq!(firsts(of_sites(&["south"])).await, ["2026-11-01", "2026-11-08", "2026-11-15"]);
    assert_eq!(firsts(of_sites(&["north"])).await, ["2026-11-02", "2026-11-09"]);
    assert_eq!(firsts(None).await, ["2026-11-02", "2026-11-09"]);
    bench.from("2026-01-02T00:00:00Z", opening("north", 6)).await;
    assert_eq!(firsts(None).await, ["2026-11-01", "2026-11-08", "2026-11-15"]);
}

#[tokio::test]
async fn sites_with_different_clocks_are_added_by_what_their_clocks_show() {
    let bench = Bench::gym().await;
    // Nine o'clock in Vienna, and nine o'clock in New York.
    bench.did("n-1", "2026-11-10T08:00:00Z", 10, FORWARD).await;
    bench.did("s-1", "2026-11-10T14:00:00Z", 20, FORWARD).await;
    // One o'clock of the next day in Vienna, seven in the evening in New York.
    bench.did("n-1", "2026-11-11T00:00:00Z", 5, FORWARD).await;
    bench.did("s-1", "2026-11-11T00:00:00Z", 7, FORWARD).await;
    let range = || dates("2026-11-10", "2026-11-12");
    let hours = series(&bench, by(v1::Resolution::Hour, None, range())).await;
    assert_eq!(hours.len(), 48);
    assert_eq!(
        texts(&hours),
        ["2026-11-10 9 o'clock of 60: 30", "2026-11-10 19 o'clock of 60: 7", "2026-11-11 1 o'clock of 60: 5",]
    );
    assert_eq!(hours[9].start_time.unwrap().seconds, at("2026-11-10T08:00:00Z").0 / 1_000_000);
    // Every hour was asked of four machines.
    assert!(hours.iter().all(|hour| covered(hour.usage.as_ref().unwrap()).0[0] == 240));
    let days = series(&bench, by(v1::Resolution::Day, None, range())).await;
    assert_eq!(texts(&days), ["2026-11-10 of 1440: 37", "2026-11-11 of 1440: 5"]);
    // In one zone for all.
    let in_utc = range().map(|range| v1::DateRange { time_zone: "UTC".to_owned(), ..range });
    let hours = series(&bench, by(v1::Resolution::Hour, None, in_utc)).await;
    assert_eq!(
        texts(&hours),
        [
            "2026-11-10 8 o'clock of 60: 10",
            "2026-11-10 14 o'clock of 60: 20",
            "2026-11-11 0 o'clock of 60: 12",
        ]
    );
}

#[tokio::test]
async fn today_is_the_sites_own() {
    let bench = Bench::gym().await;
    bench.site("east", "Pacific/Auckland").await;
    bench.machine_since("e-1", "east", "One", BeltKind::OneWay, "2026-01-01T00:00:00Z").await;
    let last = async |site: &str| {
        let days = series(&bench, by(v1::Resolution::Day, of_sites(&[site]), dates("2026-11-18", ""))).await;
        days.last().unwrap().date.clone()
    };
    bench.now_is("2026-11-20T18:00:00Z");
    assert_eq!((&*last("north").await, &*last("east").await), ("2026-11-20", "2026-11-21"));
    bench.now_is("2026-11-20T23:30:00Z");
    assert_eq!((&*last("north").await, &*last("south").await), ("2026-11-21", "2026-11-20"));
}

#[tokio::test]
async fn a_site_that_changed_its_zone_keeps_the_hours_that_it_had() {
    let bench = Bench::gym().await;
    let (site, display_name, zone) = (site_id("north"), None, Some("Asia/Kathmandu".to_owned()));
    let change = FactKind::SiteChanged(SiteChange { site, display_name, time_zone: zone });
    bench.from("2026-11-10T12:00:00Z", change).await;
    bench.did("n-1", "2026-11-10T09:00:00Z", 10, FORWARD).await;
    bench.did("n-1", "2026-11-10T12:30:00Z", 20, FORWARD).await;
    let range = || dates("2026-11-10", "2026-11-11");
    let hours = series(&bench, by(v1::Resolution::Hour, of_machines(&["n-1"]), range())).await;
    // One o'clock in Vienna became a quarter to six.
    assert_eq!(texts(&hours), ["2026-11-10 10 o'clock of 60: 10", "2026-11-10 18 o'clock of 60: 20"]);
    let days = series(&bench, by(v1::Resolution::Day, of_machines(&["n-1"]), range())).await;
    // From 23:00 until 18:15 UTC.
    assert_eq!(texts(&days), ["2026-11-10 of 1155: 30"]);
}
