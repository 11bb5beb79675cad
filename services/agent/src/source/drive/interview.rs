//! What is read from a drive in turn, and what its registers say of the belt.

use std::collections::BTreeMap;

use domain::belt::Direction;
use domain::signal::SignalValue;
use domain::units::Speed;

use super::Settings;
use super::plan::{Fault, Motion, Plan, Turn};
use crate::capture::Characteristic;
use crate::modbus::Read;
use crate::modbus::message::{Message, Side};
use crate::modbus::stream::{Found, Stream};
use crate::source::port::Poll;
use crate::source::port::dialogue::{Heard, Interviewer, Told};
use crate::source::reading;

/// The mind of one connection. A round asks every block once; only then are its registers told together, so that a
/// direction and a speed belong to each other.
#[derive(Debug)]
pub(super) struct Interview {
    plan: Plan,
    unit: u8,
    invert: bool,
    /// Belt speed at 1 Hz, in µm/s.
    um_s_per_hz: Option<u64>,
    stream: Stream,
    asked: Read,
    block: usize,
    round: BTreeMap<u16, u16>,
    /// The faults that were told last.
    faults: Vec<String>,
    /// Whether the drive drove at the end of the last round, and how fast, in mHz; `None`: it stood.
    driven: Option<u64>,
    /// For so many rounds more the belt may run on although the drive stands.
    coasting: u32,
    /// Rounds in the time that a belt may coast.
    coast_rounds: u32,
}

/// A drive that stops from no more than this has braked the belt to its end, in mHz.
const BRAKED_MHZ: u64 = 5_000;

impl Interview {
    pub(super) fn new(settings: &Settings, plan: Plan) -> Interview {
        let registers = plan.registers;
        let round_ms = settings.asking.poll_ms.saturating_mul(u32::try_from(plan.blocks.len()).unwrap_or(1));
        Interview {
            plan,
            unit: settings.unit,
            invert: settings.invert,
            um_s_per_hz: settings.mm_s_per_hz.map(micrometres),
            stream: Stream::default(),
            asked: Read { unit: settings.unit, registers, register: 0, count: 0 },
            block: 0,
            round: BTreeMap::new(),
            faults: Vec::new(),
            driven: None,
            coasting: 0,
            coast_rounds: (u32::from(settings.coast_seconds) * 1_000).div_ceil(round_ms.max(1)),
        }
    }

    /// Whether the frame answers the question.
    fn frame(&mut self, side: Option<Side>, message: &Message, out: &mut Vec<Told>) -> bool {
        let function = self.asked.registers.function();
        if side != Some(Side::Unit) || message.unit != Some(self.unit) {
            return false;
        }
        if message.is_refusal() && message.function.is_some_and(|refused| refused & 0x7F == function) {
            let Read { register, count, .. } = self.asked;
            let code = message.value.unwrap_or_default();
            let what = format!("drive refuses to tell {count} registers from {register:04X}H: code {code}");
            out.push(Told::Value(SignalValue::Implausible(what)));
            return true;
        }
        let Some(values) = message.values.as_ref().filter(|_| message.function == Some(function)) else {
            return false;
        };
        if values.len() != usize::from(self.asked.count) {
            return false;
        }
        let first = self.asked.register;
        self.round.extend((0..).zip(values).map(|(place, value)| (first.wrapping_add(place), *value)));
        true
    }

    /// What a whole round says.
    fn tell(&mut self) -> Vec<SignalValue> {
        let round = std::mem::take(&mut self.round);
        let mut values = Vec::new();
        let millihertz = self
            .plan
            .frequency
            .and_then(|frequency| round.get(&frequency.register).map(|raw| frequency.millihertz(*raw)));
        let status = round.get(&self.plan.status).copied();
        let coasts = status.is_some_and(|status| self.coasts(status, millihertz));
        if coasts {
            values.push(SignalValue::MeasuredDirection(Direction::Unknown));
        } else if let Some(status) = status {
            values.extend(self.direction(status, millihertz));
        }
        if let (Some(millihertz), Some(um_s_per_hz), false) = (millihertz, self.um_s_per_hz, coasts) {
            let mm_s = (millihertz * um_s_per_hz + 500_000) / 1_000_000;
            let speed = Speed(u32::try_from(mm_s).unwrap_or(u32::MAX));
            values.push(reading::speed("speed", speed, SignalValue::Speed));
        }
        values.extend(self.fault(status, &round));
        if values.is_empty() {
            values.push(SignalValue::Alive);
        }
        values
    }

    /// Whether the drive has let go of a belt that may run on. What a drive tells at a standstill is its own speed.
    fn coasts(&mut self, status: u16, millihertz: Option<u64>) -> bool {
        match self.plan.motion(status) {
            Some(Motion::Driving) => {
                // Without a frequency nothing shows that it braked.
                self.driven = Some(millihertz.unwrap_or(u64::MAX));
                self.coasting = 0;
            }
            Some(Motion::Standing) => {
                let let_go = self.driven.take().is_some_and(|millihertz| millihertz > BRAKED_MHZ);
                self.coasting = if let_go { self.coast_rounds } else { self.coasting };
            }
            None => {}
        }
        let coasts = self.coasting > 0;
        self.coasting = self.coasting.saturating_sub(1);
        coasts && millihertz.is_none_or(|millihertz| millihertz == 0)
    }

