//! What SQLite plans for notices, and for the facts about an incident.

use rusqlite::Connection;

use super::{SCHEMA, WAITING, page};
use crate::sqlite::ledger::{facts, steps};

/// SQLite's plan is these steps and nothing else: no scan of a table, no sort.
#[track_caller]
fn check_plan(sql: &str, expected: &[&str]) {
    let connection = Connection::open_in_memory().expect("SQLite opens");
    for schema in [SCHEMA, facts::SCHEMA, steps::SCHEMA] {
        connection.execute_batch(schema).expect("the schema is SQL");
    }
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("it is SQL");
    // Unbound parameters are null.
    let mut rows = statement.raw_query();
    let mut steps: Vec<String> = Vec::new();
    while let Some(row) = rows.next().expect("it is planned") {
        steps.push(row.get(3).expect("a step has a text"));
    }
    assert_eq!(steps, expected, "{sql}");
}

#[test]
fn notices_are_searched_and_never_sorted() {
    // Those that wait are read from the first on.
    check_plan(WAITING, &["SCAN notice USING INDEX notice_waiting"]);
    let [list, names, filter] =
        ["LIST SUBQUERY 1", "SCAN json_each VIRTUAL TABLE INDEX 1:", "CREATE BLOOM FILTER"];
    let of_incident = "SEARCH notice USING INDEX notice_incident (incident=? AND (planned_us,id)<(?,?))";
    check_plan(&page(true, false), &[of_incident, list, names, filter]);
    check_plan(&page(true, true), &[of_incident, list, names, filter]);
    let of_contact = "SEARCH notice USING INDEX notice_contact (contact=? AND (planned_us,id)<(?,?))";
    check_plan(&page(false, true), &[of_contact, list, names, filter]);
    let planned = "SEARCH notice USING INDEX notice_planned ((planned_us,id)<(?,?))";
    check_plan(&page(false, false), &[planned, list, names, filter]);
}

#[test]
fn facts_about_an_incident_are_searched() {
    let expected = [
        "SEARCH fact USING INDEX fact_incident (incident=?)",
        "SEARCH note USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
    ];
    check_plan(facts::OF_INCIDENT, &expected);
}
