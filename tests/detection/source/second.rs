//! A second source beside the preferred one: a speed once a second, or a direction five times a second.

use domain::belt::Direction;
use domain::signal::{Capabilities, Signal, SignalValue, SourceNumber, SourceSpec};
use domain::units::{MILLI, SECOND, Speed};
use fastrand::Rng;

use super::{Source, noise, signal, speed};
use crate::belt::Belt;
use crate::score::{Act, Micros};

/// Speed once a second, in tenths of a km/h.
#[derive(Debug)]
pub struct SecondSpeed {
    number: SourceNumber,
    random: Rng,
    steps: u64,
}

impl SecondSpeed {
    /// A source with this number.
    pub fn new(number: SourceNumber, random: Rng) -> SecondSpeed {
        SecondSpeed { number, random, steps: 0 }
    }
}

impl Source for SecondSpeed {
    fn spec(&self) -> SourceSpec {
        let capabilities = Capabilities::SPEED.and(Capabilities::SECOND_SPEED);
        SourceSpec { name: "second speed".to_owned(), capabilities, period_us: SECOND }
    }

    fn act(&mut self, _at: Micros, _act: &Act, _belt: &Belt, _out: &mut Vec<Signal>) {}

    fn step(&mut self, now: Micros, belt: &Belt, out: &mut Vec<Signal>) {
        self.steps += 1;
        if self.steps % 10 != 3 {
            return;
        }
        let seen = belt.speed.abs() * belt.second_factor + noise(&mut self.random, 5.0);
        let tenths = if belt.is_moving() { (seen * 0.036).round().max(0.0) } else { 0.0 };
        out.push(signal(now, self.number, SignalValue::Speed(speed(tenths / 0.036))));
    }
}

/// Direction with speed, as a drive tells them.
#[derive(Debug)]
pub struct SecondDirection {
    number: SourceNumber,
    random: Rng,
    steps: u64,
    direction: Direction,
}

impl SecondDirection {
    /// A source with this number.
    pub fn new(number: SourceNumber, random: Rng) -> SecondDirection {
        SecondDirection { number, random, steps: 0, direction: Direction::Forward }
    }
}

impl Source for SecondDirection {
    fn spec(&self) -> SourceSpec {
        let capabilities = Capabilities::SPEED.and(Capabilities::DIRECTION).and(Capabilities::SECOND_SPEED);
        SourceSpec { name: "second direction".to_owned(), capabilities, period_us: 200 * MILLI }
    }

    fn act(&mut self, _at: Micros, _act: &Act, _belt: &Belt, _out: &mut Vec<Signal>) {}

    fn step(&mut self, now: Micros, belt: &Belt, out: &mut Vec<Signal>) {
        self.steps += 1;
        if !self.steps.is_multiple_of(2) || (!belt.is_moving() && !self.steps.is_multiple_of(10)) {
            return;
        }
        if belt.is_moving() {
            self.direction = match (belt.direction(), belt.second_inverted) {
                (Direction::Forward, true) | (Direction::Reverse, false) => Direction::Reverse,
                (Direction::Reverse | Direction::Forward, _) => Direction::Forward,
                (Direction::Stopped | Direction::Unknown, _) => self.direction,
            };
        }
        let seen: Speed = speed(belt.speed.abs() + noise(&mut self.random, 3.0));
        out.push(signal(now, self.number, SignalValue::MeasuredDirection(self.direction)));
        out.push(signal(
            now,
            self.number,
            SignalValue::Speed(if belt.is_moving() { seen } else { Speed(0) }),
        ));
    }
}
