//! Links with which somebody signs in the first time, chooses a password, or enters a demo.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use wire::api::v1;

use crate::call::{Failure, FailureKind, answer};
use crate::form::{Fields, PostedOpenly};
use crate::frame::{self, Frame, Here};
use crate::router::Dashboard;
use crate::sign_in::{go_on, status};
use crate::texts::{Language, Texts};
use crate::visitor::Stranger;

#[derive(Debug, Template)]
#[template(path = "link.html")]
struct LinkPage {
    frame: Frame,
    code: String,
    /// Whether the name is chosen here.
    first: bool,
    user_name: String,
    name_error: String,
    password_error: String,
    again_error: String,
    error: String,
}

impl LinkPage {
    fn new(t: Texts, code: &str, link: &v1::GetLinkResponse) -> LinkPage {
        let first = link.kind() == v1::LinkKind::FirstAdministrator;
        let title = if first { t.first_title() } else { t.set_password_title() };
        LinkPage {
            frame: Frame::bare(t, title),
            code: code.to_owned(),
            first,
            user_name: link.user_name.clone(),
            name_error: String::new(),
            password_error: String::new(),
            again_error: String::new(),
            error: String::new(),
        }
    }

    fn check(&mut self, fields: &Fields) -> bool {
        let t = self.frame.t;
        if self.first {
            fields.trimmed("user_name").clone_into(&mut self.user_name);
            if !is_name(&self.user_name) {
                self.name_error = t.name_wrong().to_owned();
            }
        }
        (self.password_error, self.again_error) = check_password(t, fields);
        self.name_error.is_empty() && self.password_error.is_empty() && self.again_error.is_empty()
    }

    fn take(&mut self, failure: &Failure) {
        let t = self.frame.t;
        if failure.fields.is_empty() {
            self.error = failure.words(t);
        }
        if failure.of_field("user_name").is_some() {
            self.name_error = t.name_wrong().to_owned();
        }
        if let Some(reason) = failure.of_field("password") {
            self.password_error = reason_of_password(t, reason);
        }
    }
}

/// Why a new password is refused: the API's own words are English.
pub(crate) fn reason_of_password(t: Texts, reason: &str) -> String {
    match t.language {
        Language::English => reason.to_owned(),
        Language::German => t.password_short().to_owned(),
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"._-".contains(&octet);
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

/// What is wrong with a new password and with its repetition; empty if nothing is.
pub(crate) fn check_password(t: Texts, fields: &Fields) -> (String, String) {
    let password = fields.get("password");
    if !(10..=200).contains(&password.chars().count()) {
        return (t.password_short().to_owned(), String::new());
    }
    if password != fields.get("again") {
        return (String::new(), t.password_differs().to_owned());
    }
    (String::new(), String::new())
}

/// Shows what a link is for. Only the link of a demo signs in at once: it may be used any number of times.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    stranger: Stranger,
    Path(code): Path<String>,
) -> Response {
    match ask(&dashboard, &stranger, &code).await {
        Ok(link) if link.kind() == v1::LinkKind::SignIn => {
            let message = v1::RedeemLinkRequest { code, ..v1::RedeemLinkRequest::default() };
            match redeem_with(&dashboard, &stranger, message).await {
                Ok(response) => response,
                Err(failure) => refused(stranger.t, &failure),
            }
        }
        Ok(link) => frame::html(StatusCode::OK, &LinkPage::new(stranger.t, &code, &link)),
        Err(failure) => refused(stranger.t, &failure),
    }
}

pub(crate) async fn redeem(
    State(dashboard): State<Dashboard>,
    stranger: Stranger,
    Path(code): Path<String>,
    PostedOpenly(fields): PostedOpenly,
) -> Response {
    let link = match ask(&dashboard, &stranger, &code).await {
        Ok(link) => link,
        Err(failure) => return refused(stranger.t, &failure),
    };
    let mut page = LinkPage::new(stranger.t, &code, &link);
    if !page.check(&fields) {
        return frame::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let user_name = if page.first { page.user_name.clone() } else { String::new() };
    let message = v1::RedeemLinkRequest { code, user_name, password: fields.get("password").to_owned() };
    match redeem_with(&dashboard, &stranger, message).await {
        Ok(response) => response,
        Err(failure) if failure.kind == FailureKind::NotFound => refused(stranger.t, &failure),
        Err(failure) => {
            page.take(&failure);
            frame::html(status(&failure), &page)
        }
    }
}

async fn ask(dashboard: &Dashboard, stranger: &Stranger, code: &str) -> Result<v1::GetLinkResponse, Failure> {
    let message = v1::GetLinkRequest { code: code.to_owned() };
    let mut client = dashboard.clients().account();
    answer(client.get_link(stranger.caller.request(message))).await
}

async fn redeem_with(
    dashboard: &Dashboard,
    stranger: &Stranger,
    message: v1::RedeemLinkRequest,
) -> Result<Response, Failure> {
    let mut client = dashboard.clients().account();
    let session = answer(client.redeem_link(stranger.caller.request(message))).await?;
    Ok(go_on(dashboard, &session.session, session.expire_time, "/"))
}

fn refused(t: Texts, failure: &Failure) -> Response {
    if failure.kind == FailureKind::NotFound {
        return frame::message(StatusCode::NOT_FOUND, Frame::bare(t, t.link_gone_title()), t.link_gone());
    }
    frame::message(status(failure), Frame::bare(t, t.failed_title()), &failure.words(t))
}
