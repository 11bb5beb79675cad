//! What SQLite plans for sessions and how many steps it takes; octets of both versions.

use domain::belt::{Direction, Origin};
use domain::ids::{MachineId, SessionId};
use domain::live::{Segment, Session};
use domain::units::{Speed, UnixMicros};
use domain::usage::{Grade, Guidance};
use proptest::prelude::*;
use rusqlite::{Connection, StatementStatus, ToSql, params};

use super::{INDICES, LONGEST, SPANS, TABLE, keys, octets, put, reached_from, way};
use crate::sqlite::ledger::plan;

fn empty() -> Connection {
    let connection = Connection::open_in_memory().expect("SQLite opens");
    connection.execute_batch(TABLE).expect("the table is SQL");
    connection.execute_batch(INDICES).expect("the indices are SQL");
    connection
}

#[test]
fn sessions_are_searched_and_never_scanned_or_sorted() {
    let connection = empty();
    let key = "(machine=? AND started_us>? AND (started_us,id)<(?,?))";
    let of_all = [format!("SEARCH session USING COVERING INDEX session_time {key}")];
    let of_reverse = [format!("SEARCH session USING COVERING INDEX session_reverse {key}")];
    assert_eq!(plan(&connection, &keys(None)), of_all);
    assert_eq!(plan(&connection, &keys(Some(Direction::Forward))), of_all);
    assert_eq!(plan(&connection, &keys(Some(Direction::Stopped))), of_all);
    assert_eq!(plan(&connection, &keys(Some(Direction::Unknown))), of_all);
    assert_eq!(plan(&connection, &keys(Some(Direction::Reverse))), of_reverse);
    // The index and its question are written by hand.
    assert_eq!(way(Direction::Reverse), 2);
    let spans =
        ["SEARCH session USING COVERING INDEX session_time (machine=? AND started_us>? AND started_us<?)"];
    assert_eq!(plan(&connection, SPANS), spans);
    assert_eq!(plan(&connection, LONGEST), ["SEARCH session_longest USING PRIMARY KEY (machine=?)"]);
}

/// A session every 100 s of 50 machines in turn; one of a machine's hundred is in reverse.
fn fill(connection: &Connection, count: u32) {
    let transaction = connection.unchecked_transaction().expect("it begins");
    for number in 0..count {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
        let is_reverse = (number / 50).is_multiple_of(100);
        let direction = if is_reverse { Direction::Reverse } else { Direction::Forward };
        let started = UnixMicros(i64::from(number) * 100);
        let machine = MachineId::new(&format!("tm-{}", number % 50)).expect("it is an id");
        let segment = Segment::begun(direction, Origin::Measured, Grade::Level, started);
        let session = Session {
            id: SessionId(id),
            machine,
            started,
            last_motion: started.plus(90),
            ended: true,
            segments: vec![segment],
            revision: 1,
        };
        put(&transaction, &session).expect("a session can be put");
    }
    transaction.commit().expect("it is committed");
}

/// Steps that SQLite takes for some rows.
fn steps(connection: &Connection, sql: &str, params: &[&dyn ToSql], expected: usize) -> i32 {
    let mut statement = connection.prepare(sql).expect("it is SQL");
    let mut rows = statement.query(params).expect("it is asked");
    let mut found = 0;
    while rows.next().expect("it answers").is_some() {
        found += 1;
    }
    drop(rows);
    assert_eq!(found, expected, "{sql}");
    assert_eq!(statement.get_status(StatementStatus::Sort), 0, "nothing is sorted");
    assert_eq!(statement.get_status(StatementStatus::FullscanStep), 0, "nothing is scanned");
    statement.get_status(StatementStatus::VmStep)
}

