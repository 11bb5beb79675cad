//! Bad input: the field, its value, and what is allowed.

use tonic::Code;
use wire::api::v1;

use super::super::bad_input::check;
use super::super::{Bench, seconds};

#[tokio::test]
async fn filters() {
    let bench = Bench::furnished().await;
    let mut service = bench.incidents().await;
    let all = v1::IncidentFilter::default;
    let mut ask = async |filter: v1::IncidentFilter| {
        let count = v1::CountIncidentsRequest { filter: Some(filter.clone()) };
        let watch = v1::WatchIncidentsRequest { filter: Some(filter.clone()), cursor: String::new() };
        let list = v1::ListIncidentsRequest { filter: Some(filter), ..Default::default() };
        let status = service.list_incidents(list).await.unwrap_err();
        assert_eq!(service.count_incidents(count).await.unwrap_err().message(), status.message());
        assert!(service.watch_incidents(watch).await.unwrap_err().message().contains(status.message()));
        status
    };
    let site_id = "N/1".to_owned();
    check(ask(v1::IncidentFilter { site_id, ..all() }).await, "filter.site_id", &["N/1", "a-z"]);
    let machine_ids = vec!["ä".to_owned()];
    check(ask(v1::IncidentFilter { machine_ids, ..all() }).await, "filter.machine_ids", &["ä"]);
    let machine_ids = vec!["n-1".to_owned(); 1_001];
    let words = ["1001 entries", "at most 1000"];
    check(ask(v1::IncidentFilter { machine_ids, ..all() }).await, "filter.machine_ids", &words);
    let rules = vec!["emergency-stop".to_owned(), "R01".to_owned()];
    check(
        ask(v1::IncidentFilter { rules, ..all() }).await,
        "filter.rules",
        &["\"R01\"", "no rule", "ListRules"],
    );
    check(
        ask(v1::IncidentFilter { severities: vec![0], ..all() }).await,
        "filter.severities",
        &["0", "1 to 5"],
    );
    check(
        ask(v1::IncidentFilter { severities: vec![6], ..all() }).await,
        "filter.severities",
        &["6", "1 to 5"],
    );
    check(
        ask(v1::IncidentFilter { directions: vec![9], ..all() }).await,
        "filter.directions",
        &["9", "1 to 4"],
    );
    check(ask(v1::IncidentFilter { state: 3, ..all() }).await, "filter.state", &["3", "0 to 2"]);
    let model = "x".repeat(121);
    check(
        ask(v1::IncidentFilter { model, ..all() }).await,
        "filter.model",
        &["121 characters", "at most 120"],
    );
    for (site, machine, model) in [("east", "", ""), ("", "n-9", ""), ("", "", "Maker 9")] {
        let machine_ids = if machine.is_empty() { Vec::new() } else { vec![machine.to_owned()] };
        let filter =
            v1::IncidentFilter { site_id: site.to_owned(), machine_ids, model: model.to_owned(), ..all() };
        let status = ask(filter).await;
        assert_eq!(status.code(), Code::NotFound, "{status:?}");
        assert!(status.message().contains(&format!("\"{site}{machine}{model}\"")), "{status:?}");
    }
}

