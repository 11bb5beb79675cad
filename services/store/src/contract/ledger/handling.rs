//! Cases of what people do about incidents: steps, notes, leaves.

use domain::handling::{Cause, Handling, HandlingState, Hurt, Step};
use domain::ids::{IncidentId, UserName};
use domain::incident::{Incident, Severity};

use super::incidents::{changes, get, incident, newest, put};
use crate::StoreErrorKind;
use crate::contract::given::{second, site_created};
use crate::contract::refused;
use crate::fact::{Fact, FactKind, FactOutcome, IncidentStepped, Leaf, Note, SERVER, StoredFact, leaf};
use crate::ledger::{Ledger, StoredIncident};

/// A step about the incident with these octets, taken at that second.
pub(super) fn stepped(octet: u8, at: i64, step: Step) -> Fact {
    let stepped = IncidentStepped { incident: IncidentId([octet; 16]), step, note: None, previous: None };
    let kind = FactKind::IncidentStepped(stepped);
    Fact { time: second(at), author: "user:anna".to_owned(), request_id: None, kind }
}

/// The same with a note.
fn noted(octet: u8, at: i64, step: Step, text: &str) -> Fact {
    let mut fact = stepped(octet, at, step);
    let FactKind::IncidentStepped(step) = &mut fact.kind else { panic!("it is a step") };
    step.note = Some(Note::new([7; 16], text.to_owned()));
    fact
}

pub(super) async fn add(ledger: &dyn Ledger, fact: Fact) -> u64 {
    match ledger.add_fact(fact).await.expect("adding a fact works") {
        FactOutcome::Added(number) => number,
        FactOutcome::Repeated(number, first) => panic!("taken for a repetition of {number}, {first:?}"),
    }
}

async fn facts_about(ledger: &dyn Ledger, octet: u8) -> Vec<StoredFact> {
    ledger.incident_facts(&IncidentId([octet; 16])).await.expect("facts can be read")
}

async fn leaves(ledger: &dyn Ledger) -> Vec<Leaf> {
    ledger.leaves(0, 100_000).await.expect("leaves can be read")
}

async fn handling(ledger: &dyn Ledger, octet: u8) -> Handling {
    get(ledger, octet).await.expect("it is there").handling
}

fn note_of(stored: &StoredFact) -> Option<&str> {
    let note = stored.fact.stepped()?.note.as_ref()?;
    note.text.as_ref().map(|brought| brought.text.as_str())
}

fn previous(stored: &StoredFact) -> Option<String> {
    stored.fact.stepped().and_then(|stepped| stepped.previous.clone())
}

fn close() -> Step {
    Step::Close { cause: Some(Cause::Misuse), hurt: Some(Hurt::No) }
}

pub(super) async fn a_step_is_a_fact_and_a_change(ledger: &dyn Ledger) {
    put(ledger, vec![incident(1, "tm-1", 10, 1), incident(2, "tm-1", 20, 1)], 100).await;
    let told = ledger.incident_change();
    assert_eq!(add(ledger, stepped(1, 50, Step::Acknowledge)).await, 1);
    assert_eq!((told.has_changed().expect("it is there"), newest(ledger)), (true, 3));
    assert_eq!(handling(ledger, 1).await.state, HandlingState::Acknowledged);
    assert_eq!(handling(ledger, 2).await, Handling::default());
    let acknowledged = handling(ledger, 1).await.acknowledged.expect("somebody knows");
    assert_eq!(
        (acknowledged.number, acknowledged.time, acknowledged.by),
        (1, second(50), "user:anna".into())
    );
    let anna = UserName::new("anna").expect("it is a name");
    add(ledger, site_created("user:anna", None, "gym-1")).await;
    add(ledger, stepped(2, 51, Step::Hold { on: true })).await;
    add(ledger, stepped(1, 52, Step::Assign { to: Some(anna.clone()) })).await;
    assert_eq!(add(ledger, noted(1, 53, close(), "Schlüssel \"gezogen\"")).await, 5);
    let changed: Vec<_> =
        changes(ledger, 3, 10).await.into_iter().map(|stored| stored.incident.id.0[0]).collect();
    assert_eq!((changed, newest(ledger)), (vec![2, 1], 6));
    let done = handling(ledger, 1).await;
    assert_eq!(
        (done.state, done.assignee, done.steps, done.notes),
        (HandlingState::Closed, Some(anna), 3, 1)
    );
    assert!(handling(ledger, 2).await.is_held);
    assert_eq!(ledger.registry().last_fact, 5);
}

