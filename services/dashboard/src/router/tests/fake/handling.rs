//! The part of the fake API that steps incidents. It keeps nothing but what it was asked.

use std::sync::{Arc, Mutex};

use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};
use wire::api::v1;
use wire::api::v1::handling_service_server::HandlingService;
use wire::api::v1::incident_step::What;

use super::incidents::{EMERGENCY_STOP, FAULT, at, emergency_stop, fault};
use super::{SCRIPT, session};

/// May look at incidents, and no more.
pub(in super::super) const LOOKER: &str = "bws1_looker";
/// May read all that is evidence, and change nothing.
pub(in super::super) const AUDITOR: &str = "bws1_auditor";
/// Works on incidents, and reads German.
pub(in super::super) const STAFF_GERMAN: &str = "bws1_staff_german";

pub(in super::super) const FILE: &[u8] = b"{\"dossier\":1}";
pub(in super::super) const FINGERPRINT: &str = "f1n6e4";

/// What a session may do at all sites; none: it is not one of these.
pub(super) fn permissions(session: &str) -> Option<Vec<v1::Permission>> {
    let names: &[&str] = match session {
        LOOKER => &["history", "live"],
        AUDITOR => &["evidence", "history", "live"],
        STAFF_GERMAN => &["act", "evidence", "handle", "history", "live"],
        _ => return None,
    };
    let permission = |name: &&str| v1::Permission { name: (*name).to_owned(), site_ids: Vec::new() };
    Some(names.iter().map(permission).collect())
}

/// Whether a session may see what was written and whether somebody was hurt.
pub(super) fn is_told(session: &str) -> bool {
    session != LOOKER
}

#[derive(Debug, Clone, Default)]
pub(in super::super) struct Handling {
    asked: Arc<Mutex<Vec<String>>>,
    /// Nothing of it can be had.
    is_out: bool,
}

impl Handling {
    /// Nothing of it can be had.
    pub(in super::super) fn out() -> Handling {
        Handling { is_out: true, ..Handling::default() }
    }

    /// The steps that were asked for, as debug text.
    pub(in super::super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The only one that was asked for.
    pub(in super::super) fn asked_once(&self) -> String {
        let asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked[0].clone()
    }

    fn note<T: std::fmt::Debug>(&self, request: Request<T>) -> Result<T, Status> {
        let session = session(&request)?;
        if [LOOKER, AUDITOR].contains(&session.as_str()) {
            return Err(Status::permission_denied("this needs handle"));
        }
        if self.is_out {
            return Err(Status::unavailable("the ledger is away"));
        }
        let message = request.into_inner();
        self.asked.lock().unwrap().push(format!("{message:?}"));
        Ok(message)
    }
}

type Answered<T> = Result<Response<T>, Status>;
type Refusal = Option<(&'static str, &'static str)>;

/// Steps each by itself; `refuse` says why one is not.
fn results(ids: &[String], refuse: impl Fn(&str) -> Refusal) -> Vec<v1::StepResult> {
    let result = |id: &String| {
        let known = [EMERGENCY_STOP, FAULT].contains(&id.as_str());
        let refusal = if known { refuse(id) } else { Some(("incident_id is not known", "NOT_FOUND")) };
        let incident = if id == FAULT { fault() } else { emergency_stop() };
        let (error, reason) = refusal.unwrap_or_default();
        v1::StepResult {
            incident_id: id.clone(),
            incident: error.is_empty().then_some(incident),
            error: error.to_owned(),
            reason: reason.to_owned(),
        }
    };
    ids.iter().map(result).collect()
}

const CLOSED: (&str, &str) =
    ("the incident was closed by user:otto; a note, a correction and a legal hold are allowed", "CLOSED");

fn fits(note: &str) -> Result<(), Status> {
    if note.chars().count() <= 2_000 {
        return Ok(());
    }
    let details = ErrorDetails::with_bad_request_violation("note", "at most 2000 characters are allowed");
    Err(Status::with_error_details(Code::InvalidArgument, "note", details))
}

fn step(number: u64, seconds: i64, author: &str, what: What) -> v1::IncidentStep {
    v1::IncidentStep {
        number,
        time: at(seconds),
        author: author.to_owned(),
        what: Some(what),
        ..v1::IncidentStep::default()
    }
}

fn steps(is_told: bool) -> Vec<v1::IncidentStep> {
    let noted = |number, seconds, text: &str| v1::IncidentStep {
        note: if is_told { text.to_owned() } else { String::new() },
        has_note: true,
        ..step(number, seconds, "user:anna", What::Noted(v1::Noted {}))
    };
    let closed = v1::Closed {
        cause: v1::Cause::Misuse.into(),
        hurt: if is_told { v1::Hurt::Yes.into() } else { v1::Hurt::Unspecified.into() },
    };
    vec![
        step(11, 30, "user:otto", What::Assigned(v1::Assigned { user: "otto".to_owned() })),
        noted(12, 40, &format!("first line\nsecond {SCRIPT}")),
        v1::IncidentStep { is_note_erased: true, ..noted(13, 50, "") },
        step(14, 60, "user:anna", What::Shelved(v1::Shelved { until_time: at(3_600) })),
        step(15, 70, "token:7", What::Closed(closed)),
        step(16, 80, "user:anna", What::Closed(closed)),
        step(17, 90, "server", What::Sealed(v1::Sealed { revision: 3, evidence: "ab".repeat(32) })),
    ]
}

#[tonic::async_trait]
impl HandlingService for Handling {
    async fn acknowledge_incidents(
        &self,
        request: Request<v1::AcknowledgeIncidentsRequest>,
    ) -> Answered<v1::AcknowledgeIncidentsResponse> {
        let message = self.note(request)?;
        let results = results(&message.incident_ids, |_| None);
        Ok(Response::new(v1::AcknowledgeIncidentsResponse { results }))
    }