#[tokio::test]
async fn ranges_orders_ids_and_cursors() {
    let bench = Bench::furnished().await;
    let mut service = bench.incidents().await;
    let range = |from: i64, until: i64| {
        let range = v1::TimeRange { start_time: Some(seconds(from)), end_time: Some(seconds(until)) };
        Some(v1::IncidentFilter { range: Some(range), ..Default::default() })
    };
    let list = |filter| v1::ListIncidentsRequest { filter, ..Default::default() };
    let status = service.list_incidents(list(range(10, 10))).await.unwrap_err();
    check(status, "range.start_time", &["12:00:10Z", "before"]);
    let status = service.list_incidents(list(range(-3_661 * 86_400, 0))).await.unwrap_err();
    check(status, "range", &["3661 days", "at most 3660"]);
    let order = v1::ListIncidentsRequest { order: 4, page_size: -1, ..Default::default() };
    let status = service.list_incidents(order).await.unwrap_err();
    check(status.clone(), "order", &["4", "0 to 3"]);
    check(status, "page_size", &["-1", "0 to 1000"]);
    for (id, words) in [("", "\"\""), ("xyz", "\"xyz\"")] {
        let status = service.get_incident(v1::GetIncidentRequest { incident_id: id.to_owned() }).await;
        check(status.unwrap_err(), "incident_id", &[words, "32 of 0-9 and a-f"]);
    }
    let unknown = v1::GetIncidentRequest { incident_id: "0f".repeat(16) };
    let status = service.get_incident(unknown).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().contains(&format!("no incident \"{}\"", "0f".repeat(16))), "{status:?}");

    let watch = v1::WatchIncidentsRequest { filter: range(0, 1), cursor: String::new() };
    check(service.watch_incidents(watch).await.unwrap_err(), "filter.range", &["cursor"]);
    let watch = |cursor: String| v1::WatchIncidentsRequest { filter: None, cursor };
    let status = service.watch_incidents(watch("7".to_owned())).await.unwrap_err();
    check(status, "cursor", &["not one that this server gave", "begin anew"]);
    // A server with the same key that has got further.
    let other = Bench::furnished().await;
    other.found(vec![super::incident(1, "n-1", 0)]).await;
    let mut stream =
        other.incidents().await.watch_incidents(watch(String::new())).await.unwrap().into_inner();
    let cursor = stream.message().await.unwrap().unwrap().cursor;
    check(service.watch_incidents(watch(cursor)).await.unwrap_err(), "cursor", &["ahead", "begin anew"]);
}

#[tokio::test]
async fn rules_rates_and_rehearsals() {
    let bench = Bench::furnished().await;
    let mut service = bench.incidents().await;
    let two = v1::ListRulesRequest {
        site_id: "north".to_owned(),
        machine_id: "n-1".to_owned(),
        ..Default::default()
    };
    check(service.list_rules(two).await.unwrap_err(), "site_id", &["only one"]);
    let rates = v1::GetIncidentRatesRequest::default();
    check(service.get_incident_rates(rates).await.unwrap_err(), "filter.range", &["no start", "31 days"]);
    let range = Some(v1::TimeRange { start_time: Some(seconds(-32 * 86_400)), end_time: None });
    let rates =
        v1::GetIncidentRatesRequest { filter: Some(v1::IncidentFilter { range, ..Default::default() }) };
    check(service.get_incident_rates(rates).await.unwrap_err(), "range", &["32 days", "at most 31"]);

    let mut rehearse = async |change: &dyn Fn(&mut v1::RehearseThresholdsRequest)| {
        let mut request = v1::RehearseThresholdsRequest { site_id: "north".to_owned(), ..Default::default() };
        change(&mut request);
        service.rehearse_thresholds(request).await.unwrap_err()
    };
    let set = |name: &str, value| vec![v1::NamedValue { name: name.to_owned(), value }];
    let status = rehearse(&|request| request.thresholds = set("reverse-overspeed.limit", -1)).await;
    check(status, "thresholds", &["reverse-overspeed.limit is -1", "is allowed", "mm/s"]);
    let status = rehearse(&|request| request.thresholds = set("speed", 1)).await;
    check(status, "thresholds", &["speed is no threshold"]);
    let status = rehearse(&|request| request.site_id.clear()).await;
    check(status, "site_id", &["is empty", "one of them is required"]);
    let long = v1::TimeRange { start_time: Some(seconds(-29 * 86_400)), end_time: None };
    let status = rehearse(&|request| request.range = Some(long)).await;
    check(status, "range", &["29 days", "at most 28"]);
    let status = rehearse(&|request| request.site_id = "east".to_owned()).await;
    assert_eq!(status.code(), Code::NotFound, "{status:?}");
}
