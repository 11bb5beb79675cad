//! Sessions of format 4.

use domain::belt::Direction;
use domain::ids::{MachineId, SessionId};
use domain::units::UnixMicros;
use domain::usage::Grade;
use store::StoreErrorKind;
use store::fact::{FactKind, FactOutcome, NewCourse};
use store::ledger::{Ledger, SessionQuery};
use store::registry::CourseCode;
use store::sqlite::SqliteLedger;
use tempfile::TempDir;

use crate::formats::{FORMAT_2, FORMAT_3, FORMAT_4};
use crate::{check_tables, fact, file, format_1, machine, site};

/// A ledger of format 4 after some SQL.
fn format_4(then: &str) -> TempDir {
    format_1(&format!("{FORMAT_2} {FORMAT_3} {FORMAT_4} {then}"))
}

/// Sessions of version 1: in reverse and then at rest, forward, and without segments; each ends 20 us after its start.
const SESSIONS_4: &str = "
INSERT INTO session VALUES
    (x'01010101010101010101010101010101', 'tm-01', 1000, 5,
        x'012801020600140919076407020403000000'),
    (x'02020202020202020202020202020202', 'tm-01', 2000, 5, x'0128010105000209190764'),
    (x'03030303030303030303030303030303', 'tm-01', 3000, 5, x'01280000');
";

fn sessions_of(machine: MachineId, with: Option<Direction>) -> SessionQuery {
    let (from, until) = (UnixMicros(i64::MIN), UnixMicros(i64::MAX));
    SessionQuery { machines: vec![machine], from, until, with, after: None, max: 1_000 }
}

#[tokio::test]
async fn sessions_of_format_4_are_found_by_direction_and_span() {
    let folder = format_4(SESSIONS_4);
    let tm = machine("tm-01");
    for _ in 0..2 {
        let ledger = SqliteLedger::open(folder.path()).expect("it opens");
        let found = async |with| -> Vec<u8> {
            let sessions = ledger.sessions(&sessions_of(tm.clone(), with)).await.expect("they can be listed");
            sessions.into_iter().map(|session| session.id.0[0]).collect()
        };
        assert_eq!(found(None).await, [3, 2, 1]);
        assert_eq!(found(Some(Direction::Reverse)).await, [1]);
        assert_eq!(found(Some(Direction::Stopped)).await, [1]);
        assert_eq!(found(Some(Direction::Forward)).await, [2]);
        let spans =
            ledger.session_spans(std::slice::from_ref(&tm), UnixMicros(1_015), UnixMicros(2_001), 10).await;
        let span = |started| (tm.clone(), UnixMicros(started), UnixMicros(started + 20));
        assert_eq!(spans.expect("spans can be read"), [span(1_000), span(2_000)]);
        let one = ledger.session(&SessionId([1; 16])).await.expect("it can be read").expect("it is there");
        assert_eq!((one.segments.len(), one.last_motion), (2, UnixMicros(1_020)));
        let grades: Vec<Grade> = one.segments.iter().map(|segment| segment.grade).collect();
        assert_eq!(grades, [Grade::Unknown, Grade::Unknown]);
        assert_eq!(ledger.usage_through(std::slice::from_ref(&tm)).await.expect("usage can be read"), []);
    }
    check_tables(folder.path());
    // It goes on from there.
    let ledger = SqliteLedger::open(folder.path()).expect("it opens");
    let made = NewCourse {
        site: site("gym-1"),
        code: CourseCode::new("K-1").expect("it is a code"),
        prescription: None,
    };
    let outcome = ledger.add_fact(fact("user:anna", FactKind::CourseCreated(made))).await;
    assert_eq!(outcome.expect("a course can be made"), FactOutcome::Added(7));
}

#[test]
fn more_sessions_than_are_read_at_once_get_their_columns() {
    let many = "
        WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2500)
        INSERT INTO session SELECT unhex(printf('%032x', n * 40503 % 65536)), 'tm-' || (n % 3), n, 1,
            x'0128010105000209190764' FROM n;";
    let folder = format_4(many);
    drop(SqliteLedger::open(folder.path()).expect("it is upgraded"));
    let file = file(folder.path());
    let count = |sql: &str| file.query_row(sql, [], |row| row.get::<_, i64>(0));
    assert_eq!(count("SELECT count(*) FROM session"), Ok(2_500));
    assert_eq!(
        count("SELECT count(*) FROM session WHERE ways <> 1 OR last_motion_us <> started_us + 20"),
        Ok(0)
    );
    assert_eq!(count("SELECT count(*) FROM session_longest WHERE longest_us = 20"), Ok(3));
}

#[test]
fn a_damaged_session_of_format_4_stops_the_upgrade() {
    let folder =
        format_4(&format!("{SESSIONS_4} UPDATE session SET body = x'012801' WHERE started_us = 2000"));
    let error = SqliteLedger::open(folder.path()).expect_err("it is damaged");
    assert_eq!(error.kind, StoreErrorKind::Corrupt, "{error}");
    assert!(error.context.contains("session 02020202"), "{error}");
    assert!(error.context.contains("ledger.db"), "{error}");
    let version = file(folder.path()).pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0));
    assert_eq!(version, Ok(4));
}
