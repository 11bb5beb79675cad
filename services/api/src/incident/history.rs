//! The stored history of machines, folded anew.

use std::panic::resume_unwind;
use std::sync::Arc;

use domain::belt::Belt;
use domain::ids::{ConfigurationHash, LogId, MachineId};
use domain::incident::history::{HistoryFold, Remembered};
use domain::incident::settings::Timeline;
use domain::limits::HISTORY_PAGE_RECORDS;
use domain::log::{Lane, Position};
use domain::machine::Folded;
use domain::proven::{Configurations, configuration_detail};
use domain::record::{Event, EventKind, Payload, Record};
use domain::signal::Capabilities;
use domain::units::{MonotonicMicros, UnixMicros};
use store::telemetry::{RangeQuery, Stored, Telemetry};

use crate::check::Span;
use crate::status::ApiError;

/// How far back the beginning of an agent's life is looked for, which says what the agent can report.
const LOOK_BACK_US: i64 = 31 * 24 * 3_600 * 1_000_000;

/// Whose history, and under which settings.
#[derive(Debug)]
pub(super) struct Whose {
    pub(super) machine: MachineId,
    /// Each is folded for itself.
    pub(super) timelines: Vec<Timeline>,
    /// What its agent can report now.
    pub(super) capabilities: Option<Capabilities>,
    /// How its sources were set.
    pub(super) configurations: Configurations,
}

/// Who takes what is found.
pub(super) trait Findings: Send + 'static {
    /// Takes what a record changed under a timeline, by its place.
    fn take(&mut self, timeline: usize, folded: Folded);

    /// Does with what it took so far what needs waiting. Called after each page of the history.
    fn settle(&mut self) -> impl Future<Output = Result<(), ApiError>> + Send {
        async { Ok(()) }
    }
}

/// A span of the history.
#[derive(Debug)]
pub(super) struct History {
    pub(super) telemetry: Arc<dyn Telemetry>,
    pub(super) span: Span,
}

impl History {
    /// Folds one machine's history. Gives the findings back, and how many readings were folded.
    pub(super) async fn fold<F: Findings>(
        &self,
        whose: &Whose,
        mut findings: F,
    ) -> Result<(F, u64), ApiError> {
        let mut fold =
            HistoryFold::new(whose.machine.clone(), whose.timelines.clone(), &whose.configurations);
        let mut known = self.capabilities(whose).await?;
        let (mut first, mut readings) = (None, 0);
        let all = RangeQuery {
            machine: whose.machine.clone(),
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
                readings += if lane == Lane::Readings { page.len() as u64 } else { 0 };
                fold.push(lane, page.into_iter().map(remembered).collect());
            }
            // With the first record, not before it: a time without records would be one without an agent.
            if let Some((capabilities, time)) = known.take().zip(first) {
                drop(fold.take(&as_if_started(capabilities, whose.configurations.at(time), time)));
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
            findings.settle().await?;
            if is_over {
                return Ok((findings, readings));
            }
        }
    }

    /// What the agent said that it can report when it began the life that the span begins in. Of a beginning that is not
    /// found, or did not say: what it says now.
    async fn capabilities(&self, whose: &Whose) -> Result<Option<Capabilities>, ApiError> {
        let mut query = RangeQuery {
            machine: whose.machine.clone(),
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
                return Ok(newest.or(whose.capabilities));
            }
            query.after = page.last().map(|last| (last.time, last.log, last.position));
        }
    }
}

fn as_if_started(
    capabilities: Capabilities,
    configuration: Option<ConfigurationHash>,
    time: UnixMicros,
) -> Remembered {
    let at = MonotonicMicros(0);
    let mut event = Event::new(EventKind::AgentStarted, at, Belt::default(), Belt::default());
    event.capabilities = Some(capabilities);
    event.detail = configuration.map(configuration_detail).unwrap_or_default();
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
        Payload::Event(_) | Payload::Reading(_) | Payload::Recording(_) | Payload::Commissioning(_) => None,
    }
}

fn remembered(stored: Stored<Record>) -> Remembered {
    Remembered { log: stored.log, position: stored.position, time: stored.time, record: stored.value }
}

/// Folds what is there; whether nothing is left to be read.
fn fold_ready<F: Findings>(mut fold: HistoryFold, mut findings: F) -> (HistoryFold, F, bool) {
    while let Some(changed) = fold.fold() {
        (0..).zip(changed).for_each(|(timeline, folded)| findings.take(timeline, folded));
    }
    let is_over = fold.wants().is_none();
    if is_over {
        for (timeline, (session, usage)) in (0..).zip(fold.open()) {
            let (sessions, usage) = (session.into_iter().collect(), usage.into_iter().collect());
            findings.take(timeline, Folded { sessions, usage, ..Folded::default() });
        }
    }
    (fold, findings, is_over)
}