#[test]
fn a_page_takes_as_many_steps_with_100_000_sessions_as_with_few() {
    let (few, many) = (empty(), empty());
    fill(&few, 50_000);
    fill(&many, 100_000);
    let middle = 2_500_000_i64;
    let page: &[&dyn ToSql] = params!["tm-7", i64::MIN, middle, [0_u8; 16], 5];
    for with in [None, Some(Direction::Forward), Some(Direction::Reverse)] {
        let sql = keys(with);
        assert_eq!(steps(&few, &sql, page, 5), steps(&many, &sql, page, 5), "{with:?}");
    }
    // What lies before and behind is not looked at.
    let longest: i64 = few.query_row(LONGEST, ["tm-7"], |row| row.get(0)).expect("it has sessions");
    let from = reached_from(UnixMicros(middle), longest);
    let spans: &[&dyn ToSql] = params!["tm-7", from, middle + 50_000, middle, 1_000];
    let taken = steps(&few, SPANS, spans, 10);
    assert_eq!(taken, steps(&many, SPANS, spans, 10));
    assert!(taken < 400, "{taken} steps for ten sessions");
}

fn segments() -> impl Strategy<Value = Segment> {
    let grades = prop::sample::select(Grade::ALL.to_vec());
    let guidance = prop_oneof![Just([0; 5]), any::<[u64; 5]>()];
    (any::<[u64; 4]>(), any::<[i64; 3]>(), any::<u32>(), grades, guidance).prop_map(
        |(numbers, signed, speed, grade, guidance)| Segment {
            direction: Direction::Reverse,
            origin: Origin::Declared,
            started: UnixMicros(signed[0]),
            ended: UnixMicros(signed[1]),
            observed_us: numbers[0],
            distance_mm: numbers[1],
            distance_remainder: numbers[2],
            speed_max: Speed(speed),
            grade,
            incline_us: numbers[3],
            incline_sum: signed[2],
            guidance: Guidance {
                slow_us: guidance[0],
                rail_held_us: guidance[1],
                rail_known_us: guidance[2],
                key_in_us: guidance[3],
                key_known_us: guidance[4],
            },
        },
    )
}

fn session(started: i64, last_motion: i64, segments: Vec<Segment>) -> Session {
    Session {
        id: SessionId([1; 16]),
        machine: MachineId::new("tm-1").expect("it is an id"),
        started: UnixMicros(started),
        last_motion: UnixMicros(last_motion),
        ended: true,
        segments,
        revision: 3,
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        times in any::<[i64; 2]>(),
        segments in prop::collection::vec(segments(), 0..4),
    ) {
        let session = session(times[0], times[1], segments);
        let octets = octets::encode(&session);
        let read = octets::decode(&octets, session.started).expect("it was just written");
        prop_assert_eq!(read, (session.last_motion, session.ended, session.segments));
    }

    #[test]
    fn cut_octets_are_damaged(segments in prop::collection::vec(segments(), 1..3), cut in 1..40_usize) {
        let octets = octets::encode(&session(5, 9, segments));
        let kept = octets.len().saturating_sub(cut);
        prop_assert!(octets::decode(&octets[..kept], UnixMicros(5)).is_err());
    }
}

/// As format 4 of the ledger had it.
#[test]
fn version_1_is_read_without_slopes() {
    let octets = [1, 40, 1, 2, 6, 0, 20, 9, 25, 7, 100, 7, 2, 4, 3, 0, 0, 0];
    let segment = |direction, started: i64, ended: i64| Segment {
        ended: UnixMicros(ended),
        ..Segment::begun(direction, Origin::Measured, Grade::Unknown, UnixMicros(started))
    };
    let reverse = Segment {
        observed_us: 9,
        distance_mm: 25,
        distance_remainder: 7,
        speed_max: Speed(100),
        ..segment(Direction::Reverse, 1_000, 1_010)
    };
    let rest = Segment { observed_us: 3, ..segment(Direction::Stopped, 1_011, 1_013) };
    let read = octets::decode(&octets, UnixMicros(1_000)).expect("it is version 1");
    assert_eq!(read, (UnixMicros(1_020), true, vec![reverse, rest]));
}
