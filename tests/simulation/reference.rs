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
use super::made::{Chronicle, Fate, Made, Place};
use super::server::{SimulatedServer, at_once, now_at, of_machine};
use super::tally::{Met, Tally};

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
    /// The faults that were met.
    pub(crate) met: Tally,
}

/// Whoever used one machine's credential: its agent, and copies of its card that were in service for a while.
///
/// What a copy made and nobody acknowledged went with it, as with a wiped spool; that it was there the ingest says with
/// an alarm. Two copies may tell the same event if it had arrived and its ack had not when the card was copied or the
/// spool went on in a log of its own: at two places, and as what two processes said.
pub(crate) struct Owners {
    pub(crate) agent: SimulatedAgent,
    pub(crate) copies: Vec<SimulatedAgent>,
}

impl Owners {
    fn all(&self) -> impl Iterator<Item = &SimulatedAgent> {
        self.copies.iter().chain([&self.agent])
    }

    /// Whether two of them had a boot of this number with one spool.
    fn count_alike(&self, (log, position): &Place) -> bool {
        let boot = (LogId::for_lane(log.0, Lane::Events), position.boot_count);
        self.all().filter(|agent| agent.boots.contains(&boot)).count() > 1
    }

    fn machine(&self) -> &MachineId {
        &self.agent.credential.machine
    }
}

/// What the server has of one machine.
struct Kept {
    stored: BTreeMap<Place, bytes::Bytes>,
    losses: Vec<Loss>,
}

/// Whether the server may have forgotten a record.
#[derive(Debug, Clone, Copy)]
struct Restored {
    /// Whether a backup of the server was put back.
    is_restored: bool,
    /// Whether two processes had a boot of the record's number: then the log may hold the other one's instead.
    count_alike: bool,
}

/// Judges a world that has come to rest.
pub(crate) fn judge(
    owners: &[Owners],
    server: &SimulatedServer,
    is_restored: bool,
    now: u64,
    met: Tally,
) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict { met, ..Verdict::default() };
    ensure!(server.duplicates_applied == 0, "{} records were folded twice", server.duplicates_applied);
    for owners in owners {
        let machine = owners.machine();
        let losses = at_once(server.stores.ledger.losses(machine, 10_000))?;
        let kept = Kept { stored: stored(server, machine).with_context(|| format!("{machine}"))?, losses };
        is_of_one_process(owners, &kept).with_context(|| format!("{machine}"))?;
        is_apart_from_losses(&kept).with_context(|| format!("{machine}"))?;
        let mut counted = BTreeSet::new();
        for agent in owners.all() {
            ensure!(agent.broken.is_empty(), "{machine}: {:?}", agent.broken);
            for (place, made) in agent.disk.chronicle().iter() {
                if counted.insert(*place) || kept.stored.get(place) != Some(&made.octets) {
                    let restored = Restored { is_restored, count_alike: owners.count_alike(place) };
                    arrived(&kept, place, made, restored, &mut verdict)
                        .with_context(|| format!("{machine}, {} copies", owners.copies.len()))?;
                }
            }
        }
        let counts = at_once(server.stores.telemetry.counts(Some(machine)))?;
        verdict.met.note(Met::Undated, counts.undated);
        let pieces = recording_pieces(&kept.stored);
        verdict.pieces_stored += pieces;
        let told = counts.readings + counts.events + pieces;
        ensure!(
            told == kept.stored.len() as u64,
            "{machine}: {told} records in the history and pieces of recordings, {} stored",
            kept.stored.len()
        );
    }
    (verdict.sessions, verdict.incidents) = same_as_without_faults(owners, server, now)?;
    Ok(verdict)
}

/// A record that was on a disk is stored as it was, or there is a reason for which it need not be.
fn arrived(
    kept: &Kept,
    place: &Place,
    made: &Made,
    restored: Restored,
    verdict: &mut Verdict,
) -> anyhow::Result<()> {
    if kept.stored.get(place) == Some(&made.octets) {
        match made.lane {
            Lane::Events => verdict.events_stored += 1,
            Lane::Readings => verdict.readings_stored += 1,
        }
        return Ok(());
    }
    if made.earlier.iter().any(|place| kept.stored.get(place) == Some(&made.octets)) {
        return Ok(());
    }
    let recorded = is_recorded(kept, made.lane, place);
    // What a restored backup had forgotten is recorded as lost, unless the other boot of this number came first.
    let is_forgotten = restored.is_restored && (recorded || restored.count_alike);
    match made.fate {
        Fate::Excused if !made.is_acknowledged => verdict.excused += 1,
        Fate::Excused | Fate::Promised if made.is_unsure && recorded => verdict.met.note(Met::Overflowed, 1),
        Fate::Dropped if recorded => verdict.met.note(Met::Overflowed, 1),
        Fate::Excused | Fate::Promised if is_forgotten => verdict.forgotten += 1,
        Fate::Excused | Fate::Promised | Fate::Dropped => {
            let (lane, (log, position)) = (made.lane, place);
            let is = if made.is_acknowledged { "was acknowledged and " } else { "" };
            let there = kept.stored.contains_key(place);
            let is_what = if there { "another record is in its place" } else { "it is nowhere" };
            bail!("{lane:?} {position} of log {log} {is}{is_what} ({:?})", made.fate)
        }
    }
    Ok(())
}

