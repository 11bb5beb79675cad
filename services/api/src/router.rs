//! One port: gRPC, health, reflection, metrics, and whatever pages the composition adds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::limits::API_REQUEST_BYTES_MAX;
use store::feed::Feed;
use store::ledger::Ledger;
use store::telemetry::Telemetry;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use wire::api::v1::admin_service_server::AdminServiceServer;
use wire::api::v1::fleet_service_server::FleetServiceServer;
use wire::api::v1::telemetry_service_server::TelemetryServiceServer;
use wire::keys::MasterKey;

use crate::access::{self, Access};
use crate::admin::Administration;
use crate::fleet::Fleet;
use crate::gate::Gate;
use crate::paging::Pages;
use crate::registry::Registry;
use crate::surroundings::Surroundings;
use crate::telemetry::History;
use crate::watch::Ground;

/// Our services by their full names, as health knows them.
pub(crate) const SERVICES: [&str; 3] =
    ["beltwatch.v1.FleetService", "beltwatch.v1.TelemetryService", "beltwatch.v1.AdminService"];
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
    health: HealthReporter,
    surroundings: Arc<dyn Surroundings>,
    stopping: CancellationToken,
}

impl Api {
    /// Builds the API. `stopping` ends the watches, which would otherwise keep their connections open.
    pub fn new(
        stores: Stores,
        master: MasterKey,
        surroundings: Arc<dyn Surroundings>,
        stopping: CancellationToken,
    ) -> Api {
        let Stores { ledger, telemetry, feed } = stores;
        let gate = Arc::new(Gate::new(Access::new(ledger.clone()), surroundings.clone()));
        let registry = Arc::new(Registry::new(ledger.clone()));
        let pages = Pages::new(&master);
        let ground = Ground {
            registry: registry.clone(),
            feed,
            surroundings: surroundings.clone(),
            stopping: stopping.clone(),
        };
        let fleet = Fleet::new(gate.clone(), pages.clone(), ground);
        let history = History {
            gate: gate.clone(),
            pages,
            registry: registry.clone(),
            ledger: ledger.clone(),
            telemetry,
            surroundings: surroundings.clone(),
        };
        let administration =
            Administration { gate, registry, ledger, surroundings: surroundings.clone(), master };
        let (health, health_service) = tonic_health::server::health_reporter();
        let routes =
            Routes::new(FleetServiceServer::new(fleet).max_decoding_message_size(API_REQUEST_BYTES_MAX))
                .add_service(
                    TelemetryServiceServer::new(history).max_decoding_message_size(API_REQUEST_BYTES_MAX),
                )
                .add_service(
                    AdminServiceServer::new(administration).max_decoding_message_size(API_REQUEST_BYTES_MAX),
                )
                .add_service(health_service);
        let routes = with_reflection(routes).into_axum_router();
        Api { routes, health, surroundings, stopping }
    }

    /// Everything on one router, with the composition's own pages (which have no fallback).
    pub fn router(&self, pages: Router) -> Router {
        let own = Router::new()
            .route("/metrics", get(metrics))
            .route("/healthz", get(|| std::future::ready("ok\n")))
            .route("/readyz", get(readiness))
            .with_state(self.surroundings.clone());
        self.routes
            .clone()
            .merge(own)
            .merge(pages)
            .fallback(not_found)
            .layer(middleware::from_fn(refuse_foreign_names))
    }

    /// Tells the health service what the server's parts say, until the server stops.
    pub async fn keep_health(&self) {
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

async fn metrics(State(surroundings): State<Arc<dyn Surroundings>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], surroundings.metrics())
        .into_response()
}

async fn readiness(State(surroundings): State<Arc<dyn Surroundings>>) -> Response {
    let parts = surroundings.readiness();
    let ready = parts.iter().all(|part| part.state.is_ok());
    let line = |part: &crate::Part| match &part.state {
        Ok(()) => format!("{}: ready\n", part.name),
        Err(reason) => format!("{}: not ready: {reason}\n", part.name),
    };
    let text: String = parts.iter().map(line).collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, text).into_response()
}

/// A gRPC client is told in its own way that there is no such method.
async fn not_found(headers: HeaderMap, uri: Uri) -> Response {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if content_type.is_some_and(|content_type| content_type.starts_with("application/grpc")) {
        let message = format!("there is no method {}", uri.path());
        return tonic::Status::unimplemented(message).into_http::<axum::body::Body>();
    }
    (StatusCode::NOT_FOUND, "there is no such page\n").into_response()
}

/// A web page from elsewhere can make a browser on this host call us under a name of its own (DNS rebinding), and
/// callers on this host need no token. So without one, they must call us by a name of this host.
async fn refuse_foreign_names(request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let local = peer.is_some_and(|peer| access::is_local(peer.0));
    let has_token = request.headers().contains_key(header::AUTHORIZATION);
    if local && !has_token && !names_this_host(&request) {
        crate::metrics::request_denied("FOREIGN_HOST");
        tracing::warn!(reason = "FOREIGN_HOST", "request was not let in");
        let text = "without a token, call this server by localhost or its loopback address\n";
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    next.run(request).await
}

fn names_this_host(request: &Request) -> bool {
    let header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = request.uri().authority().map(|authority| authority.as_str());
    let Some(named) = authority.or(header) else { return false };
    let Ok(named) = named.parse::<axum::http::uri::Authority>() else { return false };
    let host = named.host().trim_start_matches('[').trim_end_matches(']');
    let local = |ip: std::net::IpAddr| ip.to_canonical().is_loopback();
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(local)
}
