//! Many agents of one site that vanish at once are one outage: the first incident stands for all. Pure.

use std::collections::BTreeMap;

use domain::handling::HandlingState;
use domain::ids::IncidentId;
use domain::incident::Rule;
use store::ledger::StoredIncident;

#[cfg(test)]
mod tests;

/// Incidents whose times lie at most this far from that of the lead are one outage, in microseconds.
pub(crate) const SPAN_US: i64 = 60 * 1_000_000;

/// Whether an incident can be part of an outage.
pub(crate) fn can_be_part(stored: &StoredIncident) -> bool {
    stored.incident.rule == Rule::AgentOffline
        && stored.incident.drill.is_none()
        && stored.handling.state != HandlingState::Closed
}

/// Of the incidents of one site those that have to join another one, with that one.
///
/// An incident joins the one that was known first of those within the span that are no members themselves; so a lead never
/// becomes a member, and members of members do not arise, in whatever order the incidents changed.
pub(crate) fn joins(incidents: &[StoredIncident]) -> Vec<(IncidentId, IncidentId)> {
    let order = |stored: &StoredIncident| (stored.detected, stored.incident.id);
    let known: BTreeMap<_, _> =
        incidents.iter().filter(|stored| can_be_part(stored)).map(|stored| (order(stored), stored)).collect();
    let has_members: Vec<IncidentId> = known.values().filter_map(|stored| stored.handling.lead).collect();
    let mut leads: Vec<&StoredIncident> = Vec::new();
    let mut joins = Vec::new();
    for stored in known.into_values().filter(|stored| stored.handling.lead.is_none()) {
        let is_near = |lead: &&&StoredIncident| {
            lead.incident.time.since(stored.incident.time).saturating_abs() <= SPAN_US
        };
        match leads.iter().find(is_near) {
            Some(lead) if !has_members.contains(&stored.incident.id) => {
                joins.push((stored.incident.id, lead.incident.id));
            }
            Some(_) | None => leads.push(stored),
        }
    }
    joins
}
