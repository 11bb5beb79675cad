//! How much work a page is: what SQLite plans, and how many steps it takes with few and with many incidents.

use domain::belt::Direction;
use domain::ids::MachineId;
use domain::incident::{Rule, Severity};
use rusqlite::{Connection, StatementStatus, params};

use super::pages::Walk;
use super::{CHANGED, INCIDENT, SCHEMA, direction_number, severity_code};

fn empty() -> Connection {
    let connection = Connection::open_in_memory().expect("SQLite opens");
    connection.execute_batch(SCHEMA).expect("the schema is SQL");
    connection
}

/// SQLite's plan is this one search and nothing else: no scan, no sort.
#[track_caller]
fn check_plan(connection: &Connection, sql: &str, expected: &str) {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("it is SQL");
    // Unbound parameters are null.
    let mut rows = statement.raw_query();
    let mut steps: Vec<String> = Vec::new();
    while let Some(row) = rows.next().expect("it is planned") {
        steps.push(row.get(3).expect("a step has a text"));
    }
    assert_eq!(steps, [format!("SEARCH incident USING {expected}")], "{sql}");
}

fn machine() -> MachineId {
    MachineId::new("tm-1").expect("it is an id")
}

#[test]
fn pages_are_searched_and_never_scanned_or_sorted() {
    let connection = empty();
    let machine = machine();
    let kind = Walk::Kind(Rule::EmergencyStop, Severity::Low, true);
    let of_severity = Walk::MachineOf(&machine, Severity::Low);
    let walks = [
        (Walk::All, "incident_time", ""),
        (kind, "incident_kind", "rule=? AND severity=? AND active=? AND "),
        (Walk::Machine(&machine), "incident_machine", "machine=? AND "),
        (of_severity, "incident_machine_severity", "machine=? AND severity=? AND "),
    ];
    for (walk, index, fixed) in walks {
        let index = format!("COVERING INDEX {index}");
        let down = format!("{index} ({fixed}time_us>? AND (time_us,id)<(?,?))");
        check_plan(&connection, &walk.keys(false), &down);
        let up = format!("{index} ({fixed}(time_us,id)>(?,?) AND time_us<?)");
        check_plan(&connection, &walk.keys(true), &up);
        let counted = format!("{index} ({fixed}time_us>? AND time_us<?)");
        check_plan(&connection, &walk.counted(), &counted);
    }
    check_plan(&connection, &format!("{INCIDENT} {CHANGED}"), "INDEX incident_change (change_number>?)");
    let one = format!("{INCIDENT} WHERE id = ?1");
    check_plan(&connection, &one, "INDEX sqlite_autoindex_incident_1 (id=?)");
}

/// Rows as they are written, without what only the product reads.
fn fill(connection: &Connection, count: u32) {
    let transaction = connection.unchecked_transaction().expect("it begins");
    for number in 0..count {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
        let rule = Rule::ALL[number as usize % 30].number();
        let severity = severity_code(Severity::ALL[number as usize % 5]);
        let direction = direction_number(Direction::Reverse);
        let machine = format!("tm-{}", number % 50);
        transaction
            .prepare_cached("INSERT INTO incident VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, 1, NULL, '')")
            .and_then(|mut insert| {
                let active = number % 7 == 0;
                insert.execute(params![id, machine, rule, severity, direction, active, number, number + 1])
            })
            .expect("a row can be put");
    }
    transaction.commit().expect("it is committed");
}

/// Steps that SQLite takes for 16 keys in the middle.
fn steps(connection: &Connection, walk: Walk<'_>, ascending: bool, middle: u32) -> i32 {
    let mut statement = connection.prepare(&walk.keys(ascending)).expect("it is SQL");
    let (machine, rule, severity, active) = walk.fixed();
    let end = if ascending { i64::MAX } else { i64::MIN };
    let all = -1_i64;
    let params = params![machine, rule, severity, active, middle, [0_u8; 0], all, all, all, all, end, 16];
    let mut rows = statement.query(params).expect("it is asked");
    let mut found = 0;
    while let Some(row) = rows.next().expect("it answers") {
        let (_, _): (i64, [u8; 16]) = (row.get_unwrap(0), row.get_unwrap(1));
        found += 1;
    }
    drop(rows);
    assert_eq!(found, 16, "the walk goes on");
    assert_eq!(statement.get_status(StatementStatus::Sort), 0, "nothing is sorted");
    assert_eq!(statement.get_status(StatementStatus::FullscanStep), 0, "nothing is scanned");
    statement.get_status(StatementStatus::VmStep)
}

#[test]
fn a_page_takes_as_many_steps_with_100_000_incidents_as_with_few() {
    let (few, many) = (empty(), empty());
    fill(&few, 20_000);
    fill(&many, 100_000);
    let machine = machine();
    let walks = [
        Walk::All,
        Walk::Kind(Rule::ALL[0], Severity::Critical, true),
        Walk::Machine(&machine),
        Walk::MachineOf(&machine, Severity::ALL[1]),
    ];
    for walk in walks {
        for ascending in [false, true] {
            let (one, other) = (steps(&few, walk, ascending, 10_000), steps(&many, walk, ascending, 50_000));
            assert_eq!(one, other, "{walk:?}, ascending: {ascending}");
        }
    }
}
