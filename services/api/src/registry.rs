//! The registry as a request sees it: cut to what its caller may reach.

use std::ops::Bound;
use std::sync::Arc;

use domain::ids::{MachineId, SiteId};
use domain::units::UnixMicros;
use store::registry::{Machine, Registry, Site, Stay};

use crate::access::Scope;
use crate::status::ApiError;

/// What one caller can reach. There is no other way from a request to a site or machine.
#[derive(Debug, Clone)]
pub(crate) struct Visible {
    registry: Arc<Registry>,
    scope: Scope,
}

impl Visible {
    /// The registry as of now, for a caller with this scope.
    pub(crate) fn new(registry: Arc<Registry>, scope: Scope) -> Visible {
        Visible { registry, scope }
    }

    /// The whole registry, for what belongs to no site.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The same, to be kept.
    pub(crate) fn registry_kept(&self) -> Arc<Registry> {
        self.registry.clone()
    }

    /// Whether nothing is cut.
    pub(crate) fn is_whole(&self) -> bool {
        self.scope == Scope::All
    }

    /// Number of the last fact in it.
    pub(crate) fn last_fact(&self) -> u64 {
        self.registry.last_fact
    }

    /// Sites by id, after `after`.
    pub(crate) fn sites(&self, after: Option<&SiteId>) -> impl Iterator<Item = &Arc<Site>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.registry.sites().range::<SiteId, _>((from, Bound::Unbounded));
        rows.map(|(_, site)| site).filter(|site| self.scope.has(&site.id))
    }

    /// Machines by id, after `after`.
    pub(crate) fn machines(&self, after: Option<&MachineId>) -> impl Iterator<Item = &Arc<Machine>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.registry.machines().range::<MachineId, _>((from, Bound::Unbounded));
        rows.map(|(_, machine)| machine).filter(|machine| self.scope.has(&machine.site))
    }

    /// One site; `NotFound` if there is none or it is out of scope.
    pub(crate) fn site(&self, id: &SiteId) -> Result<&Arc<Site>, ApiError> {
        let site = self.registry.sites().get(id).filter(|site| self.scope.has(&site.id));
        site.ok_or_else(|| ApiError::NotFound { what: "site", id: id.to_string() })
    }

    /// One machine; `NotFound` if there is none or it is out of scope.
    pub(crate) fn machine(&self, id: &MachineId) -> Result<&Arc<Machine>, ApiError> {
        let machine = self.registry.machines().get(id).filter(|machine| self.scope.has(&machine.site));
        machine.ok_or_else(|| ApiError::NotFound { what: "machine", id: id.to_string() })
    }

    /// Machines by id that stand, or ever stood, where the caller can see: ask [`Visible::saw`] for each thing they did.
    pub(crate) fn machines_ever(&self) -> impl Iterator<Item = &Arc<Machine>> {
        self.registry.machines().values().filter(|machine| self.ever_saw(machine))
    }

    /// One of them; `NotFound` if there is none or it never stood in scope.
    pub(crate) fn machine_ever(&self, id: &MachineId) -> Result<&Arc<Machine>, ApiError> {
        let machine = self.registry.machines().get(id).filter(|machine| self.ever_saw(machine));
        machine.ok_or_else(|| ApiError::NotFound { what: "machine", id: id.to_string() })
    }

    /// One machine as to what it did at a time, with the site at which it stood then as its site; `NotFound` if there is
    /// none or it stood out of scope then.
    pub(crate) fn machine_then(&self, id: &MachineId, time: UnixMicros) -> Result<Arc<Machine>, ApiError> {
        let machine = self.registry.machines().get(id).filter(|machine| self.saw(machine, time));
        let machine = machine.ok_or_else(|| ApiError::NotFound { what: "machine", id: id.to_string() })?;
        let site = machine.site_at(time);
        if *site == machine.site {
            return Ok(machine.clone());
        }
        Ok(Arc::new(Machine { site: site.clone(), ..Machine::clone(machine) }))
    }

    /// Whether what a machine did at a time is the caller's to see: it belongs to where the machine stood then, not to
    /// where it stands now.
    pub(crate) fn saw(&self, machine: &Machine, time: UnixMicros) -> bool {
        self.is_whole() || self.scope.has(machine.site_at(time))
    }

    /// When a machine stood where the caller can see, ascending; of one that never moved all time.
    pub(crate) fn stays_seen(&self, machine: &Machine) -> Vec<Stay> {
        machine.stays().into_iter().filter(|stay| self.scope.has(&stay.site)).collect()
    }

    fn ever_saw(&self, machine: &Machine) -> bool {
        self.scope.has(&machine.site) || !self.stays_seen(machine).is_empty()
    }
}
