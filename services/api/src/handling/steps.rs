//! One step about several incidents: each is stepped by itself and has its own result, so that one that cannot be
//! stepped holds up no other.

use std::sync::Arc;

use domain::handling::{IllegalStep, Step, Subject};
use domain::ids::IncidentId;
use domain::incident::Rule;
use domain::limits::{INCIDENT_STEPS_MAX, MEMBERS_STEPPED_MAX};
use domain::units::UnixMicros;
use sha2::{Digest, Sha256};
use store::fact::{Fact, FactKind, FactOutcome, IncidentStepped, Note};
use store::ledger::{IncidentFilter, IncidentOrder, IncidentQuery, Members, StoredIncident};
use store::registry::Machine;
use store::{StoreError, StoreErrorKind};
use wire::api::v1;

use super::Steps;
use super::show::View;
use super::stops::SeenTo;
use crate::access::rights::Permission;
use crate::access::{Caller, Scope};
use crate::check::Check;
use crate::incident::show;
use crate::status::ApiError;

/// A step that somebody asks for, about any incident.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) step: Step,
    /// What is written down with it.
    pub(super) note: Option<String>,
    pub(super) request_id: Option<String>,
    /// Who asks, as facts name people.
    pub(super) by: String,
    /// When, by the server's clock.
    pub(super) now: UnixMicros,
}

/// Why a step about one incident was not taken.
#[derive(Debug)]
pub(super) struct Refused {
    /// In one word, for programs.
    reason: &'static str,
    /// Field, value, what is allowed.
    error: String,
}

/// A step was taken, or not; what fails for reasons of the server fails the whole request.
type Outcome<T> = Result<Result<T, Refused>, ApiError>;

impl Planned {
    /// Checks what all requests have in common, and makes the step of `step`.
    pub(super) fn of(
        mut check: Check,
        (caller, now): (&Caller, UnixMicros),
        (note, request_id): (&str, &str),
        step: impl FnOnce(&mut Check) -> Step,
    ) -> Result<Planned, ApiError> {
        let note = check.note(note);
        let request_id = check.request_id(request_id);
        let step = step(&mut check);
        if step == Step::Note && note.is_none() {
            check.wrong("note", "is empty; 1 to 2000 characters are allowed");
        }
        check.finish()?;
        Ok(Planned { step, note, request_id, by: caller.name(), now })
    }

    /// The fact about one incident; its identity is that of the request and the incident together.
    fn fact(&self, id: IncidentId, note: Option<&String>) -> Result<Fact, ApiError> {
        let note = note.map(|text| Ok::<_, ApiError>(Note::new(salt()?, text.clone()))).transpose()?;
        let own = |request: &String| hex::encode(Sha256::digest(format!("{request}\n{id}")));
        let stepped = IncidentStepped { incident: id, step: self.step.clone(), note, previous: None };
        Ok(Fact {
            time: self.now,
            author: self.by.clone(),
            request_id: self.request_id.as_ref().map(own),
            kind: FactKind::IncidentStepped(stepped),
        })
    }

    /// Whether a fact that the same request made before says the same. A text that was erased is not compared.
    fn is_same(&self, first: &Fact, note: Option<&String>) -> bool {
        let FactKind::IncidentStepped(first) = &first.kind else { return false };
        let text = first.note.as_ref().map(|note| note.text.as_ref().map(|text| &text.text));
        let is_same_note = match (text, note) {
            (None, None) | (Some(None), Some(_)) => true,
            (Some(Some(first)), Some(note)) => first == note,
            (None, Some(_)) | (Some(_), None) => false,
        };
        first.step == self.step && is_same_note
    }

    /// Whether it says that somebody knows of the incident.
    fn acknowledges(&self) -> bool {
        match &self.step {
            Step::Acknowledge | Step::Assign { .. } | Step::Close { .. } => true,
            Step::Note
            | Step::Shelve { .. }
            | Step::Hold { .. }
            | Step::EraseNote { .. }
            | Step::Join { .. }
            | Step::Seal { .. } => false,
        }
    }
}

impl Refused {
    fn none(id: IncidentId) -> Refused {
        let error = ApiError::NotFound { what: "incident", id: id.to_string() };
        Refused { reason: error.code().1, error: error.message() }
    }

    fn illegal(illegal: &IllegalStep) -> Refused {
        let reason = match illegal {
            IllegalStep::Closed { .. } => "CLOSED",
            IllegalStep::Critical => "CRITICAL",
            IllegalStep::Until => "UNTIL",
            IllegalStep::Unanswered { .. } => "UNANSWERED",
            IllegalStep::NoNote => "NO_NOTE",
        };
        Refused { reason, error: illegal.to_string() }
    }
}

impl Steps {
    /// Takes a step about each of these incidents that is within `scope`.
    pub(super) async fn take(
        &self,
        (caller, scope): (&Caller, &Scope),
        ids: Vec<IncidentId>,
        planned: &Planned,
    ) -> Result<Vec<v1::StepResult>, ApiError> {
        let evidence = self.gate.reach(caller, Permission::Evidence);
        // How many members of outages this request may still step.
        let mut room = MEMBERS_STEPPED_MAX;
        let mut results = Vec::with_capacity(ids.len());
        for id in ids {
            let outcome = self.take_one(scope, id, planned, &mut room).await?;
            let mut result = v1::StepResult { incident_id: id.to_string(), ..v1::StepResult::default() };
            match outcome {
                Ok((stored, machine)) => {
                    let registry = self.ground.ledger.registry();
                    let view = View { registry: &registry, evidence: &evidence, now: planned.now };
                    result.incident = Some(show::incident(&stored, &machine, &view));
                }
                Err(Refused { reason, error }) => (result.reason, result.error) = (reason.to_owned(), error),
            }
            results.push(result);
        }
        Ok(results)
    }

