//! How much work usage is: what SQLite plans with few and with many rows, and what it says of damaged ones.

use domain::ids::MachineId;
use domain::units::UnixMicros;
use domain::usage::{PartId, Usage, UsageRow, code};
use rusqlite::{Connection, StatementStatus, params};

use super::{CHANGED, DAYS, NEWEST, SCHEMA, THROUGH, TOTALS, list, put, totals};
use crate::StoreErrorKind;
use crate::ledger::{UsageQuery, quarters};
use crate::sqlite::failure::Failure;
use crate::sqlite::ledger::plan;

fn empty() -> Connection {
    let connection = Connection::open_in_memory().expect("SQLite opens");
    connection.execute_batch(SCHEMA).expect("the schema is SQL");
    connection
}

fn machine(number: i32) -> MachineId {
    MachineId::new(&format!("tm-{number:04}")).expect("it is an id")
}

fn fill(connection: &Connection, machines: i32, days: i32) {
    let mut quarters = Vec::new();
    code::put(&mut quarters, 7, &Usage::default());
    let transaction = connection.unchecked_transaction().expect("it begins");
    for day in 0..days {
        for number in 0..machines {
            let (machine, quarters) = (machine(number), quarters.clone());
            let row =
                UsageRow { machine, day, part: PartId(9), revision: 1, through: UnixMicros(7), quarters };
            put(&transaction, &[row]).expect("a row can be put");
        }
    }
    transaction.commit().expect("it is committed");
}

#[test]
fn rows_are_searched_and_never_scanned_or_sorted() {
    let key = "(machine=? AND (day,part)>(?,?) AND day<?)";
    let connection = empty();
    let days = format!("SEARCH usage_day USING INDEX sqlite_autoindex_usage_day_1 {key}");
    assert_eq!(plan(&connection, DAYS), [days]);
    assert_eq!(plan(&connection, TOTALS), [format!("SEARCH usage_total USING PRIMARY KEY {key}")]);
    let changed = "SEARCH usage_total USING COVERING INDEX usage_change (change_number>?)";
    assert_eq!(plan(&connection, CHANGED), [changed]);
    assert_eq!(plan(&connection, NEWEST), ["SEARCH usage_total USING COVERING INDEX usage_change"]);
    assert_eq!(plan(&connection, THROUGH), ["SEARCH usage_machine USING PRIMARY KEY (machine=?)"]);
}

/// Steps that SQLite takes for a month of one machine in the middle.
fn steps(connection: &Connection, sql: &str) -> i32 {
    let mut statement = connection.prepare(sql).expect("it is SQL");
    let mut rows = statement.query(params!["tm-0025", 99, i64::MAX, 130, 1_000]).expect("it is asked");
    let mut found = 0;
    while rows.next().expect("it answers").is_some() {
        found += 1;
    }
    drop(rows);
    assert_eq!(found, 30, "a month has a row a day");
    assert_eq!(statement.get_status(StatementStatus::Sort), 0, "nothing is sorted");
    assert_eq!(statement.get_status(StatementStatus::FullscanStep), 0, "nothing is scanned");
    statement.get_status(StatementStatus::VmStep)
}

#[test]
fn a_month_of_a_machine_takes_as_many_steps_with_60_000_rows_as_with_few() {
    let (few, many) = (empty(), empty());
    fill(&few, 50, 200);
    fill(&many, 150, 400);
    for sql in [DAYS, TOTALS] {
        assert_eq!(steps(&few, sql), steps(&many, sql), "{sql}");
    }
}

#[test]
fn damaged_usage_is_told_with_machine_and_day() {
    let connection = empty();
    fill(&connection, 1, 3);
    let all = UsageQuery { machines: vec![machine(0)], from_day: 0, until_day: 9, after: None, max: 9 };
    let check = |first: u8, kind: StoreErrorKind| {
        let sql = "UPDATE usage_total SET total = ?1 WHERE day = 2";
        assert_eq!(connection.execute(sql, [[first, 1]]), Ok(1));
        let Err(Failure::Store(error)) = totals(&connection, &all) else { panic!("it is damaged") };
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.context.contains("machine \"tm-0000\" on day 2"), "{error}");
        let sql = "UPDATE usage_day SET quarters = ?1 WHERE day = 2";
        assert_eq!(connection.execute(sql, [[first, 1]]), Ok(1));
        let rows = list(&connection, &all).expect("rows can be read");
        let read: Vec<_> = rows.iter().flat_map(quarters).collect();
        let error = read[2].as_ref().expect_err("it is damaged");
        assert_eq!((read.len(), error.kind), (3, kind), "{error}");
        assert!(error.context.contains("machine \"tm-0000\" on day 2"), "{error}");
    };
    check(1, StoreErrorKind::Corrupt);
    check(9, StoreErrorKind::IncompatibleVersion);
}