    async fn assign_incidents(
        &self,
        request: Request<v1::AssignIncidentsRequest>,
    ) -> Answered<v1::AssignIncidentsResponse> {
        let message = self.note(request)?;
        fits(&message.note)?;
        let results = results(&message.incident_ids, |id| match message.user.as_str() {
            _ if id == FAULT => Some(CLOSED),
            "" | "me" | "otto" => None,
            _ => Some(("user is not known; a user who may see the incident is allowed", "UNKNOWN_USER")),
        });
        Ok(Response::new(v1::AssignIncidentsResponse { results }))
    }

    async fn note_incidents(
        &self,
        request: Request<v1::NoteIncidentsRequest>,
    ) -> Answered<v1::NoteIncidentsResponse> {
        let message = self.note(request)?;
        fits(&message.note)?;
        let empty = ("note is empty; 1 to 2000 characters are allowed", "NO_NOTE");
        let results = results(&message.incident_ids, |_| message.note.is_empty().then_some(empty));
        Ok(Response::new(v1::NoteIncidentsResponse { results }))
    }

    async fn shelve_incidents(
        &self,
        request: Request<v1::ShelveIncidentsRequest>,
    ) -> Answered<v1::ShelveIncidentsResponse> {
        let message = self.note(request)?;
        let results = results(&message.incident_ids, |id| match (id, message.until_time) {
            (FAULT, _) => Some(CLOSED),
            (_, Some(_)) => Some(("a critical incident cannot be shelved", "CRITICAL")),
            (_, None) => None,
        });
        Ok(Response::new(v1::ShelveIncidentsResponse { results }))
    }

    async fn close_incidents(
        &self,
        request: Request<v1::CloseIncidentsRequest>,
    ) -> Answered<v1::CloseIncidentsResponse> {
        let message = self.note(request)?;
        fits(&message.note)?;
        let results = results(&message.incident_ids, |id| match (id, message.cause(), message.hurt()) {
            (FAULT, _, _) => None,
            (_, v1::Cause::Unspecified, _) => Some(("cause is missing; misuse is allowed", "UNANSWERED")),
            (_, _, v1::Hurt::Unspecified) => Some(("hurt is missing; no is allowed", "UNANSWERED")),
            _ => None,
        });
        Ok(Response::new(v1::CloseIncidentsResponse { results }))
    }

    async fn erase_note(&self, request: Request<v1::EraseNoteRequest>) -> Answered<v1::EraseNoteResponse> {
        if self.note(request)?.number != 12 {
            return Err(Status::not_found("there is no such note"));
        }
        Ok(Response::new(v1::EraseNoteResponse { incident: Some(emergency_stop()) }))
    }

    async fn hold_incidents(
        &self,
        request: Request<v1::HoldIncidentsRequest>,
    ) -> Answered<v1::HoldIncidentsResponse> {
        let message = self.note(request)?;
        let results = results(&message.incident_ids, |_| None);
        Ok(Response::new(v1::HoldIncidentsResponse { results }))
    }

    async fn list_incident_steps(
        &self,
        request: Request<v1::ListIncidentStepsRequest>,
    ) -> Answered<v1::ListIncidentStepsResponse> {
        let session = session(&request)?;
        if self.is_out {
            return Err(Status::unavailable("the ledger is away"));
        }
        let answer = match request.into_inner().incident_id.as_str() {
            EMERGENCY_STOP => v1::ListIncidentStepsResponse {
                steps: steps(is_told(&session)),
                members: vec![v1::Incident { id: "5".repeat(32), ..fault() }],
            },
            _ => v1::ListIncidentStepsResponse::default(),
        };
        Ok(Response::new(answer))
    }

    async fn export_dossier(
        &self,
        request: Request<v1::ExportDossierRequest>,
    ) -> Answered<v1::ExportDossierResponse> {
        if !is_told(&session(&request)?) {
            return Err(Status::permission_denied("this needs evidence"));
        }
        let id = request.into_inner().incident_id;
        if ![EMERGENCY_STOP, FAULT].contains(&id.as_str()) {
            return Err(Status::not_found("there is no such incident"));
        }
        Ok(Response::new(v1::ExportDossierResponse {
            file: FILE.to_vec(),
            file_name: format!("incident-{id}.json"),
            sha256: "5b1c0ffee0".to_owned(),
            key_fingerprint: FINGERPRINT.to_owned(),
            anchored: id == FAULT,
        }))
    }

    async fn get_server_key(
        &self,
        _request: Request<v1::GetServerKeyRequest>,
    ) -> Answered<v1::GetServerKeyResponse> {
        Err(Status::unimplemented("no page asks this"))
    }
}
