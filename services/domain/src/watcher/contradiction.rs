//! When two sources that should say the same have contradicted each other for long enough to be told, and when again.

use crate::units::{MonotonicMicros, SECOND};

/// How long they must agree before a new contradiction is told.
const AGREED_US: u64 = 3 * SECOND;

/// Watches what two sources say of one thing.
#[derive(Debug, Default)]
pub(super) struct Contradiction {
    differ_since: Option<MonotonicMicros>,
    agree_since: Option<MonotonicMicros>,
    is_told: bool,
}

impl Contradiction {
    /// What both say now: whether it cannot be true at once, and whether it is the same. Neither: one of them does not know.
    pub(super) fn see(&mut self, differ: bool, agree: bool, at: MonotonicMicros) {
        self.differ_since = if differ { self.differ_since.or(Some(at)) } else { None };
        self.agree_since = if agree { self.agree_since.or(Some(at)) } else { None };
    }

    /// Lets time pass; since when they contradict each other, if that has lasted for so long and is to be told.
    pub(super) fn settle(&mut self, now: MonotonicMicros, least_us: u64) -> Option<MonotonicMicros> {
        if self.agree_since.is_some_and(|since| now.since(since) >= AGREED_US) {
            self.is_told = false;
        }
        let since = self.differ_since.filter(|since| now.since(*since) >= least_us)?;
        if std::mem::replace(&mut self.is_told, true) { None } else { Some(since) }
    }

    /// One of them is silent.
    pub(super) fn forget(&mut self) {
        self.differ_since = None;
        self.agree_since = None;
    }
}
