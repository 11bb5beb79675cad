//! Facts in memory, with what proves them and the texts of notes.

use std::collections::BTreeMap;

use domain::handling::Step;
use domain::ids::IncidentId;

use super::State;
use super::incidents::Incidents;
use crate::StoreError;
use crate::fact::{Fact, FactOutcome, IncidentStepped, Leaf, NoteText, StoredFact, leaf, to_json};
use crate::ledger::steps::{Before, Taken, take};

/// All facts of a ledger, without the texts of their notes; those stand beside them.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    all: Vec<Fact>,
    leaves: Vec<Leaf>,
    of_incidents: BTreeMap<IncidentId, Vec<u64>>,
    notes: BTreeMap<u64, NoteText>,
}

impl Facts {
    /// Facts by number, from 1.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Fact)> {
        (1..).zip(&self.all)
    }

    /// Leaves after a number.
    pub(super) fn leaves(&self, after: u64, max: usize) -> Vec<Leaf> {
        let skipped = usize::try_from(after).unwrap_or(usize::MAX);
        self.leaves.iter().skip(skipped).take(max).copied().collect()
    }

    /// The facts about one incident.
    pub(super) fn of_incident(&self, id: &IncidentId) -> Vec<StoredFact> {
        let numbers = self.of_incidents.get(id).into_iter().flatten();
        let stored = |number: &u64| {
            let place = place(*number);
            let fact = &self.all[place];
            let body = to_json(&fact.kind);
            let fact = fact.clone().with_text(self.notes.get(number).cloned());
            StoredFact { number: *number, fact, body, leaf: self.leaves[place] }
        };
        numbers.map(stored).collect()
    }

    /// The fact that the same request has added.
    fn repeated(&self, fact: &Fact) -> Option<FactOutcome> {
        let repeats = |other: &Fact| {
            fact.request_id.is_some() && other.author == fact.author && other.request_id == fact.request_id
        };
        let (number, first) = self.iter().find(|(_, other)| repeats(other))?;
        let first = first.clone().with_text(self.notes.get(&number).cloned());
        Some(FactOutcome::Repeated(number, Box::new(first)))
    }

    fn next(&self) -> u64 {
        self.all.len() as u64 + 1
    }

    fn push(&mut self, fact: Fact) {
        let number = self.next();
        self.leaves.push(leaf(number, fact.time, &fact.author, &to_json(&fact.kind)));
        if let Some(id) = fact.incident() {
            self.of_incidents.entry(id).or_default().push(number);
        }
        self.all.push(fact);
    }

    fn take(
        &self,
        incidents: &Incidents,
        fact: &Fact,
        stepped: &IncidentStepped,
    ) -> Result<Taken, StoreError> {
        let own = self.of_incidents.get(&stepped.incident);
        let can_erase = match stepped.step {
            Step::EraseNote { number } => {
                self.notes.contains_key(&number) && own.is_some_and(|own| own.contains(&number))
            }
            Step::Acknowledge
            | Step::Assign { .. }
            | Step::Note
            | Step::Shelve { .. }
            | Step::Close { .. }
            | Step::Hold { .. }
            | Step::Join { .. }
            | Step::Seal { .. } => false,
        };
        let previous = own.and_then(|own| own.last()).map(|last| self.leaves[place(*last)]);
        let stored = incidents.get(&stepped.incident);
        take(fact, stepped, self.next(), Before { incident: stored.as_ref(), previous, can_erase })
    }
}

/// Where a fact stands.
fn place(number: u64) -> usize {
    usize::try_from(number - 1).expect("facts are numbered from 1 and lie in memory")
}

impl State {
    /// Adds a fact and what follows from it.
    pub(super) fn add_fact(&mut self, fact: Fact) -> Result<FactOutcome, StoreError> {
        if let Some(repeated) = self.facts.repeated(&fact) {
            return Ok(repeated);
        }
        let number = self.facts.next();
        let Some(stepped) = fact.stepped() else {
            let changes = self.registry.follow(number, &fact)?;
            if let Some(label) = fact.labelled() {
                self.sessions.check(label)?;
                self.sessions.label(label);
            }
            self.registry_mut().put(number, changes);
            self.facts.push(fact);
            return Ok(FactOutcome::Added(number));
        };
        let id = stepped.incident;
        let Taken { fact, handling, note, erased } = self.facts.take(&self.incidents, &fact, stepped)?;
        self.registry_mut().put(number, []);
        self.incidents.handle(&id, handling);
        self.facts.push(fact);
        if let Some(note) = note {
            self.facts.notes.insert(number, note);
        }
        if let Some(erased) = erased {
            self.facts.notes.remove(&erased);
        }
        Ok(FactOutcome::Added(number))
    }
}
