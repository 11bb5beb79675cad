//! A motor drive, its registers read five times a second: speed from its frequency, direction and run bit from its
//! status, the commanded speed and its faults. A drive knows no incline.

use domain::belt::Direction;
use domain::signal::{Capabilities, Signal, SignalValue, SourceNumber, SourceSpec};
use domain::units::MILLI;
use fastrand::Rng;

use super::{Source, noise, signal, speed};
use crate::belt::Belt;
use crate::score::{Act, Micros, Nonsense};

/// A hundredth of a hertz of the drive, in mm/s.
const HERTZ_STEP_MM_S: f64 = 3.0;
/// Slip of motor and belt, in mm/s.
const SLIP_MM_S: f64 = 6.0;
const PERIOD_US: u64 = 200 * MILLI;
/// A drive that has stood for so many steps is asked five times a second as before, and told once a second.
const RESTS_AFTER: u64 = 30;
const REST_STEPS: u64 = 10;

/// The drive.
#[derive(Debug)]
pub struct Drive {
    number: SourceNumber,
    random: Rng,
    steps: u64,
    /// The last step with motion.
    moved: u64,
    /// The sign stays in its register while the belt stands.
    direction: Direction,
    run_bit: bool,
    target: f64,
}

impl Drive {
    /// A drive with this number.
    pub fn new(number: SourceNumber, random: Rng) -> Drive {
        Drive {
            number,
            random,
            steps: 0,
            moved: 0,
            direction: Direction::Forward,
            run_bit: false,
            target: 0.0,
        }
    }
}

impl Source for Drive {
    fn spec(&self) -> SourceSpec {
        let capabilities = Capabilities::SPEED.and(Capabilities::DIRECTION).and(Capabilities::COMMANDED);
        let capabilities = capabilities.and(Capabilities::USER_COMMANDS);
        SourceSpec { name: "drive".to_owned(), capabilities, period_us: PERIOD_US }
    }

    fn act(&mut self, at: Micros, act: &Act, _belt: &Belt, out: &mut Vec<Signal>) {
        let value = match act {
            Act::Fault => SignalValue::Fault("drive fault 21: overload of the motor".to_owned()),
            Act::Nonsense(Nonsense::Speed) => {
                SignalValue::Implausible("speed 655.35 km/h is above 30 km/h".to_owned())
            }
            Act::Nonsense(Nonsense::Incline | Nonsense::Distance)
            | Act::Contact(..)
            | Act::Glitch(..)
            | Act::Start
            | Act::Stop
            | Act::Target(_)
            | Act::Silent(_)
            | Act::SecondFactor(_)
            | Act::SecondInverted(_)
            | Act::Heart(_)
            | Act::StepsFrozen(_)
            | Act::Away(_) => return,
        };
        out.push(signal(at, self.number, value));
    }

    fn step(&mut self, now: Micros, belt: &Belt, out: &mut Vec<Signal>) {
        self.steps += 1;
        if belt.is_moving() {
            self.moved = self.steps;
        }
        if belt.is_silent || !self.steps.is_multiple_of(2) {
            return;
        }
        // What people do shows as bits of the status, when it is read.
        if std::mem::replace(&mut self.run_bit, belt.is_started) != belt.is_started {
            let value = if belt.is_started { SignalValue::UserStarted } else { SignalValue::UserStopped };
            out.push(signal(now, self.number, value));
        }
        if (std::mem::replace(&mut self.target, belt.target) - belt.target).abs() > 0.1 {
            out.push(signal(now, self.number, SignalValue::Commanded(speed(belt.target))));
        }
        if self.steps > self.moved + RESTS_AFTER && !self.steps.is_multiple_of(REST_STEPS) {
            return;
        }
        if belt.is_moving() {
            self.direction = belt.direction();
        }
        let slip = if belt.is_moving() { noise(&mut self.random, SLIP_MM_S) } else { 0.0 };
        let seen = ((belt.speed.abs() + slip) / HERTZ_STEP_MM_S).round().max(0.0) * HERTZ_STEP_MM_S;
        out.push(signal(now, self.number, SignalValue::MeasuredDirection(self.direction)));
        out.push(signal(now, self.number, SignalValue::Speed(speed(seen))));
    }
}
