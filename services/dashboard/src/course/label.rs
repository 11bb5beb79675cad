//! Putting sessions of the last days on courses: one form a session.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::tz::TimeZone;
use serde::Deserialize;
use wire::api::v1;

use super::sessions::{SessionLine, by_id};
use super::{Done, is_for, path, sites};
use crate::call::{Failure, FailureKind, answer};
use crate::form::Posted;
use crate::frame::{self, Frame, Here, MissingPart};
use crate::incidents::Places;
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::{fleet, tile};

/// Sessions on one page.
const PAGE: i32 = 50;
/// Courses that are offered for a session, the newest. More: the page says so.
const COURSES: i32 = 1_000;

/// Which sessions; without a site those of the first one.
#[derive(Debug, Default, Deserialize)]
pub(super) struct At {
    #[serde(default)]
    site: String,
    #[serde(default)]
    page: String,
    #[serde(default)]
    done: String,
}

fn address(site: &str, page: &str, done: Option<Done>) -> String {
    let fields = [("site", site), ("page", page), ("done", done.map_or("", Done::word))];
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(fields.into_iter().filter(|(_, value)| !value.is_empty()));
    format!("/courses/label?{}", query.finish())
}

#[derive(Debug, Template)]
#[template(path = "course_label.html")]
struct LabelPage {
    frame: Frame,
    t: Texts,
    done: &'static str,
    /// What went wrong and belongs to no row.
    error: String,
    missing: Vec<MissingPart>,
    /// Sites to choose from: id, name, whether it is chosen.
    sites: Vec<(String, String, bool)>,
    site: String,
    page: String,
    has_courses: bool,
    courses_cut: String,
    rows: Vec<Row>,
    newest: String,
    older: String,
}

/// A session, and the courses that it can be put on.
#[derive(Debug)]
struct Row {
    session: SessionLine,
    /// Id, words, whether it is on it.
    courses: Vec<(u64, String, bool)>,
    is_on_one: bool,
    error: String,
}

/// A form that was refused: for which session, why, and the answer's status.
#[derive(Debug)]
struct Refused {
    session: String,
    words: String,
    code: StatusCode,
}

pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Query(at): Query<At>,
    headers: HeaderMap,
) -> Response {
    if !is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    page(&dashboard, &visitor, at, None, &headers).await
}

type Told = (Result<v1::ListLabelSessionsResponse, Missing>, Result<v1::ListCoursesResponse, Missing>);

async fn ask(dashboard: &Dashboard, visitor: &Visitor, site: &str, page: &str) -> Told {
    let (mut one, mut other) = (dashboard.clients().courses(), dashboard.clients().courses());
    let sessions = v1::ListLabelSessionsRequest {
        site_id: site.to_owned(),
        machine_id: String::new(),
        page_size: PAGE,
        page_token: page.to_owned(),
    };
    let courses = v1::ListCoursesRequest {
        site_id: site.to_owned(),
        with_ended: false,
        page_size: COURSES,
        page_token: String::new(),
    };
    let (sessions, courses) = tokio::join!(
        answer(one.list_label_sessions(visitor.caller.request(sessions))),
        answer(other.list_courses(visitor.caller.request(courses))),
    );
    (
        dashboard.outages().note(Part::LabelSessions, sessions),
        dashboard.outages().note(Part::Courses, courses),
    )
}

async fn page(
    dashboard: &Dashboard,
    visitor: &Visitor,
    mut at: At,
    refused: Option<Refused>,
    headers: &HeaderMap,
) -> Response {
    let t = visitor.t();
    let sites = match sites(dashboard, visitor).await {
        Ok(sites) => sites,
        Err(missing) => return frame::missing_page(status(&missing.failure), t, &missing),
    };
    if at.site.is_empty() {
        at.site = sites.first().map(|site| site.id.clone()).unwrap_or_default();
    }
    let Some(site) = sites.iter().find(|site| site.id == at.site) else {
        let words = if at.site.is_empty() { t.label_no_site() } else { t.no_site() };
        return frame::not_found(visitor, words);
    };
    let ((sessions, courses), machines) = tokio::join!(
        ask(dashboard, visitor, &site.id, &at.page),
        fleet::machines(dashboard, visitor, &site.id)
    );
    if let Err(missing) = &sessions
        && matches!(missing.failure.kind, FailureKind::Wrong | FailureKind::NotFound)
    {
        return frame::not_found(visitor, t.label_page_gone());
    }
    let mut lost = Vec::new();
    let sessions = sessions.map_err(|one| lost.push(one)).unwrap_or_default();
    let courses = courses.map_err(|one| lost.push(one)).unwrap_or_default();
    let (states, _) = machines.map_err(|one| lost.push(one)).unwrap_or_default();
    let places = Places::new(&sites);
    let (machines, zone) = (by_id(states), places.zone(&site.id));
    let mut rows: Vec<Row> = sessions
        .sessions
        .iter()
        .map(|told| {
            let session = told.session.clone().unwrap_or_default();
            let session = SessionLine::bare(&session, &machines, &zone, visitor);
            let courses = choices(&courses.courses, told, visitor);
            Row { session, courses, is_on_one: told.course_id != 0, error: String::new() }
        })
        .collect();
    let error = refused.as_ref().map_or("", |one| put(&mut rows, one));
    let code = lost.first().map_or(StatusCode::OK, |missing| status(&missing.failure));
    let shown = LabelPage {
        frame: Frame::of(visitor, Here::Courses, t.label_sessions()),
        t,
        done: Done::read(&at.done, t),
        error: error.to_owned(),
        missing: lost.iter().map(|one| MissingPart::new(one, t, &TimeZone::UTC)).collect(),
        sites: offered(&sites, &places, &at.site),
        has_courses: !courses.courses.is_empty(),
        courses_cut: match courses.next_page_token.as_str() {
            "" => String::new(),
            _ => t.courses_cut(courses.courses.len()),
        },
        rows,
        newest: if at.page.is_empty() { String::new() } else { address(&at.site, "", None) },
        older: match sessions.next_page_token.as_str() {
            "" => String::new(),
            token => address(&at.site, token, None),
        },
        site: at.site,
        page: at.page,
    };
    frame::packed_html(refused.map_or(code, |one| one.code), &shown, headers)
}

