//! Ledgers of older formats, registries that are damaged, facts that cannot be committed.

mod formats;
mod sessions;
mod usage;

use std::fs;
use std::path::Path;

use domain::handling::{Handling, HandlingState, Step};
use domain::ids::{IncidentId, MachineId, RecordingId, SiteId};
use domain::incident::Severity;
use domain::registry::{BeltKind, DriveKind};
use domain::units::UnixMicros;
use rusqlite::Connection;
use store::StoreErrorKind;
use store::fact::{Fact, FactKind, FactOutcome, IncidentStepped, Leaf, MachineName, TokenNumber, leaf};
use store::ledger::{Checkpoint, IncidentFilter, Ledger, Members};
use store::registry::{Grant, Role, Site};
use store::sqlite::SqliteLedger;
use tempfile::TempDir;

use self::formats::{FACTS_1, FORMAT_1, FORMAT_2, FORMAT_3};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

fn file(folder: &Path) -> Connection {
    Connection::open(folder.join("ledger.db")).expect("SQLite opens it")
}

/// A folder with a ledger of format 1, after some SQL.
fn format_1(then: &str) -> TempDir {
    let folder = folder();
    let made = file(folder.path());
    made.execute_batch(FORMAT_1).expect("it is SQL");
    for (number, (author, request_id, body)) in (1_i64..).zip(FACTS_1) {
        let values = rusqlite::params![number, 100 + number, author, request_id, body];
        made.execute("INSERT INTO fact VALUES (?1, ?2, ?3, ?4, ?5)", values).expect("a fact can be put");
    }
    made.execute_batch(then).expect("it is SQL");
    made.close().expect("it can be closed");
    folder
}

fn site(name: &str) -> SiteId {
    SiteId::new(name).expect("it is an id")
}

fn machine(name: &str) -> MachineId {
    MachineId::new(name).expect("it is an id")
}

fn fact(author: &str, kind: FactKind) -> Fact {
    Fact { time: UnixMicros(1_000), author: author.to_owned(), request_id: None, kind }
}

#[tokio::test]
async fn a_ledger_of_format_1_is_brought_to_the_newest() {
    let folder = format_1("");
    let ledger = SqliteLedger::open(folder.path()).expect("it is upgraded");
    let registry = ledger.registry();
    assert_eq!(registry.last_fact, 6);
    let expected = Site {
        id: site("gym-1"),
        display_name: "Gym".to_owned(),
        time_zone: "Europe/Vienna".to_owned(),
        created: UnixMicros(5),
        history: Default::default(),
    };
    assert_eq!(*registry.sites()[&site("gym-1")], expected);
    assert_eq!(registry.sites().len(), 2);
    let two = &registry.machines()[&machine("tm-02")];
    assert_eq!((&two.site, two.key_generation, two.revoked_generation), (&site("gym-2"), 3, 0));
    assert_eq!((two.belt, two.drive, two.place), (BeltKind::Unknown, DriveKind::Motor, None));
    assert_eq!(registry.machines().len(), 2);
    let tokens: Vec<_> = registry
        .tokens()
        .values()
        .map(|token| (token.number, token.author.as_str(), token.created.0, token.grants.clone()))
        .collect();
    let viewer = |sites: &[&str]| {
        vec![Grant { role: Role::Viewer, sites: sites.iter().map(|name| site(name)).collect() }]
    };
    let expected = [(4, "local:anna", 104, viewer(&["gym-1", "gym-2"])), (6, "local:ben", 106, viewer(&[]))];
    assert_eq!(tokens, expected);
    assert_eq!(registry.users().len(), 0);

    // What is derived stays, facts go on, requests are known.
    let checkpoint =
        Checkpoint { machine: machine("tm-01"), sequence: 7, revision: 3, state: vec![1, 2].into() };
    assert_eq!(ledger.checkpoints(None, 10).await.expect("checkpoints can be read"), [checkpoint]);
    let facts = ledger.facts(0, 10).await.expect("facts can be read");
    assert_eq!(facts.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    let again = ledger.add_fact(facts[0].1.clone()).await.expect("repeating is no failure");
    assert_eq!(again, FactOutcome::Repeated(1, Box::new(facts[0].1.clone())));
    let revoked = fact("user:anna", FactKind::TokenRevoked(TokenNumber { number: 4 }));
    assert_eq!(ledger.add_fact(revoked).await.expect("it goes on"), FactOutcome::Added(7));
    let before = ledger.registry();
    drop(ledger);
    let ledger = SqliteLedger::open(folder.path()).expect("it opens again");
    assert_eq!(ledger.registry(), before);
    drop(ledger);
    let version = file(folder.path()).pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0));
    assert_eq!(version, Ok(6));
}

