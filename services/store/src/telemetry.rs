//! Telemetry: the long history of readings and events. Idempotent: writing the same block again changes nothing.

mod upkeep;

use async_trait::async_trait;
use domain::clock::Clock;
use domain::ids::{LogId, MachineId};
use domain::log::{Lane, Position};
use domain::record::{Event, Reading, Record};
use domain::units::UnixMicros;

use crate::journal::Sequence;
use crate::{StoreError, StoreErrorKind};

pub(crate) use self::upkeep::Checked;
pub use self::upkeep::{
    CheckPlace, CheckStep, Compaction, Damage, Damages, Forgotten, LaneStock, LostChunk, Stock,
};

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

    /// One step of making small what is old enough at `now`; see `limits::COMPACTION_AGE_US`. It changes nothing that
    /// can be asked for, but octets. Puts wait for a part of a second at most. An engine that has nothing to compact
    /// answers at once.
    async fn compact(&self, _now: UnixMicros) -> Result<Compaction, StoreError> {
        Ok(Compaction::default())
    }

    /// One step of removing the records of a lane that are older than `before`. Records that are stored together with
    /// newer ones may stay for up to a day and an hour longer. Undated ones stay. What was forgotten and is put again is stored again.
    async fn forget(&self, _lane: Lane, _before: UnixMicros) -> Result<Forgotten, StoreError> {
        Err(StoreError::new(StoreErrorKind::Invalid, "this history cannot forget: keep it whole"))
    }

    /// How much is stored.
    async fn stock(&self) -> Result<Stock, StoreError> {
        Ok(Stock::default())
    }

    /// One step of looking at everything that is stored, from the beginning or from where the step before ended.
    async fn check(&self, _after: Option<CheckPlace>) -> Result<CheckStep, StoreError> {
        Ok(CheckStep::default())
    }

    /// What was found damaged since the store was opened, by checks and by listings, which leave it out.
    fn damages(&self) -> Damages {
        Damages::default()
    }
}
