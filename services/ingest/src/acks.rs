//! When one machine is told what is in the journal: events at once, readings at most once a second, unless a good part
//! of the window was used.

use domain::limits;
use domain::log::Lane;
use domain::units::{MILLI, MonotonicMicros, SECOND, UnixMicros};
use wire::ack::Refusal;

/// Readings are acked at most so often, unless many envelopes wait for it.
const READINGS_PERIOD_US: u64 = SECOND;
/// So many envelopes of readings since the last ack are worth one at once: a quarter of the window.
const ENVELOPES_WORTH_AN_ACK: u32 = 16;
/// That something is missing is told at most so often; every envelope after the missing one would tell it.
const MISSING_PERIOD_US: u64 = 100 * MILLI;
/// Refusals are told at most so often.
const REFUSAL_PERIOD_US: u64 = SECOND;

/// The acks of one machine.
#[derive(Debug, Default)]
pub(crate) struct AckPace {
    counter: u64,
    echo: Option<(MonotonicMicros, MonotonicMicros)>,
    last: Option<MonotonicMicros>,
    told_missing: Option<MonotonicMicros>,
    told_refusal: Option<MonotonicMicros>,
    envelopes_since: u32,
    due: Option<MonotonicMicros>,
    refusal: Option<Refusal>,
}

impl AckPace {
    /// A message of the current process came.
    pub(crate) fn heard(&mut self, sent: MonotonicMicros, now: MonotonicMicros) {
        if self.echo.is_none_or(|(newest, _)| sent >= newest) {
            self.echo = Some((sent, now));
        }
    }

    /// Another process speaks for the machine now.
    pub(crate) fn new_sender(&mut self) {
        self.echo = None;
        self.told_missing = None;
    }

    /// An envelope came that will be, or was, committed.
    pub(crate) fn envelope(&mut self) {
        self.envelopes_since = self.envelopes_since.saturating_add(1);
    }

    /// When the ack for something committed in a lane is due.
    pub(crate) fn committed(&mut self, lane: Lane, now: MonotonicMicros) -> Option<MonotonicMicros> {
        let at = match (lane, self.last) {
            (Lane::Readings, Some(last)) if self.envelopes_since < ENVELOPES_WORTH_AN_ACK => {
                now.max(last.plus(READINGS_PERIOD_US))
            }
            (Lane::Events, _) | (Lane::Readings, _) => now,
        };
        self.want(at)
    }

    /// When the ack that tells what is missing is due.
    pub(crate) fn missing(&mut self, now: MonotonicMicros, is_under_way: bool) -> Option<MonotonicMicros> {
        // What is under way will be told, too, if the ack waits a little.
        let soon = if is_under_way { now.plus(2 * limits::COMMIT_WAIT_US) } else { now };
        let at = self.told_missing.map_or(soon, |told| soon.max(told.plus(MISSING_PERIOD_US)));
        let due = self.want(at);
        if due.is_some() {
            self.told_missing = due;
        }
        due
    }

    /// A status is answered at once.
    pub(crate) fn status(&mut self, now: MonotonicMicros) -> Option<MonotonicMicros> {
        self.want(now)
    }

    /// When a refusal is told.
    pub(crate) fn refuse(&mut self, refusal: Refusal, now: MonotonicMicros) -> Option<MonotonicMicros> {
        self.refusal = Some(refusal);
        let at = self.told_refusal.map_or(now, |told| now.max(told.plus(REFUSAL_PERIOD_US)));
        self.want(at)
    }

    /// Whether a refusal to a process that does not speak for the machine may be told now.
    pub(crate) fn may_tell_other(&mut self, now: MonotonicMicros) -> bool {
        let may = self.told_refusal.is_none_or(|told| now.since(told) >= REFUSAL_PERIOD_US);
        if may {
            self.told_refusal = Some(now);
        }
        may
    }

