//! Incidents and recordings in memory.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, HashSet};

use domain::handling::Handling;
use domain::ids::{IncidentId, MachineId, RecordingId};
use domain::incident::{Rule, Severity};
use domain::limits;

use crate::ledger::{
    DerivedIncident, DerivedPiece, IncidentCount, IncidentFilter, IncidentOrder, IncidentPlace,
    IncidentQuery, Members, StoredIncident,
};

/// All incidents of a ledger.
#[derive(Debug, Clone, Default)]
pub(super) struct Incidents {
    by_id: BTreeMap<IncidentId, StoredIncident>,
    /// The last change of each.
    changes: BTreeMap<u64, IncidentId>,
    pieces: BTreeMap<(RecordingId, u32), DerivedPiece>,
}

impl Incidents {
    /// Takes an incident if it is new or has a greater revision.
    pub(super) fn put(&mut self, derived: DerivedIncident) {
        let DerivedIncident { incident, mut detected } = derived;
        let mut handling = Handling::default();
        if let Some(old) = self.by_id.get(&incident.id) {
            if incident.revision <= old.incident.revision {
                return;
            }
            detected = old.detected;
            handling = old.handling.clone();
        }
        self.change(StoredIncident { incident, detected, change: 0, unconfirmed: None, handling });
    }

    /// Notes that a version of the rule did not find these any more.
    pub(super) fn mark_unconfirmed(&mut self, ids: &[IncidentId], rule_version: u32) {
        for id in ids {
            let known = self.by_id.get(id).filter(|old| old.unconfirmed != Some(rule_version));
            if let Some(known) = known {
                self.change(StoredIncident { unconfirmed: Some(rule_version), ..known.clone() });
            }
        }
    }

    /// What people have done about an incident is this now.
    pub(super) fn handle(&mut self, id: &IncidentId, handling: Handling) {
        if let Some(known) = self.by_id.get(id) {
            self.change(StoredIncident { handling, ..known.clone() });
        }
    }

    /// Number of the newest change; 0: there is none.
    pub(super) fn newest_change(&self) -> u64 {
        self.changes.last_key_value().map_or(0, |(number, _)| *number)
    }

    fn change(&mut self, stored: StoredIncident) {
        let (id, change) = (stored.incident.id, self.newest_change() + 1);
        if let Some(old) = self.by_id.insert(id, StoredIncident { change, ..stored }) {
            self.changes.remove(&old.change);
        }
        self.changes.insert(change, id);
    }

    /// One incident.
    pub(super) fn get(&self, id: &IncidentId) -> Option<StoredIncident> {
        self.by_id.get(id).cloned()
    }

    /// Incidents changed after a number.
    pub(super) fn changed(&self, after: u64, max: usize) -> Vec<StoredIncident> {
        let Some(first) = after.checked_add(1) else {
            return Vec::new();
        };
        self.changes.range(first..).map(|(_, id)| self.by_id[id].clone()).take(max).collect()
    }

    /// A page.
    pub(super) fn list(&self, query: &IncidentQuery) -> Vec<StoredIncident> {
        let mut wanted: Vec<(IncidentPlace, &StoredIncident)> = self
            .filtered(&query.filter)
            .map(|stored| (IncidentPlace::of(&stored.incident), stored))
            .filter(|(place, _)| {
                query.after.is_none_or(|after| in_order(query.order, &after, place) == Ordering::Less)
            })
            .collect();
        wanted.sort_by(|(one, _), (other, _)| in_order(query.order, one, other));
        wanted.into_iter().take(query.max).map(|(_, stored)| stored.clone()).collect()
    }

    /// Counts by rule, severity and whether they are active.
    pub(super) fn counts(&self, filter: &IncidentFilter) -> Vec<IncidentCount> {
        let mut counts: BTreeMap<(Rule, Reverse<Severity>, Reverse<bool>), u64> = BTreeMap::new();
        for StoredIncident { incident, .. } in self.filtered(filter) {
            let key = (incident.rule, Reverse(incident.severity), Reverse(incident.cleared.is_none()));
            *counts.entry(key).or_default() += 1;
        }
        let count = |((rule, severity, active), count): (_, _)| {
            let (Reverse(severity), Reverse(active)) = (severity, active);
            IncidentCount { rule, severity, active, count }
        };
        counts.into_iter().map(count).collect()
    }

    fn filtered(&self, filter: &IncidentFilter) -> impl Iterator<Item = &StoredIncident> {
        let machines: Option<HashSet<&MachineId>> =
            filter.machines.as_ref().map(|machines| machines.iter().collect());
        self.by_id.values().filter(move |stored| {
            machines.as_ref().is_none_or(|machines| machines.contains(&stored.incident.machine))
                && takes(filter, stored)
        })
    }

    /// Takes a piece of a recording.
    pub(super) fn put_piece(&mut self, piece: DerivedPiece) {
        self.pieces.insert((piece.recording, piece.number), piece);
    }

    /// The pieces of a recording.
    pub(super) fn pieces(&self, id: RecordingId) -> Vec<DerivedPiece> {
        let pieces = self.pieces.range((id, 0)..=(id, u32::MAX));
        pieces.map(|(_, piece)| piece.clone()).take(limits::RECORDING_PIECES_MAX).collect()
    }
}

/// Whether a filter takes an incident, machines apart.
fn takes(filter: &IncidentFilter, stored: &StoredIncident) -> bool {
    let (incident, handling) = (&stored.incident, &stored.handling);
    let any = |is_empty: bool, contains: bool| is_empty || contains;
    any(filter.rules.is_empty(), filter.rules.contains(&incident.rule))
        && any(filter.severities.is_empty(), filter.severities.contains(&incident.severity))
        && any(filter.directions.is_empty(), filter.directions.contains(&incident.direction))
        && filter.active.is_none_or(|active| active == incident.cleared.is_none())
        && (filter.from..filter.until).contains(&incident.time)
        && any(filter.handling.is_empty(), filter.handling.contains(&handling.state))
        && filter.shelved.is_none_or(|(is_shelved, now)| stored.is_shelved(now) == is_shelved)
        && (filter.assignee.is_none() || filter.assignee == handling.assignee)
        && filter.drill.is_none_or(|drill| drill == incident.drill.is_some())
        && match filter.members {
            Members::Listed => true,
            Members::LeftOut => handling.lead.is_none(),
            Members::Of(lead) => handling.lead == Some(lead),
        }
}

/// Which of two places comes first.
fn in_order(order: IncidentOrder, one: &IncidentPlace, other: &IncidentPlace) -> Ordering {
    let by_time = (one.time, one.id).cmp(&(other.time, other.id));
    match order {
        IncidentOrder::NewestFirst => by_time.reverse(),
        IncidentOrder::OldestFirst => by_time,
        IncidentOrder::WorstFirst => other.severity.cmp(&one.severity).then(by_time.reverse()),
    }
}
