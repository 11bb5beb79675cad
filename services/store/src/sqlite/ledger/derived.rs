//! What is derived from the journal, all of it at once; and checkpoints, losses, unreadable records.

use bytes::Bytes;
use domain::ids::MachineId;
use domain::log::Hole;
use domain::units::UnixMicros;
use rusqlite::{Connection, params};

use super::{incidents, recordings, sessions, usage};
use crate::ledger::{Checkpoint, Derived, Loss, Unreadable};
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{Columns, lane_code, limit, rows};

/// Numbers of the newest changes that were made, of each kind.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Of an incident.
    pub(super) incident: Option<u64>,
    /// Of a usage row.
    pub(super) usage: Option<u64>,
}

/// Writes all values; of two with one key the greater revision stays.
pub(super) fn put(connection: &Connection, derived: &Derived) -> Result<Changes, Failure> {
    for checkpoint in &derived.checkpoints {
        put_checkpoint(connection, checkpoint)?;
    }
    for session in &derived.sessions {
        sessions::put(connection, session)?;
    }
    for (machine, loss) in &derived.losses {
        put_loss(connection, machine, loss)?;
    }
    for (machine, unreadable) in &derived.unreadable {
        put_unreadable(connection, machine, unreadable)?;
    }
    for piece in &derived.recordings {
        recordings::put(connection, piece)?;
    }
    let usage = usage::put(connection, &derived.usage)?;
    Ok(Changes { incident: incidents::put(connection, &derived.incidents)?, usage })
}

fn put_checkpoint(connection: &Connection, checkpoint: &Checkpoint) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "INSERT INTO checkpoint (machine, sequence, revision, state) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (machine) DO UPDATE
             SET sequence = excluded.sequence, revision = excluded.revision, state = excluded.state
             WHERE excluded.revision >= revision",
        )?
        .execute(params![
            checkpoint.machine.as_str(),
            checkpoint.sequence,
            checkpoint.revision,
            &checkpoint.state[..],
        ])?;
    Ok(())
}

fn put_loss(connection: &Connection, machine: &MachineId, loss: &Loss) -> Result<(), Failure> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO loss VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?
        .execute(params![
            machine.as_str(),
            loss.log.0,
            lane_code(loss.lane),
            loss.hole.to.boot_count,
            loss.hole.to.n,
            loss.hole.from.map(|position| position.boot_count),
            loss.hole.from.map(|position| position.n),
            loss.hole.records_at_least,
            loss.before.map(|time| time.0),
        ])?;
    Ok(())
}

fn put_unreadable(
    connection: &Connection,
    machine: &MachineId,
    unreadable: &Unreadable,
) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "INSERT INTO unreadable (machine, log, lane, boot_count, n, reason, octets)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (machine, log, lane, boot_count, n) DO UPDATE
             SET reason = excluded.reason, octets = excluded.octets",
        )?
        .execute(params![
            machine.as_str(),
            unreadable.log.0,
            lane_code(unreadable.lane),
            unreadable.position.boot_count,
            unreadable.position.n,
            unreadable.reason,
            &unreadable.octets[..],
        ])?;
    Ok(())
}

/// Checkpoints by machine.
pub(super) fn checkpoints(
    connection: &Connection,
    after: Option<&MachineId>,
    max: usize,
) -> Result<Vec<Checkpoint>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT machine, sequence, revision, state FROM checkpoint WHERE machine > ?1 ORDER BY machine LIMIT ?2",
    )?;
    // Every id is greater than the empty text.
    rows(&mut statement, params![after.map_or("", MachineId::as_str), limit(max)], checkpoint_of)
}

/// The checkpoint of one machine.
pub(super) fn checkpoint(
    connection: &Connection,
    machine: &MachineId,
) -> Result<Option<Checkpoint>, Failure> {
    let mut statement = connection
        .prepare_cached("SELECT machine, sequence, revision, state FROM checkpoint WHERE machine = ?1")?;
    Ok(rows(&mut statement, params![machine.as_str()], checkpoint_of)?.pop())
}

fn checkpoint_of(columns: &mut Columns<'_, '_>) -> Result<Checkpoint, Failure> {
    Ok(Checkpoint {
        machine: columns.machine()?,
        sequence: columns.get()?,
        revision: columns.get()?,
        state: Bytes::from(columns.get::<Vec<u8>>()?),
    })
}

/// Losses of one machine by log, lane and end.
pub(super) fn losses(connection: &Connection, machine: &MachineId, max: usize) -> Result<Vec<Loss>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT log, lane, from_boot, from_n, to_boot, to_n, records_at_least, before_us FROM loss
         WHERE machine = ?1 ORDER BY log, lane, to_boot, to_n LIMIT ?2",
    )?;
    rows(&mut statement, params![machine.as_str(), limit(max)], |columns| {
        let (log, lane) = (columns.log()?, columns.lane()?);
        let (from, to) = (columns.maybe_position()?, columns.position()?);
        let hole = Hole { from, to, records_at_least: columns.get()? };
        Ok(Loss { log, lane, hole, before: columns.get::<Option<i64>>()?.map(UnixMicros) })
    })
}

/// Unreadable records of one machine, newest first.
pub(super) fn unreadable(
    connection: &Connection,
    machine: &MachineId,
    max: usize,
) -> Result<Vec<Unreadable>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT log, lane, boot_count, n, reason, octets FROM unreadable
         WHERE machine = ?1 ORDER BY number DESC LIMIT ?2",
    )?;
    rows(&mut statement, params![machine.as_str(), limit(max)], |columns| {
        Ok(Unreadable {
            log: columns.log()?,
            lane: columns.lane()?,
            position: columns.position()?,
            reason: columns.get()?,
            octets: Bytes::from(columns.get::<Vec<u8>>()?),
        })
    })
}
