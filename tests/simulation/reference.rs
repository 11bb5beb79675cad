//! What must hold of a world in the end, told as simply as it can be: what was written down once is stored once, and
//! what is derived is what a run without any fault derives.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use domain::ids::{LogId, MachineId, SessionId};
use domain::limits::USAGE_ROWS_READ_MAX;
use domain::live::Session;
use domain::log::{Lane, Position};
use domain::record::Payload;
use domain::units::UnixMicros;
use domain::usage::{PartId, UsageRow};
use ingest::Registered;
use ingest::ingest::{Effects, IngestMind, Input};
use store::ledger::{Ledger, Loss, SessionQuery, UsageQuery};
use store::telemetry::Telemetry;

use super::agent::SimulatedAgent;
use super::incidents;
use super::server::{SimulatedServer, at_once, now_at, of_machine};

/// What a world came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) events_stored: u64,
    pub(crate) readings_stored: u64,
    /// Pieces of recordings among the records of the events lane; the history does not hold them.
    pub(crate) pieces_stored: u64,
    /// Readings cut off by a power failure, and records of wiped spools.
    pub(crate) excused: u64,
    /// Records that a restored backup had forgotten; they are recorded as lost.
    pub(crate) forgotten: u64,
    pub(crate) sessions: u64,
    pub(crate) incidents: u64,
    /// Messages that were refused because their credential was revoked.
    pub(crate) revoked_refused: u64,
}

type Place = (LogId, Position);

/// Judges a world that has come to rest.
pub(crate) fn judge(
    agents: &[SimulatedAgent],
    server: &SimulatedServer,
    restored: bool,
    now: u64,
) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict { revoked_refused: server.revoked_refused, ..Verdict::default() };
    ensure!(server.duplicates_applied == 0, "{} records were folded twice", server.duplicates_applied);
    for agent in agents {
        let machine = &agent.credential.machine;
        let stored = stored(server, machine).with_context(|| format!("{machine}"))?;
        for (place, octets) in &stored {
            ensure!(agent.sent.get(place) == Some(octets), "{machine}: {place:?} is not what the agent sent");
        }
        let losses = at_once(server.stores.ledger.losses(machine, 10_000))?;
        for (place, made) in &agent.made {
            if stored.contains_key(place) {
                match made.lane {
                    Lane::Events => verdict.events_stored += 1,
                    Lane::Readings => verdict.readings_stored += 1,
                }
            } else if made.excused {
                verdict.excused += 1;
            } else if restored && is_recorded(&losses, &stored, made.lane, place) {
                verdict.forgotten += 1;
            } else {
                bail!("{machine}: {:?} {} of log {} is nowhere", made.lane, place.1, place.0);
            }
        }
        let counts = at_once(server.stores.telemetry.counts(Some(machine)))?;
        let pieces = recording_pieces(&stored);
        verdict.pieces_stored += pieces;
        let told = counts.readings + counts.events + pieces;
        ensure!(
            told == stored.len() as u64,
            "{machine}: {told} records in the history and pieces of recordings, {} stored",
            stored.len()
        );
    }
    (verdict.sessions, verdict.incidents) = same_as_without_faults(agents, server, now)?;
    Ok(verdict)
}

/// Every record that the journal took for a machine; none twice.
fn stored(server: &SimulatedServer, machine: &MachineId) -> anyhow::Result<BTreeMap<Place, bytes::Bytes>> {
    let mut stored = BTreeMap::new();
    for (sequence, slice) in server.appended.iter().filter(|(_, slice)| slice.machine == *machine) {
        for entry in wire::envelope::decode_slice(slice.body.clone())? {
            let place = (slice.log, Position::new(slice.boot.boot_count, entry.n));
            let twice = stored.insert(place, entry.record).is_some();
            ensure!(!twice, "slice {sequence} holds {place:?}, which was there already");
        }
    }
    Ok(stored)
}

fn recording_pieces(stored: &BTreeMap<Place, bytes::Bytes>) -> u64 {
    let is_piece = |octets: &bytes::Bytes| {
        let record = wire::record::decode(Lane::Events, octets);
        record.is_ok_and(|record| matches!(record.payload, Payload::Recording(_)))
    };
    stored.values().filter(|octets| is_piece(octets)).count() as u64
}

/// Whether a record is recorded as lost, or nothing after it came that would have shown the hole.
fn is_recorded(losses: &[Loss], stored: &BTreeMap<Place, bytes::Bytes>, lane: Lane, place: &Place) -> bool {
    let (log, position) = *place;
    let covers = |loss: &Loss| {
        loss.log == log && loss.lane == lane && loss.hole.from < Some(position) && position < loss.hole.to
    };
    let is_last = !stored.keys().any(|(other, later)| *other == log && *later > position);
    is_last || losses.iter().any(covers)
}

