use domain::handling::{Cause, Hurt, Step};
use domain::ids::IncidentId;
use domain::limits::INCIDENT_STEPS_MAX;
use domain::units::UnixMicros;

use super::*;
use crate::contract::an_incident;
use crate::fact::Note;

fn fact(author: &str, step: Step) -> Fact {
    let stepped = IncidentStepped { incident: IncidentId([1; 16]), step, note: None, previous: None };
    let kind = FactKind::IncidentStepped(stepped);
    Fact { time: UnixMicros(5), author: author.to_owned(), request_id: None, kind }
}

/// What becomes of a step when so many were taken.
fn taken(steps: u32, fact: &Fact) -> Result<Taken, StoreErrorKind> {
    after(Handling { steps, notes: 1, ..Handling::default() }, fact)
}

fn after(handling: Handling, fact: &Fact) -> Result<Taken, StoreErrorKind> {
    let stored = StoredIncident {
        incident: an_incident(IncidentId([1; 16])),
        detected: UnixMicros(1),
        change: 1,
        unconfirmed: None,
        handling,
    };
    let before = Before { incident: Some(&stored), previous: Some([0xab; 32]), can_erase: true };
    take(fact, fact.stepped().expect("it is a step"), 9, before).map_err(|error| error.kind)
}

#[test]
fn people_take_so_many_steps_and_no_more() {
    let full = |author: &str, step: Step| {
        assert!(taken(INCIDENT_STEPS_MAX - 1, &fact(author, step.clone())).is_ok(), "{step:?}");
        match taken(INCIDENT_STEPS_MAX, &fact(author, step)) {
            Ok(taken) => {
                assert_eq!(taken.handling.steps, INCIDENT_STEPS_MAX + 1);
                false
            }
            Err(kind) => {
                assert_eq!(kind, StoreErrorKind::Full);
                true
            }
        }
    };
    let join = || Step::Join { lead: IncidentId([2; 16]) };
    let seal = || Step::Seal { revision: 1, evidence: "00".repeat(32) };
    assert!(full("user:anna", Step::Shelve { until: None }));
    assert!(full("user:anna", Step::Assign { to: None }));
    assert!(full(SERVER, Step::Hold { on: true }));
    assert!(full("user:server", join()));
    assert!(full("user:anna", seal()));
    assert!(!full(SERVER, join()));
    assert!(!full(SERVER, seal()));
    // It must not stay open for ever.
    assert!(!full("user:anna", Step::Acknowledge));
    assert!(!full("user:anna", Step::Close { cause: None, hurt: Some(Hurt::Yes) }));
    // Whoever asks for it must be able to have their name erased.
    assert!(!full("user:anna", Step::EraseNote { number: 3 }));
}

#[test]
fn only_the_first_acknowledgement_and_closing_find_room() {
    let mut handling = Handling::default();
    let close = Step::Close { cause: Some(Cause::Unknown), hurt: Some(Hurt::No) };
    handling.take(&close, false, Deed { number: 1, time: UnixMicros(1), by: String::new() });
    handling.steps = INCIDENT_STEPS_MAX;
    for step in [Step::Acknowledge, close] {
        let refused = after(handling.clone(), &fact("user:anna", step)).map(drop);
        assert_eq!(refused, Err(StoreErrorKind::Full));
    }
}

#[test]
fn the_fact_gets_the_leaf_before_and_gives_its_text_away() {
    let mut fact = fact("user:anna", Step::Note);
    let note = Note::new([1; 16], "seen".to_owned());
    if let FactKind::IncidentStepped(stepped) = &mut fact.kind {
        stepped.note = Some(note.clone());
    }
    let taken = taken(0, &fact).expect("it can be taken");
    let stepped = taken.fact.stepped().expect("it is a step").clone();
    assert_eq!(stepped.previous, Some("ab".repeat(32)));
    assert_eq!(stepped.note, Some(Note { text: None, ..note.clone() }));
    assert_eq!((taken.note, taken.erased), (note.text, None));
    assert_eq!((taken.handling.steps, taken.handling.notes), (1, 2));
}
