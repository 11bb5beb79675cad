//! Incidents: their rows, the numbers of their changes.

mod pages;
#[cfg(test)]
mod tests;
mod walk;

use domain::belt::{Direction, Origin};
use domain::handling::{Handling, HandlingState};
use domain::ids::{IncidentId, UserName};
use domain::incident::{Incident, Rule, Severity};
use rusqlite::{Connection, params};

pub(super) use self::pages::{counts, list};
use crate::chunk::codes::direction_code;
use crate::ledger::{DerivedIncident, StoredIncident};
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{Columns, first_row, limit, rows};

/// The table. What people did stands behind what was found; `aside` is 1 for a proof test, 2 for part of an outage, their
/// sum for both, and 0 for what people look at every day.
pub(super) const TABLE: &str = "
CREATE TABLE incident (
    id BLOB PRIMARY KEY,
    machine TEXT NOT NULL,
    rule INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    direction INTEGER NOT NULL,
    active INTEGER NOT NULL,
    time_us INTEGER NOT NULL,
    detected_us INTEGER NOT NULL,
    change_number INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    unconfirmed INTEGER,
    body TEXT NOT NULL,
    handling INTEGER NOT NULL DEFAULT 0,
    shelved_until_us INTEGER,
    assignee TEXT,
    drill INTEGER,
    lead BLOB,
    aside INTEGER NOT NULL DEFAULT 0,
    handling_body TEXT NOT NULL DEFAULT '{}'
) STRICT;
";

/// What pages are filtered by stands in the indices, so that rows are read only for incidents that are told.
pub(super) const INDICES: &str = "
CREATE UNIQUE INDEX incident_change ON incident (change_number);
CREATE INDEX incident_time ON incident (aside, time_us, id, rule, severity, direction, active, handling,
    shelved_until_us, assignee, lead);
CREATE INDEX incident_kind ON incident (aside, rule, severity, active, time_us, id, direction, handling,
    shelved_until_us, assignee, lead);
CREATE INDEX incident_handling ON incident (aside, handling, severity, time_us, id, rule, direction, active,
    shelved_until_us, assignee, lead);
CREATE INDEX incident_machine ON incident (machine, aside, time_us, id, rule, severity, direction, active, handling,
    shelved_until_us, assignee, lead);
CREATE INDEX incident_machine_handling ON incident (machine, aside, handling, severity, time_us, id, rule, direction,
    active, shelved_until_us, assignee, lead);
CREATE INDEX incident_lead ON incident (lead, severity, time_us, id, rule, direction, active, aside, handling,
    shelved_until_us, assignee) WHERE lead IS NOT NULL;
";

/// Gives the table of format 3 the columns of format 4; the indices are to be made anew.
pub(super) fn add_handling(connection: &Connection) -> Result<(), Failure> {
    Ok(connection.execute_batch(
        "ALTER TABLE incident ADD COLUMN handling INTEGER NOT NULL DEFAULT 0;
         ALTER TABLE incident ADD COLUMN shelved_until_us INTEGER;
         ALTER TABLE incident ADD COLUMN assignee TEXT;
         ALTER TABLE incident ADD COLUMN drill INTEGER;
         ALTER TABLE incident ADD COLUMN lead BLOB;
         ALTER TABLE incident ADD COLUMN aside INTEGER NOT NULL DEFAULT 0;
         ALTER TABLE incident ADD COLUMN handling_body TEXT NOT NULL DEFAULT '{}';
         DROP INDEX incident_change;
         DROP INDEX incident_time;
         DROP INDEX incident_kind;
         DROP INDEX incident_machine;
         DROP INDEX incident_machine_severity;",
    )?)
}

const INCIDENT: &str =
    "SELECT id, detected_us, change_number, unconfirmed, body, handling_body FROM incident";
const CHANGED: &str = "WHERE change_number > ?1 ORDER BY change_number LIMIT ?2";

/// Writes incidents that are new or have a greater revision; gives the number of the newest change if there is one.
pub(super) fn put(connection: &Connection, incidents: &[DerivedIncident]) -> Result<Option<u64>, Failure> {
    changing(connection, incidents, put_one)
}

/// Notes that a version of the rule did not find these any more; gives the number of the newest change if there is one.
pub(super) fn mark_unconfirmed(
    connection: &Connection,
    ids: &[IncidentId],
    rule_version: u32,
) -> Result<Option<u64>, Failure> {
    changing(connection, ids, |connection, id, change| {
        let mut statement = connection.prepare_cached(
            "UPDATE incident SET unconfirmed = ?2, change_number = ?3 WHERE id = ?1 AND unconfirmed IS NOT ?2",
        )?;
        Ok(statement.execute(params![id.0, rule_version, change])? > 0)
    })
}

/// Number of the newest change; 0: there is none.
pub(super) fn newest_change(connection: &Connection) -> Result<u64, Failure> {
    let mut statement = connection.prepare_cached("SELECT max(change_number) FROM incident")?;
    Ok(statement.query_row([], |row| row.get::<_, Option<u64>>(0))?.unwrap_or(0))
}

