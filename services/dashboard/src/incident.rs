//! One incident: what happened, what to do, what people did, and what is evidence of it.

mod dealt;
mod dossier;
mod drawing;
mod facts;
mod forms;
mod measure;
mod notices;
mod print;
mod step;
mod timeline;
mod trace;

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use wire::api::v1;

use crate::call::{FailureKind, answer};
use crate::clock;
use crate::fleet::{machine_names, sites};
use crate::form::{Fields, Posted};
use crate::frame::{self, Frame, Here, MissingPart};
use crate::incidents::{Places, Row};
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words::Reader;

use dealt::Dealt;
use facts::Facts;
pub(crate) use facts::signal as signal_name;
use forms::Typed;
use notices::Told;
use timeline::Moment;
use trace::Trace;

pub(crate) use dealt::{cause_name, person, state_name as handling_name, who};
pub(crate) use dossier::export as dossier;
pub(crate) use forms::refusal_words;
pub(crate) use print::show as print;
pub(crate) use step::{Act, CAUSES, HURTS, done_words, take};

#[derive(Debug, Template)]
#[template(path = "incident.html")]
struct IncidentPage {
    frame: Frame,
    t: Texts,
    reader: Reader,
    id: String,
    machine: String,
    facts: Facts,
    dealt: Dealt,
    /// Whether the visitor may look at the machine.
    has_page: bool,
    zone: String,
    missing: Vec<MissingPart>,
    /// Whether more of it is to come.
    is_open: bool,
    rights: Rights,
    /// None: they cannot be had, or the visitor may not see them.
    moments: Option<Vec<Moment>>,
    members: Vec<Row>,
    notices: Option<Vec<Told>>,
    /// What was just done. Empty: nothing.
    done: String,
    typed: Typed,
    /// A severe one is not closed without these answers.
    is_severe: bool,
    is_critical: bool,
    /// Whether the visitor works on it.
    is_mine: bool,
    now_ms: i64,
}

impl IncidentPage {
    fn unit(&self) -> &'static str {
        self.reader.unit.name()
    }

    fn causes(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        CAUSES.iter().map(|(name, cause)| (*name, cause_name(*cause, self.t)))
    }

    fn hurts(&self) -> [(&'static str, &'static str); 3] {
        let words = [self.t.answer_no(), self.t.answer_unknown(), self.t.answer_yes()];
        [0, 1, 2].map(|at| (HURTS[at].0, words[at]))
    }
}

/// What the visitor may do about an incident.
#[derive(Debug, Clone, Copy)]
struct Rights {
    handle: bool,
    evidence: bool,
    configure: bool,
    administer: bool,
}

impl Rights {
    fn of(visitor: &Visitor, site: &str) -> Rights {
        let may = |permission| visitor.may(permission, site);
        Rights {
            handle: may("handle"),
            evidence: may("evidence"),
            configure: may("configure"),
            administer: may("administer"),
        }
    }
}

/// All that a page is made of.
#[derive(Debug)]
struct Found {
    shown: v1::GetIncidentResponse,
    incident: v1::Incident,
    steps: Option<v1::ListIncidentStepsResponse>,
    notices: Option<Vec<v1::Notice>>,
    places: Places,
    names: BTreeMap<String, String>,
    missing: Vec<MissingPart>,
    now: Timestamp,
}

impl Found {
    /// All of it, or the page that says why there is no incident.
    async fn ask(dashboard: &Dashboard, visitor: &Visitor, id: &str) -> Result<Found, Response> {
        let (shown, sites, steps, notices) = tokio::join!(
            ask(dashboard, visitor, id),
            sites(dashboard, visitor),
            steps(dashboard, visitor, id),
            notices::ask(dashboard, visitor, id)
        );
        let shown = shown?;
        let t = visitor.t();
        let incident = shown.incident.clone().unwrap_or_default();
        let mut missing = Vec::new();
        let mut note = |error: &Missing| missing.push(MissingPart::new(error, t, &TimeZone::UTC));
        let sites = sites.map_err(|error| note(&error)).unwrap_or_default();
        let steps = seen(steps, &mut note);
        let notices = seen(notices, &mut note);
        let mut machines = BTreeSet::new();
        if visitor.may("live", &incident.site_id) {
            machines.insert(incident.machine_id.as_str());
        }
        Ok(Found {
            names: machine_names(dashboard, visitor, machines).await,
            places: Places::new(&sites),
            incident,
            shown,
            steps,
            notices,
            missing,
            now: clock::now(),
        })
    }