    /// The time for which an ack is wanted, if it is to be put on the list; `None`: one is due before.
    fn want(&mut self, at: MonotonicMicros) -> Option<MonotonicMicros> {
        if self.due.is_some_and(|due| due <= at) {
            return None;
        }
        self.due = Some(at);
        Some(at)
    }

    /// Whether an ack is due now.
    pub(crate) fn is_due(&self, now: MonotonicMicros) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// An ack that was due cannot be addressed yet.
    pub(crate) fn forget_due(&mut self) {
        self.due = None;
    }

    /// The ack's number: greater than any before, also than those of this server's life before.
    pub(crate) fn next_counter(&mut self, time: UnixMicros) -> u64 {
        self.counter = u64::try_from(time.0).unwrap_or(0).max(self.counter + 1);
        self.counter
    }

    /// An ack goes out now: the newest monotonic time of the agent with how long it was held, and what was refused.
    pub(crate) fn take(&mut self, now: MonotonicMicros) -> (Option<(MonotonicMicros, u64)>, Option<Refusal>) {
        self.due = None;
        self.last = Some(now);
        self.envelopes_since = 0;
        let refusal = self.refusal.take();
        if refusal.is_some() {
            self.told_refusal = Some(now);
        }
        (self.echo.map(|(sent, received)| (sent, now.since(received))), refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> MonotonicMicros {
        MonotonicMicros(millis * MILLI)
    }

    #[test]
    fn readings_wait_a_second_and_events_do_not() {
        let mut pace = AckPace::default();
        assert_eq!(pace.committed(Lane::Readings, at(100)), Some(at(100)), "the first");
        pace.take(at(100));
        assert_eq!(pace.committed(Lane::Readings, at(200)), Some(at(1_100)));
        assert_eq!(pace.committed(Lane::Readings, at(300)), None, "it is on the list");
        assert!(!pace.is_due(at(300)));
        assert_eq!(pace.committed(Lane::Events, at(400)), Some(at(400)));
        assert!(pace.is_due(at(400)));
    }

    #[test]
    fn many_envelopes_are_acked_before_the_window_is_used_up() {
        let mut pace = AckPace::default();
        pace.take(at(0));
        for _ in 1..ENVELOPES_WORTH_AN_ACK {
            pace.envelope();
            assert_ne!(pace.committed(Lane::Readings, at(1)), Some(at(1)));
        }
        pace.envelope();
        assert_eq!(pace.committed(Lane::Readings, at(1)), Some(at(1)));
    }

    #[test]
    fn what_is_missing_is_told_at_once_but_not_for_every_envelope() {
        let mut pace = AckPace::default();
        assert_eq!(pace.missing(at(10), false), Some(at(10)));
        pace.take(at(10));
        assert_eq!(pace.missing(at(11), false), Some(at(110)));
        assert_eq!(pace.missing(at(12), false), None);
        pace.take(at(110));
        assert_eq!(pace.missing(at(500), true), Some(at(510)), "with what is under way");
    }

    #[test]
    fn counters_go_on_after_a_restart_and_echoes_are_the_newest() {
        let mut pace = AckPace::default();
        assert_eq!(pace.next_counter(UnixMicros(1_000)), 1_000);
        assert_eq!(pace.next_counter(UnixMicros(900)), 1_001);
        assert_eq!(AckPace::default().next_counter(UnixMicros(-5)), 1);
        pace.heard(at(50), at(1_000));
        pace.heard(at(40), at(1_001));
        assert_eq!(pace.take(at(1_002)).0, Some((at(50), 2 * MILLI)));
    }

    #[test]
    fn a_refusal_is_told_once_a_second() {
        let refusal = || Refusal { reason: "unreadable".to_owned(), detail: String::new() };
        let mut pace = AckPace::default();
        assert_eq!(pace.refuse(refusal(), at(0)), Some(at(0)));
        assert_eq!(pace.take(at(0)).1, Some(refusal()));
        assert_eq!(pace.refuse(refusal(), at(1)), Some(at(1_000)));
        assert!(!pace.may_tell_other(at(999)));
        assert!(pace.may_tell_other(at(1_000)));
    }
}
