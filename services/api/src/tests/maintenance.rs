//! After how much work machines are due for service, and that they were serviced.

use domain::units::UnixMicros;
use store::ledger::Ledger;
use store::registry::{MaintenancePlan, Role};
use tonic::Code;
use wire::api::v1;

use super::bad_input::check;
use super::{Bench, NOON, machine_id, seconds, with_token};

fn plan(machine: &str, hours: Option<u32>, kilometres: Option<u32>) -> v1::SetMaintenancePlanRequest {
    v1::SetMaintenancePlanRequest { machine_id: machine.to_owned(), hours, kilometres, ..Default::default() }
}

#[tokio::test]
async fn the_narrowest_plan_holds_until_it_is_taken_away() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let site = v1::SetMaintenancePlanRequest { site_id: "north".to_owned(), ..plan("", Some(500), None) };
    let own = admin.set_maintenance_plan(site).await.unwrap().into_inner();
    assert_eq!((own.hours, own.kilometres), (Some(500), None));
    let holds = || bench.ledger.registry().maintenance_plan(&machine_id("n-1")).map(|(_, plan)| *plan);
    assert_eq!(holds(), Some(MaintenancePlan { hours: Some(500), kilometres: None }));
    let own = admin.set_maintenance_plan(plan("n-1", None, Some(2_000))).await.unwrap().into_inner();
    assert_eq!((own.hours, own.kilometres), (None, Some(2_000)));
    assert_eq!(holds(), Some(MaintenancePlan { hours: None, kilometres: Some(2_000) }));
    let own = admin.set_maintenance_plan(plan("n-1", None, None)).await.unwrap().into_inner();
    assert_eq!((own.hours, own.kilometres), (None, None), "its own, not the one that holds");
    assert_eq!(holds(), Some(MaintenancePlan { hours: Some(500), kilometres: None }));
}

#[tokio::test]
async fn plans_that_cannot_be_are_refused() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    for (request, field, words) in [
        (plan("n-1", Some(0), None), "hours", &["hours is 0", "1 to 100000"][..]),
        (plan("n-1", Some(100_001), Some(1)), "hours", &["100001"]),
        (plan("n-1", Some(1), Some(1_000_001)), "kilometres", &["1000001", "1 to 1000000"]),
        (plan("", Some(1), None), "site_id", &["one of them is required"]),
    ] {
        check(admin.set_maintenance_plan(request).await.unwrap_err(), field, words);
    }
    let nowhere = admin.set_maintenance_plan(plan("n-9", Some(1), None)).await.unwrap_err();
    assert_eq!(nowhere.code(), Code::NotFound);
    assert_eq!(bench.ledger.registry().maintenance_plans().count(), 0);
}

#[tokio::test]
async fn a_model_s_plan_is_for_those_who_may_everywhere() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let machine = v1::CreateMachineRequest {
        machine_id: "n-3".to_owned(),
        site_id: "north".to_owned(),
        model: "Maker 9".to_owned(),
        ..Default::default()
    };
    admin.create_machine(machine).await.unwrap();
    let request =
        || v1::SetMaintenancePlanRequest { model: "Maker 9".to_owned(), ..plan("", Some(500), None) };
    let here = bench.token_of(Role::Manager, &["north"]).await;
    let refused = admin.set_maintenance_plan(with_token(&here, request())).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
    let everywhere = bench.token_of(Role::Manager, &[]).await;
    admin.set_maintenance_plan(with_token(&everywhere, request())).await.unwrap();
}

fn serviced(time: Option<i64>, note: &str, request_id: &str) -> v1::RecordMaintenanceRequest {
    v1::RecordMaintenanceRequest {
        machine_id: "n-1".to_owned(),
        time: time.map(seconds),
        note: note.to_owned(),
        request_id: request_id.to_owned(),
    }
}

/// When the machine was serviced as the registry has it, in seconds from noon, and what was done.
fn known(bench: &Bench) -> (i64, String) {
    let machine = bench.ledger.registry().machines()[&machine_id("n-1")].clone();
    let maintained = machine.maintained.clone().unwrap();
    (maintained.at.since(NOON) / 1_000_000, maintained.note)
}

#[tokio::test]
async fn a_machine_was_serviced_now_or_then_and_the_last_word_counts() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    bench.at(60);
    let answer = admin.record_maintenance(serviced(None, "belt waxed", "")).await.unwrap().into_inner();
    let machine = answer.machine.unwrap();
    assert_eq!((machine.id.as_str(), answer.time), ("n-1", Some(seconds(60))));
    assert_eq!((machine.maintain_time, machine.maintain_note.as_str()), (Some(seconds(60)), "belt waxed"));
    assert_eq!(known(&bench), (60, "belt waxed".to_owned()));
    let answer = admin.record_maintenance(serviced(Some(-3_600), "", "")).await.unwrap().into_inner();
    assert_eq!(answer.time, Some(seconds(-3_600)));
    assert_eq!(known(&bench), (-3_600, String::new()));
}

#[tokio::test]
async fn a_request_records_once_that_a_machine_was_serviced() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let first = admin.record_maintenance(serviced(None, "belt waxed", "one")).await.unwrap().into_inner();
    let facts = bench.ledger.registry().last_fact;
    bench.at(60);
    let again = admin.record_maintenance(serviced(None, "belt waxed", "one")).await.unwrap().into_inner();
    assert_eq!((again, bench.ledger.registry().last_fact), (first, facts));
    for other in [serviced(None, "belt changed", "one"), serviced(Some(1), "belt waxed", "one")] {
        check(admin.record_maintenance(other).await.unwrap_err(), "request_id", &["used before"]);
    }
}

#[tokio::test]
async fn what_cannot_have_been_is_refused() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let status = admin.record_maintenance(serviced(Some(1), "", "")).await.unwrap_err();
    check(status, "time", &["12:00:01Z", "until now, 2026-11-20T12:00:00Z"]);
    let before = UnixMicros(0).since(NOON) / 1_000_000 - 1;
    let status = admin.record_maintenance(serviced(Some(before), "", "")).await.unwrap_err();
    check(status, "time", &["1969-12-31T23:59:59Z", "from 1970 on"]);
    let status = admin.record_maintenance(serviced(None, &"x".repeat(201), "")).await.unwrap_err();
    check(status, "note", &["201 characters", "at most 200"]);
}
