//! Hours of the week, opening hours, staff, service, and machines in use at once.

use domain::ids::SessionId;
use domain::live::Session;
use store::fact::{NewOpening, NewStaffedHours, OpeningHours, ServiceChange};
use store::registry::StaffedDays;

use super::*;

async fn heat(
    bench: &Bench,
    scope: Option<v1::UsageScope>,
    start: &str,
    end: &str,
) -> v1::GetHeatMapResponse {
    let request = v1::GetHeatMapRequest { scope, range: dates(start, end) };
    bench.usage().await.get_heat_map(request).await.unwrap().into_inner()
}

fn cell(answer: &v1::GetHeatMapResponse, weekday: u32, hour: u32) -> [i64; 5] {
    let cell = answer.cells[usize::try_from(weekday * 24 + hour).unwrap()];
    assert_eq!((cell.weekday, cell.hour), (weekday, hour));
    [cell.forward, cell.reverse, cell.unknown, cell.covered, cell.asked].map(minutes)
}

#[tokio::test]
async fn a_heat_map_has_every_hour_of_the_week() {
    let bench = Bench::gym().await;
    let answer = heat(&bench, of_sites(&["north"]), "2026-11-20", "2026-11-21").await;
    assert_eq!(answer.cells.len(), 168);
    // Friday, one o'clock in the afternoon in Vienna.
    assert_eq!(cell(&answer, 4, 13), [50, 15, 10, 90, 180]);
    assert_eq!(cell(&answer, 4, 14), [0, 0, 0, 45, 180]);
    assert_eq!(cell(&answer, 4, 18), [0, 0, 0, 0, 180]);
    assert_eq!(cell(&answer, 4, 19), [0; 5], "it has not come yet");
    assert_eq!(cell(&answer, 3, 13), [0; 5]);
    assert_eq!(moved(&answer.total.unwrap()), (50, 15, 10, 60));
    // Clocks of New York show other hours, whatever zone the dates are meant in.
    let range = dates("2026-11-20", "2026-11-21");
    let range = range.map(|range| v1::DateRange { time_zone: "Asia/Kathmandu".to_owned(), ..range });
    let request = v1::GetHeatMapRequest { scope: of_sites(&["south"]), range };
    let answer = bench.usage().await.get_heat_map(request).await.unwrap().into_inner();
    assert_eq!(cell(&answer, 4, 7), [0, 0, 0, 0, 60]);
    assert_eq!(cell(&answer, 3, 13), [0, 0, 0, 0, 45], "the day began at 18:15 in UTC");
    assert_eq!(covered(&answer.total.unwrap()).0[1], 40);
}

#[tokio::test]
async fn an_hour_that_comes_twice_is_asked_twice() {
    let bench = Bench::gym().await;
    let answer = heat(&bench, of_machines(&["n-1"]), "2026-10-19", "2026-10-26").await;
    for (index, cell) in answer.cells.iter().enumerate() {
        let is_twice = (cell.weekday, cell.hour) == (6, 2);
        assert_eq!(minutes(cell.asked), if is_twice { 120 } else { 60 }, "{index}");
    }
}

fn every_day(from: u16, until: u16) -> StaffedDays {
    std::array::from_fn(|_| vec![(from * 60, until * 60)])
}

async fn session(bench: &Bench, id: u8, machine: &str, from: &str, until: &str) {
    let session = Session {
        id: SessionId([id; 16]),
        machine: machine_id(machine),
        started: at(from),
        last_motion: at(until),
        ended: true,
        segments: Vec::new(),
        revision: 1,
    };
    bench.ledger.put(Derived { sessions: vec![session], ..Derived::default() }).await.unwrap();
}

async fn utilisation(bench: &Bench, scope: Option<v1::UsageScope>) -> Vec<v1::SiteUtilisation> {
    let request = v1::GetUtilisationRequest { scope, range: dates("2026-11-20", "2026-11-21") };
    bench.usage().await.get_utilisation(request).await.unwrap().into_inner().sites
}

