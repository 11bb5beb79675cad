//! `HandlingService`: what people do about incidents, and the proof of it.

pub(crate) mod asked;
mod context;
mod export;
mod seal;
pub(crate) mod show;
mod steps;
pub(crate) mod stops;

use std::sync::Arc;

use ::dossier::SigningKey;
use domain::handling::Step;
use domain::ids::IncidentId;
use store::StoreErrorKind;
use store::fact::{Fact, FactKind, IncidentStepped, StoredFact};
use store::ledger::StoredIncident;
use store::registry::Machine;
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};
use wire::api::v1;
use wire::api::v1::handling_service_server::HandlingService;

pub use self::seal::{Sealer, Sealing};
use self::show::View;
use self::steps::Planned;
use crate::access::rights::Permission;
use crate::access::{Caller, Scope};
use crate::check::Check;
use crate::gate::Gate;
use crate::incident::show as incident_show;
use crate::status::ApiError;
use crate::telemetry::History;
use crate::watch::Ground;

/// The service.
#[derive(Debug)]
pub(crate) struct Steps {
    gate: Arc<Gate>,
    ground: Ground,
    /// Where coverage comes from.
    history: History,
    /// With which dossiers are signed.
    key: SigningKey,
    /// One dossier at a time is made: each may hold the tree over all facts.
    exports: Semaphore,
}

impl Steps {
    pub(crate) fn new(gate: Arc<Gate>, ground: Ground, history: History, key: SigningKey) -> Steps {
        Steps { gate, ground, history, key, exports: Semaphore::new(1) }
    }

    async fn acknowledge(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::AcknowledgeIncidentsRequest,
    ) -> Result<v1::AcknowledgeIncidentsResponse, ApiError> {
        let mut check = Check::default();
        let ids = check.incidents(&request.incident_ids);
        let written = (request.note.as_str(), request.request_id.as_str());
        let planned = Planned::of(check, (&caller, self.now()), written, |_| Step::Acknowledge)?;
        let results = self.take((&caller, &scope), ids, &planned).await?;
        Ok(v1::AcknowledgeIncidentsResponse { results })
    }

    async fn assign(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::AssignIncidentsRequest,
    ) -> Result<v1::AssignIncidentsResponse, ApiError> {
        let (now, registry) = (self.now(), self.ground.ledger.registry());
        let mut check = Check::default();
        let ids = check.incidents(&request.incident_ids);
        let written = (request.note.as_str(), request.request_id.as_str());
        let planned = Planned::of(check, (&caller, now), written, |check| Step::Assign {
            to: check.assignee(&request.user, &caller, &registry, now),
        })?;
        let results = self.take((&caller, &scope), ids, &planned).await?;
        Ok(v1::AssignIncidentsResponse { results })
    }

    async fn note(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::NoteIncidentsRequest,
    ) -> Result<v1::NoteIncidentsResponse, ApiError> {
        let mut check = Check::default();
        let ids = check.incidents(&request.incident_ids);
        let written = (request.note.as_str(), request.request_id.as_str());
        let planned = Planned::of(check, (&caller, self.now()), written, |_| Step::Note)?;
        let results = self.take((&caller, &scope), ids, &planned).await?;
        Ok(v1::NoteIncidentsResponse { results })
    }

    async fn shelve(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::ShelveIncidentsRequest,
    ) -> Result<v1::ShelveIncidentsResponse, ApiError> {
        let now = self.now();
        let mut check = Check::default();
        let ids = check.incidents(&request.incident_ids);
        let written = (request.note.as_str(), request.request_id.as_str());
        let planned = Planned::of(check, (&caller, now), written, |check| Step::Shelve {
            until: check.shelve_until(request.until_time.as_ref(), now),
        })?;
        let results = self.take((&caller, &scope), ids, &planned).await?;
        Ok(v1::ShelveIncidentsResponse { results })
    }

