//! The ledger: registry, facts, checkpoints, sessions, losses, incidents, recordings. Whole values under deterministic
//! keys; the greater revision wins.

mod incidents;
pub(crate) mod labels;
mod notices;
pub(crate) mod steps;
pub(crate) mod usage;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::belt::Direction;
use domain::ids::{IncidentId, LogId, MachineId, RecordingId, SessionId};
use domain::live::Session;
use domain::log::{Hole, Lane, Position};
use domain::units::UnixMicros;
use domain::usage::{PartId, Usage, UsageRow};
use tokio::sync::watch;

pub use self::incidents::{
    DerivedIncident, DerivedPiece, IncidentCount, IncidentFilter, IncidentOrder, IncidentPlace,
    IncidentQuery, Members, RecordedPoint, StoredIncident,
};
pub use self::notices::{About, Notice, NoticeQuery, NoticeState};
pub use self::usage::quarters;
use crate::StoreError;
use crate::fact::{Fact, FactOutcome, Leaf, StoredFact};
use crate::journal::Sequence;
use crate::registry::{CourseId, Registry};

/// The folded state of one machine up to given positions, opaque to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The machine.
    pub machine: MachineId,
    /// The last slice of the journal whose records of this machine are all in `state`.
    pub sequence: Sequence,
    /// Records folded; the greater wins.
    pub revision: u64,
    /// Encoded and versioned by the wire.
    pub state: Bytes,
}

/// Records known to be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// In which log.
    pub log: LogId,
    /// In which lane.
    pub lane: Lane,
    /// Which ones.
    pub hole: Hole,
    /// Event time of the record after the hole; `None`: undated.
    pub before: Option<UnixMicros>,
}

/// An authentic record that could not be read; kept as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// In which log.
    pub log: LogId,
    /// In which lane.
    pub lane: Lane,
    /// Its place.
    pub position: Position,
    /// Why it could not be read: field, value, what is allowed.
    pub reason: String,
    /// Its octets.
    pub octets: Bytes,
}

/// Everything derived from some slices of the journal; written as one transaction.
#[derive(Debug, Clone, Default)]
pub struct Derived {
    /// Checkpoints, by machine.
    pub checkpoints: Vec<Checkpoint>,
    /// Sessions, by id.
    pub sessions: Vec<Session>,
    /// Usage, by machine, day and part.
    pub usage: Vec<UsageRow>,
    /// Losses, by machine, log, lane and end of the hole.
    pub losses: Vec<(MachineId, Loss)>,
    /// Unreadable records, by machine, log, lane and position.
    pub unreadable: Vec<(MachineId, Unreadable)>,
    /// Incidents, by id.
    pub incidents: Vec<DerivedIncident>,
    /// Pieces of recordings, by recording and number.
    pub recordings: Vec<DerivedPiece>,
    /// Facts that records tell, each with the identity of its record as its request's. Whoever writes adds them first, with
    /// [`Ledger::add_fact`]; `put` leaves them alone.
    pub facts: Vec<Fact>,
}

impl Derived {
    /// Takes over more, derived after this.
    pub fn absorb(&mut self, more: Derived) {
        self.checkpoints.extend(more.checkpoints);
        self.sessions.extend(more.sessions);
        self.usage.extend(more.usage);
        self.incidents.extend(more.incidents);
        self.recordings.extend(more.recordings);
        self.facts.extend(more.facts);
        self.losses.extend(more.losses);
        self.unreadable.extend(more.unreadable);
    }

    /// How many values there are.
    pub fn rows(&self) -> usize {
        self.checkpoints.len()
            + self.sessions.len()
            + self.usage.len()
            + self.incidents.len()
            + self.recordings.len()
            + self.facts.len()
            + self.losses.len()
            + self.unreadable.len()
    }
}

/// Which sessions to list, newest first.
#[derive(Debug, Clone)]
pub struct SessionQuery {
    /// Of these machines, at most 1 000.
    pub machines: Vec<MachineId>,
    /// That began at or after this.
    pub from: UnixMicros,
    /// That began before this.
    pub until: UnixMicros,
    /// With a segment of this direction; stopped is a rest. `None`: all.
    pub with: Option<Direction>,
    /// After this one in the list: its start and id.
    pub after: Option<(UnixMicros, SessionId)>,
    /// At most this many, 1 to 1 000.
    pub max: usize,
}

