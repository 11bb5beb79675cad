//! What keeps the history small, bounded and whole: compaction, retention, checks.

use domain::ids::{LogId, MachineId};
use domain::log::Lane;
use domain::units::UnixMicros;

/// What one step of compaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compaction {
    /// Records that were moved.
    pub records: u64,
    /// Chunks they were in.
    pub chunks_before: u64,
    /// Octets of these.
    pub bytes_before: u64,
    /// Chunks they are in now.
    pub chunks: u64,
    /// Octets of the new file.
    pub bytes: u64,
    /// Small files of a day that became one; then no record was moved.
    pub files_merged: u64,
    /// There is more to do.
    pub more: bool,
}

/// What one step of forgetting did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// Records that are gone.
    pub records: u64,
    /// Files that were removed.
    pub files: u64,
    /// There is more to do.
    pub more: bool,
}

/// How much is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stock {
    /// Of the events.
    pub events: LaneStock,
    /// Of the readings.
    pub readings: LaneStock,
    /// Files of compacted chunks.
    pub files: u64,
    /// Octets of what is not compacted yet, with everything that finds the records, and room that is free again.
    pub database_bytes: u64,
    /// Of these, octets of room that is free again.
    pub database_free_bytes: u64,
}

impl Stock {
    /// Of one lane.
    pub fn lane(&self, lane: Lane) -> LaneStock {
        match lane {
            Lane::Events => self.events,
            Lane::Readings => self.readings,
        }
    }
}

/// How much of one lane is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneStock {
    /// Records in compacted chunks.
    pub compacted: u64,
    /// Octets of the files that hold them.
    pub bytes: u64,
    /// The oldest event time that is stored; `None`: nothing that is dated.
    pub oldest: Option<UnixMicros>,
}

impl LaneStock {
    /// Octets that a compacted record takes in its file; `None`: there is none.
    pub fn bytes_per_record(&self) -> Option<f64> {
        (self.compacted > 0).then(|| self.bytes as f64 / self.compacted as f64)
    }
}

/// Something stored that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// In which file of the folder.
    pub file: String,
    /// Where in it, in octets; `None`: in a row of a database.
    pub offset: Option<u64>,
    /// What is wrong, in words.
    pub reason: String,
    /// Records that cannot be read any more; `None`: none is lost.
    pub lost: Option<LostChunk>,
}

/// Records that were lost together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostChunk {
    /// Whose records.
    pub machine: MachineId,
    /// In which lane.
    pub lane: Lane,
    /// Of which log.
    pub log: LogId,
    /// In which boot.
    pub boot_count: u32,
    /// Number of the first one.
    pub first_n: u64,
    /// Number of the last one.
    pub last_n: u64,
    /// How many.
    pub records: u64,
    /// Least and greatest event time; `None`: undated.
    pub times: Option<(UnixMicros, UnixMicros)>,
}

/// The damage that was met since the store was opened, healed or not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Damages {
    /// The first ones, each place once, at most `limits::DAMAGES_KEPT_MAX`.
    pub places: Vec<Damage>,
    /// How often another place was met that had no room here.
    pub more: u64,
}

/// How far a check has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckPlace(pub(crate) Checked);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Checked {
    /// Chunks in the database up to this one: machine, lane, log, boot and first number, in the file's own numbers.
    Chunk([i64; 5]),
    /// Chunks in files up to this one: the file's number, and where the chunk begins.
    Filed([i64; 2]),
}

/// What one step of a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckStep {
    /// Chunks that were looked at.
    pub chunks: u64,
    /// What is damaged among them.
    pub damages: Vec<Damage>,
    /// From where to go on; `None`: all was looked at.
    pub next: Option<CheckPlace>,
}
