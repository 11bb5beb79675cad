//! The courses that sessions are labelled with.

use std::collections::BTreeSet;

use domain::ids::{MachineId, SessionId};
use domain::live::Session;
use rusqlite::{Connection, OptionalExtension, params};

use super::sessions;
use crate::fact::SessionLabel;
use crate::ledger::CourseQuery;
use crate::ledger::labels::check;
use crate::registry::CourseId;
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{first_row, limit, rows};

/// The table, with the number of the fact that says so.
pub(super) const SCHEMA: &str = "
CREATE TABLE session_course (
    session BLOB PRIMARY KEY,
    course INTEGER NOT NULL,
    number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX course_session ON session_course (course, session);
";

const OF_SESSION: &str = "SELECT course FROM session_course WHERE session = ?1";
const OF_COURSE: &str = "SELECT id FROM session_course JOIN session ON id = session
    WHERE course = ?1 AND started_us >= ?2 AND (started_us, id) < (?3, ?4)
    ORDER BY started_us DESC, id DESC LIMIT ?5";

/// Writes the label of a session that is there, in the transaction of its fact.
pub(super) fn put(connection: &Connection, label: &SessionLabel, number: u64) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached("SELECT machine FROM session WHERE id = ?1")?;
    let machine: Option<MachineId> =
        first_row(&mut statement, [label.session.0], |columns| columns.machine())?;
    check(label, machine.as_ref())?;
    let Some(course) = label.course else {
        connection
            .prepare_cached("DELETE FROM session_course WHERE session = ?1")?
            .execute([label.session.0])?;
        return Ok(());
    };
    connection
        .prepare_cached(
            "INSERT INTO session_course (session, course, number) VALUES (?1, ?2, ?3)
             ON CONFLICT (session) DO UPDATE SET course = excluded.course, number = excluded.number",
        )?
        .execute(params![label.session.0, course.0, number])?;
    Ok(())
}

/// The courses of some sessions.
pub(super) fn of_sessions(
    connection: &Connection,
    sessions: &[SessionId],
) -> Result<Vec<(SessionId, CourseId)>, Failure> {
    let sessions: BTreeSet<SessionId> = sessions.iter().copied().collect();
    let mut statement = connection.prepare_cached(OF_SESSION)?;
    let mut all = Vec::new();
    for id in sessions {
        let course = statement.query_row([id.0], |row| row.get(0)).optional()?;
        all.extend(course.map(|course| (id, CourseId(course))));
    }
    Ok(all)
}

/// A page of the sessions of a course.
pub(super) fn of_course(connection: &Connection, query: &CourseQuery) -> Result<Vec<Session>, Failure> {
    // No course has a number greater than SQLite's greatest.
    let Ok(course) = i64::try_from(query.course.0) else { return Ok(Vec::new()) };
    let (time, id) = sessions::beginning(query.until, query.after);
    let mut statement = connection.prepare_cached(OF_COURSE)?;
    let params = params![course, query.from.0, time.0, id.0, limit(query.max)];
    let ids = rows(&mut statement, params, |columns| Ok(SessionId(columns.get()?)))?;
    ids.into_iter().map(|id| sessions::indexed(connection, id)).collect()
}

#[cfg(test)]
mod tests;
