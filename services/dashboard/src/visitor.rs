//! Who looks at a page: found by the session in the cookie, asked of the API with every request.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use wire::api::v1;

use crate::call::{Caller, FailureKind, answer};
use crate::cookie;
use crate::form::{self, Token};
use crate::frame;
use crate::outage::Part;
use crate::router::Dashboard;
use crate::texts::{Language, Texts};
use crate::words::{Reader, Unit};

/// Somebody of whom only the request is known.
#[derive(Debug)]
pub(crate) struct Stranger {
    pub(crate) caller: Caller,
    pub(crate) t: Texts,
}

impl FromRequestParts<Dashboard> for Stranger {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Stranger, Infallible> {
        let session = cookie::session(&parts.headers, dashboard.secure());
        let language = Language::choose(v1::Language::Unspecified, &parts.headers);
        Ok(Stranger { caller: Caller::new(session, peer(parts)), t: Texts { language } })
    }
}

fn peer(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical())
}

/// Somebody who is signed in.
#[derive(Debug)]
pub(crate) struct Visitor {
    pub(crate) caller: Caller,
    /// The user. None: the session is not one of a user.
    pub(crate) user: Option<v1::User>,
    pub(crate) preferences: v1::Preferences,
    pub(crate) permissions: Vec<v1::Permission>,
    /// How they read.
    pub(crate) reader: Reader,
    /// What their forms carry.
    pub(crate) token: Token,
}

impl Visitor {
    /// Their texts.
    pub(crate) fn t(&self) -> Texts {
        self.reader.t
    }

    /// Name for people.
    pub(crate) fn name(&self) -> &str {
        let user = self.user.as_ref();
        user.map_or("", |user| if user.display_name.is_empty() { &user.name } else { &user.display_name })
    }

    /// Whether they may do this at some site.
    pub(crate) fn may_anywhere(&self, permission: &str) -> bool {
        self.permissions.iter().any(|one| one.name == permission)
    }

    /// Whether they may do this at this site.
    pub(crate) fn may(&self, permission: &str, site: &str) -> bool {
        let fits = |one: &v1::Permission| one.site_ids.is_empty() || one.site_ids.iter().any(|id| id == site);
        self.permissions.iter().any(|one| one.name == permission && fits(one))
    }
}

impl FromRequestParts<Dashboard> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Visitor, Response> {
        let Ok(stranger) = Stranger::from_request_parts(parts, dashboard).await;
        let Some(session) = stranger.caller.session() else {
            return Err(to_sign_in(parts));
        };
        let token = form::token(session);
        let mut client = dashboard.clients().account();
        let asked = answer(client.get_account(stranger.caller.request(v1::GetAccountRequest {}))).await;
        match dashboard.outages().note(Part::Account, asked) {
            Ok(account) => Ok(visitor(account, stranger, token, &parts.headers)),
            Err(missing) if missing.failure.kind == FailureKind::SignedOut => Err(to_sign_in(parts)),
            Err(missing) => Err(frame::missing_page(StatusCode::SERVICE_UNAVAILABLE, stranger.t, &missing)),
        }
    }
}

fn visitor(
    account: v1::GetAccountResponse,
    stranger: Stranger,
    token: Token,
    headers: &HeaderMap,
) -> Visitor {
    let preferences = account.preferences.unwrap_or_default();
    let language = Language::choose(preferences.language(), headers);
    let reader = Reader { t: Texts { language }, unit: Unit::of(preferences.speed_unit()) };
    Visitor {
        caller: stranger.caller,
        user: account.user,
        preferences,
        permissions: account.permissions,
        reader,
        token,
    }
}

/// Where a request without a session goes. What was looked at is looked at again after signing in; what was sent is not
/// sent again.
fn to_sign_in(parts: &Parts) -> Response {
    let looked = parts.method == axum::http::Method::GET && !parts.uri.path().starts_with("/live");
    let next = parts.uri.path_and_query().map(|path| path.as_str()).filter(|_| looked);
    let target = sign_in_path(next.unwrap_or("/"));
    if parts.headers.contains_key("hx-request") {
        let Ok(value) = HeaderValue::from_str(&sign_in_path("/")) else {
            return StatusCode::UNAUTHORIZED.into_response();
        };
        let headers = [(HeaderName::from_static("hx-redirect"), value)];
        return (StatusCode::UNAUTHORIZED, headers).into_response();
    }
    let accepts = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.starts_with("application/json") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Redirect::to(&target).into_response()
}

/// The sign-in page, which then goes on to a path of ours.
pub(crate) fn sign_in_path(next: &str) -> String {
    if next == "/" || !is_local(next) {
        return "/sign-in".to_owned();
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", next);
    format!("/sign-in?{}", query.finish())
}

/// Whether a path stays on this site whatever browser reads it.
pub(crate) fn is_local(path: &str) -> bool {
    path.len() <= 2_000
        && path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'\\')
}
