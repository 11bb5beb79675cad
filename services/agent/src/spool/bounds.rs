//! Keeping a spool within its bounds: readings that are too many or too old are dropped and counted.

use domain::limits;
use domain::log::{Lane, Position};
use domain::units::{MonotonicMicros, SECOND};

use super::Spool;
use super::disk::{Disk, DiskError, Removal, Row};

/// How much a spool may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Octets of the events lane.
    pub events_bytes_max: u64,
    /// Octets of the events lane up to which pieces of recordings are written.
    pub recordings_bytes_max: u64,
    /// Octets of the readings lane.
    pub readings_bytes_max: u64,
    /// Age of a reading, in microseconds.
    pub readings_age_max_us: u64,
    /// Octets of a lane that are kept in memory although they are on the disk.
    pub memory_bytes_max: u64,
    /// Octets of a lane that wait in memory while the disk fails.
    pub unwritten_bytes_max: u64,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            events_bytes_max: limits::SPOOL_EVENTS_BYTES_MAX,
            recordings_bytes_max: limits::SPOOL_RECORDINGS_BYTES_MAX,
            readings_bytes_max: limits::SPOOL_READINGS_BYTES_MAX,
            readings_age_max_us: limits::SPOOL_READINGS_AGE_MAX_US,
            memory_bytes_max: limits::SPOOL_MEMORY_BYTES_MAX,
            unwritten_bytes_max: limits::SPOOL_UNWRITTEN_BYTES_MAX,
        }
    }
}

/// How often the age of the oldest reading is looked at.
pub(super) const AGE_CHECK_US: u64 = 60 * SECOND;

impl<D: Disk> Spool<D> {
    pub(super) fn drop_beyond_bounds(&mut self, now: MonotonicMicros) -> Result<(), DiskError> {
        while self.readings.disk.bytes > self.bounds.readings_bytes_max {
            let excess = self.readings.disk.bytes - self.bounds.readings_bytes_max;
            let rows = self.oldest_readings()?;
            let mut freed = 0;
            let enough = rows.iter().find(|row| {
                freed += row.bytes();
                freed >= excess
            });
            let Some(through) = enough.or(rows.last()).map(|row| row.position) else { return Ok(()) };
            self.drop_readings(through)?;
        }
        while now.since(self.age_checked) >= AGE_CHECK_US {
            let rows = self.oldest_readings()?;
            let old = rows.iter().take_while(|row| self.is_too_old(row, now)).last();
            let Some(through) = old.map(|row| row.position) else {
                self.age_checked = now;
                return Ok(());
            };
            self.drop_readings(through)?;
        }
        Ok(())
    }

    fn oldest_readings(&mut self) -> Result<Vec<Row>, DiskError> {
        self.disk.read(Lane::Readings, self.readings.trimmed, limits::ENVELOPE_RECORDS_MAX)
    }

    fn drop_readings(&mut self, through: Position) -> Result<(), DiskError> {
        self.readings.disk = self.disk.trim(Lane::Readings, through, Removal::Dropped)?;
        self.readings.trim_memory(through);
        Ok(())
    }

    /// Whether a reading is known to be too old: its time must be known in this kernel's life or by the clock.
    fn is_too_old(&self, row: &Row, now: MonotonicMicros) -> bool {
        let Some(boot) = self.boots.get(&row.position.boot_count) else { return false };
        let age = if boot.kernel == self.boot.kernel {
            Some(now.since(row.at))
        } else {
            let made = boot.clock.unix(row.at);
            self.boot.clock.unix(now).zip(made).and_then(|(now, made)| u64::try_from(now.since(made)).ok())
        };
        age.is_some_and(|age| age > self.bounds.readings_age_max_us)
    }
}
