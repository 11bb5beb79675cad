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
use crate::incidents::{Open, open_by_site, open_path, severity_name};
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
    /// What people have not closed. None: the visitor may not see it.
    incidents: Option<Incidents>,
    /// Whether it can be said that nobody is needed.
    is_quiet: bool,
}

/// What people have not closed at a site.
#[derive(Debug, Default, PartialEq, Eq)]
struct Incidents {
    open: Open,
    /// The list of them.
    href: String,
    severities: Vec<Severe>,
    /// The one that nobody has acknowledged and that waits longest: where it is, what, how long.
    waits: Option<(String, String, String)>,
    proofs_overdue: u32,
}

/// How many of one severity.
#[derive(Debug, PartialEq, Eq)]
struct Severe {
    class: &'static str,
    words: &'static str,
    count: u64,
    not_acknowledged: u64,
}

/// What is known of the incidents of all sites.
#[derive(Debug)]
enum Known {
    Sites(BTreeMap<String, v1::SiteIncidents>),
    /// The visitor may not see them.
    NotSeen,
    /// They cannot be had now.
    Missing,
}

pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    if !visitor.may_anywhere("live") {
        return frame::not_allowed(&visitor);
    }
    let (sites, machines, incidents) = tokio::join!(
        sites(&dashboard, &visitor),
        machines(&dashboard, &visitor, ""),
        open_by_site(&dashboard, &visitor, "")
    );
    let t = visitor.t();
    if let Ok([only]) = sites.as_deref() {
        return Redirect::to(&floor_path(&only.id)).into_response();
    }
    let mut missing = Vec::new();
    let sites = sites.map_err(|error| missing.push(error)).unwrap_or_default();
    let (states, cut) = machines.map_err(|error| missing.push(error)).unwrap_or_default();
    let incidents = match incidents {
        Ok(sites) => sites.map_or(Known::NotSeen, Known::Sites),
        Err(error) => {
            missing.push(error);
            Known::Missing
        }
    };
    let status = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let page = ChainPage {
        frame: Frame::of(&visitor, Here::Chain, t.chain()),
        t,
        missing: missing.iter().map(|one| MissingPart::new(one, t, &jiff::tz::TimeZone::UTC)).collect(),
        lines: lines(sites, &states, &incidents, visitor.reader, clock::now()),
        cut,
    };
    frame::html(status, &page)
}

/// A line for each site; those with the most stops first.
fn lines(
    sites: Vec<v1::Site>,
    states: &[v1::MachineState],
    known: &Known,
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
        let incidents = match known {
            Known::Sites(all) => Some(incidents(&site, all.get(&site.id), reader, now)),
            Known::NotSeen | Known::Missing => None,
        };
        let mut line = line(site, states, reader, now);
        let is_needed = incidents.as_ref().is_some_and(|incidents| incidents.open.is_needed);
        line.is_quiet = line.stops == 0 && !is_needed && !matches!(known, Known::Missing);
        line.incidents = incidents;
        line
    };
    let mut lines: Vec<Line> = sites.into_iter().map(line).collect();
    lines.sort_by(|a, b| {
        let needed = |line: &Line| line.incidents.as_ref().is_some_and(|incidents| incidents.open.is_needed);
        b.stops.cmp(&a.stops).then(needed(b).cmp(&needed(a))).then_with(|| a.site.cmp(&b.site))
    });
    lines
}

fn incidents(
    site: &v1::Site,
    found: Option<&v1::SiteIncidents>,
    reader: Reader,
    now: jiff::Timestamp,
) -> Incidents {
    let href = open_path(&site.id);
    let Some(found) = found else { return Incidents { href, ..Incidents::default() } };
    let severe = |one: &v1::SeverityCount| {
        let (class, words) = severity_name(one.severity(), reader.t);
        Severe { class, words, count: one.count, not_acknowledged: one.open }
    };
    let waits = found.oldest_open.as_ref().map(|oldest| {
        let age = words::millis(oldest.time).map(|at| reader.age((now.as_millisecond() - at) / 1_000));
        let title = reader.t.rule_title(&oldest.rule, &oldest.title).to_owned();
        (oldest.id.clone(), title, age.unwrap_or_default())
    });
    Incidents {
        open: Open::of(found),
        href,
        severities: found.counts.iter().filter(|one| one.count > 0).map(severe).collect(),
        waits,
        proofs_overdue: found.proofs_overdue,
    }
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
        incidents: None,
        is_quiet: false,
    }
}

#[cfg(test)]
mod tests;
