//! Incidents of a world: the ledger's are those of a run without faults, ids and evidence included, and do not depend on
//! when which record arrived.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::ensure;
use domain::clock::ClockQuality;
use domain::ids::{IncidentId, LogId, MachineId};
use domain::incident::Incident;
use domain::incident::definition::Judged;
use domain::incident::settings::Timeline;
use domain::log::{Lane, Position};
use domain::machine::{MachineFold, MachineMind};
use domain::merge::{LaneMerge, written_before};
use domain::record::Record;
use domain::units::UnixMicros;
use store::journal::{Sequence, Slice};
use store::ledger::{Derived, IncidentFilter, IncidentOrder, IncidentQuery, Ledger};

use super::server::{SimulatedServer, at_once};

/// How far a boot may reach into the one before it, and its offset wander.
const STEADY_US: i64 = 1_000_000;

/// The newest version of each incident.
pub(crate) type Incidents = BTreeMap<IncidentId, Incident>;

/// Takes the newest versions.
pub(crate) fn newest(incidents: impl IntoIterator<Item = Incident>) -> Incidents {
    let mut newest = Incidents::new();
    for incident in incidents {
        let known = newest.get(&incident.id).map_or(0, |known| known.revision);
        if incident.revision > known {
            newest.insert(incident.id, incident);
        }
    }
    newest
}

/// Holds the incidents of one machine in the ledger against those that a replay of its journal derives, and those against
/// a fold in which everything came in its turn. `is_one_card`: no copy of its card was in service. Gives how many there
/// are.
pub(crate) fn judge(
    server: &SimulatedServer,
    machine: &MachineId,
    replayed: &[Derived],
    is_one_card: bool,
) -> anyhow::Result<u64> {
    let in_ledger = in_ledger(server, machine)?;
    let of_machine = |incident: &&Incident| incident.machine == *machine;
    let found = replayed.iter().flat_map(|derived| &derived.incidents).map(|derived| &derived.incident);
    let replayed = newest(found.filter(of_machine).cloned());
    same(machine, "a replay of the journal", &in_ledger, &replayed)?;
    let slices: Vec<&(Sequence, Slice)> =
        server.appended.iter().filter(|(_, slice)| slice.machine == *machine).collect();
    let spool = slices.first().map(|(_, slice)| LogId::for_lane(slice.log.0, Lane::Events));
    // Of several spools, or of two processes with one, the order in which they came counts, which no fault-free run has.
    let is_one = is_one_card
        && slices.iter().all(|(_, slice)| Some(LogId::for_lane(slice.log.0, Lane::Events)) == spool);
    if is_one {
        let timeline = server.stores.ledger.registry().timeline(machine).unwrap_or_default();
        let in_turn = in_turn(machine, &slices, &Arc::new(timeline))?;
        let (mut in_ledger, mut in_turn) = (in_ledger.clone(), in_turn);
        as_far_as_settled(&mut in_ledger, &mut in_turn);
        if !is_steady(&slices) {
            [&mut in_ledger, &mut in_turn].into_iter().for_each(as_far_as_raised);
        }
        same(machine, "a fold in which all came in turn", &in_ledger, &in_turn)?;
    }
    Ok(in_ledger.len() as u64)
}

/// Where the wall clock stepped, what was written before an event may have a later time than it: an incident that was
/// judged at once may then be let go before its readings come, or after. That it arose, when, and from what stays the same,
/// and so does everything of those that were judged in the merged order.
fn as_far_as_raised(incidents: &mut Incidents) {
    let definition = |incident: &Incident| incident.rule.definition();
    for incident in incidents.values_mut().filter(|incident| definition(incident).judged == Judged::AtOnce) {
        let &severity = definition(incident).severities.first().expect("each rule has one");
        *incident = Incident {
            severity,
            cleared: None,
            count: 1,
            measured: Vec::new(),
            detail: String::new(),
            explained: String::new(),
            stop: None,
            trace: Vec::new(),
            trace_complete: false,
            revision: 1,
            ..incident.clone()
        };
    }
}

/// Readings join a trace as they come; until it is complete it says only what has come. An event that was told late, for
/// want of room, is judged at once ahead of readings from after it that were written before it; in turn it comes behind
/// them, and if nothing follows, its trace is not known to be complete.
fn as_far_as_settled(in_ledger: &mut Incidents, in_turn: &mut Incidents) {
    for (id, one) in in_ledger {
        let Some(other) = in_turn.get_mut(id).filter(|other| !(one.trace_complete && other.trace_complete))
        else {
            continue;
        };
        for incident in [one, other] {
            incident.trace.clear();
            // That it was completed is a version of its own.
            incident.revision -= u64::from(std::mem::take(&mut incident.trace_complete));
        }
    }
}

