//! A simulated belt with an encoder. It knows nothing of how edges are read.

use super::play::{A, B, Line};

/// How often the simulated belt is looked at, in microseconds.
const STEP_US: u64 = 20;
/// How far a line's changes lie from their place, in counts; quarters of a period are never quite equal.
const OFF: [f64; 4] = [0.0, 0.2, 0.05, -0.15];
/// How far back the belt must go for a line to change back, in counts.
const HYSTERESIS: f64 = 0.05;

/// For a while the speed goes evenly from one value to another, in mm/s; forward is positive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub(super) seconds: f64,
    pub(super) from: f64,
    pub(super) to: f64,
}

pub(super) const fn steady(seconds: f64, mm_s: f64) -> Stretch {
    Stretch { seconds, from: mm_s, to: mm_s }
}

pub(super) const fn ramp(seconds: f64, from: f64, to: f64) -> Stretch {
    Stretch { seconds, from, to }
}

/// A belt and its encoder.
#[derive(Debug)]
pub(super) struct Belt {
    um_per_count: f64,
    /// How far the belt has gone, in counts.
    gone: f64,
    /// In which quarter of a period the encoder is, counted from the beginning.
    quarter: i64,
    pub(super) now_us: u64,
    pub(super) lines: Vec<Line>,
}

impl Belt {
    pub(super) fn new(um_per_count: f64) -> Belt {
        Belt { um_per_count, gone: 0.5, quarter: 0, now_us: 0, lines: Vec::new() }
    }

    /// A belt whose lines have shown their levels, as they do within the first counts of any run.
    pub(super) fn shown(um_per_count: f64) -> Belt {
        let mut belt = Belt::new(um_per_count);
        belt.lines = vec![Line { at: 1, line: A, is_high: false }, Line { at: 2, line: B, is_high: false }];
        belt.now_us = 2;
        belt
    }

    /// Counts from the beginning, forward less reverse.
    pub(super) fn counts(&self) -> i64 {
        self.quarter
    }

    pub(super) fn run(&mut self, stretches: &[Stretch]) {
        for stretch in stretches {
            let steps = steps(stretch.seconds);
            for step in 0..steps {
                let part = step as f64 / steps as f64;
                self.step(stretch.from + (stretch.to - stretch.from) * part);
            }
        }
    }

    fn step(&mut self, mm_s: f64) {
        self.now_us += STEP_US;
        self.gone += mm_s * 1_000.0 / self.um_per_count * STEP_US as f64 / 1e6;
        while self.gone >= border(self.quarter + 1) {
            self.quarter += 1;
            self.change(self.quarter - 1);
        }
        while self.gone < border(self.quarter) - HYSTERESIS {
            self.quarter -= 1;
            self.change(self.quarter + 1);
        }
    }

    fn change(&mut self, before: i64) {
        let (old, new) = (levels(before), levels(self.quarter));
        let (line, is_high) = if old.0 == new.0 { (B, new.1) } else { (A, new.0) };
        self.lines.push(Line { at: self.now_us, line, is_high });
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a belt of a test runs for some seconds"
)]
fn steps(seconds: f64) -> u64 {
    (seconds * 1e6) as u64 / STEP_US
}

/// Where a quarter begins, in counts.
fn border(quarter: i64) -> f64 {
    quarter as f64 + OFF[usize::try_from(quarter.rem_euclid(4)).expect("0 to 3")]
}

/// Levels of A and B: forward, A goes first.
fn levels(quarter: i64) -> (bool, bool) {
    match quarter.rem_euclid(4) {
        0 => (false, false),
        1 => (true, false),
        2 => (true, true),
        _ => (false, true),
    }
}
