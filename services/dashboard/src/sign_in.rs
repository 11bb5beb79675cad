//! Signing in and out.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use wire::api::v1;

use crate::call::{Failure, FailureKind, answer};
use crate::form::{Posted, PostedOpenly};
use crate::frame::{self, Frame, Here};
use crate::router::Dashboard;
use crate::texts::Texts;
use crate::visitor::{Stranger, Visitor, is_local};
use crate::{clock, cookie, words};

#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    next: String,
    user_name: String,
    name_error: String,
    password_error: String,
    error: String,
}

impl SignInPage {
    fn new(t: Texts, next: &str, user_name: &str) -> SignInPage {
        SignInPage {
            frame: Frame::bare(t, t.sign_in()),
            next: if is_local(next) { next.to_owned() } else { String::new() },
            user_name: user_name.to_owned(),
            name_error: String::new(),
            password_error: String::new(),
            error: String::new(),
        }
    }
}

/// Where to go on.
#[derive(Debug, Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    next: String,
}

pub(crate) async fn show(stranger: Stranger, Query(Next { next }): Query<Next>) -> Response {
    frame::html(StatusCode::OK, &SignInPage::new(stranger.t, &next, ""))
}

pub(crate) async fn enter(
    State(dashboard): State<Dashboard>,
    stranger: Stranger,
    PostedOpenly(fields): PostedOpenly,
) -> Response {
    let t = stranger.t;
    let mut page = SignInPage::new(t, fields.get("next"), fields.trimmed("user_name"));
    if page.user_name.is_empty() {
        page.name_error = t.name_missing().to_owned();
    }
    if fields.get("password").is_empty() {
        page.password_error = t.password_missing().to_owned();
    }
    if !page.name_error.is_empty() || !page.password_error.is_empty() {
        return frame::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let message =
        v1::SignInRequest { user_name: page.user_name.clone(), password: fields.get("password").to_owned() };
    let mut client = dashboard.clients().account();
    match answer(client.sign_in(stranger.caller.request(message))).await {
        Ok(session) => go_on(&dashboard, &session.session, session.expire_time, &page.next),
        Err(failure) => {
            let status = status(&failure);
            page.error = match failure.kind {
                FailureKind::SignedOut | FailureKind::Wrong => t.sign_in_wrong().to_owned(),
                FailureKind::NotAllowed
                | FailureKind::NotFound
                | FailureKind::TooMany
                | FailureKind::Outage => failure.words(t),
            };
            frame::html(status, &page)
        }
    }
}

/// The status of a page that says why something did not work.
pub(crate) fn status(failure: &Failure) -> StatusCode {
    match failure.kind {
        FailureKind::SignedOut => StatusCode::UNAUTHORIZED,
        FailureKind::NotAllowed => StatusCode::FORBIDDEN,
        FailureKind::NotFound => StatusCode::NOT_FOUND,
        FailureKind::Wrong => StatusCode::UNPROCESSABLE_ENTITY,
        FailureKind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        FailureKind::Outage => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Gives the browser its new session, whatever it had, and goes on.
pub(crate) fn go_on(
    dashboard: &Dashboard,
    session: &str,
    expire_time: Option<prost_types::Timestamp>,
    next: &str,
) -> Response {
    let left = words::moment(expire_time).map_or(0, |end| end.duration_since(clock::now()).as_secs());
    let Some(cookie) = cookie::set(session, left, dashboard.secure()) else {
        tracing::error!("the api made a session that no cookie can hold");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let target = if is_local(next) { next } else { "/" };
    ([(header::SET_COOKIE, cookie)], Redirect::to(target)).into_response()
}

pub(crate) async fn leave(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Posted(fields): Posted,
) -> Response {
    let message = v1::SignOutRequest { everywhere: fields.get("everywhere") == "yes" };
    let mut client = dashboard.clients().account();
    match answer(client.sign_out(visitor.caller.request(message))).await {
        Ok(_) => {
            let to = Redirect::to("/sign-in");
            match cookie::clear(dashboard.secure()) {
                Some(cookie) => ([(header::SET_COOKIE, cookie)], to).into_response(),
                None => to.into_response(),
            }
        }
        // The session would live on: that must not look like signed out.
        Err(failure) => {
            let t = visitor.t();
            let frame = Frame::of(&visitor, Here::Nowhere, t.failed_title());
            frame::message(status(&failure), frame, &failure.words(t))
        }
    }
}
