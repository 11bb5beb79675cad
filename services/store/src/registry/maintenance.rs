//! After how much work machines are due for service, and when they were serviced.

use domain::ids::MachineId;
use domain::units::UnixMicros;
use serde::{Deserialize, Serialize};

use super::course::within;
use super::{Registry, Scope, json};

/// After how much work of the belt a machine is due for service: whichever comes first. What is `None` does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MaintenancePlan {
    /// Hours that the belt ran, 1 to 100 000.
    pub hours: Option<u32>,
    /// Kilometres that the belt ran, 1 to 1 000 000.
    pub kilometres: Option<u32>,
}

impl MaintenancePlan {
    /// Whether a machine can be due by it.
    ///
    /// # Errors
    /// The first field that is not allowed, its value, and what is allowed.
    pub fn check(&self) -> Result<(), String> {
        within("hours", self.hours, 1..=100_000)?;
        within("kilometres", self.kilometres, 1..=1_000_000)?;
        match self {
            MaintenancePlan { hours: None, kilometres: None } => {
                Err("hours and kilometres are both missing; one is needed".to_owned())
            }
            MaintenancePlan { hours: Some(_), .. } | MaintenancePlan { kilometres: Some(_), .. } => Ok(()),
        }
    }
}

/// A plan that was set for a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopedMaintenance {
    /// For what.
    pub scope: Scope,
    /// The plan.
    pub plan: MaintenancePlan,
}

/// That a machine was serviced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintained {
    /// When it was serviced: work from then on counts.
    #[serde(rename = "at_us", with = "json::micros")]
    pub at: UnixMicros,
    /// Who said so, as facts name people.
    pub by: String,
    /// What was done, at most 200 characters.
    pub note: String,
}

impl Registry {
    /// When a machine is due: the plan of the narrowest scope that has one, of itself, else of its model, else of its
    /// site. `None`: there is no plan, or no such machine.
    pub fn maintenance_plan(&self, machine: &MachineId) -> Option<(&Scope, &MaintenancePlan)> {
        let machine = self.machines.get(machine)?;
        let (id, site) = (machine.id.clone(), machine.site.clone());
        [Scope::Machine(id), Scope::Model(machine.model.clone()), Scope::Site(site)]
            .iter()
            .find_map(|scope| self.maintenance.get(scope))
            .map(|set| (&set.scope, &set.plan))
    }

    /// The plan of this very scope; `None`: it has none of its own.
    pub fn own_maintenance_plan(&self, scope: &Scope) -> Option<&MaintenancePlan> {
        self.maintenance.get(scope).map(|set| &set.plan)
    }

    /// All plans, by scope.
    pub fn maintenance_plans(&self) -> impl Iterator<Item = &ScopedMaintenance> {
        self.maintenance.values().map(AsRef::as_ref)
    }
}
