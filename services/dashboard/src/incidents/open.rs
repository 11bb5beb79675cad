//! How many incidents of sites need somebody: for the floor and the chain.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use wire::api::v1;

use super::filter::Filter;
use crate::call::{FailureKind, answer};
use crate::frame;
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::texts::Texts;
use crate::visitor::Visitor;

/// What a site has open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Open {
    pub(crate) count: u64,
    /// Whether one of them is at least medium: then it cannot be said that nobody is needed.
    pub(crate) is_needed: bool,
}

impl Open {
    pub(crate) fn of(site: &v1::SiteIncidents) -> Open {
        let is_medium = |one: &v1::SeverityCount| one.severity() >= v1::Severity::Medium && one.count > 0;
        Open {
            count: site.counts.iter().map(|one| one.count).sum(),
            is_needed: site.counts.iter().any(is_medium),
        }
    }
}

/// What sites have open, by their ids; of all sites if none is named. None: the visitor may not see it.
pub(crate) async fn by_site(
    dashboard: &Dashboard,
    visitor: &Visitor,
    site: &str,
) -> Result<Option<BTreeMap<String, v1::SiteIncidents>>, Missing> {
    let mut client = dashboard.clients().incidents();
    let message = v1::ListSiteIncidentsRequest { site_id: site.to_owned() };
    let asked = answer(client.list_site_incidents(visitor.caller.request(message))).await;
    match dashboard.outages().note(Part::SiteIncidents, asked) {
        Ok(answer) => Ok(Some(answer.sites.into_iter().map(|site| (site.site_id.clone(), site)).collect())),
        Err(missing) if missing.failure.kind == FailureKind::NotAllowed => Ok(None),
        Err(missing) => Err(missing),
    }
}

/// The list of what needs somebody at a site.
pub(crate) fn path(site: &str) -> String {
    Filter { site: site.to_owned(), ..Filter::default() }.address()
}

/// The part of a floor that leads to the incidents of its site.
#[derive(Debug, Template)]
#[template(path = "incidents_open.html")]
pub(crate) struct OpenPart {
    t: Texts,
    pub(crate) site: String,
    href: String,
    open: Open,
    /// Whether it is known.
    is_known: bool,
    is_seen: bool,
}

impl OpenPart {
    pub(crate) async fn ask(dashboard: &Dashboard, visitor: &Visitor, site: &str) -> OpenPart {
        let asked = by_site(dashboard, visitor, site).await;
        let is_seen = visitor.may("history", site) && !matches!(asked, Ok(None));
        let is_known = asked.is_ok();
        let open = asked.ok().flatten().and_then(|sites| sites.get(site).map(Open::of));
        OpenPart {
            t: visitor.t(),
            href: path(site),
            site: site.to_owned(),
            open: open.unwrap_or_default(),
            is_known,
            is_seen,
        }
    }
}

/// The same by itself, for a floor that is open for long.
pub(crate) async fn count_open(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(site): Path<String>,
) -> Response {
    if !visitor.may("live", &site) {
        return frame::not_allowed(&visitor);
    }
    frame::html(StatusCode::OK, &OpenPart::ask(&dashboard, &visitor, &site).await)
}
