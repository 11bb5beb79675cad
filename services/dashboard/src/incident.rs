//! One incident: what happened, what to do, and what is evidence of it.

mod facts;
mod measure;
mod trace;

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::call::{FailureKind, answer};
use crate::fleet::{machine_names, sites};
use crate::frame::{self, Frame, Here, MissingPart};
use crate::incidents::Places;
use crate::outage::Part;
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words::Reader;

use facts::Facts;
use trace::Trace;

#[derive(Debug, Template)]
#[template(path = "incident.html")]
struct IncidentPage {
    frame: Frame,
    t: Texts,
    reader: Reader,
    id: String,
    machine: String,
    facts: Facts,
    /// Whether the visitor may look at the machine.
    has_page: bool,
    zone: String,
    missing: Vec<MissingPart>,
    /// Whether more of it is to come.
    is_open: bool,
}

impl IncidentPage {
    fn unit(&self) -> &'static str {
        self.reader.unit.name()
    }
}

/// The incident, or the page that says why there is none.
async fn ask(
    dashboard: &Dashboard,
    visitor: &Visitor,
    id: &str,
) -> Result<v1::GetIncidentResponse, Response> {
    let t = visitor.t();
    if !visitor.may_anywhere("history") {
        return Err(frame::not_allowed(visitor));
    }
    let mut client = dashboard.clients().incidents();
    let message = v1::GetIncidentRequest { incident_id: id.to_owned() };
    let asked = answer(client.get_incident(visitor.caller.request(message))).await;
    match dashboard.outages().note(Part::Incident, asked) {
        Ok(found) => Ok(found),
        Err(missing) => Err(match missing.failure.kind {
            // An id that is none belongs to no incident.
            FailureKind::NotFound | FailureKind::Wrong => frame::not_found(visitor, t.no_incident()),
            FailureKind::NotAllowed => frame::not_allowed(visitor),
            FailureKind::SignedOut | FailureKind::TooMany | FailureKind::Outage => {
                frame::missing_page(status(&missing.failure), t, &missing)
            }
        }),
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let (found, sites) = tokio::join!(ask(&dashboard, &visitor, &id), sites(&dashboard, &visitor));
    let found = match found {
        Ok(found) => found,
        Err(page) => return page,
    };
    let t = visitor.t();
    let incident = found.incident.clone().unwrap_or_default();
    let mut missing = Vec::new();
    let sites = sites.map_err(|error| missing.push(MissingPart::new(&error, t, &TimeZone::UTC)));
    let places = Places::new(&sites.unwrap_or_default());
    let machines = if visitor.may("live", &incident.site_id) {
        BTreeSet::from([incident.machine_id.as_str()])
    } else {
        BTreeSet::new()
    };
    let names = machine_names(&dashboard, &visitor, machines).await;
    let name = names.get(&incident.machine_id).unwrap_or(&incident.machine_id);
    let facts = Facts::new(&found, name, &places, visitor.reader);
    let page = IncidentPage {
        frame: Frame::of(&visitor, Here::Incidents, &facts.heading),
        t,
        reader: visitor.reader,
        zone: places.zone(&incident.site_id).iana_name().unwrap_or("UTC").to_owned(),
        is_open: incident.state() == v1::IncidentState::Active
            || found.readings_incomplete
            || (incident.has_recording && !found.recording_complete && !facts.late),
        has_page: names.contains_key(&incident.machine_id),
        machine: incident.machine_id,
        id: incident.id,
        facts,
        missing,
    };
    let code = if page.missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    frame::packed_html(code, &page, &headers)
}

/// The belt around it, for the chart.
pub(crate) async fn trace(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let found = match ask(&dashboard, &visitor, &id).await {
        Ok(found) => found,
        Err(page) => return page,
    };
    match serde_json::to_string(&Trace::new(&found, visitor.reader)) {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
