//! What a log is made of: readings and events, made by the agent, read by everybody else.

use crate::belt::{Belt, Contact, Contacts, Direction, Origin};
use crate::commissioning::CommissioningReport;
use crate::log::Lane;
use crate::recording::RecordingPiece;
use crate::signal::Capabilities;
use crate::units::{Incline, MonotonicMicros, Speed};

/// One record of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// When it happened. For a reading: the end of its interval. For an event: its first edge.
    pub at: MonotonicMicros,
    /// Number of the last record of the other lane written before this one in the same boot; 0 if none.
    /// It gives the exact order in which both lanes were written, whatever order they arrive in.
    pub other_n: u64,
    /// What it says.
    pub payload: Payload,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Of the readings lane.
    Reading(Reading),
    /// Of the events lane.
    Event(Event),
    /// Of the events lane, too: a piece of a recording. It says nothing that the telemetry keeps.
    Recording(RecordingPiece),
    /// Of the events lane, too: what a commissioning has shown. The server makes a fact of it.
    Commissioning(Box<CommissioningReport>),
}

impl Payload {
    /// The lane that carries it.
    pub fn lane(&self) -> Lane {
        match self {
            Payload::Reading(_) => Lane::Readings,
            Payload::Event(_) | Payload::Recording(_) | Payload::Commissioning(_) => Lane::Events,
        }
    }
}

/// The summary of a short interval.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// Length of the interval, in milliseconds, 1 to 60 000.
    pub span_ms: u32,
    /// Which way the belt ran; unknown if it changed or was not known throughout.
    pub direction: Direction,
    /// How that is known.
    pub origin: Origin,
    /// Speeds; `None`: no speed was known in the interval, which is not zero.
    pub speed: Option<SpeedSummary>,
    /// Incline at the end of the interval; `None`: not known.
    pub incline: Option<Incline>,
    /// Contacts seen in the interval; both bits of one may be set.
    pub contacts: Contacts,
    /// How long this stands if nothing follows, in milliseconds, at most 120 000.
    pub holds_for_ms: u32,
    /// What some machines tell besides; each only when it changed.
    pub extra: Extra,
}

/// Speeds within an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpeedSummary {
    /// Mean over the interval.
    pub mean: Speed,
    /// Least.
    pub min: Speed,
    /// Greatest.
    pub max: Speed,
    /// Largest rise over 1.5 s that ends in the interval, in mm/s; `None`: not known.
    pub rise: Option<u32>,
    /// Largest fall over 1.5 s that ends in the interval, in mm/s; `None`: not known.
    pub fall: Option<u32>,
}

/// Optional signals of a reading; `None`: unchanged or not known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extra {
    /// Speed the console commands.
    pub commanded: Option<Speed>,
    /// The machine's own elapsed time, in seconds.
    pub elapsed_s: Option<u32>,
    /// The machine's own distance, in metres.
    pub distance_m: Option<u32>,
    /// The machine's own step count.
    pub steps: Option<u32>,
    /// Force on the belt, in newtons; positive: the user drives the belt.
    pub belt_force_n: Option<i32>,
    /// Whether a heart-rate sensor has contact.
    pub heart_rate_contact: Option<bool>,
    /// Heart rate, in beats a minute; only where the site opted in.
    pub heart_rate_bpm: Option<u32>,
    /// Speed by the second source.
    pub second_speed: Option<Speed>,
    /// Mode that a console or person declared: 1 coached, 2 event, 3 downhill.
    pub declared_mode: Option<u32>,
}

