//! Codes: made, shown once, ended.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use wire::api::v1;

use super::super::form_page::{Entry, Field, FormPage};
use super::super::machines::sites_to_choose;
use super::super::notice::{Notice, go, is_id};
use super::super::page::{Tab, tabs};
use super::super::{Area, end, failed};
use super::AREA;
use crate::call::answer;
use crate::drill::Code;
use crate::form::Posted;
use crate::frame::{self, Frame, Here};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words;

const DAYS: std::ops::RangeInclusive<u32> = 1..=30;
const MACHINES: std::ops::RangeInclusive<u32> = 1..=200;

/// A code that is shown once, as the answer to the form that made it. No log can show it.
#[derive(Template)]
#[template(path = "administration_code.html")]
struct CodePage {
    frame: Frame,
    t: Texts,
    tabs: Vec<Tab>,
    back: &'static str,
    until: String,
    code: String,
    command: String,
    drawing: Option<Code>,
}

/// Shows a code this once.
pub(in super::super) fn show(
    visitor: &Visitor,
    area: Area,
    title: &str,
    made: v1::CreateEnrolmentCodeResponse,
) -> Response {
    let t = visitor.t();
    let v1::CreateEnrolmentCodeResponse { code, url, kept } = made;
    let until = words::moment(kept.and_then(|kept| kept.expire_time)).map(end::moment_words);
    let command = format!("sudo -u beltwatch-agent beltwatch-agent enrol {url} {code}");
    let page = CodePage {
        frame: area.frame(visitor, title),
        t,
        tabs: tabs(visitor, area),
        back: area.path(),
        until: t.enrolment_until(until.unwrap_or_else(|| t.not_known().to_owned())),
        drawing: Code::new(command.clone()),
        code,
        command,
    };
    frame::html(StatusCode::OK, &page)
}

async fn add_form(dashboard: &Dashboard, visitor: &Visitor) -> Result<FormPage, Response> {
    if !AREA.is_for(visitor) {
        return Err(frame::not_allowed(visitor));
    }
    let t = visitor.t();
    let choices = sites_to_choose(dashboard, visitor).await?;
    let action = "/administration/add/enrolment".to_owned();
    let mut page = FormPage::new(visitor, AREA, t.enrolment_code_add(), action)
        .question(t.enrolment_code_add_lead(), t.enrolment_code_add());
    page.fields = vec![
        Field::new("site_id", t.site(), "", t.site_wrong()).entered(Entry::Choices(choices)),
        Field::new("life", t.enrolment_days(), t.enrolment_days_hint(), t.enrolment_days_wrong()).of("7"),
        Field::new(
            "machines_max",
            t.enrolment_machines(),
            t.enrolment_machines_hint(),
            t.enrolment_machines_wrong(),
        )
        .of("50"),
    ];
    Ok(page)
}

pub(in super::super) async fn show_add(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    match add_form(&dashboard, &visitor).await {
        Ok(page) => frame::html(StatusCode::OK, &page),
        Err(response) => response,
    }
}

pub(in super::super) async fn add(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Posted(typed): Posted,
) -> Response {
    let mut page = match add_form(&dashboard, &visitor).await {
        Ok(page) => page,
        Err(response) => return response,
    };
    page.read(&typed);
    let mut number = |name, allowed: &std::ops::RangeInclusive<u32>| {
        let number: Option<u32> = page.value(name).parse().ok();
        let number = number.filter(|number| allowed.contains(number));
        if number.is_none() {
            page.refuse(name);
        }
        number.unwrap_or_default()
    };
    let (days, machines_max) = (number("life", &DAYS), number("machines_max", &MACHINES));
    if !page.offers("site_id") {
        page.refuse("site_id");
    }
    if page.is_refused() {
        return frame::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let site_id = page.value("site_id").to_owned();
    let life = Some(prost_types::Duration { seconds: i64::from(days) * 24 * 3_600, nanos: 0 });
    let message = v1::CreateEnrolmentCodeRequest {
        site_id: site_id.clone(),
        life,
        machines_max,
        ..v1::CreateEnrolmentCodeRequest::default()
    };
    let mut client = dashboard.clients().enrolment();
    match answer(client.create_enrolment_code(visitor.caller.request(message))).await {
        Ok(made) => show(&visitor, AREA, &visitor.t().enrolment_code_made(&site_id), made),
        Err(failure) => {
            page.take(&failure, "");
            frame::html(status(&failure), &page)
        }
    }
}

pub(in super::super) async fn ask_revoke(visitor: Visitor, Path(id): Path<String>) -> Response {
    if !AREA.is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    let t = visitor.t();
    if !is_id(&id) {
        return frame::not_found(&visitor, t.enrolment_no_code());
    }
    let action = format!("{}/codes/{id}/revoke", AREA.path());
    let page = FormPage::new(&visitor, AREA, &t.enrolment_revoke_of(&id), action);
    frame::html(StatusCode::OK, &page.question(t.enrolment_revoke_lead(), t.enrolment_revoke()))
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
    let message = v1::RevokeEnrolmentCodeRequest { code_id: id.clone() };
    let mut client = dashboard.clients().enrolment();
    match answer(client.revoke_enrolment_code(visitor.caller.request(message))).await {
        Ok(_) => go(AREA, Notice::EnrolmentCodeEnded, &id),
        Err(failure) => failed(&visitor, &failure),
    }
}
