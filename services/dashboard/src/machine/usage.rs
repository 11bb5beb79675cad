//! What a machine's belt did in the last four weeks.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::call::answer;
use crate::clock;
use crate::frame::{self, MissingPart};
use crate::outage::Part;
use crate::router::Dashboard;
use crate::texts::Texts;
use crate::usage::figures::{self, Key, Kind, Piece, Split};
use crate::usage::ranking::is_blind;
use crate::usage::{Filter, Page, Span, sentences};
use crate::visitor::Visitor;

/// What was done, or why it cannot be shown.
#[derive(Debug, Template)]
#[template(path = "usage_machine.html")]
pub(super) struct UsagePart {
    t: Texts,
    id: String,
    missing: Option<MissingPart>,
    /// Where more of it is.
    href: String,
    lines: Vec<String>,
    coverage: Vec<String>,
    strip: Vec<Piece>,
    /// Kinds of motion with how much of each.
    kinds: Vec<(Key, String)>,
    is_blind: bool,
}

pub(super) async fn usage(
    dashboard: &Dashboard,
    visitor: &Visitor,
    machine: &str,
    zone: &TimeZone,
    now: Timestamp,
) -> UsagePart {
    let (t, reader) = (visitor.t(), visitor.reader);
    let filter = Filter { machine: machine.to_owned(), ..Filter::default() };
    let message = v1::GetUsageRequest {
        scope: Some(filter.scope()),
        range: Span::FourWeeks.range(now.to_zoned(zone.clone()).date()),
        ..v1::GetUsageRequest::default()
    };
    let mut client = dashboard.clients().usage();
    let asked = answer(client.get_usage(visitor.caller.request(message))).await;
    let mut part = UsagePart {
        t,
        id: machine.to_owned(),
        missing: None,
        href: filter.address(Page::Usage),
        lines: Vec::new(),
        coverage: Vec::new(),
        strip: Vec::new(),
        kinds: Vec::new(),
        is_blind: false,
    };
    match dashboard.outages().note(Part::Usage, asked) {
        Ok(told) => {
            let total = told.total.unwrap_or_default();
            let split = Split::of(&total);
            let moved = Kind::ALL.into_iter().filter(|kind| split.get(*kind) > 0.0);
            part.kinds = moved.map(|kind| (Key::of(kind, t), split.cell(kind, reader))).collect();
            part.lines = sentences(&total, reader).into_iter().take(1).collect();
            part.strip = figures::strip(&split, split.motion());
            let coverage =
                total.coverage.as_ref().map(|coverage| figures::machine_coverage(coverage, reader));
            part.coverage = coverage.unwrap_or_default();
            part.is_blind = is_blind(&total);
        }
        Err(missing) => part.missing = Some(MissingPart::new(&missing, t, zone)),
    }
    part
}

/// The part with the usage, to be shown anew.
pub(crate) async fn part(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    match super::find(&dashboard, &visitor, &id).await {
        Ok(found) if visitor.may("history", &found.machine.site_id) => {
            let part = usage(&dashboard, &visitor, &id, &found.zone, clock::now()).await;
            frame::html(StatusCode::OK, &part)
        }
        Ok(_) => frame::not_allowed(&visitor),
        Err(response) => response,
    }
}
