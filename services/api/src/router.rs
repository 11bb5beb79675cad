//! One port: gRPC, health, reflection, metrics, and whatever pages the composition adds.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::limits::{API_REQUEST_BYTES_MAX, EXPORTS_MAX, WATCHERS_MAX};
use dossier::SigningKey;
use store::feed::Feed;
use store::ledger::Ledger;
use store::registry::SecretHash;
use store::telemetry::Telemetry;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use wire::api::v1::account_service_server::AccountServiceServer;
use wire::api::v1::admin_service_server::AdminServiceServer;
use wire::api::v1::course_service_server::CourseServiceServer;
use wire::api::v1::drill_service_server::DrillServiceServer;
use wire::api::v1::enrolment_service_server::EnrolmentServiceServer;
use wire::api::v1::fleet_service_server::FleetServiceServer;
use wire::api::v1::handling_service_server::HandlingServiceServer;
use wire::api::v1::incident_service_server::IncidentServiceServer;
use wire::api::v1::notification_service_server::NotificationServiceServer;
use wire::api::v1::telemetry_service_server::TelemetryServiceServer;
use wire::api::v1::usage_service_server::UsageServiceServer;
use wire::keys::MasterKey;

use crate::access::password::Passwords;
use crate::access::{Access, Credentials, Denied, FromPages};
use crate::account::Accounts;
use crate::admin::Administration;
use crate::audit::{Audit, AuditWriter, Refused};
use crate::course::Courses;
use crate::drill::Drills;
use crate::drill::proofs::Proofs;
use crate::enrolment::Enrolments;
use crate::fleet::Fleet;
use crate::gate::Gate;
use crate::handling::Steps;
use crate::incident::Incidents;
use crate::notification::Notifications;
use crate::paging::Pages;
use crate::surroundings::Surroundings;
use crate::telemetry::History;
use crate::usage::Usages;
use crate::watch::Ground;

/// Our services by their full names, as health knows them.
pub(crate) const SERVICES: [&str; 11] = [
    "beltwatch.v1.AccountService",
    "beltwatch.v1.FleetService",
    "beltwatch.v1.TelemetryService",
    "beltwatch.v1.CourseService",
    "beltwatch.v1.UsageService",
    "beltwatch.v1.IncidentService",
    "beltwatch.v1.HandlingService",
    "beltwatch.v1.DrillService",
    "beltwatch.v1.NotificationService",
    "beltwatch.v1.AdminService",
    "beltwatch.v1.EnrolmentService",
];
/// What the key that signs dossiers is for, as the master key knows it.
const SIGNING: &str = "dossier-signing";
/// How often health looks at readiness.
const HEALTH_PERIOD: Duration = Duration::from_secs(1);

/// What the API reads from and writes to.
#[derive(Debug, Clone)]
pub struct Stores {
    /// Registry, facts, sessions.
    pub ledger: Arc<dyn Ledger>,
    /// Readings and events.
    pub telemetry: Arc<dyn Telemetry>,
    /// Committed changes.
    pub feed: Feed,
}

/// The API, made but not yet reachable.
#[derive(Debug)]
pub struct Api {
    routes: Router,
    gate: Arc<Gate>,
    audit: Mutex<Option<AuditWriter>>,
    health: HealthReporter,
    surroundings: Arc<dyn Surroundings>,
    stopping: CancellationToken,
}