/// Does `work` with each and the number that its change gets; it says whether it was a change.
fn changing<T>(
    connection: &Connection,
    all: &[T],
    work: impl Fn(&Connection, &T, u64) -> Result<bool, Failure>,
) -> Result<Option<u64>, Failure> {
    if all.is_empty() {
        return Ok(None);
    }
    let before = newest_change(connection)?;
    let mut newest = before;
    for one in all {
        newest += u64::from(work(connection, one, newest + 1)?);
    }
    Ok((newest > before).then_some(newest))
}

fn put_one(connection: &Connection, derived: &DerivedIncident, change: u64) -> Result<bool, Failure> {
    let incident = &derived.incident;
    let body = serde_json::to_string(incident).expect("an incident has no maps, and names that are text");
    let written = connection
        .prepare_cached(
            "INSERT INTO incident (id, machine, rule, severity, direction, active, time_us, detected_us,
                 change_number, revision, unconfirmed, body, drill, aside)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, NULL, ?11, ?12, ?12 IS NOT NULL)
             ON CONFLICT (id) DO UPDATE
             SET machine = excluded.machine, rule = excluded.rule, severity = excluded.severity,
                 direction = excluded.direction, active = excluded.active, time_us = excluded.time_us,
                 change_number = excluded.change_number, revision = excluded.revision, unconfirmed = NULL,
                 body = excluded.body, drill = excluded.drill,
                 aside = (excluded.drill IS NOT NULL) + 2 * (lead IS NOT NULL)
             WHERE excluded.revision > revision",
        )?
        .execute(params![
            incident.id.0,
            incident.machine.as_str(),
            incident.rule.number(),
            severity_code(incident.severity),
            direction_number(incident.direction),
            incident.cleared.is_none(),
            incident.time.0,
            derived.detected.0,
            change,
            incident.revision,
            body,
            incident.drill,
        ])?;
    Ok(written > 0)
}

/// Writes what people have done about an incident that is there; gives the number of the change.
pub(super) fn handle(connection: &Connection, id: IncidentId, handling: &Handling) -> Result<u64, Failure> {
    let change = newest_change(connection)? + 1;
    let body = serde_json::to_string(handling).expect("handling has no maps, and names that are text");
    connection
        .prepare_cached(
            "UPDATE incident
             SET change_number = ?2, handling = ?3, shelved_until_us = ?4, assignee = ?5, lead = ?6,
                 aside = (drill IS NOT NULL) + 2 * (?6 IS NOT NULL), handling_body = ?7
             WHERE id = ?1",
        )?
        .execute(params![
            id.0,
            change,
            handling_code(handling.state),
            shelved_until(handling),
            handling.assignee.as_ref().map(UserName::as_str),
            handling.lead.map(|lead| lead.0),
            body,
        ])?;
    Ok(change)
}

/// Until when an incident is laid aside; one that is closed is not.
fn shelved_until(handling: &Handling) -> Option<i64> {
    let until = handling.shelved_until.filter(|_| handling.state != HandlingState::Closed);
    until.map(|until| until.0)
}

/// One incident.
pub(super) fn get(connection: &Connection, id: IncidentId) -> Result<Option<StoredIncident>, Failure> {
    let mut statement = connection.prepare_cached(&format!("{INCIDENT} WHERE id = ?1"))?;
    first_row(&mut statement, [id.0], of_row)
}

/// Incidents changed after a number.
pub(super) fn changed(
    connection: &Connection,
    after: i64,
    max: usize,
) -> Result<Vec<StoredIncident>, Failure> {
    let mut statement = connection.prepare_cached(&format!("{INCIDENT} {CHANGED}"))?;
    rows(&mut statement, params![after, limit(max)], of_row)
}

fn of_row(columns: &mut Columns<'_, '_>) -> Result<StoredIncident, Failure> {
    let id = IncidentId(columns.get()?);
    let (detected, change, unconfirmed) = (columns.time()?, columns.get()?, columns.get()?);
    let body: String = columns.get()?;
    let incident: Incident = serde_json::from_str(&body)
        .map_err(|error| Failure::corrupt(format!("incident {id} is damaged: {error}")))?;
    let handling: Handling = serde_json::from_str(&columns.get::<String>()?).map_err(|error| {
        Failure::corrupt(format!("what was done about incident {id} is damaged: {error}"))
    })?;
    Ok(StoredIncident { incident, detected, change, unconfirmed, handling })
}

/// The severity as a number, the worst being the greatest.
fn severity_code(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}

fn severity_of(code: u8) -> Result<Severity, Failure> {
    let known = Severity::ALL.into_iter().find(|severity| severity_code(*severity) == code);
    known.ok_or_else(|| Failure::corrupt(format!("an incident has the severity {code}, which is not known")))
}

fn rule_of(number: u8) -> Result<Rule, Failure> {
    let known = Rule::ALL.into_iter().find(|rule| rule.number() == number);
    known.ok_or_else(|| Failure::corrupt(format!("an incident has the rule {number}, which is not known")))
}

/// How far people are as a number, in the states' own order.
fn handling_code(state: HandlingState) -> u8 {
    match state {
        HandlingState::Open => 0,
        HandlingState::Acknowledged => 1,
        HandlingState::InProgress => 2,
        HandlingState::Closed => 3,
    }
}

fn direction_number(direction: Direction) -> i64 {
    direction_code(direction, Origin::Unknown)
}
