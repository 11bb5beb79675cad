//! What forms send, and the proof that one of our own pages sent it.
//!
//! Three walls stand against forged forms: the cookie is not sent from other sites (`SameSite=Strict`), the browser's
//! own word on where the form was (`Sec-Fetch-Site`, else `Origin`) must be ours, and a form of somebody who is signed
//! in carries a token that only pages of the same session know.

use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use wire::api::v1;

use crate::cookie;
use crate::frame;
use crate::router::Dashboard;
use crate::texts::{Language, Texts};

/// Name of the token's field.
pub(crate) const TOKEN: &str = "token";
/// What the token is made of, before the session.
const PURPOSE: &[u8] = b"beltwatch csrf 1";

/// What the forms of one session carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The token of a session. It does not tell the session.
pub(crate) fn token(session: &str) -> Token {
    let digest = Sha256::new().chain_update(PURPOSE).chain_update(session.as_bytes()).finalize();
    Token(hex::encode(digest))
}

/// What a form sent, in its order.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn read(body: &[u8]) -> Fields {
        Fields(url::form_urlencoded::parse(body).into_owned().collect())
    }

    /// The first value of a field; empty if there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The first value without space around it.
    pub(crate) fn trimmed(&self, name: &str) -> &str {
        self.get(name).trim()
    }

    /// All fields whose names begin so, with what follows.
    pub(crate) fn beginning<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(key, value)| Some((key.strip_prefix(prefix)?, value.as_str())))
    }
}

/// A form of somebody who is signed in: sent by a page of the same session.
#[derive(Debug)]
pub(crate) struct Posted(pub(crate) Fields);

impl FromRequest<Dashboard> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, dashboard: &Dashboard) -> Result<Posted, Response> {
        let t = texts(request.headers());
        let session = cookie::session(request.headers(), dashboard.secure());
        let PostedOpenly(fields) = PostedOpenly::from_request(request, dashboard).await?;
        let expected = session.map(|session| token(&session));
        let given = fields.get(TOKEN).as_bytes();
        match expected {
            Some(Token(expected)) if bool::from(expected.as_bytes().ct_eq(given)) => Ok(Posted(fields)),
            Some(_) | None => Err(frame::form_refused(t)),
        }
    }
}

/// A form of a page that needs no session: sent by a page of this site.
#[derive(Debug)]
pub(crate) struct PostedOpenly(pub(crate) Fields);

impl FromRequest<Dashboard> for PostedOpenly {
    type Rejection = Response;

    async fn from_request(request: Request, dashboard: &Dashboard) -> Result<PostedOpenly, Response> {
        let t = texts(request.headers());
        if !is_same_origin(request.headers(), request.uri(), dashboard.secure()) {
            return Err(frame::form_refused(t));
        }
        let form = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !form.is_some_and(|form| form.starts_with("application/x-www-form-urlencoded")) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response());
        }
        let body: Bytes = request.extract().await.map_err(IntoResponse::into_response)?;
        Ok(PostedOpenly(Fields::read(&body)))
    }
}

fn texts(headers: &HeaderMap) -> Texts {
    Texts { language: Language::choose(v1::Language::Unspecified, headers) }
}

/// Whether the browser says that a page of this site sent the request. One that says nothing is refused.
fn is_same_origin(headers: &HeaderMap, uri: &Uri, secure: bool) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let host = text(header::HOST).or_else(|| uri.authority().map(|authority| authority.as_str()));
    let (Some(origin), Some(host)) = (text(header::ORIGIN), host) else { return false };
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    // Behind somebody else's TLS the browser says https while we speak http.
    let scheme_fits = scheme == "https" || (scheme == "http" && !secure);
    scheme_fits && authority.eq_ignore_ascii_case(host)
}

#[cfg(test)]
mod tests;
