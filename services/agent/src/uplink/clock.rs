//! The offset between monotonic and wall-clock time, learnt from acks that echo the agent's own time.

use domain::clock::{Clock, ClockQuality};
use domain::units::{MonotonicMicros, SECOND, UnixMicros};

/// Round trips that took longer teach nothing.
const ROUND_TRIP_MAX_US: u64 = 2 * SECOND;
/// How much the uncertainty of an estimate grows, in parts per million: what a cheap quartz may drift.
const DRIFT_PPM: u64 = 100;

/// What is known of this boot's clock.
#[derive(Debug)]
pub(super) struct Estimate {
    clock: Clock,
    learnt_at: MonotonicMicros,
    round_trip_us: u64,
}

impl Default for Estimate {
    fn default() -> Estimate {
        Estimate { clock: Clock::UNDATED, learnt_at: MonotonicMicros(0), round_trip_us: 0 }
    }
}

impl Estimate {
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    pub(super) fn is_undated(&self) -> bool {
        self.clock.quality == ClockQuality::Undated
    }

    pub(super) fn round_trip_us(&self) -> u64 {
        self.round_trip_us
    }

    /// Learns from an echo of `sent` that the ingest held for `held_us`; gives the clock if it became better.
    pub(super) fn learn(
        &mut self,
        sent: MonotonicMicros,
        held_us: u64,
        server_time: UnixMicros,
        now: MonotonicMicros,
    ) -> Option<Clock> {
        let trip_us = now.0.checked_sub(sent.0)?.checked_sub(held_us)?;
        if trip_us >= ROUND_TRIP_MAX_US {
            return None;
        }
        self.round_trip_us = trip_us;
        // The ack left half a round trip ago.
        let left = i64::try_from(now.0 - trip_us / 2).ok()?;
        let offset_us = server_time.0.checked_sub(left)?;
        let uncertainty_us = trip_us.div_ceil(2);
        let clock = Clock { quality: ClockQuality::Estimated, offset_us, uncertainty_us };
        self.set(clock, now)
    }

    /// Takes a clock if it is better than what is known.
    pub(super) fn set(&mut self, clock: Clock, now: MonotonicMicros) -> Option<Clock> {
        let aged_us = self.clock.uncertainty_us + now.since(self.learnt_at) / 1_000_000 * DRIFT_PPM;
        let better = match (self.clock.quality, clock.quality) {
            (_, ClockQuality::Undated) | (ClockQuality::Synchronised, ClockQuality::Estimated) => false,
            (ClockQuality::Undated, _) | (ClockQuality::Estimated, ClockQuality::Synchronised) => true,
            (ClockQuality::Synchronised, ClockQuality::Synchronised) => clock != self.clock,
            (ClockQuality::Estimated, ClockQuality::Estimated) => clock.uncertainty_us <= aged_us,
        };
        if !better {
            return None;
        }
        self.clock = clock;
        self.learnt_at = now;
        Some(clock)
    }
}