pub(super) async fn facts_of_an_incident_are_chained_by_leaves(ledger: &dyn Ledger) {
    put(ledger, vec![incident(1, "tm-1", 10, 1), incident(2, "tm-1", 20, 1)], 100).await;
    add(ledger, site_created("user:anna", None, "gym-1")).await;
    add(ledger, stepped(1, 51, Step::Acknowledge)).await;
    add(ledger, stepped(2, 52, Step::Acknowledge)).await;
    // What the caller says comes before counts nothing.
    let mut forged = noted(1, 53, Step::Note, "seen");
    if let FactKind::IncidentStepped(step) = &mut forged.kind {
        step.previous = Some("00".repeat(32));
    }
    add(ledger, forged).await;
    add(ledger, noted(1, 54, close(), "done")).await;
    let about = facts_about(ledger, 1).await;
    assert_eq!(about.iter().map(|stored| stored.number).collect::<Vec<_>>(), [2, 4, 5]);
    assert_eq!(about.iter().map(note_of).collect::<Vec<_>>(), [None, Some("seen"), Some("done")]);
    let chain: Vec<_> = about.iter().map(previous).collect();
    assert_eq!(chain, [None, Some(hex::encode(about[0].leaf)), Some(hex::encode(about[1].leaf))]);
    let all = leaves(ledger).await;
    assert_eq!(all.len(), 5);
    for stored in about.iter().chain(&facts_about(ledger, 2).await) {
        let fact = &stored.fact;
        assert_eq!(stored.leaf, leaf(stored.number, fact.time, &fact.author, &stored.body));
        assert_eq!(stored.leaf, all[usize::try_from(stored.number).expect("few facts") - 1]);
        assert!(!stored.body.contains("seen"), "the text stands beside the fact");
    }
    assert_eq!(ledger.leaves(3, 1).await.expect("leaves can be read"), all[3..4]);
    assert_eq!(ledger.leaves(u64::MAX, 1).await.expect("leaves can be read"), Vec::<Leaf>::new());
    refused(ledger.leaves(0, 0).await, StoreErrorKind::Invalid);
    refused(ledger.leaves(0, 100_001).await, StoreErrorKind::Invalid);
    // Lists of all facts leave the texts out.
    let listed = ledger.facts(3, 1).await.expect("facts can be read");
    assert_eq!(listed, [(4, about[1].fact.clone().with_text(None))]);
    assert_eq!(facts_about(ledger, 9).await, []);
}

/// And nothing of it stays.
pub(super) async fn what_cannot_be_stepped_is_refused(ledger: &dyn Ledger) {
    let critical = Incident { severity: Severity::Critical, ..incident(2, "tm-1", 20, 1) };
    put(ledger, vec![incident(1, "tm-1", 10, 1), critical], 100).await;
    let before = changes(ledger, 0, 10).await;
    let forged = |text: &str, hash: &str| {
        let mut fact = noted(1, 50, Step::Note, text);
        if let FactKind::IncidentStepped(IncidentStepped { note: Some(note), .. }) = &mut fact.kind {
            note.hash = hash.to_owned();
        }
        fact
    };
    let unread = noted(1, 50, Step::Note, "text").with_text(None);
    let until = |octet, at| stepped(octet, 50, Step::Shelve { until: Some(second(at)) });
    let seal = |evidence: &str| stepped(1, 50, Step::Seal { revision: 1, evidence: evidence.to_owned() });
    for fact in [
        stepped(3, 50, Step::Acknowledge),
        stepped(1, 50, Step::Note),
        stepped(1, 50, Step::Close { cause: None, hurt: Some(Hurt::No) }),
        until(1, 49),
        until(2, 60),
        noted(1, 50, Step::Note, ""),
        noted(1, 50, Step::Note, &"ä".repeat(2_001)),
        forged("text", &"00".repeat(32)),
        unread,
        stepped(1, 50, Step::EraseNote { number: 1 }),
        stepped(1, 50, Step::EraseNote { number: u64::MAX }),
        stepped(1, 50, Step::Join { lead: IncidentId([1; 16]) }),
        seal("00"),
        seal(&"0x".repeat(32)),
    ] {
        refused(
            ledger.add_fact(Fact { request_id: Some("r".to_owned()), ..fact }).await,
            StoreErrorKind::Invalid,
        );
    }
    assert_eq!((changes(ledger, 0, 10).await, leaves(ledger).await), (before, Vec::new()));
    assert_eq!((facts_about(ledger, 1).await, ledger.registry().last_fact), (Vec::new(), 0));
    let error = ledger.add_fact(stepped(3, 50, Step::Acknowledge)).await.expect_err("it is not there");
    assert_eq!(error.context, format!("there is no incident {}", IncidentId([3; 16])));
    add(ledger, noted(1, 50, Step::Note, &"ä".repeat(2_000))).await;
}