impl Api {
    /// Builds the API. `operator` is the hash of the secret with which the server's operator may do everything, from
    /// the same computer. `stopping` ends the watches, which would otherwise keep their connections open.
    pub fn new(
        stores: Stores,
        master: &MasterKey,
        operator: SecretHash,
        surroundings: Arc<dyn Surroundings>,
        stopping: CancellationToken,
    ) -> Api {
        let Stores { ledger, telemetry, feed } = stores;
        let (audit, writer) = Audit::new(ledger.clone(), surroundings.clone());
        let gate = Arc::new(Gate::new(Access::new(ledger.clone(), operator), audit, surroundings.clone()));
        let pages = Pages::new(master);
        let ground = Ground {
            ledger: ledger.clone(),
            feed,
            surroundings: surroundings.clone(),
            stopping: stopping.clone(),
        };
        let watchers = Arc::new(Semaphore::new(WATCHERS_MAX));
        let fleet = Fleet::new(gate.clone(), pages.clone(), ground.clone(), watchers.clone());
        let proofs = Arc::new(Proofs::new(ledger.clone(), ground.feed.clone()));
        let drills = Drills::new(gate.clone(), ground.clone(), proofs.clone());
        let (at, read) = (ground.clone(), telemetry.clone());
        let incidents = Incidents::new(gate.clone(), pages.clone(), at, read, watchers, proofs);
        let history = History {
            gate: gate.clone(),
            pages: pages.clone(),
            ledger: ledger.clone(),
            telemetry,
            feed: ground.feed.clone(),
            surroundings: surroundings.clone(),
        };
        let key = SigningKey::from_seed(*master.purpose_key(SIGNING).octets());
        let steps = Steps::new(gate.clone(), ground, history.clone(), key);
        let notifications = Notifications {
            gate: gate.clone(),
            pages: pages.clone(),
            ledger: ledger.clone(),
            surroundings: surroundings.clone(),
            master: master.clone(),
        };
        let courses = Courses::new(gate.clone(), pages.clone(), ledger.clone(), surroundings.clone());
        let usages = Usages {
            gate: gate.clone(),
            ledger: ledger.clone(),
            surroundings: surroundings.clone(),
            exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
        };
        let enrolments = Enrolments::new(gate.clone(), pages.clone(), ledger.clone(), surroundings.clone());
        let administration = Administration {
            gate: gate.clone(),
            pages,
            ledger: ledger.clone(),
            surroundings: surroundings.clone(),
        };
        let accounts = Accounts {
            gate: gate.clone(),
            ledger,
            surroundings: surroundings.clone(),
            passwords: Passwords::new(),
            attempts: Mutex::default(),
        };
        const MAX: usize = API_REQUEST_BYTES_MAX;
        let (health, health_service) = tonic_health::server::health_reporter();
        let routes = Routes::new(FleetServiceServer::new(fleet).max_decoding_message_size(MAX))
            .add_service(TelemetryServiceServer::new(history).max_decoding_message_size(MAX))
            .add_service(CourseServiceServer::new(courses).max_decoding_message_size(MAX))
            .add_service(UsageServiceServer::new(usages).max_decoding_message_size(MAX))
            .add_service(IncidentServiceServer::new(incidents).max_decoding_message_size(MAX))
            .add_service(DrillServiceServer::new(drills).max_decoding_message_size(MAX))
            .add_service(HandlingServiceServer::new(steps).max_decoding_message_size(MAX))
            .add_service(NotificationServiceServer::new(notifications).max_decoding_message_size(MAX))
            .add_service(AdminServiceServer::new(administration).max_decoding_message_size(MAX))
            .add_service(EnrolmentServiceServer::new(enrolments).max_decoding_message_size(MAX))
            .add_service(AccountServiceServer::new(accounts).max_decoding_message_size(MAX))
            .add_service(health_service);
        let routes = with_reflection(routes).into_axum_router();
        Api { routes, gate, audit: Mutex::new(Some(writer)), health, surroundings, stopping }
    }

    /// Everything on one router, with the composition's own pages, which answer for what is not there.
    pub fn router(&self, pages: Router) -> Router {
        let state = Own { gate: self.gate.clone(), surroundings: self.surroundings.clone() };
        let own = Router::new()
            .route("/metrics", get(metrics))
            .route("/healthz", get(|| std::future::ready("ok\n")))
            .route("/readyz", get(readiness))
            .with_state(state);
        let all = self.routes.clone().reset_fallback().merge(own).merge(pages);
        all.layer(middleware::from_fn(tell_unknown_method))
    }

