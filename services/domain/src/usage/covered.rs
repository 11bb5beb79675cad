//! Which time of a machine was counted, so that nothing counts twice whatever order it comes in.

use crate::limits::COVERED_SPANS_MAX;
use crate::units::UnixMicros;

/// Spans less than this apart are one, in microseconds: readings are told to the millisecond.
const JOINED_WITHIN_US: i64 = 1_000_000;

/// Spans of event time, ascending and apart, at most [`COVERED_SPANS_MAX`]. More: the two oldest become one, and what
/// lies between them counts no more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Covered(Vec<(UnixMicros, UnixMicros)>);

impl Covered {
    /// From spans as [`Covered::spans`] gives them; `None`: they are no such spans.
    pub fn from_spans(spans: Vec<(UnixMicros, UnixMicros)>) -> Option<Covered> {
        let ascend = spans.windows(2).all(|pair| pair[0].1 < pair[1].0);
        let sound = ascend && spans.iter().all(|(from, until)| from < until);
        (sound && spans.len() <= COVERED_SPANS_MAX).then_some(Covered(spans))
    }

    /// The spans, ascending.
    pub fn spans(&self) -> &[(UnixMicros, UnixMicros)] {
        &self.0
    }

    /// Takes a span, and gives the parts of it that were not covered before, ascending.
    pub fn take(&mut self, from: UnixMicros, until: UnixMicros) -> Vec<(UnixMicros, UnixMicros)> {
        if from >= until {
            return Vec::new();
        }
        let first = self.0.partition_point(|(_, end)| *end <= from);
        let mut new = Vec::new();
        let mut free = from;
        for (begin, end) in self.0[first..].iter().take_while(|(begin, _)| *begin < until) {
            if free < *begin {
                new.push((free, *begin));
            }
            free = free.max(*end);
        }
        if free < until {
            new.push((free, until));
        }
        if !new.is_empty() {
            self.cover(from, until);
        }
        new
    }

    fn cover(&mut self, from: UnixMicros, until: UnixMicros) {
        let near =
            |micros: i64, (begin, end): (UnixMicros, UnixMicros)| (begin.plus(-micros), end.plus(micros));
        let first = self.0.partition_point(|span| near(JOINED_WITHIN_US, *span).1 <= from);
        let last = self.0.partition_point(|span| near(JOINED_WITHIN_US, *span).0 < until);
        if first == last {
            self.0.insert(first, (from, until));
        } else {
            let joined = (self.0[first].0.min(from), self.0[last - 1].1.max(until));
            self.0.splice(first..last, [joined]);
        }
        if self.0.len() > COVERED_SPANS_MAX {
            self.0[0].1 = self.0[1].1;
            self.0.remove(1);
        }
    }
}