/// What its tables and indices are made of, by name.
fn tables(folder: &Path) -> Vec<String> {
    let file = file(folder);
    let mut statement = file
        .prepare("SELECT sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
        .expect("it is SQL");
    let tables = statement.query_map([], |row| row.get::<_, String>(0)).expect("it can be asked");
    let spaces = |sql: String| sql.split_whitespace().collect::<String>();
    tables.map(|sql| spaces(sql.expect("it is a table"))).collect()
}

/// It has the same tables and indices as a new one.
fn check_tables(folder: &Path) {
    let new = tempfile::tempdir().expect("a folder can be made");
    drop(SqliteLedger::open(new.path()).expect("it is made"));
    assert_eq!(tables(folder), tables(new.path()));
}

#[tokio::test]
async fn a_ledger_of_format_2_gets_room_for_incidents() {
    let folder = format_1(FORMAT_2);
    for _ in 0..2 {
        let ledger = SqliteLedger::open(folder.path()).expect("it opens");
        assert_eq!(ledger.registry().sites()[&site("gym-1")].display_name, "Gym");
        assert_eq!(ledger.registry().last_fact, 6);
        assert_eq!(ledger.checkpoints(None, 10).await.expect("checkpoints can be read").len(), 1);
        assert_eq!(*ledger.incident_change().borrow(), 0);
        let counts = ledger.incident_counts(&IncidentFilter::default()).await;
        assert_eq!(counts.expect("incidents can be counted"), []);
        let recording = ledger.recording(&RecordingId([1; 16])).await;
        assert_eq!(recording.expect("recordings can be read"), []);
    }
    check_tables(folder.path());
}

/// The leaves of the facts of format 1, as they lie in the file.
fn leaves_1() -> Vec<Leaf> {
    let facts = (1_u64..).zip(FACTS_1);
    facts
        .map(|(number, (author, _, body))| leaf(number, UnixMicros(100 + number.cast_signed()), author, body))
        .collect()
}

#[tokio::test]
async fn facts_of_format_3_get_leaves_and_incidents_are_open() {
    let folder = format_1(&format!("{FORMAT_2} {FORMAT_3}"));
    let id = IncidentId([1; 16]);
    for _ in 0..2 {
        let ledger = SqliteLedger::open(folder.path()).expect("it opens");
        assert_eq!(ledger.leaves(0, 100).await.expect("leaves can be read"), leaves_1());
        let stored = ledger.incident(&id).await.expect("it can be read").expect("it is there");
        assert_eq!((stored.change, stored.unconfirmed, stored.handling), (41, Some(2), Handling::default()));
        assert_eq!((stored.incident.severity, stored.incident.drill), (Severity::High, None));
        assert_eq!(*ledger.incident_change().borrow(), 41);
        assert_eq!(ledger.incident_facts(&id).await.expect("facts can be read"), []);
        assert_eq!(ledger.notices_taken().await.expect("the cursor can be read"), None);
        let everyday = IncidentFilter {
            handling: vec![HandlingState::Open],
            drill: Some(false),
            members: Members::LeftOut,
            ..IncidentFilter::default()
        };
        let counts = ledger.incident_counts(&everyday).await.expect("incidents can be counted");
        assert_eq!(counts.iter().map(|count| count.count).sum::<u64>(), 1);
    }
    check_tables(folder.path());
    // It goes on from there.
    let ledger = SqliteLedger::open(folder.path()).expect("it opens");
    let stepped = IncidentStepped { incident: id, step: Step::Acknowledge, note: None, previous: None };
    let outcome = ledger.add_fact(fact("user:anna", FactKind::IncidentStepped(stepped))).await;
    assert_eq!(outcome.expect("a step can be taken"), FactOutcome::Added(7));
    assert_eq!(*ledger.incident_change().borrow(), 42);
    let about = ledger.incident_facts(&id).await.expect("facts can be read");
    let all = ledger.leaves(0, 100).await.expect("leaves can be read");
    assert_eq!((about.len(), about[0].leaf, &all[..6]), (1, all[6], &leaves_1()[..]));
}

#[test]
fn more_facts_than_are_read_at_once_get_leaves() {
    let body = FACTS_1[0].2;
    let many = format!(
        "{FORMAT_2} {FORMAT_3}
         WITH RECURSIVE n (n) AS (SELECT 7 UNION ALL SELECT n + 1 FROM n WHERE n < 2500)
         INSERT INTO fact SELECT n, n, 'local:anna', NULL, '{body}' FROM n;"
    );
    let folder = format_1(&many);
    drop(SqliteLedger::open(folder.path()).expect("it is upgraded"));
    let file = file(folder.path());
    let found = |number: u64| {
        file.query_row("SELECT leaf FROM fact WHERE number = ?1", [number], |row| row.get::<_, Leaf>(0))
    };
    for number in [7, 999, 1_000, 1_001, 2_500] {
        assert_eq!(found(number), Ok(leaf(number, UnixMicros(number.cast_signed()), "local:anna", body)));
    }
    let without = file.query_row("SELECT count(*) FROM fact WHERE length(leaf) <> 32", [], |row| row.get(0));
    assert_eq!(without, Ok(0_i64));
}

/// What cannot be read stops the upgrade, and the file is as it was.
#[track_caller]
fn check_stopped(then: &str, kind: StoreErrorKind, says: &[&str]) {
    let folder = format_1(then);
    let path = folder.path().join("ledger.db");
    let before = fs::read(&path).expect("it can be read");
    for _ in 0..2 {
        let error = SqliteLedger::open(folder.path()).expect_err("the upgrade is stopped");
        assert_eq!(error.kind, kind, "{error}");
        for part in says {
            assert!(error.context.contains(part), "\"{part}\" is not in \"{error}\"");
        }
        assert_eq!(fs::read(&path).expect("it can be read"), before, "the file was written to");
    }
    let file = file(folder.path());
    let count = |table: &str| {
        file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0))
    };
    assert_eq!(
        (count("fact"), count("site"), count("machine"), count("token")),
        (Ok(6), Ok(2), Ok(2), Ok(2))
    );
    assert!(count("entry").is_err());
}

