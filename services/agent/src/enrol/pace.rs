//! When to ask again.

use domain::units::SECOND;

/// How often an agent that waits for approval asks, in microseconds.
const WAITING_PERIOD_US: u64 = 3 * SECOND;
/// The longest pause after failures.
const PAUSE_US_MAX: u64 = 60 * SECOND;
/// Failures in a row after which an agent that does not wait for approval gives up: a technician stands beside it.
const FAILURES_MAX: u32 = 6;

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask again after so many microseconds.
    After {
        /// How many.
        micros: u64,
    },
    /// Do not ask again.
    GiveUp,
}

/// Remembers how it went.
#[derive(Debug, Default)]
pub(super) struct Pace {
    is_waiting: bool,
    failures: u32,
}

impl Pace {
    pub(super) fn is_waiting(&self) -> bool {
        self.is_waiting
    }

    /// The server said that it waits; whether that is new, or new after failures.
    pub(super) fn waits(&mut self) -> bool {
        let is_new = !self.is_waiting || self.failures > 0;
        self.is_waiting = true;
        self.failures = 0;
        is_new
    }

    /// After an answer that it waits.
    pub(super) fn next(&self) -> Next {
        Next::After { micros: WAITING_PERIOD_US }
    }

    /// After a failure. Who waits for approval goes on for ever: it may take a night.
    pub(super) fn failed(&mut self) -> Next {
        self.failures = self.failures.saturating_add(1);
        if !self.is_waiting && self.failures >= FAILURES_MAX {
            return Next::GiveUp;
        }
        let micros = (SECOND << self.failures.min(10)).min(PAUSE_US_MAX);
        Next::After { micros }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: u64) -> Next {
        Next::After { micros: seconds * SECOND }
    }

    #[test]
    fn who_has_nothing_yet_gives_up_and_who_waits_does_not() {
        let mut pace = Pace::default();
        let first: Vec<Next> = (0..6).map(|_| pace.failed()).collect();
        assert_eq!(first, [after(2), after(4), after(8), after(16), after(32), Next::GiveUp]);
        let mut pace = Pace::default();
        pace.failed();
        assert!(pace.waits() && pace.is_waiting() && !pace.waits());
        assert_eq!(pace.next(), after(3));
        let later: Vec<Next> = (0..100).map(|_| pace.failed()).collect();
        assert_eq!((later[0], later[99]), (after(2), after(60)));
        assert!(pace.waits(), "it is told again that it waits");
    }
}
