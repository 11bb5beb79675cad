//! Bad input: INVALID_ARGUMENT with the field, its value, and what is allowed.

use tonic::{Code, Status};
use tonic_types::StatusExt;
use wire::api::v1;

use super::{Bench, seconds};

pub(super) fn check(status: Status, field: &str, words: &[&str]) {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    assert_eq!(status.get_details_error_info().unwrap().reason, "INVALID_FIELD");
    let violations = status.get_details_bad_request().unwrap().field_violations;
    let violation = violations.iter().find(|violation| violation.field == field);
    let violation = violation.unwrap_or_else(|| panic!("no violation of {field} in {violations:?}"));
    for word in words {
        assert!(violation.description.contains(word), "{word} in {}", violation.description);
    }
}

#[tokio::test]
async fn fleet_requests() {
    let bench = Bench::furnished().await;
    let mut fleet = bench.fleet().await;
    let request = v1::ListSitesRequest { page_size: -1, ..Default::default() };
    check(fleet.list_sites(request).await.unwrap_err(), "page_size", &["-1", "0 to 1000"]);
    let request = v1::ListMachinesRequest { site_id: "N/1".to_owned(), ..Default::default() };
    check(fleet.list_machines(request).await.unwrap_err(), "site_id", &["N/1", "a-z"]);
    let request = v1::GetMachineRequest::default();
    check(fleet.get_machine(request).await.unwrap_err(), "machine_id", &["\"\"", "1 to 64"]);
    let request = v1::WatchFleetRequest { machine_ids: vec!["ä".to_owned(); 3], ..Default::default() };
    check(fleet.watch_fleet(request).await.unwrap_err(), "machine_ids", &["ä"]);
    let request = v1::WatchFleetRequest { machine_ids: vec!["X".to_owned(); 1_001], ..Default::default() };
    check(fleet.watch_fleet(request).await.unwrap_err(), "machine_ids", &["1001 entries", "at most 1000"]);
}

#[tokio::test]
async fn ranges() {
    let bench = Bench::furnished().await;
    let mut history = bench.history().await;
    let mut ask = async |start: Option<prost_types::Timestamp>, end: Option<prost_types::Timestamp>| {
        let range = Some(v1::TimeRange { start_time: start, end_time: end });
        let request = v1::ListReadingsRequest { machine_id: "n-1".to_owned(), range, ..Default::default() };
        history.list_readings(request).await.unwrap_err()
    };
    let day = 86_400;
    check(ask(Some(seconds(10)), Some(seconds(0))).await, "range.start_time", &["12:00:10Z", "before"]);
    check(ask(Some(seconds(0)), Some(seconds(0))).await, "range.start_time", &["before"]);
    check(ask(Some(seconds(1)), None).await, "range.start_time", &["12:00:01Z", "2026-11-20T12:00:00Z"]);
    let nearest = ["32 days", "at most 31", "ask from 2026-10-20T12:00:00Z until 2026-11-20T12:00:00Z"];
    check(ask(Some(seconds(-31 * day - 1)), None).await, "range", &nearest);
    let time = |seconds, nanos| Some(prost_types::Timestamp { seconds, nanos });
    check(ask(time(0, -1), None).await, "range.start_time", &["-1 ns"]);
    check(ask(None, time(i64::MAX, 0)).await, "range.end_time", &["years 1 to 9999"]);
}

#[tokio::test]
async fn all_that_is_wrong_is_named_at_once() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let status = admin
        .create_machine(v1::CreateMachineRequest {
            machine_id: "A".to_owned(),
            site_id: String::new(),
            display_name: "x".repeat(121),
            model: "a\u{7}b".to_owned(),
            belt: 17,
            drive: -1,
            request_id: "two words".to_owned(),
        })
        .await
        .unwrap_err();
    check(status.clone(), "machine_id", &["\"A\""]);
    check(status.clone(), "site_id", &["1 to 64"]);
    check(status.clone(), "display_name", &["121 characters", "at most 120"]);
    check(status.clone(), "model", &["control character"]);
    check(status.clone(), "belt", &["17"]);
    check(status.clone(), "drive", &["-1"]);
    check(status, "request_id", &["two words", "64"]);
}

#[tokio::test]
async fn other_requests() {
    let bench = Bench::furnished().await;
    let (mut admin, mut history) = (bench.admin().await, bench.history().await);
    let site = |id: &str, zone: &str| v1::CreateSiteRequest {
        site_id: id.to_owned(),
        time_zone: zone.to_owned(),
        ..Default::default()
    };
    check(
        admin.create_site(site("west", "Vienna")).await.unwrap_err(),
        "time_zone",
        &["IANA", "did you mean \"Europe/Vienna\""],
    );
    check(admin.create_site(site("west", "Etc/Unknown")).await.unwrap_err(), "time_zone", &["Etc/Unknown"]);
    let known = admin.create_site(site("west", "europe/vienna")).await.unwrap().into_inner().site.unwrap();
    assert_eq!(known.time_zone, "Europe/Vienna");
    let token = v1::CreateTokenRequest::default();
    check(admin.create_token(token).await.unwrap_err(), "display_name", &["empty"]);
    let both = v1::ListSessionsRequest {
        machine_id: "n-1".to_owned(),
        site_id: "north".to_owned(),
        ..Default::default()
    };
    check(history.list_sessions(both).await.unwrap_err(), "machine_id", &["only one"]);
    let none = v1::ListSessionsRequest::default();
    check(history.list_sessions(none).await.unwrap_err(), "machine_id", &["must be given"]);
    let session = v1::GetSessionRequest { session_id: "xyz".to_owned() };
    check(history.get_session(session).await.unwrap_err(), "session_id", &["xyz", "32"]);
    let far = v1::ListEventsRequest {
        machine_id: "n-1".to_owned(),
        range: Some(v1::TimeRange { start_time: Some(seconds(-400 * 86_400)), end_time: None }),
        ..Default::default()
    };
    check(history.list_events(far).await.unwrap_err(), "range", &["400 days", "at most 366"]);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused() {
    let bench = Bench::furnished().await;
    let request = v1::WatchFleetRequest { site_id: "x".repeat(300_000), ..Default::default() };
    let status = bench.fleet().await.watch_fleet(request).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
}
