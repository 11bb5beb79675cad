//! Cases of facts, sites, machines and tokens.

use crate::StoreErrorKind;
use crate::contract::given::{machine, machine_created, second, site, site_created, token_created};
use crate::contract::refused;
use crate::ledger::{Fact, FactKind, FactOutcome, Ledger};

async fn add(ledger: &dyn Ledger, fact: &Fact) -> u64 {
    match ledger.add_fact(fact.clone()).await.expect("adding a fact works") {
        FactOutcome::Added(number) => number,
        FactOutcome::Repeated(number, first) => panic!("taken for a repetition of {number}, {first:?}"),
    }
}

pub(super) async fn facts_are_numbered_and_come_back(ledger: &dyn Ledger) {
    let facts = [
        site_created("local:anna", Some("r1"), "gym-1"),
        machine_created("tm-01", "gym-1"),
        token_created(9, &["gym-1"]),
        token_created(10, &[]),
        site_created("token:3", None, "gym-2"),
    ];
    for (number, fact) in (1..).zip(&facts) {
        assert_eq!(add(ledger, fact).await, number);
    }
    let all: Vec<(u64, Fact)> = (1..).zip(facts).collect();
    assert_eq!(ledger.facts(0, 1_000).await.expect("facts can be read"), all);
    assert_eq!(ledger.facts(1, 2).await.expect("facts can be read"), all[1..3]);
    assert_eq!(ledger.facts(5, 2).await.expect("facts can be read"), []);
    assert_eq!(ledger.facts(u64::MAX, 2).await.expect("facts can be read"), []);
    for (number, fact) in &all {
        match &fact.kind {
            FactKind::SiteCreated(site) => {
                let sites = ledger.sites(None, 10).await.expect("sites can be read");
                assert!(sites.contains(site));
            }
            FactKind::MachineCreated(machine) => {
                let found = ledger.machine(&machine.id).await.expect("a machine can be read");
                assert_eq!(found.as_ref(), Some(machine));
            }
            FactKind::TokenCreated(token) => {
                let found = ledger.token(&token.hash).await.expect("a token can be read");
                assert_eq!(found, Some((*number, token.clone())));
            }
        }
    }
    assert_eq!(ledger.machine(&machine("tm-99")).await.expect("a machine can be looked for"), None);
    assert_eq!(ledger.token(&[1; 32]).await.expect("a token can be looked for"), None);
}

pub(super) async fn a_repeated_request_adds_nothing(ledger: &dyn Ledger) {
    let first = site_created("local:anna", Some("r1"), "gym-1");
    assert_eq!(add(ledger, &first).await, 1);
    // The same author and request: the first fact stands, whatever the second one says.
    let other = Fact { time: second(99), ..site_created("local:anna", Some("r1"), "gym-2") };
    for again in [first.clone(), other] {
        let outcome = ledger.add_fact(again).await.expect("repeating is no failure");
        assert_eq!(outcome, FactOutcome::Repeated(1, Box::new(first.clone())));
    }
    // Another author, or no identity at all, is another request.
    assert_eq!(add(ledger, &site_created("local:ben", Some("r1"), "gym-3")).await, 2);
    assert_eq!(add(ledger, &site_created("local:anna", None, "gym-4")).await, 3);
    assert_eq!(add(ledger, &site_created("local:anna", None, "gym-5")).await, 4);
    assert_eq!(ledger.sites(None, 10).await.expect("sites can be read").len(), 4);
}

