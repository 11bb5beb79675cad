//! Facts, and the registry that follows from them.

use std::sync::Arc;

use rusqlite::{Connection, params};

use super::entries;
use crate::fact::{Fact, FactOutcome, Unread, from_json, to_json, version};
use crate::registry::{Change, Registry};
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{Columns, first_row, limit, rows};
use crate::{StoreError, StoreErrorKind};

/// A fact's outcome, and what follows from it when it is on disk.
pub(super) type Added = (FactOutcome, Vec<Change>);

/// Adds a fact and writes what follows from it.
pub(super) fn add(connection: &Connection, registry: &Registry, fact: &Fact) -> Result<Added, Failure> {
    if let Some(request_id) = &fact.request_id {
        let mut statement = connection.prepare_cached(
            "SELECT number, time_us, author, request_id, body FROM fact WHERE author = ?1 AND request_id = ?2",
        )?;
        if let Some((number, first)) = first_row(&mut statement, [&fact.author, request_id], of_row)? {
            return Ok((FactOutcome::Repeated(number, Box::new(first)), Vec::new()));
        }
    }
    connection
        .prepare_cached("INSERT INTO fact (time_us, author, request_id, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![fact.time.0, fact.author, fact.request_id, to_json(&fact.kind)])?;
    let number = connection.last_insert_rowid().cast_unsigned();
    let changes = registry.follow(number, fact)?;
    changes.iter().try_for_each(|change| entries::write(connection, change))?;
    Ok((FactOutcome::Added(number), changes))
}

/// Facts after a number.
pub(super) fn list(connection: &Connection, after: i64, max: usize) -> Result<Vec<(u64, Fact)>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT number, time_us, author, request_id, body FROM fact WHERE number > ?1 ORDER BY number LIMIT ?2",
    )?;
    rows(&mut statement, params![after, limit(max)], of_row)
}

/// Facts before a number, newest first.
pub(super) fn list_before(
    connection: &Connection,
    before: i64,
    max: usize,
) -> Result<Vec<(u64, Fact)>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT number, time_us, author, request_id, body FROM fact WHERE number < ?1
         ORDER BY number DESC LIMIT ?2",
    )?;
    rows(&mut statement, params![before, limit(max)], of_row)
}

/// The registry as it was left.
pub(super) fn registry(connection: &Connection) -> Result<Arc<Registry>, Failure> {
    let last: i64 =
        connection.query_row("SELECT coalesce(max(number), 0) FROM fact", [], |row| row.get(0))?;
    let mut registry = Registry::default();
    registry.put(last.cast_unsigned(), entries::all(connection)?.into_iter().map(Change::Put));
    Ok(Arc::new(registry))
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
