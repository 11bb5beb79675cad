//! One course: week by week, and its sessions.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::tz::TimeZone;
use wire::api::v1;

use super::sessions::{SessionLine, by_id};
use super::weeks::{Chart, Week, kinds};
use super::{After, Done, day, find, prescribed};
use crate::fleet;
use crate::frame::{self, Frame, Here, MissingPart};
use crate::incidents::{Places, date_and_time};
use crate::router::Dashboard;
use crate::texts::Texts;
use crate::tile;
use crate::usage::figures::Key;
use crate::visitor::Visitor;
use crate::words::{self, Reader};

/// What stands above everything else of a course.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) code: String,
    pub(super) site: String,
    pub(super) owner: String,
    pub(super) since: String,
    /// Empty: it goes on.
    pub(super) ended: String,
    pub(super) prescribed: String,
    pub(super) as_of: String,
}

impl Head {
    pub(super) fn new(
        told: &v1::GetCourseResponse,
        places: &Places,
        zone: &TimeZone,
        reader: Reader,
    ) -> Head {
        let t = reader.t;
        let course = told.course.clone().unwrap_or_default();
        let lines = prescribed::lines(course.prescription.as_ref(), reader);
        Head {
            site: places.name(&course.site_id).to_owned(),
            owner: tile::person(&course.owner).to_owned(),
            since: day(course.create_time, zone),
            ended: match course.end_time {
                Some(_) => t.course_ended_on(day(course.end_time, zone)),
                None => String::new(),
            },
            prescribed: if lines.is_empty() { t.prescribed_none().to_owned() } else { lines.join(", ") },
            as_of: match words::moment(told.as_of) {
                Some(at) => t.usage_as_of(date_and_time(at, zone)),
                None => t.course_as_of_none().to_owned(),
            },
            code: course.code,
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "course.html")]
struct CoursePage {
    frame: Frame,
    t: Texts,
    id: u64,
    site_id: String,
    done: &'static str,
    missing: Vec<MissingPart>,
    head: Head,
    chart: Option<Chart>,
    /// Newest first.
    weeks: Vec<Week>,
    sessions: Vec<SessionLine>,
    /// Says that there are more; empty: there are none.
    cut: String,
}

impl CoursePage {
    fn kinds(&self) -> [Key; 2] {
        kinds(self.t)
    }
}

pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(After { done }): Query<After>,
    headers: HeaderMap,
) -> Response {
    let (told, sites) = match find(&dashboard, &visitor, &id).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let (reader, t) = (visitor.reader, visitor.t());
    let course = told.course.clone().unwrap_or_default();
    let places = Places::new(&sites);
    let zone = places.zone(&course.site_id);
    let asked = fleet::machines(&dashboard, &visitor, &course.site_id).await;
    let mut missing = Vec::new();
    let (states, _) = asked.map_err(|one| missing.push(MissingPart::new(&one, t, &zone))).unwrap_or_default();
    let machines = by_id(states);
    let line = |one| SessionLine::of_course(one, &machines, &zone, &visitor);
    let is_cut = told.sessions.len() < usize::try_from(told.sessions_total).unwrap_or(usize::MAX);
    let page = CoursePage {
        frame: Frame::of(&visitor, Here::Courses, &t.course_of(&course.code)),
        t,
        id: course.id,
        site_id: course.site_id,
        done: Done::read(&done, t),
        missing,
        head: Head::new(&told, &places, &zone, reader),
        chart: Chart::new(&told.weeks, reader),
        weeks: told.weeks.iter().rev().map(|week| Week::new(week, reader)).collect(),
        sessions: told.sessions.iter().map(line).collect(),
        cut: if is_cut {
            t.course_sessions_cut(told.sessions.len(), told.sessions_total)
        } else {
            String::new()
        },
    };
    frame::packed_html(StatusCode::OK, &page, &headers)
}
