//! Making a course, changing what is prescribed, handing it over, ending it.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use wire::api::v1;

use super::form::{Entry, Field, FormPage};
use super::{Done, find, is_for, path, prescribed, sites};
use crate::call::{FailureKind, answer};
use crate::clock;
use crate::form::Posted;
use crate::frame;
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::visitor::Visitor;

/// At which site a course is to be; empty: nobody has chosen.
#[derive(Debug, Default, Deserialize)]
pub(super) struct At {
    #[serde(default)]
    site: String,
}

/// A number that no other form has.
fn request_id(visitor: &Visitor) -> String {
    let digest = Sha256::new().chain_update(visitor.token.to_string());
    let digest = digest.chain_update(clock::now().as_nanosecond().to_be_bytes());
    hex::encode(&digest.finalize()[..16])
}

async fn make_form(dashboard: &Dashboard, visitor: &Visitor, site: &str) -> Result<FormPage, Response> {
    if !is_for(visitor) {
        return Err(frame::not_allowed(visitor));
    }
    let t = visitor.t();
    let sites = sites(dashboard, visitor).await;
    let sites = sites.map_err(|one| frame::missing_page(status(&one.failure), t, &one))?;
    let choices: Vec<(String, String)> = sites
        .into_iter()
        .map(|one| {
            let name = if one.display_name.is_empty() { one.id.clone() } else { one.display_name };
            (one.id, name)
        })
        .collect();
    let chosen = choices.iter().find(|(id, _)| id == site).or_else(|| choices.first());
    let chosen = chosen.map(|(id, _)| id.clone()).unwrap_or_default();
    let mut page = FormPage::new(visitor, t.course_make(), "/courses/add".to_owned(), "/courses".to_owned());
    page.lead = t.courses_lead();
    page.submit = t.course_make();
    page.fields = vec![
        Field::new("site_id", Entry::Choices(choices), t.site()).told("", t.course_site_wrong()).of(chosen),
        Field::new("code", Entry::Text, t.course_code()).told(t.course_code_hint(), t.course_code_wrong()),
    ];
    page.fields.extend(prescribed::fields(&v1::Prescription::default(), visitor.reader));
    page.request = request_id(visitor);
    Ok(page)
}

pub(super) async fn show_make(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Query(At { site }): Query<At>,
) -> Response {
    match make_form(&dashboard, &visitor, &site).await {
        Ok(page) => page.show(),
        Err(response) => response,
    }
}

/// Whether the API would take it as a code.
fn is_code(code: &str) -> bool {
    (1..=16).contains(&code.len()) && code.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
}

pub(super) async fn make(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Posted(typed): Posted,
) -> Response {
    let mut page = match make_form(&dashboard, &visitor, "").await {
        Ok(page) => page,
        Err(response) => return response,
    };
    page.read(&typed);
    typed.get("request").clone_into(&mut page.request);
    if !page.offers("site_id") {
        page.refuse("site_id");
    }
    if !is_code(page.value("code")) {
        page.refuse("code");
    }
    let prescription = prescribed::read(&mut page, &v1::Prescription::default(), visitor.reader);
    if page.is_refused() {
        return page.show();
    }
    let message = v1::CreateCourseRequest {
        site_id: page.value("site_id").to_owned(),
        code: page.value("code").to_owned(),
        prescription: Some(prescription).filter(|one| *one != v1::Prescription::default()),
        request_id: page.request.clone(),
    };
    let mut client = dashboard.clients().courses();
    match answer(client.create_course(visitor.caller.request(message))).await {
        Ok(made) => to_course(made.course.map_or(0, |course| course.id), Done::Made),
        Err(failure) => page.refused(&failure),
    }
}

fn to_course(id: u64, done: Done) -> Response {
    Redirect::to(&format!("{}?done={}", path(id), done.word())).into_response()
}

/// A course that goes on.
async fn find_running(dashboard: &Dashboard, visitor: &Visitor, id: &str) -> Result<v1::Course, Response> {
    let (told, _) = find(dashboard, visitor, id).await?;
    let course = told.course.unwrap_or_default();
    if course.end_time.is_some() {
        return Err(frame::not_found(visitor, visitor.t().course_over()));
    }
    Ok(course)
}