    /// Takes a step about one incident and, if it stands for an outage, about the members. Gives the incident as it is
    /// then.
    async fn take_one(
        &self,
        scope: &Scope,
        id: IncidentId,
        planned: &Planned,
        room: &mut usize,
    ) -> Outcome<(StoredIncident, Arc<Machine>)> {
        let visible = self.ground.visible(scope.clone());
        let Some(stored) = self.ground.ledger.incident(&id).await? else { return Ok(Err(Refused::none(id))) };
        let Ok(machine) = visible.machine_then(&stored.incident.machine, stored.incident.time) else {
            return Ok(Err(Refused::none(id)));
        };
        if let Step::Assign { to: Some(user) } = &planned.step {
            let user = visible.registry().users().get(user);
            let sees = user.and_then(|user| Scope::of(&user.grants, Permission::History));
            if !sees.is_some_and(|sites| sites.has(&machine.site)) {
                let error =
                    "user may not see the incident; a user who sees the history of its site is allowed";
                return Ok(Err(Refused { reason: "CANNOT_SEE", error: error.to_owned() }));
            }
        }
        // What is written stays with the incident that was named, so that it can be erased there.
        let may_have_members = stored.incident.rule == Rule::AgentOffline && planned.step != Step::Note;
        let members = if may_have_members { self.members(id).await? } else { Vec::new() };
        if members.len() > *room {
            let error = format!(
                "incident_ids name outages with more than {MEMBERS_STEPPED_MAX} members together; ask for this one alone"
            );
            return Ok(Err(Refused { reason: "TOO_MANY", error }));
        }
        *room -= members.len();
        if let Err(refused) = self.add(id, planned, planned.note.as_ref()).await? {
            return Ok(Err(refused));
        }
        if planned.acknowledges() {
            let seen = SeenTo { ledger: &self.ground.ledger, by: planned.by.clone(), now: planned.now };
            seen.as_incident(&machine, &stored.incident).await?;
        }
        for member in members {
            let member = member.incident.id;
            if let Err(refused) = self.add(member, planned, None).await? {
                let Refused { reason, error } = refused;
                tracing::debug!(incident.id = %member, reason, error, "member of an outage was not stepped");
            }
        }
        let stored = self.ground.ledger.incident(&id).await?.unwrap_or(stored);
        Ok(Ok((stored, machine.clone())))
    }

    /// The incidents that one stands for, the oldest first.
    pub(super) async fn members(&self, lead: IncidentId) -> Result<Vec<StoredIncident>, StoreError> {
        let filter = IncidentFilter { members: Members::Of(lead), ..IncidentFilter::default() };
        let (order, max) = (IncidentOrder::OldestFirst, MEMBERS_STEPPED_MAX);
        self.ground.ledger.incidents(&IncidentQuery { filter, order, after: None, max }).await
    }

    /// Adds the fact about one incident.
    async fn add(&self, id: IncidentId, planned: &Planned, note: Option<&String>) -> Outcome<()> {
        match self.ground.ledger.add_fact(planned.fact(id, note)?).await {
            Ok(FactOutcome::Added(_)) => Ok(Ok(())),
            Ok(FactOutcome::Repeated(_, first)) if planned.is_same(&first, note) => Ok(Ok(())),
            Ok(FactOutcome::Repeated(..)) => {
                let error = "request_id was used before for another step; choose a new one".to_owned();
                Ok(Err(Refused { reason: "REQUEST_ID_USED", error }))
            }
            Err(error) => self.why_not(id, planned, note.is_some(), error).await.map(Err),
        }
    }

    /// Why the ledger did not take a step: because of the incident, or for reasons of its own.
    async fn why_not(
        &self,
        id: IncidentId,
        planned: &Planned,
        has_note: bool,
        error: StoreError,
    ) -> Result<Refused, ApiError> {
        let is_own = matches!(error.kind, StoreErrorKind::Invalid | StoreErrorKind::Full);
        let stored = if is_own { self.ground.ledger.incident(&id).await? } else { None };
        let Some(StoredIncident { incident, handling, .. }) = stored else { return Err(error.into()) };
        if error.kind == StoreErrorKind::Full && handling.steps >= INCIDENT_STEPS_MAX {
            let error = format!(
                "the incident has {} steps; at most {INCIDENT_STEPS_MAX} are allowed",
                handling.steps
            );
            return Ok(Refused { reason: "TOO_MANY_STEPS", error });
        }
        let subject = Subject { severity: incident.severity, is_drill: incident.drill.is_some() };
        match handling.check(&planned.step, has_note, subject, planned.now) {
            Err(illegal) if error.kind == StoreErrorKind::Invalid => Ok(Refused::illegal(&illegal)),
            Err(_) | Ok(()) => Err(error.into()),
        }
    }
}

/// Random octets, so that a short note cannot be guessed from its hash.
fn salt() -> Result<[u8; 16], ApiError> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(ApiError::NoRandomness)?;
    Ok(salt)
}