    /// Direction goes before speed, so that no speed is told with the direction of the motion before.
    fn direction(&self, status: u16, millihertz: Option<u64>) -> Vec<SignalValue> {
        let register = self.plan.status;
        let unknown = || {
            let what = format!("status {status:04X}H of register {register:04X}H is not known");
            vec![SignalValue::Implausible(what), SignalValue::MeasuredDirection(Direction::Unknown)]
        };
        let direction = match (self.plan.motion(status), self.plan.turn(status)) {
            (Some(Motion::Driving), Some(Turn::Forward)) if !self.invert => Direction::Forward,
            (Some(Motion::Driving), Some(Turn::Forward)) => Direction::Reverse,
            (Some(Motion::Driving), Some(Turn::Reverse)) if !self.invert => Direction::Reverse,
            (Some(Motion::Driving), Some(Turn::Reverse)) => Direction::Forward,
            (Some(Motion::Driving), Some(Turn::Changing)) => Direction::Unknown,
            (Some(Motion::Driving), None) | (None, _) => return unknown(),
            // The drive stands and the frequency was read a moment later or earlier.
            (Some(Motion::Standing), _) if millihertz.is_some_and(|millihertz| millihertz > 0) => {
                Direction::Unknown
            }
            // The direction bits of a drive that stands are those of the last or of the next run.
            (Some(Motion::Standing), _) => Direction::Stopped,
        };
        vec![SignalValue::MeasuredDirection(direction)]
    }

    /// Faults are told when they change.
    fn fault(&mut self, status: Option<u16>, round: &BTreeMap<u16, u16>) -> Option<SignalValue> {
        let faults = self.plan.faults.iter().filter_map(|fault| match fault {
            Fault::Status(_) => status
                .filter(|status| fault.is_in(*status))
                .map(|status| format!("status {status:04X}H is a fault")),
            Fault::Code(register) => round
                .get(register)
                .filter(|code| **code != 0)
                .map(|code| format!("fault register {register:04X}H is {code:04X}H")),
        });
        let faults: Vec<String> = faults.collect();
        let is_new = !faults.is_empty() && faults != self.faults;
        let told = is_new.then(|| SignalValue::Fault(faults.join(", ")));
        self.faults = faults;
        told
    }
}

impl Interviewer for Interview {
    const CHARACTERISTIC: Characteristic = Characteristic::ModbusRtu;

    fn tells_answers_apart(&self) -> bool {
        self.plan.tells_answers_apart()
    }

    fn ask(&mut self) -> Poll {
        let block = self.plan.blocks[self.block % self.plan.blocks.len()];
        self.asked = Read {
            unit: self.unit,
            registers: self.plan.registers,
            register: block.register,
            count: block.count,
        };
        self.stream = Stream::behind(self.asked.octets().to_vec());
        Poll::Modbus(self.asked)
    }

    fn hear(&mut self, octets: &[u8], out: &mut Vec<Told>) -> Heard {
        let (mut found, mut heard) = (Vec::new(), Heard::Waiting);
        self.stream.push(octets, &mut found);
        for one in found {
            match one {
                Found::Noise(octets) => {
                    out.push(Told::Unreadable("octets that are no frame".to_owned(), octets))
                }
                // Some adapters hear what they send.
                Found::Frame { octets, .. } if octets == self.asked.octets() => {}
                Found::Frame { side, message, octets } => {
                    if heard == Heard::Answered || !self.frame(side, &message, out) {
                        out.push(Told::Unreadable("a frame that was not asked for".to_owned(), octets));
                        continue;
                    }
                    out.push(Told::Frame(octets));
                    heard = Heard::Answered;
                }
            }
        }
        if heard == Heard::Answered {
            self.block += 1;
            if self.block == self.plan.blocks.len() {
                self.block = 0;
                out.extend(self.tell().into_iter().map(Told::Value));
            } else {
                out.push(Told::Value(SignalValue::Alive));
            }
        }
        heard
    }

    /// Nothing in an answer says which registers it tells.
    fn hear_unasked(&mut self, octets: &[u8], out: &mut Vec<Told>) {
        out.push(Told::Unreadable("octets that nobody asked for, or too late".to_owned(), octets.to_vec()));
    }

    fn unanswered(&mut self, out: &mut Vec<Told>) {
        let Read { register, .. } = self.asked;
        // What was read before the pause is too old to be told with what comes after it.
        self.round.clear();
        self.block = 0;
        let rest = self.stream.clear();
        out.push(Told::Unreadable(format!("no answer in time from register {register:04X}H"), rest));
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the settings allow 0.1 to 10 000 mm/s")]
fn micrometres(mm_s: f64) -> u64 {
    (mm_s * 1_000.0).round() as u64
}

#[cfg(test)]
mod tests;
