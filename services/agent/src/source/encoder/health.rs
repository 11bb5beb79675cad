//! Whether edges look as those of a sound encoder: how many are invalid, and whether both lines take part.

use std::collections::VecDeque;

use domain::units::{MILLI, MonotonicMicros, SECOND};

/// Over how many seconds edges are counted.
const SECONDS: usize = 10;
/// Invalid edges among a hundred that are a fault.
const INVALID_PERCENT: u64 = 1;
/// So few invalid edges are none.
const INVALID_MIN: u64 = 5;
/// So many edges of one line, and none of the other…
const LONE_EDGES: u64 = 16;
/// … within this time are no rocking belt.
const LONE_US: u64 = 500 * MILLI;
/// After so long without an edge the belt stands, one line or two.
const LONE_OVER_US: u64 = SECOND;
/// So many edges of one line, and none of the other, are a fault.
const LONE_FAULT: u64 = 100;

/// Edges of one second.
#[derive(Debug, Clone, Copy)]
struct Tally {
    second: u64,
    all: u64,
    invalid: u64,
}

/// Edges of one line since the last one of the other.
#[derive(Debug, Clone)]
struct Lone {
    line: usize,
    count: u64,
    /// Times of the newest, at most [`LONE_EDGES`].
    newest: VecDeque<MonotonicMicros>,
    is_unclear: bool,
    is_told: bool,
}

/// Watches the edges.
#[derive(Debug, Default)]
pub(super) struct Health {
    tallies: VecDeque<Tally>,
    told: Option<MonotonicMicros>,
    lone: Option<Lone>,
}

impl Health {
    /// So many edges came, or should have come, and so many of them were invalid or missing.
    pub(super) fn count(&mut self, at: MonotonicMicros, all: u64, invalid: u64) {
        let second = at.0 / SECOND;
        match self.tallies.back_mut() {
            Some(last) if last.second >= second => {
                (last.all, last.invalid) = (last.all + all, last.invalid + invalid)
            }
            Some(_) | None => self.tallies.push_back(Tally { second, all, invalid }),
        }
        if self.tallies.len() > SECONDS {
            self.tallies.pop_front();
        }
    }

    /// An edge of a line of two.
    pub(super) fn see(&mut self, line: usize, at: MonotonicMicros) {
        let begun = self.lone.take().filter(|lone| {
            lone.line == line && lone.newest.back().is_none_or(|last| at.since(*last) < LONE_OVER_US)
        });
        let mut lone = begun.unwrap_or_else(|| Lone {
            line,
            count: 0,
            newest: VecDeque::new(),
            is_unclear: false,
            is_told: false,
        });
        lone.count += 1;
        lone.newest.push_back(at);
        if lone.newest.len() as u64 > LONE_EDGES {
            lone.newest.pop_front();
        }
        let is_full = lone.newest.len() as u64 == LONE_EDGES;
        lone.is_unclear |= is_full && lone.newest.front().is_some_and(|first| at.since(*first) <= LONE_US);
        self.lone = Some(lone);
    }

    /// Whether one line moves and the other does not, as no belt does.
    pub(super) fn is_unclear(&self, now: MonotonicMicros) -> bool {
        self.lone.as_ref().is_some_and(|lone| {
            lone.is_unclear && lone.newest.back().is_some_and(|last| now.since(*last) < LONE_OVER_US)
        })
    }

    /// What is wrong with the encoder, if it is time to say so.
    pub(super) fn fault(&mut self, now: MonotonicMicros) -> Option<String> {
        if let Some(lone) = self.lone.as_mut().filter(|lone| lone.is_unclear && lone.count >= LONE_FAULT) {
            if !std::mem::replace(&mut lone.is_told, true) {
                return Some(lone_words(lone));
            }
        }
        let second = now.0 / SECOND;
        while self.tallies.front().is_some_and(|first| first.second + SECONDS as u64 <= second) {
            self.tallies.pop_front();
        }
        if self.told.is_some_and(|told| now.since(told) < SECONDS as u64 * SECOND) {
            return None;
        }
        let all: u64 = self.tallies.iter().map(|tally| tally.all).sum();
        let invalid: u64 = self.tallies.iter().map(|tally| tally.invalid).sum();
        if invalid < INVALID_MIN || invalid * 100 <= all * INVALID_PERCENT {
            return None;
        }
        self.told = Some(now);
        Some(format!("encoder: {invalid} of {all} edges in 10 s were missed or are noise"))
    }
}

fn lone_words(lone: &Lone) -> String {
    let (moves, stays) = if lone.line == 0 { ("A", "B") } else { ("B", "A") };
    format!(
        "encoder: line {moves} has changed {} times and line {stays} has not: is its wire off?",
        lone.count
    )
}