/// And nothing of it stays: neither fact nor number nor request.
pub(super) async fn what_contradicts_is_refused(ledger: &dyn Ledger) {
    add(ledger, &site_created("local:anna", None, "gym-1")).await;
    add(ledger, &machine_created("tm-01", "gym-1")).await;
    add(ledger, &token_created(9, &[])).await;
    let add_fact = async |fact: Fact| ledger.add_fact(fact).await;
    refused(add_fact(site_created("local:ben", Some("r7"), "gym-1")).await, StoreErrorKind::Conflict);
    refused(add_fact(machine_created("tm-01", "gym-1")).await, StoreErrorKind::Conflict);
    refused(add_fact(token_created(9, &["gym-1"])).await, StoreErrorKind::Conflict);
    refused(add_fact(machine_created("tm-02", "gym-9")).await, StoreErrorKind::Invalid);
    refused(add_fact(token_created(10, &["gym-1", "gym-9"])).await, StoreErrorKind::Invalid);
    let author = "ä".repeat(121);
    refused(add_fact(site_created(&author, None, "gym-2")).await, StoreErrorKind::Invalid);
    let request = "ä".repeat(65);
    refused(add_fact(site_created("local:ben", Some(&request), "gym-2")).await, StoreErrorKind::Invalid);
    assert_eq!(ledger.facts(0, 10).await.expect("facts can be read").len(), 3);
    assert_eq!(ledger.machine(&machine("tm-02")).await.expect("a machine can be looked for"), None);
    // The refused request may be made again, corrected.
    assert_eq!(add(ledger, &site_created("local:ben", Some("r7"), "gym-2")).await, 4);
    let longest = ("ä".repeat(120), "ä".repeat(64));
    assert_eq!(add(ledger, &site_created(&longest.0, Some(&longest.1), "gym-3")).await, 5);
}

pub(super) async fn pages_go_by_id(ledger: &dyn Ledger) {
    for name in ["gym-b", "gym-a", "gym-c"] {
        add(ledger, &site_created("local:anna", None, name)).await;
    }
    for (name, at) in
        [("tm-3", "gym-a"), ("tm-10", "gym-b"), ("tm-1", "gym-a"), ("a", "gym-b"), ("tm-2", "gym-a")]
    {
        add(ledger, &machine_created(name, at)).await;
    }
    let sites = async |after: Option<&str>, max| {
        let sites = ledger.sites(after.map(site).as_ref(), max).await.expect("sites can be read");
        sites.into_iter().map(|site| site.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(sites(None, 1_001).await, ["gym-a", "gym-b", "gym-c"]);
    assert_eq!(sites(Some("gym-a"), 1).await, ["gym-b"]);
    assert_eq!(sites(Some("gym-c"), 1).await, [""; 0]);
    let machines = async |at: Option<&str>, after: Option<&str>, max| {
        let (at, after) = (at.map(site), after.map(machine));
        let machines = ledger.machines(at.as_ref(), after.as_ref(), max).await.expect("machines can be read");
        machines.into_iter().map(|machine| machine.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(machines(None, None, 1_001).await, ["a", "tm-1", "tm-10", "tm-2", "tm-3"]);
    assert_eq!(machines(None, Some("tm-1"), 2).await, ["tm-10", "tm-2"]);
    assert_eq!(machines(Some("gym-a"), None, 10).await, ["tm-1", "tm-2", "tm-3"]);
    assert_eq!(machines(Some("gym-a"), Some("tm-10"), 1).await, ["tm-2"]);
    assert_eq!(machines(Some("gym-z"), None, 10).await, [""; 0]);
    refused(ledger.sites(None, 1_002).await, StoreErrorKind::Invalid);
    refused(ledger.machines(None, None, 0).await, StoreErrorKind::Invalid);
    refused(ledger.facts(0, 1_001).await, StoreErrorKind::Invalid);
}

pub(super) async fn opened_again_it_has_all(open: impl AsyncFn() -> Box<dyn Ledger>) {
    let facts = [
        site_created("local:anna", Some("r1"), "gym-1"),
        machine_created("tm-01", "gym-1"),
        token_created(9, &["gym-1"]),
    ];
    for (number, fact) in (1..).zip(&facts) {
        assert_eq!(add(&*open().await, fact).await, number);
    }
    let ledger = open().await;
    assert_eq!(
        ledger.facts(0, 10).await.expect("facts can be read"),
        (1..).zip(facts.clone()).collect::<Vec<_>>()
    );
    let again = ledger.add_fact(facts[0].clone()).await.expect("repeating is no failure");
    assert_eq!(again, FactOutcome::Repeated(1, Box::new(facts[0].clone())));
    assert!(ledger.token(&[9; 32]).await.expect("a token can be read").is_some());
    assert_eq!(ledger.machines(None, None, 10).await.expect("machines can be read").len(), 1);
}
