//! Rehearsals: what the stored history would have raised with other thresholds. They change nothing.

mod findings;

use std::panic::resume_unwind;
use std::sync::Arc;

use domain::belt::Belt;
use domain::ids::LogId;
use domain::incident::history::{HistoryFold, Remembered};
use domain::incident::settings::{MachineSettings, Timeline};
use domain::incident::threshold::{self, Limits};
use domain::limits::{HISTORY_PAGE_RECORDS, REHEARSAL_MACHINES_MAX, REHEARSALS_MAX};
use domain::log::{Lane, Position};
use domain::record::{Event, EventKind, Payload, Record};
use domain::signal::Capabilities;
use domain::units::{MonotonicMicros, UnixMicros};
use store::registry::{Machine, Scope as SetFor};
use store::telemetry::{RangeQuery, Stored, Telemetry};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use wire::api::v1;

use self::findings::Findings;
use super::{Incidents, RehearsalStream};
use crate::access::Scope;
use crate::check::{Check, Span};
use crate::registry::Visible;
use crate::status::{ApiError, Violation};

const DAYS_MAX: i64 = 28;
const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// How far back the beginning of an agent's life is looked for, which says what the agent can report.
const LOOK_BACK_US: i64 = 31 * DAY_US;
/// Responses that wait for a slow client. More: the rehearsal waits.
const RESPONSES_WAITING: usize = 4;

/// What holds now and what is rehearsed, in this order.
type Timelines = [Timeline; 2];

/// One machine's part of a rehearsal.
#[derive(Debug)]
struct Job {
    machine: Machine,
    timelines: Timelines,
    /// What its agent can report now.
    capabilities: Option<Capabilities>,
}

/// The body of one rehearsal.
#[derive(Debug)]
struct Rehearsal {
    telemetry: Arc<dyn Telemetry>,
    span: Span,
    jobs: Vec<Job>,
    client: mpsc::Sender<Result<v1::RehearseThresholdsResponse, ApiError>>,
    _slot: OwnedSemaphorePermit,
}

impl Incidents {
    pub(super) fn rehearse(
        &self,
        scope: Scope,
        request: v1::RehearseThresholdsRequest,
    ) -> Result<RehearsalStream, ApiError> {
        let now = self.ground.surroundings.now();
        let mut check = Check::default();
        let set_for = check.for_whom(&request.site_id, &request.model, &request.machine_id);
        let values = check.limits("thresholds", &request.thresholds);
        let span = match &request.range {
            Some(range) => check.span(Some(range), now, DAYS_MAX),
            None => Some(Span { from: now.plus(-DAYS_MAX * DAY_US), until: now }),
        };
        check.finish()?;
        let (set_for, span) = set_for.zip(span).expect("what is not valid is a violation");
        let visible = self.ground.visible(scope);
        visible.has(&set_for)?;
        let jobs: Vec<Job> = visible
            .machines_of(&set_for)
            .filter_map(|one| self.job(&visible, one, &set_for, &values))
            .collect();
        if jobs.len() > REHEARSAL_MACHINES_MAX {
            let count = jobs.len();
            let description =
                format!("names {count} machines; at most {REHEARSAL_MACHINES_MAX} can be rehearsed together");
            return Err(Violation { field: "site_id", description }.into());
        }
        let slot = self.rehearsals.clone().try_acquire_owned();
        let slot = slot.map_err(|_| ApiError::RehearsalsFull { max: REHEARSALS_MAX })?;
        let (client, mut responses) = mpsc::channel(RESPONSES_WAITING);
        let telemetry = self.telemetry.clone();
        let rehearsal = Rehearsal { telemetry, span, jobs, client: client.clone(), _slot: slot };
        let stopping = self.ground.stopping.clone();
        tokio::spawn(async move {
            let result = tokio::select! {
                // The client has gone: nobody waits for it any more.
                () = client.closed() => return,
                () = stopping.cancelled() => Err(ApiError::Stopping),
                result = rehearsal.run() => result,
            };
            if let Err(error) = result {
                if error.is_ours() {
                    tracing::error!(error = %error, "rehearsal failed");
                }
                // Who has gone meanwhile needs no answer.
                let _ = client.send(Err(error)).await;
            }
        });
        Ok(Box::pin(futures::stream::poll_fn(move |context| {
            responses.poll_recv(context).map(|next| next.map(|next| next.map_err(|error| error.to_status())))
        })))
    }

    /// `None`: the machine has gone meanwhile.
    fn job(
        &self,
        visible: &Visible,
        machine: &Machine,
        set_for: &SetFor,
        values: &[(String, i64)],
    ) -> Option<Job> {
        let timeline = visible.registry().timeline(&machine.id)?;
        let layers = visible.layers(machine);
        let below = Limits::default();
        let now = layers.iter().fold(below.clone(), |below, (_, over)| below.overlaid(over));
        let rehearsed = layers.iter().fold(below, |below, (of, over)| {
            let mut over = over.clone();
            if of == set_for {
                values.iter().for_each(|(name, value)| {
                    over.set(name, Some(*value)).expect("values were checked");
                });
            }
            below.overlaid(&over)
        });
        // All else is as it was at the time.
        let with = |limits: &Limits| {
            timeline.mapped(|settings| MachineSettings { limits: limits.clone(), ..settings.clone() })
        };
        let timelines = [with(&now), with(&rehearsed)];
        Some(Job { machine: machine.clone(), timelines, capabilities: self.capabilities(&machine.id) })
    }
}

