//! Pieces of recordings: their rows and their octets.

use domain::belt::Contacts;
use domain::ids::RecordingId;
use domain::limits;
use domain::units::{Incline, Speed, UnixMicros};
use rusqlite::{Connection, params};

use crate::chunk::ChunkError;
use crate::chunk::codes::{direction_code, direction_of};
use crate::chunk::varint::{self, Octets};
use crate::ledger::{DerivedPiece, RecordedPoint};
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{limit, rows};
use crate::{StoreError, StoreErrorKind};

/// The table.
pub(super) const SCHEMA: &str = "
CREATE TABLE recording (
    id BLOB NOT NULL,
    number INTEGER NOT NULL,
    machine TEXT NOT NULL,
    is_last INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (id, number)
) STRICT;
";

/// The version of a piece's octets.
const VERSION: u8 = 1;

/// Writes a piece.
pub(super) fn put(connection: &Connection, piece: &DerivedPiece) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "INSERT INTO recording (id, number, machine, is_last, body) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id, number) DO UPDATE
             SET machine = excluded.machine, is_last = excluded.is_last, body = excluded.body",
        )?
        .execute(params![
            piece.recording.0,
            piece.number,
            piece.machine.as_str(),
            piece.is_last,
            encode(&piece.points),
        ])?;
    Ok(())
}

/// The pieces of a recording.
pub(super) fn pieces(connection: &Connection, id: RecordingId) -> Result<Vec<DerivedPiece>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT number, machine, is_last, body FROM recording WHERE id = ?1 ORDER BY number LIMIT ?2",
    )?;
    rows(&mut statement, params![id.0, limit(limits::RECORDING_PIECES_MAX)], |columns| {
        let (number, machine, is_last) = (columns.get()?, columns.machine()?, columns.get()?);
        let body: Vec<u8> = columns.get()?;
        if let Some(version) = body.first().filter(|version| **version != VERSION) {
            let context = format!(
                "piece {number} of recording {id} has version {version}, this program reads {VERSION}: use the one \
                 that wrote it"
            );
            return Err(StoreError::new(StoreErrorKind::IncompatibleVersion, context).into());
        }
        let damaged = |_| Failure::corrupt(format!("piece {number} of recording {id} is damaged"));
        let points = decode(&body).map_err(damaged)?;
        Ok(DerivedPiece { recording: id, machine, number, is_last, points })
    })
}

/// Version; of each point: microseconds after the one before (the first: since 1970), direction and origin, speed and
/// incline (0: not known, otherwise one more), contacts closed and open.
fn encode(points: &[RecordedPoint]) -> Vec<u8> {
    let mut body = vec![VERSION];
    let mut before = 0;
    for point in points {
        varint::put(&mut body, varint::zigzag(point.time.0.wrapping_sub(before)));
        varint::put(&mut body, direction_code(point.direction, point.origin).cast_unsigned());
        varint::put(&mut body, point.speed.map_or(0, |speed| u64::from(speed.0) + 1));
        varint::put(&mut body, point.incline.map_or(0, |incline| varint::zigzag(i64::from(incline.0)) + 1));
        varint::put(&mut body, u64::from(point.contacts.closed));
        varint::put(&mut body, u64::from(point.contacts.open));
        before = point.time.0;
    }
    body
}

fn decode(body: &[u8]) -> Result<Vec<RecordedPoint>, ChunkError> {
    let mut octets = Octets::new(body);
    octets.octet()?;
    let mut points = Vec::new();
    let mut before = 0_i64;
    while !octets.rest().is_empty() {
        before = before.wrapping_add(varint::unzigzag(octets.varint()?));
        let (direction, origin) = direction_of(octets.varint()?.cast_signed())?;
        let speed = octets.varint()?.checked_sub(1);
        let incline = octets.varint()?.checked_sub(1).map(varint::unzigzag);
        let contacts = Contacts { closed: narrow(octets.varint()?)?, open: narrow(octets.varint()?)? };
        points.push(RecordedPoint {
            time: UnixMicros(before),
            direction,
            origin,
            speed: speed.map(narrow).transpose()?.map(Speed),
            incline: incline.map(narrow).transpose()?.map(Incline),
            contacts,
        });
    }
    Ok(points)
}

fn narrow<T, N: TryFrom<T>>(value: T) -> Result<N, ChunkError> {
    N::try_from(value).map_err(|_| ChunkError::Damaged("it has a number that is too great"))
}
