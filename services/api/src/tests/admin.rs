//! The registry: facts, retries, credentials, tokens.

use store::fact::FactKind;
use store::ledger::Ledger;
use tonic::Code;
use wire::api::v1;
use wire::credential::Credential;
use wire::keys::MasterKey;

use super::{Bench, NOON, machine_id, site_id, with_token};
use crate::surroundings::Refusal;

fn machine(id: &str, request_id: &str) -> v1::CreateMachineRequest {
    v1::CreateMachineRequest {
        machine_id: id.to_owned(),
        site_id: "north".to_owned(),
        belt: v1::BeltKind::Reversible.into(),
        request_id: request_id.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_machine_gets_a_fact_and_a_credential_and_a_retry_gets_the_same() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let mut request = tonic::Request::new(machine("n-3", "r1"));
    request.metadata_mut().insert("x-beltwatch-user", "anna".parse().unwrap());
    let first = admin.create_machine(request).await.unwrap().into_inner();
    let credential = Credential::from_json(&first.credential).unwrap();
    assert_eq!((credential.generation, credential.broker.as_str()), (1, "127.0.0.1:1883"));
    assert_eq!(credential.key, MasterKey::new([5; 32]).machine_key(&machine_id("n-3"), 1));
    let facts = bench.ledger.facts(0, 1_000).await.unwrap();
    let (_, fact) = facts.last().unwrap();
    assert_eq!((fact.author.as_str(), fact.time), ("operator:anna", NOON));
    assert!(matches!(&fact.kind, FactKind::MachineCreated(one) if one.id == machine_id("n-3")));

    bench.at(60);
    let again = |message| {
        let mut request = tonic::Request::new(message);
        request.metadata_mut().insert("x-beltwatch-user", "anna".parse().unwrap());
        request
    };
    let second = admin.create_machine(again(machine("n-3", "r1"))).await.unwrap().into_inner();
    assert_eq!(first, second);
    assert_eq!(bench.ledger.facts(0, 1_000).await.unwrap().len(), facts.len());
    let other = admin.create_machine(again(machine("n-4", "r1"))).await.unwrap_err();
    assert_eq!(other.code(), Code::InvalidArgument);
    assert!(other.message().contains("request_id"), "{}", other.message());
    for request_id in ["", "r2"] {
        let taken = admin.create_machine(machine("n-3", request_id)).await.unwrap_err();
        assert_eq!(taken.code(), Code::AlreadyExists);
    }
    let mut nowhere = machine("n-5", "");
    nowhere.site_id = "east".to_owned();
    assert_eq!(admin.create_machine(nowhere).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn repeating_a_site_changes_nothing_and_another_one_is_refused() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let request = v1::CreateSiteRequest { site_id: "west".to_owned(), ..Default::default() };
    let first = admin.create_site(request.clone()).await.unwrap().into_inner().site.unwrap();
    assert_eq!((first.display_name.as_str(), first.time_zone.as_str()), ("west", "UTC"));
    bench.at(60);
    assert_eq!(admin.create_site(request.clone()).await.unwrap().into_inner().site.unwrap(), first);
    let other = v1::CreateSiteRequest { display_name: "West".to_owned(), ..request };
    assert_eq!(admin.create_site(other).await.unwrap_err().code(), Code::AlreadyExists);
}

#[tokio::test]
async fn what_was_set_since_does_not_make_a_repeated_request_another_one() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let site = |request_id: &str| v1::CreateSiteRequest {
        site_id: "west".to_owned(),
        request_id: request_id.to_owned(),
        ..Default::default()
    };
    let first_site = admin.create_site(site("s1")).await.unwrap().into_inner();
    let first_machine = admin.create_machine(machine("n-3", "m1")).await.unwrap().into_inner();
    let hours = v1::SetStaffedHoursRequest {
        site_id: "west".to_owned(),
        spans: vec![v1::StaffedSpan { day: 1, start_minute: 60, end_minute: 120 }],
        ..Default::default()
    };
    admin.set_staffed_hours(hours).await.unwrap();
    let out = v1::SetOutOfServiceRequest {
        machine_id: "n-3".to_owned(),
        reason: "belt torn".to_owned(),
        ..Default::default()
    };
    admin.set_out_of_service(out).await.unwrap();
    let registry = bench.ledger.registry();
    assert!(!registry.sites()[&site_id("west")].history.is_empty());
    assert!(!registry.machines()[&machine_id("n-3")].history.is_empty());
    bench.at(60);
    assert_eq!(admin.create_machine(machine("n-3", "m1")).await.unwrap().into_inner(), first_machine);
    let mut other = machine("n-3", "m1");
    other.belt = v1::BeltKind::OneWay.into();
    let status = admin.create_machine(other).await.unwrap_err();
    assert!(status.message().contains("request_id"), "{status:?}");
    assert_eq!(admin.create_site(site("s1")).await.unwrap().into_inner(), first_site);
    let again = admin.create_site(site("")).await.unwrap().into_inner().site.unwrap();
    assert_eq!((again.id.as_str(), again.create_time), ("west", first_site.site.unwrap().create_time));
    let other = v1::CreateSiteRequest { time_zone: "Europe/Vienna".to_owned(), ..site("") };
    assert_eq!(admin.create_site(other).await.unwrap_err().code(), Code::AlreadyExists);
}

#[tokio::test]
async fn a_new_token_reads_its_sites_and_changes_nothing() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let request = |site: &str| v1::CreateTokenRequest {
        display_name: "Grafana".to_owned(),
        grants: vec![v1::Grant { role: v1::Role::Viewer.into(), site_ids: vec![site.to_owned()] }],
        expire_time: None,
    };
    assert_eq!(admin.create_token(request("east")).await.unwrap_err().code(), Code::NotFound);
    let token = admin.create_token(request("south")).await.unwrap().into_inner().secret;
    let facts = bench.ledger.facts(0, 1_000).await.unwrap();
    assert!(!format!("{facts:?}").contains(&token), "only the hash is kept");
    let sites = with_token(&token, v1::ListSitesRequest::default());
    assert_eq!(bench.fleet().await.list_sites(sites).await.unwrap().into_inner().sites.len(), 1);
    for denied in [
        admin.create_token(with_token(&token, request("south"))).await.err(),
        admin.create_machine(with_token(&token, machine("n-8", ""))).await.err(),
        admin.create_site(with_token(&token, v1::CreateSiteRequest::default())).await.err(),
        admin.list_refusals(with_token(&token, v1::ListRefusalsRequest {})).await.err(),
    ] {
        assert_eq!(denied.unwrap().code(), Code::PermissionDenied);
    }
}

#[tokio::test]
async fn refusals_come_newest_first() {
    let bench = Bench::furnished().await;
    let refusal = |seconds: i64, topic: &str| Refusal {
        time: NOON.plus(seconds * 1_000_000),
        topic: topic.to_owned(),
        reason: "not_authentic".to_owned(),
        detail: "the seal is wrong".to_owned(),
        count: 2,
    };
    *bench.stage.refusals.lock().unwrap() =
        vec![refusal(1, "a"), refusal(3, &"b".repeat(300)), refusal(2, "c")];
    let answer = bench.admin().await.list_refusals(v1::ListRefusalsRequest {}).await.unwrap().into_inner();
    let topics: Vec<usize> = answer.refusals.iter().map(|refusal| refusal.topic.len()).collect();
    assert_eq!(topics, [200, 1, 1]);
    assert_eq!(answer.refusals[1].topic, "c");
}
