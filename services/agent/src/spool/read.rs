//! Reading a spool in envelope-sized pieces.

use domain::clock::Clock;
use domain::ids::BootId;
use domain::log::{BootStart, Lane, Position};

use super::Spool;
use super::disk::{Disk, DiskError, Row};

/// Some records of one lane and one boot, ready for an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The lane.
    pub lane: Lane,
    /// The records' boot, and where it began.
    pub boot: BootStart,
    /// Wall-clock mapping of that boot.
    pub clock: Clock,
    /// Whether that is the mapping of the running boot, which may still become known.
    pub clock_is_present: bool,
    /// Position of the record before the first in the spool; `None`: the spool holds nothing older.
    pub after: Option<Position>,
    /// The process that made that record.
    pub after_maker: Option<BootId>,
    /// The records, ascending; never empty.
    pub rows: Vec<Row>,
}

/// Octets that an entry takes in an envelope besides its record, at most.
const ENTRY_OVERHEAD_BYTES: usize = 20;

impl<D: Disk> Spool<D> {
    /// Records of one boot after a position, as many as fit; `None`: there are none. `after` is a position that
    /// this lane gave out, or one that was acknowledged.
    pub fn read(
        &mut self,
        lane: Lane,
        after: Option<Position>,
        records_max: usize,
        bytes_max: usize,
    ) -> Result<Option<Batch>, DiskError> {
        let after = after.max(self.lane(lane).trimmed);
        let mut rows = Vec::new();
        if self.lane(lane).is_cold_after(after) {
            rows = self.disk.read(lane, after, records_max)?;
        }
        if rows.is_empty() {
            rows.extend(self.lane(lane).in_memory_after(after).take(records_max).cloned());
        }
        let Some(first) = rows.first().map(|row| row.position) else { return Ok(None) };
        let mut bytes = 0;
        let fitting = rows.iter().enumerate().take_while(|(index, row)| {
            bytes += row.octets.len() + ENTRY_OVERHEAD_BYTES;
            row.position.boot_count == first.boot_count && (*index == 0 || bytes <= bytes_max)
        });
        let count = fitting.count();
        rows.truncate(count);
        let (clock, clock_is_present) = self.clock_of(first.boot_count);
        // What was acknowledged and could not be removed is not held any more.
        let trimmed = self.lane(lane).trimmed;
        let after = self.lane(lane).held_at_or_before(after).filter(|held| Some(*held) > trimmed);
        Ok(Some(Batch {
            lane,
            boot: self.boot_start(lane, first.boot_count),
            clock,
            clock_is_present,
            after,
            after_maker: after.and_then(|after| self.maker(after.boot_count)),
            rows,
        }))
    }

    fn boot_start(&self, lane: Lane, boot_count: u32) -> BootStart {
        let boot = self.boots.get(&boot_count);
        let before = |lane| boot.and_then(|boot| boot.before(lane));
        let (previous, other_previous) = (before(lane), before(lane.other()));
        BootStart { boot_count, previous, other_previous, maker: self.maker(boot_count) }
    }

    fn maker(&self, boot_count: u32) -> Option<BootId> {
        self.boots.get(&boot_count).map(|boot| boot.boot)
    }

    /// A boot's clock: within one life of the kernel the present mapping holds for all of its boots.
    fn clock_of(&self, boot_count: u32) -> (Clock, bool) {
        match self.boots.get(&boot_count) {
            Some(boot) if boot.kernel == self.boot.kernel => (self.boot.clock, true),
            Some(boot) => (boot.clock, false),
            None => (Clock::UNDATED, false),
        }
    }
}
