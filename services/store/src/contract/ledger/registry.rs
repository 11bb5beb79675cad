//! Cases of facts and of the registry that follows from them.

use crate::StoreErrorKind;
use crate::contract::given::{machine, machine_created, second, site, site_created, token_created};
use crate::contract::life::{FIRST_LINK, PASSWORD_LINK, SESSIONS, life, user};
use crate::contract::refused;
use crate::fact::{Arrangement, Fact, FactKind, FactOutcome, NewPassword, Placed, UserChange};
use crate::ledger::Ledger;
use crate::registry::{Place, Registry};

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
    let last = ledger.last_fact();
    assert_eq!(*last.borrow(), 0);
    for (number, fact) in (1..).zip(&facts) {
        assert_eq!(add(ledger, fact).await, number);
        assert_eq!(*last.borrow(), number);
    }
    let all: Vec<(u64, Fact)> = (1..).zip(facts).collect();
    assert_eq!(ledger.facts(0, 1_000).await.expect("facts can be read"), all);
    assert_eq!(ledger.facts(1, 2).await.expect("facts can be read"), all[1..3]);
    assert_eq!(ledger.facts(5, 2).await.expect("facts can be read"), []);
    assert_eq!(ledger.facts(u64::MAX, 2).await.expect("facts can be read"), []);
    assert_eq!(ledger.facts_before(4, 2).await.expect("facts can be read"), [all[2].clone(), all[1].clone()]);
    assert_eq!(ledger.facts_before(1, 2).await.expect("facts can be read"), []);
    assert_eq!(ledger.facts_before(u64::MAX, 1).await.expect("facts can be read"), [all[4].clone()]);
    assert_eq!(*ledger.registry(), folded(&all));
}

/// The registry that follows from facts.
fn folded(facts: &[(u64, Fact)]) -> Registry {
    let mut registry = Registry::default();
    for (number, fact) in facts {
        let changes = registry.follow(*number, fact).expect("the facts go together");
        registry.put(*number, changes);
    }
    registry
}

pub(super) async fn a_repeated_request_adds_nothing(ledger: &dyn Ledger) {
    let first = site_created("local:anna", Some("r1"), "gym-1");
    assert_eq!(add(ledger, &first).await, 1);
    // The same author and request: the first fact stands, whatever the second one says.
    let other = Fact { time: second(99), ..site_created("local:anna", Some("r1"), "gym-2") };
    for again in [first.clone(), other] {
        let outcome = ledger.add_fact(again).await.expect("repeating is no failure");
        assert_eq!(outcome, FactOutcome::Repeated(1, Box::new(first.clone())));
        assert_eq!(*ledger.last_fact().borrow(), 1);
    }
    // Another author, or no identity at all, is another request.
    assert_eq!(add(ledger, &site_created("local:ben", Some("r1"), "gym-3")).await, 2);
    assert_eq!(add(ledger, &site_created("local:anna", None, "gym-4")).await, 3);
    assert_eq!(add(ledger, &site_created("local:anna", None, "gym-5")).await, 4);
    assert_eq!(ledger.registry().sites().len(), 4);
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
    assert!(!ledger.registry().machines().contains_key(&machine("tm-02")));
    assert_eq!(ledger.registry().last_fact, 3);
    // The refused request may be made again, corrected.
    assert_eq!(add(ledger, &site_created("local:ben", Some("r7"), "gym-2")).await, 4);
    let longest = ("ä".repeat(120), "ä".repeat(64));
    assert_eq!(add(ledger, &site_created(&longest.0, Some(&longest.1), "gym-3")).await, 5);
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
    assert_eq!(*ledger.registry(), folded(&(1..).zip(facts).collect::<Vec<_>>()));
}

/// What is left at the end of `life`, said here by hand.
fn check_end_of_life(registry: &Registry) {
    assert_eq!(registry.last_fact, life().len() as u64);
    assert_eq!(registry.sites()[&site("gym-1")].display_name, "Gym \"ä\"");
    let (one, two) = (&registry.machines()[&machine("tm-01")], &registry.machines()[&machine("tm-02")]);
    assert_eq!(
        (one.place, two.place),
        (Some(Place { row: 63, column: 63 }), Some(Place { row: 0, column: 0 }))
    );
    assert_eq!((one.key_generation, one.revoked_generation), (1, 1));
    assert_eq!((two.key_generation, two.revoked_generation), (2, 1));
    assert!(one.revoked_since().is_some() && two.revoked_since().is_none());
    assert_eq!(two.acknowledged.as_ref().map(|seen| seen.until), Some(second(7)));
    assert_eq!(one.out_of_service().map(|(reason, _)| reason), Some("motor"));
    assert!(two.direction_proven() && !one.direction_proven());
    assert!(registry.sites()[&site("gym-1")].staffed().is_some());
    let values: Vec<usize> = registry.all_limits().map(|limits| limits.newest().iter().count()).collect();
    assert_eq!(values, [1, 0, 1], "of the site, the model, the machine");
    assert!(registry.has_administrator());
    let drills: Vec<_> = two.drills.iter().map(|drill| (drill.is_ended, drill.note.as_str())).collect();
    assert_eq!((drills, one.drills.len()), (vec![(true, "all stop")], 0));
    let contacts: Vec<_> =
        registry.contacts().map(|contact| (contact.name.as_str(), contact.generation)).collect();
    assert_eq!(contacts, [("desk", 2)]);
    assert_eq!(registry.chain(&site("gym-1")).len(), 1);
    assert_eq!(registry.deadlines(&site("gym-1")).len(), 1);
    assert_eq!(registry.anchors().map(|anchor| anchor.facts).collect::<Vec<_>>(), [7]);
    let ben = &registry.users()[&user("ben")];
    assert_eq!((ben.password.as_deref(), ben.expires), (Some("$argon2id$second"), Some(second(99_999))));
    let left = SESSIONS.map(|hash| registry.sign_in(&hash).is_some());
    assert_eq!(left, [false, true, false]);
    let left = [FIRST_LINK, [9; 32], PASSWORD_LINK, [8; 32]].map(|hash| registry.link(&hash).is_some());
    assert_eq!(left, [false, false, false, true]);
    let revoked: Vec<(u8, bool)> =
        registry.tokens().values().map(|token| (token.hash[0], token.revoked.is_some())).collect();
    assert_eq!(revoked, [(9, false), (10, true)]);
}

