//! What a spool asks of a disk. Small, synchronous, and explicit about what survives a power cut.

use bytes::Bytes;
use domain::clock::Clock;
use domain::ids::BootId;
use domain::log::{Lane, Position};
use domain::record::Event;
use domain::units::MonotonicMicros;

use super::SpoolId;

/// One life of the machine's kernel: while it lasts, the monotonic clock goes on across agent processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KernelBoot(pub [u8; 16]);

/// A record as the spool holds it: never changed after it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its place in its lane.
    pub position: Position,
    /// The record's own time, in monotonic microseconds of its boot.
    pub at: MonotonicMicros,
    /// The encoded record.
    pub octets: Bytes,
}

impl Row {
    /// What a row counts for in the bounds of the spool, in octets: the record and its place in the table.
    pub fn bytes(&self) -> u64 {
        self.octets.len() as u64 + ROW_OVERHEAD_BYTES
    }
}

/// Octets that a row takes besides its record.
pub const ROW_OVERHEAD_BYTES: u64 = 32;

/// One life of the agent on this spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Boot {
    /// Its number, from 1.
    pub boot_count: u32,
    /// The process.
    pub boot: BootId,
    /// The kernel's life in which it ran.
    pub kernel: KernelBoot,
    /// Last durable position of the events lane before it; `None` if there was none.
    pub events_before: Option<Position>,
    /// Last durable position of the readings lane before it; `None` if there was none.
    pub readings_before: Option<Position>,
    /// What was last known of its clock.
    pub clock: Clock,
}

impl Boot {
    /// Last durable position of a lane before this boot.
    pub fn before(&self, lane: Lane) -> Option<Position> {
        match lane {
            Lane::Events => self.events_before,
            Lane::Readings => self.readings_before,
        }
    }
}

/// What one lane has on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneOnDisk {
    /// How many rows.
    pub records: u64,
    /// What they count for, in octets; see [`Row::bytes`].
    pub bytes: u64,
    /// The oldest row.
    pub first: Option<Position>,
    /// The newest row.
    pub last: Option<Position>,
    /// The last position up to which rows were removed.
    pub trimmed: Option<Position>,
    /// Records dropped for want of room since the spool was made.
    pub dropped: u64,
}

/// Events of one kind and contact that found no room: kept as one that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// The boot that counted.
    pub boot_count: u32,
    /// Time of the first.
    pub at: MonotonicMicros,
    /// The first, with how many there were and the time of the last.
    pub event: Event,
}

/// What a disk holds when it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The spool's identity.
    pub spool: SpoolId,
    /// The boots that are kept, ascending. The newest is always kept.
    pub boots: Vec<Boot>,
    /// The events lane.
    pub events: LaneOnDisk,
    /// The readings lane.
    pub readings: LaneOnDisk,
    /// Events that are counted and not yet records.
    pub counters: Vec<Counter>,
}

/// Why rows leave the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// The ingest has them.
    Acknowledged,
    /// There is no room: they are added to the lane's `dropped`.
    Dropped,
}

/// What a disk could not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("spool: cannot {action}: {reason}")]
pub struct DiskError {
    /// What was tried, as in "write events".
    pub action: &'static str,
    /// Why it failed.
    pub reason: String,
}

/// A disk for one spool. Every call is whole or not at all; after an error it is not known which, so every
/// write may be repeated: a row that is there already stays as it is.
pub trait Disk: Send {
    /// What is there. An empty disk gets the identity `fresh`, durably.
    fn load(&mut self, fresh: SpoolId) -> Result<Loaded, DiskError>;

    /// Adds a boot and forgets those before `oldest_kept`. Durable when it returns.
    fn begin_boot(&mut self, boot: &Boot, oldest_kept: u32) -> Result<(), DiskError>;

    /// Gives the spool another identity; everything else stays. Durable when it returns.
    fn renew(&mut self, spool: SpoolId) -> Result<(), DiskError>;

    /// Notes what is known of a boot's clock. May be lost in a power cut.
    fn put_clock(&mut self, boot_count: u32, clock: &Clock) -> Result<(), DiskError>;

    /// Appends events; `counters`, if given, replace all that are kept. One step, durable when it returns.
    fn write_events(&mut self, rows: &[Row], counters: Option<&[Counter]>) -> Result<(), DiskError>;

    /// Appends readings and adds `dropped` to the lane's count. Durable at the next [`Disk::sync_readings`].
    fn write_readings(&mut self, rows: &[Row], dropped: u64) -> Result<(), DiskError>;

    /// Makes all readings written so far durable.
    fn sync_readings(&mut self) -> Result<(), DiskError>;

    /// Rows of a lane after a position (`None`: from the oldest), ascending, at most `records_max`.
    fn read(
        &mut self,
        lane: Lane,
        after: Option<Position>,
        records_max: usize,
    ) -> Result<Vec<Row>, DiskError>;

    /// Removes rows up to and at a position, and says what is left. May be undone by a power cut.
    fn trim(&mut self, lane: Lane, through: Position, removal: Removal) -> Result<LaneOnDisk, DiskError>;
}
