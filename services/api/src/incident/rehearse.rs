//! Rehearsals: what the stored history would have raised with other thresholds. They change nothing.

mod findings;

use domain::incident::settings::MachineSettings;
use domain::incident::threshold::{self, Limits};
use domain::limits::{REHEARSAL_MACHINES_MAX, REHEARSALS_MAX};
use store::registry::{Machine, Scope as SetFor};
use wire::api::v1;

use self::findings::Findings;
use super::at_length::{Client, at_length};
use super::history::{History, Whose};
use super::{Incidents, RehearsalStream};
use crate::access::Scope;
use crate::check::{Check, Span};
use crate::live;
use crate::registry::Visible;
use crate::status::{ApiError, Violation};

const DAYS_MAX: i64 = 28;
const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// One machine's part of a rehearsal.
#[derive(Debug)]
struct Job {
    machine: Machine,
    whose: Whose,
}

/// The body of one rehearsal.
#[derive(Debug)]
struct Rehearsal {
    history: History,
    jobs: Vec<Job>,
    client: Client<v1::RehearseThresholdsResponse>,
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
        let history = History { telemetry: self.telemetry.clone(), span };
        let work = |client| Rehearsal { history, jobs, client }.run();
        Ok(at_length(self.ground.stopping.clone(), slot, work))
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
        // In the order in which findings count them.
        let timelines = vec![with(&now), with(&rehearsed)];
        let (id, capabilities) = (machine.id.clone(), self.capabilities(&machine.id));
        let configurations = live::configurations(&self.ground.feed, &id);
        let whose = Whose { machine: id, timelines, capabilities, configurations };
        Some(Job { machine: machine.clone(), whose })
    }
}

impl Rehearsal {
    async fn run(self) -> Result<(), ApiError> {
        let mut findings = Findings::new(self.history.span);
        for (done, job) in self.jobs.iter().enumerate() {
            self.tell(done, None).await;
            let readings;
            (findings, readings) = self.history.fold(&job.whose, findings).await?;
            findings.readings += readings;
            findings.count(&job.machine);
        }
        self.tell(self.jobs.len(), Some(findings.show())).await;
        Ok(())
    }

    async fn tell(&self, done: usize, result: Option<v1::Rehearsal>) {
        let number = |count: usize| u32::try_from(count).expect("machines are few");
        let (machines_done, machines) = (number(done), number(self.jobs.len()));
        self.client.tell(v1::RehearseThresholdsResponse { machines_done, machines, result }).await;
    }
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
