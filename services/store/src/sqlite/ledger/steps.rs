//! Steps about incidents, and the texts of notes, which stand beside the facts so that they can be erased.

use domain::handling::Step;
use domain::ids::IncidentId;
use rusqlite::{Connection, OptionalExtension, params};

use super::{facts, incidents};
use crate::fact::{Fact, FactOutcome, IncidentStepped, Leaf, NoteText};
use crate::ledger::steps::{Before, Taken, take};
use crate::sqlite::failure::Failure;

/// The table of the notes' texts, by the number of their fact.
pub(super) const SCHEMA: &str = "
CREATE TABLE note (
    number INTEGER PRIMARY KEY,
    salt BLOB NOT NULL,
    text TEXT NOT NULL
) STRICT;
";

/// Adds the fact of a step with this number, and what follows from it.
pub(super) fn add(
    connection: &Connection,
    fact: &Fact,
    stepped: &IncidentStepped,
    number: u64,
) -> Result<facts::Added, Failure> {
    let id = stepped.incident;
    let stored = incidents::get(connection, id)?;
    let before = Before {
        incident: stored.as_ref(),
        previous: last_leaf(connection, id)?,
        can_erase: can_erase(connection, stepped)?,
    };
    let Taken { fact, handling, note, erased } = take(fact, stepped, number, before)?;
    facts::insert(connection, number, &fact)?;
    let change = incidents::handle(connection, id, &handling)?;
    if let Some(NoteText { salt, text }) = note {
        connection
            .prepare_cached("INSERT INTO note (number, salt, text) VALUES (?1, ?2, ?3)")?
            .execute(params![number, salt, text])?;
    }
    if let Some(erased) = erased {
        connection.prepare_cached("DELETE FROM note WHERE number = ?1")?.execute([erased])?;
    }
    Ok(facts::Added {
        outcome: FactOutcome::Added(number),
        changes: Vec::new(),
        incident_change: Some(change),
        has_erased: erased.is_some(),
    })
}

/// The leaf of the last fact about an incident.
fn last_leaf(connection: &Connection, id: IncidentId) -> Result<Option<Leaf>, Failure> {
    let mut statement = connection
        .prepare_cached("SELECT leaf FROM fact WHERE incident = ?1 ORDER BY number DESC LIMIT 1")?;
    Ok(statement.query_row([id.0], |row| row.get(0)).optional()?)
}

fn can_erase(connection: &Connection, stepped: &IncidentStepped) -> Result<bool, Failure> {
    // No fact has a number greater than SQLite's greatest.
    let Step::EraseNote { number } = stepped.step else { return Ok(false) };
    let Ok(number) = i64::try_from(number) else { return Ok(false) };
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM fact JOIN note USING (number) WHERE number = ?1 AND incident = ?2",
    )?;
    Ok(statement.query_row(params![number, stepped.incident.0], |row| row.get::<_, i64>(0))? > 0)
}
