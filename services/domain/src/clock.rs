//! Mapping a boot's monotonic time to the wall clock, with how sure that is.

use crate::units::{MonotonicMicros, UnixMicros};

/// How the offset between monotonic and wall-clock time was found, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClockQuality {
    /// The operating system says its clock is synchronised.
    Synchronised,
    /// Estimated from acks that echoed the agent's own monotonic time.
    Estimated,
    /// Nothing is known: the boot can be ordered, not dated.
    Undated,
}

/// unix = monotonic + offset, give or take the uncertainty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Clock {
    /// How the offset was found.
    pub quality: ClockQuality,
    /// Unix time minus monotonic time, in microseconds.
    pub offset_us: i64,
    /// Half-width of the interval in which the true time lies, in microseconds.
    pub uncertainty_us: u64,
}

impl Clock {
    /// A clock of which nothing is known.
    pub const UNDATED: Clock = Clock { quality: ClockQuality::Undated, offset_us: 0, uncertainty_us: 0 };

    /// The wall-clock time of `at`; `None` if the boot is undated.
    pub fn unix(&self, at: MonotonicMicros) -> Option<UnixMicros> {
        match self.quality {
            ClockQuality::Synchronised | ClockQuality::Estimated => {
                let monotonic = i64::try_from(at.0).unwrap_or(i64::MAX);
                Some(UnixMicros(monotonic.saturating_add(self.offset_us)))
            }
            ClockQuality::Undated => None,
        }
    }
}