/// Folds everything that is stored in a fresh mind, and holds sessions, incidents and losses against the ledger's. Gives
/// how many sessions and incidents there are.
fn same_as_without_faults(
    agents: &[SimulatedAgent],
    server: &SimulatedServer,
    now: u64,
) -> anyhow::Result<(u64, u64)> {
    let mut mind = IngestMind::new(server.master.clone());
    let machines = agents.iter().map(|agent| agent.credential.machine.clone());
    let registry = server.stores.ledger.registry();
    let registered = |machine: MachineId| Registered {
        settings: Arc::new(registry.timeline(&machine).unwrap_or_default()),
        machine,
        key_generation: 1,
        revoked_generation: 0,
    };
    mind.apply(Input::Registered(&machines.map(registered).collect::<Vec<_>>()), now_at(now));
    let mut derived = Vec::new();
    for (sequence, slice) in &server.appended {
        let effects = mind.replay(*sequence, slice, now_at(now))?;
        take(&mut mind, effects, server, now, &mut derived);
    }
    let effects = mind.apply(Input::Stopping, now_at(now));
    take(&mut mind, effects, server, now, &mut derived);
    let mut incidents_found = 0;
    for agent in agents {
        incidents_found += incidents::judge(server, &agent.credential.machine, &derived)?;
    }
    let mut sessions: BTreeMap<SessionId, Session> = BTreeMap::new();
    let mut usage: BTreeMap<(MachineId, i32, PartId), UsageRow> = BTreeMap::new();
    let mut losses = BTreeSet::new();
    for derived in derived {
        for session in derived.sessions {
            let newest = sessions.entry(session.id).or_insert_with(|| session.clone());
            if session.revision >= newest.revision {
                *newest = session;
            }
        }
        for row in derived.usage {
            let newest = usage.entry((row.machine.clone(), row.day, row.part)).or_insert_with(|| row.clone());
            if row.revision >= newest.revision {
                *newest = row;
            }
        }
        losses.extend(derived.losses.into_iter().map(|(machine, loss)| (machine, loss.log, loss.hole.to)));
    }
    let in_ledger = sessions_in_ledger(agents, server)?;
    ensure!(
        in_ledger == sessions,
        "sessions differ from a run without faults:\n{in_ledger:#?}\n{sessions:#?}"
    );
    let in_ledger = usage_in_ledger(agents, server)?;
    ensure!(in_ledger == usage, "usage differs from a run without faults:\n{in_ledger:#?}\n{usage:#?}");
    for agent in agents {
        let machine = &agent.credential.machine;
        for loss in at_once(server.stores.ledger.losses(machine, 10_000))? {
            let known = losses.remove(&(machine.clone(), loss.log, loss.hole.to));
            ensure!(known, "{machine}: a loss that a run without faults does not have: {loss:?}");
        }
    }
    ensure!(losses.is_empty(), "losses that the ledger does not have: {losses:?}");
    Ok((sessions.len() as u64, incidents_found))
}

fn take(
    mind: &mut IngestMind,
    effects: Effects,
    server: &SimulatedServer,
    now: u64,
    derived: &mut Vec<store::ledger::Derived>,
) {
    let mut reads = effects.reads;
    derived.push(effects.derived);
    while let Some(again) = reads.pop() {
        let slices: Vec<_> =
            server.appended.iter().filter(|(sequence, _)| *sequence > again.after).cloned().collect();
        let effects = mind.read_again(&again, of_machine(&again, slices), now_at(now));
        reads.extend(effects.reads);
        derived.push(effects.derived);
    }
}

fn sessions_in_ledger(
    agents: &[SimulatedAgent],
    server: &SimulatedServer,
) -> anyhow::Result<BTreeMap<SessionId, Session>> {
    let machines = agents.iter().map(|agent| agent.credential.machine.clone()).collect();
    let (from, until) = (UnixMicros(i64::MIN), UnixMicros(i64::MAX));
    let query = SessionQuery { machines, from, until, with: None, after: None, max: 1_000 };
    let sessions = at_once(server.stores.ledger.sessions(&query))?;
    Ok(sessions.into_iter().map(|session| (session.id, session)).collect())
}

fn usage_in_ledger(
    agents: &[SimulatedAgent],
    server: &SimulatedServer,
) -> anyhow::Result<BTreeMap<(MachineId, i32, PartId), UsageRow>> {
    let query = UsageQuery {
        machines: agents.iter().map(|agent| agent.credential.machine.clone()).collect(),
        from_day: i32::MIN,
        until_day: i32::MAX,
        after: None,
        max: USAGE_ROWS_READ_MAX,
    };
    let rows = at_once(server.stores.ledger.usage(&query))?;
    Ok(rows.into_iter().map(|row| ((row.machine.clone(), row.day, row.part), row)).collect())
}