/// All that is stored of one boot was made by one process, as it is stored: nothing is made up, nothing is merged.
fn is_of_one_process(owners: &Owners, kept: &Kept) -> anyhow::Result<()> {
    let mut boots: BTreeMap<(LogId, u32), Vec<(&Place, &bytes::Bytes)>> = BTreeMap::new();
    for (place, octets) in &kept.stored {
        boots.entry((place.0, place.1.boot_count)).or_default().push((place, octets));
    }
    let makers: Vec<_> = owners.all().map(|agent| (agent, agent.disk.chronicle())).collect();
    let made_by =
        |(agent, chronicle): &(&SimulatedAgent, Chronicle), place: &Place, octets: &bytes::Bytes| {
            let made = chronicle.get(place).map(|made| &made.octets);
            [agent.sent.get(place), made].contains(&Some(octets))
        };
    for ((log, boot_count), records) in boots {
        let is_made =
            makers.iter().any(|maker| records.iter().all(|(place, octets)| made_by(maker, place, octets)));
        let foreign = |maker| records.iter().filter(|(place, octets)| !made_by(maker, place, octets)).count();
        let foreign: Vec<usize> = makers.iter().map(foreign).collect();
        let count = records.len();
        ensure!(
            is_made,
            "boot {boot_count} of log {log} is not what one process made: of {count} records {foreign:?} are not"
        );
    }
    Ok(())
}

/// What is recorded as lost is not stored.
fn is_apart_from_losses(kept: &Kept) -> anyhow::Result<()> {
    for place in kept.stored.keys() {
        let loss = kept.losses.iter().find(|loss| covers(loss, loss.lane, place));
        ensure!(loss.is_none(), "{place:?} is stored and recorded as lost: {loss:?}");
    }
    Ok(())
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

fn covers(loss: &Loss, lane: Lane, place: &Place) -> bool {
    let (log, position) = *place;
    loss.log == log && loss.lane == lane && loss.hole.from < Some(position) && position < loss.hole.to
}

/// Whether a record is recorded as lost, or nothing after it came that would have shown the hole.
fn is_recorded(kept: &Kept, lane: Lane, place: &Place) -> bool {
    let (log, position) = *place;
    let is_last = !kept.stored.keys().any(|(other, later)| *other == log && *later > position);
    is_last || kept.losses.iter().any(|loss| covers(loss, lane, place))
}

/// Folds everything that is stored in a fresh mind, and holds sessions, incidents and losses against the ledger's. Gives
/// how many sessions and incidents there are.
fn same_as_without_faults(
    owners: &[Owners],
    server: &SimulatedServer,
    now: u64,
) -> anyhow::Result<(u64, u64)> {
    let mut mind = IngestMind::new(server.master.clone());
    let machines = owners.iter().map(|owners| owners.machine().clone());
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
    for owners in owners {
        incidents_found += incidents::judge(server, owners.machine(), &derived, owners.copies.is_empty())?;
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
    let in_ledger = sessions_in_ledger(owners, server)?;
    ensure!(
        in_ledger == sessions,
        "sessions differ from a run without faults:\n{in_ledger:#?}\n{sessions:#?}"
    );
    let in_ledger = usage_in_ledger(owners, server)?;
    ensure!(in_ledger == usage, "usage differs from a run without faults:\n{in_ledger:#?}\n{usage:#?}");
    for owners in owners {
        let machine = owners.machine();
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
    owners: &[Owners],
    server: &SimulatedServer,
) -> anyhow::Result<BTreeMap<SessionId, Session>> {
    let machines = owners.iter().map(|owners| owners.machine().clone()).collect();
    let (from, until) = (UnixMicros(i64::MIN), UnixMicros(i64::MAX));
    let query = SessionQuery { machines, from, until, with: None, after: None, max: 1_000 };
    let sessions = at_once(server.stores.ledger.sessions(&query))?;
    Ok(sessions.into_iter().map(|session| (session.id, session)).collect())
}

fn usage_in_ledger(
    owners: &[Owners],
    server: &SimulatedServer,
) -> anyhow::Result<BTreeMap<(MachineId, i32, PartId), UsageRow>> {
    let query = UsageQuery {
        machines: owners.iter().map(|owners| owners.machine().clone()).collect(),
        from_day: i32::MIN,
        until_day: i32::MAX,
        after: None,
        max: USAGE_ROWS_READ_MAX,
    };
    let rows = at_once(server.stores.ledger.usage(&query))?;
    Ok(rows.into_iter().map(|row| ((row.machine.clone(), row.day, row.part), row)).collect())
}
