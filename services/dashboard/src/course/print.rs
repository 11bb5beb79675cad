//! A course on paper: one page, black on white, with nothing to click.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::find;
use super::page::Head;
use super::sessions::{SessionLine, by_id};
use super::weeks::{Chart, Week};
use crate::fleet;
use crate::frame;
use crate::incidents::{Places, date_and_time};
use crate::router::Dashboard;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::{assets, clock};

/// Weeks on the page, the newest. More: the page says so.
const WEEKS_MAX: usize = 12;
/// Sessions on the page, the newest. More: the page says so.
const SESSIONS_MAX: usize = 8;

#[derive(Debug, Template)]
#[template(path = "course_print.html")]
struct PrintPage {
    t: Texts,
    id: u64,
    zone: String,
    printed: String,
    head: Head,
    chart: Option<Chart>,
    weeks: Vec<Week>,
    weeks_cut: String,
    sessions: Vec<SessionLine>,
    sessions_cut: String,
}

impl PrintPage {
    /// Columns of what is held against what is prescribed; empty: nothing is.
    fn columns(&self) -> Vec<&str> {
        let held = self.weeks.iter().find(|week| !week.compared.is_empty());
        held.iter().flat_map(|week| &week.compared).map(|one| one.name.as_str()).collect()
    }

    fn asset(&self, name: &str) -> &'static str {
        assets::address(name)
    }
}

pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
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
    // Without their names machines are told by their ids.
    let (states, _) = fleet::machines(&dashboard, &visitor, &course.site_id).await.unwrap_or_default();
    let machines = by_id(states);
    let skipped = told.weeks.len().saturating_sub(WEEKS_MAX);
    let weeks = &told.weeks[skipped..];
    let total = usize::try_from(told.sessions_total).unwrap_or(usize::MAX);
    let sessions = &told.sessions[..told.sessions.len().min(SESSIONS_MAX)];
    let page = PrintPage {
        t,
        id: course.id,
        zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        printed: t.print_at(date_and_time(clock::now(), &zone)),
        head: Head::new(&told, &places, &zone, reader),
        chart: Chart::new(weeks, reader),
        weeks: weeks.iter().rev().map(|week| Week::new(week, reader)).collect(),
        weeks_cut: if skipped > 0 {
            t.course_weeks_cut(weeks.len(), told.weeks.len())
        } else {
            String::new()
        },
        sessions: sessions
            .iter()
            .map(|one| SessionLine::of_course(one, &machines, &zone, &visitor))
            .collect(),
        sessions_cut: if sessions.len() < total {
            t.course_sessions_cut(sessions.len(), total)
        } else {
            String::new()
        },
    };
    frame::packed_html(StatusCode::OK, &page, &headers)
}
