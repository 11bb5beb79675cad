//! All sites, a line each: where somebody is needed, and for how much of the machines that can be said.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use wire::api::v1;

use crate::clock;
use crate::fleet::{LISTED_MAX, machines, sites};
use crate::floor::floor_path;
use crate::frame::{self, Frame, Here, MissingPart};
use crate::router::Dashboard;
use crate::texts::Texts;
use crate::tile::{self, STATUSES};
use crate::visitor::Visitor;
use crate::words::{self, Reader};

#[derive(Debug, Template)]
#[template(path = "chain.html")]
struct ChainPage {
    frame: Frame,
    t: Texts,
    missing: Vec<MissingPart>,
    lines: Vec<Line>,
    cut: bool,
}

/// One site.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    site: String,
    name: String,
    floor: String,
    /// Its local time.
    time: String,
    /// Machines that need somebody.
    stops: usize,
    /// How long the oldest of them waits. Empty: none does.
    oldest: String,
    /// Machines by status, only those that there are: class, words, number.
    statuses: Vec<(&'static str, &'static str, usize)>,
    /// Machines whose agent is late, gone or was never heard.
    away: usize,
    heard: usize,
    machines: usize,
}

pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    if !visitor.may_anywhere("live") {
        return frame::not_allowed(&visitor);
    }
    let (sites, machines) = tokio::join!(sites(&dashboard, &visitor), machines(&dashboard, &visitor, ""));
    let t = visitor.t();
    if let Ok([only]) = sites.as_deref() {
        return Redirect::to(&floor_path(&only.id)).into_response();
    }
    let mut missing = Vec::new();
    let sites = sites.map_err(|error| missing.push(error)).unwrap_or_default();
    let (states, cut) = machines.map_err(|error| missing.push(error)).unwrap_or_default();
    let status = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let page = ChainPage {
        frame: Frame::of(&visitor, Here::Chain, t.chain()),
        t,
        missing: missing.iter().map(|one| MissingPart::new(one, t, &jiff::tz::TimeZone::UTC)).collect(),
        lines: lines(sites, &states, visitor.reader, clock::now()),
        cut,
    };
    frame::html(status, &page)
}

/// A line for each site; those with the most stops first.
fn lines(
    sites: Vec<v1::Site>,
    states: &[v1::MachineState],
    reader: Reader,
    now: jiff::Timestamp,
) -> Vec<Line> {
    let mut by_site: BTreeMap<&str, Vec<&v1::MachineState>> = BTreeMap::new();
    for state in states {
        let site = state.machine.as_ref().map(|machine| machine.site_id.as_str()).unwrap_or_default();
        by_site.entry(site).or_default().push(state);
    }
    let line = |site: v1::Site| {
        let states = by_site.get(site.id.as_str()).map_or(&[][..], Vec::as_slice);
        line(site, states, reader, now)
    };
    let mut lines: Vec<Line> = sites.into_iter().map(line).collect();
    lines.sort_by(|a, b| b.stops.cmp(&a.stops).then_with(|| a.site.cmp(&b.site)));
    lines
}

fn line(site: v1::Site, states: &[&v1::MachineState], reader: Reader, now: jiff::Timestamp) -> Line {
    let of = |status: v1::Status| states.iter().filter(|state| state.status() == status).count();
    let named = |status: &v1::Status| {
        let (class, words) = tile::status_name(*status, reader);
        (class, words, of(*status))
    };
    let open = states.iter().filter(|state| tile::is_stop(state.status()));
    let oldest = open.clone().filter_map(|state| tile::open_stop(state));
    let oldest = oldest.filter_map(|stop| words::millis(stop.time)).min();
    let heard = states.iter().filter(|state| state.presence() == v1::Presence::Online).count();
    Line {
        name: if site.display_name.is_empty() { site.id.clone() } else { site.display_name },
        floor: floor_path(&site.id),
        time: words::clock(now, &words::zone(&site.time_zone)),
        site: site.id,
        stops: open.count(),
        oldest: oldest.map(|at| reader.age((now.as_millisecond() - at) / 1_000)).unwrap_or_default(),
        statuses: STATUSES.iter().map(named).filter(|(_, _, count)| *count > 0).collect(),
        away: states.len() - heard,
        heard,
        machines: states.len(),
    }
}

#[cfg(test)]
mod tests;
