//! The registry as a request sees it: cut to what its caller may reach.

use std::ops::Bound;
use std::sync::Arc;

use domain::ids::{MachineId, SiteId};
use store::registry::{Machine, Registry, Site};

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
}
