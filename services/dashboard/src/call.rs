//! Calls of the API: with whose session, for how long, and what a refusal means for a page.

use std::net::IpAddr;
use std::time::Duration;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt;
use tower::ServiceExt;
use wire::api::v1::account_service_client::AccountServiceClient;
use wire::api::v1::admin_service_client::AdminServiceClient;
use wire::api::v1::course_service_client::CourseServiceClient;
use wire::api::v1::drill_service_client::DrillServiceClient;
use wire::api::v1::enrolment_service_client::EnrolmentServiceClient;
use wire::api::v1::fleet_service_client::FleetServiceClient;
use wire::api::v1::handling_service_client::HandlingServiceClient;
use wire::api::v1::incident_service_client::IncidentServiceClient;
use wire::api::v1::notification_service_client::NotificationServiceClient;
use wire::api::v1::telemetry_service_client::TelemetryServiceClient;
use wire::api::v1::usage_service_client::UsageServiceClient;

use crate::texts::{Language, Texts};

/// The API as the pages call it: a gRPC service in this process or a channel to another.
pub type Api = tower::util::BoxCloneSyncService<
    http::Request<tonic::body::Body>,
    http::Response<axum::body::Body>,
    Status,
>;

/// The API of this process, called without a socket between.
pub fn in_process(routes: axum::Router) -> Api {
    let never = |never: std::convert::Infallible| -> Status { match never {} };
    Api::new(ServiceExt::<http::Request<tonic::body::Body>>::map_err(routes, never))
}

/// How long a page waits for one answer.
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// Octets of the largest dossier that a page passes on. A larger one is told as an outage of the dossier.
const DOSSIER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Who asks the API: the session of a browser, and from where.
#[derive(Clone)]
pub(crate) struct Caller {
    session: Option<String>,
    peer: Option<IpAddr>,
}

/// The session is a secret: it is not shown.
impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Caller {
    pub(crate) fn new(session: Option<String>, peer: Option<IpAddr>) -> Caller {
        Caller { session, peer }
    }

    pub(crate) fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// A request as this caller.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        let ascii = |text: String| MetadataValue::<Ascii>::try_from(text).ok();
        if let Some(value) = self.session.as_ref().and_then(|session| ascii(format!("Bearer {session}"))) {
            metadata.insert("authorization", value);
        }
        if let Some(value) = self.peer.and_then(|peer| ascii(peer.to_string())) {
            metadata.insert("x-beltwatch-peer", value);
        }
        request
    }
}

/// Clients of all services of one API.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    api: Api,
}

impl Clients {
    pub(crate) fn new(api: Api) -> Clients {
        Clients { api }
    }

    pub(crate) fn account(&self) -> AccountServiceClient<Api> {
        AccountServiceClient::new(self.api.clone())
    }

    pub(crate) fn fleet(&self) -> FleetServiceClient<Api> {
        FleetServiceClient::new(self.api.clone())
    }

    pub(crate) fn telemetry(&self) -> TelemetryServiceClient<Api> {
        TelemetryServiceClient::new(self.api.clone())
    }

    pub(crate) fn incidents(&self) -> IncidentServiceClient<Api> {
        IncidentServiceClient::new(self.api.clone())
    }

    pub(crate) fn handling(&self) -> HandlingServiceClient<Api> {
        HandlingServiceClient::new(self.api.clone()).max_decoding_message_size(DOSSIER_BYTES_MAX)
    }

    pub(crate) fn drills(&self) -> DrillServiceClient<Api> {
        DrillServiceClient::new(self.api.clone())
    }

    pub(crate) fn notification(&self) -> NotificationServiceClient<Api> {
        NotificationServiceClient::new(self.api.clone())
    }

    pub(crate) fn usage(&self) -> UsageServiceClient<Api> {
        UsageServiceClient::new(self.api.clone())
    }

    pub(crate) fn courses(&self) -> CourseServiceClient<Api> {
        CourseServiceClient::new(self.api.clone())
    }

    pub(crate) fn enrolment(&self) -> EnrolmentServiceClient<Api> {
        EnrolmentServiceClient::new(self.api.clone())
    }

    pub(crate) fn admin(&self) -> AdminServiceClient<Api> {
        AdminServiceClient::new(self.api.clone())
    }
}

