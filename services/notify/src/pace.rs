//! How many messages one contact gets. Pure.

use std::collections::VecDeque;

use domain::incident::Severity;
use domain::limits::{CONTACT_MESSAGES_MAX, CONTACT_URGENT_MESSAGES_MAX};
use domain::units::UnixMicros;
use store::ledger::{About, Notice};

/// The time in which messages are counted, in microseconds.
const WINDOW_US: i64 = 600 * 1_000_000;
/// Between messages beyond the bound, in microseconds.
const MINUTE_US: i64 = 60 * 1_000_000;

/// What one contact got lately.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When messages were taken within the last 10 min.
    sent: VecDeque<UnixMicros>,
    /// Those that went beyond the bound.
    urgent: VecDeque<UnixMicros>,
    /// It fails; nothing is sent before then, but what is critical and was never tried.
    held_until: Option<UnixMicros>,
    /// Failures since it took something last.
    pub(crate) failures: u32,
    /// When it failed last.
    failed: Option<UnixMicros>,
}

/// What may go to a contact now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Everything that is due.
    Open,
    /// What is critical, alone.
    Urgent,
    /// What was never tried and is critical or a test, for the contact fails.
    Untried,
    /// Nothing.
    Shut,
}

impl Gate {
    pub(crate) fn lets(self, notice: &Notice) -> bool {
        let is_critical = notice.severity == Severity::Critical;
        let is_test = matches!(notice.about, About::Test { .. });
        match self {
            Gate::Open => true,
            Gate::Urgent => is_critical,
            // Whoever tries a contact wants to see whether it fails still.
            Gate::Untried => (is_critical || is_test) && notice.attempts == 0,
            Gate::Shut => false,
        }
    }
}

impl Pace {
    /// What may go now.
    pub(crate) fn gate(&mut self, now: UnixMicros) -> Gate {
        // What lies ahead is of a clock that was set back since, and says nothing.
        for times in [&mut self.sent, &mut self.urgent] {
            times.retain(|time| (0..WINDOW_US).contains(&now.since(*time)));
        }
        if self.failed.is_some_and(|failed| now < failed) {
            (self.failed, self.held_until) = (None, None);
        }
        if self.held_until.is_some_and(|until| now < until) {
            return Gate::Untried;
        }
        let is_pause_over = self.sent.back().is_none_or(|last| now.since(*last) >= MINUTE_US);
        if self.sent.len() < CONTACT_MESSAGES_MAX || is_pause_over {
            return Gate::Open;
        }
        if self.urgent.len() < CONTACT_URGENT_MESSAGES_MAX { Gate::Urgent } else { Gate::Shut }
    }

    /// When the gate opens at the latest.
    pub(crate) fn opens(&self, now: UnixMicros) -> UnixMicros {
        let after_pause = self.sent.back().map_or(now, |last| last.plus(MINUTE_US));
        self.held_until.map_or(after_pause, |until| until.max(after_pause)).max(now)
    }

    /// It took a message that the gate had let through.
    pub(crate) fn took(&mut self, gate: Gate, now: UnixMicros) {
        match gate {
            Gate::Urgent => self.urgent.push_back(now),
            Gate::Open | Gate::Untried | Gate::Shut => self.sent.push_back(now),
        }
        self.failures = 0;
        self.held_until = None;
    }

    /// It did not take one.
    pub(crate) fn failed(&mut self, failures: u32, now: UnixMicros, until: UnixMicros) {
        self.failures = failures;
        self.failed = Some(now);
        self.held_until = Some(until);
    }

    /// It was changed then: if it has failed before, that is of no use any more.
    pub(crate) fn changed(&mut self, changed: UnixMicros, now: UnixMicros) {
        if changed <= now && self.failed.is_some_and(|failed| failed < changed) {
            self.failures = 0;
            self.held_until = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(seconds: i64) -> UnixMicros {
        UnixMicros(seconds * 1_000_000)
    }

    #[test]
    fn six_then_one_a_minute_with_three_urgent_ones() {
        let mut pace = Pace::default();
        for at in 0..6 {
            assert_eq!(pace.gate(second(at)), Gate::Open);
            pace.took(Gate::Open, second(at));
        }
        for at in 6..9 {
            assert_eq!(pace.gate(second(at)), Gate::Urgent);
            pace.took(Gate::Urgent, second(at));
        }
        assert_eq!(pace.gate(second(9)), Gate::Shut);
        assert_eq!(pace.opens(second(9)), second(65));
        for minute in 0..9 {
            let at = 65 + minute * 60;
            assert_eq!((pace.gate(second(at - 1)), pace.gate(second(at))), (Gate::Shut, Gate::Open));
            pace.took(Gate::Open, second(at));
        }
        pace.took(Gate::Open, second(605));
        // The first urgent one is 10 min old.
        assert_eq!((pace.gate(second(605)), pace.gate(second(606))), (Gate::Shut, Gate::Urgent));
        assert_eq!(pace.gate(second(2_000)), Gate::Open);
    }

    #[test]
    fn a_clock_that_was_set_back_silences_nobody() {
        let mut pace = Pace::default();
        for at in 0..6 {
            pace.took(Gate::Open, second(86_400 + at));
        }
        pace.failed(3, second(86_410), second(86_700));
        assert_eq!(pace.gate(second(86_411)), Gate::Untried);
        assert_eq!(pace.gate(second(0)), Gate::Open);
    }

    #[test]
    fn a_contact_that_fails_is_left_alone_but_for_what_is_new_and_critical() {
        let mut pace = Pace::default();
        pace.failed(1, second(5), second(10));
        assert_eq!((pace.gate(second(9)), pace.gate(second(10))), (Gate::Untried, Gate::Open));
        pace.failed(2, second(10), second(30));
        pace.changed(second(10), second(11));
        assert_eq!((pace.gate(second(11)), pace.failures), (Gate::Untried, 2));
        pace.changed(second(12), second(11));
        assert_eq!(pace.failures, 2, "that lies ahead");
        pace.changed(second(11), second(11));
        assert_eq!((pace.gate(second(11)), pace.failures), (Gate::Open, 0));
    }
}
