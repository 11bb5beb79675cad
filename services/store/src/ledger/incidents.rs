//! Incidents and recordings as the ledger keeps them.

use domain::belt::{Contacts, Direction, Origin};
use domain::handling::{Handling, HandlingState};
use domain::ids::{IncidentId, MachineId, RecordingId, UserName};
use domain::incident::{Incident, Rule, Severity};
use domain::units::{Incline, Speed, UnixMicros};

/// An incident that was derived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedIncident {
    /// The incident.
    pub incident: Incident,
    /// When the server found it. What was told with the first version stays.
    pub detected: UnixMicros,
}

/// An incident as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredIncident {
    /// Its version with the greatest revision.
    pub incident: Incident,
    /// When the server found it first.
    pub detected: UnixMicros,
    /// Number of its last change among the changes of all incidents, from 1.
    pub change: u64,
    /// The version of the rule that did not find it any more; `None`: nothing speaks against it.
    pub unconfirmed: Option<u32>,
    /// What people did about it.
    pub handling: Handling,
}

impl StoredIncident {
    /// Whether it is laid aside at that time. What has become critical since is not.
    pub fn is_shelved(&self, now: UnixMicros) -> bool {
        self.incident.severity < Severity::Critical && self.handling.is_shelved(now)
    }
}

/// A piece of a recording, in event time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedPiece {
    /// Of which recording.
    pub recording: RecordingId,
    /// Of which machine.
    pub machine: MachineId,
    /// Its number within the recording, from 0.
    pub number: u32,
    /// Whether it is the last one.
    pub is_last: bool,
    /// Points, oldest first, at most `limits::RECORDING_POINTS_MAX`.
    pub points: Vec<RecordedPoint>,
}

/// The belt at one moment of a recording, in event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedPoint {
    /// When.
    pub time: UnixMicros,
    /// Which way the belt ran.
    pub direction: Direction,
    /// How that is known.
    pub origin: Origin,
    /// Speed without sign; `None` is not known, which is not zero.
    pub speed: Option<Speed>,
    /// Incline; `None` is not known.
    pub incline: Option<Incline>,
    /// Contacts.
    pub contacts: Contacts,
}

/// Which incidents. The default: all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentFilter {
    /// Of these machines, at most `limits::INCIDENT_MACHINES_MAX`; `None`: of all.
    pub machines: Option<Vec<MachineId>>,
    /// By one of these rules; empty: by any.
    pub rules: Vec<Rule>,
    /// Of one of these severities; empty: of any.
    pub severities: Vec<Severity>,
    /// In one of these directions; empty: in any.
    pub directions: Vec<Direction>,
    /// Active, which is not cleared, or cleared; `None`: both.
    pub active: Option<bool>,
    /// That happened at or after this.
    pub from: UnixMicros,
    /// That happened before this.
    pub until: UnixMicros,
    /// With which people are so far; empty: any.
    pub handling: Vec<HandlingState>,
    /// Shelved at the time that stands beside it, or not; `None`: both.
    pub shelved: Option<(bool, UnixMicros)>,
    /// That this user works on; `None`: anybody or nobody.
    pub assignee: Option<UserName>,
    /// Found in a proof test, or not; `None`: both.
    pub drill: Option<bool>,
    /// As to outages of a site.
    pub members: Members,
}

/// Incidents that are part of an outage, which another one stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Members {
    /// They are listed as others are.
    #[default]
    Listed,
    /// They are left out.
    LeftOut,
    /// Only those that this one stands for.
    Of(IncidentId),
}

impl Default for IncidentFilter {
    fn default() -> IncidentFilter {
        IncidentFilter {
            machines: None,
            rules: Vec::new(),
            severities: Vec::new(),
            directions: Vec::new(),
            active: None,
            from: UnixMicros(i64::MIN),
            until: UnixMicros(i64::MAX),
            handling: Vec::new(),
            shelved: None,
            assignee: None,
            drill: None,
            members: Members::Listed,
        }
    }
}

/// In which order incidents are listed. Of two at the same time the one with the greater id is the newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum IncidentOrder {
    /// By time, the newest first.
    #[default]
    NewestFirst,
    /// By time, the oldest first.
    OldestFirst,
    /// By severity, the worst first, then the newest first.
    WorstFirst,
}

/// An incident's place in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentPlace {
    /// Its severity; it counts where the order is by severity.
    pub severity: Severity,
    /// When it happened.
    pub time: UnixMicros,
    /// Which one it is.
    pub id: IncidentId,
}

impl IncidentPlace {
    /// The place of an incident.
    pub fn of(incident: &Incident) -> IncidentPlace {
        IncidentPlace { severity: incident.severity, time: incident.time, id: incident.id }
    }
}

/// A page of incidents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentQuery {
    /// Which ones.
    pub filter: IncidentFilter,
    /// In which order.
    pub order: IncidentOrder,
    /// After this place in that order.
    pub after: Option<IncidentPlace>,
    /// At most this many, 1 to 1 000.
    pub max: usize,
}

/// How many incidents of one kind there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IncidentCount {
    /// By which rule.
    pub rule: Rule,
    /// How bad.
    pub severity: Severity,
    /// Active, or cleared.
    pub active: bool,
    /// How many, at least 1.
    pub count: u64,
}