/// Waits for one answer, but not for ever.
pub(crate) async fn answer<T>(call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Failure> {
    match tokio::time::timeout(ANSWER_TIME, call).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(Failure::from(status)),
        Err(_late) => Err(Failure::from(Status::deadline_exceeded("no answer in time"))),
    }
}

/// What a page does about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The session is not known or has ended.
    SignedOut,
    /// The visitor may not do it.
    NotAllowed,
    /// There is none that the visitor may see.
    NotFound,
    /// What was sent is not what it should be, or does not fit what there is.
    Wrong,
    /// There were too many attempts, or too much is open.
    TooMany,
    /// The service cannot answer now.
    Outage,
}

/// A case that the API names for programs and that pages have their own words for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The id belongs to another one.
    IdTaken,
    /// Nobody would be left who may administer all sites.
    LastAdministrator,
    /// A grant goes beyond what the visitor may administer.
    BeyondOwn,
}

impl Reason {
    fn named(name: &str) -> Option<Reason> {
        match name {
            "ID_TAKEN" => Some(Reason::IdTaken),
            "LAST_ADMINISTRATOR" => Some(Reason::LastAdministrator),
            "BEYOND_OWN" => Some(Reason::BeyondOwn),
            _ => None,
        }
    }
}

/// Why a call has no answer.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    message: String,
    /// Fields of the request that are not what they should be, with what is allowed.
    pub(crate) fields: Vec<(String, String)>,
    /// The case, if pages have their own words for it.
    pub(crate) reason: Option<Reason>,
    /// When it may be tried again.
    pub(crate) retry_s: Option<u64>,
}

impl From<Status> for Failure {
    fn from(status: Status) -> Failure {
        let kind = kind(status.code());
        if kind == FailureKind::Outage {
            tracing::warn!(rpc.code = ?status.code(), error = status.message(), "the api did not answer a page");
        }
        let details = status.get_error_details();
        let fields = details.bad_request().map(|bad| {
            bad.field_violations.iter().map(|one| (one.field.clone(), one.description.clone())).collect()
        });
        let retry = details.retry_info().and_then(|retry| retry.retry_delay);
        Failure {
            kind,
            message: status.message().to_owned(),
            fields: fields.unwrap_or_default(),
            reason: details.error_info().and_then(|told| Reason::named(&told.reason)),
            retry_s: retry.map(|delay| delay.as_secs().max(1)),
        }
    }
}

fn kind(code: Code) -> FailureKind {
    const KINDS: [(Code, FailureKind); 9] = [
        (Code::Unauthenticated, FailureKind::SignedOut),
        (Code::PermissionDenied, FailureKind::NotAllowed),
        (Code::NotFound, FailureKind::NotFound),
        (Code::InvalidArgument, FailureKind::Wrong),
        (Code::AlreadyExists, FailureKind::Wrong),
        (Code::FailedPrecondition, FailureKind::Wrong),
        (Code::OutOfRange, FailureKind::Wrong),
        (Code::Aborted, FailureKind::Wrong),
        (Code::ResourceExhausted, FailureKind::TooMany),
    ];
    KINDS.iter().find(|(known, _)| *known == code).map_or(FailureKind::Outage, |(_, kind)| *kind)
}

impl Failure {
    /// In one sentence for a page. The API's own words are English; where a page knows the case, it has its own.
    pub(crate) fn words(&self, t: Texts) -> String {
        match (self.kind, t.language) {
            (FailureKind::NotAllowed, _) => t.not_allowed().to_owned(),
            (FailureKind::Outage, _) if self.message.is_empty() => t.service_silent().to_owned(),
            (FailureKind::Outage, Language::German) => t.service_silent().to_owned(),
            (FailureKind::TooMany, _) => match self.retry_s {
                Some(seconds) => t.too_many_attempts(seconds),
                None => self.message.clone(),
            },
            (
                FailureKind::SignedOut | FailureKind::NotFound | FailureKind::Wrong | FailureKind::Outage,
                Language::English | Language::German,
            ) => self.message.clone(),
        }
    }

    /// What is said of one field, if something is.
    pub(crate) fn of_field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, reason)| reason.as_str())
    }
}