/// Which usage to read.
#[derive(Debug, Clone)]
pub struct UsageQuery {
    /// Of these machines, at most 1 000.
    pub machines: Vec<MachineId>,
    /// From this day on, in days since 1970-01-01 UTC.
    pub from_day: i32,
    /// Before this day.
    pub until_day: i32,
    /// After this row in the order of machine, day and part.
    pub after: Option<(MachineId, i32, PartId)>,
    /// At most this many, 1 to `limits::USAGE_ROWS_READ_MAX`.
    pub max: usize,
}

/// All quarters of a usage row added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageTotal {
    /// The machine.
    pub machine: MachineId,
    /// Days since 1970-01-01, UTC.
    pub day: i32,
    /// Which part of the day.
    pub part: PartId,
    /// The sum.
    pub usage: Usage,
}

/// A usage row whose last change has this number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageChange {
    /// Among the changes of all usage rows, from 1.
    pub change: u64,
    /// The machine.
    pub machine: MachineId,
    /// Days since 1970-01-01, UTC.
    pub day: i32,
    /// Which part of the day.
    pub part: PartId,
}

/// Which sessions of a course to list, newest first.
#[derive(Debug, Clone)]
pub struct CourseQuery {
    /// The course.
    pub course: CourseId,
    /// That began at or after this.
    pub from: UnixMicros,
    /// That began before this.
    pub until: UnixMicros,
    /// After this one in the list: its start and id.
    pub after: Option<(UnixMicros, SessionId)>,
    /// At most this many, 1 to 1 000.
    pub max: usize,
}

/// Registry, facts and what is derived. One owner writes; anybody may read.
#[async_trait]
pub trait Ledger: Send + Sync + std::fmt::Debug {
    /// Adds a fact and what follows from it, or says that the same request had added it.
    /// Fails as `Registry::follow` does. A label of a session is refused as `Invalid` if there is no such session of that
    /// machine; of two labels of one session the later counts. A step about an incident is refused as `Invalid` if there is no such incident
    /// or `domain::handling::Handling::check` refuses it, and as `Full` beyond `limits::INCIDENT_STEPS_MAX`; the incident
    /// gets the next change number, and the fact the leaf of the one before it of the same incident.
    async fn add_fact(&self, fact: Fact) -> Result<FactOutcome, StoreError>;

    /// Facts after number `after`, ascending, at most `max` (1 to 1 000).
    async fn facts(&self, after: u64, max: usize) -> Result<Vec<(u64, Fact)>, StoreError>;

    /// The facts about one incident, ascending, with the texts of their notes that were not erased.
    async fn incident_facts(&self, id: &IncidentId) -> Result<Vec<StoredFact>, StoreError>;

    /// Leaves of all facts after number `after`, ascending without a hole, at most `max` (1 to
    /// `limits::LEAVES_READ_MAX`).
    async fn leaves(&self, after: u64, max: usize) -> Result<Vec<Leaf>, StoreError>;

    /// Facts before number `before`, newest first, at most `max` (1 to 1 000).
    async fn facts_before(&self, before: u64, max: usize) -> Result<Vec<(u64, Fact)>, StoreError>;

    /// The registry as of the last fact. Never waits.
    fn registry(&self) -> Arc<Registry>;

    /// The number of the last fact that a restart cannot take back; 0: there is none. Told once the registry has it, also if
    /// whoever added the fact is gone by then. Never waits.
    fn last_fact(&self) -> watch::Receiver<u64>;

    /// Writes what was derived, as whole values; of two with one key the greater revision stays. Usage that cannot be read
    /// is refused as `Invalid`; a row of usage that is taken and is not what is there gets the next change number.
    /// With equal revisions, and of losses, unreadable records and pieces of recordings, which have none, the later one
    /// stays. Of incidents only a strictly greater revision is taken; it gets the next change number.
    async fn put(&self, derived: Derived) -> Result<(), StoreError>;

    /// The checkpoint of one machine.
    async fn checkpoint(&self, machine: &MachineId) -> Result<Option<Checkpoint>, StoreError>;

    /// Checkpoints by machine after `after`, at most `max` (1 to 1 000).
    async fn checkpoints(&self, after: Option<&MachineId>, max: usize)
    -> Result<Vec<Checkpoint>, StoreError>;

    /// Sessions, newest first.
    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<Session>, StoreError>;

    /// One session.
    async fn session(&self, id: &SessionId) -> Result<Option<Session>, StoreError>;

    /// When sessions of these machines, at most 1 000, began and when they were last in motion, by start: those that began
    /// before `until` and were in motion at or after `from`. Gives the first `max` (1 to `limits::SESSION_SPANS_READ_MAX`).
    async fn session_spans(
        &self,
        machines: &[MachineId],
        from: UnixMicros,
        until: UnixMicros,
        max: usize,
    ) -> Result<Vec<(MachineId, UnixMicros, UnixMicros)>, StoreError>;

