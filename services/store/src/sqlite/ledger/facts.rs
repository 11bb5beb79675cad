//! Facts with their leaves, and the registry that follows from them.

use std::sync::Arc;

use domain::ids::IncidentId;
use rusqlite::{Connection, params};

use super::{entries, labels, steps};
use crate::fact::{Fact, FactOutcome, Leaf, NoteText, StoredFact, Unread, from_json, leaf, to_json, version};
use crate::registry::{Change, Registry};
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{Columns, first_row, limit, rows};
use crate::{StoreError, StoreErrorKind};

/// The table. The incident is that which a fact is about.
pub(super) const SCHEMA: &str = "
CREATE TABLE fact (
    number INTEGER PRIMARY KEY,
    time_us INTEGER NOT NULL,
    author TEXT NOT NULL,
    request_id TEXT,
    body TEXT NOT NULL,
    leaf BLOB NOT NULL DEFAULT x'',
    incident BLOB
) STRICT;
CREATE UNIQUE INDEX fact_request ON fact (author, request_id) WHERE request_id IS NOT NULL;
CREATE INDEX fact_incident ON fact (incident, number) WHERE incident IS NOT NULL;
";

pub(super) const OF_INCIDENT: &str =
    "SELECT number, time_us, author, request_id, body, salt, text, body, leaf
     FROM fact LEFT JOIN note USING (number) WHERE incident = ?1 ORDER BY number";
const FACT: &str = "SELECT number, time_us, author, request_id, body FROM fact";

/// A fact's outcome, and what follows from it when it is on disk.
#[derive(Debug)]
pub(super) struct Added {
    /// What became of it.
    pub(super) outcome: FactOutcome,
    /// What changes in the registry.
    pub(super) changes: Vec<Change>,
    /// Number of the change of the incident that it is about.
    pub(super) incident_change: Option<u64>,
    /// Whether the text of a note was erased.
    pub(super) has_erased: bool,
}

/// Adds a fact and writes what follows from it.
pub(super) fn add(connection: &Connection, registry: &Registry, fact: &Fact) -> Result<Added, Failure> {
    if let Some(outcome) = repeated(connection, fact)? {
        return Ok(Added { outcome, changes: Vec::new(), incident_change: None, has_erased: false });
    }
    let number = last(connection)? + 1;
    if let Some(stepped) = fact.stepped() {
        return steps::add(connection, fact, stepped, number);
    }
    let changes = registry.follow(number, fact)?;
    if let Some(label) = fact.labelled() {
        labels::put(connection, label, number)?;
    }
    insert(connection, number, fact)?;
    changes.iter().try_for_each(|change| entries::write(connection, change))?;
    Ok(Added { outcome: FactOutcome::Added(number), changes, incident_change: None, has_erased: false })
}

/// The fact that the same request has added.
fn repeated(connection: &Connection, fact: &Fact) -> Result<Option<FactOutcome>, Failure> {
    let Some(request_id) = &fact.request_id else { return Ok(None) };
    let mut statement = connection.prepare_cached(
        "SELECT number, time_us, author, request_id, body, salt, text FROM fact LEFT JOIN note USING (number)
         WHERE author = ?1 AND request_id = ?2",
    )?;
    let first = first_row(&mut statement, [&fact.author, request_id], |columns| {
        let (number, first) = of_row(columns)?;
        Ok((number, first.with_text(note_of(columns)?)))
    })?;
    Ok(first.map(|(number, first)| FactOutcome::Repeated(number, Box::new(first))))
}

