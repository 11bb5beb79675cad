//! What was erased is in no file any more, while the ledger is open and when it is closed.

use std::fs;
use std::path::Path;

use domain::belt::{Direction, Origin};
use domain::handling::Step;
use domain::ids::{IncidentId, MachineId};
use domain::incident::{Incident, Rule, Severity};
use domain::signal::Capabilities;
use domain::units::UnixMicros;
use store::fact::{Fact, FactKind, FactOutcome, IncidentStepped, Note};
use store::ledger::{Derived, DerivedIncident, Ledger};
use store::sqlite::SqliteLedger;

const ID: IncidentId = IncidentId([1; 16]);

fn incident() -> Incident {
    let machine = MachineId::new("tm-1").expect("it is an id");
    Incident {
        id: ID,
        machine,
        rule: Rule::AbruptStop,
        rule_version: 1,
        severity: Severity::Medium,
        time: UnixMicros(1),
        noticed: UnixMicros(1),
        drill: None,
        cleared: None,
        direction: Direction::Unknown,
        origin: Origin::Unknown,
        speed: None,
        incline: None,
        contact: None,
        count: 1,
        measured: Vec::new(),
        thresholds: Vec::new(),
        detail: String::new(),
        explained: String::new(),
        capabilities: Capabilities::SPEED,
        stop: None,
        recording: None,
        trace: Vec::new(),
        trace_complete: true,
        revision: 1,
    }
}

fn text(number: u64) -> String {
    format!("Frau Muster {number} aus Musterdorf hat sich weh getan. ").repeat(20)
}

async fn step(ledger: &SqliteLedger, step: Step, note: Option<String>) -> u64 {
    let note = note.map(|text| Note::new([9; 16], text));
    let kind = FactKind::IncidentStepped(IncidentStepped { incident: ID, step, note, previous: None });
    let fact = Fact { time: UnixMicros(2), author: "user:anna".to_owned(), request_id: None, kind };
    match ledger.add_fact(fact).await.expect("a step can be taken") {
        FactOutcome::Added(number) => number,
        FactOutcome::Repeated(number, _) => panic!("taken for a repetition of {number}"),
    }
}

/// Whether a text is in any file of a folder.
fn is_in(folder: &Path, text: &str) -> bool {
    let files = fs::read_dir(folder).expect("a folder can be read");
    files.into_iter().any(|file| {
        let octets = fs::read(file.expect("it is there").path()).expect("a file can be read");
        octets.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[tokio::test]
async fn an_erased_text_is_in_no_file() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let ledger = SqliteLedger::open(folder.path()).expect("it opens");
    let incidents = vec![DerivedIncident { incident: incident(), detected: UnixMicros(1) }];
    ledger.put(Derived { incidents, ..Derived::default() }).await.expect("it can be put");
    // So many that pages are split, and rows stand before and behind those that go.
    let mut numbers = Vec::new();
    for number in 1..=40 {
        numbers.push(step(&ledger, Step::Note, Some(text(number))).await);
    }
    let part = |number: u64| format!("Muster {number} aus");
    assert!((1..=40).all(|number| is_in(folder.path(), &part(number))), "texts can be found");
    for number in [1, 7, 8, 9, 23, 40] {
        step(&ledger, Step::EraseNote { number: numbers[number - 1] }, None).await;
        assert!(!is_in(folder.path(), &part(number as u64)), "note {number} is still there");
    }
    assert!(is_in(folder.path(), &part(10)));
    drop(ledger);
    assert!([1, 7, 8, 9, 23, 40].iter().all(|number| !is_in(folder.path(), &part(*number))));
    assert!(is_in(folder.path(), &part(10)));
}
