//! Safety incidents: what events and readings mean.
//!
//! The agent says what happened; rules say what it means. A rule is one file under `rules`: its definition, its
//! thresholds with their reasons, what it needs to be able to see, what to do about it, and its tests. The bench around
//! the rules makes incidents of what they say: one an episode, with an identity that a replay gives again.

pub mod bench;
pub mod definition;
pub mod history;
pub mod mind;
pub mod rules;
pub mod settings;
pub mod threshold;
pub mod track;

use serde::{Deserialize, Serialize};

use crate::belt::{Contact, Contacts, Direction, Origin};
use crate::ids::{IncidentId, LogId, MachineId, RecordingId};
use crate::log::Position;
use crate::signal::Capabilities;
use crate::units::{Incline, Speed, UnixMicros};

pub use self::definition::{Definition, Rule};

/// How bad it is, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Maintenance or quality.
    Low,
    /// Misuse; look soon.
    Medium,
    /// A protection failed, or a dangerous state.
    High,
    /// A person may be hurt now.
    Critical,
}

impl Severity {
    /// All, the worst first.
    pub const ALL: [Severity; 5] =
        [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];

    /// The severity's name in the product's words.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::High => "high",
            Severity::Medium => "medium",
            Severity::Low => "low",
            Severity::Info => "info",
        }
    }
}

/// What a rule found, with everything that is needed to judge it later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Identity.
    pub id: IncidentId,
    /// On which machine.
    pub machine: MachineId,
    /// By which rule.
    pub rule: Rule,
    /// Version of the rule.
    pub rule_version: u32,
    /// How bad; it may rise while the incident is active, never fall.
    pub severity: Severity,
    /// When it happened, in event time.
    pub time: UnixMicros,
    /// Event time of the record that showed it: as `time`, or later for what has to last before it is one.
    pub noticed: UnixMicros,
    /// The proof test that it belongs to, by the number of the fact that began it: it is no incident then.
    #[serde(default)]
    pub drill: Option<u64>,
    /// When the machine stopped doing it; `None`: it is active, or not known.
    pub cleared: Option<UnixMicros>,
    /// Which way the belt ran.
    pub direction: Direction,
    /// How that is known.
    pub origin: Origin,
    /// Speed that it happened at: of an edge the greatest of the 2 s before it; `None`: not known.
    pub speed: Option<Speed>,
    /// Incline; `None`: not known.
    pub incline: Option<Incline>,
    /// The contact concerned.
    pub contact: Option<Contact>,
    /// How many edges or values it stands for, at least 1.
    pub count: u32,
    /// What was measured, by name with its unit, such as `speed_mm_s`.
    pub measured: Vec<(String, i64)>,
    /// Thresholds used, by name.
    pub thresholds: Vec<(String, i64)>,
    /// What else is to be said, in one sentence; empty: nothing.
    pub detail: String,
    /// How it explained itself afterwards, such as a belt that was found standing; empty: it did not.
    pub explained: String,
    /// What the machine could report then.
    pub capabilities: Capabilities,
    /// How the belt came to rest, for a stop.
    pub stop: Option<MeasuredStop>,
    /// The agent's recording of it; `None`: the agent made none.
    pub recording: Option<RecordingId>,
    /// Readings from 10 s before to 10 s after it was noticed, oldest first.
    pub trace: Vec<TracePoint>,
    /// Whether the trace has everything that it will have.
    pub trace_complete: bool,
    /// Counts the versions of this incident from 1; the greater wins.
    pub revision: u64,
}

/// How a belt came to rest after a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredStop {
    /// From the contact's edge to standstill, in milliseconds.
    pub time_ms: u32,
    /// Belt distance in that time, in millimetres.
    pub distance_mm: u32,
}

/// A reading as evidence of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracePoint {
    /// End of the reading's interval.
    pub time: UnixMicros,
    /// Length of the interval, in milliseconds.
    pub span_ms: u32,
    /// Which way the belt ran.
    pub direction: Direction,
    /// How that is known.
    pub origin: Origin,
    /// Mean, least and greatest speed; `None`: not known.
    pub speeds: Option<(Speed, Speed, Speed)>,
    /// Incline; `None`: not known.
    pub incline: Option<Incline>,
    /// Contacts seen.
    pub contacts: Contacts,
}

/// An odd number without pattern: the fraction of the golden ratio.
const MIX: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

impl IncidentId {
    /// The incident that a rule finds in this record: FNV-1a with 128 bits over machine, log, rule and position, mixed so
    /// that the first digits differ where only the position does: people name incidents by them.
    pub fn of(machine: &MachineId, log: LogId, rule: Rule, position: Position) -> IncidentId {
        let octets = machine.as_str().bytes().chain([0]).chain(log.0).chain(rule.name().bytes()).chain([0]);
        let octets = octets.chain(position.boot_count.to_be_bytes()).chain(position.n.to_be_bytes());
        let mixed = |hash: u128| (hash ^ hash >> 64).wrapping_mul(MIX);
        IncidentId(mixed(mixed(u128::from_be_bytes(crate::ids::fnv(octets)))).to_be_bytes())
    }
}
