//! A machine's settings over time, laid together from itself, its model and its site.

use std::collections::BTreeSet;

use domain::ids::{MachineId, SiteId};
use domain::incident::settings::{MachineSettings, StaffedHours, Timeline};
use domain::incident::threshold::Limits;
use domain::units::UnixMicros;

use super::{BEGINNING, Commissioning, History, MachineTraits, Scope, SiteTraits};
use crate::registry::{Machine, Registry};

impl Registry {
    /// What holds for a machine, at all times; `None`: there is no such machine. Thresholds of the site at which it stood
    /// at the time, of the model that it had then, and of itself are laid over each other in this order.
    pub fn timeline(&self, machine: &MachineId) -> Option<Timeline> {
        let machine = self.machines.get(machine)?;
        let mut before = self.settings_at(machine, BEGINNING);
        let always = before.clone();
        let mut entries = Vec::new();
        for moment in self.moments(machine) {
            let settings = self.settings_at(machine, moment);
            // Another model's or site's thresholds may have changed.
            if settings != before {
                entries.push((moment, settings.clone()));
                before = settings;
            }
        }
        Some(Timeline::new(always, entries))
    }

    /// When anything changes that may concern the machine, ascending.
    fn moments(&self, machine: &Machine) -> BTreeSet<UnixMicros> {
        let models: BTreeSet<&str> = models(machine).collect();
        let models = models.into_iter().map(|model| Scope::Model(model.to_owned()));
        let stood_at: BTreeSet<SiteId> = machine.stays().into_iter().map(|stay| stay.site).collect();
        let sites = stood_at.iter().cloned().map(Scope::Site);
        let scopes = sites.chain([Scope::Machine(machine.id.clone())]).chain(models);
        let limits = scopes.filter_map(|scope| self.limits.get(&scope));
        let sites = stood_at.iter().filter_map(|site| self.sites.get(site));
        limits
            .flat_map(|limits| changes(&limits.history))
            .chain(changes(&machine.history))
            .chain(sites.flat_map(|site| changes(&site.history)))
            .chain(machine.drills.iter().flat_map(|drill| [drill.from, drill.until]))
            .collect()
    }

    fn settings_at(&self, machine: &Machine, time: UnixMicros) -> MachineSettings {
        let MachineTraits { belt, drive, model, out_of_service, commissioning, site: _ } =
            machine.traits_at(time);
        let drill = machine.drills.iter().rfind(|drill| (drill.from..drill.until).contains(&time));
        let site = machine.site_at(time);
        let traits = self.sites.get(site).map(|site| site.traits_at(time));
        let staffed = traits.and_then(|SiteTraits { time_zone, staffed, open: _, first_weekday: _ }| {
            staffed.map(|days| StaffedHours { zone: time_zone, days })
        });
        let scopes = [Scope::Site(site.clone()), Scope::Model(model), Scope::Machine(machine.id.clone())];
        let set = scopes.iter().filter_map(|scope| self.limits.get(scope)?.history.at(time));
        let limits = set.fold(Limits::default(), |below, over| below.overlaid(over));
        MachineSettings {
            belt,
            drive,
            silent_on_stop: commissioning.as_ref().is_some_and(|shown| shown.silent_on_stop),
            incline_is_target: commissioning.as_ref().is_some_and(|shown| shown.incline_is_target),
            direction_proven: commissioning.as_ref().is_some_and(|shown| shown.direction_proven),
            proven_for: commissioning.as_ref().map(Commissioning::proven_now).unwrap_or_default(),
            proven_before: commissioning.as_ref().map(Commissioning::proven_before).unwrap_or_default(),
            measured_stops: commissioning.map(|shown| shown.stops).unwrap_or_default(),
            out_of_service: out_of_service.is_some(),
            drill: drill.map(|drill| drill.number),
            staffed,
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
