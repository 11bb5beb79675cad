//! One machine: its speed now and of the last minutes, contacts, events, sessions of today, and its agent.

mod agent;
mod chart;
mod history;
mod incidents;
pub(crate) mod maintained;
pub(crate) mod service;
mod stop_chart;
pub(crate) mod stops;
pub(crate) mod usage;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::administration::Origin;
use crate::call::{FailureKind, answer};
use crate::clock;
use crate::fleet::sites;
use crate::floor::floor_path;
use crate::frame::{self, Frame, Here, MissingPart};
use crate::outage::Part;
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::tile::{self, Tile};
use crate::visitor::Visitor;
use crate::words::{self, Reader};

use agent::AgentPart;
pub(crate) use agent::{belt as belt_words, presence as presence_words};
use history::{EventsPart, SessionsPart};
use incidents::IncidentsPart;
use service::ServicePart;
use stops::{StopsPart, TagPart};
use usage::UsagePart;

#[derive(Debug, Template)]
#[template(path = "machine.html")]
struct MachinePage {
    frame: Frame,
    t: Texts,
    reader: Reader,
    id: String,
    tile: Tile,
    floor: String,
    zone: String,
    agent: AgentPart,
    /// The newest stop in words, and who has seen to it.
    last_stop: String,
    seen_by: String,
    missing: Vec<MissingPart>,
    service: ServicePart,
    tag: TagPart,
    /// None: the visitor may not see the history.
    usage: Option<UsagePart>,
    stops: Option<StopsPart>,
    events: Option<EventsPart>,
    sessions: Option<SessionsPart>,
    incidents: Option<IncidentsPart>,
    now_ms: i64,
}

impl MachinePage {
    fn aged(&self) -> String {
        self.reader.aged(&self.tile.why, self.tile.since, self.now_ms)
    }

    fn unit(&self) -> &'static str {
        self.reader.unit.name()
    }
}

/// A machine that may be shown, and the zone of its site.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) state: v1::MachineState,
    pub(crate) machine: v1::Machine,
    /// Name of its site.
    pub(crate) site: String,
    pub(crate) zone: TimeZone,
    missing: Vec<MissingPart>,
}

impl Found {
    /// Name for people.
    pub(crate) fn name(&self) -> &str {
        let machine = &self.machine;
        if machine.display_name.is_empty() { &machine.id } else { &machine.display_name }
    }
}

