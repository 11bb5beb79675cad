//! Policies: those for all, and what sites lay over them.

use prost_types::FieldMask;
use store::ledger::Ledger;
use store::registry::Role;
use tonic::Code;
use tonic_types::StatusExt;
use wire::api::v1;

use super::super::bad_input::check;
use super::super::{Bench, with_token};
use super::{service, set, webhook};

fn step(contact: &str, after_seconds: u32) -> v1::ChainStep {
    let least_severity = v1::Severity::High.into();
    v1::ChainStep { contact: contact.to_owned(), least_severity, after_seconds, staffing: 0 }
}

fn deadline(name: &str, hours: u32) -> v1::Deadline {
    v1::Deadline {
        name: name.to_owned(),
        least_severity: v1::Severity::Medium.into(),
        hours,
        until: v1::HandlingState::Closed.into(),
    }
}

fn update(policy: v1::Policy, fields: &[&str]) -> v1::UpdatePolicyRequest {
    let paths = fields.iter().map(|field| (*field).to_owned()).collect();
    v1::UpdatePolicyRequest {
        policy: Some(policy),
        update_mask: Some(FieldMask { paths }),
        ..Default::default()
    }
}

/// Takes parts of a site's policy back.
fn take_back(site: &str, parts: &[&str]) -> v1::UpdatePolicyRequest {
    let policy = v1::Policy { site_id: site.to_owned(), ..Default::default() };
    let cleared = parts.iter().map(|part| (*part).to_owned()).collect();
    v1::UpdatePolicyRequest { policy: Some(policy), cleared, ..Default::default() }
}

#[tokio::test]
async fn policies_that_cannot_be_are_refused() {
    let bench = Bench::furnished().await;
    set(&bench, webhook("s", "south"), false).await;
    set(&bench, webhook("n", "north"), false).await;
    let mut service = service(&bench).await;
    let all = ["chain", "deadlines", "out_of_service"];
    let mut refused = async |fields: &[&str], change: &dyn Fn(&mut v1::Policy)| {
        let mut policy = v1::Policy {
            site_id: "north".to_owned(),
            chain: vec![step("n", 0)],
            deadlines: vec![deadline("report", 24)],
            out_of_service_count: 2,
            out_of_service_days: 7,
            ..Default::default()
        };
        change(&mut policy);
        service.update_policy(update(policy, fields)).await.unwrap_err()
    };
    check(refused(&[], &|_| {}).await, "update_mask", &["is empty", "chain, deadlines, out_of_service"]);
    check(refused(&["own"], &|_| {}).await, "update_mask", &["\"own\""]);
    for contact in ["s", "nobody", ""] {
        let status = refused(&all, &|one| one.chain[0].contact = contact.to_owned()).await;
        check(
            status,
            "policy.chain.contact",
            &["no such contact for site \"north\" or for all", "make it first"],
        );
    }
    let status = refused(&all, &|one| (one.site_id, one.chain) = (String::new(), vec![step("n", 0)])).await;
    check(status, "policy.chain.contact", &["\"n\"", "for all sites"]);
    let status = refused(&all, &|one| one.chain[0].after_seconds = 86_401).await;
    check(status, "policy.chain.after_seconds", &["86401", "0 to 86400"]);
    for severity in [0, 6] {
        let status = refused(&all, &|one| one.chain[0].least_severity = severity).await;
        check(status, "policy.chain.least_severity", &[&severity.to_string(), "1 (info) to 5 (critical)"]);
    }
    let status = refused(&all, &|one| one.chain[0].staffing = 4).await;
    check(status, "policy.chain.staffing", &["is 4", "0 to 3"]);
    let status = refused(&all, &|one| one.chain = vec![step("n", 0); 21]).await;
    check(status, "policy.chain", &["21 steps", "at most 20"]);
    let status = refused(&all, &|one| one.deadlines = vec![deadline("x", 1); 11]).await;
    check(status, "policy.deadlines", &["11 entries", "at most 10"]);
    for (name, words) in [("", "is empty"), (&*"x".repeat(61), "61 characters")] {
        let status = refused(&all, &|one| one.deadlines[0].name = name.to_owned()).await;
        check(status, "policy.deadlines.name", &[words]);
    }
    for hours in [0, 2_161] {
        let status = refused(&all, &|one| one.deadlines[0].hours = hours).await;
        check(status, "policy.deadlines.hours", &[&hours.to_string(), "1 to 2160"]);
    }
    for until in [0, 1, 3, 5] {
        let status = refused(&all, &|one| one.deadlines[0].until = until).await;
        check(status, "policy.deadlines.until", &[&until.to_string(), "4 (closed)"]);
    }
    let status = refused(&all, &|one| one.out_of_service_count = 101).await;
    check(status, "policy.out_of_service_count", &["101", "0 to 100"]);
    for days in [0, 91] {
        let status = refused(&all, &|one| one.out_of_service_days = days).await;
        check(status, "policy.out_of_service_days", &[&days.to_string(), "1 to 90"]);
    }
    assert_eq!(refused(&all, &|one| one.site_id = "east".to_owned()).await.code(), Code::NotFound);
    assert_eq!(bench.ledger.registry().own_policy(None), None);
}

