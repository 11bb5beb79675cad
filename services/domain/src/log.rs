//! Logs: lanes and positions.

use std::fmt;

use crate::ids::BootId;

/// One of the two delivery classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// What happened: never lost once the signal was seen.
    Events,
    /// Summaries of short intervals: bounded, losses counted.
    Readings,
}

impl Lane {
    /// Both lanes, the more urgent first.
    pub const ALL: [Lane; 2] = [Lane::Events, Lane::Readings];

    /// The lane's name, as in its topic.
    pub fn name(self) -> &'static str {
        match self {
            Lane::Events => "events",
            Lane::Readings => "readings",
        }
    }

    /// The lane's place in [`Lane::ALL`].
    pub fn index(self) -> usize {
        match self {
            Lane::Events => 0,
            Lane::Readings => 1,
        }
    }

    /// The other lane.
    pub fn other(self) -> Lane {
        match self {
            Lane::Events => Lane::Readings,
            Lane::Readings => Lane::Events,
        }
    }
}

/// A record's place in its log. Ordered by boot, then number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// The agent's life in which the record was made, from 1.
    pub boot_count: u32,
    /// The record's number in that boot and lane, from 1.
    pub n: u64,
}

impl Position {
    /// Makes a position.
    pub const fn new(boot_count: u32, n: u64) -> Position {
        Position { boot_count, n }
    }

    /// The next position of the same boot.
    pub const fn next(self) -> Position {
        Position { boot_count: self.boot_count, n: self.n.saturating_add(1) }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.boot_count, self.n)
    }
}

/// Where a boot began in both lanes, as its agent's spool had it on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct BootStart {
    /// The boot.
    pub boot_count: u32,
    /// This lane's last durable position before it; `None` if there was none.
    pub previous: Option<Position>,
    /// The other lane's last durable position before it; `None` if there was none.
    pub other_previous: Option<Position>,
    /// The process that this boot is the life of: two that go on with copies of one spool count the same, and are not the
    /// same. `None`: not told, by an agent or a journal from before this was told.
    pub maker: Option<BootId>,
}

/// Records that are known to be lost: those after `from` and before `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hole {
    /// The last position before the hole; `None`: the hole begins with the log.
    pub from: Option<Position>,
    /// The first position after it.
    pub to: Position,
    /// How many records are missing at least; exact within one boot.
    pub records_at_least: u64,
}