impl Rehearsal {
    async fn run(self) -> Result<(), ApiError> {
        let mut findings = Findings::new(self.span);
        for (done, job) in self.jobs.iter().enumerate() {
            self.tell(done, None).await;
            findings = self.fold(job, findings).await?;
        }
        self.tell(self.jobs.len(), Some(findings.show())).await;
        Ok(())
    }

    /// Tells the client; one that has gone is noticed elsewhere.
    async fn tell(&self, done: usize, result: Option<v1::Rehearsal>) {
        let number = |count: usize| u32::try_from(count).expect("machines are few");
        let (machines_done, machines) = (number(done), number(self.jobs.len()));
        let _ =
            self.client.send(Ok(v1::RehearseThresholdsResponse { machines_done, machines, result })).await;
    }

    /// Folds one machine's history.
    async fn fold(&self, job: &Job, mut findings: Findings) -> Result<Findings, ApiError> {
        let mut fold = HistoryFold::new(job.machine.id.clone(), job.timelines.to_vec());
        let mut known = self.capabilities(job).await?;
        let mut first = None;
        let all = RangeQuery {
            machine: job.machine.id.clone(),
            from: self.span.from,
            until: self.span.until,
            after: None,
            max: HISTORY_PAGE_RECORDS,
        };
        let mut queries = [all.clone(), all];
        loop {
            while let Some(lane) = fold.wants() {
                let query = &mut queries[lane.index()];
                let page = self.telemetry.history(lane, query).await?;
                query.after = page.last().map(|last| (last.time, last.log, last.position)).or(query.after);
                let begins = page.first().map(|first| first.time);
                first = first.into_iter().chain(begins).min();
                findings.readings += if lane == Lane::Readings { page.len() as u64 } else { 0 };
                fold.push(lane, page.into_iter().map(remembered).collect());
            }
            // With the first record, not before it: a time without records would be one without an agent.
            if let Some((capabilities, time)) = known.take().zip(first) {
                drop(fold.take(&as_if_started(capabilities, time)));
            }
            let work = tokio::task::spawn_blocking(move || fold_ready(fold, findings));
            let is_over;
            (fold, findings, is_over) = match work.await {
                Ok(folded) => folded,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    Err(_) => return Err(ApiError::Stopping),
                },
            };
            if is_over {
                findings.count(&job.machine);
                return Ok(findings);
            }
        }
    }

    /// What the agent said that it can report when it began the life that the span begins in. Of a beginning that is not
    /// found, or did not say: what it says now.
    async fn capabilities(&self, job: &Job) -> Result<Option<Capabilities>, ApiError> {
        let mut query = RangeQuery {
            machine: job.machine.id.clone(),
            from: self.span.from.plus(-LOOK_BACK_US),
            until: self.span.from,
            after: None,
            max: HISTORY_PAGE_RECORDS,
        };
        let mut newest = None;
        loop {
            let page = self.telemetry.history(Lane::Events, &query).await?;
            newest = page.iter().rev().find_map(said).or(newest);
            if page.len() < query.max {
                return Ok(newest.or(job.capabilities));
            }
            query.after = page.last().map(|last| (last.time, last.log, last.position));
        }
    }
}

fn as_if_started(capabilities: Capabilities, time: UnixMicros) -> Remembered {
    let at = MonotonicMicros(0);
    let mut event = Event::new(EventKind::AgentStarted, at, Belt::default(), Belt::default());
    event.capabilities = Some(capabilities);
    Remembered {
        log: LogId::default(),
        position: Position::default(),
        time,
        record: Record { at, other_n: 0, payload: Payload::Event(event) },
    }
}

/// What an agent said that it can report, if this is the beginning of its life.
fn said(stored: &Stored<Record>) -> Option<Capabilities> {
    match &stored.value.payload {
        Payload::Event(event) if event.kind == EventKind::AgentStarted => event.capabilities,
        Payload::Event(_) | Payload::Reading(_) | Payload::Recording(_) => None,
    }
}

fn remembered(stored: Stored<Record>) -> Remembered {
    Remembered { log: stored.log, position: stored.position, time: stored.time, record: stored.value }
}

/// Folds what is there; whether nothing is left to be read.
fn fold_ready(mut fold: HistoryFold, mut findings: Findings) -> (HistoryFold, Findings, bool) {
    while let Some(changed) = fold.fold() {
        changed.into_iter().for_each(|(timeline, incident)| findings.add(timeline, incident));
    }
    let is_over = fold.wants().is_none();
    (fold, findings, is_over)
}

impl Check {
    /// Values of thresholds, each within its range.
    pub(crate) fn limits(&mut self, field: &'static str, values: &[v1::NamedValue]) -> Vec<(String, i64)> {
        let most = threshold::all().count();
        if values.len() > most {
            self.wrong(field, format!("has {} entries; there are {most} thresholds", values.len()));
            return Vec::new();
        }
        let mut limits = Limits::default();
        for v1::NamedValue { name, value } in values {
            if let Err(error) = limits.set(name, Some(*value)) {
                self.wrong(field, format!("are not valid: {error}"));
            }
        }
        limits.iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
