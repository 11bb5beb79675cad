//! Facts that set what the rules of incidents use. Each holds from
//! `domain::incident::settings::EFFECTIVE_AFTER_US` after the fact's time on.

use domain::commissioning::{CommissioningReport, StepResult};
use domain::ids::{ConfigurationHash, MachineId, SiteId};
use domain::incident::settings::CommissionedStop;
use domain::units::UnixMicros;
use serde::{Deserialize, Serialize};

use crate::registry::json;
use crate::registry::{NewLimits, Scope, StaffedDays};

/// New thresholds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewThresholds {
    /// For what.
    pub scope: Scope,
    /// Values by the threshold's name; `None` takes a value away. What is not named stays.
    pub values: NewLimits,
}

/// Whether a machine may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceChange {
    /// Which machine.
    #[serde(with = "json::machine")]
    pub machine: MachineId,
    /// Why it is out of service, 1 to 200 characters; `None`: it is back in service.
    pub out_of_service: Option<String>,
}

/// What a commissioning has shown. All of an earlier one is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCommissioning {
    /// Which machine.
    #[serde(with = "json::machine")]
    pub machine: MachineId,
    /// Whether it has proven which sign of the direction signal is forward.
    pub direction_proven: bool,
    /// Stops of the moving belt that were measured, at most 8.
    pub stops: Vec<CommissionedStop>,
    /// Whether the model falls silent instead of telling a standstill.
    pub silent_on_stop: bool,
    /// Whether the incline that it tells is where the deck shall go, not where it is.
    pub incline_is_target: bool,
    /// Who did it and how; at most 200 characters.
    pub note: String,
    /// What the machine's agent saw of it; `None`: a person entered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Box<SeenByAgent>>,
}

/// What a machine's agent saw of a commissioning. The machine's key sealed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenByAgent {
    /// When it was done, in event time; `None`: the agent's clock was not known.
    #[serde(rename = "done_us", default)]
    pub done: Option<UnixMicros>,
    /// Who did it.
    pub technician: String,
    /// The agent's version.
    pub agent_version: String,
    /// How its sources were set.
    pub configuration: ConfigurationHash,
    /// Step by step.
    pub steps: Vec<StepResult>,
}

impl NewCommissioning {
    /// What an agent has reported, with its event time.
    pub fn reported(
        machine: MachineId,
        done: Option<UnixMicros>,
        report: CommissioningReport,
    ) -> NewCommissioning {
        let CommissioningReport {
            technician,
            agent_version,
            configuration,
            direction_proven,
            silent_on_stop,
            incline_is_target,
            stops,
            steps,
        } = report;
        let note = format!("by {technician}, seen by the agent");
        let seen = SeenByAgent { done, technician, agent_version, configuration, steps };
        NewCommissioning {
            machine,
            direction_proven,
            stops,
            silent_on_stop,
            incline_is_target,
            note,
            seen: Some(Box::new(seen)),
        }
    }
}

/// When staff are at a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewStaffedHours {
    /// Which site.
    #[serde(with = "json::site")]
    pub site: SiteId,
    /// In the site's own time; `None`: nobody says.
    pub hours: Option<StaffedDays>,
}

/// When a site is open, and how its weeks are counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewOpening {
    /// Which site.
    #[serde(with = "json::site")]
    pub site: SiteId,
    /// The hours are set, or taken away.
    #[serde(default)]
    pub hours: Option<OpeningHours>,
    /// The first day of its weeks: 0 is Monday, 6 is Sunday.
    #[serde(default)]
    pub first_weekday: Option<u8>,
}

/// New opening hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpeningHours {
    /// In the site's own time, by whole quarters of an hour; `None`: nobody says.
    pub days: Option<StaffedDays>,
}