#[test]
fn an_upgrade_that_fails_changes_nothing() {
    check_stopped(
        "UPDATE fact SET body = substr(body, 1, 40) WHERE number = 5",
        StoreErrorKind::Corrupt,
        &["ledger.db", "fact 5 is damaged", "restore a backup"],
    );
    check_stopped(
        "UPDATE fact SET body = replace(body, 'manual', 'steam') WHERE number = 3",
        StoreErrorKind::Corrupt,
        &["fact 3 is damaged", "steam"],
    );
    check_stopped(
        "UPDATE fact SET body = replace(body, '\"v\":1', '\"v\":9') WHERE number = 3",
        StoreErrorKind::IncompatibleVersion,
        &["fact 3 has version 9", "reads up to 2"],
    );
    // Facts that never went together.
    check_stopped(
        "UPDATE fact SET body = replace(body, 'tm-02', 'tm-01') WHERE number = 5",
        StoreErrorKind::Corrupt,
        &["fact 5", "\"tm-01\" already"],
    );
}

#[tokio::test]
async fn a_damaged_entry_is_found() {
    let folder = format_1("");
    drop(SqliteLedger::open(folder.path()).expect("it is upgraded"));
    let damaged = file(folder.path());
    let changed = damaged.execute("UPDATE entry SET body = '{}' WHERE kind = 'machine' AND id = 'tm-02'", []);
    assert_eq!(changed, Ok(1));
    damaged.close().expect("it can be closed");
    let error = SqliteLedger::open(folder.path()).expect_err("it is damaged");
    assert_eq!(error.kind, StoreErrorKind::Corrupt, "{error}");
    assert!(error.context.contains("the machine \"tm-02\" of the registry is damaged"), "{error}");
    assert!(error.context.contains("ledger.db"), "{error}");
}

