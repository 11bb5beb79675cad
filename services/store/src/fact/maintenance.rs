//! Facts of when machines are due for service, and of their being serviced.

use domain::ids::MachineId;
use domain::units::UnixMicros;
use serde::{Deserialize, Serialize};

use crate::registry::json;
use crate::registry::{MaintenancePlan, Scope};

/// After how much work machines are due for service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewMaintenance {
    /// For what.
    pub scope: Scope,
    /// The plan; `None`: it is taken away, so that the one of a wider scope holds again.
    pub plan: Option<MaintenancePlan>,
}

/// A machine was serviced. What was said of it before is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewMaintained {
    /// Which machine.
    #[serde(with = "json::machine")]
    pub machine: MachineId,
    /// When, from 1970 on, not after the fact's time.
    #[serde(rename = "at_us", with = "json::micros")]
    pub at: UnixMicros,
    /// What was done, at most 200 characters.
    pub note: String,
}