/// What is left of courses, opening hours, moves and maintenance.
fn check_usage_of_life(registry: &Registry) {
    let courses: Vec<_> = registry
        .courses()
        .values()
        .map(|course| (course.code.as_str(), course.owner.as_str(), course.ended.is_some()))
        .collect();
    let expected =
        [("Knee-1", "user:ben", true), ("Hip-1", "user:anna", false), ("Knee-1", "user:anna", false)];
    assert_eq!(courses, expected);
    let hours: Vec<_> = registry.maintenance_plans().map(|set| set.plan.hours).collect();
    assert_eq!(hours, [Some(1), Some(3)], "of the site and the machine");
    let (one, three) = (&registry.machines()[&machine("tm-01")], &registry.machines()[&machine("tm-03")]);
    assert_eq!(one.maintained.as_ref().map(|service| service.at), Some(second(60)));
    let stays: Vec<_> = three.stays().into_iter().map(|stay| stay.site).collect();
    assert_eq!((stays, &three.site), (vec![site("gym-1"), site("gym-2")], &site("gym-2")));
    let gym = &registry.sites()[&site("gym-1")];
    assert_eq!((gym.open().is_some(), gym.first_weekday()), (true, 6));
}

pub(super) async fn every_kind_of_fact_is_followed(ledger: &dyn Ledger) {
    let all: Vec<(u64, Fact)> = (1..).zip(life()).collect();
    for (number, fact) in &all {
        let before = ledger.registry();
        assert_eq!(add(ledger, fact).await, *number);
        assert_eq!(before.last_fact, number - 1, "who holds a registry keeps what it was");
        assert_eq!(*ledger.registry(), folded(&all[..usize::try_from(*number).expect("few facts")]));
    }
    assert_eq!(ledger.facts(0, 1_000).await.expect("facts can be read"), all);
    check_end_of_life(&ledger.registry());
    check_usage_of_life(&ledger.registry());
}

pub(super) async fn what_people_may_not_do_is_refused(ledger: &dyn Ledger) {
    for fact in life() {
        add(ledger, &fact).await;
    }
    let before = ledger.registry();
    let attempt = async |kind: FactKind| {
        let request_id = Some("again".to_owned());
        let fact = Fact { time: second(9_000), author: "user:ben".to_owned(), request_id, kind };
        ledger.add_fact(fact).await
    };
    let password = |link| {
        let (user, password) = (user("ben"), "$argon2id$third".to_owned());
        FactKind::PasswordSet(NewPassword { user, password, keep: None, link: Some(link) })
    };
    refused(attempt(password(PASSWORD_LINK)).await, StoreErrorKind::Conflict);
    let disabled = FactKind::UserChanged(UserChange {
        user: user("anna"),
        display_name: None,
        grants: None,
        end: None,
        disabled: Some(true),
    });
    refused(attempt(disabled).await, StoreErrorKind::Conflict);
    let taken = Placed { machine: machine("tm-01"), place: Some(Place { row: 0, column: 0 }) };
    let arranged = |places| FactKind::MachinesArranged(Arrangement { site: site("gym-1"), places });
    refused(attempt(arranged(vec![taken])).await, StoreErrorKind::Conflict);
    let unknown = Placed { machine: machine("tm-77"), place: None };
    refused(attempt(arranged(vec![unknown])).await, StoreErrorKind::Invalid);
    assert_eq!(ledger.registry(), before);
    assert_eq!(ledger.facts(before.last_fact, 10).await.expect("facts can be read"), []);
}

pub(super) async fn opened_after_each_fact_it_goes_on(open: impl AsyncFn() -> Box<dyn Ledger>) {
    let all: Vec<(u64, Fact)> = (1..).zip(life()).collect();
    for (number, fact) in &all {
        let ledger = open().await;
        let before = usize::try_from(number - 1).expect("few facts");
        assert_eq!(*ledger.registry(), folded(&all[..before]), "opened before fact {number}");
        assert_eq!(add(&*ledger, fact).await, *number);
    }
    let ledger = open().await;
    assert_eq!(ledger.facts(0, 1_000).await.expect("facts can be read"), all);
    check_end_of_life(&ledger.registry());
}
