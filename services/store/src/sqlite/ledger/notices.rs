//! Notices: their rows, and up to which change of an incident they were planned.

use domain::ids::SiteId;
use rusqlite::{Connection, OptionalExtension, params};

use crate::ledger::{Notice, NoticeQuery, NoticeState};
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{Columns, limit, rows};

/// The tables.
pub(super) const SCHEMA: &str = "
CREATE TABLE notice (
    id BLOB PRIMARY KEY,
    incident BLOB,
    contact TEXT NOT NULL,
    site TEXT,
    planned_us INTEGER NOT NULL,
    due_us INTEGER NOT NULL,
    waits INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX notice_waiting ON notice (due_us, id) WHERE waits = 1;
CREATE INDEX notice_incident ON notice (incident, planned_us, id, contact, site) WHERE incident IS NOT NULL;
CREATE INDEX notice_contact ON notice (contact, planned_us, id, site);
CREATE INDEX notice_planned ON notice (planned_us, id, contact, site);
CREATE TABLE notice_cursor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    taken INTEGER NOT NULL
) STRICT;
";

const WAITING: &str =
    "SELECT body FROM notice INDEXED BY notice_waiting WHERE waits = 1 ORDER BY due_us, id LIMIT ?1";

/// Writes notices that are new or have a greater revision; says whether there was one.
pub(super) fn put(connection: &Connection, notices: &[Notice], taken: Option<u64>) -> Result<bool, Failure> {
    let mut is_changed = false;
    for notice in notices {
        is_changed |= put_one(connection, notice)?;
    }
    if let Some(taken) = taken {
        connection
            .prepare_cached(
                "INSERT INTO notice_cursor (one, taken) VALUES (1, ?1)
                 ON CONFLICT (one) DO UPDATE SET taken = max(taken, excluded.taken)",
            )?
            .execute([taken])?;
    }
    Ok(is_changed)
}

fn put_one(connection: &Connection, notice: &Notice) -> Result<bool, Failure> {
    let body = serde_json::to_string(notice).expect("a notice has no maps, and names that are text");
    let written = connection
        .prepare_cached(
            "INSERT INTO notice (id, incident, contact, site, planned_us, due_us, waits, revision, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (id) DO UPDATE
             SET incident = excluded.incident, contact = excluded.contact, site = excluded.site,
                 planned_us = excluded.planned_us, due_us = excluded.due_us, waits = excluded.waits,
                 revision = excluded.revision, body = excluded.body
             WHERE excluded.revision > revision",
        )?
        .execute(params![
            notice.id.0,
            notice.about.incident().map(|id| id.0),
            notice.contact,
            notice.site.as_ref().map(SiteId::as_str),
            notice.planned.0,
            notice.due.0,
            notice.state == NoticeState::Waiting,
            notice.revision,
            body,
        ])?;
    Ok(written > 0)
}

/// Up to which change notices were planned.
pub(super) fn taken(connection: &Connection) -> Result<Option<u64>, Failure> {
    let mut statement = connection.prepare_cached("SELECT taken FROM notice_cursor WHERE one = 1")?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?)
}

/// Those that wait.
pub(super) fn waiting(connection: &Connection, max: usize) -> Result<Vec<Notice>, Failure> {
    let mut statement = connection.prepare_cached(WAITING)?;
    rows(&mut statement, [limit(max)], of_row)
}

/// The statement that reads a page. The lists are walked from where the page begins; what an index does not lead by is
/// filtered on the way.
fn page(is_of_incident: bool, is_of_contact: bool) -> String {
    let (index, led_by) = match (is_of_incident, is_of_contact) {
        (true, _) => ("notice_incident", "incident = ?1 AND (?4 IS NULL OR contact = ?4)"),
        (false, true) => ("notice_contact", "?1 IS NULL AND contact = ?4"),
        (false, false) => ("notice_planned", "?1 IS NULL AND ?4 IS NULL"),
    };
    format!(
        "SELECT body FROM notice INDEXED BY {index}
         WHERE {led_by} AND (planned_us, id) < (?2, ?3)
             AND (?5 IS NULL OR site IN (SELECT value FROM json_each(?5)))
         ORDER BY planned_us DESC, id DESC LIMIT ?6"
    )
}

/// A page.
pub(super) fn list(connection: &Connection, query: &NoticeQuery) -> Result<Vec<Notice>, Failure> {
    // Before all: no moment and no id is greater.
    let (time, id) = query.after.map_or((i64::MAX, vec![0xff; 17]), |(time, id)| (time.0, id.0.to_vec()));
    let incident = query.incident.map(|id| id.0);
    let sites = query.sites.as_ref().map(|sites| {
        let names: Vec<&str> = sites.iter().map(SiteId::as_str).collect();
        serde_json::to_string(&names).expect("a list of texts is JSON")
    });
    let mut statement = connection.prepare_cached(&page(incident.is_some(), query.contact.is_some()))?;
    rows(&mut statement, params![incident, time, id, query.contact, sites, limit(query.max)], of_row)
}

fn of_row(columns: &mut Columns<'_, '_>) -> Result<Notice, Failure> {
    let body: String = columns.get()?;
    serde_json::from_str(&body).map_err(|error| Failure::corrupt(format!("a notice is damaged: {error}")))
}

#[cfg(test)]
mod tests;
