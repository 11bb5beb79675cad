//! A test message to a contact, and what became of it.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use wire::api::v1;

use super::super::notices::{self, state_class, state_words};
use super::super::page::{Tab, tabs};
use super::super::{end, failed, lacking};
use super::{AREA, find, path, title};
use crate::call::answer;
use crate::form::Posted;
use crate::frame::{self, Frame, Here};
use crate::router::Dashboard;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words;

/// Among so many last notices of a contact its test is looked for.
const LOOKED_THROUGH: i32 = 100;

/// Which test message; empty: none was sent yet.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Sent {
    #[serde(default)]
    notice: String,
}

/// What became of a test message.
#[derive(Debug, Template)]
#[template(path = "administration_test_result.html")]
struct ResultPart {
    /// Where it is asked anew. Empty: it has an end.
    again: String,
    state: (&'static str, &'static str),
    tried: String,
    reason: String,
}

#[derive(Debug, Template)]
#[template(path = "administration_test.html")]
struct TestPage {
    frame: Frame,
    t: Texts,
    tabs: Vec<Tab>,
    action: String,
    back: &'static str,
    address: String,
    result: Option<ResultPart>,
}

async fn result_of(
    dashboard: &Dashboard,
    visitor: &Visitor,
    contact: &str,
    id: &str,
) -> Result<ResultPart, Response> {
    let t = visitor.t();
    let none = t.no_notice();
    let message = v1::ListNoticesRequest {
        contact: contact.to_owned(),
        page_size: LOOKED_THROUGH,
        ..v1::ListNoticesRequest::default()
    };
    let listed = notices::ask(dashboard, visitor, message).await;
    let listed = listed.map_err(|missing| lacking(visitor, &missing, none))?;
    let found = listed.notices.into_iter().find(|notice| notice.id == id && notice.is_test);
    let notice = found.ok_or_else(|| frame::not_found(visitor, none))?;
    let at = words::moment(notice.last_attempt_time).map(end::moment_words);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("notice", id);
    let is_waiting = notice.state() == v1::NoticeState::Waiting;
    Ok(ResultPart {
        again: if is_waiting {
            format!("{}/test/result?{}", path(contact), query.finish())
        } else {
            String::new()
        },
        state: (state_class(notice.state()), state_words(notice.state(), t)),
        tried: at.map(|at| t.notice_tried(notice.attempts, at)).unwrap_or_default(),
        reason: notice.reason,
    })
}

/// Asks whether to send one, and shows what became of the one that was sent.
pub(in super::super) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(Sent { notice }): Query<Sent>,
) -> Response {
    let contact = match find(&dashboard, &visitor, &name).await {
        Ok(contact) => contact,
        Err(response) => return response,
    };
    let result = if notice.is_empty() {
        None
    } else {
        match result_of(&dashboard, &visitor, &name, &notice).await {
            Ok(part) => Some(part),
            Err(response) => return response,
        }
    };
    let t = visitor.t();
    let is_webhook = !contact.webhook_url.is_empty();
    let page = TestPage {
        frame: AREA.frame(&visitor, &t.contact_test_of(title(&contact))),
        t,
        tabs: tabs(&visitor, AREA),
        action: format!("{}/test", path(&contact.name)),
        back: AREA.path(),
        address: if is_webhook { contact.webhook_url } else { contact.email },
        result,
    };
    frame::html(StatusCode::OK, &page)
}

/// What became of it, to be shown anew.
pub(in super::super) async fn result(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(Sent { notice }): Query<Sent>,
) -> Response {
    if !AREA.is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    match result_of(&dashboard, &visitor, &name, &notice).await {
        Ok(part) => frame::html(StatusCode::OK, &part),
        Err(response) => response,
    }
}

/// Sends one.
pub(in super::super) async fn test(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    Posted(_): Posted,
) -> Response {
    let contact = match find(&dashboard, &visitor, &name).await {
        Ok(contact) => contact,
        Err(response) => return response,
    };
    let message = v1::TestContactRequest { name: contact.name.clone(), request_id: String::new() };
    let mut client = dashboard.clients().notification();
    match answer(client.test_contact(visitor.caller.request(message))).await {
        Ok(sent) => {
            let id = sent.notice.unwrap_or_default().id;
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("notice", &id);
            let target = format!("{}/test?{}", path(&contact.name), query.finish());
            Redirect::to(&target).into_response()
        }
        Err(failure) => failed(&visitor, &failure),
    }
}