#[tokio::test]
async fn use_is_held_against_opening_hours_without_time_out_of_service() {
    let bench = Bench::gym().await;
    let hours = Some(OpeningHours { days: Some(every_day(8, 20)) });
    let opening = NewOpening { site: site_id("north"), hours, first_weekday: None };
    bench.from("2026-01-02T00:00:00Z", FactKind::OpeningSet(opening)).await;
    let staffed = NewStaffedHours { site: site_id("north"), hours: Some(every_day(10, 18)) };
    bench.from("2026-01-03T00:00:00Z", FactKind::StaffedHoursSet(staffed)).await;
    let out = ServiceChange { machine: machine_id("n-2"), out_of_service: Some("motor".to_owned()) };
    bench.from("2026-11-20T14:00:00Z", FactKind::ServiceChanged(out)).await;
    let reverse = Did::Ran(Direction::Reverse, 500);
    // Seven in the morning: closed. Half past six in the evening: open, without staff.
    bench.did("n-1", "2026-11-20T06:00:00Z", 15, reverse).await;
    bench.did("n-1", "2026-11-20T17:30:00Z", 15, reverse).await;
    for (id, machine, from, until) in [
        (1, "n-1", "2026-11-20T12:00:00Z", "2026-11-20T12:45:00Z"),
        (2, "n-2", "2026-11-20T12:10:00Z", "2026-11-20T12:20:00Z"),
        (3, "n-3", "2026-11-20T12:15:00Z", "2026-11-20T12:40:00Z"),
        (4, "n-2", "2026-11-20T12:20:00Z", "2026-11-20T12:30:00Z"),
        (5, "n-2", "2026-11-19T12:20:00Z", "2026-11-19T12:30:00Z"),
    ] {
        session(&bench, id, machine, from, until).await;
    }
    let sites = utilisation(&bench, None).await;
    let [north, south] = &sites[..] else { panic!("{sites:?}") };
    // Three machines from 8 until 19 o'clock, one of them out of service from 15 o'clock on.
    let lengths = [
        north.available,
        north.covered,
        north.in_motion,
        north.in_motion_closed,
        north.out_of_service,
        north.reverse_unstaffed,
    ];
    assert_eq!(lengths.map(minutes), [3 * 660 - 240, 150, 90, 15, 240, 30]);
    assert_eq!((&*north.site_id, north.has_opening_hours, north.machines), ("north", true, 3));
    let second = at("2026-11-20T12:15:00Z").0 / 1_000_000;
    assert_eq!((north.peak_machines, north.peak_time.unwrap().seconds), (3, second));
    // Nobody has said when south is open: at all times.
    assert_eq!((south.has_opening_hours, south.machines), (false, 1));
    assert_eq!([south.available, south.covered, south.in_motion_closed].map(minutes), [780, 0, 0]);
    assert_eq!((south.reverse_unstaffed, south.peak_machines, south.peak_time), (None, 0, None));
}

#[tokio::test]
async fn hours_that_changed_count_as_they_were() {
    let bench = Bench::gym().await;
    let opening = |from: u16, until: u16| {
        let hours = Some(OpeningHours { days: Some(every_day(from, until)) });
        FactKind::OpeningSet(NewOpening { site: site_id("north"), hours, first_weekday: None })
    };
    bench.from("2026-01-02T00:00:00Z", opening(8, 20)).await;
    // From noon in Vienna on it is open until 14 o'clock only.
    bench.from("2026-11-20T11:00:00Z", opening(10, 14)).await;
    let sites = utilisation(&bench, of_machines(&["n-1"])).await;
    let north = &sites[0];
    // From 8 until 14 o'clock; from there on the belt stood for 45 minutes.
    assert_eq!(
        [north.available, north.covered, north.in_motion, north.in_motion_closed].map(minutes),
        [360, 60, 45, 0]
    );
    assert_eq!(sites.len(), 1);
}

#[tokio::test]
async fn sites_without_machines_are_told() {
    let bench = Bench::gym().await;
    bench.site("west", "Europe/Vienna").await;
    let sites = utilisation(&bench, of_sites(&["west"])).await;
    assert_eq!((sites[0].machines, minutes(sites[0].available), sites[0].peak_machines), (0, 0, 0));
}
