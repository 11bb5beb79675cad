//! The incident mind: both benches of one machine, and the incidents that are not complete yet.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::bench::{Bench, Change, Placed, REARM_US};
use super::definition::{Finding, Judged};
use super::settings::MachineSettings;
use super::track::{Seen, StopEpisode};
use super::{Incident, MeasuredStop, Rule, TracePoint};
use crate::ids::{IncidentId, LogId, MachineId};
use crate::limits;
use crate::log::Position;
use crate::proven::Configurations;
use crate::record::{Payload, Reading, Record};
use crate::units::UnixMicros;

/// How long after it was cleared an incident may go on, in microseconds: its episode may hold again, and sums of a contact
/// that chatters are told up to 10 s late.
const GOES_ON_US: i64 = REARM_US + 12_000_000;
/// How long readings are kept for traces, in microseconds: what is noticed may lie so far behind them.
const RECENT_US: i64 = 2 * TRACE_US;
/// How far apart an edge may lie in both orders, in microseconds: it is told after its debouncing, at the next tick.
const APART_US: i64 = 250_000;
/// How long before and after an incident readings are kept with it, in microseconds.
const TRACE_US: i64 = 10_000_000;

/// Everything of a machine's incidents that a checkpoint keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct IncidentFold {
    at_once: Bench,
    merged: Bench,
    /// Incidents that are active, or whose trace or stop is not complete.
    open: Vec<Incident>,
    /// Readings of the last 10 s, for traces.
    recent: VecDeque<TracePoint>,
    /// How far traces have come, in event time.
    traced: Option<UnixMicros>,
}

impl IncidentFold {
    /// Of a machine of which nothing is known but how the agent's sources were set.
    pub fn knowing(configurations: &Configurations) -> IncidentFold {
        let mut fold = IncidentFold::default();
        for bench in [&mut fold.at_once, &mut fold.merged] {
            bench.track.configurations.clone_from(configurations);
        }
        fold
    }

    /// How the agent's sources were set over time, as far as the records of that order have told.
    pub fn configurations(&self, judged: Judged) -> &Configurations {
        match judged {
            Judged::AtOnce => &self.at_once.track.configurations,
            Judged::Merged => &self.merged.track.configurations,
        }
    }

    /// Takes a record that cannot be dated, in its turn in one of the orders: it is not judged, but what an agent says that
    /// it can report holds from here on in that order.
    pub fn undated(&mut self, judged: Judged, record: &Record) {
        let Payload::Event(event) = &record.payload else { return };
        let bench = match judged {
            Judged::AtOnce => &mut self.at_once,
            Judged::Merged => &mut self.merged,
        };
        bench.track.hear_agent(None, event);
    }

    /// Judges an event by the rules that need nothing else, by the settings of its time. To be called for the events of a lane in their order, each
    /// once, before their turn in the merged order.
    ///
    /// Gives the incidents that are new or have changed.
    pub fn at_once(
        &mut self,
        machine: &MachineId,
        place: (LogId, Position),
        time: UnixMicros,
        record: &Record,
        settings: &MachineSettings,
    ) -> Vec<Incident> {
        let Payload::Event(event) = &record.payload else { return Vec::new() };
        let seen = Seen::Event { event, at: record.at };
        let placed = Placed { machine, log: place.0, position: place.1, time, seen };
        let changes = self.at_once.take(Judged::AtOnce, &placed, settings);
        self.apply(changes)
    }

