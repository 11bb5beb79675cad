//! The journal: records as they arrived, with the event time that was settled for them. An ack stands on it.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::clock::Clock;
use domain::ids::{LogId, MachineId};
use domain::log::{BootStart, Hole, Lane, Position};

use crate::StoreError;

/// The new part of one envelope: consecutive records of one lane and one boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// Whose records.
    pub machine: MachineId,
    /// Of which log.
    pub log: LogId,
    /// In which lane.
    pub lane: Lane,
    /// The boot in which they were made, and where it began.
    pub boot: BootStart,
    /// Number of the first record, in that boot.
    pub first: u64,
    /// Number of the last record, in that boot.
    pub last: u64,
    /// How many records there are; less than `last - first + 1` if there are holes inside.
    pub records: u32,
    /// Records known to be lost just before the first one.
    pub hole: Option<Hole>,
    /// The wall-clock mapping settled at the commit. Replay reads it and never settles again.
    pub clock: Clock,
    /// The records themselves, in the wire's encoding, opaque to the store.
    pub body: Bytes,
}

impl Slice {
    /// Position of the first record.
    pub fn first_position(&self) -> Position {
        Position::new(self.boot.boot_count, self.first)
    }

    /// Position of the last record.
    pub fn last_position(&self) -> Position {
        Position::new(self.boot.boot_count, self.last)
    }
}

/// A slice's place in the journal, from 1, without gaps, in the order of commits.
pub type Sequence = u64;

/// How much of the journal there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JournalSpan {
    /// Everything up to here was trimmed; 0: nothing was.
    pub trimmed: Sequence,
    /// The last slice appended; 0: none ever was.
    pub last: Sequence,
}

/// Records as they arrived. One owner appends; anybody may read.
#[async_trait]
pub trait Journal: Send + Sync + std::fmt::Debug {
    /// Appends all of `slices` or none, and returns the sequence of the last. On disk, by fsync, when it returns.
    /// After an error the same call may be repeated if its kind is retryable; nothing was appended.
    /// `Invalid` if there is nothing to append, or if a slice's first number is greater than its last.
    async fn append(&self, slices: Arc<[Slice]>) -> Result<Sequence, StoreError>;

    /// Slices after `after`, ascending, at most `max` (1 to 10 000). Empty: there are none yet.
    async fn read(&self, after: Sequence, max: usize) -> Result<Vec<(Sequence, Slice)>, StoreError>;

    /// Removes slices up to and including `through`. Repeating it changes nothing.
    /// `Invalid` if there is no such slice yet.
    async fn trim(&self, through: Sequence) -> Result<(), StoreError>;

    /// What the journal holds.
    async fn span(&self) -> Result<JournalSpan, StoreError>;
}
