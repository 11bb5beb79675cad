//! What a step about an incident does: pure, the same in every engine.

use domain::handling::{Deed, Handling, Step, Subject};
use domain::limits::INCIDENT_STEPS_MAX;

use super::StoredIncident;
use crate::bounds::invalid;
use crate::fact::{Fact, FactKind, IncidentStepped, Leaf, NoteText, SERVER};
use crate::{StoreError, StoreErrorKind};

/// What of a ledger a step depends on.
#[derive(Debug)]
pub(crate) struct Before<'a> {
    /// The incident, if there is one.
    pub(crate) incident: Option<&'a StoredIncident>,
    /// Leaf of the fact before of the same incident.
    pub(crate) previous: Option<Leaf>,
    /// Whether the fact that `Step::EraseNote` names has brought a text to the same incident, which is still there.
    pub(crate) can_erase: bool,
}

/// What follows from a step.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The fact as it is added: with the leaf of the one before, without the text of its note.
    pub(crate) fact: Fact,
    /// What people have done by now.
    pub(crate) handling: Handling,
    /// The text to keep beside the fact.
    pub(crate) note: Option<NoteText>,
    /// The fact whose text is to be erased.
    pub(crate) erased: Option<u64>,
}

/// What follows from a step if its fact gets this number.
///
/// # Errors
/// `Invalid` if there is no such incident, or the step cannot be taken. `Full` if too many were.
pub(crate) fn take(
    fact: &Fact,
    stepped: &IncidentStepped,
    number: u64,
    before: Before<'_>,
) -> Result<Taken, StoreError> {
    let id = stepped.incident;
    let stored = before.incident.ok_or_else(|| invalid(format!("there is no incident {id}")))?;
    check_room(fact, stepped, &stored.handling)?;
    let (step, has_note) = (&stepped.step, stepped.note.is_some());
    let subject = Subject { severity: stored.incident.severity, is_drill: stored.incident.drill.is_some() };
    let mut handling = stored.handling.clone();
    handling.check(step, has_note, subject, fact.time).map_err(|illegal| invalid(illegal.to_string()))?;
    let erased = match step {
        Step::EraseNote { number } if !before.can_erase => {
            return Err(invalid(format!(
                "fact {number} has brought no note of incident {id} that has a text"
            )));
        }
        Step::Join { lead } if *lead == id => {
            return Err(invalid(format!("incident {id} cannot stand for itself")));
        }
        Step::EraseNote { number } => Some(*number),
        Step::Acknowledge
        | Step::Assign { .. }
        | Step::Note
        | Step::Shelve { .. }
        | Step::Close { .. }
        | Step::Hold { .. }
        | Step::Join { .. }
        | Step::Seal { .. } => None,
    };
    handling.take(step, has_note, Deed { number, time: fact.time, by: fact.author.clone() });
    let mut stepped = stepped.clone();
    stepped.previous = before.previous.map(hex::encode);
    let note = stepped.note.as_mut().and_then(|note| note.text.take());
    let fact = Fact { kind: FactKind::IncidentStepped(stepped), ..fact.clone() };
    Ok(Taken { fact, handling, note, erased })
}

/// Erasing is always possible: there are no more texts to erase than steps that brought one. So is the first step by which
/// somebody knows of an incident or closes it: whatever fills the room, it must not stay open for ever.
fn check_room(fact: &Fact, stepped: &IncidentStepped, handling: &Handling) -> Result<(), StoreError> {
    let is_exempt = match stepped.step {
        Step::Join { .. } | Step::Seal { .. } => fact.author == SERVER,
        Step::EraseNote { .. } => true,
        Step::Acknowledge => handling.acknowledged.is_none(),
        Step::Close { .. } => handling.closing.is_none(),
        Step::Assign { .. } | Step::Note | Step::Shelve { .. } | Step::Hold { .. } => false,
    };
    if is_exempt || handling.steps < INCIDENT_STEPS_MAX {
        return Ok(());
    }
    let (id, steps) = (stepped.incident, handling.steps);
    let context = format!("incident {id} has {steps} steps; at most {INCIDENT_STEPS_MAX} are allowed");
    Err(StoreError::new(StoreErrorKind::Full, context))
}

#[cfg(test)]
mod tests;