    /// Judges a record by the rules that need both lanes, in the merged order, by the settings of its time.
    ///
    /// Gives the incidents that are new or have changed.
    pub fn merged(
        &mut self,
        machine: &MachineId,
        place: (LogId, Position),
        time: UnixMicros,
        record: &Record,
        settings: &MachineSettings,
    ) -> Vec<Incident> {
        let seen = match &record.payload {
            Payload::Event(event) => Seen::Event { event, at: record.at },
            Payload::Reading(reading) => {
                let began = time.plus(-i64::from(reading.span_ms) * 1_000);
                let began =
                    self.merged.track.reading.filter(|end| *end <= time).map_or(began, |end| began.max(end));
                Seen::Reading { reading, began }
            }
            Payload::Recording(_) | Payload::Commissioning(_) => return Vec::new(),
        };
        let placed = Placed { machine, log: place.0, position: place.1, time, seen };
        let changes = self.merged.take(Judged::Merged, &placed, settings);
        let mut changed = self.apply(changes);
        if let Seen::Reading { reading, .. } = seen {
            self.trace(time, reading);
        }
        self.measure_stop(&mut changed);
        self.complete(time, &mut changed);
        changed
    }

    fn apply(&mut self, changes: Vec<Change>) -> Vec<Incident> {
        let mut changed: Vec<IncidentId> = Vec::new();
        for change in changes {
            let id = match change {
                Change::Raised(incident) => Some(self.raise(*incident)),
                Change::Goes(id, finding) => self.with(id, |incident| goes(incident, &finding)),
                Change::Cleared(id, time) => self.with(id, |incident| {
                    let first = incident.cleared.is_none();
                    incident.cleared.get_or_insert(time);
                    first
                }),
                Change::Explained(id, time, why) => self.with(id, |incident| {
                    incident.cleared = Some(time);
                    why.clone_into(&mut incident.explained);
                    true
                }),
            };
            changed.extend(id.filter(|id| !changed.contains(id)));
        }
        changed
            .iter()
            .filter_map(|id| self.open.iter().find(|incident| incident.id == *id))
            .cloned()
            .collect()
    }

    fn raise(&mut self, mut incident: Incident) -> IncidentId {
        let id = incident.id;
        incident.revision = 1;
        for point in &self.recent {
            add_to_trace(&mut incident, *point);
        }
        if self.open.len() >= limits::OPEN_INCIDENTS_MAX {
            // Written as far as it was known.
            self.open.remove(0);
        }
        self.open.push(incident);
        id
    }

    /// Changes an open incident; its id if `change` says that it did.
    fn with(&mut self, id: IncidentId, change: impl FnOnce(&mut Incident) -> bool) -> Option<IncidentId> {
        let incident = self.open.iter_mut().find(|incident| incident.id == id)?;
        if !change(incident) {
            return None;
        }
        incident.revision += 1;
        Some(id)
    }

    fn trace(&mut self, time: UnixMicros, reading: &Reading) {
        let point = TracePoint {
            time,
            span_ms: reading.span_ms,
            direction: reading.direction,
            origin: reading.origin,
            speeds: reading.speed.map(|speed| (speed.mean, speed.min, speed.max)),
            incline: reading.incline,
            contacts: reading.contacts,
        };
        while self.recent.front().is_some_and(|old| time.since(old.time) > RECENT_US)
            || self.recent.len() >= limits::TRACE_POINTS_MAX
        {
            self.recent.pop_front();
        }
        self.recent.push_back(point);
        self.traced = self.traced.max(Some(time));
        for incident in &mut self.open {
            add_to_trace(incident, point);
        }
    }

    /// Tells the incident of a stop how the belt came to rest.
    fn measure_stop(&mut self, changed: &mut Vec<Incident>) {
        let Some(stop) = self.merged.track.stop else { return };
        let Some(measured) = measured(&stop) else { return };
        let apart = |incident: &Incident| incident.time.since(stop.time).abs();
        let is_it = |incident: &&Incident| is_of(&stop, incident);
        let found = self.open.iter().filter(is_it).min_by_key(|incident| apart(incident));
        let found = found.filter(|incident| incident.stop.is_none()).map(|incident| incident.id);
        if let Some(id) = found {
            let id = self.with(id, |incident| {
                incident.stop = Some(measured);
                true
            });
            self.push_changed(id, changed);
        }
    }

