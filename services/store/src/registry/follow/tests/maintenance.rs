//! When machines are due for service, and their being serviced.

use domain::limits::LIMIT_MODELS_MAX;

use super::*;
use crate::fact::{NewMaintained, NewMaintenance};
use crate::registry::{Maintained, MaintenancePlan, Scope, ScopedMaintenance};

fn hours(hours: u32) -> Option<MaintenancePlan> {
    Some(MaintenancePlan { hours: Some(hours), kilometres: None })
}

fn kilometres(kilometres: u32) -> Option<MaintenancePlan> {
    Some(MaintenancePlan { hours: None, kilometres: Some(kilometres) })
}

fn of_site(name: &str) -> Scope {
    Scope::Site(site_id(name))
}

fn of_model(model: &str) -> Scope {
    Scope::Model(model.to_owned())
}

fn of_machine(name: &str) -> Scope {
    Scope::Machine(machine_id(name))
}

fn plan(scope: Scope, plan: Option<MaintenancePlan>) -> FactKind {
    FactKind::MaintenanceSet(NewMaintenance { scope, plan })
}

fn maintained(name: &str, at: i64, note: &str) -> FactKind {
    let (machine, at, note) = (machine_id(name), UnixMicros(at), note.to_owned());
    FactKind::MachineMaintained(NewMaintained { machine, at, note })
}

#[test]
fn the_narrowest_plan_holds_as_a_whole() {
    let mut followed = Followed::new();
    let of = |followed: &Followed, name: &str| {
        let found = followed.0.maintenance_plan(&machine_id(name));
        found.map(|(scope, plan)| (scope.clone(), *plan))
    };
    let some = |scope: Scope, plan: Option<MaintenancePlan>| plan.map(|plan| (scope, plan));
    assert_eq!(of(&followed, "tm-1"), None);
    // Each step: what is set, and what then holds for tm-1.
    let (site, model, own) = (of_site("gym-1"), of_model("Maker 9"), of_machine("tm-1"));
    for (kind, expected) in [
        (plan(of_site("gym-2"), hours(9)), None),
        (plan(of_model("maker 9"), hours(9)), None),
        (plan(of_machine("tm-2"), hours(9)), None),
        (plan(site.clone(), hours(1)), some(site.clone(), hours(1))),
        (plan(own.clone(), kilometres(3)), some(own.clone(), kilometres(3))),
        (plan(model.clone(), hours(2)), some(own.clone(), kilometres(3))),
        (plan(own.clone(), kilometres(4)), some(own.clone(), kilometres(4))),
        (plan(own.clone(), None), some(model.clone(), hours(2))),
        (plan(own, None), some(model.clone(), hours(2))),
        (plan(model, None), some(site.clone(), hours(1))),
        (plan(site.clone(), kilometres(5)), some(site.clone(), kilometres(5))),
        (plan(site, None), None),
    ] {
        followed.all([kind.clone()]);
        assert_eq!(of(&followed, "tm-1"), expected, "after {kind:?}");
    }
    assert_eq!(of(&followed, "tm-0"), None);
    let left: Vec<&Scope> = followed.0.maintenance_plans().map(|set| &set.scope).collect();
    assert_eq!(left, [&of_site("gym-2"), &of_model("maker 9"), &of_machine("tm-2")]);
    assert_eq!(followed.0.own_maintenance_plan(&of_site("gym-2")), hours(9).as_ref());
    assert_eq!(followed.0.own_maintenance_plan(&of_site("gym-1")), None);
}

#[track_caller]
fn check_invalid(kind: FactKind, says: &[&str]) {
    let followed = Followed::new();
    let fact = Fact { time: UnixMicros(50), author: String::new(), request_id: None, kind };
    let error = followed.0.follow(99, &fact).expect_err("it is not allowed");
    assert_eq!(error.kind, StoreErrorKind::Invalid);
    for words in says {
        assert!(error.context.contains(words), "\"{}\" does not say \"{words}\"", error.context);
    }
}

#[test]
fn what_is_not_allowed_is_refused_with_what_is() {
    let nothing = Some(MaintenancePlan::default());
    check_invalid(plan(of_site("gym-1"), nothing), &["hours and kilometres", "one is needed"]);
    check_invalid(plan(of_site("gym-1"), hours(0)), &["hours is 0", "1 to 100000"]);
    check_invalid(plan(of_site("gym-1"), hours(100_001)), &["hours is 100001", "1 to 100000"]);
    check_invalid(plan(of_site("gym-1"), kilometres(0)), &["kilometres is 0", "1 to 1000000"]);
    check_invalid(plan(of_site("gym-1"), kilometres(1_000_001)), &["kilometres is 1000001"]);
    for set in [hours(1), None] {
        check_invalid(plan(of_site("gym-0"), set), &["gym-0"]);
        check_invalid(plan(of_machine("tm-0"), set), &["tm-0"]);
        check_invalid(plan(of_model(""), set), &["0 characters", "1 to 120"]);
        check_invalid(plan(of_model(&"ä".repeat(121)), set), &["121 characters", "1 to 120"]);
    }
    check_invalid(maintained("tm-0", 1, ""), &["tm-0"]);
    check_invalid(maintained("tm-1", 51, ""), &["at_us is 51", "nor after", "50"]);
    check_invalid(maintained("tm-1", -1, ""), &["at_us is -1", "before 1970"]);
    check_invalid(maintained("tm-1", 1, &"ä".repeat(201)), &["201 characters", "200"]);
    let most = Some(MaintenancePlan { hours: Some(100_000), kilometres: Some(1_000_000) });
    Followed::new().all([
        plan(of_site("gym-1"), most),
        plan(of_model(&"ä".repeat(120)), hours(1)),
        plan(of_machine("tm-1"), kilometres(1)),
        maintained("tm-1", 0, &"ä".repeat(200)),
    ]);
}

#[test]
fn too_many_models_with_plans_are_refused() {
    let mut followed = Followed::new();
    for number in 0..LIMIT_MODELS_MAX {
        let (scope, plan) = (of_model(&format!("model {number}")), hours(1).unwrap());
        followed.0.put_entry(Entry::Maintenance(ScopedMaintenance { scope, plan }));
    }
    followed.refuses(StoreErrorKind::Full, plan(of_model("one more"), hours(1)));
    followed.all([
        plan(of_model("one more"), None),
        plan(of_model("model 7"), hours(2)),
        plan(of_site("gym-1"), hours(1)),
        plan(of_machine("tm-1"), hours(1)),
        // What is taken away makes room.
        plan(of_model("model 7"), None),
        plan(of_model("one more"), hours(1)),
    ]);
}

#[test]
fn the_last_word_of_a_service_counts() {
    let mut followed = Followed::new();
    for (time, at, note) in [(10, 7, "belt waxed"), (20, 20, ""), (30, 8, "it was earlier")] {
        followed.at(time, maintained("tm-1", at, note));
        let (at, by, note) = (UnixMicros(at), "user:anna".to_owned(), note.to_owned());
        assert_eq!(followed.machine("tm-1").maintained, Some(Maintained { at, by, note }));
    }
    assert_eq!(followed.machine("tm-2").maintained, None);
    assert!(followed.machine("tm-1").history.is_empty(), "no rule uses it");
}
