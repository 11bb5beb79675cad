//! Rebuilds: the stored history judged and counted anew, with the settings that hold now. Nothing is taken away.
//!
//! What cannot be told from what is read is left as it is: an incident that is active or was found meanwhile, one from
//! before the first record that is still there, and one by a rule that remembers days, unless all is read.

mod usage;

use std::collections::HashMap;
use std::sync::Arc;

use domain::ids::{IncidentId, MachineId};
use domain::incident::settings::{MachineSettings, Timeline};
use domain::incident::{Incident, Rule};
use domain::limits::{REHEARSAL_MACHINES_MAX, REHEARSALS_MAX};
use domain::log::Lane;
use domain::machine::Folded;
use domain::units::UnixMicros;
use store::StoreError;
use store::ledger::{
    Derived, DerivedIncident, IncidentFilter, IncidentOrder, IncidentPlace, IncidentQuery, Ledger,
    StoredIncident,
};
use store::telemetry::RangeQuery;
use wire::api::v1;

use self::usage::Recount;
use super::at_length::{Client, at_length};
use super::history::{Findings, History, Whose};
use super::{Incidents, RebuildStream};
use crate::access::Scope;
use crate::check::{Check, Span};
use crate::convert::timestamp;
use crate::live;
use crate::status::{ApiError, Violation};

const DAYS_MAX: i64 = 366;
const DAYS_USUAL: i64 = 28;
const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// What is younger is still under way.
const UNDER_WAY_US: i64 = 5 * 60 * 1_000_000;
/// How long before the span the fold begins, so that it knows at the span's beginning what was known then.
const BEFORE_US: i64 = 3_600 * 1_000_000;
/// How long behind the span the fold ends, so that what began within the span is seen to its end.
const BEHIND_US: i64 = 3_600 * 1_000_000;
/// Rules that remember more than that: days of use, stops of many days.
const LONG_MEMORIES: [Rule; 2] = [Rule::EmergencyStopAsNormalStop, Rule::SafetyFunctionUntested];
/// Incidents read or written at once.
const ROWS: usize = 200;

/// The body of one rebuild.
struct Rebuild {
    ledger: Arc<dyn Ledger>,
    /// What is read: more than what is judged, on both sides.
    history: History,
    /// Of when incidents are judged.
    judged: Span,
    /// The days of which usage is counted, from the first on and before the second.
    days: (i32, i32),
    jobs: Vec<Whose>,
    client: Client<v1::RebuildIncidentsResponse>,
    now: UnixMicros,
}

/// The newest version of each incident that was found, and what was counted.
struct Found {
    incidents: HashMap<IncidentId, Incident>,
    recount: Recount,
}

impl Findings for Found {
    fn take(&mut self, _timeline: usize, mut folded: Folded) {
        let incidents = std::mem::take(&mut folded.incidents);
        self.incidents.extend(incidents.into_iter().map(|incident| (incident.id, incident)));
        self.recount.take(folded);
    }

    async fn settle(&mut self) -> Result<(), ApiError> {
        self.recount.settle().await
    }
}

/// What of a machine's history there is to judge by.
struct Sight {
    /// The first record that was read; `None`: there is none.
    first: Option<UnixMicros>,
    /// Whether nothing older is stored.
    is_whole: bool,
}

impl Sight {
    fn can_tell(&self, incident: &Incident) -> bool {
        self.first.is_some_and(|first| first <= incident.time)
            && (self.is_whole || !LONG_MEMORIES.contains(&incident.rule))
    }
}

