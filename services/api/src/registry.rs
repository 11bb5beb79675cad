//! The registry as a request sees it: a snapshot of the ledger's sites and machines, cut to the caller's scope.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use domain::ids::{MachineId, SiteId};
use store::StoreError;
use store::ledger::{Ledger, Machine, Site};

use crate::access::Scope;
use crate::status::ApiError;

/// Rows read from the ledger at once.
const ROWS: usize = 1_000;

/// Sites and machines at one moment.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// Number of the last fact that is in it.
    facts: u64,
    sites: BTreeMap<SiteId, Arc<Site>>,
    machines: BTreeMap<MachineId, Arc<Machine>>,
}

/// Gives snapshots that hold every fact that was committed when they were asked for.
#[derive(Debug)]
pub(crate) struct Registry {
    ledger: Arc<dyn Ledger>,
    newest: Mutex<Arc<Snapshot>>,
}

impl Registry {
    pub(crate) fn new(ledger: Arc<dyn Ledger>) -> Registry {
        Registry { ledger, newest: Mutex::default() }
    }

    /// What a caller with this scope can see now.
    pub(crate) async fn visible(&self, scope: &Scope) -> Result<Visible, StoreError> {
        Ok(Visible { snapshot: self.current().await?, scope: scope.clone() })
    }

    async fn current(&self) -> Result<Arc<Snapshot>, StoreError> {
        let known = self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let facts = self.last_fact(known.facts).await?;
        if facts == known.facts {
            return Ok(known);
        }
        // Rows may be newer than `facts`, never older: at worst they are read once more.
        let snapshot = Arc::new(self.read(facts).await?);
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.facts < facts {
            *newest = snapshot.clone();
        }
        Ok(snapshot)
    }

    async fn last_fact(&self, mut last: u64) -> Result<u64, StoreError> {
        loop {
            let facts = self.ledger.facts(last, ROWS).await?;
            let Some((number, _)) = facts.last() else { return Ok(last) };
            last = *number;
        }
    }

    async fn read(&self, facts: u64) -> Result<Snapshot, StoreError> {
        let mut snapshot = Snapshot { facts, ..Snapshot::default() };
        let mut after = None;
        loop {
            let sites = self.ledger.sites(after.as_ref(), ROWS).await?;
            let Some(last) = sites.last() else { break };
            after = Some(last.id.clone());
            snapshot.sites.extend(sites.into_iter().map(|site| (site.id.clone(), Arc::new(site))));
        }
        let mut after = None;
        loop {
            let machines = self.ledger.machines(None, after.as_ref(), ROWS).await?;
            let Some(last) = machines.last() else { break };
            after = Some(last.id.clone());
            let rows = machines.into_iter().map(|machine| (machine.id.clone(), Arc::new(machine)));
            snapshot.machines.extend(rows);
        }
        Ok(snapshot)
    }
}

/// What one caller can see. There is no other way from a request to a site or machine.
#[derive(Debug, Clone)]
pub(crate) struct Visible {
    snapshot: Arc<Snapshot>,
    scope: Scope,
}

impl Visible {
    /// Sites by id, after `after`.
    pub(crate) fn sites(&self, after: Option<&SiteId>) -> impl Iterator<Item = &Arc<Site>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.snapshot.sites.range::<SiteId, _>((from, Bound::Unbounded));
        rows.map(|(_, site)| site).filter(|site| self.scope.has(&site.id))
    }

    /// Machines by id, after `after`.
    pub(crate) fn machines(&self, after: Option<&MachineId>) -> impl Iterator<Item = &Arc<Machine>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.snapshot.machines.range::<MachineId, _>((from, Bound::Unbounded));
        rows.map(|(_, machine)| machine).filter(|machine| self.scope.has(&machine.site))
    }

    /// One site; `NotFound` if there is none or it is out of scope.
    pub(crate) fn site(&self, id: &SiteId) -> Result<&Arc<Site>, ApiError> {
        let site = self.snapshot.sites.get(id).filter(|site| self.scope.has(&site.id));
        site.ok_or_else(|| ApiError::NotFound { what: "site", id: id.to_string() })
    }

    /// One machine; `NotFound` if there is none or it is out of scope.
    pub(crate) fn machine(&self, id: &MachineId) -> Result<&Arc<Machine>, ApiError> {
        let machine = self.snapshot.machines.get(id).filter(|machine| self.scope.has(&machine.site));
        machine.ok_or_else(|| ApiError::NotFound { what: "machine", id: id.to_string() })
    }
}
