//! The ledger: registry, facts, checkpoints, sessions, losses. Whole values under deterministic keys; the greater
//! revision wins.

use async_trait::async_trait;
use bytes::Bytes;
use domain::ids::{LogId, MachineId, SessionId, SiteId};
use domain::live::Session;
use domain::log::{Hole, Lane, Position};
use domain::units::UnixMicros;

use crate::StoreError;
use crate::journal::Sequence;

/// What a person or program did or set. Append-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// When, by the server's clock.
    pub time: UnixMicros,
    /// Who, such as `local:anna` or `token:3`; at most 120 characters.
    pub author: String,
    /// Identity of the request that made it, at most 64 characters. The same author's second fact with the same
    /// identity is not added; the first one's outcome is given again.
    pub request_id: Option<String>,
    /// What.
    pub kind: FactKind,
}

/// What can be done or set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactKind {
    /// A site was registered.
    SiteCreated(Site),
    /// A machine was registered.
    MachineCreated(Machine),
    /// A token for a program was made.
    TokenCreated(Token),
}

/// What became of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactOutcome {
    /// It was added; its number, from 1.
    Added(u64),
    /// The same request had added it before; the number it got then, and the fact as it stands.
    Repeated(u64, Box<Fact>),
}

/// One gym.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Identity.
    pub id: SiteId,
    /// Name for people.
    pub display_name: String,
    /// Time zone by its IANA name.
    pub time_zone: String,
    /// When it was registered.
    pub created: UnixMicros,
}

/// One treadmill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Identity.
    pub id: MachineId,
    /// Where it stands.
    pub site: SiteId,
    /// Name for people.
    pub display_name: String,
    /// Maker and model; empty: not told.
    pub model: String,
    /// What the belt can do.
    pub belt: domain::registry::BeltKind,
    /// What drives it.
    pub drive: domain::registry::DriveKind,
    /// Generation of its newest key, from 1.
    pub key_generation: u32,
    /// When it was registered.
    pub created: UnixMicros,
}

/// A program's token; only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// What it is for.
    pub display_name: String,
    /// Sites that it may see; empty: all.
    pub sites: Vec<SiteId>,
}

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
    /// Losses, by machine, log, lane and end of the hole.
    pub losses: Vec<(MachineId, Loss)>,
    /// Unreadable records, by machine, log, lane and position.
    pub unreadable: Vec<(MachineId, Unreadable)>,
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
    /// After this one in the list: its start and id.
    pub after: Option<(UnixMicros, SessionId)>,
    /// At most this many, 1 to 1 000.
    pub max: usize,
}

/// Registry, facts and what is derived. One owner writes; anybody may read.
#[async_trait]
pub trait Ledger: Send + Sync + std::fmt::Debug {
    /// Adds a fact and what follows from it, or says that the same request had added it.
    /// `Conflict` if it contradicts another (an id is taken); `Invalid` if it names what does not exist.
    async fn add_fact(&self, fact: Fact) -> Result<FactOutcome, StoreError>;

    /// Facts after number `after`, ascending, at most `max` (1 to 1 000).
    async fn facts(&self, after: u64, max: usize) -> Result<Vec<(u64, Fact)>, StoreError>;

    /// Sites by id after `after`, at most `max` (1 to 1 001).
    async fn sites(&self, after: Option<&SiteId>, max: usize) -> Result<Vec<Site>, StoreError>;

    /// Machines by id after `after`, of one site or all, at most `max` (1 to 1 001).
    async fn machines(
        &self,
        site: Option<&SiteId>,
        after: Option<&MachineId>,
        max: usize,
    ) -> Result<Vec<Machine>, StoreError>;

    /// One machine.
    async fn machine(&self, id: &MachineId) -> Result<Option<Machine>, StoreError>;

    /// The token with this hash, and its fact's number.
    async fn token(&self, hash: &[u8; 32]) -> Result<Option<(u64, Token)>, StoreError>;

    /// Writes what was derived, as whole values; of two with one key the greater revision stays.
    /// With equal revisions, and of losses and unreadable records, which have none, the later one stays.
    async fn put(&self, derived: Derived) -> Result<(), StoreError>;

    /// Checkpoints by machine after `after`, at most `max` (1 to 1 000).
    async fn checkpoints(&self, after: Option<&MachineId>, max: usize)
    -> Result<Vec<Checkpoint>, StoreError>;

    /// Sessions, newest first.
    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<Session>, StoreError>;

    /// One session.
    async fn session(&self, id: &SessionId) -> Result<Option<Session>, StoreError>;

    /// Losses of one machine, by log, lane and end; at most `max` (1 to 10 000).
    async fn losses(&self, machine: &MachineId, max: usize) -> Result<Vec<Loss>, StoreError>;

    /// Unreadable records of one machine, the one that was first put last coming first; at most `max` (1 to 1 000).
    async fn unreadable(&self, machine: &MachineId, max: usize) -> Result<Vec<Unreadable>, StoreError>;
}