    /// Usage by machine, day and part; its quarters are read with [`quarters`].
    async fn usage(&self, query: &UsageQuery) -> Result<Vec<UsageRow>, StoreError>;

    /// The same rows, each added up when it was written: much less to read.
    async fn usage_totals(&self, query: &UsageQuery) -> Result<Vec<UsageTotal>, StoreError>;

    /// Up to when usage of these machines, at most 1 000, is counted: the greatest end of time that was put, by machine.
    /// Machines without usage are left out.
    async fn usage_through(&self, machines: &[MachineId])
    -> Result<Vec<(MachineId, UnixMicros)>, StoreError>;

    /// Usage rows whose last change has a number after `after`, ascending, at most `max` (1 to 1 000).
    async fn usage_changes(&self, after: u64, max: usize) -> Result<Vec<UsageChange>, StoreError>;

    /// The number of the newest change of a usage row that a restart cannot take back; 0: there is none. Never waits.
    fn usage_change(&self) -> watch::Receiver<u64>;

    /// The courses that these sessions, at most 1 000, are labelled with, by session; those without a label are left out.
    async fn session_courses(&self, sessions: &[SessionId])
    -> Result<Vec<(SessionId, CourseId)>, StoreError>;

    /// Sessions of a course, newest first. All starts of the course's sessions are looked at.
    async fn course_sessions(&self, query: &CourseQuery) -> Result<Vec<Session>, StoreError>;

    /// Losses of one machine, by log, lane and end; at most `max` (1 to 10 000).
    async fn losses(&self, machine: &MachineId, max: usize) -> Result<Vec<Loss>, StoreError>;

    /// Unreadable records of one machine, the one that was first put last coming first; at most `max` (1 to 1 000).
    async fn unreadable(&self, machine: &MachineId, max: usize) -> Result<Vec<Unreadable>, StoreError>;

    /// Incidents in an order.
    async fn incidents(&self, query: &IncidentQuery) -> Result<Vec<StoredIncident>, StoreError>;

    /// One incident.
    async fn incident(&self, id: &IncidentId) -> Result<Option<StoredIncident>, StoreError>;

    /// How many incidents there are by rule, severity and whether they are active; by rule, the worst first, active
    /// first.
    async fn incident_counts(&self, filter: &IncidentFilter) -> Result<Vec<IncidentCount>, StoreError>;

    /// Incidents whose last change has a number after `after`, ascending, at most `max` (1 to 1 000).
    async fn incident_changes(&self, after: u64, max: usize) -> Result<Vec<StoredIncident>, StoreError>;

    /// The number of the newest change of an incident that a restart cannot take back; 0: there is none. Never waits.
    fn incident_change(&self) -> watch::Receiver<u64>;

    /// Notes that this version of their rule did not find these incidents, at most 1 000, any more. Each that was not
    /// noted so before gets the next change number; ids that are not known are left out. A greater revision takes the
    /// note away.
    async fn mark_unconfirmed(&self, ids: Vec<IncidentId>, rule_version: u32) -> Result<(), StoreError>;

    /// Writes notices, as whole values; only a strictly greater revision is taken. With `taken` it is noted in the same transaction that
    /// changes of incidents up to this number were looked at;
    /// a smaller number than before changes nothing.
    async fn put_notices(&self, notices: Vec<Notice>, taken: Option<u64>) -> Result<(), StoreError>;

    /// Up to which change of an incident notices were planned; `None`: none was ever looked at.
    async fn notices_taken(&self) -> Result<Option<u64>, StoreError>;

    /// Notices that wait, by when they are due and then by id, at most `max` (1 to `limits::NOTICES_READ_MAX`).
    async fn waiting_notices(&self, max: usize) -> Result<Vec<Notice>, StoreError>;

    /// Notices by when they were planned, the newest first; of two planned at once the one with the greater id is newer.
    async fn notices(&self, query: &NoticeQuery) -> Result<Vec<Notice>, StoreError>;

    /// Counts writings of notices that changed any, from when the ledger was opened. Never waits.
    fn notice_change(&self) -> watch::Receiver<u64>;

    /// The pieces of a recording by number, at most the first `limits::RECORDING_PIECES_MAX`.
    async fn recording(&self, id: &RecordingId) -> Result<Vec<DerivedPiece>, StoreError>;
}