#[tokio::test]
async fn a_site_lays_its_own_over_that_for_all() {
    let bench = Bench::furnished().await;
    set(&bench, webhook("all", ""), false).await;
    set(&bench, webhook("n", "north"), false).await;
    let mut service = service(&bench).await;
    let list = async |token: Option<&str>, site: &str| {
        let request = v1::ListPoliciesRequest { site_id: site.to_owned() };
        let request = match token {
            Some(token) => with_token(token, request),
            None => tonic::Request::new(request),
        };
        super::service(&bench).await.list_policies(request).await.unwrap().into_inner().policies
    };
    let before = list(None, "").await;
    let sites: Vec<&str> = before.iter().map(|one| one.site_id.as_str()).collect();
    assert_eq!(sites, ["", "north", "south"]);
    let none = |one: &v1::Policy| one.chain.is_empty() && one.deadlines.is_empty() && one.own.is_empty();
    assert!(
        before.iter().all(|one| none(one) && (one.out_of_service_count, one.out_of_service_days) == (2, 7))
    );

    let for_all = v1::Policy {
        chain: vec![step("all", 60)],
        deadlines: vec![deadline("report", 24)],
        ..Default::default()
    };
    let set =
        service.update_policy(update(for_all.clone(), &["chain", "deadlines"])).await.unwrap().into_inner();
    assert_eq!(set.policy.unwrap().own, ["chain", "deadlines"]);
    let own = v1::Policy {
        site_id: "north".to_owned(),
        chain: vec![step("n", 0), step("all", 300)],
        out_of_service_count: 0,
        out_of_service_days: 1,
        ..Default::default()
    };
    service.update_policy(update(own.clone(), &["chain", "out_of_service"])).await.unwrap();
    let [all, north, south] = &list(None, "").await[..] else { panic!("three") };
    assert_eq!(
        (&all.chain, &all.deadlines),
        (&vec![v1::ChainStep { staffing: 1, ..step("all", 60) }], &for_all.deadlines)
    );
    assert_eq!(north.own, ["chain", "out_of_service"]);
    assert_eq!((north.chain.len(), &north.deadlines, north.out_of_service_count), (2, &for_all.deadlines, 0));
    assert_eq!((&south.chain, south.own.len(), south.out_of_service_count), (&all.chain, 0, 2));

    // Who has one site sees that for all and its own, and changes its own only.
    let manager = bench.token_of(Role::Manager, &["south"]).await;
    let seen: Vec<String> = list(Some(&manager), "").await.into_iter().map(|one| one.site_id).collect();
    assert_eq!(seen, ["", "south"]);
    assert_eq!(list(Some(&manager), "south").await, std::slice::from_ref(south));
    let mut change = async |policy: v1::Policy| {
        let request = with_token(&manager, update(policy, &["deadlines"]));
        service.update_policy(request).await.map(drop).map_err(|status| status.code())
    };
    assert_eq!(change(v1::Policy::default()).await, Err(Code::PermissionDenied));
    assert_eq!(
        change(v1::Policy { site_id: "north".to_owned(), ..Default::default() }).await,
        Err(Code::NotFound)
    );
    assert_eq!(change(v1::Policy { site_id: "south".to_owned(), ..Default::default() }).await, Ok(()));
    let [south] = &list(Some(&manager), "south").await[..] else { panic!("one") };
    assert_eq!(
        (south.deadlines.len(), south.own.as_slice()),
        (0, &["deadlines".to_owned()][..]),
        "none is its own"
    );
}