/// Whether the clocks of all boots ran evenly, and no boot begins before the one before it ended.
fn is_steady(slices: &[&(Sequence, Slice)]) -> bool {
    let mut offsets: BTreeMap<(LogId, u32), (i64, i64)> = BTreeMap::new();
    let mut times: BTreeMap<(LogId, u32), (i64, i64)> = BTreeMap::new();
    let widen = |known: &mut (i64, i64), value: i64| *known = (known.0.min(value), known.1.max(value));
    let dated = slices.iter().filter(|(_, slice)| slice.clock.quality != ClockQuality::Undated);
    for (_, slice) in dated {
        let (boot, offset) =
            ((LogId::for_lane(slice.log.0, Lane::Events), slice.boot.boot_count), slice.clock.offset_us);
        widen(offsets.entry(boot).or_insert((offset, offset)), offset);
        for entry in wire::envelope::decode_slice(slice.body.clone()).unwrap_or_default() {
            let record = wire::record::decode(slice.lane, &entry.record);
            if let Some(time) = record.ok().and_then(|record| slice.clock.unix(record.at)) {
                widen(times.entry(boot).or_insert((time.0, time.0)), time.0);
            }
        }
    }
    let boots: Vec<&(i64, i64)> = times.values().collect();
    boots.windows(2).all(|pair| pair[1].0 + STEADY_US >= pair[0].1)
        && offsets.values().all(|(least, most)| most - least < STEADY_US)
}

fn same(machine: &MachineId, with: &str, in_ledger: &Incidents, other: &Incidents) -> anyhow::Result<()> {
    for (id, incident) in in_ledger {
        ensure!(
            other.get(id) == Some(incident),
            "{machine}: incident {id} differs from that of {with}:\n{incident:#?}\n{:#?}",
            other.get(id)
        );
    }
    let more: Vec<_> = other.values().filter(|incident| !in_ledger.contains_key(&incident.id)).collect();
    ensure!(more.is_empty(), "{machine}: {with} has incidents that the ledger has not: {more:#?}");
    Ok(())
}

fn in_ledger(server: &SimulatedServer, machine: &MachineId) -> anyhow::Result<Incidents> {
    let filter = IncidentFilter { machines: Some(vec![machine.clone()]), ..IncidentFilter::default() };
    let query = IncidentQuery { filter, order: IncidentOrder::OldestFirst, after: None, max: 1_000 };
    let stored = at_once(server.stores.ledger.incidents(&query))?;
    ensure!(stored.len() < 1_000, "{machine}: too many incidents to compare");
    Ok(stored.into_iter().map(|stored| (stored.incident.id, stored.incident)).collect())
}

/// A record in its slice's clock.
type Dated = (LogId, Option<UnixMicros>, Record);

fn in_turn(
    machine: &MachineId,
    slices: &[&(Sequence, Slice)],
    timeline: &Arc<Timeline>,
) -> anyhow::Result<Incidents> {
    let mut merge: LaneMerge<Option<Dated>> = LaneMerge::new(None, None);
    let mut mind = MachineMind::new(machine.clone(), MachineFold::default());
    mind.obey(timeline.clone());
    let mut found = Vec::new();
    let mut take = |place: Position, dated: Dated, waits: bool| {
        let (log, time, record) = dated;
        if record.payload.lane() == Lane::Events {
            found.extend(mind.at_once(log, place, time, &record));
        }
        if !waits {
            found.extend(mind.fold(log, place, time, &record).incidents);
        }
    };
    for (_, slice) in slices {
        for entry in wire::envelope::decode_slice(slice.body.clone())? {
            let place = Position::new(slice.boot.boot_count, entry.n);
            let record = wire::record::decode(slice.lane, &entry.record).ok();
            let after = record.as_ref().and_then(|record| written_before(&slice.boot, record.other_n));
            let dated = record.map(|record| (slice.log, slice.clock.unix(record.at), record));
            ensure!(merge.push(slice.lane, place, after, dated).is_ok(), "{machine}: too many records wait");
        }
        while let Some((_, place, dated)) = merge.pop() {
            dated.into_iter().for_each(|dated| take(place, dated, false));
        }
    }
    // What waits for the other lane was judged by the rules that need not wait.
    while let Some((_, place, dated)) = merge.pop_regardless() {
        dated.into_iter().for_each(|dated| take(place, dated, true));
    }
    Ok(newest(found))
}
