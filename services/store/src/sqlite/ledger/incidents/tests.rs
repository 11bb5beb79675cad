//! How much work a page is: what SQLite plans, and how many steps it takes with few and with many incidents.

use domain::belt::Direction;
use domain::handling::HandlingState;
use domain::ids::{IncidentId, MachineId};
use domain::incident::{Rule, Severity};
use rusqlite::{Connection, StatementStatus, params, params_from_iter};

use super::walk::{Filtered, Walk, listed};
use super::{CHANGED, INCIDENT, INDICES, TABLE, direction_number, handling_code, severity_code};
use crate::ledger::{IncidentFilter, Members};

fn empty() -> Connection {
    let connection = Connection::open_in_memory().expect("SQLite opens");
    connection.execute_batch(TABLE).expect("the table is SQL");
    connection.execute_batch(INDICES).expect("the indices are SQL");
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
    let low = Severity::Low;
    let kind = Walk::Kind(0, Rule::EmergencyStop, low, true);
    let of_state = Walk::MachineHandled(2, &machine, HandlingState::Open, low);
    let walks = [
        (Walk::All(0), "incident_time", "aside=? AND "),
        (kind, "incident_kind", "aside=? AND rule=? AND severity=? AND active=? AND "),
        (
            Walk::Handled(1, HandlingState::InProgress, low),
            "incident_handling",
            "aside=? AND handling=? AND severity=? AND ",
        ),
        (Walk::Machine(3, &machine), "incident_machine", "machine=? AND aside=? AND "),
        (of_state, "incident_machine_handling", "machine=? AND aside=? AND handling=? AND severity=? AND "),
        (Walk::Lead(low), "incident_lead", "lead=? AND severity=? AND "),
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

/// Where the incidents that people look at lie among all: what they do not look at is nine tenths.
const EVERYDAY: u32 = 10;

/// Rows as they are written, without what only the product reads. Of ten there are four that are closed, four parts of
/// an outage, one proof test and one that people look at.
fn fill(connection: &Connection, count: u32) {
    let transaction = connection.unchecked_transaction().expect("it begins");
    for number in 0..count {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
        let round = number / EVERYDAY;
        let rule = Rule::ALL[round as usize % 30].number();
        let severity = severity_code(Severity::ALL[round as usize % 5]);
        let direction = direction_number(Direction::Reverse);
        let machine = format!("tm-{}", round % 50);
        let handling = handling_code(match number % EVERYDAY {
            1..5 => HandlingState::Closed,
            _ => HandlingState::Open,
        });
        let lead = (5..9).contains(&(number % EVERYDAY)).then_some(LEAD.0);
        let drill = (number % EVERYDAY == 9).then_some(7);
        transaction
            .prepare_cached(
                "INSERT INTO incident VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?7 + 1, 1, NULL, '', ?8, NULL, NULL,
                 ?9, ?10, (?9 IS NOT NULL) + 2 * (?10 IS NOT NULL), '{}')",
            )
            .and_then(|mut insert| {
                let active = round.is_multiple_of(7);
                insert.execute(params![
                    id, machine, rule, severity, direction, active, number, handling, drill, lead
                ])
            })
            .expect("a row can be put");
    }
    transaction.commit().expect("it is committed");
}

const LEAD: IncidentId = IncidentId([9; 16]);

/// Steps that SQLite takes for 16 keys in the middle.
fn steps(
    connection: &Connection,
    (filter, walk): (&IncidentFilter, Walk<'_>),
    ascending: bool,
    middle: u32,
) -> i32 {
    let mut statement = connection.prepare(&walk.keys(ascending)).expect("it is SQL");
    let end = if ascending { i64::MAX } else { i64::MIN };
    let asked = Filtered::of(filter).params(walk, (i64::from(middle), &[]), end, 16);
    let mut rows = statement.query(params_from_iter(asked)).expect("it is asked");
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
    fill(&few, 50_000);
    fill(&many, 100_000);
    let machine = machine();
    let everyday =
        IncidentFilter { drill: Some(false), members: Members::LeftOut, ..IncidentFilter::default() };
    let not_closed = IncidentFilter {
        handling: vec![HandlingState::Open, HandlingState::Acknowledged, HandlingState::InProgress],
        ..everyday.clone()
    };
    let of_lead = IncidentFilter { members: Members::Of(LEAD), ..IncidentFilter::default() };
    let walks = [
        (&everyday, Walk::All(0)),
        (&everyday, Walk::Kind(0, Rule::ALL[0], Severity::Critical, true)),
        (&not_closed, Walk::Handled(0, HandlingState::Open, Severity::Critical)),
        (&everyday, Walk::Machine(0, &machine)),
        (&not_closed, Walk::MachineHandled(0, &machine, HandlingState::Open, Severity::ALL[1])),
        (&of_lead, Walk::Lead(Severity::High)),
    ];
    for (filter, walk) in walks {
        for ascending in [false, true] {
            let asked = (filter, walk);
            let (one, other) =
                (steps(&few, asked, ascending, 25_000), steps(&many, asked, ascending, 50_000));
            assert_eq!(one, other, "{walk:?}, ascending: {ascending}");
        }
    }
}

/// The walks of a filter are such that what it leaves out lies elsewhere.
#[test]
fn walks_go_where_most_is_taken() {
    let machine = machine();
    let everyday =
        IncidentFilter { drill: Some(false), members: Members::LeftOut, ..IncidentFilter::default() };
    let machines = Some(vec![machine]);
    let check = |filter: &IncidentFilter, severity: Option<Severity>, count: usize, first: &str| {
        let walks = listed(filter, severity);
        assert_eq!((walks.len(), format!("{:?}", walks[0]).as_str()), (count, first), "{filter:?}");
    };
    let id = "MachineId(\"tm-1\")";
    check(&everyday, None, 1, "All(0)");
    check(&IncidentFilter::default(), None, 4, "All(0)");
    let not_closed = IncidentFilter {
        handling: vec![HandlingState::InProgress, HandlingState::Open, HandlingState::Acknowledged],
        ..everyday.clone()
    };
    check(&not_closed, None, 15, "Handled(0, Open, Critical)");
    check(&not_closed, Some(Severity::High), 3, "Handled(0, Open, High)");
    let of_machine = IncidentFilter { machines: machines.clone(), ..not_closed.clone() };
    check(&of_machine, Some(Severity::High), 3, &format!("MachineHandled(0, {id}, Open, High)"));
    let of_machine = IncidentFilter { machines, ..everyday.clone() };
    check(&of_machine, None, 1, &format!("Machine(0, {id})"));
    let closed = IncidentFilter { handling: vec![HandlingState::Closed], ..everyday.clone() };
    check(&closed, None, 5, "Handled(0, Closed, Critical)");
    let of_rule = IncidentFilter { rules: vec![Rule::AbruptStop], ..closed };
    check(&of_rule, Some(Severity::Low), 2, "Kind(0, AbruptStop, Low, true)");
    let drills = IncidentFilter { drill: Some(true), ..IncidentFilter::default() };
    check(&drills, None, 2, "All(1)");
    let members = IncidentFilter { members: Members::Of(LEAD), ..everyday };
    check(&members, None, 5, "Lead(Critical)");
}