    fn machine_name(&self) -> &str {
        self.names.get(&self.incident.machine_id).unwrap_or(&self.incident.machine_id)
    }

    fn zone(&self) -> TimeZone {
        self.places.zone(&self.incident.site_id)
    }

    fn handling(&self) -> v1::Handling {
        self.incident.handling.clone().unwrap_or_default()
    }

    fn moments(&self, t: Texts) -> Option<Vec<Moment>> {
        let steps = self.steps.as_ref()?;
        Some(timeline::moments(&self.incident, &steps.steps, &self.zone(), t))
    }
}

/// What was had; what the visitor may not see is left out without a word.
fn seen<T>(asked: Result<T, Missing>, note: &mut impl FnMut(&Missing)) -> Option<T> {
    match asked {
        Ok(had) => Some(had),
        Err(error) if error.failure.kind == FailureKind::NotAllowed => None,
        Err(error) => {
            note(&error);
            None
        }
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

async fn steps(
    dashboard: &Dashboard,
    visitor: &Visitor,
    id: &str,
) -> Result<v1::ListIncidentStepsResponse, Missing> {
    let mut client = dashboard.clients().handling();
    let message = v1::ListIncidentStepsRequest { incident_id: id.to_owned() };
    let asked = answer(client.list_incident_steps(visitor.caller.request(message))).await;
    dashboard.outages().note(Part::Steps, asked)
}

/// What the address says was just done, in a known word.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Done {
    #[serde(default)]
    done: String,
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(done): Query<Done>,
    headers: HeaderMap,
) -> Response {
    match Found::ask(&dashboard, &visitor, &id).await {
        Ok(found) => {
            let code =
                if found.missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            frame::packed_html(code, &page(&visitor, found, &done.done, Typed::default()), &headers)
        }
        Err(page) => page,
    }
}

/// The page; `done` is the word of what was just done.
fn page(visitor: &Visitor, found: Found, done: &str, typed: Typed) -> IncidentPage {
    let (t, zone) = (visitor.t(), found.zone());
    let facts = Facts::new(&found.shown, found.machine_name(), &found.places, visitor.reader);
    let dealt = Dealt::new(&found.handling(), &zone, visitor.reader, found.now);
    let incident = &found.incident;
    let member = |one: &v1::Incident| Row::new(one, &found.places, &found.names, visitor.reader);
    let members = found.steps.iter().flat_map(|steps| &steps.members).map(member).collect();
    let is_over = dealt.is_closed && incident.state() != v1::IncidentState::Active;
    let is_cut = found.shown.readings_incomplete
        || (incident.has_recording && !found.shown.recording_complete && !facts.late);
    IncidentPage {
        frame: Frame::of(visitor, Here::Incidents, &facts.heading),
        t,
        reader: visitor.reader,
        zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        is_open: !is_over || is_cut,
        has_page: found.names.contains_key(&incident.machine_id),
        rights: Rights::of(visitor, &incident.site_id),
        moments: found.moments(t),
        members,
        notices: found.notices.clone().map(|notices| notices::told(notices, &zone, t)),
        done: done_sentence(done, &found, visitor),
        typed,
        is_severe: matches!(incident.severity(), v1::Severity::Critical | v1::Severity::High),
        is_critical: incident.severity() == v1::Severity::Critical,
        is_mine: is_me(visitor, &found.handling().assignee),
        now_ms: found.now.as_millisecond(),
        machine: incident.machine_id.clone(),
        id: incident.id.clone(),
        facts,
        dealt,
        missing: found.missing,
    }
}

/// Whether a user's name is the visitor's own.
fn is_me(visitor: &Visitor, name: &str) -> bool {
    visitor.user.as_ref().is_some_and(|user| user.name == name)
}

/// What was just done; of one that somebody else had closed before, that too.
fn done_sentence(done: &str, found: &Found, visitor: &Visitor) -> String {
    let t = visitor.t();
    let words = done_words(done, t);
    let closed =
        found.handling().closed.map(|deed| person(&deed.author, t)).filter(|who| !is_me(visitor, who));
    match closed {
        Some(who) if matches!(done, "acknowledge" | "close") => t.closed_before(who),
        Some(_) | None => words.to_owned(),
    }
}

/// Does what a form of the page asks for.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
    Posted(fields): Posted,
) -> Response {
    let t = visitor.t();
    let Some(act) = Act::read(&fields) else { return frame::form_refused(t) };
    if !visitor.may_anywhere("handle") && !visitor.may_anywhere("configure") {
        return frame::not_allowed(&visitor);
    }
    if act == Act::Assign(String::new()) && fields.get("to") != "nobody" {
        let nobody = forms::Refused::Result(Box::new(forms::no_user(&id)));
        return again(&dashboard, &visitor, (&id, &act, &fields), nobody, &headers).await;
    }
    // Of the incident only the zone matters, and that only for tomorrow morning.
    let zone = if act.needs_zone() { zone_of(&dashboard, &visitor, &id).await } else { TimeZone::UTC };
    let taken = take(&dashboard, &visitor, vec![id.clone()], &act, &fields, (clock::now(), &zone)).await;
    let refused = match taken {
        Ok(results) => match results.into_iter().next() {
            Some(result) if result.error.is_empty() => {
                return Redirect::to(&format!("{}?done={}", path(&id), act.word())).into_response();
            }
            Some(result) => forms::Refused::Result(Box::new(result)),
            None => return frame::not_found(&visitor, t.no_incident()),
        },
        Err(failure) => match failure.kind {
            FailureKind::NotAllowed => return frame::not_allowed(&visitor),
            FailureKind::NotFound => return frame::not_found(&visitor, t.no_incident()),
            FailureKind::SignedOut | FailureKind::Wrong | FailureKind::TooMany | FailureKind::Outage => {
                forms::Refused::Request(failure)
            }
        },
    };
    again(&dashboard, &visitor, (&id, &act, &fields), refused, &headers).await
}