    /// Incidents that are over and fully traced are written a last time and let go.
    fn complete(&mut self, time: UnixMicros, changed: &mut Vec<Incident>) {
        let is_over = |incident: &Incident| time.since(incident.noticed) > TRACE_US;
        let complete: Vec<IncidentId> = self
            .open
            .iter()
            .filter(|incident| is_over(incident) && !incident.trace_complete)
            .map(|incident| incident.id)
            .collect();
        for id in complete {
            let id = self.with(id, |incident| {
                incident.trace_complete = true;
                true
            });
            self.push_changed(id, changed);
        }
        let stop = self.merged.track.stop;
        // Its episode may go on for so long after it was cleared; events are never judged later than merged.
        let is_cleared =
            |incident: &Incident| incident.cleared.is_some_and(|cleared| time.since(cleared) >= GOES_ON_US);
        let is_done =
            |incident: &Incident| is_over(incident) && incident.trace_complete && is_cleared(incident);
        self.open.retain(|incident| !is_done(incident) || waits_for(stop.as_ref(), incident));
    }

    fn push_changed(&self, id: Option<IncidentId>, changed: &mut Vec<Incident>) {
        let Some(incident) = id.and_then(|id| self.open.iter().find(|incident| incident.id == id)) else {
            return;
        };
        match changed.iter_mut().find(|known| known.id == incident.id) {
            Some(known) => known.clone_from(incident),
            None => changed.push(incident.clone()),
        }
    }
}

/// Half of the room is for what went before, of which the latest is kept; so it does not matter whether the incident or
/// the readings before it came first.
fn add_to_trace(incident: &mut Incident, point: TracePoint) {
    let is_new = incident.trace.last().is_none_or(|last| last.time < point.time);
    if !is_new || incident.noticed.since(point.time).abs() > TRACE_US {
        return;
    }
    if point.time <= incident.noticed && incident.trace.len() >= limits::TRACE_POINTS_MAX / 2 {
        incident.trace.remove(0);
    }
    if incident.trace.len() < limits::TRACE_POINTS_MAX {
        incident.trace.push(point);
    }
}

/// Whether an incident is the one of a stop. The merged order may have moved the edge behind a reading that was written
/// before it.
fn is_of(stop: &StopEpisode, incident: &Incident) -> bool {
    matches!(incident.rule, Rule::EmergencyStop | Rule::SafetyKeyPulled)
        && incident.contact == Some(stop.contact.contact())
        && incident.time.since(stop.time).abs() <= APART_US
}

/// Whether it is still to be measured how the belt comes to rest.
fn waits_for(stop: Option<&StopEpisode>, incident: &Incident) -> bool {
    let is_its = |stop: &&StopEpisode| is_of(stop, incident) && measured(stop).is_none();
    incident.stop.is_none() && stop.filter(is_its).is_some_and(|stop| stop.standstill != Some(stop.time))
}

/// An open incident goes on; whether that is worth writing.
fn goes(incident: &mut Incident, finding: &Finding) -> bool {
    let (severity, count) = (incident.severity.max(finding.severity), incident.count.max(finding.count));
    let cleared = finding.is_momentary.then_some(finding.time);
    let changed = (severity, count, cleared) != (incident.severity, incident.count, incident.cleared);
    if severity > incident.severity {
        finding.detail.clone_into(&mut incident.detail);
        incident.measured =
            finding.measured.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    }
    (incident.severity, incident.count, incident.cleared) = (severity, count, cleared);
    changed
}

/// How a belt came to rest; `None`: it has not, or did not move.
fn measured(stop: &StopEpisode) -> Option<MeasuredStop> {
    let standstill = stop.standstill.filter(|standstill| *standstill > stop.time)?;
    // Readings up to the standstill have been counted.
    if stop.travelled_until < standstill {
        return None;
    }
    let time_ms = u32::try_from(standstill.since(stop.time) / 1_000).ok()?;
    let distance_mm = u32::try_from(stop.travelled / 1_000_000).ok()?;
    Some(MeasuredStop { time_ms, distance_mm })
}