/// A rule that is looked at when a transaction is committed, and broken by the facts of one author.
const SPOILED: &str = "
CREATE TABLE parent (id INTEGER PRIMARY KEY);
CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TRIGGER spoil AFTER INSERT ON fact WHEN new.author = 'user:spoiler'
    BEGIN INSERT INTO child VALUES (new.number); END;
";

#[tokio::test]
async fn a_fact_that_cannot_be_committed_leaves_the_registry_as_it_was() {
    let folder = format_1(SPOILED);
    let ledger = SqliteLedger::open(folder.path()).expect("it opens");
    let before = ledger.registry();
    let renewed = || FactKind::CredentialRenewed(MachineName { machine: machine("tm-01") });
    ledger.add_fact(fact("user:spoiler", renewed())).await.expect_err("the commit fails");
    assert_eq!(ledger.registry(), before);
    assert_eq!(ledger.facts(6, 10).await.expect("facts can be read"), []);
    // The next one gets the number, and follows from what is on disk.
    let outcome = ledger.add_fact(fact("user:anna", renewed())).await.expect("this one can");
    assert_eq!(outcome, FactOutcome::Added(7));
    let after = ledger.registry();
    assert_eq!(after.machines()[&machine("tm-01")].key_generation, 2);
    drop(ledger);
    let ledger = SqliteLedger::open(folder.path()).expect("it opens again");
    assert_eq!(ledger.registry(), after);
}

/// An incident, and a rule that is looked at at the commit and broken by one version of the incident's rule.
const SPOILED_INCIDENT: &str = "
INSERT INTO incident VALUES (x'01010101010101010101010101010101', 'tm-01', 1, 1, 1, 1, 5, 6, 41, 1, NULL, '', 0, NULL,
    NULL, NULL, NULL, 0, '{}');
CREATE TABLE parent (id INTEGER PRIMARY KEY);
CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TRIGGER spoil AFTER UPDATE ON incident WHEN new.unconfirmed = 7
    BEGIN INSERT INTO child VALUES (new.change_number); END;
";

#[tokio::test]
async fn a_change_that_cannot_be_committed_is_not_told() {
    let folder = format_1("");
    drop(SqliteLedger::open(folder.path()).expect("it is upgraded"));
    file(folder.path()).execute_batch(SPOILED_INCIDENT).expect("it is SQL");
    let ledger = SqliteLedger::open(folder.path()).expect("it opens again");
    let change = ledger.incident_change();
    assert_eq!(*change.borrow(), 41);
    let id = IncidentId([1; 16]);
    ledger.mark_unconfirmed(vec![id], 7).await.expect_err("the commit fails");
    assert!(!change.has_changed().expect("the ledger is there"));
    // The next one gets the number.
    ledger.mark_unconfirmed(vec![id], 8).await.expect("this one can");
    assert_eq!(*change.borrow(), 42);
}
