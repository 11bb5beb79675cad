//! What follows from facts of proof tests.

use domain::ids::MachineId;
use domain::incident::settings::EFFECTIVE_AFTER_US;
use domain::limits::{DRILL_US_MAX, DRILLS_KEPT_MAX};
use domain::units::UnixMicros;

use super::Changes;
use crate::bounds::invalid;
use crate::fact::{DrillEnd, Fact, NewDrill};
use crate::registry::{Drill, Machine, Registry};
use crate::{StoreError, StoreErrorKind};

/// Longest note, in characters.
const NOTE_CHARS_MAX: usize = 200;

impl Registry {
    pub(super) fn drill_started(&self, number: u64, fact: &Fact, new: &NewDrill) -> Changes {
        let from = fact.time.plus(EFFECTIVE_AFTER_US);
        if !(1..=DRILL_US_MAX).contains(&new.until.since(from)) {
            return Err(invalid("a proof test ends within 15 minutes after it began"));
        }
        if self.machine(&new.machine)?.drill(fact.time).is_some() {
            let context = format!("a proof test of machine \"{}\" is under way; end it first", new.machine);
            return Err(StoreError::new(StoreErrorKind::Conflict, context));
        }
        self.with_machine(&new.machine, |machine| {
            let (by, until) = (fact.author.clone(), new.until);
            machine.drills.push(Drill { number, by, from, until, is_ended: false, note: String::new() });
            let surplus = machine.drills.len().saturating_sub(DRILLS_KEPT_MAX);
            machine.drills.drain(..surplus);
        })
    }

    /// Ends it if it is under way; the note replaces an earlier one.
    pub(super) fn drill_ended(&self, end: &DrillEnd, time: UnixMicros) -> Changes {
        let count = end.note.chars().count();
        if count > NOTE_CHARS_MAX {
            return Err(invalid(format!(
                "the note has {count} characters; at most {NOTE_CHARS_MAX} are allowed"
            )));
        }
        self.drill_exists(&end.machine, end.drill)?;
        self.with_machine(&end.machine, |machine| {
            if let Some(drill) = machine.drills.iter_mut().find(|drill| drill.number == end.drill) {
                drill.is_ended |= time < drill.until;
                // As its beginning, its end holds from 10 s after it on.
                drill.until = drill.until.min(time.plus(EFFECTIVE_AFTER_US).max(drill.from));
                drill.note.clone_from(&end.note);
            }
        })
    }

    fn drill_exists(&self, machine: &MachineId, number: u64) -> Result<(), StoreError> {
        let found = self.machine(machine)?.drills.iter().any(|drill| drill.number == number);
        let context = || invalid(format!("machine \"{machine}\" has no proof test {number}"));
        found.then_some(()).ok_or_else(context)
    }
}

impl Machine {
    /// The proof test that is under way or about to begin at that time.
    pub fn drill(&self, now: UnixMicros) -> Option<&Drill> {
        self.drills.last().filter(|drill| !drill.is_ended && now < drill.until)
    }
}
