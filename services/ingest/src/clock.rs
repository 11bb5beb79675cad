//! Settling event time: once, when a slice is taken; what was settled is in the journal and is never settled again.

use domain::clock::{Clock, ClockQuality};
use domain::units::{MonotonicMicros, UnixMicros};

#[cfg(test)]
mod tests;

/// Event times before 2020 or from 2100 on are no times of ours: such a clock dates nothing.
const PLAUSIBLE: std::ops::Range<i64> = 1_577_836_800_000_000..4_102_444_800_000_000;

/// More is not told: a century is as good as nothing.
const UNCERTAINTY_US_MAX: u64 = 100 * 366 * 24 * 3_600 * 1_000_000;

/// What was settled last in one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// The boot that this is of; 0: none yet.
    pub boot_count: u32,
    /// The mapping.
    pub clock: Clock,
    /// Monotonic time of the last record in that boot.
    pub last_at: MonotonicMicros,
}

impl Default for Settled {
    fn default() -> Settled {
        Settled { boot_count: 0, clock: Clock::UNDATED, last_at: MonotonicMicros(0) }
    }
}

impl Settled {
    /// Settles the mapping for records of a boot whose times lie between `first_at` and `last_at`.
    ///
    /// A boot keeps the best quality that it had. A newer offset of at least that quality is followed, because clocks
    /// drift, but never so far that time would run backwards: within a boot and lane monotonic order wins. A boot that
    /// was never dated stays undated; nothing is guessed from the time of arrival.
    pub fn settle(
        &mut self,
        boot_count: u32,
        offered: Clock,
        first_at: MonotonicMicros,
        last_at: MonotonicMicros,
    ) -> Clock {
        if self.boot_count != boot_count {
            *self = Settled { boot_count, ..Settled::default() };
        }
        let offered = plausible(offered, first_at, last_at);
        self.clock = match (self.clock.quality, offered.quality) {
            (_, ClockQuality::Undated) => self.clock,
            (ClockQuality::Undated, ClockQuality::Synchronised | ClockQuality::Estimated) => offered,
            (settled, new) if new > settled => self.clock,
            (_, ClockQuality::Synchronised | ClockQuality::Estimated) => self.follow(offered, first_at),
        };
        self.last_at = self.last_at.max(last_at);
        self.clock
    }

    /// Goes on behind records that were settled in an earlier life of the server.
    pub(crate) fn replay(&mut self, boot_count: u32, clock: Clock, last_at: Option<MonotonicMicros>) {
        let last_at = self.last_at(boot_count).max(last_at.unwrap_or_default());
        *self = Settled { boot_count, clock, last_at };
    }

    /// Monotonic time of the last record of a boot; 0: there is none.
    pub(crate) fn last_at(&self, boot_count: u32) -> MonotonicMicros {
        if self.boot_count == boot_count { self.last_at } else { MonotonicMicros(0) }
    }

    /// Event time of the last record; `None`: undated, or there is none.
    pub fn last_unix(&self) -> Option<UnixMicros> {
        self.clock.unix(self.last_at)
    }

    /// The offered mapping, held back so that the next record is not earlier than the last.
    fn follow(&self, offered: Clock, first_at: MonotonicMicros) -> Clock {
        let room = i64::try_from(first_at.since(self.last_at)).unwrap_or(i64::MAX);
        let least = self.clock.offset_us.saturating_sub(room);
        if offered.offset_us >= least {
            return offered;
        }
        // How far it was held back is part of what is uncertain.
        let held_back = least.abs_diff(offered.offset_us);
        Clock {
            offset_us: least,
            uncertainty_us: offered.uncertainty_us.saturating_add(held_back).min(UNCERTAINTY_US_MAX),
            ..offered
        }
    }
}

/// A clock that puts a record outside of our times is as good as none.
fn plausible(offered: Clock, first_at: MonotonicMicros, last_at: MonotonicMicros) -> Clock {
    let within = |at| offered.unix(at).is_some_and(|time| PLAUSIBLE.contains(&time.0));
    if !within(first_at) || !within(last_at) {
        return Clock::UNDATED;
    }
    Clock { uncertainty_us: offered.uncertainty_us.min(UNCERTAINTY_US_MAX), ..offered }
}