impl Incidents {
    pub(super) fn rebuild(
        &self,
        scope: Scope,
        request: v1::RebuildIncidentsRequest,
    ) -> Result<RebuildStream, ApiError> {
        let now = self.ground.surroundings.now();
        let mut check = Check::default();
        let set_for = check.for_whom(&request.site_id, &request.model, &request.machine_id);
        let span = match &request.range {
            Some(range) => check.span(Some(range), now, DAYS_MAX),
            None => Some(Span { from: now.plus(-DAYS_USUAL * DAY_US), until: now }),
        };
        let span = span.and_then(|span| check.settled(span, now));
        check.finish()?;
        let (set_for, judged) = set_for.zip(span).expect("what is not valid is a violation");
        let visible = self.ground.visible(scope);
        visible.has(&set_for)?;
        let registry = visible.registry();
        let job = |machine: &store::registry::Machine| {
            Some(Whose {
                machine: machine.id.clone(),
                timelines: vec![corrected(&registry.timeline(&machine.id)?)],
                capabilities: self.capabilities(&machine.id),
                configurations: live::configurations(&self.ground.feed, &machine.id),
            })
        };
        let jobs: Vec<Whose> = visible.machines_of(&set_for).filter_map(job).collect();
        if jobs.len() > REHEARSAL_MACHINES_MAX {
            let count = jobs.len();
            let description =
                format!("names {count} machines; at most {REHEARSAL_MACHINES_MAX} can be rebuilt together");
            return Err(Violation { field: "site_id", description }.into());
        }
        let slot = self.rehearsals.clone().try_acquire_owned();
        let slot = slot.map_err(|_| ApiError::RehearsalsFull { max: REHEARSALS_MAX })?;
        // Usage is counted by whole days.
        let days = usage::days_of(judged);
        let ends = judged.until.max(usage::beginning(days.1));
        let until = ends.plus(BEHIND_US).min(now.plus(-UNDER_WAY_US));
        let read = Span { from: usage::beginning(days.0).min(judged.from).plus(-BEFORE_US), until };
        let history = History { telemetry: self.telemetry.clone(), span: read };
        let ledger = self.ground.ledger.clone();
        let work = |client| Rebuild { ledger, history, judged, days, jobs, client, now }.run();
        Ok(at_length(self.ground.stopping.clone(), slot, work))
    }
}

/// What is set now, as if it had always been. What was so for a time stays as it was then: that the machine was out of
/// service or under test, and when staff were there if somebody had said.
fn corrected(timeline: &Timeline) -> Timeline {
    let now = timeline.newest();
    timeline.mapped(|then| MachineSettings {
        out_of_service: then.out_of_service,
        drill: then.drill,
        staffed: then.staffed.as_ref().or(now.staffed.as_ref()).cloned(),
        ..now.known_of(then).into_owned()
    })
}

fn add_usage(result: &mut v1::Rebuilt, more: &v1::Rebuilt) {
    result.usage_days_same += more.usage_days_same;
    result.usage_days_changed += more.usage_days_changed;
    result.usage_days_kept += more.usage_days_kept;
    result.usage_days_under_way += more.usage_days_under_way;
    result.sessions_changed += more.sessions_changed;
}

impl Check {
    /// The part of a span that is not under way any more.
    fn settled(&mut self, span: Span, now: UnixMicros) -> Option<Span> {
        let until = span.until.min(now.plus(-UNDER_WAY_US));
        if span.from < until {
            return Some(Span { until, ..span });
        }
        self.wrong("range.start_time", "is within the last 5 minutes, which are still under way, or later");
        None
    }
}

impl Rebuild {
    async fn run(self) -> Result<(), ApiError> {
        let Span { from, until } = self.judged;
        let range = v1::TimeRange { start_time: Some(timestamp(from)), end_time: Some(timestamp(until)) };
        let mut result = v1::Rebuilt { range: Some(range), ..v1::Rebuilt::default() };
        for (done, whose) in self.jobs.iter().enumerate() {
            self.tell(done, None).await;
            let read_until = self.history.span.until;
            let recount = Recount::new(self.ledger.clone(), whose.machine.clone(), self.days, read_until);
            let found = Found { incidents: HashMap::new(), recount };
            let (mut found, readings) = self.history.fold(whose, found).await?;
            found.recount.finish().await?;
            add_usage(&mut result, &found.recount.result);
            result.readings += readings;
            let sight = self.sight(&whose.machine).await?;
            self.settle(&whose.machine, found.incidents, &sight, &mut result).await?;
        }
        self.tell(self.jobs.len(), Some(result)).await;
        Ok(())
    }

    async fn tell(&self, done: usize, result: Option<v1::Rebuilt>) {
        let number = |count: usize| u32::try_from(count).expect("machines are few");
        let (machines_done, machines) = (number(done), number(self.jobs.len()));
        self.client.tell(v1::RebuildIncidentsResponse { machines_done, machines, result }).await;
    }

    async fn sight(&self, machine: &MachineId) -> Result<Sight, StoreError> {
        let Span { from, until } = self.history.span;
        let older = self.first(machine, UnixMicros(0), from).await?;
        Ok(Sight { first: self.first(machine, from, until).await?, is_whole: older.is_none() })
    }

