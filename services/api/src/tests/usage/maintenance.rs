//! How soon machines are to be serviced.

use store::fact::{NewMaintained, NewMaintenance};
use store::registry::{MaintenancePlan, Scope};

use super::*;

async fn list(bench: &Bench, page_size: i32) -> v1::ListMaintenanceResponse {
    let request = v1::ListMaintenanceRequest { scope: None, page_size };
    bench.usage().await.list_maintenance(request).await.unwrap().into_inner()
}

async fn planned() -> Bench {
    let bench = Bench::gym().await;
    let plan = |scope: Scope, hours: Option<u32>, kilometres: Option<u32>| {
        let plan = Some(MaintenancePlan { hours, kilometres });
        FactKind::MaintenanceSet(NewMaintenance { scope, plan })
    };
    let (by_model, by_machine) = (Scope::Model("One".to_owned()), Scope::Machine(machine_id("n-1")));
    bench.fact(plan(by_model, Some(100), Some(1))).await;
    bench.fact(plan(by_machine, Some(1), None)).await;
    bench
}

#[tokio::test]
async fn the_most_overdue_come_first_and_those_without_a_plan_last() {
    let bench = planned().await;
    let answer = list(&bench, 0).await;
    let shown: Vec<(&str, Option<f64>, f64, f64)> =
        answer.machines.iter().map(|one| (&*one.machine_id, one.used, one.hours, one.kilometres)).collect();
    assert_eq!(
        shown,
        [
            ("n-2", Some(2.4), 20.0 / 60.0, 2.4),
            ("n-1", Some(0.75), 0.75, 2.25),
            ("s-1", Some(0.0), 0.0, 0.0),
            ("n-3", None, 10.0 / 60.0, 0.9),
        ]
    );
    let [n2, n1, _, n3] = &answer.machines[..] else { panic!("{answer:?}") };
    assert_eq!((n2.plan_hours, n2.plan_kilometres), (Some(100), Some(1)));
    assert_eq!((n1.plan_hours, n1.plan_kilometres, n1.has_plan), (Some(1), None, true));
    assert_eq!((n3.plan_hours, n3.plan_kilometres, n3.has_plan), (None, None, false));
    assert_eq!((n1.maintained_time, &*n1.site_id), (None, "north"));
    let since = at("2026-11-20T18:00:00Z").since(at("2026-01-01T00:00:00Z"));
    assert_eq!(n1.coverage, (105 * MINUTE_US) as f64 / since as f64);
    let first = list(&bench, 1).await;
    assert_eq!((first.machines.len(), first.machines_total), (1, 4));
    assert_eq!(first.as_of.unwrap().time.unwrap().seconds, at("2026-11-20T12:10:00Z").0 / 1_000_000);
}

#[tokio::test]
async fn work_counts_from_the_service_on_wherever_the_machine_stood() {
    let bench = planned().await;
    let (machine, note) = (machine_id("n-2"), "new belt".to_owned());
    let maintained = NewMaintained { machine, at: at("2026-11-20T12:10:00Z"), note };
    bench.fact_at(at("2026-11-20T17:00:00Z"), FactKind::MachineMaintained(maintained)).await;
    let (machine, site) = (machine_id("n-2"), Some(site_id("south")));
    let (display_name, model, belt, drive) = (None, None, None, None);
    let change = store::fact::MachineChange { machine, display_name, model, belt, drive, site };
    bench.from("2026-11-20T17:15:00Z", FactKind::MachineChanged(change)).await;
    let answer = list(&bench, 0).await;
    let n2 = answer.machines.iter().find(|one| one.machine_id == "n-2").unwrap();
    // From the first quarter of an hour that began after it.
    assert_eq!((n2.hours, n2.kilometres, n2.used), (5.0 / 60.0, 0.6, Some(0.6)));
    assert_eq!((&*n2.note, &*n2.maintained_by, &*n2.site_id), ("new belt", "test", "south"));
    assert_eq!(n2.maintained_time.unwrap().seconds, at("2026-11-20T12:10:00Z").0 / 1_000_000);
    assert_eq!(n2.coverage, 5.0 / 345.0);
}
