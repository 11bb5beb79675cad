//! Credentials of agents: made, shown once, saved as a file, revoked.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use wire::api::v1;

use super::super::enrolment::codes;
use super::super::failed;
use super::super::form_page::FormPage;
use super::super::notice::{Notice, go, is_id};
use super::super::page::SecretPage;
use super::{AREA, find, path};
use crate::call::answer;
use crate::form::Posted;
use crate::frame;
use crate::router::Dashboard;
use crate::visitor::Visitor;

/// Shows a credential this once.
pub(super) fn show(visitor: &Visitor, title: &str, id: &str, credential: String) -> Response {
    let t = visitor.t();
    let mut page = SecretPage::new(visitor, AREA, title, credential);
    page.lead = t.credential_once();
    page.label = t.credential_text();
    page.then = t.credential_where();
    page.example = format!("beltwatch-agent simulate --credential {} --spool {id}-spool", file_name(id));
    page.file = format!("{}/file", path(id));
    frame::html(StatusCode::OK, &page)
}

fn file_name(id: &str) -> String {
    format!("{id}.credential.json")
}

/// Gives back as a file what the page that shows a credential sent: nothing else holds it by then.
pub(in super::super) async fn save(
    visitor: Visitor,
    Path(id): Path<String>,
    Posted(typed): Posted,
) -> Response {
    if !AREA.is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    // Browsers send line ends as two characters.
    let credential = typed.get("secret").replace("\r\n", "\n");
    if !is_id(&id) || serde_json::from_str::<serde::de::IgnoredAny>(&credential).is_err() {
        return frame::form_refused(visitor.t());
    }
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file_name(&id))),
    ];
    (headers, credential).into_response()
}

pub(in super::super) async fn ask_renew(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let machine = match find(&dashboard, &visitor, &id).await {
        Ok(machine) => machine,
        Err(response) => return response,
    };
    let t = visitor.t();
    let action = format!("{}/renew", path(&machine.id));
    let page = FormPage::new(&visitor, AREA, &t.credential_renew_of(&machine.id), action);
    frame::html(StatusCode::OK, &page.question(t.credential_renew_lead(), t.credential_renew()))
}

pub(in super::super) async fn renew(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Posted(_): Posted,
) -> Response {
    if !AREA.is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    let message = v1::RenewCredentialRequest { machine_id: id.clone() };
    let mut client = dashboard.clients().admin();
    match answer(client.renew_credential(visitor.caller.request(message))).await {
        Ok(made) => show(&visitor, &visitor.t().credential_renewed(&id), &id, made.credential),
        Err(failure) => failed(&visitor, &failure),
    }
}

pub(in super::super) async fn ask_revoke(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let machine = match find(&dashboard, &visitor, &id).await {
        Ok(machine) => machine,
        Err(response) => return response,
    };
    let t = visitor.t();
    let action = format!("{}/revoke", path(&machine.id));
    let page = FormPage::new(&visitor, AREA, &t.credential_revoke_of(&machine.id), action);
    frame::html(StatusCode::OK, &page.question(t.credential_revoke_lead(), t.credential_revoke()))
}

pub(in super::super) async fn revoke(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Posted(_): Posted,
) -> Response {
    if !AREA.is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    let message = v1::RevokeCredentialRequest { machine_id: id.clone() };
    let mut client = dashboard.clients().admin();
    match answer(client.revoke_credential(visitor.caller.request(message))).await {
        Ok(_) => go(AREA, Notice::CredentialRevoked, &id),
        Err(failure) => failed(&visitor, &failure),
    }
}

pub(in super::super) async fn ask_code(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let machine = match find(&dashboard, &visitor, &id).await {
        Ok(machine) => machine,
        Err(response) => return response,
    };
    let t = visitor.t();
    let action = format!("{}/enrol", path(&machine.id));
    let page = FormPage::new(&visitor, AREA, &t.enrolment_code_of(&machine.id), action);
    frame::html(StatusCode::OK, &page.question(t.enrolment_code_machine_lead(), t.enrolment_code_machine()))
}

pub(in super::super) async fn make_code(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Posted(_): Posted,
) -> Response {
    if !AREA.is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    let message = v1::CreateEnrolmentCodeRequest {
        machine_id: id.clone(),
        ..v1::CreateEnrolmentCodeRequest::default()
    };
    let mut client = dashboard.clients().enrolment();
    match answer(client.create_enrolment_code(visitor.caller.request(message))).await {
        Ok(made) => codes::show(&visitor, AREA, &visitor.t().enrolment_code_made(&id), made),
        Err(failure) => failed(&visitor, &failure),
    }
}
