//! Sessions: their rows, their octets, and the newest of many machines.

use std::collections::{BTreeSet, BinaryHeap, VecDeque};

use domain::ids::{MachineId, SessionId};
use domain::live::{Segment, Session};
use domain::units::{Speed, UnixMicros};
use rusqlite::{Connection, params};

use crate::chunk::ChunkError;
use crate::chunk::codes::{direction_code, direction_of};
use crate::chunk::varint::{self, Octets};
use crate::ledger::SessionQuery;
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{Columns, first_row, rows};
use crate::{StoreError, StoreErrorKind};

/// The version of a session's octets.
const VERSION: u8 = 1;
/// Keys read of one machine at a time when the newest of many are looked for.
const KEYS_AT_A_TIME: usize = 16;
const SESSION: &str = "SELECT id, machine, started_us, revision, body FROM session";

/// Writes a session unless a greater revision of it is there.
pub(super) fn put(connection: &Connection, session: &Session) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "INSERT INTO session (id, machine, started_us, revision, body) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE
             SET machine = excluded.machine, started_us = excluded.started_us, revision = excluded.revision,
                 body = excluded.body
             WHERE excluded.revision >= revision",
        )?
        .execute(params![
            session.id.0,
            session.machine.as_str(),
            session.started.0,
            session.revision,
            encode(session)
        ])?;
    Ok(())
}

/// One session.
pub(super) fn get(connection: &Connection, id: SessionId) -> Result<Option<Session>, Failure> {
    let mut statement = connection.prepare_cached(&format!("{SESSION} WHERE id = ?1"))?;
    first_row(&mut statement, [id.0], of_row)
}

/// The newest sessions of some machines: each machine's keys are read a few at a time, newest first, and merged.
pub(super) fn list(connection: &Connection, query: &SessionQuery) -> Result<Vec<Session>, Failure> {
    let machines: BTreeSet<&MachineId> = query.machines.iter().collect();
    let mut queues = Vec::with_capacity(machines.len());
    let mut heads = BinaryHeap::with_capacity(machines.len());
    // Before the first one stands a place after every key: no session begins at `until`.
    let beginning = query
        .after
        .map_or((query.until, SessionId([0; 16])), |after| after.min((query.until, SessionId([0; 16]))));
    for machine in machines {
        let mut queue = Queue { machine, before: beginning, keys: VecDeque::new() };
        if let Some(key) = queue.next(connection, query.from)? {
            heads.push((key, queues.len()));
        }
        queues.push(queue);
    }
    let mut sessions = Vec::new();
    while sessions.len() < query.max
        && let Some(((_, id), queue)) = heads.pop()
    {
        let session = get(connection, id)?;
        sessions.push(session.ok_or_else(|| Failure::corrupt(format!("session {id} is in an index only")))?);
        if let Some(key) = queues[queue].next(connection, query.from)? {
            heads.push((key, queue));
        }
    }
    Ok(sessions)
}

type Key = (UnixMicros, SessionId);

/// Keys of one machine's sessions, newest first.
struct Queue<'m> {
    machine: &'m MachineId,
    before: Key,
    keys: VecDeque<Key>,
}

impl Queue<'_> {
    fn next(&mut self, connection: &Connection, from: UnixMicros) -> Result<Option<Key>, Failure> {
        if self.keys.is_empty() {
            let mut statement = connection.prepare_cached(
                "SELECT started_us, id FROM session
                 WHERE machine = ?1 AND started_us >= ?2 AND (started_us, id) < (?3, ?4)
                 ORDER BY started_us DESC, id DESC LIMIT ?5",
            )?;
            let (time, id) = self.before;
            let params = params![self.machine.as_str(), from.0, time.0, id.0, KEYS_AT_A_TIME];
            let keys =
                rows(&mut statement, params, |columns| Ok((columns.time()?, SessionId(columns.get()?))))?;
            self.keys = keys.into();
        }
        let key = self.keys.pop_front();
        self.before = key.unwrap_or(self.before);
        Ok(key)
    }
}

fn of_row(columns: &mut Columns<'_, '_>) -> Result<Session, Failure> {
    let (id, machine) = (SessionId(columns.get()?), columns.machine()?);
    let (started, revision) = (columns.time()?, columns.get()?);
    let body: Vec<u8> = columns.get()?;
    if let Some(version) = body.first().filter(|version| **version != VERSION) {
        let context = format!(
            "session {id} has version {version}, this program reads {VERSION}: use the one that wrote it"
        );
        return Err(StoreError::new(StoreErrorKind::IncompatibleVersion, context).into());
    }
    let rest = decode(&body, started).map_err(|_| Failure::corrupt(format!("session {id} is damaged")))?;
    let (last_motion, ended, segments) = rest;
    Ok(Session { id, machine, started, last_motion, ended, segments, revision })
}

/// Version; last motion after the start; whether it ended; count of segments; of each: direction and origin, its
/// start after the end of the one before, its length, observed time, distance, remainder, greatest speed.
fn encode(session: &Session) -> Vec<u8> {
    let mut body = vec![VERSION];
    let between = |from: UnixMicros, to: UnixMicros| varint::zigzag(to.0.wrapping_sub(from.0));
    varint::put(&mut body, between(session.started, session.last_motion));
    varint::put(&mut body, u64::from(session.ended));
    varint::put(&mut body, session.segments.len() as u64);
    let mut before = session.started;
    for segment in &session.segments {
        varint::put(&mut body, direction_code(segment.direction, segment.origin).cast_unsigned());
        varint::put(&mut body, between(before, segment.started));
        varint::put(&mut body, between(segment.started, segment.ended));
        varint::put(&mut body, segment.observed_us);
        varint::put(&mut body, segment.distance_mm);
        varint::put(&mut body, segment.distance_remainder);
        varint::put(&mut body, u64::from(segment.speed_max.0));
        before = segment.ended;
    }
    body
}

fn decode(body: &[u8], started: UnixMicros) -> Result<(UnixMicros, bool, Vec<Segment>), ChunkError> {
    let mut octets = Octets::new(body);
    octets.octet()?;
    let after = |octets: &mut Octets<'_>, from: UnixMicros| -> Result<UnixMicros, ChunkError> {
        Ok(UnixMicros(from.0.wrapping_add(varint::unzigzag(octets.varint()?))))
    };
    let last_motion = after(&mut octets, started)?;
    let ended = octets.varint()? == 1;
    let mut segments = Vec::new();
    let mut before = started;
    for _ in 0..octets.varint()? {
        let (direction, origin) = direction_of(octets.varint()?.cast_signed())?;
        let started = after(&mut octets, before)?;
        let ended = after(&mut octets, started)?;
        segments.push(Segment {
            direction,
            origin,
            started,
            ended,
            observed_us: octets.varint()?,
            distance_mm: octets.varint()?,
            distance_remainder: octets.varint()?,
            speed_max: Speed(u32::try_from(octets.varint()?).map_err(|_| ChunkError::Damaged("a speed"))?),
        });
        before = ended;
    }
    Ok((last_motion, ended, segments))
}
