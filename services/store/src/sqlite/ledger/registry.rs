//! Sites, machines and tokens: what follows from the facts.

use domain::ids::{MachineId, SiteId};
use rusqlite::{Connection, params};

use super::facts::{belt_name, belt_of, drive_name, drive_of, site_id};
use crate::bounds;
use crate::ledger::{FactKind, Machine, Site, Token};
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{Columns, first_row, limit, rows};

/// Writes what follows from a fact, in the fact's own transaction.
pub(super) fn follow(connection: &Connection, number: u64, kind: &FactKind) -> Result<(), Failure> {
    match kind {
        FactKind::SiteCreated(site) => add_site(connection, site),
        FactKind::MachineCreated(machine) => add_machine(connection, machine),
        FactKind::TokenCreated(token) => add_token(connection, number, token),
    }
}

fn add_site(connection: &Connection, site: &Site) -> Result<(), Failure> {
    let added = connection
        .prepare_cached("INSERT OR IGNORE INTO site VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![site.id.as_str(), site.display_name, site.time_zone, site.created.0])?;
    if added == 0 { Err(bounds::taken("site", site.id.as_str()).into()) } else { Ok(()) }
}

fn add_machine(connection: &Connection, machine: &Machine) -> Result<(), Failure> {
    need_site(connection, &machine.site)?;
    let added = connection
        .prepare_cached("INSERT OR IGNORE INTO machine VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
        .execute(params![
            machine.id.as_str(),
            machine.site.as_str(),
            machine.display_name,
            machine.model,
            belt_name(machine.belt),
            drive_name(machine.drive),
            machine.key_generation,
            machine.created.0,
        ])?;
    if added == 0 { Err(bounds::taken("machine", machine.id.as_str()).into()) } else { Ok(()) }
}

fn add_token(connection: &Connection, number: u64, token: &Token) -> Result<(), Failure> {
    token.sites.iter().try_for_each(|site| need_site(connection, site))?;
    let sites: Vec<&str> = token.sites.iter().map(SiteId::as_str).collect();
    let added = connection
        .prepare_cached("INSERT OR IGNORE INTO token VALUES (?1, ?2, ?3, ?4)")?
        // An id has no space in it.
        .execute(params![token.hash, number, token.display_name, sites.join(" ")])?;
    if added == 0 { Err(bounds::taken("token", &token.display_name).into()) } else { Ok(()) }
}

fn need_site(connection: &Connection, site: &SiteId) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM site WHERE id = ?1")?;
    if statement.exists([site.as_str()])? { Ok(()) } else { Err(bounds::no_site(site).into()) }
}

/// Sites by id.
pub(super) fn sites(
    connection: &Connection,
    after: Option<&SiteId>,
    max: usize,
) -> Result<Vec<Site>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT id, display_name, time_zone, created_us FROM site WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?;
    // Every id is greater than the empty text.
    rows(&mut statement, params![after.map_or("", SiteId::as_str), limit(max)], |columns| {
        Ok(Site {
            id: site(columns)?,
            display_name: columns.get()?,
            time_zone: columns.get()?,
            created: columns.time()?,
        })
    })
}

/// Machines by id, of one site or all.
pub(super) fn machines(
    connection: &Connection,
    site: Option<&SiteId>,
    after: Option<&MachineId>,
    max: usize,
) -> Result<Vec<Machine>, Failure> {
    let after = after.map_or("", MachineId::as_str);
    match site {
        Some(site) => {
            let query = format!("{MACHINE} WHERE site = ?1 AND id > ?2 ORDER BY id LIMIT ?3");
            let mut statement = connection.prepare_cached(&query)?;
            rows(&mut statement, params![site.as_str(), after, limit(max)], machine_of)
        }
        None => {
            let query = format!("{MACHINE} WHERE id > ?1 ORDER BY id LIMIT ?2");
            let mut statement = connection.prepare_cached(&query)?;
            rows(&mut statement, params![after, limit(max)], machine_of)
        }
    }
}

const MACHINE: &str =
    "SELECT id, site, display_name, model, belt, drive, key_generation, created_us FROM machine";

/// One machine.
pub(super) fn machine(connection: &Connection, id: &MachineId) -> Result<Option<Machine>, Failure> {
    let mut statement = connection.prepare_cached(&format!("{MACHINE} WHERE id = ?1"))?;
    first_row(&mut statement, [id.as_str()], machine_of)
}

fn machine_of(columns: &mut Columns<'_, '_>) -> Result<Machine, Failure> {
    Ok(Machine {
        id: columns.machine()?,
        site: site(columns)?,
        display_name: columns.get()?,
        model: columns.get()?,
        belt: belt_of(&columns.get::<String>()?).map_err(Failure::corrupt)?,
        drive: drive_of(&columns.get::<String>()?).map_err(Failure::corrupt)?,
        key_generation: columns.get()?,
        created: columns.time()?,
    })
}

fn site(columns: &mut Columns<'_, '_>) -> Result<SiteId, Failure> {
    site_id(&columns.get::<String>()?).map_err(Failure::corrupt)
}

/// The token with a hash, and its fact's number.
pub(super) fn token(connection: &Connection, hash: [u8; 32]) -> Result<Option<(u64, Token)>, Failure> {
    let mut statement =
        connection.prepare_cached("SELECT fact_number, display_name, sites FROM token WHERE hash = ?1")?;
    first_row(&mut statement, [hash], |columns| {
        let (number, display_name) = (columns.get()?, columns.get()?);
        let sites: String = columns.get()?;
        let sites = sites.split_whitespace().map(site_id).collect::<Result<_, _>>();
        Ok((number, Token { hash, display_name, sites: sites.map_err(Failure::corrupt)? }))
    })
}
