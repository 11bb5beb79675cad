//! A machine's settings over time, laid together from itself, its model and its site.

use std::collections::BTreeSet;

use domain::ids::MachineId;
use domain::incident::settings::{MachineSettings, StaffedHours, Timeline};
use domain::incident::threshold::Limits;
use domain::units::UnixMicros;

use super::{BEGINNING, History, MachineTraits, Scope, SiteTraits};
use crate::registry::{Machine, Registry, Site};

impl Registry {
    /// What holds for a machine, at all times; `None`: there is no such machine. Thresholds of its site, of the model
    /// that it had at the time and of itself are laid over each other in this order.
    pub fn timeline(&self, machine: &MachineId) -> Option<Timeline> {
        let machine = self.machines.get(machine)?;
        let site = self.sites.get(&machine.site)?;
        let mut before = self.settings_at(machine, site, BEGINNING);
        let always = before.clone();
        let mut entries = Vec::new();
        for moment in self.moments(machine, site) {
            let settings = self.settings_at(machine, site, moment);
            // Another model's thresholds may have changed.
            if settings != before {
                entries.push((moment, settings.clone()));
                before = settings;
            }
        }
        Some(Timeline::new(always, entries))
    }

    /// When anything changes that may concern the machine, ascending.
    fn moments(&self, machine: &Machine, site: &Site) -> BTreeSet<UnixMicros> {
        let models: BTreeSet<&str> = models(machine).collect();
        let models = models.into_iter().map(|model| Scope::Model(model.to_owned()));
        let scopes = [Scope::Site(site.id.clone()), Scope::Machine(machine.id.clone())];
        let limits = scopes.into_iter().chain(models).filter_map(|scope| self.limits.get(&scope));
        limits
            .flat_map(|limits| changes(&limits.history))
            .chain(changes(&machine.history))
            .chain(changes(&site.history))
            .chain(machine.drills.iter().flat_map(|drill| [drill.from, drill.until]))
            .collect()
    }

    fn settings_at(&self, machine: &Machine, site: &Site, time: UnixMicros) -> MachineSettings {
        let MachineTraits { belt, drive, model, out_of_service, commissioning } = machine.traits_at(time);
        let drill = machine.drills.iter().rfind(|drill| (drill.from..drill.until).contains(&time));
        let SiteTraits { time_zone, staffed } = site.traits_at(time);
        let scopes = [Scope::Site(site.id.clone()), Scope::Model(model), Scope::Machine(machine.id.clone())];
        let set = scopes.iter().filter_map(|scope| self.limits.get(scope)?.history.at(time));
        let limits = set.fold(Limits::default(), |below, over| below.overlaid(over));
        MachineSettings {
            belt,
            drive,
            silent_on_stop: commissioning.as_ref().is_some_and(|shown| shown.silent_on_stop),
            incline_is_target: commissioning.as_ref().is_some_and(|shown| shown.incline_is_target),
            direction_proven: commissioning.as_ref().is_some_and(|shown| shown.direction_proven),
            measured_stops: commissioning.map(|shown| shown.stops).unwrap_or_default(),
            out_of_service: out_of_service.is_some(),
            drill: drill.map(|drill| drill.number),
            staffed: staffed.map(|days| StaffedHours { zone: time_zone, days }),
            limits,
        }
    }
}

/// Models that the machine ever had.
fn models(machine: &Machine) -> impl Iterator<Item = &str> {
    let earlier = machine.history.iter().map(|dated| dated.value.model.as_str());
    earlier.chain([machine.model.as_str()])
}

fn changes<T>(history: &History<T>) -> impl Iterator<Item = UnixMicros> {
    history.iter().map(|dated| dated.from).filter(|from| *from != BEGINNING)
}
