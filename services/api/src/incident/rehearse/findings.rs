//! What a rehearsal found: incidents counted with the thresholds that hold and with those that are rehearsed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use domain::ids::IncidentId;
use domain::incident::{Incident, Rule, Severity};
use domain::limits::REHEARSAL_LOST_NAMED_MAX;
use domain::machine::Folded;
use domain::units::UnixMicros;
use store::registry::Machine;
use wire::api::v1;

use crate::check::Span;
use crate::convert::timestamp;
use crate::incident::{history, show};

/// Two incidents of one rule are the same if they are this near to each other, in microseconds: another threshold may
/// find it a little earlier or later, in another record.
const NEAR_US: i64 = 10_000_000;

/// What holds now, and what is rehearsed, as places of timelines.
const NOW: usize = 0;
const REHEARSED: usize = 1;

/// An incident as far as it matters here.
#[derive(Debug)]
struct Found {
    rule: Rule,
    severity: Severity,
    time: UnixMicros,
    ended: UnixMicros,
    /// Of critical ones the whole, without its trace.
    whole: Option<Box<Incident>>,
}

impl Found {
    fn new(mut incident: Incident) -> Found {
        let (rule, severity, time) = (incident.rule, incident.severity, incident.time);
        let ended = incident.cleared.unwrap_or(time);
        incident.trace = Vec::new();
        let whole = (severity == Severity::Critical).then(|| Box::new(incident));
        Found { rule, severity, time, ended, whole }
    }

    fn is_near(&self, other: &Found) -> bool {
        self.rule == other.rule
            && self.time.since(other.ended) <= NEAR_US
            && other.time.since(self.ended) <= NEAR_US
    }
}

/// Counts of all machines so far, and the incidents of the one that is folded.
#[derive(Debug)]
pub(super) struct Findings {
    span: Span,
    found: [HashMap<IncidentId, Found>; 2],
    counts: BTreeMap<(Rule, Reverse<Severity>), [u64; 2]>,
    lost: Vec<v1::Incident>,
    /// Readings folded.
    pub(super) readings: u64,
}

impl history::Findings for Findings {
    fn take(&mut self, timeline: usize, folded: Folded) {
        for incident in folded.incidents {
            if incident.drill.is_some() {
                // It may have been one before the settings of that time were known.
                self.found[timeline].remove(&incident.id);
            } else if self.span.from <= incident.time {
                self.found[timeline].insert(incident.id, Found::new(incident));
            }
        }
    }
}

impl Findings {
    pub(super) fn new(span: Span) -> Findings {
        Findings { span, found: Default::default(), counts: BTreeMap::new(), lost: Vec::new(), readings: 0 }
    }

    /// The machine's history was folded.
    pub(super) fn count(&mut self, machine: &Machine) {
        let found = std::mem::take(&mut self.found);
        for (timeline, found) in found.iter().enumerate() {
            for found in found.values() {
                self.counts.entry((found.rule, Reverse(found.severity))).or_default()[timeline] += 1;
            }
        }
        let [now, rehearsed] = &found;
        let rehearsed: Vec<&Found> = rehearsed.values().filter(|found| found.whole.is_some()).collect();
        let mut lost: Vec<&Incident> = now
            .values()
            .filter(|found| !rehearsed.iter().any(|other| other.is_near(found)))
            .filter_map(|found| found.whole.as_deref())
            .collect();
        lost.sort_by_key(|incident| (incident.time, incident.id));
        let room = REHEARSAL_LOST_NAMED_MAX.saturating_sub(self.lost.len());
        self.lost.extend(lost.into_iter().take(room).map(|incident| show::told(incident, machine)));
    }

    pub(super) fn show(self) -> v1::Rehearsal {
        let counts = self.counts.iter().map(|((rule, Reverse(severity)), counts)| v1::RehearsedCount {
            rule: rule.name().to_owned(),
            severity: show::severity(*severity),
            now: counts[NOW],
            rehearsed: counts[REHEARSED],
        });
        let Span { from, until } = self.span;
        v1::Rehearsal {
            counts: counts.collect(),
            critical_lost: self.lost,
            readings: self.readings,
            range: Some(v1::TimeRange {
                start_time: Some(timestamp(from)),
                end_time: Some(timestamp(until)),
            }),
        }
    }
}
