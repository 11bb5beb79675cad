//! Steps about several incidents at once, and what became of each.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use futures::future::join_all;
use jiff::tz::TimeZone;
use wire::api::v1;

use super::filter::{self, Filter};
use super::{ListPage, list_page};
use crate::call::{FailureKind, answer};
use crate::clock;
use crate::fleet::machine_names;
use crate::form::{Fields, Posted};
use crate::frame;
use crate::incident::{Act, done_words, person, refusal_words, take};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;

/// Incidents of one request. More: refused, by the API too.
const STEPPED_MAX: usize = 100;
/// Refused ones that are named. More: counted.
const NAMED_MAX: usize = 20;

/// What became of a step about several incidents.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// In a sentence; empty: nothing was tried.
    pub(super) words: String,
    pub(super) refused: Vec<Refused>,
    /// How many more were refused; empty: none.
    pub(super) more: String,
    /// What is wrong with the form as a whole; empty: nothing.
    pub(super) error: String,
    /// What was typed, if not all was done.
    pub(super) ids: Vec<String>,
    pub(super) step: &'static str,
    pub(super) cause: String,
    pub(super) hurt: String,
    pub(super) note: String,
}

/// One that was not stepped, and why.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) reason: String,
}

impl Outcome {
    /// What an address says was done: the word of an act and how many.
    pub(super) fn read(done: &str, t: Texts) -> Outcome {
        let told = done.rsplit_once('-').and_then(|(word, n)| Some((word, n.parse::<usize>().ok()?)));
        match told {
            Some((word, n)) if !done_words(word, t).is_empty() && n <= STEPPED_MAX => {
                Outcome { words: t.bulk_done(n), ..Outcome::default() }
            }
            Some(_) | None => Outcome::default(),
        }
    }

    fn typed(fields: &Fields, act: &Act, ids: Vec<String>) -> Outcome {
        Outcome {
            ids,
            step: act.word(),
            cause: fields.get("cause").to_owned(),
            hurt: fields.get("hurt").to_owned(),
            note: fields.get("note").to_owned(),
            ..Outcome::default()
        }
    }

    pub(super) fn is_chosen(&self, id: &str) -> bool {
        self.ids.iter().any(|chosen| chosen == id)
    }
}

/// Does what the form of the list asks for.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    headers: HeaderMap,
    Posted(fields): Posted,
) -> Response {
    let t = visitor.t();
    let filter =
        fields.get("back").strip_prefix(filter::PATH).map(|query| query.strip_prefix('?').unwrap_or(query));
    let (Some(act), Some(Ok(filter))) = (Act::read(&fields), filter.map(Filter::read)) else {
        return frame::form_refused(t);
    };
    if !visitor.may_anywhere("handle") {
        return frame::not_allowed(&visitor);
    }
    let mut ids: Vec<String> = Vec::new();
    for (_, id) in fields.beginning("incident").filter(|(rest, _)| rest.is_empty()) {
        if !ids.iter().any(|known| known == id) {
            ids.push(id.to_owned());
        }
    }
    let mut outcome = Outcome::typed(&fields, &act, ids.clone());
    if ids.is_empty() || ids.len() > STEPPED_MAX {
        outcome.error = if ids.is_empty() { t.bulk_none() } else { t.bulk_many() }.to_owned();
        return list_page(&dashboard, &visitor, filter, outcome, StatusCode::UNPROCESSABLE_ENTITY, &headers)
            .await;
    }
    let when = (clock::now(), &TimeZone::UTC);
    let (code, outcome) = match take(&dashboard, &visitor, ids, &act, &fields, when).await {
        Ok(results) if results.iter().all(|result| result.error.is_empty()) => {
            return Redirect::to(&done(&filter, &act, results.len())).into_response();
        }
        Ok(results) => {
            (StatusCode::UNPROCESSABLE_ENTITY, refused(&dashboard, &visitor, outcome, results).await)
        }
        Err(failure) if failure.kind == FailureKind::NotAllowed => return frame::not_allowed(&visitor),
        Err(failure) => {
            outcome.error = failure.words(t);
            (status(&failure), outcome)
        }
    };
    list_page(&dashboard, &visitor, filter, outcome, code, &headers).await
}

fn done(filter: &Filter, act: &Act, count: usize) -> String {
    let address = filter.address();
    let sign = if address.contains('?') { '&' } else { '?' };
    format!("{address}{sign}done={}-{count}", act.word())
}

/// Says how many were done and which were not; only these stay selected.
async fn refused(
    dashboard: &Dashboard,
    visitor: &Visitor,
    mut outcome: Outcome,
    results: Vec<v1::StepResult>,
) -> Outcome {
    let t = visitor.t();
    let all = results.len();
    let mut refused: Vec<v1::StepResult> =
        results.into_iter().filter(|result| !result.error.is_empty()).collect();
    outcome.words = format!("{} {}", t.bulk_done(all - refused.len()), t.bulk_not_done(refused.len()));
    outcome.ids = refused.iter().map(|result| result.incident_id.clone()).collect();
    let more = refused.len().saturating_sub(NAMED_MAX);
    outcome.more = if more > 0 { t.bulk_more(more) } else { String::new() };
    refused.truncate(NAMED_MAX);
    let note = outcome.note.clone();
    let name = async |result: v1::StepResult| named(dashboard, visitor, result, &note).await;
    outcome.refused = join_all(refused.into_iter().map(name)).await;
    outcome
}

/// One that was refused, as it is now: if somebody closed it meanwhile, who did.
async fn named(dashboard: &Dashboard, visitor: &Visitor, result: v1::StepResult, note: &str) -> Refused {
    let t = visitor.t();
    let mut client = dashboard.clients().incidents();
    let message = v1::GetIncidentRequest { incident_id: result.incident_id.clone() };
    let asked = answer(client.get_incident(visitor.caller.request(message))).await;
    let mut reason = refusal_words(&result, note, t);
    let Some(incident) = asked.ok().and_then(|found| found.incident) else {
        return Refused { title: result.incident_id.clone(), id: result.incident_id, reason };
    };
    let closed = incident.handling.as_ref().and_then(|handling| handling.closed.as_ref());
    if let Some(deed) = closed.filter(|_| result.reason == "CLOSED") {
        reason = t.closed_meanwhile(person(&deed.author, t));
    }
    let machine = [incident.machine_id.as_str()].into_iter().collect();
    let names = machine_names(dashboard, visitor, machine).await;
    let machine = names.get(&incident.machine_id).unwrap_or(&incident.machine_id);
    let title = t.incident_on(t.rule_title(&incident.rule, &incident.title), machine);
    Refused { id: result.incident_id, title, reason }
}

/// The form's address, asked for after signing in again: the list itself.
pub(crate) async fn show_again() -> Redirect {
    Redirect::to(filter::PATH)
}

impl ListPage {
    /// Whether a form's field was chosen before.
    pub(super) fn is_cause(&self, name: &str) -> bool {
        self.outcome.cause == name
    }

    pub(super) fn is_hurt(&self, name: &str) -> bool {
        self.outcome.hurt == name
    }
}
