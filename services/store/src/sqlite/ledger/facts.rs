//! Facts and their JSON.

use domain::ids::{MachineId, SiteId};
use domain::registry::{BeltKind, DriveKind};
use domain::units::UnixMicros;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::registry;
use crate::ledger::{Fact, FactKind, FactOutcome, Machine, Site, Token};
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{Columns, first_row, limit, rows};
use crate::{StoreError, StoreErrorKind};

const VERSION: u32 = 1;

/// Adds a fact and what follows from it.
pub(super) fn add(connection: &Connection, fact: &Fact) -> Result<FactOutcome, Failure> {
    if let Some(request_id) = &fact.request_id {
        let mut statement = connection.prepare_cached(
            "SELECT number, time_us, author, request_id, body FROM fact WHERE author = ?1 AND request_id = ?2",
        )?;
        if let Some((number, first)) = first_row(&mut statement, [&fact.author, request_id], of_row)? {
            return Ok(FactOutcome::Repeated(number, Box::new(first)));
        }
    }
    let body = serde_json::to_string(&Body::of(&fact.kind))
        .map_err(|error| Failure::corrupt(format!("a fact cannot be written as JSON: {error}")))?;
    connection
        .prepare_cached("INSERT INTO fact (time_us, author, request_id, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![fact.time.0, fact.author, fact.request_id, body])?;
    let number = connection.last_insert_rowid().cast_unsigned();
    registry::follow(connection, number, &fact.kind)?;
    Ok(FactOutcome::Added(number))
}

/// Facts after a number.
pub(super) fn list(connection: &Connection, after: i64, max: usize) -> Result<Vec<(u64, Fact)>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT number, time_us, author, request_id, body FROM fact WHERE number > ?1 ORDER BY number LIMIT ?2",
    )?;
    rows(&mut statement, params![after, limit(max)], of_row)
}

fn of_row(columns: &mut Columns<'_, '_>) -> Result<(u64, Fact), Failure> {
    let number = columns.get()?;
    let (time, author, request_id) = (columns.time()?, columns.get()?, columns.get()?);
    let body: String = columns.get()?;
    let kind = Body::read(&body).map_err(|what| match what {
        Unread::Newer(version) => Failure::Store(StoreError::new(
            StoreErrorKind::IncompatibleVersion,
            format!(
                "fact {number} has version {version}, this program reads {VERSION}: use the one that wrote it"
            ),
        )),
        Unread::Damaged(reason) => Failure::corrupt(format!("fact {number} is damaged: {reason}")),
    })?;
    Ok((number, Fact { time, author, request_id, kind }))
}

/// A fact's JSON: its version, what it says by name, and the fields of that.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    v: u32,
    #[serde(flatten)]
    kind: KindBody,
}

#[derive(Debug, Deserialize)]
struct VersionOnly {
    v: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum KindBody {
    #[serde(rename = "site_created")]
    Site { id: String, display_name: String, time_zone: String, created_us: i64 },
    #[serde(rename = "machine_created")]
    Machine {
        id: String,
        site: String,
        display_name: String,
        model: String,
        belt: String,
        drive: String,
        key_generation: u32,
        created_us: i64,
    },
    #[serde(rename = "token_created")]
    Token {
        /// In hexadecimal.
        hash: String,
        display_name: String,
        sites: Vec<String>,
    },
}

enum Unread {
    Newer(u32),
    Damaged(String),
}

impl Body {
    fn of(kind: &FactKind) -> Body {
        let kind = match kind.clone() {
            FactKind::SiteCreated(site) => KindBody::Site {
                id: site.id.to_string(),
                display_name: site.display_name,
                time_zone: site.time_zone,
                created_us: site.created.0,
            },
            FactKind::MachineCreated(machine) => KindBody::Machine {
                id: machine.id.to_string(),
                site: machine.site.to_string(),
                display_name: machine.display_name,
                model: machine.model,
                belt: belt_name(machine.belt).to_owned(),
                drive: drive_name(machine.drive).to_owned(),
                key_generation: machine.key_generation,
                created_us: machine.created.0,
            },
            FactKind::TokenCreated(token) => KindBody::Token {
                hash: token.hash.iter().map(|octet| format!("{octet:02x}")).collect(),
                display_name: token.display_name,
                sites: token.sites.iter().map(SiteId::to_string).collect(),
            },
        };
        Body { v: VERSION, kind }
    }

    fn read(json: &str) -> Result<FactKind, Unread> {
        let damaged = |error: serde_json::Error| Unread::Damaged(error.to_string());
        let VersionOnly { v } = serde_json::from_str(json).map_err(damaged)?;
        if v != VERSION {
            return Err(Unread::Newer(v));
        }
        let body: Body = serde_json::from_str(json).map_err(damaged)?;
        body.kind.fact_kind().map_err(Unread::Damaged)
    }
}

impl KindBody {
    fn fact_kind(self) -> Result<FactKind, String> {
        match self {
            KindBody::Site { id, display_name, time_zone, created_us } => {
                let (id, created) = (site_id(&id)?, UnixMicros(created_us));
                Ok(FactKind::SiteCreated(Site { id, display_name, time_zone, created }))
            }
            KindBody::Machine { id, site, display_name, model, belt, drive, key_generation, created_us } => {
                Ok(FactKind::MachineCreated(Machine {
                    id: MachineId::new(&id).map_err(|error| error.to_string())?,
                    site: site_id(&site)?,
                    display_name,
                    model,
                    belt: belt_of(&belt)?,
                    drive: drive_of(&drive)?,
                    key_generation,
                    created: UnixMicros(created_us),
                }))
            }
            KindBody::Token { hash, display_name, sites } => {
                let hash = hash_of(&hash).ok_or("the hash is not 64 hexadecimal digits")?;
                let sites = sites.iter().map(|site| site_id(site)).collect::<Result<_, _>>()?;
                Ok(FactKind::TokenCreated(Token { hash, display_name, sites }))
            }
        }
    }
}

/// A site's id from its text.
pub(super) fn site_id(text: &str) -> Result<SiteId, String> {
    SiteId::new(text).map_err(|error| error.to_string())
}

fn hash_of(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (place, octet) in hash.iter_mut().enumerate() {
        *octet = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(hash)
}

/// A belt's kind in the product's words.
pub(super) fn belt_name(belt: BeltKind) -> &'static str {
    match belt {
        BeltKind::OneWay => "one_way",
        BeltKind::Reversible => "reversible",
        BeltKind::Unknown => "unknown",
    }
}

/// The kind of that name.
pub(super) fn belt_of(name: &str) -> Result<BeltKind, String> {
    let kinds = [BeltKind::OneWay, BeltKind::Reversible, BeltKind::Unknown];
    kinds.into_iter().find(|kind| belt_name(*kind) == name).ok_or(format!("no belt is \"{name}\""))
}

/// A drive's kind in the product's words.
pub(super) fn drive_name(drive: DriveKind) -> &'static str {
    match drive {
        DriveKind::Motor => "motor",
        DriveKind::Manual => "manual",
    }
}

/// The kind of that name.
pub(super) fn drive_of(name: &str) -> Result<DriveKind, String> {
    let kinds = [DriveKind::Motor, DriveKind::Manual];
    kinds.into_iter().find(|kind| drive_name(*kind) == name).ok_or(format!("no drive is \"{name}\""))
}
