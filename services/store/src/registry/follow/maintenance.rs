//! What follows from facts of when machines are due for service, and of their being serviced.

use domain::limits::LIMIT_MODELS_MAX;
use domain::units::UnixMicros;

use super::settings::check_note;
use super::{Change, Changes};
use crate::bounds::{invalid, room};
use crate::fact::{Fact, NewMaintained, NewMaintenance};
use crate::registry::{Entry, Maintained, Registry, Scope, ScopedMaintenance};

impl Registry {
    pub(super) fn maintenance_set(&self, new: &NewMaintenance) -> Changes {
        self.scope_exists(&new.scope)?;
        let known = self.own_maintenance_plan(&new.scope);
        let Some(plan) = new.plan else {
            return Ok(known.map(|_| Change::EndMaintenance(new.scope.clone())).into_iter().collect());
        };
        plan.check().map_err(invalid)?;
        if known.is_none() && matches!(new.scope, Scope::Model(_)) {
            let models = self.maintenance.keys().filter(|scope| matches!(scope, Scope::Model(_))).count();
            room("models with maintenance plans", models, LIMIT_MODELS_MAX)?;
        }
        Ok(vec![Change::Put(Entry::Maintenance(ScopedMaintenance { scope: new.scope.clone(), plan }))])
    }

    /// The last word counts, so that a wrong time can be set right.
    pub(super) fn machine_maintained(&self, fact: &Fact, new: &NewMaintained) -> Changes {
        let NewMaintained { machine, at, note } = new;
        if !(UnixMicros(0)..=fact.time).contains(at) {
            let (at, now) = (at.0, fact.time.0);
            return Err(invalid(format!(
                "at_us is {at}; it must not be before 1970 nor after the time at which it is said, {now}"
            )));
        }
        check_note(note)?;
        let maintained = Maintained { at: *at, by: fact.author.clone(), note: note.clone() };
        self.with_machine(machine, |machine| machine.maintained = Some(maintained))
    }
}
