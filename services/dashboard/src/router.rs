//! The pages' routes and what every answer carries.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};

use crate::call::{Api, Clients};
use crate::open_pages::OpenPages;
use crate::outage::Outages;
use crate::{
    account, administration, arrange, assets, chain, course, drill, floor, frame, incident, incidents, link,
    live, machine, reverse, sign_in, today, usage,
};

/// Only our own files: no script or style within a page, no other host, no frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                                       connect-src 'self'; form-action 'self'; base-uri 'none'; \
                                       frame-ancestors 'none'";
/// Octets of the largest form: a plan of 1000 machines. A larger one is refused.
const FORM_BYTES_MAX: usize = 256 * 1024;

/// How the pages are served.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Whether browsers reach the pages by TLS only: cookies are then `Secure`.
    pub secure: bool,
    /// Where people reach the pages, without a slash at the end, such as `https://gym.example`; for QR codes.
    pub url: String,
    /// Counts the pages that are open. Whoever else wants to know keeps a clone.
    pub open_pages: OpenPages,
}

/// The pages.
#[derive(Debug, Clone)]
pub struct Dashboard(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    clients: Clients,
    settings: Settings,
    outages: Outages,
}

impl Dashboard {
    /// Pages that ask this API, each time with the session of who looks.
    pub fn new(api: Api, settings: Settings) -> Dashboard {
        Dashboard(Arc::new(Parts { clients: Clients::new(api), settings, outages: Outages::default() }))
    }

    pub(crate) fn clients(&self) -> &Clients {
        &self.0.clients
    }

    pub(crate) fn secure(&self) -> bool {
        self.0.settings.secure
    }

    pub(crate) fn outages(&self) -> &Outages {
        &self.0.outages
    }

    pub(crate) fn open_pages(&self) -> &OpenPages {
        &self.0.settings.open_pages
    }

    /// Where people reach the pages, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.0.settings.url
    }
}

/// The pages, and the answer for what is not there: they can be merged into a router that has none.
///
/// Connections should carry `ConnectInfo<SocketAddr>`: the API is told from where a browser asks.
pub fn router(dashboard: Dashboard) -> Router {
    Router::new()
        .route("/", get(chain::show))
        .route("/floor/{site}", get(floor::show))
        .route("/floor/{site}/arrange", get(arrange::show).post(arrange::save))
        .route("/floor/{site}/seen", post(floor::acknowledge))
        .route("/machine/{machine}", get(machine::show))
        .route("/machine/{machine}/readings", get(machine::readings))
        .route("/machine/{machine}/state", get(machine::state))
        .route("/machine/{machine}/events", get(machine::events))
        .route("/machine/{machine}/sessions", get(machine::sessions))
        .route("/machine/{machine}/incidents", get(machine::incidents))
        .route("/machine/{machine}/stops", get(machine::stops::part))
        .route("/machine/{machine}/usage", get(machine::usage::part))
        .route("/machine/{machine}/service", get(machine::service::show).post(machine::service::tag))
        .route("/machine/{machine}/service/now", get(machine::service::part))
        .route(
            "/machine/{machine}/maintained",
            get(machine::maintained::show).post(machine::maintained::record),
        )
        .route("/machine/{machine}/tag", get(drill::show_tag))
        .route("/machine/{machine}/drill", get(drill::show).post(drill::begin))
        .route("/machine/{machine}/drill/now", get(drill::show_now))
        .route("/machine/{machine}/drill/{number}", get(drill::show_sheet))
        .route("/machine/{machine}/drill/{number}/end", post(drill::end))
        .route("/proofs", get(drill::show_due))
        .route("/incidents", get(incidents::show))
        .route("/incidents/step", get(incidents::show_again).post(incidents::act))
        .route("/incidents/open/{site}", get(incidents::count_open))
        .route("/incident/{incident}", get(incident::show))
        .route("/incident/{incident}/step", get(incident::show_again).post(incident::act))
        .route("/incident/{incident}/print", get(incident::print))
        .route("/incident/{incident}/dossier", get(incident::dossier))
        .route("/incident/{incident}/trace", get(incident::trace))
        .route("/usage", get(usage::show))
        .route("/usage/export", get(usage::export))
        .route("/reverse", get(reverse::show))
        .route("/today", get(today::show))
        .merge(course::routes())
        .route("/live", get(live::stream_floor))
        .route("/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/sign-out", post(sign_in::leave))
        .route("/link/{code}", get(link::show).post(link::redeem))
        .route("/account", get(account::show))
        .route("/account/preferences", post(account::prefer))
        .route("/account/password", post(account::change_password))
        .merge(administration::routes())
        .route("/assets/{hash}/{*name}", get(assets::serve))
        .fallback(frame::no_page)
        .with_state(dashboard)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(middleware::from_fn(add_headers))
}

async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers: [(HeaderName, &'static str); 6] = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Forms must tell their origin; with no referrer at all browsers send "null".
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
