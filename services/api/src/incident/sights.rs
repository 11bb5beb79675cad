//! Blind spots: what each machine can report, and what one more signal would add.

use std::collections::BTreeSet;

use domain::ids::{MachineId, SiteId};
use domain::incident::Rule;
use domain::incident::settings::MachineSettings;
use domain::limits::MACHINES_NAMED_MAX;
use domain::signal::Capabilities;
use store::ledger::IncidentFilter;
use store::registry::Machine;
use wire::api::v1;

use super::{Incidents, show};
use crate::access::Scope;
use crate::check::Check;
use crate::live;
use crate::registry::Visible;
use crate::status::{ApiError, Violation};

impl Incidents {
    pub(super) async fn blind_spots(
        &self,
        scope: Scope,
        request: v1::ListBlindSpotsRequest,
    ) -> Result<v1::ListBlindSpotsResponse, ApiError> {
        let mut check = Check::default();
        let site = check.optional_id::<SiteId>("site_id", &request.site_id);
        let machine = check.optional_id::<MachineId>("machine_id", &request.machine_id);
        check.finish()?;
        let visible = self.ground.visible(scope);
        if let Some(site) = &site {
            visible.site(site)?;
        }
        if let Some(machine) = &machine {
            visible.machine(machine)?;
        }
        let is_asked = |one: &&Machine| {
            site.as_ref().is_none_or(|site| one.site == *site)
                && machine.as_ref().is_none_or(|machine| one.id == *machine)
        };
        let asked: Vec<&Machine> = visible.machines(None).map(AsRef::as_ref).filter(is_asked).collect();
        if asked.len() > MACHINES_NAMED_MAX {
            let count = asked.len();
            let description = format!(
                "leaves {count} machines; at most {MACHINES_NAMED_MAX} can be listed together: name a site"
            );
            return Err(Violation { field: "site_id", description }.into());
        }
        let mut machines = Vec::with_capacity(asked.len());
        for machine in asked {
            let filter =
                IncidentFilter { machines: Some(vec![machine.id.clone()]), ..IncidentFilter::default() };
            let counts = self.ground.ledger.incident_counts(&filter).await?;
            let seen: BTreeSet<Rule> = counts.iter().map(|one| one.rule).collect();
            let timeline = visible.registry().timeline(&machine.id).unwrap_or_default();
            let settings =
                timeline.to_come(&live::configurations(&self.ground.feed, &machine.id)).into_owned();
            machines.push(sight(machine, self.capabilities(&machine.id), &settings, &seen));
        }
        Ok(v1::ListBlindSpotsResponse { machines })
    }

    /// What a machine's agent can report; `None`: it has never said.
    pub(super) fn capabilities(&self, machine: &MachineId) -> Option<Capabilities> {
        let known = live::latest(&self.ground.feed, machine).capabilities;
        (known != Capabilities::default()).then_some(known)
    }
}

impl Visible {
    /// What holds for a machine from now on.
    pub(crate) fn settings(&self, machine: &MachineId) -> Result<MachineSettings, ApiError> {
        self.machine(machine)?;
        let timeline = self.registry().timeline(machine);
        Ok(timeline.map(|timeline| timeline.newest().clone()).unwrap_or_default())
    }
}

fn sight(
    machine: &Machine,
    capabilities: Option<Capabilities>,
    settings: &MachineSettings,
    seen: &BTreeSet<Rule>,
) -> v1::MachineSight {
    let rules = Rule::ALL.map(|rule| show::sight(rule, capabilities, settings, seen.contains(&rule)));
    v1::MachineSight {
        machine_id: machine.id.to_string(),
        capabilities: capabilities.map(show::names).unwrap_or_default(),
        rules: rules.to_vec(),
        gains: capabilities.map(|known| gains(known, settings)).unwrap_or_default(),
    }
}

/// What each signal that a machine lacks would add, the one that adds most first.
fn gains(known: Capabilities, settings: &MachineSettings) -> Vec<v1::SightGain> {
    let can = |rule: Rule, capabilities| rule.can_be_told(capabilities, settings).is_ok();
    let blind: Vec<Rule> = Rule::ALL.into_iter().filter(|rule| !can(*rule, known)).collect();
    let gain = |(name, bit): (&str, u32)| {
        let with = known.and(Capabilities(1 << bit));
        let rules = blind.iter().filter(|rule| can(**rule, with)).map(|rule| rule.name().to_owned());
        v1::SightGain { capability: name.to_owned(), rules: rules.collect() }
    };
    let mut gains: Vec<v1::SightGain> = Capabilities::NAMES.into_iter().zip(0..).map(gain).collect();
    gains.retain(|gain| !gain.rules.is_empty());
    // Those that add as much stay in the order of the signals.
    gains.sort_by_key(|gain| std::cmp::Reverse(gain.rules.len()));
    gains
}
