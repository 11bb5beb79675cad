//! Agents that wait: approved or refused.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use wire::api::v1;

use super::super::form_page::{Entry, Field, FormPage};
use super::super::machines::{self, kinds};
use super::super::notice::{Notice, go};
use super::super::{failed, lacking};
use super::{AREA, digits, find};
use crate::call::answer;
use crate::form::Posted;
use crate::frame;
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::visitor::Visitor;

const NEW: &str = "new";
const KNOWN: &str = "known";

/// The agent that waits, or the page that says why there is none.
async fn found(dashboard: &Dashboard, visitor: &Visitor, id: &str) -> Result<v1::PendingEnrolment, Response> {
    if !AREA.is_for(visitor) {
        return Err(frame::not_allowed(visitor));
    }
    let t = visitor.t();
    let found = find(dashboard, visitor, id).await;
    let found = found.map_err(|missing| lacking(visitor, &missing, t.enrolment_gone()))?;
    found.ok_or_else(|| frame::not_found(visitor, t.enrolment_gone()))
}

async fn approve_form(dashboard: &Dashboard, visitor: &Visitor, id: &str) -> Result<FormPage, Response> {
    let one = found(dashboard, visitor, id).await?;
    let t = visitor.t();
    let action = format!("{}/{}/approve", AREA.path(), one.id);
    let title = t.enrolment_approve_of(digits(&one.comparison));
    let mut page = FormPage::new(visitor, AREA, &title, action)
        .question(t.enrolment_approve_lead(), t.enrolment_approve());
    let choices = vec![
        (NEW.to_owned(), t.enrolment_as_new().to_owned()),
        (KNOWN.to_owned(), t.enrolment_as_known().to_owned()),
    ];
    page.fields = vec![
        Field::new("as", t.enrolment_as(), "", t.choice_wrong()).entered(Entry::Choices(choices)).of(NEW),
        Field::new("machine_id", t.id(), t.enrolment_machine_hint(), t.enrolment_machine_wrong()),
    ];
    page.fields.extend(machines::fields(t, &v1::Machine::default()));
    Ok(page)
}

pub(in super::super) async fn ask_approve(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    match approve_form(&dashboard, &visitor, &id).await {
        Ok(page) => frame::html(StatusCode::OK, &page),
        Err(response) => response,
    }
}

pub(in super::super) async fn approve(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Posted(typed): Posted,
) -> Response {
    let mut page = match approve_form(&dashboard, &visitor, &id).await {
        Ok(page) => page,
        Err(response) => return response,
    };
    page.read(&typed);
    let (belt, drive) = kinds(&mut page);
    if !page.offers("as") {
        page.refuse("as");
    }
    if page.is_refused() {
        return frame::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let is_replacement = page.value("as") == KNOWN;
    let machine_id = page.value("machine_id").to_owned();
    let message = v1::ApproveEnrolmentRequest {
        enrolment_id: id,
        machine_id: machine_id.clone(),
        is_replacement,
        display_name: page.value("display_name").to_owned(),
        model: page.value("model").to_owned(),
        belt,
        drive,
    };
    let mut client = dashboard.clients().enrolment();
    match answer(client.approve_enrolment(visitor.caller.request(message))).await {
        Ok(_) => go(AREA, Notice::EnrolmentApproved, &machine_id),
        Err(failure) => {
            page.take(&failure, "machine_id");
            frame::html(status(&failure), &page)
        }
    }
}

pub(in super::super) async fn ask_refuse(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let one = match found(&dashboard, &visitor, &id).await {
        Ok(one) => one,
        Err(response) => return response,
    };
    let t = visitor.t();
    let action = format!("{}/{}/refuse", AREA.path(), one.id);
    let title = t.enrolment_refuse_of(digits(&one.comparison));
    let page = FormPage::new(&visitor, AREA, &title, action);
    frame::html(StatusCode::OK, &page.question(t.enrolment_refuse_lead(), t.enrolment_refuse()))
}

pub(in super::super) async fn refuse(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Posted(_): Posted,
) -> Response {
    if !AREA.is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    let message = v1::RefuseEnrolmentRequest { enrolment_id: id.clone() };
    let mut client = dashboard.clients().enrolment();
    match answer(client.refuse_enrolment(visitor.caller.request(message))).await {
        Ok(_) => go(AREA, Notice::EnrolmentRefused, &id),
        Err(failure) => failed(&visitor, &failure),
    }
}
