//! What people did about incidents, as messages.

use domain::handling::{Cause, Deed, Handling, HandlingState, Hurt, Step};
use domain::incident::{Incident, Rule, Severity};
use domain::units::UnixMicros;
use store::fact::StoredFact;
use store::ledger::StoredIncident;
use store::registry::{Deadline, Machine, Registry};
use wire::api::v1;
use wire::api::v1::incident_step::What;

use crate::access::Scope;
use crate::convert::timestamp;

const HOUR_US: i64 = 3_600 * 1_000_000;

/// Through whose eyes incidents are shown, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    /// Where deadlines are.
    pub(crate) registry: &'a Registry,
    /// The sites where notes and whether somebody was hurt are shown.
    pub(crate) evidence: &'a Scope,
    /// Now.
    pub(crate) now: UnixMicros,
}

/// What people did about an incident.
pub(crate) fn handling(stored: &StoredIncident, machine: &Machine, view: &View<'_>) -> v1::Handling {
    let StoredIncident { incident, handling, .. } = stored;
    let closing = handling.closing.as_ref();
    let hurt = closing.and_then(|closing| closing.hurt).filter(|_| view.evidence.has(&machine.site));
    let corrected = closing.filter(|closing| closing.last.number != closing.first.number);
    v1::Handling {
        state: state(handling.state),
        shelve_until_time: handling.shelved_until.filter(|_| stored.is_shelved(view.now)).map(timestamp),
        assignee: handling.assignee.as_ref().map(ToString::to_string).unwrap_or_default(),
        acknowledged: handling.acknowledged.as_ref().map(deed),
        closed: closing.map(|closing| deed(&closing.first)),
        corrected: corrected.map(|closing| deed(&closing.last)),
        cause: cause(closing.and_then(|closing| closing.cause)),
        hurt: self::hurt(hurt),
        legal_hold: handling.is_held,
        lead_incident_id: handling.lead.map(|lead| lead.to_string()).unwrap_or_default(),
        step_count: handling.steps,
        note_count: handling.notes,
        deadlines: deadlines(incident, handling, view.registry.deadlines(&machine.site)),
        is_normal_stop: is_normal_stop(incident),
    }
}

/// By when something has to be done, the first first. A proof test has no deadlines.
fn deadlines(incident: &Incident, handling: &Handling, deadlines: &[Deadline]) -> Vec<v1::DeadlineState> {
    let holds = |one: &&Deadline| incident.drill.is_none() && one.least <= incident.severity;
    let mut due: Vec<(UnixMicros, &Deadline)> = deadlines
        .iter()
        .filter(holds)
        .map(|one| (incident.time.plus(i64::from(one.hours) * HOUR_US), one))
        .collect();
    due.sort_by_key(|(time, _)| *time);
    let show = |(time, one): (UnixMicros, &Deadline)| v1::DeadlineState {
        name: one.name.clone(),
        due_time: Some(timestamp(time)),
        met_time: met(handling, one.until).map(timestamp),
    };
    due.into_iter().map(show).collect()
}

/// When people got so far; `None`: they have not, or it is not known when.
fn met(handling: &Handling, until: HandlingState) -> Option<UnixMicros> {
    match until {
        // Of these a deadline is not accepted: everything is open from the beginning, and when somebody took it on is not
        // kept.
        HandlingState::Open | HandlingState::InProgress => None,
        HandlingState::Acknowledged => handling.acknowledged.as_ref().map(|deed| deed.time),
        HandlingState::Closed => handling.closing.as_ref().map(|closing| closing.first.time),
    }
}

/// Whether it is a stop of a belt that came to rest as it should.
fn is_normal_stop(incident: &Incident) -> bool {
    let is_of_button = matches!(incident.rule, Rule::EmergencyStop | Rule::SafetyKeyPulled);
    let is_usual = matches!(incident.severity, Severity::Critical | Severity::Medium);
    is_of_button
        && is_usual
        && incident.stop.is_some()
        && incident.explained.is_empty()
        && incident.drill.is_none()
}

/// One step. Without `evidence` what was written and whether somebody was hurt is left out.
pub(crate) fn step(stored: &StoredFact, evidence: bool) -> Option<v1::IncidentStep> {
    let store::fact::FactKind::IncidentStepped(stepped) = &stored.fact.kind else { return None };
    let what = match &stepped.step {
        Step::Acknowledge => What::Acknowledged(v1::Acknowledged {}),
        Step::Assign { to } => {
            What::Assigned(v1::Assigned { user: to.as_ref().map(ToString::to_string).unwrap_or_default() })
        }
        Step::Note => What::Noted(v1::Noted {}),
        Step::Shelve { until } => What::Shelved(v1::Shelved { until_time: until.map(timestamp) }),
        Step::Close { cause: why, hurt: who } => {
            What::Closed(v1::Closed { cause: cause(*why), hurt: hurt(who.filter(|_| evidence)) })
        }
        Step::Hold { on } => What::Held(v1::Held { on: *on }),
        Step::EraseNote { number } => What::NoteErased(v1::NoteErased { number: *number }),
        Step::Join { lead } => What::Joined(v1::Joined { lead_incident_id: lead.to_string() }),
        Step::Seal { revision, evidence } => {
            What::Sealed(v1::Sealed { revision: *revision, evidence: evidence.clone() })
        }
    };
    let text = stepped.note.as_ref().and_then(|note| note.text.as_ref());
    Some(v1::IncidentStep {
        number: stored.number,
        time: Some(timestamp(stored.fact.time)),
        author: stored.fact.author.clone(),
        what: Some(what),
        note: text.filter(|_| evidence).map(|note| note.text.clone()).unwrap_or_default(),
        has_note: stepped.note.is_some(),
        is_note_erased: stepped.note.is_some() && text.is_none(),
    })
}

fn deed(deed: &Deed) -> v1::Deed {
    v1::Deed { time: Some(timestamp(deed.time)), author: deed.by.clone() }
}

pub(crate) fn state(state: HandlingState) -> i32 {
    match state {
        HandlingState::Open => v1::HandlingState::Open,
        HandlingState::Acknowledged => v1::HandlingState::Acknowledged,
        HandlingState::InProgress => v1::HandlingState::InProgress,
        HandlingState::Closed => v1::HandlingState::Closed,
    }
    .into()
}

fn cause(cause: Option<Cause>) -> i32 {
    match cause {
        None => v1::Cause::Unspecified,
        Some(Cause::DeliberateStop) => v1::Cause::DeliberateStop,
        Some(Cause::Discomfort) => v1::Cause::Discomfort,
        Some(Cause::Misuse) => v1::Cause::Misuse,
        Some(Cause::MachineFault) => v1::Cause::MachineFault,
        Some(Cause::SensorFault) => v1::Cause::SensorFault,
        Some(Cause::Drill) => v1::Cause::Drill,
        Some(Cause::Unknown) => v1::Cause::Unknown,
    }
    .into()
}

fn hurt(hurt: Option<Hurt>) -> i32 {
    match hurt {
        None => v1::Hurt::Unspecified,
        Some(Hurt::No) => v1::Hurt::No,
        Some(Hurt::Unknown) => v1::Hurt::Unknown,
        Some(Hurt::Yes) => v1::Hurt::Yes,
    }
    .into()
}
