//! The courses that the visitor may see, newest first.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::tz::TimeZone;
use serde::Deserialize;
use wire::api::v1;

use super::{Done, day, is_for, path, sites};
use crate::call::{FailureKind, answer};
use crate::frame::{self, Frame, Here, MissingPart};
use crate::incidents::Places;
use crate::outage::Part;
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::tile;
use crate::visitor::Visitor;
use crate::words::Reader;

/// Courses on one page.
const PAGE: i32 = 100;

/// Which courses; what is empty asks for all that go on.
#[derive(Debug, Default, Deserialize)]
pub(super) struct At {
    #[serde(default)]
    site: String,
    #[serde(default)]
    ended: String,
    #[serde(default)]
    page: String,
    #[serde(default)]
    done: String,
}

impl At {
    fn with_ended(&self) -> bool {
        self.ended == "yes"
    }

    /// The site as the end of another address; empty: none is chosen.
    fn site_only(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs([("site", &self.site)].iter().filter(|(_, site)| !site.is_empty()));
        let query = query.finish();
        if query.is_empty() { query } else { format!("?{query}") }
    }

    /// The same list, at another page.
    fn address(&self, page: &str) -> String {
        let ended = if self.with_ended() { "yes" } else { "" };
        let fields = [("site", self.site.as_str()), ("ended", ended), ("page", page)];
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(fields.into_iter().filter(|(_, value)| !value.is_empty()));
        let query = query.finish();
        if query.is_empty() { "/courses".to_owned() } else { format!("/courses?{query}") }
    }
}

#[derive(Debug, Template)]
#[template(path = "courses.html")]
struct ListPage {
    frame: Frame,
    t: Texts,
    done: &'static str,
    missing: Vec<MissingPart>,
    /// Sites to choose from: id, name, whether it is chosen.
    sites: Vec<(String, String, bool)>,
    /// What other addresses say of the site that is chosen; empty: none is.
    at_site: String,
    with_ended: bool,
    rows: Vec<Row>,
    /// Where the list begins and where it goes on; empty: here, nowhere.
    newest: String,
    older: String,
}

/// One course.
#[derive(Debug)]
struct Row {
    code: String,
    href: String,
    state: String,
    prescribed: String,
    owner: String,
    since: String,
    site: String,
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
    let t = visitor.t();
    let message = v1::ListCoursesRequest {
        site_id: at.site.clone(),
        with_ended: at.with_ended(),
        page_size: PAGE,
        page_token: at.page.clone(),
    };
    let mut client = dashboard.clients().courses();
    let asked = answer(client.list_courses(visitor.caller.request(message)));
    let (asked, sites) = tokio::join!(asked, sites(&dashboard, &visitor));
    let mut lost = Vec::new();
    let listed = match dashboard.outages().note(Part::Courses, asked) {
        Ok(listed) => listed,
        Err(missing) => match missing.failure.kind {
            FailureKind::NotFound => return frame::not_found(&visitor, t.no_site()),
            FailureKind::Wrong => return frame::not_found(&visitor, t.courses_page_gone()),
            FailureKind::NotAllowed => return frame::not_allowed(&visitor),
            FailureKind::SignedOut | FailureKind::TooMany | FailureKind::Outage => {
                lost.push(missing);
                v1::ListCoursesResponse::default()
            }
        },
    };
    let sites = sites.map_err(|one| lost.push(one)).unwrap_or_default();
    let places = Places::new(&sites);
    let code = lost.first().map_or(StatusCode::OK, |missing| status(&missing.failure));
    let page = ListPage {
        frame: Frame::of(&visitor, Here::Courses, t.courses()),
        t,
        done: Done::read(&at.done, t),
        missing: lost.iter().map(|one| MissingPart::new(one, t, &TimeZone::UTC)).collect(),
        sites: sites
            .iter()
            .map(|one| (one.id.clone(), places.name(&one.id).to_owned(), one.id == at.site))
            .collect(),
        with_ended: at.with_ended(),
        rows: listed.courses.iter().map(|course| row(course, &places, visitor.reader)).collect(),
        newest: if at.page.is_empty() { String::new() } else { at.address("") },
        older: match listed.next_page_token.as_str() {
            "" => String::new(),
            token => at.address(token),
        },
        at_site: at.site_only(),
    };
    frame::packed_html(code, &page, &headers)
}

fn row(course: &v1::Course, places: &Places, reader: Reader) -> Row {
    let t = reader.t;
    let zone = places.zone(&course.site_id);
    Row {
        code: course.code.clone(),
        href: path(course.id),
        state: match course.end_time {
            Some(_) => t.course_ended_on(day(course.end_time, &zone)),
            None => t.course_goes_on().to_owned(),
        },
        prescribed: super::prescribed::lines(course.prescription.as_ref(), reader).join(", "),
        owner: tile::person(&course.owner).to_owned(),
        since: day(course.create_time, &zone),
        site: places.name(&course.site_id).to_owned(),
    }
}
