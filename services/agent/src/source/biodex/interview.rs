//! What is asked of a Biodex treadmill, and what its answers say of the belt.

use domain::belt::{Contact, Direction};
use domain::signal::SignalValue;
use domain::units::{Incline, Speed};

use super::answer::{Answers, Found};
use super::question::Question;
use super::{Settings, SpeedUnit};
use crate::capture::Characteristic;
use crate::source::port::Poll;
use crate::source::port::dialogue::{Heard, Interviewer, Told};
use crate::source::reading;

/// Questions in turn. The status comes often, for the lanyard.
const ORDER: [Question; 6] = [
    Question::Status,
    Question::Direction,
    Question::Speed,
    Question::Status,
    Question::Elevation,
    Question::Speed,
];
/// The most turns from one speed to the next, with two questions put again.
pub(super) const TURNS: u64 = 5;

/// Bit of system status 1: the safety lanyard is pulled off.
const LANYARD: u8 = 1 << 6;
/// What the other bits of system status 1 mean, and the hardware fault of the communication status.
const FAULTS: [(u8, &str); 7] = [
    (1, "no Hall speed signal"),
    (1 << 1, "Hall overspeed"),
    (1 << 2, "tachometer overspeed"),
    (1 << 3, "no tachometer speed"),
    (1 << 4, "grade potentiometer out of range"),
    (1 << 5, "amplifier fault"),
    (1 << 7, "communication fault"),
];
/// Bit of the communication status: a hardware fault keeps a function off, or the machine is being diagnosed.
const HARDWARE_FAULT: u8 = 1 << 5;

/// A value that counts when it has come twice in a row.
#[derive(Debug, Default)]
struct Confirmed<T> {
    counts: Option<T>,
    last: Option<T>,
}

impl<T: Copy + PartialEq> Confirmed<T> {
    /// Takes a value; it, if it counts.
    fn take(&mut self, value: T) -> Option<T> {
        if self.last.replace(value) == Some(value) {
            self.counts = Some(value);
        }
        if self.counts == Some(value) { Some(value) } else { None }
    }

    /// Whether another value has come that does not count yet.
    fn is_open(&self) -> bool {
        self.last.is_some() && self.last != self.counts
    }
}

/// The mind of one connection.
#[derive(Debug)]
pub(super) struct Interview {
    speed_unit: SpeedUnit,
    invert: bool,
    answers: Answers,
    turn: usize,
    asked: Question,
    forward: Confirmed<bool>,
    /// System status 1, and whether the communication status has a hardware fault.
    status: Confirmed<(u8, bool)>,
    /// Whether the last question was put again, because its answer was a new one.
    repeated: bool,
    /// The faults that were told last.
    faults: Vec<&'static str>,
}

impl Interview {
    pub(super) fn new(settings: &Settings) -> Interview {
        Interview {
            speed_unit: settings.speed_unit,
            invert: settings.invert,
            answers: Answers::default(),
            turn: 0,
            asked: Question::Status,
            forward: Confirmed::default(),
            status: Confirmed::default(),
            repeated: false,
            faults: Vec::new(),
        }
    }

    fn value(&mut self, found: &Found, values: &mut Vec<SignalValue>) {
        match found {
            Found::Speed(tenths) => {
                let tenths = u32::from(*tenths);
                let told = match self.speed_unit {
                    SpeedUnit::Kilometres => Speed::from_centi_kmh(tenths * 10),
                    // 0.1 mile/h = 44.704 mm/s.
                    SpeedUnit::Miles => Speed((tenths * 44_704 + 500) / 1_000),
                };
                values.push(reading::speed("speed", told, SignalValue::Speed));
            }
            Found::Elevation(percent) => values.push(reading::incline(Incline(i32::from(*percent) * 10))),
            Found::Forward(forward) => {
                if let Some(forward) = self.forward.take(*forward) {
                    let direction =
                        if forward == self.invert { Direction::Reverse } else { Direction::Forward };
                    values.push(SignalValue::MeasuredDirection(direction));
                }
            }
            Found::Status([communication, first, _]) => {
                let status = (*first, communication & HARDWARE_FAULT != 0);
                if let Some((first, has_hardware_fault)) = self.status.take(status) {
                    self.system_status(first, has_hardware_fault, values);
                }
            }
            Found::NotAcknowledged | Found::Noise(_) => {}
        }
    }

    fn system_status(&mut self, first: u8, has_hardware_fault: bool, values: &mut Vec<SignalValue>) {
        let open = first & LANYARD != 0;
        values.push(SignalValue::ContactLevel { contact: Contact::SafetyKey, open });
        let mut faults: Vec<&'static str> =
            FAULTS.into_iter().filter(|(bit, _)| first & bit != 0).map(|(_, name)| name).collect();
        if has_hardware_fault {
            faults.push("hardware fault or diagnosis");
        }
        if !faults.is_empty() && faults != self.faults {
            values.push(SignalValue::Fault(faults.join(", ")));
        }
        self.faults = faults;
    }
}

impl Interviewer for Interview {
    const CHARACTERISTIC: Characteristic = Characteristic::Biodex;

    fn ask(&mut self) -> Poll {
        self.answers = Answers::default();
        let is_open = match self.asked {
            Question::Status => self.status.is_open(),
            Question::Direction => self.forward.is_open(),
            Question::Speed | Question::Elevation => false,
        };
        // Once: a value that changes each time must not keep the others waiting.
        self.repeated = is_open && !self.repeated;
        if !self.repeated {
            self.asked = ORDER[self.turn % ORDER.len()];
            self.turn = (self.turn + 1) % ORDER.len();
        }
        Poll::Biodex(self.asked)
    }

    fn hear(&mut self, octets: &[u8], out: &mut Vec<Told>) -> Heard {
        let (mut found, mut heard) = (Vec::new(), Heard::Waiting);
        self.answers.push(octets, &mut found);
        for one in found {
            match &one {
                Found::NotAcknowledged
                | Found::Speed(_)
                | Found::Elevation(_)
                | Found::Forward(_)
                | Found::Status(_) => out.push(Told::Frame(one.octets())),
                Found::Noise(_) => {}
            }
            match &one {
                Found::Noise(octets) => {
                    out.push(Told::Unreadable("octets that are no answer".to_owned(), octets.clone()));
                }
                Found::NotAcknowledged => {
                    let why = format!("the machine does not know the question {:02x}", self.asked.octet());
                    out.push(Told::Unreadable(why, vec![0xAF]));
                    out.push(Told::Value(SignalValue::Alive));
                    heard = Heard::Answered;
                }
                Found::Speed(_) | Found::Elevation(_) | Found::Forward(_) | Found::Status(_) => {
                    // Once answered, a second answer belongs to nothing.
                    if heard == Heard::Answered || one.question() != Some(self.asked) {
                        out.push(Told::Unreadable(format!("not what was asked for: {one:?}"), Vec::new()));
                        continue;
                    }
                    let mut values = Vec::new();
                    self.value(&one, &mut values);
                    if values.is_empty() {
                        values.push(SignalValue::Alive);
                    }
                    out.extend(values.into_iter().map(Told::Value));
                    heard = Heard::Answered;
                }
            }
        }
        heard
    }

    fn hear_unasked(&mut self, octets: &[u8], out: &mut Vec<Told>) {
        out.push(Told::Unreadable("octets that nobody asked for, or too late".to_owned(), octets.to_vec()));
    }

    fn unanswered(&mut self, out: &mut Vec<Told>) {
        out.push(Told::Unreadable(format!("no answer to {:02x} in time", self.asked.octet()), Vec::new()));
    }
}

#[cfg(test)]
mod tests;
