//! The page of a test that is under way: one thing to do at a time, large, with what the server sees.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use wire::api::v1;

use super::stop::{StopLine, contact_name};
use super::{NoteField, ask, find, lacking, measured_contacts, path};
use crate::clock;
use crate::frame::{self, Frame, Here};
use crate::machine::Found;
use crate::router::Dashboard;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words::{self, Reader};

/// Speed to test from, in metres per second: 3 km/h, at which a belt that does not stop can still be left.
pub(super) const TEST_SPEED_MPS: f64 = 3.0 / 3.6;
/// From here on the belt is fast enough for a stop to be measured.
const FAST_ENOUGH_MPS: f64 = 0.7;

/// How far a test is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It takes effect in so many seconds.
    Wait(i64),
    /// The belt shall run, for this contact.
    Run(&'static str),
    /// This contact shall be actuated.
    Press(&'static str),
    /// It is open, and the belt is not known to have come to rest.
    Measure(&'static str),
    /// It is measured and still open; another one comes next.
    Release(&'static str, &'static str),
    /// All that the machine can report is measured.
    Complete,
    /// The test is over.
    Ended,
}

fn phase(drill: &v1::Drill, state: &v1::MachineState, now: Timestamp) -> Phase {
    let end = words::moment(drill.end_time);
    if !drill.is_open || end.is_some_and(|end| end <= now) {
        return Phase::Ended;
    }
    if let Some(begin) = words::moment(drill.effective_time).filter(|begin| *begin > now) {
        let left_ms = begin.as_millisecond() - now.as_millisecond();
        return Phase::Wait((left_ms + 999) / 1_000);
    }
    let is_measured = |contact: &str| drill.stops.iter().any(|stop| stop.contact == contact);
    let contacts = measured_contacts(state);
    let next = contacts.iter().find(|contact| !is_measured(contact));
    let open = contacts.iter().find(|contact| is_open(state, contact));
    match (open, next) {
        (_, None) => Phase::Complete,
        (Some(open), Some(next)) if is_measured(open) => Phase::Release(open, next),
        (Some(open), Some(_)) => Phase::Measure(open),
        (None, Some(next)) if speed(state).is_some_and(|speed| speed >= FAST_ENOUGH_MPS) => {
            Phase::Press(next)
        }
        (None, Some(next)) => Phase::Run(next),
    }
}

fn is_open(state: &v1::MachineState, contact: &str) -> bool {
    let contacts = state.belt.and_then(|belt| belt.contacts).unwrap_or_default();
    let value = if contact == "safety_key" { contacts.safety_key() } else { contacts.emergency_stop() };
    matches!(value, v1::ContactState::Open | v1::ContactState::Both)
}

fn speed(state: &v1::MachineState) -> Option<f64> {
    state.belt.and_then(|belt| belt.speed_mps)
}

/// What is to be done now, large, and why.
fn told(phase: Phase, reader: Reader) -> (String, String) {
    let t = reader.t;
    let say = |headline: &str, more: String| (headline.to_owned(), more);
    match phase {
        Phase::Wait(seconds) => (t.drill_wait(seconds), t.drill_wait_more().to_owned()),
        Phase::Run(contact) => {
            (t.drill_run(reader.speed(TEST_SPEED_MPS)), t.drill_run_more(contact_name(contact, t)))
        }
        Phase::Press("safety_key") => say(t.drill_pull_key(), t.drill_nobody().to_owned()),
        Phase::Press(_) => say(t.drill_press_stop(), t.drill_nobody().to_owned()),
        Phase::Measure(_) => say(t.drill_measuring(), t.drill_measuring_more().to_owned()),
        Phase::Release(open, next) => {
            let headline = if open == "safety_key" { t.drill_put_key() } else { t.drill_release_stop() };
            say(headline, t.drill_next(contact_name(next, t)))
        }
        Phase::Complete => say(t.drill_complete(), t.drill_complete_more().to_owned()),
        Phase::Ended => say(t.drill_ended(), t.drill_ended_more().to_owned()),
    }
}

/// What changes while a test is under way.
#[derive(Debug, Template)]
#[template(path = "drill_now.html")]
struct NowPart {
    t: Texts,
    action: String,
    sheet: String,
    /// What a screen reader is told when it changes.
    said: String,
    headline: String,
    more: String,
    is_ended: bool,
    /// Whether to act at once.
    is_go: bool,
    speed: String,
    unit: &'static str,
    until: String,
    warnings: Vec<&'static str>,
    /// The newest result, large.
    last: Option<StopLine>,
    /// Earlier ones, newest first.
    earlier: Vec<StopLine>,
    blind: Vec<String>,
    found: Vec<String>,
}

impl NowPart {
    fn new(visitor: &Visitor, found: &Found, drill: &v1::Drill, now: Timestamp) -> NowPart {
        let (reader, t) = (visitor.reader, visitor.t());
        let phase = phase(drill, &found.state, now);
        let (headline, more) = told(phase, reader);
        let line = |stop: &v1::Stop| StopLine::new(stop, &found.zone, reader);
        let mut stops: Vec<StopLine> = drill.stops.iter().rev().map(line).collect();
        let last = (!stops.is_empty()).then(|| stops.remove(0));
        let result = last
            .as_ref()
            .map(|stop| format!("{}: {}, {}.", stop.contact_words, stop.verdict_words, stop.took));
        // A countdown is not read out second by second.
        let said = if matches!(phase, Phase::Wait(_)) { more.clone() } else { headline.clone() };
        NowPart {
            t,
            action: path(&found.machine.id),
            sheet: format!("{}/{}", path(&found.machine.id), drill.number),
            said: format!("{} {said}", result.unwrap_or_default()).trim().to_owned(),
            headline,
            more,
            is_ended: phase == Phase::Ended,
            is_go: matches!(phase, Phase::Press(_)),
            speed: speed(&found.state).map(|speed| reader.speed_number(speed)).unwrap_or_default(),
            unit: reader.unit.name(),
            until: clock_words(drill, found),
            warnings: warnings(&found.state, t),
            last,
            earlier: stops,
            blind: blind(&found.state, t),
            found: drill.suppressed.iter().map(|one| title(one, t)).collect(),
        }
    }
}

/// When it ends by itself.
fn clock_words(drill: &v1::Drill, found: &Found) -> String {
    words::moment(drill.end_time).map(|end| words::clock(end, &found.zone)).unwrap_or_default()
}

/// Something that would have been an incident.
pub(super) fn title(incident: &v1::Incident, t: Texts) -> String {
    t.rule_title(&incident.rule, &incident.title).to_owned()
}

/// Contacts that this machine cannot prove.
pub(super) fn blind(state: &v1::MachineState, t: Texts) -> Vec<String> {
    let measured = measured_contacts(state);
    let missing = super::CONTACTS.into_iter().filter(|contact| !measured.contains(contact));
    missing.map(|contact| contact_name(contact, t)).collect()
}

/// What stands against a test now.
pub(super) fn warnings(state: &v1::MachineState, t: Texts) -> Vec<&'static str> {
    let person = state.belt.and_then(|belt| belt.contacts).unwrap_or_default().user_presence();
    let mut warnings = Vec::new();
    if matches!(person, v1::ContactState::Closed | v1::ContactState::Both) {
        warnings.push(t.drill_person());
    }
    if state.presence() != v1::Presence::Online {
        warnings.push(t.drill_unheard());
    }
    warnings
}

#[derive(Debug, Template)]
#[template(path = "drill.html")]
struct GuidePage {
    frame: Frame,
    t: Texts,
    id: String,
    now: NowPart,
    field: Option<NoteField>,
}

/// The page of a test that is under way.
pub(super) fn page(
    visitor: &Visitor,
    found: &Found,
    drill: &v1::Drill,
    field: NoteField,
    code: StatusCode,
) -> Response {
    let t = visitor.t();
    let may = visitor.may("handle", &found.machine.site_id);
    let action = format!("{}/{}/end", path(&found.machine.id), drill.number);
    let page = GuidePage {
        frame: Frame::of(visitor, Here::Proofs, &t.drill_of(found.name())),
        t,
        id: found.machine.id.clone(),
        now: NowPart::new(visitor, found, drill, clock::now()),
        field: may.then_some(NoteField { action, ..field }),
    };
    frame::html(code, &page)
}

/// The part that changes, to be shown anew.
pub(crate) async fn part(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let found = match find(&dashboard, &visitor, &id).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    match ask(&dashboard, &visitor, &id, 0).await {
        Ok(Some(drill)) => frame::html(StatusCode::OK, &NowPart::new(&visitor, &found, &drill, clock::now())),
        Ok(None) => frame::not_found(&visitor, visitor.t().no_drill()),
        Err(missing) => lacking(&visitor, &missing),
    }
}

#[cfg(test)]
mod tests;
