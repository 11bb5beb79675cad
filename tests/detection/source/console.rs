//! A console over FTMS: frames in octets, once a second, through the agent's own interpreter. It shows tenths of a km/h,
//! tells what its user did up to a second late, and knows no direction and no contact besides the key, in words.

use agent::ftms::interpreter::Interpreter;
use agent::ftms::model::Model;
use agent::ftms::treadmill::{FLAG_VENDOR_STEPS, PaceWidth};
use agent::ftms::{Characteristic, Message};
use domain::belt::Contact;
use domain::signal::{Capabilities, Signal, SourceNumber, SourceSpec};
use domain::units::{MILLI, MonotonicMicros, SECOND};
use fastrand::Rng;

use super::{Equipment, Source, signal};
use crate::belt::{Belt, place};
use crate::score::{Act, Micros, Nonsense};

/// Flags: distance, inclination and elapsed time; the speed is there because bit 0 is not set.
const FLAGS: u16 = 1 << 2 | 1 << 3 | 1 << 10;
const FLAG_HEART_RATE: u16 = 1 << 8;
/// Part of the frames that radio loses.
const LOST: f64 = 0.003;

/// The console.
#[derive(Debug)]
pub struct Console {
    number: SourceNumber,
    equipment: Equipment,
    interpreter: Interpreter,
    random: Rng,
    steps: u64,
    phase: u64,
    nonsense: Option<Nonsense>,
    lost: Vec<Micros>,
}

impl Console {
    /// A console with this number.
    pub fn new(number: SourceNumber, equipment: Equipment, mut random: Rng) -> Console {
        let model = Model {
            vendor_steps: equipment.steps,
            heart_rate_sensor: equipment.heart_rate,
            heart_rate_told: equipment.heart_rate,
            ..Model::default()
        };
        let phase = random.u64(0..10);
        let interpreter = Interpreter::new(model);
        Console { number, equipment, interpreter, random, steps: 0, phase, nonsense: None, lost: Vec::new() }
    }

    /// Treadmill Data, 2ACD, as the console shows it now.
    fn frame(&mut self, belt: &Belt) -> Vec<u8> {
        let mut flags = FLAGS;
        if self.equipment.steps {
            flags |= FLAG_VENDOR_STEPS;
        }
        if self.equipment.heart_rate {
            flags |= FLAG_HEART_RATE;
        }
        let nonsense = self.nonsense.take();
        // Tenths on the display, hundredths in the field.
        let centi_kmh = match nonsense {
            Some(Nonsense::Speed) => u16::MAX,
            Some(Nonsense::Incline | Nonsense::Distance) | None => tenths_kmh(belt.speed.abs()),
        };
        let incline = if nonsense == Some(Nonsense::Incline) {
            820
        } else {
            i16::try_from(whole(belt.incline)).unwrap_or(i16::MAX)
        };
        let back = if nonsense == Some(Nonsense::Distance) { 200.0 } else { 0.0 };
        let metres = u32::try_from(whole(belt.distance / 1_000.0 - back)).unwrap_or(0);
        let mut octets = flags.to_le_bytes().to_vec();
        octets.extend(centi_kmh.to_le_bytes());
        octets.extend(&metres.to_le_bytes()[..3]);
        octets.extend(incline.to_le_bytes());
        octets.extend(i16::MAX.to_le_bytes());
        if self.equipment.heart_rate {
            octets.push(belt.heart_rate);
        }
        octets.extend(u16::try_from(belt.moved / SECOND).unwrap_or(u16::MAX).to_le_bytes());
        if self.equipment.steps {
            octets.extend(&u32::try_from(whole(belt.steps)).unwrap_or(0).to_le_bytes()[..3]);
        }
        octets
    }

    fn hear(&mut self, at: Micros, characteristic: Characteristic, octets: &[u8], out: &mut Vec<Signal>) {
        let message = Message::decode(characteristic, octets, PaceWidth::OneOctet);
        let message = message.expect("frames that this console makes have flags or an operation");
        let values = self.interpreter.apply(&message, MonotonicMicros(at));
        out.extend(values.into_iter().map(|value| signal(at, self.number, value)));
    }

    /// Machine Status, 2ADA, up to a second late.
    fn status(&mut self, at: Micros, octets: &[u8], out: &mut Vec<Signal>) {
        let late = self.random.u64(0..SECOND);
        self.hear(at + late, Characteristic::Status, octets, out);
    }
}

impl Source for Console {
    fn spec(&self) -> SourceSpec {
        let mut capabilities = Capabilities::SPEED
            .and(Capabilities::INCLINE)
            .and(Capabilities::SAFETY_KEY)
            .and(Capabilities::USER_COMMANDS)
            .and(Capabilities::COMMANDED)
            .and(Capabilities::ELAPSED)
            .and(Capabilities::DISTANCE);
        if self.equipment.steps {
            capabilities = capabilities.and(Capabilities::STEPS);
        }
        if self.equipment.heart_rate {
            capabilities = capabilities.and(Capabilities::HEART_RATE_CONTACT);
        }
        SourceSpec { name: "console".to_owned(), capabilities, period_us: SECOND }
    }

    fn act(&mut self, at: Micros, act: &Act, belt: &Belt, out: &mut Vec<Signal>) {
        // Models that fall silent when they stop still tell what their users do.
        match act {
            Act::Contact(Contact::SafetyKey, true) if !belt.open[place(Contact::SafetyKey)] => {
                self.status(at, &[0x03], out);
            }
            Act::Start => self.status(at, &[0x04], out),
            Act::Stop => self.status(at, &[0x02, 0x01], out),
            Act::Target(mm_s) if *mm_s > 0.0 => {
                let centi_kmh = tenths_kmh(*mm_s);
                let [low, high] = centi_kmh.to_le_bytes();
                self.status(at, &[0x05, low, high], out);
            }
            Act::Nonsense(nonsense) => self.nonsense = Some(*nonsense),
            Act::Contact(..)
            | Act::Glitch(..)
            | Act::Target(_)
            | Act::Fault
            | Act::Silent(_)
            | Act::SecondFactor(_)
            | Act::SecondInverted(_)
            | Act::Heart(_)
            | Act::StepsFrozen(_)
            | Act::Away(_) => {}
        }
    }

    fn lost(&self) -> &[Micros] {
        &self.lost
    }

    fn step(&mut self, now: Micros, belt: &Belt, out: &mut Vec<Signal>) {
        self.steps += 1;
        if self.steps % 10 != self.phase || belt.is_silent {
            return;
        }
        if self.random.f64() < LOST {
            self.lost.push(now);
            return;
        }
        let octets = self.frame(belt);
        // Radio takes its time, more or less.
        let late = self.random.u64(0..40) * MILLI;
        self.hear(now + late, Characteristic::Treadmill, &octets, out);
    }
}

/// A speed in mm/s as the console shows it: whole tenths of a km/h, in hundredths.
fn tenths_kmh(mm_s: f64) -> u16 {
    u16::try_from(whole(mm_s * 0.036)).unwrap_or(0).saturating_mul(10)
}

/// Rounded; what a console shows is never so great that it would not fit.
#[expect(clippy::cast_possible_truncation, reason = "speeds, inclines, steps and metres of a life")]
fn whole(value: f64) -> i64 {
    value.round() as i64
}