    /// The time of the first record within a span.
    async fn first(
        &self,
        machine: &MachineId,
        from: UnixMicros,
        until: UnixMicros,
    ) -> Result<Option<UnixMicros>, StoreError> {
        let query = RangeQuery { machine: machine.clone(), from, until, after: None, max: 1 };
        let mut first = None;
        for lane in Lane::ALL {
            let page = self.history.telemetry.history(lane, &query).await?;
            first = first.into_iter().chain(page.first().map(|one| one.time)).min();
        }
        Ok(first)
    }

    /// Holds what was found against what the ledger has, and brings the ledger up to date.
    async fn settle(
        &self,
        machine: &MachineId,
        mut found: HashMap<IncidentId, Incident>,
        sight: &Sight,
        result: &mut v1::Rebuilt,
    ) -> Result<(), ApiError> {
        let mut gone: HashMap<Rule, Vec<IncidentId>> = HashMap::new();
        let mut new = Vec::new();
        let mut query = self.query(machine);
        loop {
            let rows = self.ledger.incidents(&query).await?;
            for stored in &rows {
                let id = stored.incident.id;
                query.after = Some(IncidentPlace::of(&stored.incident));
                let again = found.remove(&id);
                let judged = self.is_judged(stored) && sight.can_tell(&stored.incident);
                match again {
                    None if judged => {
                        result.unconfirmed += counted(&stored.incident);
                        gone.entry(stored.incident.rule).or_default().push(id);
                    }
                    Some(again) if judged => match newer(stored, again) {
                        Some(newer) => new.push(newer),
                        None => result.same += counted(&stored.incident),
                    },
                    None | Some(_) => result.same += counted(&stored.incident),
                }
            }
            if rows.len() < query.max {
                break;
            }
        }
        result.changed += new.iter().map(counted).sum::<u64>();
        let changed = new.len();
        new.extend(found.into_values().filter(|one| self.is_over(one) && sight.can_tell(one)));
        result.added += new[changed..].iter().map(counted).sum::<u64>();
        self.put(new).await?;
        for (rule, ids) in gone {
            for some in ids.chunks(ROWS) {
                self.ledger.mark_unconfirmed(some.to_vec(), rule.definition().version).await?;
            }
        }
        Ok(())
    }

    /// Whether the records that were read say all of what the ledger has here.
    fn is_judged(&self, stored: &StoredIncident) -> bool {
        // What is active is still told by the ingest, and what was found meanwhile may be of records not read.
        self.is_over(&stored.incident)
            && stored.detected <= self.now
            && stored.incident.noticed < self.history.span.until
    }

    /// Whether it began within the span, and has ended.
    fn is_over(&self, incident: &Incident) -> bool {
        incident.cleared.is_some() && (self.judged.from..self.judged.until).contains(&incident.time)
    }

    async fn put(&self, incidents: Vec<Incident>) -> Result<(), StoreError> {
        let derived =
            |incident: &Incident| DerivedIncident { incident: incident.clone(), detected: self.now };
        for some in incidents.chunks(ROWS) {
            let incidents = some.iter().map(derived).collect();
            self.ledger.put(Derived { incidents, ..Derived::default() }).await?;
        }
        Ok(())
    }

    fn query(&self, machine: &MachineId) -> IncidentQuery {
        let filter = IncidentFilter {
            machines: Some(vec![machine.clone()]),
            from: self.judged.from,
            until: self.judged.until,
            ..IncidentFilter::default()
        };
        IncidentQuery { filter, order: IncidentOrder::OldestFirst, after: None, max: ROWS }
    }
}

/// What was found in a proof test is kept up to date as well, but it is no incident and not counted.
fn counted(incident: &Incident) -> u64 {
    u64::from(incident.drill.is_none())
}

/// The next version of an incident that was found again; `None`: it is as it was.
fn newer(stored: &StoredIncident, found: Incident) -> Option<Incident> {
    let was = &stored.incident;
    let revision = was.revision + 1;
    // The history does not tell how many versions there were.
    let is_same = Incident { revision: was.revision, ..found.clone() } == *was;
    // It went on, or its trace did, beyond what was read.
    let is_cut = found.cleared.is_none() || (was.trace_complete && !found.trace_complete);
    if is_cut || is_same {
        return stored.unconfirmed.is_some().then(|| Incident { revision, ..was.clone() });
    }
    Some(Incident { revision, ..found })
}
