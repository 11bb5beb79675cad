//! The pages' routes, and who may see them.

use std::net::SocketAddr;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint, Uri};

use crate::fleet;
use crate::page::{FleetPage, SignInPage};

const STYLE: &str = include_str!("../assets/style.css");
const ICON: &str = include_str!("../assets/icon.svg");
/// Nothing but our own style sheet and icon; no script at all.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
                                       form-action 'none'; frame-ancestors 'none'";
const CONNECT_TIME: Duration = Duration::from_secs(2);
const REQUEST_TIME: Duration = Duration::from_secs(5);

/// The pages' connection to the API.
#[derive(Debug, Clone)]
pub struct Dashboard {
    channel: Channel,
}

impl Dashboard {
    /// Pages that ask the API at this address, such as `http://127.0.0.1:8080`. Connects when first asked.
    pub fn new(api: Uri) -> Dashboard {
        let endpoint = Endpoint::from(api).connect_timeout(CONNECT_TIME).timeout(REQUEST_TIME);
        Dashboard { channel: endpoint.connect_lazy() }
    }
}

/// The pages. They have no fallback, so that they can be merged into another router.
///
/// Connections must carry `ConnectInfo<SocketAddr>`: a page is shown to callers on this host, and to others only with
/// a token of their own.
pub fn router(dashboard: Dashboard) -> Router {
    let asset = |content_type: &'static str, content: &'static str| {
        let headers = [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "max-age=300")];
        get(move || std::future::ready((headers, content)))
    };
    Router::new()
        .route("/", get(show_fleet))
        .route("/style.css", asset("text/css; charset=utf-8", STYLE))
        .route("/icon.svg", asset("image/svg+xml", ICON))
        .with_state(dashboard)
        .layer(middleware::from_fn(add_headers))
}

async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers: [(HeaderName, &'static str); 5] = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn show_fleet(State(dashboard): State<Dashboard>, request: Request) -> Response {
    let Some(identity) = identity(&request) else {
        return html(StatusCode::UNAUTHORIZED, &SignInPage);
    };
    let fleet = fleet::ask(dashboard.channel, identity).await;
    let status = if fleet.is_missing() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    html(status, &FleetPage::new(fleet, now()))
}

/// With what the API is asked: the token of whoever looks, or nothing for those who look on this host.
pub(crate) type Identity = Option<MetadataValue<Ascii>>;

fn identity(request: &Request) -> Option<Identity> {
    if let Some(authorization) = request.headers().get(header::AUTHORIZATION) {
        let value = authorization.to_str().ok()?.parse().ok()?;
        return Some(Some(value));
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    peer.0.ip().to_canonical().is_loopback().then_some(None)
}

fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, "the page could not be made; the server's log says why\n")
                .into_response()
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the router is a body: pages show how old their figures are")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::try_from(std::time::SystemTime::now()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
