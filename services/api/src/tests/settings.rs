//! What people set: thresholds, out of service, commissioning, staffed and opening hours.

use domain::ids::MachineId;
use domain::stop::StopContact;
use store::ledger::Ledger;
use store::registry::Role;
use tonic::Code;
use wire::api::v1;

use super::bad_input::check;
use super::{Bench, seconds, with_token};

fn value(name: &str, value: i64) -> v1::NamedValue {
    v1::NamedValue { name: name.to_owned(), value }
}

#[tokio::test]
async fn thresholds_that_cannot_be_are_refused() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let mut set = async |change: &dyn Fn(&mut v1::SetThresholdsRequest)| {
        let thresholds = vec![value("reverse-overspeed.limit", 1_000)];
        let mut request =
            v1::SetThresholdsRequest { site_id: "north".to_owned(), thresholds, ..Default::default() };
        change(&mut request);
        admin.set_thresholds(request).await.unwrap_err()
    };
    let status = set(&|one| one.thresholds = vec![value("reverse-overspeed.limit", 1_000_000)]).await;
    check(status, "thresholds", &["reverse-overspeed.limit is 1000000", " to ", "mm/s is allowed"]);
    let status = set(&|one| one.thresholds = vec![value("overspeed", 1)]).await;
    check(status, "thresholds", &["overspeed is no threshold", "rule list"]);
    let status = set(&|one| one.cleared = vec!["speed".to_owned()]).await;
    check(status, "cleared", &["speed is no threshold"]);
    let status = set(&|one| one.cleared = vec!["reverse-overspeed.limit".to_owned()]).await;
    check(status, "cleared", &["do one of both"]);
    check(set(&|one| one.thresholds.clear()).await, "thresholds", &["at least one"]);
    check(set(&|one| one.model = "Maker 9".to_owned()).await, "site_id", &["only one"]);
    check(set(&|one| one.site_id.clear()).await, "site_id", &["one of them is required"]);
    let status = set(&|one| (one.site_id, one.model) = (String::new(), "Maker 9".to_owned())).await;
    assert_eq!(status.code(), Code::NotFound, "{status:?}");
    assert!(status.message().contains("no model \"Maker 9\""), "{status:?}");
}

#[tokio::test]
async fn a_request_changes_thresholds_once() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let request = v1::SetThresholdsRequest {
        site_id: "north".to_owned(),
        thresholds: vec![value("reverse-overspeed.limit", 1_000)],
        request_id: "one".to_owned(),
        ..Default::default()
    };
    let first = admin.set_thresholds(request.clone()).await.unwrap().into_inner();
    let facts = bench.ledger.registry().last_fact;
    bench.at(60);
    assert_eq!(admin.set_thresholds(request.clone()).await.unwrap().into_inner(), first);
    assert_eq!((first.effective_time, bench.ledger.registry().last_fact), (Some(seconds(10)), facts));
    let other = v1::SetThresholdsRequest { site_id: "south".to_owned(), ..request };
    check(admin.set_thresholds(other).await.unwrap_err(), "request_id", &["used before"]);
}

#[tokio::test]
async fn thresholds_of_a_model_are_for_those_who_may_everywhere() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let machine = v1::CreateMachineRequest {
        machine_id: "n-3".to_owned(),
        site_id: "north".to_owned(),
        model: "Maker 9".to_owned(),
        ..Default::default()
    };
    admin.create_machine(machine).await.unwrap();
    let request = || v1::SetThresholdsRequest {
        model: "Maker 9".to_owned(),
        thresholds: vec![value("reverse-overspeed.limit", 900)],
        ..Default::default()
    };
    let here = bench.token_of(Role::Manager, &["north"]).await;
    let status = admin.set_thresholds(with_token(&here, request())).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied, "{status:?}");
    let everywhere = bench.token_of(Role::Manager, &[]).await;
    admin.set_thresholds(with_token(&everywhere, request())).await.unwrap();
    let id = MachineId::new("n-3").unwrap();
    let timeline = bench.ledger.registry().timeline(&id).unwrap();
    assert_eq!(timeline.newest().limits.iter().collect::<Vec<_>>(), [("reverse-overspeed.limit", 900)]);
}

#[tokio::test]
async fn a_machine_is_taken_out_of_service_and_back() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let request = |reason: &str| v1::SetOutOfServiceRequest {
        machine_id: "n-1".to_owned(),
        reason: reason.to_owned(),
        request_id: String::new(),
    };
    bench.at(5);
    let out = admin.set_out_of_service(request("belt torn")).await.unwrap().into_inner().machine.unwrap();
    assert_eq!(
        (out.out_of_service_reason.as_str(), out.out_of_service_time),
        ("belt torn", Some(seconds(5)))
    );
    let back = admin.set_out_of_service(request("")).await.unwrap().into_inner().machine.unwrap();
    assert_eq!((back.out_of_service_reason.as_str(), back.out_of_service_time), ("", None));
    let status = admin.set_out_of_service(request(&"x".repeat(201))).await.unwrap_err();
    check(status, "reason", &["201 characters", "at most 200"]);
    check(admin.set_out_of_service(request("  ")).await.unwrap_err(), "reason", &["only spaces"]);
}