pub(super) async fn a_note_can_be_erased(ledger: &dyn Ledger) {
    put(ledger, vec![incident(1, "tm-1", 10, 1), incident(2, "tm-1", 20, 1)], 100).await;
    let note = Fact { request_id: Some("r1".to_owned()), ..noted(1, 50, Step::Note, "a name") };
    assert_eq!(add(ledger, note.clone()).await, 1);
    add(ledger, noted(2, 51, Step::Note, "another")).await;
    let before = (leaves(ledger).await, facts_about(ledger, 1).await);
    // Asked again, it is told with its text.
    let again = ledger.add_fact(note.clone()).await.expect("repeating is no failure");
    assert_eq!(again, FactOutcome::Repeated(1, Box::new(note.clone())));
    let erase = |octet, number| stepped(octet, 60, Step::EraseNote { number });
    for wrong in [erase(2, 1), erase(1, 2), erase(1, 3)] {
        refused(ledger.add_fact(wrong).await, StoreErrorKind::Invalid);
    }
    assert_eq!(add(ledger, erase(1, 1)).await, 3);
    let about = facts_about(ledger, 1).await;
    assert_eq!((note_of(&before.1[0]), note_of(&about[0])), (Some("a name"), None));
    assert_eq!(about[0].fact, before.1[0].fact.clone().with_text(None));
    assert_eq!((&about[0].body, about[0].leaf), (&before.1[0].body, before.1[0].leaf));
    assert_eq!(leaves(ledger).await[..2], before.0[..]);
    assert_eq!(previous(&about[1]), Some(hex::encode(about[0].leaf)));
    let again = ledger.add_fact(note.clone()).await.expect("repeating is no failure");
    assert_eq!(again, FactOutcome::Repeated(1, Box::new(note.with_text(None))));
    assert_eq!((handling(ledger, 1).await.notes, handling(ledger, 2).await.notes), (0, 1));
    assert_eq!(note_of(&facts_about(ledger, 2).await[0]), Some("another"));
    // There is nothing left to erase.
    refused(ledger.add_fact(erase(1, 1)).await, StoreErrorKind::Invalid);
    refused(ledger.add_fact(erase(1, 3)).await, StoreErrorKind::Invalid);
    assert_eq!(handling(ledger, 1).await.notes, 0);
}

/// Whether a new version comes, or a rebuild does not find the incident any more.
pub(super) async fn what_people_did_stays(ledger: &dyn Ledger) {
    put(ledger, vec![incident(1, "tm-1", 10, 1), incident(2, "tm-1", 20, 1)], 100).await;
    let lead = IncidentId([2; 16]);
    add(ledger, Fact { author: SERVER.to_owned(), ..stepped(1, 50, Step::Join { lead }) }).await;
    add(ledger, stepped(1, 51, Step::Shelve { until: Some(second(90)) })).await;
    let before = handling(ledger, 1).await;
    assert_eq!((before.lead, before.shelved_until), (Some(lead), Some(second(90))));
    let newer = Incident { severity: Severity::Critical, drill: Some(7), ..incident(1, "tm-2", 12, 3) };
    put(ledger, vec![newer.clone()], 200).await;
    ledger.mark_unconfirmed(vec![newer.id], 5).await.expect("marking works");
    let expected = StoredIncident {
        incident: newer,
        detected: second(100),
        change: 6,
        unconfirmed: Some(5),
        handling: before,
    };
    assert_eq!(get(ledger, 1).await, Some(expected.clone()));
    // A step takes neither the version nor the mark away; of a proof test nobody is asked anything.
    let closed = Step::Close { cause: None, hurt: None };
    add(ledger, stepped(1, 60, closed)).await;
    let after = get(ledger, 1).await.expect("it is there");
    assert_eq!((after.handling.state, after.handling.lead), (HandlingState::Closed, Some(lead)));
    assert_eq!(after, StoredIncident { change: 7, handling: after.handling.clone(), ..expected });
    put(ledger, vec![incident(1, "tm-1", 10, 4)], 300).await;
    let newest = get(ledger, 1).await.expect("it is there");
    assert_eq!((newest.handling, newest.unconfirmed), (after.handling, None));
}

pub(super) async fn opened_again_it_has_all(open: impl AsyncFn() -> Box<dyn Ledger>) {
    let first = open().await;
    put(&*first, vec![incident(1, "tm-1", 10, 1)], 100).await;
    add(&*first, noted(1, 50, Step::Note, "kept")).await;
    add(&*first, noted(1, 51, Step::Note, "erased")).await;
    add(&*first, stepped(1, 52, Step::EraseNote { number: 2 })).await;
    let before = (get(&*first, 1).await, facts_about(&*first, 1).await, leaves(&*first).await);
    drop(first);
    let ledger = open().await;
    assert_eq!((get(&*ledger, 1).await, facts_about(&*ledger, 1).await, leaves(&*ledger).await), before);
    assert_eq!((newest(&*ledger), ledger.registry().last_fact), (4, 3));
    add(&*ledger, stepped(1, 53, close())).await;
    let about = facts_about(&*ledger, 1).await;
    assert_eq!(about.iter().map(note_of).collect::<Vec<_>>(), [Some("kept"), None, None, None]);
    assert_eq!(previous(&about[3]), Some(hex::encode(about[2].leaf)));
}
