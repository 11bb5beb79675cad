//! Wall clocks that step, start in 1970 or run fast.

use domain::clock::{Clock, ClockQuality};
use domain::units::MonotonicMicros;

/// The true wall-clock time at the beginning of the world: 2026-01-01.
pub(crate) const EPOCH_US: i64 = 1_767_225_600_000_000;
/// How far a clock steps, at most.
const STEP_US: i64 = 300_000_000;
/// How often an agent looks at its system's clock.
const LOOK_US: u64 = 10_000_000;
/// What agents say of a system clock that they are told to trust.
const TRUSTED_UNCERTAINTY_US: u64 = 50_000;

/// The wall clock of an agent's system, which the agent is told to trust.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock {
    ahead_us: i64,
    fast_ppm: i64,
    looked_at: Option<u64>,
}

/// A step of some minutes, either way.
pub(crate) fn a_step(random: &mut fastrand::Rng) -> i64 {
    random.i64(-STEP_US..=STEP_US)
}

impl SystemClock {
    /// A third of the agents have one; of these some are right, some begin in 1970, some run fast.
    pub(crate) fn drawn(random: &mut fastrand::Rng) -> Option<SystemClock> {
        let (ahead_us, fast_ppm) = match random.u8(0..12) {
            0 | 1 => (0, 0),
            2 => (-EPOCH_US, 0),
            3 => (0, 20_000),
            _ => return None,
        };
        Some(SystemClock { ahead_us, fast_ppm, looked_at: None })
    }

    /// The clock is set anew: right, or wrong by some minutes.
    pub(crate) fn set(&mut self, random: &mut fastrand::Rng) {
        self.ahead_us = if random.bool() { 0 } else { a_step(random) };
    }

    /// A new process looks at once.
    pub(crate) fn forget_look(&mut self) {
        self.looked_at = None;
    }

    /// What a look at it tells; `None`: it is not time to look.
    pub(crate) fn look(&mut self, now: u64, monotonic: MonotonicMicros) -> Option<Clock> {
        if self.looked_at.is_some_and(|at| now < at + LOOK_US) {
            return None;
        }
        self.looked_at = Some(now);
        let signed = |micros: u64| i64::try_from(micros).expect("the world is young");
        let unix = EPOCH_US + self.ahead_us + signed(now) + signed(now) * self.fast_ppm / 1_000_000;
        Some(Clock {
            quality: ClockQuality::Synchronised,
            offset_us: unix - signed(monotonic.0),
            uncertainty_us: TRUSTED_UNCERTAINTY_US,
        })
    }
}