/// A machine that the visitor may see.
pub(crate) async fn find(dashboard: &Dashboard, visitor: &Visitor, id: &str) -> Result<Found, Response> {
    let t = visitor.t();
    let mut client = dashboard.clients().fleet();
    let message = v1::GetMachineRequest { machine_id: id.to_owned() };
    let asked = answer(client.get_machine(visitor.caller.request(message)));
    let (asked, sites) = tokio::join!(asked, sites(dashboard, visitor));
    let state = match dashboard.outages().note(Part::Machine, asked) {
        Ok(found) => found.machine.unwrap_or_default(),
        Err(missing) if missing.failure.kind == FailureKind::NotFound => {
            return Err(frame::not_found(visitor, t.no_machine()));
        }
        Err(missing) => return Err(frame::missing_page(status(&missing.failure), t, &missing)),
    };
    let machine = state.machine.clone().unwrap_or_default();
    let mut missing = Vec::new();
    let sites = sites.map_err(|one| missing.push(MissingPart::new(&one, t, &TimeZone::UTC)));
    let site = sites.unwrap_or_default().into_iter().find(|site| site.id == machine.site_id);
    let zone = words::zone(site.as_ref().map_or("", |site| &site.time_zone));
    let name = site.map(|site| site.display_name).filter(|name| !name.is_empty());
    let site = name.unwrap_or_else(|| machine.site_id.clone());
    Ok(Found { state, machine, site, zone, missing })
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    origin: Origin,
    headers: HeaderMap,
) -> Response {
    if !visitor.may_anywhere("live") {
        return frame::not_allowed(&visitor);
    }
    let found = match find(&dashboard, &visitor, &id).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let now = clock::now();
    let service = service::service(&dashboard, &visitor, &found).await;
    let (usage, events, sessions, incidents, stops) = if visitor.may("history", &found.machine.site_id) {
        let events = history::events(&dashboard, &visitor, &id, &found.zone, now);
        let sessions = history::sessions(&dashboard, &visitor, &id, &found.zone, now);
        let incidents = incidents::incidents(&dashboard, &visitor, &id, &found.zone);
        let stops = stops::stops(&dashboard, &visitor, &id, &found.zone);
        let usage = usage::usage(&dashboard, &visitor, &id, &found.zone, now);
        let (usage, events, sessions, incidents, stops) =
            tokio::join!(usage, events, sessions, incidents, stops);
        (Some(usage), Some(events), Some(sessions), Some(incidents), Some(stops))
    } else {
        (None, None, None, None, None)
    };
    let tile = Tile::new(&found.state, visitor.reader);
    // An open stop is told by the status already.
    let last_stop = found.state.last_stop.as_ref().filter(|_| tile.stop.is_empty());
    let sentence = last_stop.map(|stop| tile::stop_words(stop, visitor.reader)).unwrap_or_default();
    let since = last_stop.and_then(|stop| words::millis(stop.time));
    let seen = last_stop.map(|stop| stop.acknowledged_by.as_str()).filter(|user| !user.is_empty());
    let page = MachinePage {
        frame: Frame::of(&visitor, Here::Machine, tile.name()),
        t: visitor.t(),
        reader: visitor.reader,
        floor: floor_path(&found.machine.site_id),
        zone: found.zone.iana_name().unwrap_or("UTC").to_owned(),
        agent: AgentPart::new(&found.state, visitor.reader, now),
        last_stop: visitor.reader.aged(&sentence, since, now.as_millisecond()),
        seen_by: seen.map(|user| visitor.t().stopped_seen(tile::person(user))).unwrap_or_default(),
        missing: found.missing,
        service,
        tag: TagPart::new(&dashboard, &visitor, &id, &origin),
        usage,
        stops,
        events,
        sessions,
        incidents,
        now_ms: now.as_millisecond(),
        id,
        tile,
    };
    let status = if page.missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    frame::packed_html(status, &page, &headers)
}

/// The last minutes of readings, for the chart.
pub(crate) async fn readings(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let now = clock::now();
    match chart::ask(&dashboard, &visitor, &id, now).await {
        Ok(chart) => match serde_json::to_string(&chart) {
            Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        },
        Err(missing) => {
            let part = MissingPart::new(&missing, visitor.t(), &TimeZone::UTC);
            let words = format!("{} {} {}", part.what, part.since, part.reason);
            (status(&missing.failure), words).into_response()
        }
    }
}

/// The part with contacts and agent, to be shown anew.
pub(crate) async fn state(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    match find(&dashboard, &visitor, &id).await {
        Ok(found) => frame::html(StatusCode::OK, &AgentPart::new(&found.state, visitor.reader, clock::now())),
        Err(response) => response,
    }
}

/// The part with the events, to be shown anew.
pub(crate) async fn events(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    match find(&dashboard, &visitor, &id).await {
        Ok(found) => {
            let part = history::events(&dashboard, &visitor, &id, &found.zone, clock::now()).await;
            frame::html(StatusCode::OK, &part)
        }
        Err(response) => response,
    }
}

/// The part with the incidents, to be shown anew.
pub(crate) async fn incidents(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    match find(&dashboard, &visitor, &id).await {
        Ok(found) => {
            let part = incidents::incidents(&dashboard, &visitor, &id, &found.zone).await;
            frame::html(StatusCode::OK, &part)
        }
        Err(response) => response,
    }
}

/// The part with the sessions, to be shown anew.
pub(crate) async fn sessions(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    match find(&dashboard, &visitor, &id).await {
        Ok(found) => {
            let part = history::sessions(&dashboard, &visitor, &id, &found.zone, clock::now()).await;
            frame::html(StatusCode::OK, &part)
        }
        Err(response) => response,
    }
}