/// Sites to choose from: id, name, whether it is chosen.
fn offered(sites: &[v1::Site], places: &Places, chosen: &str) -> Vec<(String, String, bool)> {
    let offer = |site: &v1::Site| (site.id.clone(), places.name(&site.id).to_owned(), site.id == chosen);
    sites.iter().map(offer).collect()
}

/// Puts what was refused at its session; gives the words if that is not on the page.
fn put<'a>(rows: &mut [Row], refused: &'a Refused) -> &'a str {
    match rows.iter_mut().find(|row| row.session.id == refused.session) {
        Some(row) => {
            row.error.clone_from(&refused.words);
            ""
        }
        None => &refused.words,
    }
}

/// Courses that a session can be put on: those that go on, and the one that it is on.
fn choices(
    running: &[v1::Course],
    told: &v1::LabelledSession,
    visitor: &Visitor,
) -> Vec<(u64, String, bool)> {
    let t = visitor.t();
    let own = visitor.user.as_ref().map(|user| format!("user:{}", user.name)).unwrap_or_default();
    let choice = |course: &v1::Course| {
        let words = if course.owner == own {
            course.code.clone()
        } else {
            t.label_course_owner(&course.code, tile::person(&course.owner))
        };
        (course.id, words, course.id == told.course_id)
    };
    let mut choices: Vec<(u64, String, bool)> = running.iter().map(choice).collect();
    if told.course_id != 0 && !choices.iter().any(|(_, _, is_on)| *is_on) {
        choices.insert(0, (told.course_id, t.label_course_ended(&told.code), true));
    }
    choices
}

/// Puts a session on a course, or takes it off.
pub(super) async fn label(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    headers: HeaderMap,
    Posted(typed): Posted,
) -> Response {
    let t = visitor.t();
    if !is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    let Ok(course_id) = typed.get("course").parse::<u64>() else {
        return frame::form_refused(t);
    };
    let session = typed.get("session").to_owned();
    let message =
        v1::LabelSessionRequest { session_id: session.clone(), course_id, request_id: String::new() };
    let mut client = dashboard.clients().courses();
    let done = if course_id == 0 { Done::TakenOff } else { Done::Labelled };
    // A page of a course takes its sessions off; the list does both.
    let from = typed.get("from").parse::<u64>().ok();
    let (site, at_page) = (typed.get("site"), typed.get("page"));
    match answer(client.label_session(visitor.caller.request(message))).await {
        Ok(_) => {
            let to = match from {
                Some(course) => format!("{}?done={}#sessions", path(course), done.word()),
                None => format!("{}{}", address(site, at_page, Some(done)), anchor(&session)),
            };
            Redirect::to(&to).into_response()
        }
        Err(failure) if failure.kind == FailureKind::NotAllowed => frame::not_allowed(&visitor),
        Err(failure) if from.is_some() => {
            let frame = Frame::of(&visitor, Here::Courses, t.failed_title());
            frame::message(status(&failure), frame, &why(&failure, t))
        }
        Err(failure) => {
            let refused = Refused { session, words: why(&failure, t), code: status(&failure) };
            let at = At { site: site.to_owned(), page: at_page.to_owned(), done: String::new() };
            page(&dashboard, &visitor, at, Some(refused), &headers).await
        }
    }
}

/// Where on the page a session is; empty: its id is none of ours.
fn anchor(session: &str) -> String {
    let is_id = !session.is_empty() && session.bytes().all(|octet| octet.is_ascii_alphanumeric());
    if is_id { format!("#s-{session}") } else { String::new() }
}

fn why(failure: &Failure, t: Texts) -> String {
    match failure.kind {
        FailureKind::Wrong => t.label_refused().to_owned(),
        FailureKind::NotFound => t.label_gone().to_owned(),
        FailureKind::SignedOut | FailureKind::NotAllowed | FailureKind::TooMany | FailureKind::Outage => {
            failure.words(t)
        }
    }
}
