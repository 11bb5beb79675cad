//! Speed from the times of the newest counts.

use std::collections::VecDeque;

use domain::limits::ENCODER_COUNTS_MAX;
use domain::units::{MILLI, MonotonicMicros, Speed};

/// Over which time the speed is measured, if there are counts enough.
const SPAN_US: u64 = 100 * MILLI;
/// How many counts the silence after the newest one may hide: counts are not quite evenly spaced.
const HIDDEN: u64 = 2;

/// A count may be under way from the interrupt to us for so long.
const UNDER_WAY_US: u64 = 5 * MILLI;

/// A count that moved the belt.
#[derive(Debug, Clone, Copy)]
struct Count {
    at: MonotonicMicros,
    /// The sum of all counts with their sign, this one included.
    sum: i64,
    /// How many counts there were, this one included.
    number: u64,
}

/// How fast the belt is, as the newest counts tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    pub(super) speed: Speed,
    /// Which way; `None`: the counts do not agree.
    pub(super) is_forward: Option<bool>,
    /// Over which time it was measured, in microseconds.
    pub(super) time_us: u64,
}

/// The newest counts.
#[derive(Debug)]
pub(super) struct Window {
    counts: VecDeque<Count>,
    nm_per_count: u64,
    /// Intervals between counts that a speed needs at least.
    least: usize,
    /// Intervals that a speed is measured over if they are there: within a period they need not be equal.
    period: usize,
}

impl Window {
    pub(super) fn new(nm_per_count: u64, least: usize, period: usize) -> Window {
        Window { counts: VecDeque::new(), nm_per_count, least, period }
    }

    /// Takes a count. A time before the last one counts as the last one.
    pub(super) fn push(&mut self, at: MonotonicMicros, forward: bool) {
        let last = self.counts.back();
        let (sum, number) = last.map_or((0, 0), |last| (last.sum, last.number));
        let at = last.map_or(at, |last| at.max(last.at));
        let step = if forward { 1 } else { -1 };
        self.counts.push_back(Count { at, sum: sum + step, number: number + 1 });
        let is_old = |count: &Count| at.since(count.at) > SPAN_US;
        while self.counts.len() > self.period + 1 && self.counts.get(1).is_some_and(is_old) {
            self.counts.pop_front();
        }
        if self.counts.len() > ENCODER_COUNTS_MAX {
            self.counts.pop_front();
        }
    }

    /// The longest time between two of the newest counts, in microseconds.
    pub(super) fn longest_interval_us(&self) -> Option<u64> {
        let newest = self.counts.len().saturating_sub(self.period + 1);
        let counts = self.counts.range(newest..);
        counts.clone().zip(counts.skip(1)).map(|(earlier, later)| later.at.since(earlier.at)).max()
    }

    /// Forgets all counts but the newest: the belt stands since.
    pub(super) fn rest(&mut self) {
        let keep = self.counts.len().saturating_sub(1);
        self.counts.drain(..keep);
    }

    /// Forgets all counts: some were missed.
    pub(super) fn forget(&mut self) {
        self.counts.clear();
    }

    /// How fast the belt is; `None`: too few counts to say.
    pub(super) fn pace(&self, now: MonotonicMicros) -> Option<Pace> {
        let newest = self.counts.back()?;
        let intervals = Some(self.counts.len() - 1).filter(|intervals| *intervals >= self.least)?;
        let enough = intervals.saturating_sub(self.period);
        let in_span = self.counts.partition_point(|count| newest.at.since(count.at) >= SPAN_US);
        let first = self.counts.get(in_span.saturating_sub(1).min(enough))?;
        let time_us = newest.at.since(first.at);
        if time_us == 0 {
            return None;
        }
        let net = (newest.sum - first.sum).unsigned_abs();
        let speed = self.speed(net, time_us);
        // Since the newest count the belt cannot have gone farther than to the next one.
        let silence_us = now.since(newest.at).saturating_sub(UNDER_WAY_US);
        let speed = if silence_us == 0 { speed } else { speed.min(self.speed(HIDDEN, silence_us)) };
        let agree = net == newest.number - first.number;
        Some(Pace { speed, is_forward: agree.then_some(newest.sum > first.sum), time_us })
    }

    /// Nanometres a microsecond are millimetres a second.
    fn speed(&self, counts: u64, time_us: u64) -> Speed {
        let nm = u128::from(counts) * u128::from(self.nm_per_count);
        let mm_s = (nm + u128::from(time_us) / 2) / u128::from(time_us);
        Speed(u32::try_from(mm_s).unwrap_or(u32::MAX))
    }
}