fn prescribe_form(visitor: &Visitor, course: &v1::Course) -> FormPage {
    let t = visitor.t();
    let action = format!("{}/prescription", path(course.id));
    let mut page = FormPage::new(visitor, &t.prescribed_of(&course.code), action, path(course.id));
    page.lead = t.prescribed_lead();
    page.fields = prescribed::fields(&course.prescription.unwrap_or_default(), visitor.reader);
    page
}

pub(super) async fn show_prescribe(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    match find_running(&dashboard, &visitor, &id).await {
        Ok(course) => prescribe_form(&visitor, &course).show(),
        Err(response) => response,
    }
}

pub(super) async fn prescribe(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Posted(typed): Posted,
) -> Response {
    let course = match find_running(&dashboard, &visitor, &id).await {
        Ok(course) => course,
        Err(response) => return response,
    };
    let mut page = prescribe_form(&visitor, &course);
    page.read(&typed);
    let was = course.prescription.unwrap_or_default();
    let prescription = prescribed::read(&mut page, &was, visitor.reader);
    if page.is_refused() {
        return page.show();
    }
    let message = v1::UpdateCourseRequest {
        course_id: course.id,
        prescription: Some(prescription),
        ..v1::UpdateCourseRequest::default()
    };
    let mut client = dashboard.clients().courses();
    match answer(client.update_course(visitor.caller.request(message))).await {
        Ok(_) => to_course(course.id, Done::Changed),
        Err(failure) => page.refused(&failure),
    }
}

fn hand_over_form(visitor: &Visitor, course: &v1::Course) -> FormPage {
    let t = visitor.t();
    let action = format!("{}/owner", path(course.id));
    let mut page = FormPage::new(visitor, &t.hand_over_of(&course.code), action, path(course.id));
    page.lead = t.hand_over_lead();
    page.submit = t.hand_over();
    page.fields = vec![Field::new("owner", Entry::Text, t.hand_over_to()).told("", t.hand_over_wrong())];
    page
}

pub(super) async fn show_hand_over(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    match find_running(&dashboard, &visitor, &id).await {
        Ok(course) => hand_over_form(&visitor, &course).show(),
        Err(response) => response,
    }
}

pub(super) async fn hand_over(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Posted(typed): Posted,
) -> Response {
    let course = match find_running(&dashboard, &visitor, &id).await {
        Ok(course) => course,
        Err(response) => return response,
    };
    let mut page = hand_over_form(&visitor, &course);
    page.read(&typed);
    let name = page.value("owner").to_owned();
    if name.is_empty() {
        page.refuse("owner");
        return page.show();
    }
    let message = v1::UpdateCourseRequest {
        course_id: course.id,
        owner: format!("user:{name}"),
        ..v1::UpdateCourseRequest::default()
    };
    let mut client = dashboard.clients().courses();
    match answer(client.update_course(visitor.caller.request(message))).await {
        Ok(_) => {
            // Whoever handed it over may not see it any more.
            let to = format!("/courses?done={}", Done::HandedOver.word());
            Redirect::to(&to).into_response()
        }
        Err(failure) => page.refused(&failure),
    }
}

fn end_form(visitor: &Visitor, course: &v1::Course) -> FormPage {
    let t = visitor.t();
    let action = format!("{}/end", path(course.id));
    let mut page = FormPage::new(visitor, &t.course_end_of(&course.code), action, path(course.id));
    page.lead = t.course_end_lead();
    page.submit = t.course_end();
    page
}

pub(super) async fn ask_end(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    match find_running(&dashboard, &visitor, &id).await {
        Ok(course) => end_form(&visitor, &course).show(),
        Err(response) => response,
    }
}

pub(super) async fn end(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Posted(_): Posted,
) -> Response {
    let (told, _) = match find(&dashboard, &visitor, &id).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let course = told.course.unwrap_or_default();
    let message = v1::EndCourseRequest { course_id: course.id, request_id: String::new() };
    let mut client = dashboard.clients().courses();
    match answer(client.end_course(visitor.caller.request(message))).await {
        Ok(_) => to_course(course.id, Done::Ended),
        Err(failure) if failure.kind == FailureKind::NotFound => {
            frame::not_found(&visitor, visitor.t().no_course())
        }
        Err(failure) => end_form(&visitor, &course).refused(&failure),
    }
}
