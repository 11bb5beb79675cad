//! Courses: sessions of one person under a code that names nobody, week by week against what was prescribed.
//!
//! The API decides which courses somebody sees. These pages say what belts did, never what it means for a body.

mod change;
mod form;
mod label;
mod list;
mod page;
mod prescribed;
mod print;
mod sessions;
mod weeks;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use jiff::tz::TimeZone;
use serde::Deserialize;
use wire::api::v1;

use crate::call::{FailureKind, answer};
use crate::fleet;
use crate::frame;
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words;

/// All pages of courses.
pub(crate) fn routes() -> Router<Dashboard> {
    Router::new()
        .route("/courses", get(list::show))
        .route("/courses/add", get(change::show_make).post(change::make))
        .route("/courses/label", get(label::show).post(label::label))
        .route("/courses/{course}", get(page::show))
        .route("/courses/{course}/prescription", get(change::show_prescribe).post(change::prescribe))
        .route("/courses/{course}/owner", get(change::show_hand_over).post(change::hand_over))
        .route("/courses/{course}/end", get(change::ask_end).post(change::end))
        .route("/courses/{course}/print", get(print::show))
}

/// Whether the visitor may have courses anywhere.
pub(crate) fn is_for(visitor: &Visitor) -> bool {
    visitor.may_anywhere("courses")
}

/// Where a course is.
fn path(id: u64) -> String {
    format!("/courses/{id}")
}

/// What was done before a page was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Made,
    Changed,
    HandedOver,
    Ended,
    Labelled,
    TakenOff,
}

impl Done {
    const ALL: [Done; 6] =
        [Done::Made, Done::Changed, Done::HandedOver, Done::Ended, Done::Labelled, Done::TakenOff];

    /// Its word in addresses.
    fn word(self) -> &'static str {
        match self {
            Done::Made => "made",
            Done::Changed => "changed",
            Done::HandedOver => "handed-over",
            Done::Ended => "ended",
            Done::Labelled => "labelled",
            Done::TakenOff => "taken-off",
        }
    }

    fn words(self, t: Texts) -> &'static str {
        match self {
            Done::Made => t.course_done_made(),
            Done::Changed => t.course_done_changed(),
            Done::HandedOver => t.course_done_handed(),
            Done::Ended => t.course_done_ended(),
            Done::Labelled => t.course_done_labelled(),
            Done::TakenOff => t.course_done_taken(),
        }
    }

    /// What an address says was done, in words; empty: nothing.
    fn read(word: &str, t: Texts) -> &'static str {
        Done::ALL.into_iter().find(|done| done.word() == word).map_or("", |done| done.words(t))
    }
}

/// What the address of a page says was done.
#[derive(Debug, Default, Deserialize)]
struct After {
    #[serde(default)]
    done: String,
}

/// A course that the visitor may see, and the zone of its site.
async fn find(
    dashboard: &Dashboard,
    visitor: &Visitor,
    id: &str,
) -> Result<(v1::GetCourseResponse, Vec<v1::Site>), Response> {
    if !is_for(visitor) {
        return Err(frame::not_allowed(visitor));
    }
    let Ok(course_id) = id.parse::<u64>() else {
        return Err(frame::not_found(visitor, visitor.t().no_course()));
    };
    let mut client = dashboard.clients().courses();
    let asked = answer(client.get_course(visitor.caller.request(v1::GetCourseRequest { course_id })));
    let (asked, sites) = tokio::join!(asked, fleet::sites(dashboard, visitor));
    match dashboard.outages().note(Part::Course, asked) {
        // Without its site a course is shown all the same, with times of UTC.
        Ok(told) => Ok((told, sites.unwrap_or_default())),
        Err(missing) => Err(refused(visitor, &missing, visitor.t().no_course())),
    }
}

/// Why a page about one thing cannot be shown.
fn refused(visitor: &Visitor, missing: &Missing, none: &str) -> Response {
    match missing.failure.kind {
        FailureKind::NotFound => frame::not_found(visitor, none),
        FailureKind::NotAllowed => frame::not_allowed(visitor),
        FailureKind::SignedOut | FailureKind::Wrong | FailureKind::TooMany | FailureKind::Outage => {
            frame::missing_page(status(&missing.failure), visitor.t(), missing)
        }
    }
}

/// Sites at which the visitor may have courses.
async fn sites(dashboard: &Dashboard, visitor: &Visitor) -> Result<Vec<v1::Site>, Missing> {
    let mut sites = fleet::sites(dashboard, visitor).await?;
    sites.retain(|site| visitor.may("courses", &site.id));
    Ok(sites)
}

/// The day of a moment; empty: there is none.
fn day(time: Option<prost_types::Timestamp>, zone: &TimeZone) -> String {
    words::moment(time).map(|at| at.to_zoned(zone.clone()).date().to_string()).unwrap_or_default()
}

/// Day, hours and minutes of a moment; empty: there is none.
fn day_and_time(time: Option<prost_types::Timestamp>, zone: &TimeZone) -> String {
    let at = words::moment(time).map(|at| at.to_zoned(zone.clone()));
    at.map(|at| at.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