/// Writes a fact with its leaf; the text of its note is not in it.
pub(super) fn insert(connection: &Connection, number: u64, fact: &Fact) -> Result<(), Failure> {
    let body = to_json(&fact.kind);
    let leaf = leaf(number, fact.time, &fact.author, &body);
    let incident = fact.incident().map(|id| id.0);
    connection
        .prepare_cached(
            "INSERT INTO fact (number, time_us, author, request_id, body, leaf, incident)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![number, fact.time.0, fact.author, fact.request_id, body, leaf, incident])?;
    Ok(())
}

/// Number of the last fact; 0: there is none.
fn last(connection: &Connection) -> Result<u64, Failure> {
    let mut statement = connection.prepare_cached("SELECT coalesce(max(number), 0) FROM fact")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// The facts about one incident.
pub(super) fn of_incident(connection: &Connection, id: IncidentId) -> Result<Vec<StoredFact>, Failure> {
    let mut statement = connection.prepare_cached(OF_INCIDENT)?;
    rows(&mut statement, [id.0], |columns| {
        let (number, fact) = of_row(columns)?;
        let fact = fact.with_text(note_of(columns)?);
        Ok(StoredFact { number, fact, body: columns.get()?, leaf: columns.get()? })
    })
}

/// Leaves after a number.
pub(super) fn leaves(connection: &Connection, after: i64, max: usize) -> Result<Vec<Leaf>, Failure> {
    let mut statement =
        connection.prepare_cached("SELECT leaf FROM fact WHERE number > ?1 ORDER BY number LIMIT ?2")?;
    rows(&mut statement, params![after, limit(max)], |columns| columns.get())
}

/// Facts after a number.
pub(super) fn list(connection: &Connection, after: i64, max: usize) -> Result<Vec<(u64, Fact)>, Failure> {
    let sql = format!("{FACT} WHERE number > ?1 ORDER BY number LIMIT ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    rows(&mut statement, params![after, limit(max)], of_row)
}

/// Facts before a number, newest first.
pub(super) fn list_before(
    connection: &Connection,
    before: i64,
    max: usize,
) -> Result<Vec<(u64, Fact)>, Failure> {
    let sql = format!("{FACT} WHERE number < ?1 ORDER BY number DESC LIMIT ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    rows(&mut statement, params![before, limit(max)], of_row)
}

/// The registry as it was left.
pub(super) fn registry(connection: &Connection) -> Result<Arc<Registry>, Failure> {
    let mut registry = Registry::default();
    registry.put(last(connection)?, entries::all(connection)?.into_iter().map(Change::Put));
    Ok(Arc::new(registry))
}

/// Gives the facts of a format before 4 their leaves.
pub(super) fn add_leaves(connection: &Connection) -> Result<(), Failure> {
    connection.execute_batch(
        "ALTER TABLE fact ADD COLUMN leaf BLOB NOT NULL DEFAULT x'';
         ALTER TABLE fact ADD COLUMN incident BLOB;
         CREATE INDEX fact_incident ON fact (incident, number) WHERE incident IS NOT NULL;",
    )?;
    const PAGE: usize = 1_000;
    let mut after: u64 = 0;
    loop {
        let mut statement = connection.prepare_cached(
            "SELECT number, time_us, author, body FROM fact WHERE number > ?1 ORDER BY number LIMIT ?2",
        )?;
        let leaves = rows(&mut statement, params![after, limit(PAGE)], |columns| {
            let (number, time, author) = (columns.get()?, columns.time()?, columns.get::<String>()?);
            Ok((number, leaf(number, time, &author, &columns.get::<String>()?)))
        })?;
        let Some((last, _)) = leaves.last() else { return Ok(()) };
        after = *last;
        let mut write = connection.prepare_cached("UPDATE fact SET leaf = ?2 WHERE number = ?1")?;
        for (number, leaf) in &leaves {
            write.execute(params![number, leaf])?;
        }
    }
}

/// Makes the tables of format 2 out of those of format 1: the registry is folded anew from the facts.
pub(super) fn upgrade(connection: &Connection) -> Result<(), Failure> {
    connection.execute_batch(entries::SCHEMA)?;
    connection.execute_batch("DROP TABLE site; DROP TABLE machine; DROP TABLE token;")?;
    const PAGE: usize = 1_000;
    let mut registry = Registry::default();
    let mut after = 0;
    loop {
        let facts = list(connection, after, PAGE)?;
        let Some((last, _)) = facts.last() else { return Ok(()) };
        after = last.cast_signed();
        for (number, fact) in &facts {
            let changes = registry.follow(*number, fact).map_err(|error| {
                Failure::corrupt(format!("fact {number} contradicts those before it: {error}"))
            })?;
            changes.iter().try_for_each(|change| entries::write(connection, change))?;
            registry.put(*number, changes);
        }
    }
}

/// The text of a note, from the next two columns.
fn note_of(columns: &mut Columns<'_, '_>) -> Result<Option<NoteText>, Failure> {
    let (salt, text) = (columns.get::<Option<[u8; 16]>>()?, columns.get::<Option<String>>()?);
    Ok(salt.zip(text).map(|(salt, text)| NoteText { salt, text }))
}

fn of_row(columns: &mut Columns<'_, '_>) -> Result<(u64, Fact), Failure> {
    let number: u64 = columns.get()?;
    let (time, author, request_id) = (columns.time()?, columns.get::<String>()?, columns.get()?);
    let body: String = columns.get()?;
    let kind = from_json(&body, &author, time).map_err(|what| match what {
        Unread::Newer(newer) => {
            let known = version();
            let context = format!("fact {number} has version {newer}, this program reads up to {known}");
            Failure::Store(StoreError::new(StoreErrorKind::IncompatibleVersion, context))
        }
        Unread::Damaged(reason) => Failure::corrupt(format!("fact {number} is damaged: {reason}")),
    })?;
    Ok((number, Fact { time, author, request_id, kind }))
}
