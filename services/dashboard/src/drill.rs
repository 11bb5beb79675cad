//! Proof tests of stops: a page that guides through one with a phone in one hand, a dated sheet of each, what is due,
//! and the tag on the machine that leads there. The pages only tell and watch: they move no belt and stop none.

mod due;
mod guide;
mod sheet;
mod start;
mod stop;
mod tag;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use wire::api::v1;

use crate::call::{Failure, FailureKind, answer};
use crate::form::Posted;
use crate::frame;
use crate::machine::{self, Found};
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::visitor::Visitor;

pub(crate) use due::show as show_due;
pub(crate) use guide::part as show_now;
pub(crate) use sheet::show as show_sheet;
pub(crate) use stop::{CONTACTS, StopLine, contact_name, proof_state, seconds_words};
pub(crate) use tag::{Code, show as show_tag};

/// Characters of a note. More: refused beside the field.
const NOTE_CHARACTERS_MAX: usize = 200;

/// Where a machine's proof tests are.
pub(crate) fn path(machine: &str) -> String {
    format!("/machine/{machine}/drill")
}

/// A field for what was seen, and what is wrong with what was typed.
#[derive(Debug, Default)]
struct NoteField {
    action: String,
    note: String,
    error: String,
}

/// Contacts of a machine whose stops can be measured: it reports them and its speed.
fn measured_contacts(state: &v1::MachineState) -> Vec<&'static str> {
    let has = |name: &str| state.capabilities.iter().any(|one| one == name);
    if has("speed") { CONTACTS.into_iter().filter(|contact| has(contact)).collect() } else { Vec::new() }
}

/// A machine whose proof tests the visitor may see.
async fn find(dashboard: &Dashboard, visitor: &Visitor, id: &str) -> Result<Found, Response> {
    let found = machine::find(dashboard, visitor, id).await?;
    let site = &found.machine.site_id;
    if visitor.may("handle", site) || visitor.may("history", site) {
        Ok(found)
    } else {
        Err(frame::not_allowed(visitor))
    }
}

/// A proof test by its number; 0: the one that is under way or else the last one. None: there is none.
pub(crate) async fn ask(
    dashboard: &Dashboard,
    visitor: &Visitor,
    machine: &str,
    number: u64,
) -> Result<Option<v1::Drill>, Missing> {
    let message = v1::GetDrillRequest { machine_id: machine.to_owned(), number };
    let mut client = dashboard.clients().drills();
    match answer(client.get_drill(visitor.caller.request(message))).await {
        Err(failure) if failure.kind == FailureKind::NotFound => Ok(None),
        asked => Ok(dashboard.outages().note(Part::Drill, asked)?.drill),
    }
}

/// A page about proof tests that cannot be shown.
fn lacking(visitor: &Visitor, missing: &Missing) -> Response {
    frame::missing_page(status(&missing.failure), visitor.t(), missing)
}

/// The test that is under way, or how to begin one.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let found = match find(&dashboard, &visitor, &id).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    match ask(&dashboard, &visitor, &id, 0).await {
        Ok(Some(drill)) if drill.is_open => {
            guide::page(&visitor, &found, &drill, NoteField::default(), StatusCode::OK)
        }
        Ok(_) => start::page(&dashboard, &visitor, &found, "", "", StatusCode::OK).await,
        Err(missing) => lacking(&visitor, &missing),
    }
}

/// Begins a test. Whoever sends the form twice, or comes second, is led to the one that is under way.
pub(crate) async fn begin(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Posted(typed): Posted,
) -> Response {
    let found = match find(&dashboard, &visitor, &id).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    if !visitor.may("handle", &found.machine.site_id) {
        return frame::not_allowed(&visitor);
    }
    let minutes = typed.trimmed("minutes");
    let wrong = visitor.t().drill_minutes_wrong();
    let Some(length) = minutes.parse::<i32>().ok().filter(|length| (1..=15).contains(length)) else {
        let code = StatusCode::UNPROCESSABLE_ENTITY;
        return start::page(&dashboard, &visitor, &found, minutes, wrong, code).await;
    };
    let message =
        v1::StartDrillRequest { machine_id: id.clone(), minutes: length, request_id: String::new() };
    let mut client = dashboard.clients().drills();
    let failure = match answer(client.start_drill(visitor.caller.request(message))).await {
        Ok(_) => return Redirect::to(&path(&id)).into_response(),
        Err(failure) => failure,
    };
    if let Ok(Some(drill)) = ask(&dashboard, &visitor, &id, 0).await
        && drill.is_open
    {
        return Redirect::to(&path(&id)).into_response();
    }
    let reason = if failure.of_field("minutes").is_some() { wrong } else { &failure.words(visitor.t()) };
    start::page(&dashboard, &visitor, &found, minutes, reason, status(&failure)).await
}

/// Ends a test, or writes down how it went.
pub(crate) async fn end(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path((id, number)): Path<(String, u64)>,
    Posted(typed): Posted,
) -> Response {
    let found = match find(&dashboard, &visitor, &id).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    if !visitor.may("handle", &found.machine.site_id) {
        return frame::not_allowed(&visitor);
    }
    let note = typed.trimmed("note").to_owned();
    let wrong = visitor.t().drill_note_wrong().to_owned();
    if note.chars().count() > NOTE_CHARACTERS_MAX {
        let field = NoteField { note, error: wrong, ..NoteField::default() };
        let code = StatusCode::UNPROCESSABLE_ENTITY;
        return again(&dashboard, &visitor, &found, number, field, code).await;
    }
    let message = v1::EndDrillRequest { machine_id: id.clone(), number, note: note.clone() };
    let mut client = dashboard.clients().drills();
    match answer(client.end_drill(visitor.caller.request(message))).await {
        Ok(_) => Redirect::to(&format!("{}/{number}", path(&id))).into_response(),
        Err(failure) => {
            let error = if failure.of_field("note").is_some() { wrong } else { words(&failure, &visitor) };
            let field = NoteField { note, error, ..NoteField::default() };
            again(&dashboard, &visitor, &found, number, field, status(&failure)).await
        }
    }
}

fn words(failure: &Failure, visitor: &Visitor) -> String {
    failure.words(visitor.t())
}

/// The page that the note was typed on, with it.
async fn again(
    dashboard: &Dashboard,
    visitor: &Visitor,
    found: &Found,
    number: u64,
    field: NoteField,
    code: StatusCode,
) -> Response {
    match ask(dashboard, visitor, &found.machine.id, number).await {
        Ok(Some(drill)) if drill.is_open => guide::page(visitor, found, &drill, field, code),
        Ok(Some(drill)) => sheet::page(visitor, found, &drill, field, code),
        Ok(None) => frame::not_found(visitor, visitor.t().no_drill()),
        Err(missing) => lacking(visitor, &missing),
    }
}