#[tokio::test]
async fn a_site_goes_back_to_the_policy_for_all() {
    let bench = Bench::furnished().await;
    set(&bench, webhook("all", ""), false).await;
    set(&bench, webhook("n", "north"), false).await;
    let mut service = service(&bench).await;
    let for_all = v1::Policy { chain: vec![step("all", 60)], ..Default::default() };
    service.update_policy(update(for_all, &["chain"])).await.unwrap();
    let own = v1::Policy {
        site_id: "north".to_owned(),
        chain: vec![step("n", 0)],
        deadlines: vec![deadline("report", 24)],
        ..Default::default()
    };
    service.update_policy(update(own.clone(), &["chain", "deadlines"])).await.unwrap();

    for (parts, words) in [
        (&["own"][..], ["\"own\"", "chain, deadlines, out_of_service"]),
        (&["chain", "chain"][..], ["chain more than once", "once"]),
    ] {
        let status = service.update_policy(take_back("north", parts)).await.unwrap_err();
        check(status, "cleared", &words);
    }
    let both = v1::UpdatePolicyRequest { cleared: vec!["chain".to_owned()], ..update(own, &["chain"]) };
    check(service.update_policy(both).await.unwrap_err(), "cleared", &["chain in update_mask, too"]);
    let neither = service.update_policy(take_back("north", &[])).await.unwrap_err();
    check(neither, "update_mask", &["is empty"]);

    let request = v1::UpdatePolicyRequest { request_id: "one".to_owned(), ..take_back("north", &["chain"]) };
    let answer = service.update_policy(request.clone()).await.unwrap().into_inner();
    let north = answer.policy.clone().unwrap();
    assert_eq!((north.chain[0].contact.as_str(), north.own), ("all", vec!["deadlines".to_owned()]));
    assert_eq!(service.update_policy(request.clone()).await.unwrap().into_inner(), answer);
    let other = v1::UpdatePolicyRequest { cleared: vec!["deadlines".to_owned()], ..request };
    check(service.update_policy(other).await.unwrap_err(), "request_id", &["used before"]);
    // Nothing names it any more.
    let delete = v1::DeleteContactRequest { name: "n".to_owned() };
    service.delete_contact(delete).await.unwrap();
    let manager = bench.token_of(Role::Manager, &["north"]).await;
    let everywhere =
        service.update_policy(with_token(&manager, take_back("", &["chain"]))).await.unwrap_err();
    assert_eq!(everywhere.code(), Code::PermissionDenied);
    service.update_policy(take_back("", &["chain"])).await.unwrap();
    assert_eq!(bench.ledger.registry().chain(&super::super::site_id("north")), []);
}

#[tokio::test]
async fn a_request_changes_a_policy_once_and_a_contact_in_a_chain_stays() {
    let bench = Bench::furnished().await;
    set(&bench, webhook("all", ""), false).await;
    let mut service = service(&bench).await;
    let chain = |after| v1::UpdatePolicyRequest {
        request_id: "one".to_owned(),
        ..update(v1::Policy { chain: vec![step("all", after)], ..Default::default() }, &["chain"])
    };
    let first = service.update_policy(chain(5)).await.unwrap().into_inner();
    let facts = bench.ledger.registry().last_fact;
    assert_eq!(service.update_policy(chain(5)).await.unwrap().into_inner(), first);
    assert_eq!(bench.ledger.registry().last_fact, facts);
    check(service.update_policy(chain(6)).await.unwrap_err(), "request_id", &["used before"]);
    let delete = v1::DeleteContactRequest { name: "all".to_owned() };
    let status = service.delete_contact(delete.clone()).await.unwrap_err();
    assert_eq!(
        (status.code(), status.get_details_error_info().unwrap().reason.as_str()),
        (Code::FailedPrecondition, "CONTACT_IN_USE")
    );
    assert!(status.message().contains("\"all\"; take it out of the chain first"), "{status:?}");
    service.update_policy(update(v1::Policy::default(), &["chain"])).await.unwrap();
    service.delete_contact(delete).await.unwrap();
}