    async fn close(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::CloseIncidentsRequest,
    ) -> Result<v1::CloseIncidentsResponse, ApiError> {
        let mut check = Check::default();
        let ids = check.incidents(&request.incident_ids);
        let written = (request.note.as_str(), request.request_id.as_str());
        let planned = Planned::of(check, (&caller, self.now()), written, |check| Step::Close {
            cause: check.cause(request.cause),
            hurt: check.hurt(request.hurt),
        })?;
        let results = self.take((&caller, &scope), ids, &planned).await?;
        Ok(v1::CloseIncidentsResponse { results })
    }

    async fn hold(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::HoldIncidentsRequest,
    ) -> Result<v1::HoldIncidentsResponse, ApiError> {
        let mut check = Check::default();
        let ids = check.incidents(&request.incident_ids);
        let written = (request.note.as_str(), request.request_id.as_str());
        let step = Step::Hold { on: request.on };
        let planned = Planned::of(check, (&caller, self.now()), written, |_| step)?;
        let results = self.take((&caller, &scope), ids, &planned).await?;
        Ok(v1::HoldIncidentsResponse { results })
    }

    async fn erase_note(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::EraseNoteRequest,
    ) -> Result<v1::EraseNoteResponse, ApiError> {
        let (stored, machine) = self.named(&scope, &request.incident_id).await?;
        let id = stored.incident.id;
        if self.has_text(&id, request.number).await? {
            let step = Step::EraseNote { number: request.number };
            let stepped = IncidentStepped { incident: id, step, note: None, previous: None };
            let kind = FactKind::IncidentStepped(stepped);
            let fact = Fact { time: self.now(), author: caller.name(), request_id: None, kind };
            match self.ground.ledger.add_fact(fact).await {
                Ok(_) => {}
                Err(error) if error.kind == StoreErrorKind::Invalid => {
                    // Somebody else has erased it just now, or it is a failure of ours.
                    if self.has_text(&id, request.number).await? {
                        return Err(error.into());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        let stored = self.ground.ledger.incident(&id).await?.unwrap_or(stored);
        Ok(v1::EraseNoteResponse { incident: Some(self.show(&caller, &stored, &machine)) })
    }

    /// Whether a step's note has a text; `NotFound` if the step has no note.
    async fn has_text(&self, id: &IncidentId, number: u64) -> Result<bool, ApiError> {
        let facts = self.ground.ledger.incident_facts(id).await?;
        let fact = facts.into_iter().find(|fact| fact.number == number).map(|stored| stored.fact.kind);
        match fact {
            Some(FactKind::IncidentStepped(IncidentStepped { note: Some(note), .. })) => {
                Ok(note.text.is_some())
            }
            Some(_) | None => Err(ApiError::NotFound { what: "note", id: number.to_string() }),
        }
    }

    async fn steps(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::ListIncidentStepsRequest,
    ) -> Result<v1::ListIncidentStepsResponse, ApiError> {
        let (stored, machine) = self.named(&scope, &request.incident_id).await?;
        let id = stored.incident.id;
        let evidence = self.gate.reach(&caller, Permission::Evidence).has(&machine.site);
        let facts: Vec<StoredFact> = self.ground.ledger.incident_facts(&id).await?;
        let visible = self.ground.visible(scope);
        let members = self.members(id).await?;
        let shown = members.iter().filter_map(|member| {
            let machine = visible.machine_then(&member.incident.machine, member.incident.time).ok()?;
            Some(self.show(&caller, member, &machine))
        });
        Ok(v1::ListIncidentStepsResponse {
            members: shown.collect(),
            steps: facts.iter().filter_map(|fact| show::step(fact, evidence)).collect(),
        })
    }

    /// The incident that a request names.
    async fn named(&self, scope: &Scope, id: &str) -> Result<(StoredIncident, Arc<Machine>), ApiError> {
        let mut check = Check::default();
        let id = check.id::<IncidentId>("incident_id", id);
        check.finish()?;
        let id = id.expect("an id that is not valid is a violation");
        let none = || ApiError::NotFound { what: "incident", id: id.to_string() };
        let stored = self.ground.ledger.incident(&id).await?.ok_or_else(none)?;
        let visible = self.ground.visible(scope.clone());
        let machine =
            visible.machine_then(&stored.incident.machine, stored.incident.time).map_err(|_| none())?;
        Ok((stored, machine))
    }

    fn show(&self, caller: &Caller, stored: &StoredIncident, machine: &Machine) -> v1::Incident {
        let registry = self.ground.ledger.registry();
        let evidence = self.gate.reach(caller, Permission::Evidence);
        let view = View { registry: &registry, evidence: &evidence, now: self.now() };
        incident_show::incident(stored, machine, &view)
    }

    fn now(&self) -> domain::units::UnixMicros {
        self.ground.surroundings.now()
    }
}

#[tonic::async_trait]
impl HandlingService for Steps {
    async fn acknowledge_incidents(
        &self,
        request: Request<v1::AcknowledgeIncidentsRequest>,
    ) -> Result<Response<v1::AcknowledgeIncidentsResponse>, Status> {
        let work = |caller, scope, request| self.acknowledge(caller, scope, request);
        self.gate.answer("HandlingService/AcknowledgeIncidents", request, work).await
    }

    async fn assign_incidents(
        &self,
        request: Request<v1::AssignIncidentsRequest>,
    ) -> Result<Response<v1::AssignIncidentsResponse>, Status> {
        let work = |caller, scope, request| self.assign(caller, scope, request);
        self.gate.answer("HandlingService/AssignIncidents", request, work).await
    }

    async fn note_incidents(
        &self,
        request: Request<v1::NoteIncidentsRequest>,
    ) -> Result<Response<v1::NoteIncidentsResponse>, Status> {
        let work = |caller, scope, request| self.note(caller, scope, request);
        self.gate.answer("HandlingService/NoteIncidents", request, work).await
    }

    async fn shelve_incidents(
        &self,
        request: Request<v1::ShelveIncidentsRequest>,
    ) -> Result<Response<v1::ShelveIncidentsResponse>, Status> {
        let work = |caller, scope, request| self.shelve(caller, scope, request);
        self.gate.answer("HandlingService/ShelveIncidents", request, work).await
    }

    async fn close_incidents(
        &self,
        request: Request<v1::CloseIncidentsRequest>,
    ) -> Result<Response<v1::CloseIncidentsResponse>, Status> {
        let work = |caller, scope, request| self.close(caller, scope, request);
        self.gate.answer("HandlingService/CloseIncidents", request, work).await
    }

    async fn erase_note(
        &self,
        request: Request<v1::EraseNoteRequest>,
    ) -> Result<Response<v1::EraseNoteResponse>, Status> {
        let work = |caller, scope, request| self.erase_note(caller, scope, request);
        self.gate.answer("HandlingService/EraseNote", request, work).await
    }

    async fn hold_incidents(
        &self,
        request: Request<v1::HoldIncidentsRequest>,
    ) -> Result<Response<v1::HoldIncidentsResponse>, Status> {
        let work = |caller, scope, request| self.hold(caller, scope, request);
        self.gate.answer("HandlingService/HoldIncidents", request, work).await
    }

    async fn list_incident_steps(
        &self,
        request: Request<v1::ListIncidentStepsRequest>,
    ) -> Result<Response<v1::ListIncidentStepsResponse>, Status> {
        let work = |caller, scope, request| self.steps(caller, scope, request);
        self.gate.answer("HandlingService/ListIncidentSteps", request, work).await
    }

    async fn export_dossier(
        &self,
        request: Request<v1::ExportDossierRequest>,
    ) -> Result<Response<v1::ExportDossierResponse>, Status> {
        let work = |caller, scope, request| self.export(caller, scope, request);
        self.gate.answer("HandlingService/ExportDossier", request, work).await
    }

    async fn get_server_key(
        &self,
        request: Request<v1::GetServerKeyRequest>,
    ) -> Result<Response<v1::GetServerKeyResponse>, Status> {
        let work = |_, _, _| std::future::ready(Ok(self.server_key()));
        self.gate.answer("HandlingService/GetServerKey", request, work).await
    }
}
