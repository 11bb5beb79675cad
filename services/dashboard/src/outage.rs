//! Since when which part of the pages cannot be had.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::call::{Failure, FailureKind};
use crate::clock;
use crate::texts::Texts;

/// Something that pages ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Account,
    Sites,
    Machines,
    Machine,
    Readings,
    Events,
    Sessions,
    Incidents,
    Incident,
    SiteIncidents,
    Steps,
    IncidentNotices,
    Dossier,
    Users,
    Tokens,
    Enrolments,
    Audit,
    Refusals,
    Drill,
    Proofs,
    Stops,
    Contacts,
    Policies,
    Notices,
    Usage,
    Periods,
    HeatMap,
    Utilisation,
    Maintenance,
    ReverseUse,
    Export,
    Courses,
    Course,
    LabelSessions,
    BlindSpots,
}

impl Part {
    pub(crate) fn name(self, t: Texts) -> &'static str {
        match self {
            Part::Account => t.part_account(),
            Part::Sites => t.part_sites(),
            Part::Machines => t.part_machines(),
            Part::Machine => t.part_machine(),
            Part::Readings => t.part_readings(),
            Part::Events => t.part_events(),
            Part::Sessions => t.part_sessions(),
            Part::Incidents => t.part_incidents(),
            Part::Incident => t.part_incident(),
            Part::SiteIncidents => t.part_site_incidents(),
            Part::Steps => t.part_steps(),
            Part::IncidentNotices => t.part_told(),
            Part::Dossier => t.part_dossier(),
            Part::Users => t.part_users(),
            Part::Tokens => t.part_tokens(),
            Part::Enrolments => t.part_enrolments(),
            Part::Audit => t.part_audit(),
            Part::Refusals => t.part_refusals(),
            Part::Drill => t.part_drill(),
            Part::Proofs => t.part_proofs(),
            Part::Stops => t.part_stops(),
            Part::Contacts => t.part_contacts(),
            Part::Policies => t.part_policies(),
            Part::Notices => t.part_notices(),
            Part::Usage => t.part_usage(),
            Part::Periods => t.part_periods(),
            Part::HeatMap => t.part_heat_map(),
            Part::Utilisation => t.part_utilisation(),
            Part::Maintenance => t.part_maintenance(),
            Part::ReverseUse => t.part_reverse_use(),
            Part::Export => t.part_export(),
            Part::Courses => t.part_courses(),
            Part::Course => t.part_course(),
            Part::LabelSessions => t.part_label_sessions(),
            Part::BlindSpots => t.today_blind(),
        }
    }
}

/// A part that could not be had.
#[derive(Debug, Clone)]
pub(crate) struct Missing {
    pub(crate) part: Part,
    pub(crate) failure: Failure,
    /// Since when nobody gets it. None: it is only refused to this visitor.
    pub(crate) since: Option<Timestamp>,
}

/// The first failure of each part since it was last had; as many as there are parts.
#[derive(Debug, Default)]
pub(crate) struct Outages(Mutex<BTreeMap<Part, Timestamp>>);

impl Outages {
    /// Notes how asking for a part went.
    pub(crate) fn note<T>(&self, part: Part, asked: Result<T, Failure>) -> Result<T, Missing> {
        self.note_at(part, asked, clock::now())
    }

    fn note_at<T>(&self, part: Part, asked: Result<T, Failure>, now: Timestamp) -> Result<T, Missing> {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match asked {
            Ok(answer) => {
                since.remove(&part);
                Ok(answer)
            }
            Err(failure) if failure.kind == FailureKind::Outage => {
                let since = *since.entry(part).or_insert(now);
                Err(Missing { part, failure, since: Some(since) })
            }
            Err(failure) => Err(Missing { part, failure, since: None }),
        }
    }
}

#[cfg(test)]
mod tests;