/// The page as it is now, with what was typed and why it was refused.
async fn again(
    dashboard: &Dashboard,
    visitor: &Visitor,
    (id, act, fields): (&str, &Act, &Fields),
    refused: forms::Refused,
    headers: &HeaderMap,
) -> Response {
    let code = match &refused {
        forms::Refused::Result(_) => StatusCode::UNPROCESSABLE_ENTITY,
        forms::Refused::Request(failure) => status(failure),
    };
    match Found::ask(dashboard, visitor, id).await {
        Ok(found) => {
            let typed = Typed::new(fields, act, &refused, &found.handling(), visitor.t());
            frame::packed_html(code, &page(visitor, found, "", typed), headers)
        }
        Err(page) => page,
    }
}

async fn zone_of(dashboard: &Dashboard, visitor: &Visitor, id: &str) -> TimeZone {
    let (found, sites) = tokio::join!(ask(dashboard, visitor, id), sites(dashboard, visitor));
    let site = found.ok().and_then(|found| found.incident).map(|incident| incident.site_id);
    Places::new(&sites.unwrap_or_default()).zone(&site.unwrap_or_default())
}

/// A form's address, asked for after signing in again: the incident itself.
pub(crate) async fn show_again(Path(id): Path<String>) -> Redirect {
    Redirect::to(&path(&id))
}

/// Where an incident is.
fn path(id: &str) -> String {
    let segment: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("/incident/{segment}")
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
