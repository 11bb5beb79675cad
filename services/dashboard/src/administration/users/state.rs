//! Users stopped and let in again, and links with which they set their passwords. Each is asked once more.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::Response;
use prost_types::FieldMask;
use wire::api::v1;

use super::super::form_page::FormPage;
use super::super::notice::{Notice, go};
use super::super::{failed, words_of};
use super::{AREA, find, path, show_link};
use crate::call::answer;
use crate::form::Posted;
use crate::frame;
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::visitor::Visitor;

/// Scheme and host by which the browser reaches these pages, such as `https://gym.example`. Empty: not known.
#[derive(Debug)]
pub(crate) struct Origin(String);

impl Origin {
    /// Itself, without a path.
    pub(crate) fn address(&self) -> &str {
        &self.0
    }

    /// The whole address of a path.
    pub(super) fn with(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl FromRequestParts<Dashboard> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Origin, Infallible> {
        let text = |name: header::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(header::HOST).or_else(|| parts.uri.authority().map(|authority| authority.as_str()));
        Ok(Origin(origin(text(header::ORIGIN), host.unwrap_or_default(), dashboard.secure())))
    }
}

/// What the browser calls us; behind somebody else's TLS it says https while we speak http.
fn origin(told: Option<&str>, host: &str, secure: bool) -> String {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b".-:[]".contains(&octet);
    if host.is_empty() || host.len() > 255 || !host.bytes().all(allowed) {
        return String::new();
    }
    let https = format!("https://{host}");
    let is_https = secure || told.is_some_and(|told| told.eq_ignore_ascii_case(&https));
    if is_https { https } else { format!("http://{host}") }
}

/// Whether a user is to be stopped or let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Disable,
    Enable,
}

fn question(visitor: &Visitor, name: &str, change: Change) -> FormPage {
    let t = visitor.t();
    let (title, lead, submit, word) = match change {
        Change::Disable => (t.user_disable_of(name), t.user_disable_lead(), t.user_disable(), "disable"),
        Change::Enable => (t.user_enable_of(name), t.user_enable_lead(), t.user_enable(), "enable"),
    };
    FormPage::new(visitor, AREA, &title, format!("{}/{word}", path(name))).question(lead, submit)
}

async fn ask(dashboard: &Dashboard, visitor: &Visitor, name: &str, change: Change) -> Response {
    match find(dashboard, visitor, name).await {
        Ok(user) => frame::html(StatusCode::OK, &question(visitor, &user.name, change)),
        Err(response) => response,
    }
}

async fn set(dashboard: &Dashboard, visitor: &Visitor, name: &str, change: Change) -> Response {
    if !AREA.is_for(visitor) {
        return frame::not_allowed(visitor);
    }
    let disabled = change == Change::Disable;
    let user = v1::User { name: name.to_owned(), disabled, ..v1::User::default() };
    let update_mask = Some(FieldMask { paths: vec!["disabled".to_owned()] });
    let message = v1::UpdateUserRequest { user: Some(user), update_mask };
    let mut client = dashboard.clients().admin();
    match answer(client.update_user(visitor.caller.request(message))).await {
        Ok(_) if disabled => go(AREA, Notice::UserDisabled, name),
        Ok(_) => go(AREA, Notice::UserEnabled, name),
        Err(failure) => {
            let mut page = question(visitor, name, change);
            page.error = words_of(&failure, visitor.t());
            frame::html(status(&failure), &page)
        }
    }
}

pub(in super::super) async fn ask_disable(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    ask(&dashboard, &visitor, &name, Change::Disable).await
}

pub(in super::super) async fn disable(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    Posted(_): Posted,
) -> Response {
    set(&dashboard, &visitor, &name, Change::Disable).await
}

pub(in super::super) async fn ask_enable(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    ask(&dashboard, &visitor, &name, Change::Enable).await
}

pub(in super::super) async fn enable(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    Posted(_): Posted,
) -> Response {
    set(&dashboard, &visitor, &name, Change::Enable).await
}

pub(in super::super) async fn ask_link(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    let user = match find(&dashboard, &visitor, &name).await {
        Ok(user) => user,
        Err(response) => return response,
    };
    let t = visitor.t();
    let action = format!("{}/link", path(&user.name));
    let page = FormPage::new(&visitor, AREA, &t.user_link_of(&user.name), action);
    frame::html(StatusCode::OK, &page.question(t.user_link_lead(), t.user_link()))
}

pub(in super::super) async fn link(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    origin: Origin,
    Posted(_): Posted,
) -> Response {
    if !AREA.is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    let message = v1::CreatePasswordLinkRequest { user_name: name.clone() };
    let mut client = dashboard.clients().admin();
    match answer(client.create_password_link(visitor.caller.request(message))).await {
        Ok(made) => show_link(&visitor, &visitor.t().user_link_made(&name), origin.with(&made.link_path)),
        Err(failure) => failed(&visitor, &failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_begins_with_what_the_browser_calls_us() {
        let check = |told: Option<&str>, host: &str, secure: bool, expected: &str| {
            assert_eq!(origin(told, host, secure), expected, "{told:?} {host} {secure}");
        };
        check(None, "gym.example:8080", false, "http://gym.example:8080");
        check(None, "gym.example", true, "https://gym.example");
        check(Some("http://gym.example"), "gym.example", true, "https://gym.example");
        check(Some("https://gym.example"), "gym.example", false, "https://gym.example");
        check(Some("https://evil.example"), "gym.example", false, "http://gym.example");
        check(None, "[::1]:7000", false, "http://[::1]:7000");
        check(None, "", true, "");
        check(None, "gym.example/x", false, "");
        check(None, "a@gym.example", false, "");
    }
}
