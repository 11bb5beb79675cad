//! What follows from facts of machines.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::ids::MachineId;
use domain::units::UnixMicros;

use super::{Change, Changes, set};
use crate::fact::{Acknowledgement, Arrangement, Fact, MachineChange};
use crate::registry::{Acknowledged, Entry, History, Machine, Registry};
use crate::{StoreError, StoreErrorKind, bounds};

impl Registry {
    pub(super) fn machine_created(&self, machine: &Machine) -> Changes {
        self.site(&machine.site)?;
        if self.machines.contains_key(&machine.id) {
            return Err(bounds::taken("machine", machine.id.as_str()));
        }
        Ok(vec![Change::Put(Entry::Machine(Machine { history: History::default(), ..machine.clone() }))])
    }

    /// A machine that moves leaves its place in the plan of the room.
    pub(super) fn machine_changed(&self, change: &MachineChange, time: UnixMicros) -> Changes {
        if let Some(site) = &change.site {
            self.site(site)?;
        }
        self.with_machine(&change.machine, |machine| {
            let before = machine.clone();
            set(&mut machine.display_name, &change.display_name);
            set(&mut machine.model, &change.model);
            set(&mut machine.belt, &change.belt);
            set(&mut machine.drive, &change.drive);
            set(&mut machine.site, &change.site);
            if machine.site != before.site {
                machine.place = None;
            }
            machine.note_change(&before, time);
        })
    }

    pub(super) fn credential_renewed(&self, id: &MachineId) -> Changes {
        let next = self.machine(id)?.key_generation.checked_add(1);
        let context = || format!("machine \"{id}\" has had every generation of its credential");
        let next = next.ok_or_else(|| StoreError::new(StoreErrorKind::Full, context()))?;
        self.with_machine(id, |machine| machine.key_generation = next)
    }

    pub(super) fn credential_revoked(&self, id: &MachineId, time: UnixMicros) -> Changes {
        let mut changes = self.with_machine(id, |machine| {
            machine.revoked_generation = machine.key_generation;
            machine.revoked = Some(time);
        })?;
        changes.extend(self.end_codes_of(id, time));
        Ok(changes)
    }

    pub(super) fn machines_arranged(&self, arrangement: &Arrangement) -> Changes {
        let mut changes = Vec::new();
        for placed in &arrangement.places {
            let mut machine = Machine::clone(self.machine(&placed.machine)?);
            if machine.site != arrangement.site {
                let (machine, site) = (&placed.machine, &arrangement.site);
                return Err(bounds::invalid(format!("machine \"{machine}\" does not stand at \"{site}\"")));
            }
            machine.place = placed.place;
            changes.push(machine);
        }
        let moved: BTreeSet<&MachineId> = changes.iter().map(|machine| &machine.id).collect();
        let stay = self
            .machines
            .values()
            .filter(|machine| machine.site == arrangement.site && !moved.contains(&machine.id));
        let mut taken = BTreeSet::new();
        for place in changes.iter().chain(stay.map(Arc::as_ref)).filter_map(|machine| machine.place) {
            if !taken.insert(place) {
                let (row, column) = (place.row, place.column);
                let context = format!("two machines would stand in row {row}, column {column}");
                return Err(StoreError::new(StoreErrorKind::Conflict, context));
            }
        }
        Ok(changes.into_iter().map(|machine| Change::Put(Entry::Machine(machine))).collect())
    }

    /// Earlier stops stay acknowledged by who acknowledged them.
    pub(super) fn stop_acknowledged(&self, fact: &Fact, new: &Acknowledgement) -> Changes {
        self.with_machine(&new.machine, |machine| {
            if machine.acknowledged.as_ref().is_none_or(|old| old.until < new.until) {
                let by = fact.author.clone();
                machine.acknowledged = Some(Acknowledged { until: new.until, by, at: fact.time });
            }
        })
    }
}
