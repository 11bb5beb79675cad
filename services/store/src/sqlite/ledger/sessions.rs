//! Sessions: their rows, the newest of many machines, and when many were in motion.

mod octets;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, BinaryHeap, VecDeque};

use domain::belt::Direction;
use domain::ids::{MachineId, SessionId};
use domain::live::Session;
use domain::units::UnixMicros;
use rusqlite::{Connection, OptionalExtension, params};

use crate::ledger::SessionQuery;
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{Columns, first_row, limit, rows};
use crate::{StoreError, StoreErrorKind};

/// The table. `ways` has a bit for each direction of its segments.
pub(super) const TABLE: &str = "
CREATE TABLE session (
    id BLOB PRIMARY KEY,
    machine TEXT NOT NULL,
    started_us INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    body BLOB NOT NULL,
    ways INTEGER NOT NULL DEFAULT 0,
    last_motion_us INTEGER NOT NULL DEFAULT 0
) STRICT;
";

/// Few sessions have a segment in reverse, which is `ways & 2`. A session that reaches a moment began no longer before it
/// than the longest one of its machine took.
pub(super) const INDICES: &str = "
CREATE INDEX session_time ON session (machine, started_us, id, ways, last_motion_us);
CREATE INDEX session_reverse ON session (machine, started_us, id, ways) WHERE ways & 2;
CREATE TABLE session_longest (
    machine TEXT PRIMARY KEY,
    longest_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Keys read of one machine at a time when the newest of many are looked for.
const KEYS_AT_A_TIME: usize = 16;
const SESSION: &str = "SELECT id, machine, started_us, revision, body FROM session";
const LONGEST: &str = "SELECT longest_us FROM session_longest WHERE machine = ?1";
const SPANS: &str = "SELECT started_us, id, last_motion_us FROM session INDEXED BY session_time
    WHERE machine = ?1 AND started_us >= ?2 AND started_us < ?3 AND last_motion_us >= ?4
    ORDER BY started_us, id LIMIT ?5";

/// Writes a session unless a greater revision of it is there.
pub(super) fn put(connection: &Connection, session: &Session) -> Result<(), Failure> {
    let written = connection
        .prepare_cached(
            "INSERT INTO session (id, machine, started_us, revision, body, ways, last_motion_us)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (id) DO UPDATE
             SET machine = excluded.machine, started_us = excluded.started_us, revision = excluded.revision,
                 body = excluded.body, ways = excluded.ways, last_motion_us = excluded.last_motion_us
             WHERE excluded.revision >= revision",
        )?
        .execute(params![
            session.id.0,
            session.machine.as_str(),
            session.started.0,
            session.revision,
            octets::encode(session),
            ways(session),
            session.last_motion.0,
        ])?;
    if written > 0 { note_length(connection, session) } else { Ok(()) }
}

fn note_length(connection: &Connection, session: &Session) -> Result<(), Failure> {
    let length = session.last_motion.0.saturating_sub(session.started.0).max(0);
    connection
        .prepare_cached(
            "INSERT INTO session_longest (machine, longest_us) VALUES (?1, ?2)
             ON CONFLICT (machine) DO UPDATE SET longest_us = excluded.longest_us
             WHERE excluded.longest_us > longest_us",
        )?
        .execute(params![session.machine.as_str(), length])?;
    Ok(())
}

/// The directions of a session's segments as bits.
fn ways(session: &Session) -> i64 {
    session.segments.iter().fold(0, |ways, segment| ways | way(segment.direction))
}

fn way(direction: Direction) -> i64 {
    match direction {
        Direction::Forward => 1,
        Direction::Reverse => 2,
        Direction::Stopped => 4,
        Direction::Unknown => 8,
    }
}

/// Gives the sessions of a format before 5 the columns of format 5.
pub(super) fn upgrade(connection: &Connection) -> Result<(), Failure> {
    connection.execute_batch(
        "ALTER TABLE session ADD COLUMN ways INTEGER NOT NULL DEFAULT 0;
         ALTER TABLE session ADD COLUMN last_motion_us INTEGER NOT NULL DEFAULT 0;
         DROP INDEX session_time;",
    )?;
    connection.execute_batch(INDICES)?;
    const PAGE: usize = 1_000;
    // Less than every id.
    let mut after = Vec::new();
    loop {
        let sql = format!("{SESSION} WHERE id > ?1 ORDER BY id LIMIT ?2");
        let mut statement = connection.prepare_cached(&sql)?;
        let sessions = rows(&mut statement, params![after, limit(PAGE)], of_row)?;
        let Some(last) = sessions.last() else { return Ok(()) };
        after = last.id.0.to_vec();
        let mut write =
            connection.prepare_cached("UPDATE session SET ways = ?2, last_motion_us = ?3 WHERE id = ?1")?;
        for session in &sessions {
            write.execute(params![session.id.0, ways(session), session.last_motion.0])?;
            note_length(connection, session)?;
        }
    }
}

/// One session.
pub(super) fn get(connection: &Connection, id: SessionId) -> Result<Option<Session>, Failure> {
    let mut statement = connection.prepare_cached(&format!("{SESSION} WHERE id = ?1"))?;
    first_row(&mut statement, [id.0], of_row)
}

/// A session that an index told of.
pub(super) fn indexed(connection: &Connection, id: SessionId) -> Result<Session, Failure> {
    get(connection, id)?.ok_or_else(|| Failure::corrupt(format!("session {id} is in an index only")))
}

/// Where a page of sessions begins, newest first.
pub(super) fn beginning(until: UnixMicros, after: Option<Key>) -> Key {
    // Before the first one stands a place after every key: no session begins at `until`.
    let first = (until, SessionId([0; 16]));
    after.map_or(first, |after| after.min(first))
}

/// The newest sessions of some machines: each machine's keys are read a few at a time, newest first, and merged.
pub(super) fn list(connection: &Connection, query: &SessionQuery) -> Result<Vec<Session>, Failure> {
    let machines: BTreeSet<&MachineId> = query.machines.iter().collect();
    let mut queues = Vec::with_capacity(machines.len());
    let mut heads = BinaryHeap::with_capacity(machines.len());
    let sql = keys(query.with);
    for machine in machines {
        let before = beginning(query.until, query.after);
        let mut queue = Queue { sql: &sql, machine, before, keys: VecDeque::new() };
        if let Some(key) = queue.next(connection, query.from)? {
            heads.push((key, queues.len()));
        }
        queues.push(queue);
    }
    let mut sessions = Vec::new();
    while sessions.len() < query.max
        && let Some(((_, id), queue)) = heads.pop()
    {
        sessions.push(indexed(connection, id)?);
        if let Some(key) = queues[queue].next(connection, query.from)? {
            heads.push((key, queue));
        }
    }
    Ok(sessions)
}

type Key = (UnixMicros, SessionId);

/// The statement that reads keys of one machine.
fn keys(with: Option<Direction>) -> String {
    let (index, and) = match with {
        None => ("session_time", String::new()),
        Some(Direction::Reverse) => ("session_reverse", "AND ways & 2".to_owned()),
        Some(direction @ (Direction::Forward | Direction::Stopped | Direction::Unknown)) => {
            ("session_time", format!("AND ways & {}", way(direction)))
        }
    };
    format!(
        "SELECT started_us, id FROM session INDEXED BY {index}
         WHERE machine = ?1 AND started_us >= ?2 AND (started_us, id) < (?3, ?4) {and}
         ORDER BY started_us DESC, id DESC LIMIT ?5"
    )
}

/// Keys of one machine's sessions, newest first.
struct Queue<'q> {
    sql: &'q str,
    machine: &'q MachineId,
    before: Key,
    keys: VecDeque<Key>,
}

