//! What SQLite plans for labels.

use rusqlite::Connection;

use super::{OF_COURSE, OF_SESSION, SCHEMA};
use crate::sqlite::ledger::{plan, sessions};

#[test]
fn labels_are_searched() {
    let connection = Connection::open_in_memory().expect("SQLite opens");
    for schema in [sessions::TABLE, sessions::INDICES, SCHEMA] {
        connection.execute_batch(schema).expect("the schema is SQL");
    }
    let of_session = ["SEARCH session_course USING PRIMARY KEY (session=?)"];
    assert_eq!(plan(&connection, OF_SESSION), of_session);
    // Sessions of one course are few enough to be sorted.
    let of_course = [
        "SEARCH session_course USING COVERING INDEX course_session (course=?)",
        "SEARCH session USING INDEX sqlite_autoindex_session_1 (id=?)",
        "USE TEMP B-TREE FOR ORDER BY",
    ];
    assert_eq!(plan(&connection, OF_COURSE), of_course);
}
