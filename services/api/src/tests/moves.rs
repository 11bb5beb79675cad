//! Machines that move from one site to another.

use store::ledger::Ledger;
use store::registry::Role;
use tonic::Code;
use wire::api::v1;

use super::bad_input::check;
use super::{Bench, NOON, machine_id, site_id, with_token};

fn to(site: &str) -> v1::UpdateMachineRequest {
    let machine = v1::Machine { id: "n-1".to_owned(), site_id: site.to_owned(), ..v1::Machine::default() };
    let update_mask = Some(prost_types::FieldMask { paths: vec!["site_id".to_owned()] });
    v1::UpdateMachineRequest { machine: Some(machine), update_mask }
}

#[tokio::test]
async fn a_machine_moves_and_leaves_its_place_and_its_past() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let place = Some(v1::Place { row: 1, column: 2 });
    let places = vec![v1::MachinePlace { machine_id: "n-1".to_owned(), place }];
    admin.arrange_machines(v1::ArrangeMachinesRequest { site_id: "north".to_owned(), places }).await.unwrap();
    bench.at(60);
    let moved = admin.update_machine(to("south")).await.unwrap().into_inner().machine.unwrap();
    assert_eq!((moved.site_id.as_str(), moved.place), ("south", None));
    let registry = bench.ledger.registry();
    let at = |second: i64| registry.site_at(&machine_id("n-1"), NOON.plus(second * 1_000_000)).cloned();
    assert_eq!((at(0), at(120)), (Some(site_id("north")), Some(site_id("south"))));
    check(admin.update_machine(to("South!")).await.unwrap_err(), "machine.site_id", &["South!", "a-z"]);
    assert_eq!(admin.update_machine(to("nowhere")).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn who_moves_a_machine_has_the_right_at_both_sites() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let facts = bench.ledger.registry().last_fact;
    for here in ["north", "south"] {
        let token = bench.token_of(Role::Technician, &[here]).await;
        let refused = admin.update_machine(with_token(&token, to("south"))).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound, "{here}: {refused:?}");
    }
    // Only the tokens were made.
    assert_eq!(bench.ledger.registry().last_fact, facts + 2);
    let token = bench.token_of(Role::Technician, &["north", "south"]).await;
    let moved = admin.update_machine(with_token(&token, to("south"))).await.unwrap().into_inner();
    assert_eq!(moved.machine.unwrap().site_id, "south");
    assert_eq!(bench.ledger.registry().machines()[&machine_id("n-1")].site, site_id("south"));
}
