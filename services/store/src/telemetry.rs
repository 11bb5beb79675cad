//! Telemetry: the long history of readings and events. Idempotent: writing the same block again changes nothing.

use async_trait::async_trait;
use domain::clock::Clock;
use domain::ids::{LogId, MachineId};
use domain::log::{Lane, Position};
use domain::record::{Event, Reading, Record};
use domain::units::UnixMicros;

use crate::StoreError;
use crate::journal::Sequence;

/// The readable readings or events of one slice of the journal; pieces of recordings are not among them. A slice never changes, so neither does its block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The slice's place in the journal.
    pub sequence: Sequence,
    /// Whose records.
    pub machine: MachineId,
    /// Of which log.
    pub log: LogId,
    /// In which lane.
    pub lane: Lane,
    /// In which boot.
    pub boot_count: u32,
    /// The settled wall-clock mapping.
    pub clock: Clock,
    /// The records by number, ascending; numbers of recordings are left out.
    pub records: Vec<(u64, Record)>,
}

/// A record with its place and settled time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<T> {
    /// Of which log.
    pub log: LogId,
    /// Its place.
    pub position: Position,
    /// Event time.
    pub time: UnixMicros,
    /// Half-width of what is uncertain about it, in microseconds.
    pub uncertainty_us: u64,
    /// What it says.
    pub value: T,
}

/// Place in a listing: event time, then log and position.
pub type Cursor = (UnixMicros, LogId, Position);

/// Which records of one machine to list, oldest first.
#[derive(Debug, Clone)]
pub struct RangeQuery {
    /// Of this machine.
    pub machine: MachineId,
    /// At or after this event time.
    pub from: UnixMicros,
    /// Before this event time.
    pub until: UnixMicros,
    /// After this place.
    pub after: Option<Cursor>,
    /// At most this many, 1 to 10 001.
    pub max: usize,
}

/// How many records there are, each counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Readings.
    pub readings: u64,
    /// Events.
    pub events: u64,
    /// Of both, those whose boot cannot be dated; they are kept and counted, in no listing by time.
    pub undated: u64,
}

/// The long history.
#[async_trait]
pub trait Telemetry: Send + Sync + std::fmt::Debug {
    /// Writes all of these blocks or none, in the order of their sequence. Writing one again changes nothing; of a record
    /// that comes again in another block, the first one stays.
    /// `Invalid` if a block's numbers do not ascend, or a record is of the other lane or a piece of a recording.
    async fn put(&self, blocks: Vec<Block>) -> Result<(), StoreError>;

    /// Everything up to this slice of the journal is in here, durably; 0: nothing.
    async fn watermark(&self) -> Result<Sequence, StoreError>;

    /// Says that everything up to `through` was put (slices without readable records have no block).
    /// It may go back: after an old journal was restored, slices behind it come again under the same sequences.
    async fn set_watermark(&self, through: Sequence) -> Result<(), StoreError>;

    /// Readings by event time.
    async fn readings(&self, query: &RangeQuery) -> Result<Vec<Stored<Reading>>, StoreError>;

    /// Events by event time.
    async fn events(&self, query: &RangeQuery) -> Result<Vec<Stored<Event>>, StoreError>;

    /// Records of one lane by event time, as their agent wrote them: what they say, and which record of the other lane
    /// was written before them.
    async fn history(&self, lane: Lane, query: &RangeQuery) -> Result<Vec<Stored<Record>>, StoreError>;

    /// How many records there are of one machine, or of all.
    async fn counts(&self, machine: Option<&MachineId>) -> Result<Counts, StoreError>;
}
