//! Incidents that have changed: outages, machines to be tagged, notices of the chain.

use std::collections::BTreeMap;

use domain::handling::Step;
use domain::ids::{IncidentId, MachineId, SiteId};
use domain::incident::{Rule, Severity};
use domain::limits::{
    INCIDENT_CHANGES_READ, INCIDENT_MACHINES_MAX, INCIDENTS_COMPARED_MAX, NOTICES_READ_MAX,
};
use domain::units::UnixMicros;
use store::StoreError;
use store::fact::{FactKind, ServiceChange};
use store::ledger::{IncidentFilter, IncidentOrder, IncidentQuery, Notice, NoticeQuery, StoredIncident};
use store::registry::Registry;

use super::Follower;
use crate::{facts, outage, plan, service};

impl Follower {
    /// Plans for everything that has changed since. What was planned and how far it got are written at once.
    pub(super) async fn take_changes(&mut self) -> Result<(), StoreError> {
        let mut taken = match self.taken {
            Some(taken) => taken,
            None => match self.ledger.notices_taken().await? {
                Some(taken) => taken,
                None => self.begin().await?,
            },
        };
        loop {
            self.taken = Some(taken);
            let mut changes = self.ledger.incident_changes(taken, INCIDENT_CHANGES_READ).await?;
            let Some(last) = changes.last() else { return Ok(()) };
            taken = last.change;
            let registry = self.ledger.registry();
            self.join_outages(&registry, &mut changes).await?;
            for stored in changes.iter().filter(|stored| service::can_tag(stored)) {
                self.tag(stored).await?;
            }
            let mut written = Vec::new();
            for stored in &changes {
                written.extend(self.planned(&registry, stored).await?);
            }
            self.write(written, Some(taken)).await?;
        }
    }

    /// The first start ever: history is no news, but what is critical and open now is.
    async fn begin(&mut self) -> Result<u64, StoreError> {
        let taken = *self.ledger.incident_change().borrow();
        let filter = IncidentFilter {
            severities: vec![Severity::Critical],
            active: Some(true),
            from: self.now().plus(-plan::LATE_US),
            drill: Some(false),
            ..IncidentFilter::default()
        };
        let found = self.compared(filter).await?;
        let registry = self.ledger.registry();
        let mut written = Vec::new();
        for stored in found.iter().filter(|stored| plan::is_urgent(stored)) {
            written.extend(self.planned(&registry, stored).await?);
        }
        self.write(written, Some(taken)).await?;
        Ok(taken)
    }

    async fn planned(&self, registry: &Registry, stored: &StoredIncident) -> Result<Vec<Notice>, StoreError> {
        let query = NoticeQuery {
            incident: Some(stored.incident.id),
            max: NOTICES_READ_MAX,
            ..NoticeQuery::default()
        };
        let known = self.ledger.notices(&query).await?;
        Ok(plan::plan(registry, stored, &known, |id| self.mind.is_under_way(id), self.now()))
    }

    /// What joins an outage is known to belong to it from here on.
    async fn join_outages(
        &self,
        registry: &Registry,
        changes: &mut [StoredIncident],
    ) -> Result<(), StoreError> {
        let mut sites: BTreeMap<SiteId, (UnixMicros, UnixMicros)> = BTreeMap::new();
        for stored in
            changes.iter().filter(|stored| outage::can_be_part(stored) && stored.handling.lead.is_none())
        {
            if let Some(machine) = registry.machines().get(&stored.incident.machine) {
                let time = stored.incident.time;
                let span = sites.entry(machine.site.clone()).or_insert((time, time));
                *span = (span.0.min(time), span.1.max(time));
            }
        }
        let mut joined: BTreeMap<IncidentId, IncidentId> = BTreeMap::new();
        for (site, (first, last)) in sites {
            // Far enough that whoever may be the lead of a lead is seen, too.
            let filter = IncidentFilter {
                machines: Some(machines_of(registry, &site)),
                rules: vec![Rule::AgentOffline],
                from: first.plus(-2 * outage::SPAN_US),
                until: last.plus(2 * outage::SPAN_US),
                drill: Some(false),
                ..IncidentFilter::default()
            };
            joined.extend(outage::joins(&self.compared(filter).await?));
        }
        for (incident, lead) in &joined {
            let step = (*incident, Step::Join { lead: *lead });
            facts::step(&*self.ledger, "outage", format!("join:{incident}"), step, self.now()).await?;
        }
        for stored in changes {
            stored.handling.lead = stored.handling.lead.or(joined.get(&stored.incident.id).copied());
        }
        Ok(())
    }

    /// Tags the machine out of service if too many of its protections failed.
    async fn tag(&self, stored: &StoredIncident) -> Result<(), StoreError> {
        // An incident before may have tagged it.
        let registry = self.ledger.registry();
        let Some(machine) = registry.machines().get(&stored.incident.machine) else { return Ok(()) };
        let rule = registry.service_rule(&machine.site);
        if rule.count == 0 || machine.out_of_service().is_some() {
            return Ok(());
        }
        let filter = IncidentFilter {
            machines: Some(vec![machine.id.clone()]),
            rules: service::failed_protections(),
            severities: vec![Severity::Critical, Severity::High],
            from: service::counted_from(rule, stored),
            until: stored.incident.time.plus(1),
            drill: Some(false),
            ..IncidentFilter::default()
        };
        let others = self.compared(filter).await?;
        let Some(reason) = service::tag(rule, machine, stored, &others, self.now()) else { return Ok(()) };
        tracing::warn!(machine.id = %machine.id, reason, "a machine is tagged out of service by the service rule");
        let change = ServiceChange { machine: machine.id.clone(), out_of_service: Some(reason) };
        let request = (facts::RULE, format!("service:{}", stored.incident.id));
        facts::add(&*self.ledger, "service", request, FactKind::ServiceChanged(change), self.now()).await?;
        Ok(())
    }

    async fn compared(&self, filter: IncidentFilter) -> Result<Vec<StoredIncident>, StoreError> {
        let order = IncidentOrder::NewestFirst;
        self.ledger
            .incidents(&IncidentQuery { filter, order, after: None, max: INCIDENTS_COMPARED_MAX })
            .await
    }
}

fn machines_of(registry: &Registry, site: &SiteId) -> Vec<MachineId> {
    let machines = registry.machines().values().filter(|machine| machine.site == *site);
    machines.map(|machine| machine.id.clone()).take(INCIDENT_MACHINES_MAX).collect()
}
