//! One page of records by event time: a mind. It asks for stretches of time that are about as long as the page, because
//! InfluxDB reads all of a stretch that it is asked for.

use domain::log::Lane;
use domain::record::Record;
use domain::units::UnixMicros;

use super::known::Span;
use super::put::TIMES;
use crate::telemetry::{Cursor, RangeQuery, Stored};

/// Rows asked for besides those that are needed, for records of the microsecond at which the page before ended.
const ROWS_MORE: usize = 64;
/// The same, if all rows were of one microsecond: more than it has slots.
const ROWS_MORE_MAX: usize = 2_048;
/// How much longer each stretch is than the one before, as long as a page is not full.
const LONGER: i64 = 4;
/// The shortest stretch, in microseconds.
const STRETCH_US_MIN: i64 = 60 * 1_000_000;

/// What InfluxDB is to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// When the first record of this stretch is.
    First(Span),
    /// The first records of this stretch, at most so many.
    Rows(Span, usize),
}

/// A page on its way.
#[derive(Debug)]
pub(super) struct Walk {
    after: Option<Cursor>,
    max: usize,
    /// What is still to be looked at.
    rest: Span,
    stretch_us: i64,
    rows_more: usize,
    /// Whether there may be a long time without records.
    jumps: bool,
    page: Vec<Stored<Record>>,
}

impl Walk {
    /// Begins a page of records at or after `from`; the query's bounds were checked.
    pub(super) fn new(lane: Lane, query: &RangeQuery, from: UnixMicros) -> Walk {
        let rest =
            Span { first: from.0.max(TIMES.first), last: query.until.0.saturating_sub(1).min(TIMES.last) };
        let of_one = match lane {
            Lane::Readings => 1_200_000,
            Lane::Events => 60_000_000,
        };
        let stretch_us =
            (i64::try_from(query.max).unwrap_or(i64::MAX)).saturating_mul(of_one).max(STRETCH_US_MIN);
        Walk {
            after: query.after,
            max: query.max,
            rest,
            stretch_us,
            rows_more: ROWS_MORE,
            jumps: rest.last.saturating_sub(rest.first) > stretch_us,
            page: Vec::new(),
        }
    }

    /// What to ask next; `None`: the page is complete.
    pub(super) fn question(&self) -> Option<Question> {
        if self.page.len() >= self.max || self.rest.first > self.rest.last {
            return None;
        }
        if self.jumps {
            return Some(Question::First(self.rest));
        }
        Some(Question::Rows(self.stretch(), self.rows()))
    }

    /// Takes the answer to [`Question::First`], in microseconds.
    pub(super) fn first(&mut self, first: Option<i64>) {
        self.jumps = false;
        match first {
            Some(us) => self.rest.first = self.rest.first.max(us),
            None => self.end(),
        }
    }

    /// Takes the answer to [`Question::Rows`], ascending by time. `cut_at`: it has as many rows as were asked for, and from
    /// this microsecond on there may be more in that stretch.
    pub(super) fn rows_are(&mut self, mut rows: Vec<Stored<Record>>, cut_at: Option<i64>) {
        let stretch = self.stretch();
        if let Some(cut_at) = cut_at {
            rows.retain(|row| row.time.0 < cut_at);
            self.rows_more = if cut_at == stretch.first { ROWS_MORE_MAX } else { ROWS_MORE };
            self.rest.first = cut_at;
        } else {
            self.stretch_us = self.stretch_us.saturating_mul(LONGER);
            match stretch.last.checked_add(1) {
                Some(next) => self.go_on(next),
                None => self.end(),
            }
        }
        let place = |row: &Stored<Record>| (row.time, row.log, row.position);
        rows.retain(|row| self.after.is_none_or(|after| place(row) > after));
        rows.sort_by_key(place);
        self.page.extend(rows);
        self.page.truncate(self.max);
    }

    /// The page.
    pub(super) fn page(self) -> Vec<Stored<Record>> {
        self.page
    }

    fn rows(&self) -> usize {
        self.max - self.page.len() + self.rows_more
    }

    fn stretch(&self) -> Span {
        let last = self.rest.first.saturating_add(self.stretch_us).min(self.rest.last);
        Span { first: self.rest.first, last }
    }

    fn go_on(&mut self, next: i64) {
        self.rest.first = next;
        self.jumps = self.rest.last.saturating_sub(next) > self.stretch_us;
    }

    fn end(&mut self) {
        self.rest = Span { first: 1, last: 0 };
    }
}

#[cfg(test)]
mod tests;