    /// The methods as our own pages call them, in this process: what they tell of the browser's address is believed.
    pub fn for_pages(&self) -> Router {
        self.routes.clone().layer(axum::Extension(FromPages))
    }

    /// Keeps the health service up to date and writes refusals to the audit, until the server stops.
    pub async fn run(&self) {
        let writer = self.audit.lock().unwrap_or_else(PoisonError::into_inner).take();
        let audit = async {
            if let Some(mut writer) = writer {
                writer.run(&self.stopping).await;
            }
        };
        tokio::join!(self.keep_health(), audit);
    }

    /// Tells the health service what the server's parts say, until the server stops.
    async fn keep_health(&self) {
        loop {
            let ready = self.surroundings.readiness().iter().all(|part| part.state.is_ok());
            let stopping = self.stopping.is_cancelled();
            let status = if ready && !stopping { ServingStatus::Serving } else { ServingStatus::NotServing };
            for service in SERVICES.into_iter().chain([""]) {
                self.health.set_service_status(service, status).await;
            }
            if stopping {
                return;
            }
            tokio::select! {
                () = self.stopping.cancelled() => {}
                () = tokio::time::sleep(HEALTH_PERIOD) => {}
            }
        }
    }
}

/// Reflection in both versions that clients speak.
fn with_reflection(routes: Routes) -> Routes {
    let builder = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(wire::api::DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let sets = "the descriptor sets are part of the program";
    routes.add_service(builder().build_v1().expect(sets)).add_service(builder().build_v1alpha().expect(sets))
}

/// What our own routes stand on.
#[derive(Debug, Clone)]
struct Own {
    gate: Arc<Gate>,
    surroundings: Arc<dyn Surroundings>,
}

impl Own {
    /// Whether who asks may see what concerns the whole server; if not, what is to be noted.
    fn may_diagnose(&self, request: &Request) -> Result<(), (Denied, Refused)> {
        let credentials = Credentials::of(request.headers(), request.extensions());
        let turned = |(author, denied): (String, Denied)| {
            let (method, reason, subject) = ("metrics".to_owned(), denied.reason(), String::new());
            (denied, Refused { author, method, reason, subject, peer: credentials.peer_name() })
        };
        self.gate.admit(&credentials, "metrics").map(drop).map_err(turned)
    }
}

async fn metrics(State(own): State<Own>, request: Request) -> Response {
    if let Err((denied, refused)) = own.may_diagnose(&request) {
        own.gate.note(refused);
        let status = if denied.is_known() { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED };
        return (status, format!("{denied}\n")).into_response();
    }
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (content_type, own.surroundings.metrics()).into_response()
}

/// Anybody may know whether the server is ready; why not, those who may see to it.
async fn readiness(State(own): State<Own>, request: Request) -> Response {
    let parts = own.surroundings.readiness();
    let ready = parts.iter().all(|part| part.state.is_ok());
    let tells_why = own.may_diagnose(&request).is_ok();
    let line = |part: &crate::Part| match &part.state {
        Ok(()) => format!("{}: ready\n", part.name),
        Err(reason) if tells_why => format!("{}: not ready: {reason}\n", part.name),
        Err(_) => format!("{}: not ready; the server's log says why\n", part.name),
    };
    let text: String = parts.iter().map(line).collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, text).into_response()
}

/// A gRPC client is told in its own way that there is no such method; anybody else gets the pages' answer.
async fn tell_unknown_method(request: Request, next: Next) -> Response {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_grpc = content_type.is_some_and(|content_type| content_type.starts_with("application/grpc"));
    let path = if is_grpc { request.uri().path().to_owned() } else { String::new() };
    let response = next.run(request).await;
    if is_grpc && response.status() == StatusCode::NOT_FOUND {
        return tonic::Status::unimplemented(format!("there is no method {path}")).into_http();
    }
    response
}
