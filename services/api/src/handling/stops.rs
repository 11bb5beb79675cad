//! Stops are seen to in two ways: on the floor, by machine, and as incidents. Both lead here, so that the tile of a
//! machine and its incidents say the same. What is added here are facts, so neither way starts the other one again.

use std::sync::Arc;

use domain::handling::{HandlingState, Step};
use domain::ids::MachineId;
use domain::incident::{Incident, Rule};
use domain::limits::STOPS_ACKNOWLEDGED_MAX;
use domain::units::UnixMicros;
use store::StoreError;
use store::fact::{Acknowledgement, Fact, FactKind, IncidentStepped};
use store::ledger::{IncidentFilter, IncidentOrder, IncidentQuery, Ledger, StoredIncident};
use store::registry::Machine;

/// Rules whose incidents are the stops that a tile shows.
const RULES: [Rule; 2] = [Rule::EmergencyStop, Rule::SafetyKeyPulled];

/// Somebody has seen to stops, at this moment of the server's clock.
#[derive(Debug)]
pub(crate) struct SeenTo<'a> {
    pub(crate) ledger: &'a Arc<dyn Ledger>,
    /// Who, as facts name people.
    pub(crate) by: String,
    pub(crate) now: UnixMicros,
}

impl SeenTo<'_> {
    /// Somebody has seen to a machine's stops up to this one: its open incidents of stops are acknowledged, too.
    pub(crate) async fn on_the_floor(
        &self,
        machine: &MachineId,
        until: UnixMicros,
    ) -> Result<(), StoreError> {
        self.add(self.stop(machine, until)).await?;
        let filter = IncidentFilter {
            machines: Some(vec![machine.clone()]),
            rules: RULES.to_vec(),
            until: until.plus(1),
            handling: vec![HandlingState::Open],
            drill: Some(false),
            ..IncidentFilter::default()
        };
        let order = IncidentOrder::NewestFirst;
        let query = IncidentQuery { filter, order, after: None, max: STOPS_ACKNOWLEDGED_MAX };
        for StoredIncident { incident, .. } in self.ledger.incidents(&query).await? {
            let (step, note, previous) = (Step::Acknowledge, None, None);
            let stepped = IncidentStepped { incident: incident.id, step, note, previous };
            self.add(FactKind::IncidentStepped(stepped)).await?;
        }
        Ok(())
    }

    /// Somebody has seen to an incident: if it is a stop, the floor shows it as seen to.
    pub(crate) async fn as_incident(&self, machine: &Machine, incident: &Incident) -> Result<(), StoreError> {
        let is_seen = machine.acknowledged.as_ref().is_some_and(|seen| incident.time <= seen.until);
        if !RULES.contains(&incident.rule) || is_seen {
            return Ok(());
        }
        // A clock that runs ahead must not acknowledge stops that have not happened yet.
        self.add(self.stop(&machine.id, incident.time.min(self.now))).await
    }

    fn stop(&self, machine: &MachineId, until: UnixMicros) -> FactKind {
        FactKind::StopAcknowledged(Acknowledgement { machine: machine.clone(), until })
    }

    async fn add(&self, kind: FactKind) -> Result<(), StoreError> {
        let fact = Fact { time: self.now, author: self.by.clone(), request_id: None, kind };
        self.ledger.add_fact(fact).await.map(drop)
    }
}