/// What happened. What it means is the server's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// The belt left standstill.
    BeltStarted,
    /// The belt came to a standstill.
    BeltStopped,
    /// The direction changed between two known values.
    DirectionChanged,
    /// A contact opened.
    ContactOpened,
    /// A contact closed again.
    ContactClosed,
    /// A contact made more edges than can be told one by one.
    ContactChattering,
    /// No signal from a source for longer than it may be silent.
    SourceStale,
    /// A stale source delivers again.
    SourceFresh,
    /// The machine says that its user started or resumed it.
    UserStarted,
    /// The machine says that its user stopped it.
    UserStopped,
    /// The machine says that its user paused it.
    UserPaused,
    /// The machine says that its safety key stopped it.
    SafetyKeyStop,
    /// The agent process started; the first record of its boot.
    AgentStarted,
    /// The agent's disk failed or is full; records are kept in memory only.
    SpoolFailing,
    /// The agent's disk works again.
    SpoolRecovered,
    /// A source sent a value that cannot be true; it was dropped.
    ValueImplausible,
    /// Two sources measure opposite directions while the belt moves.
    DirectionDisagreed,
    /// A drive or a console reports a fault.
    FaultReported,
    /// The speed rose or fell within 1.5 s by more than any ramp does.
    SpeedJumped,
    /// Of two sources one says that a contact is open, the other that it is closed.
    ContactDisagreed,
}

impl EventKind {
    /// All kinds, in the order of their numbers on the wire, from 1.
    pub const ALL: [EventKind; 20] = [
        EventKind::BeltStarted,
        EventKind::BeltStopped,
        EventKind::DirectionChanged,
        EventKind::ContactOpened,
        EventKind::ContactClosed,
        EventKind::ContactChattering,
        EventKind::SourceStale,
        EventKind::SourceFresh,
        EventKind::UserStarted,
        EventKind::UserStopped,
        EventKind::UserPaused,
        EventKind::SafetyKeyStop,
        EventKind::AgentStarted,
        EventKind::SpoolFailing,
        EventKind::SpoolRecovered,
        EventKind::ValueImplausible,
        EventKind::DirectionDisagreed,
        EventKind::FaultReported,
        EventKind::SpeedJumped,
        EventKind::ContactDisagreed,
    ];

    /// The kind's name in the product's words.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::BeltStarted => "belt_started",
            EventKind::BeltStopped => "belt_stopped",
            EventKind::DirectionChanged => "direction_changed",
            EventKind::ContactOpened => "contact_opened",
            EventKind::ContactClosed => "contact_closed",
            EventKind::ContactChattering => "contact_chattering",
            EventKind::SourceStale => "source_stale",
            EventKind::SourceFresh => "source_fresh",
            EventKind::UserStarted => "user_started",
            EventKind::UserStopped => "user_stopped",
            EventKind::UserPaused => "user_paused",
            EventKind::SafetyKeyStop => "safety_key_stop",
            EventKind::AgentStarted => "agent_started",
            EventKind::SpoolFailing => "spool_failing",
            EventKind::SpoolRecovered => "spool_recovered",
            EventKind::ValueImplausible => "value_implausible",
            EventKind::DirectionDisagreed => "direction_disagreed",
            EventKind::FaultReported => "fault_reported",
            EventKind::SpeedJumped => "speed_jumped",
            EventKind::ContactDisagreed => "contact_disagreed",
        }
    }
}

/// Something that happened, with its own picture of the belt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The belt at the edge.
    pub belt: Belt,
    /// The belt over the 2 s before: its greatest speed, and the direction at that speed.
    pub before: Belt,
    /// The contact concerned.
    pub contact: Option<Contact>,
    /// The source concerned, by its configured name, at most 64 octets.
    pub source: String,
    /// Edges or values that this stands for, at least 1.
    pub count: u32,
    /// Time of the last edge that this stands for; the record's time where one is meant. Of a source that went stale:
    /// when it last spoke, which is before the record's time.
    pub last: MonotonicMicros,
    /// Direction before a change.
    pub direction_before: Option<Direction>,
    /// What else was seen, at most 200 octets.
    pub detail: String,
    /// What the agent's sources can report; only where an agent started.
    pub capabilities: Option<Capabilities>,
    /// Time of the event that the recording under way was made for; `None`: nothing was recorded.
    pub recording: Option<MonotonicMicros>,
}

impl Event {
    /// A plain event at `at` with the belt as it is and was.
    pub fn new(kind: EventKind, at: MonotonicMicros, belt: Belt, before: Belt) -> Event {
        Event {
            kind,
            belt,
            before,
            contact: None,
            source: String::new(),
            count: 1,
            last: at,
            direction_before: None,
            detail: String::new(),
            capabilities: None,
            recording: None,
        }
    }
}
