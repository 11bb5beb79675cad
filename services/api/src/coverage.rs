//! For how much of a span there is a reading: pure arithmetic on the intervals that readings speak for.

use domain::record::Reading;
use domain::units::UnixMicros;
use store::telemetry::Stored;

use crate::check::Span;

/// Longest time that a reading can speak for before and after its own, in microseconds.
pub(crate) const REACH_BACK_US: i64 = domain::limits::READING_SPAN_MS_MAX as i64 * 1_000;
pub(crate) const REACH_ON_US: i64 = domain::limits::READING_HOLDS_MS_MAX as i64 * 1_000;

/// Sums the union of the intervals that readings speak for: each from the beginning of the interval that it
/// summarises until it no longer holds. Overlaps count once; what lies outside the span does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Covered {
    span: Span,
    /// Everything before this is summed or known to be uncovered.
    until: UnixMicros,
    sum_us: u64,
}

impl Covered {
    /// Nothing yet. `covered_until`: until when earlier readings speak; `span.from` if there are none.
    pub(crate) fn new(span: Span, covered_until: UnixMicros) -> Covered {
        let mut covered = Covered { span, until: span.from, sum_us: 0 };
        covered.add(span.from, covered_until);
        covered
    }

    /// Adds a reading. Readings come by event time.
    pub(crate) fn reading(&mut self, stored: &Stored<Reading>) {
        let span_us = i64::from(stored.value.span_ms) * 1_000;
        self.add(stored.time.plus(-span_us), holds_until(stored));
    }

    fn add(&mut self, from: UnixMicros, until: UnixMicros) {
        let from = from.max(self.until);
        let until = until.min(self.span.until);
        if from < until {
            self.sum_us += u64::try_from(until.since(from)).expect("from is before until");
            self.until = until;
        }
    }

    /// Covered microseconds within the span.
    pub(crate) fn micros(self) -> u64 {
        self.sum_us
    }
}

/// Until when a reading stands if nothing follows.
pub(crate) fn holds_until(stored: &Stored<Reading>) -> UnixMicros {
    stored.time.plus(i64::from(stored.value.holds_for_ms) * 1_000)
}

#[cfg(test)]
mod tests {
    use domain::ids::LogId;
    use domain::log::Position;

    use super::*;

    /// Readings as (end, span, holds_for) in seconds.
    fn check(span: (i64, i64), before: i64, readings: &[(i64, u32, u32)], expected_s: u64) {
        let at = |s: i64| UnixMicros(s * 1_000_000);
        let mut covered = Covered::new(Span { from: at(span.0), until: at(span.1) }, at(before));
        for (end, span, holds) in readings {
            covered.reading(&Stored {
                log: LogId::default(),
                position: Position::new(1, 1),
                time: at(*end),
                uncertainty_us: 0,
                value: Reading { span_ms: span * 1_000, holds_for_ms: holds * 1_000, ..Reading::default() },
            });
        }
        assert_eq!(covered.micros(), expected_s * 1_000_000, "{readings:?} in {span:?}");
    }

    #[test]
    fn coverage_is_the_union_of_what_readings_speak_for() {
        check((0, 100), 0, &[], 0);
        check((0, 100), 10, &[], 10);
        check((0, 100), -5, &[], 0);
        check((0, 100), 200, &[], 100);
        // One second each, standing for three: steady reports cover all from the first one's beginning.
        check((0, 10), 0, &[(1, 1, 3), (2, 1, 3), (3, 1, 3)], 6);
        // Silence is not covered beyond the time that the last one stands.
        check((0, 100), 0, &[(10, 10, 5), (60, 10, 5)], 30);
        // What reaches over either end is cut; overlaps count once.
        check((0, 10), 0, &[(2, 8, 1), (9, 1, 60)], 5);
        check((0, 100), 20, &[(15, 15, 10), (30, 5, 0)], 30);
        // An old reading that stands for longer than the next one still speaks.
        check((0, 100), 0, &[(10, 1, 50), (20, 1, 1), (40, 1, 1)], 51);
    }
}