impl Queue<'_> {
    fn next(&mut self, connection: &Connection, from: UnixMicros) -> Result<Option<Key>, Failure> {
        if self.keys.is_empty() {
            let mut statement = connection.prepare_cached(self.sql)?;
            let (time, id) = self.before;
            let params = params![self.machine.as_str(), from.0, time.0, id.0, limit(KEYS_AT_A_TIME)];
            let keys =
                rows(&mut statement, params, |columns| Ok((columns.time()?, SessionId(columns.get()?))))?;
            self.keys = keys.into();
        }
        let key = self.keys.pop_front();
        self.before = key.unwrap_or(self.before);
        Ok(key)
    }
}

/// When sessions of some machines were in motion, by start; the first `max` of those that reach into a span.
pub(super) fn spans(
    connection: &Connection,
    machines: &[MachineId],
    (from, until): (UnixMicros, UnixMicros),
    max: usize,
) -> Result<Vec<(MachineId, UnixMicros, UnixMicros)>, Failure> {
    let machines: BTreeSet<&MachineId> = machines.iter().collect();
    let mut longest = connection.prepare_cached(LONGEST)?;
    let mut statement = connection.prepare_cached(SPANS)?;
    let mut found = Vec::new();
    for machine in machines {
        let longest = longest.query_row([machine.as_str()], |row| row.get(0)).optional()?;
        let Some(earliest) = longest.map(|longest| reached_from(from, longest)) else { continue };
        let params = params![machine.as_str(), earliest, until.0, from.0, limit(max)];
        found.extend(rows(&mut statement, params, |columns| {
            let (started, id) = (columns.time()?, SessionId(columns.get()?));
            Ok((started, machine, id, columns.time()?))
        })?);
        if found.len() >= 2 * max {
            found.sort_unstable();
            found.truncate(max);
        }
    }
    found.sort_unstable();
    found.truncate(max);
    Ok(found.into_iter().map(|(started, machine, _, last)| (machine.clone(), started, last)).collect())
}

/// The earliest start of a session of at most this length that is in motion at or after a moment.
fn reached_from(moment: UnixMicros, longest: i64) -> i64 {
    // The greatest length stands for all that are longer.
    if longest == i64::MAX { i64::MIN } else { moment.0.saturating_sub(longest) }
}

fn of_row(columns: &mut Columns<'_, '_>) -> Result<Session, Failure> {
    let (id, machine) = (SessionId(columns.get()?), columns.machine()?);
    let (started, revision) = (columns.time()?, columns.get()?);
    let body: Vec<u8> = columns.get()?;
    if let Some(version) = body.first().filter(|version| **version > octets::VERSION) {
        let context = format!(
            "session {id} has version {version}, this program reads up to {}: use the one that wrote it",
            octets::VERSION
        );
        return Err(StoreError::new(StoreErrorKind::IncompatibleVersion, context).into());
    }
    let rest =
        octets::decode(&body, started).map_err(|_| Failure::corrupt(format!("session {id} is damaged")))?;
    let (last_motion, ended, segments) = rest;
    Ok(Session { id, machine, started, last_motion, ended, segments, revision })
}