#[tokio::test]
async fn a_commissioning_says_what_it_has_proven() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let stop = |contact: &str, speed_mps, ms: i64| v1::CommissionedStop {
        contact: contact.to_owned(),
        speed_mps,
        time: Some(crate::convert::duration(u64::try_from(ms * 1_000).unwrap())),
    };
    let request = |stops| v1::RecordCommissioningRequest {
        machine_id: "n-1".to_owned(),
        direction_proven: true,
        stops,
        ..Default::default()
    };
    let good = request(vec![stop("emergency_stop", 0.889, 2_500), stop("safety_key", 6.0, 100)]);
    let machine = admin.record_commissioning(good).await.unwrap().into_inner().machine.unwrap();
    assert_eq!((machine.direction_proven, machine.commission_time), (true, Some(seconds(0))));
    let timeline = bench.ledger.registry().timeline(&MachineId::new("n-1").unwrap()).unwrap();
    let stops = &timeline.newest().measured_stops;
    let first = stops[0];
    assert_eq!((first.contact, first.speed.0, first.time_ms), (StopContact::EmergencyStop, 889, 2_500));
    assert_eq!(stops.len(), 2);
    for (bad, field, words) in [
        (stop("hand_rail", 1.0, 1_000), "stops.contact", &["hand_rail", "\"safety_key\""][..]),
        (stop("safety_key", 0.19, 1_000), "stops.speed_mps", &["0.19", "0.2 to 6"]),
        (stop("safety_key", f64::NAN, 1_000), "stops.speed_mps", &["NaN"]),
        (stop("safety_key", 1.0, 99), "stops.time", &["99 ms", "100 to 60000"]),
    ] {
        check(admin.record_commissioning(request(vec![bad])).await.unwrap_err(), field, words);
    }
    let many = request(vec![stop("safety_key", 1.0, 1_000); 9]);
    check(admin.record_commissioning(many).await.unwrap_err(), "stops", &["9 entries", "at most 8"]);
}

#[tokio::test]
async fn staffed_hours_are_spans_of_a_week() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let span = |(day, start_minute, end_minute)| v1::StaffedSpan { day, start_minute, end_minute };
    let mut set = async |spans: &[(u32, u32, u32)]| {
        let spans = spans.iter().copied().map(span).collect();
        let request = v1::SetStaffedHoursRequest { site_id: "north".to_owned(), spans, ..Default::default() };
        admin.set_staffed_hours(request).await.map(|answer| answer.into_inner().site.unwrap().staffed_spans)
    };
    let given = [(7, 600, 1_440), (1, 720, 1_320), (1, 360, 720)];
    let told = [(1, 360, 720), (1, 720, 1_320), (7, 600, 1_440)].map(span);
    assert_eq!(set(&given).await.unwrap(), told);
    for (spans, field, words) in [
        (&[(0, 0, 1)][..], "spans.day", &["0", "1, Monday"][..]),
        (&[(8, 0, 1)], "spans.day", &["8", "7, Sunday"]),
        (&[(1, 60, 60)], "spans", &["day 1", "60 to 60"]),
        (&[(1, 60, 1_441)], "spans", &["1441", "1440 at the latest"]),
        (&[(2, 0, 61), (2, 60, 90)], "spans", &["day 2 overlap", "0 to 61 and 60 to 90"]),
    ] {
        check(set(spans).await.unwrap_err(), field, words);
    }
    assert_eq!(set(&[]).await.unwrap(), [], "nobody says any more");
}

#[tokio::test]
async fn opening_hours_and_the_first_day_are_set_each_alone_or_together() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let span = |(day, start_minute, end_minute)| v1::StaffedSpan { day, start_minute, end_minute };
    let hours = |spans: &[(u32, u32, u32)]| {
        Some(v1::OpeningHours { spans: spans.iter().copied().map(span).collect() })
    };
    let mut set = async |hours: Option<v1::OpeningHours>, first_weekday| {
        let request = v1::SetOpeningHoursRequest {
            site_id: "north".to_owned(),
            hours,
            first_weekday,
            ..Default::default()
        };
        admin.set_opening_hours(request).await.map(|answer| {
            let site = answer.into_inner().site.unwrap();
            (site.open_spans, site.first_weekday)
        })
    };
    let told = [(1, 360, 1_320), (7, 600, 1_440)].map(span).to_vec();
    assert_eq!(set(hours(&[(7, 600, 1_440), (1, 360, 1_320)]), None).await.unwrap(), (told.clone(), 1));
    assert_eq!(set(None, Some(7)).await.unwrap(), (told, 7));
    assert_eq!(set(hours(&[]), None).await.unwrap(), (vec![], 7), "nobody says any more");
    for (hours, first, field, words) in [
        (None, None, "hours", &["missing", "first_weekday"][..]),
        (None, Some(0), "first_weekday", &["0", "1, Monday"]),
        (None, Some(8), "first_weekday", &["8", "7, Sunday"]),
        (hours(&[(0, 0, 15)]), None, "hours.spans.day", &["0", "1, Monday"]),
        (hours(&[(1, 0, 1_455)]), None, "hours.spans", &["1455", "1440 at the latest"]),
        (hours(&[(1, 0, 20)]), None, "hours.spans", &["minute 20", "whole quarters"]),
        (hours(&[(2, 0, 75), (2, 60, 90)]), None, "hours.spans", &["day 2 overlap"]),
    ] {
        check(set(hours, first).await.unwrap_err(), field, words);
    }
}
