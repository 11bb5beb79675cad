//! The score of one machine's life: what really happens, and what a reader of the definitions would call an incident.
//!
//! The belt's speed is a line of straight pieces, so that the truth is known exactly. Sources play the score; nothing in
//! here knows the rules' code.

use domain::belt::Contact;
use domain::incident::{Rule, Severity};

/// Microseconds of a life.
pub type Micros = u64;

/// Microseconds in a second, as a number with a fraction.
pub const SECOND: f64 = 1e6;

/// Something that happens at a moment, besides the belt's motion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Act {
    /// A contact opens or closes, and bounces.
    Contact(Contact, bool),
    /// A contact opens for so many milliseconds, as by a shock.
    Glitch(Contact, u64),
    /// The user starts the machine.
    Start,
    /// The user stops it.
    Stop,
    /// The console commands a speed, in mm/s.
    Target(f64),
    /// The drive or the encoder has a fault.
    Fault,
    /// The source tells something that cannot be true.
    Nonsense(Nonsense),
    /// The source of the speed falls silent, or speaks again.
    Silent(bool),
    /// The second source of speed tells so many times the true speed.
    SecondFactor(f64),
    /// The second source of direction tells the opposite.
    SecondInverted(bool),
    /// The heart rate, in beats a minute; 0: no contact.
    Heart(u8),
    /// Nobody walks: the step count stands.
    StepsFrozen(bool),
    /// The agent ends, or a new one begins.
    Away(bool),
}

/// What cannot be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nonsense {
    /// A speed of 65 535 hundredths of a km/h.
    Speed,
    /// An incline of 82 %.
    Incline,
    /// The distance goes back.
    Distance,
}

/// What a reader of the definitions says of a span of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Meaning {
    /// It is an incident of this severity.
    Episode(Severity),
    /// It is none, although it comes near.
    NearMiss,
    /// It may be called one, and is not counted: a side effect of something else, or a matter of opinion.
    Allowed,
}

/// A part of the truth.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Of which rule.
    pub rule: Rule,
    /// What it is.
    pub meaning: Meaning,
    /// When it begins.
    pub from: Micros,
    /// When it has lasted long enough to be known.
    pub until: Micros,
    /// What was planted, in words.
    pub name: &'static str,
}

/// A value over time: straight between its knots; two knots at one time are a jump.
#[derive(Debug, Clone, Default)]
pub struct Line(pub Vec<(Micros, f64)>);

/// Everything that happens in one life.
#[derive(Debug, Clone, Default)]
pub struct Score {
    /// Belt speed in mm/s, below 0 in reverse.
    pub speed: Line,
    /// Incline in tenths of a per cent.
    pub incline: Line,
    /// What happens besides, by time.
    pub acts: Vec<(Micros, Act)>,
    /// What of it is an incident.
    pub truths: Vec<Truth>,
    /// When the life ends.
    pub end: Micros,
}

impl Score {
    /// Brings acts into their order.
    pub fn finish(mut self, end: Micros) -> Score {
        self.acts.sort_by_key(|(at, _)| *at);
        self.end = end;
        self
    }
}

/// Reads a line at times that do not go back.
#[derive(Debug)]
pub struct LineReader<'a> {
    knots: &'a [(Micros, f64)],
    next: usize,
}

impl<'a> LineReader<'a> {
    /// At the line's beginning.
    pub fn new(line: &'a Line) -> LineReader<'a> {
        LineReader { knots: &line.0, next: 0 }
    }

    /// The value at a time; 0 before the first knot, the last one's after it.
    pub fn at(&mut self, at: Micros) -> f64 {
        while self.knots.get(self.next).is_some_and(|(time, _)| *time <= at) {
            self.next += 1;
        }
        let Some((from, value)) = self.next.checked_sub(1).map(|last| self.knots[last]) else { return 0.0 };
        let Some((until, next)) = self.knots.get(self.next) else { return value };
        value + (next - value) * (at - from) as f64 / (until - from).max(1) as f64
    }

    /// For how long the value stays as it is at a time.
    pub fn flat_until(&self, at: Micros) -> Micros {
        let value = self.next.checked_sub(1).map_or(0.0, |last| self.knots[last].1);
        let other = self.knots[self.next.min(self.knots.len())..].iter().position(|(_, next)| *next != value);
        match other {
            // The knot before the first other value still has this one.
            Some(0) => at,
            Some(knots) => self.knots[self.next + knots - 1].0,
            None => Micros::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_straight_between_its_knots_and_jumps() {
        let line = Line(vec![(0, 0.0), (10, 0.0), (20, 100.0), (20, 50.0), (30, 50.0)]);
        let mut reader = LineReader::new(&line);
        let values: Vec<f64> = [0, 5, 15, 19, 20, 25, 99].into_iter().map(|at| reader.at(at)).collect();
        assert_eq!(values, [0.0, 0.0, 50.0, 90.0, 50.0, 50.0, 50.0]);
        let mut reader = LineReader::new(&line);
        reader.at(3);
        assert_eq!(reader.flat_until(3), 10);
        reader.at(15);
        assert_eq!(reader.flat_until(15), 15);
        reader.at(25);
        assert_eq!(reader.flat_until(25), Micros::MAX);
    }
}
