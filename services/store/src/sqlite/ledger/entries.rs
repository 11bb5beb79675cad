//! The registry's values, so that a start need not fold all facts: one row a value, as JSON.

use rusqlite::{Connection, params};

use crate::registry::{Change, Entry, Scope};
use crate::sqlite::failure::Failure;
use crate::sqlite::values::rows;

/// The table.
pub(super) const SCHEMA: &str = "
CREATE TABLE entry (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
";

/// Writes one change, in the transaction of its fact.
pub(super) fn write(connection: &Connection, change: &Change) -> Result<(), Failure> {
    match change {
        Change::Put(entry) => {
            let (kind, id) = key(entry);
            let body = serde_json::to_string(entry).expect("entries have text keys and no other maps");
            connection
                .prepare_cached(
                    "INSERT INTO entry (kind, id, body) VALUES (?1, ?2, ?3)
                     ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                )?
                .execute(params![kind, id, body])?;
            Ok(())
        }
        Change::EndSignIn(hash) => remove(connection, SIGN_IN, hash),
        Change::EndLink(hash) => remove(connection, LINK, hash),
        Change::ForgetToken(hash) => remove(connection, TOKEN, hash),
        Change::EndContact(name) => remove_id(connection, CONTACT, name),
        Change::EndMaintenance(scope) => {
            let (kind, id) = maintenance(scope);
            remove_id(connection, kind, &id)
        }
        Change::ForgetEnrolmentCode(id) => remove_id(connection, ENROLMENT_CODE, &code_id(*id)),
        Change::ForgetEnrolment(nonce) => remove(connection, ENROLMENT, nonce),
    }
}

/// All values.
pub(super) fn all(connection: &Connection) -> Result<Vec<Entry>, Failure> {
    let mut statement = connection.prepare("SELECT kind, id, body FROM entry")?;
    rows(&mut statement, [], |columns| {
        let (kind, id, body) = (columns.get::<String>()?, columns.get::<String>()?, columns.get::<String>()?);
        let damaged =
            |error| Failure::corrupt(format!("the {kind} \"{id}\" of the registry is damaged: {error}"));
        serde_json::from_str(&body).map_err(damaged)
    })
}

const SIGN_IN: &str = "sign_in";
const LINK: &str = "link";
const TOKEN: &str = "token";
const CONTACT: &str = "contact";
const ENROLMENT_CODE: &str = "enrolment_code";
const ENROLMENT: &str = "enrolment";

fn key(entry: &Entry) -> (&'static str, String) {
    match entry {
        Entry::Site(site) => ("site", site.id.to_string()),
        Entry::Machine(machine) => ("machine", machine.id.to_string()),
        Entry::User(user) => ("user", user.name.to_string()),
        Entry::Token(token) => (TOKEN, hex(&token.hash)),
        Entry::SignIn(sign_in) => (SIGN_IN, hex(&sign_in.hash)),
        Entry::Link(link) => (LINK, hex(&link.hash)),
        Entry::Limits(limits) => match &limits.scope {
            Scope::Site(site) => ("site_limits", site.to_string()),
            Scope::Model(model) => ("model_limits", model.clone()),
            Scope::Machine(machine) => ("machine_limits", machine.to_string()),
        },
        Entry::Contact(contact) => (CONTACT, contact.name.clone()),
        Entry::Policy(policy) => match &policy.site {
            Some(site) => ("site_policy", site.to_string()),
            None => ("policy", String::new()),
        },
        Entry::Anchor(anchor) => ("anchor", format!("{:020}/{}", anchor.facts, anchor.contact)),
        Entry::Course(course) => ("course", format!("{:020}", course.id.0)),
        Entry::Maintenance(set) => maintenance(&set.scope),
        Entry::EnrolmentCode(code) => (ENROLMENT_CODE, code_id(code.id)),
        Entry::Enrolment(one) => (ENROLMENT, hex(&one.nonce)),
    }
}

fn maintenance(scope: &Scope) -> (&'static str, String) {
    match scope {
        Scope::Site(site) => ("site_maintenance", site.to_string()),
        Scope::Model(model) => ("model_maintenance", model.clone()),
        Scope::Machine(machine) => ("machine_maintenance", machine.to_string()),
    }
}

fn code_id(id: u32) -> String {
    format!("{id:06x}")
}

fn remove(connection: &Connection, kind: &str, hash: &[u8; 32]) -> Result<(), Failure> {
    remove_id(connection, kind, &hex(hash))
}

fn remove_id(connection: &Connection, kind: &str, id: &str) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached("DELETE FROM entry WHERE kind = ?1 AND id = ?2")?;
    statement.execute(params![kind, id])?;
    Ok(())
}

fn hex(hash: &[u8; 32]) -> String {
    hex::encode(hash)
}
