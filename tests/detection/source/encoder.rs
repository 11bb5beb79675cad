//! A quadrature encoder on the belt's roller, ten times a second, and an incline sensor once a second.

use domain::signal::{Capabilities, Signal, SignalValue, SourceNumber, SourceSpec};
use domain::units::{Incline, MILLI};
use fastrand::Rng;

use super::{Source, noise, signal, speed};
use crate::belt::Belt;
use crate::score::{Act, Micros, Nonsense};

/// One pulse within a tenth of a second, in mm/s: pulses of half a millimetre.
const PULSE_MM_S: f64 = 5.0;
/// Noise of a moving belt, in mm/s.
const NOISE_MM_S: f64 = 10.0;
/// How much each step of a foot brakes the belt, as a part of its speed.
const STANCE: f64 = 0.02;
const PERIOD_US: u64 = 100 * MILLI;
/// A belt that has stood for so many steps is told twice a second.
const RESTS_AFTER: u64 = 30;
const REST_STEPS: u64 = 5;

/// The encoder.
#[derive(Debug)]
pub struct Encoder {
    number: SourceNumber,
    random: Rng,
    steps: u64,
    /// The last step with motion.
    moved: u64,
}

impl Encoder {
    /// An encoder with this number.
    pub fn new(number: SourceNumber, random: Rng) -> Encoder {
        Encoder { number, random, steps: 0, moved: 0 }
    }

    fn seen(&mut self, belt: &Belt, now: Micros) -> f64 {
        if !belt.is_moving() {
            return 0.0;
        }
        let stride = now as f64 / 1e6 * std::f64::consts::TAU * 0.9;
        let seen = belt.speed.abs() * (1.0 + STANCE * stride.sin()) + noise(&mut self.random, NOISE_MM_S);
        (seen / PULSE_MM_S).round().max(0.0) * PULSE_MM_S
    }
}

impl Source for Encoder {
    fn spec(&self) -> SourceSpec {
        let capabilities = Capabilities::SPEED.and(Capabilities::DIRECTION).and(Capabilities::INCLINE);
        SourceSpec { name: "encoder".to_owned(), capabilities, period_us: PERIOD_US }
    }

    fn act(&mut self, at: Micros, act: &Act, _belt: &Belt, out: &mut Vec<Signal>) {
        let value = match act {
            Act::Fault => SignalValue::Fault("2.4 % of the pulses are invalid".to_owned()),
            Act::Nonsense(Nonsense::Speed) => {
                SignalValue::Implausible("speed 655.35 km/h is above 30 km/h".to_owned())
            }
            Act::Nonsense(Nonsense::Incline) => {
                SignalValue::Implausible("incline 82.0 % is beyond ±40 %".to_owned())
            }
            Act::Nonsense(Nonsense::Distance)
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
        let rests = self.steps > self.moved + RESTS_AFTER;
        if belt.is_silent || (rests && !self.steps.is_multiple_of(REST_STEPS)) {
            return;
        }
        let seen = self.seen(belt, now);
        out.push(signal(now, self.number, SignalValue::MeasuredDirection(belt.direction())));
        out.push(signal(now, self.number, SignalValue::Speed(speed(seen))));
        if self.steps.is_multiple_of(10) {
            // The sensor's last digit is not quiet.
            let tenths = belt.incline + noise(&mut self.random, 0.2);
            #[expect(clippy::cast_possible_truncation, reason = "inclines are small")]
            out.push(signal(now, self.number, SignalValue::Incline(Incline(tenths.round() as i32))));
        }
    }
}
