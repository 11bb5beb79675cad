//! Whether a machine is out of service or in a proof test, and the form that tags it.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use wire::api::v1;

use super::{Found, find, maintained};
use crate::call::{Failure, answer};
use crate::drill;
use crate::form::Posted;
use crate::frame::{self, Frame, Here};
use crate::incidents::date_and_time;
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words;

/// Characters of a reason. More: refused beside the field.
const REASON_CHARACTERS_MAX: usize = 200;

/// What stands above a machine: its tag, and the proof test that is under way.
#[derive(Debug, Template)]
#[template(path = "machine_service.html")]
pub(super) struct ServicePart {
    t: Texts,
    token: String,
    id: String,
    /// Why it is out of service. Empty: it is not.
    reason: String,
    since: String,
    /// In words, while one is under way.
    drill: String,
    may_tag: bool,
    /// When it was serviced last, in words; empty: nobody has said.
    maintained: String,
    may_maintain: bool,
}

/// A test that cannot be asked for is not told of here: the part about stops says so.
pub(super) async fn service(dashboard: &Dashboard, visitor: &Visitor, found: &Found) -> ServicePart {
    let t = visitor.t();
    let site = &found.machine.site_id;
    let drill = if visitor.may("history", site) || visitor.may("handle", site) {
        drill::ask(dashboard, visitor, &found.machine.id, 0).await.ok().flatten()
    } else {
        None
    };
    let end = drill.filter(|drill| drill.is_open).and_then(|drill| words::moment(drill.end_time));
    let since = words::moment(found.machine.out_of_service_time);
    ServicePart {
        t,
        token: visitor.token.to_string(),
        id: found.machine.id.clone(),
        reason: found.machine.out_of_service_reason.clone(),
        since: since.map(|at| t.service_since(date_and_time(at, &found.zone))).unwrap_or_default(),
        drill: end.map(|end| t.drill_on_until(words::clock(end, &found.zone))).unwrap_or_default(),
        may_tag: visitor.may("act", site),
        maintained: maintained::words_of(&found.machine, &found.zone, t),
        may_maintain: maintained::is_for(visitor, site),
    }
}

/// The part that stands above, to be shown anew.
pub(crate) async fn part(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    match find(&dashboard, &visitor, &id).await {
        Ok(found) => frame::html(StatusCode::OK, &service(&dashboard, &visitor, &found).await),
        Err(response) => response,
    }
}

#[derive(Debug, Template)]
#[template(path = "machine_service_form.html")]
struct ServicePage {
    frame: Frame,
    t: Texts,
    id: String,
    reason: String,
    error: String,
}

fn page(visitor: &Visitor, found: &Found, reason: &str, error: &str, code: StatusCode) -> Response {
    let t = visitor.t();
    let page = ServicePage {
        frame: Frame::of(visitor, Here::Machine, &t.service_of(found.name())),
        t,
        id: found.machine.id.clone(),
        reason: reason.to_owned(),
        error: error.to_owned(),
    };
    frame::html(code, &page)
}

async fn find_to_tag(dashboard: &Dashboard, visitor: &Visitor, id: &str) -> Result<Found, Response> {
    let found = find(dashboard, visitor, id).await?;
    if visitor.may("act", &found.machine.site_id) { Ok(found) } else { Err(frame::not_allowed(visitor)) }
}

/// The form that tags.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    match find_to_tag(&dashboard, &visitor, &id).await {
        Ok(found) => page(&visitor, &found, &found.machine.out_of_service_reason, "", StatusCode::OK),
        Err(response) => response,
    }
}

/// Tags a machine, or takes the tag away.
pub(crate) async fn tag(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Posted(typed): Posted,
) -> Response {
    let found = match find_to_tag(&dashboard, &visitor, &id).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let t = visitor.t();
    let is_back = typed.get("back") == "yes";
    let reason = typed.trimmed("reason");
    if !is_back && !(1..=REASON_CHARACTERS_MAX).contains(&reason.chars().count()) {
        let code = StatusCode::UNPROCESSABLE_ENTITY;
        return page(&visitor, &found, reason, t.service_reason_wrong(), code);
    }
    let message = v1::SetOutOfServiceRequest {
        machine_id: id.clone(),
        reason: if is_back { String::new() } else { reason.to_owned() },
        request_id: String::new(),
    };
    let mut client = dashboard.clients().admin();
    match answer(client.set_out_of_service(visitor.caller.request(message))).await {
        Ok(_) => Redirect::to(&format!("/machine/{id}")).into_response(),
        Err(failure) => page(&visitor, &found, reason, &words_of(&failure, t), status(&failure)),
    }
}

fn words_of(failure: &Failure, t: Texts) -> String {
    match failure.of_field("reason") {
        Some(_) => t.service_reason_wrong().to_owned(),
        None => failure.words(t),
    }
}
