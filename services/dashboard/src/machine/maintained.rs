//! That a machine was serviced: when last, and the form that says so.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::tz::TimeZone;
use wire::api::v1;

use super::{Found, find};
use crate::call::{Failure, answer};
use crate::form::Posted;
use crate::frame::{self, Frame, Here};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words;

/// Characters of a note. More: refused beside the field.
const NOTE_CHARACTERS_MAX: usize = 200;

#[derive(Debug, Template)]
#[template(path = "machine_maintained.html")]
struct MaintainedPage {
    frame: Frame,
    t: Texts,
    id: String,
    last: String,
    note: String,
    error: String,
}

/// Whether the visitor may say that a machine of the site was serviced.
pub(super) fn is_for(visitor: &Visitor, site: &str) -> bool {
    visitor.may("handle", site)
}

/// When a machine was serviced last, in the time of its site; empty: nobody has said.
pub(super) fn words_of(machine: &v1::Machine, zone: &TimeZone, t: Texts) -> String {
    let Some(at) = words::moment(machine.maintain_time) else { return String::new() };
    let day = at.to_zoned(zone.clone()).date();
    match machine.maintain_note.as_str() {
        "" => t.maintained_on(day),
        note => t.maintained_on_as(day, note),
    }
}

fn page(visitor: &Visitor, found: &Found, note: &str, error: &str, code: StatusCode) -> Response {
    let t = visitor.t();
    let page = MaintainedPage {
        frame: Frame::of(visitor, Here::Machine, &t.maintained_of(found.name())),
        t,
        id: found.machine.id.clone(),
        last: words_of(&found.machine, &found.zone, t),
        note: note.to_owned(),
        error: error.to_owned(),
    };
    frame::html(code, &page)
}

async fn find_to_record(dashboard: &Dashboard, visitor: &Visitor, id: &str) -> Result<Found, Response> {
    let found = find(dashboard, visitor, id).await?;
    if is_for(visitor, &found.machine.site_id) { Ok(found) } else { Err(frame::not_allowed(visitor)) }
}

/// The form.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    match find_to_record(&dashboard, &visitor, &id).await {
        Ok(found) => page(&visitor, &found, "", "", StatusCode::OK),
        Err(response) => response,
    }
}

/// Records that it was serviced now.
pub(crate) async fn record(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Posted(typed): Posted,
) -> Response {
    let found = match find_to_record(&dashboard, &visitor, &id).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let t = visitor.t();
    let note = typed.trimmed("note");
    if note.chars().count() > NOTE_CHARACTERS_MAX {
        let code = StatusCode::UNPROCESSABLE_ENTITY;
        return page(&visitor, &found, note, t.maintained_note_wrong(), code);
    }
    let message = v1::RecordMaintenanceRequest {
        machine_id: id.clone(),
        time: None,
        note: note.to_owned(),
        request_id: String::new(),
    };
    let mut client = dashboard.clients().admin();
    match answer(client.record_maintenance(visitor.caller.request(message))).await {
        Ok(_) => Redirect::to(&format!("/machine/{id}")).into_response(),
        Err(failure) => page(&visitor, &found, note, &why(&failure, t), status(&failure)),
    }
}

fn why(failure: &Failure, t: Texts) -> String {
    match failure.of_field("note") {
        Some(_) => t.maintained_note_wrong().to_owned(),
        None => failure.words(t),
    }
}
