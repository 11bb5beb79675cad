//! What a console and a base say to each other, as far as it says something of the belt.

use domain::signal::SignalValue;
use domain::units::{MILLI, MonotonicMicros, Speed};

use crate::modbus::message::{Message, Side};
use crate::modbus::stream::{Found, Stream};
use crate::source::outlet::Way;
use crate::source::port::dialogue::Told;
use crate::source::reading;

/// Written: 1 when the user starts the belt.
const START: u16 = 0x0001;
/// Written: 1 when the user stops it.
const STOP: u16 = 0x0002;
/// Written: the speed that the base is to keep, some 235 counts a mile an hour.
const SET_POINT: u16 = 0x000A;
/// Read: the base's step count. Written: 0 sets it back.
const STEPS: u16 = 0x000F;
/// The set point that stands for stopped.
const SET_POINT_STOPPED: u16 = 50;
/// Counts of a mile an hour: 94 at 0.4, 141 at 0.6, 282 at 1.2, 470 at 2.0 mph.
const COUNTS_PER_MPH: u32 = 235;
/// How long an answer, or the echo of a write, may take.
const ANSWER_US: u64 = 500 * MILLI;

/// The mind of one line.
#[derive(Debug)]
pub(super) struct Overheard {
    unit: u8,
    stream: Stream,
    /// The last request of the console, and when it came.
    request: Option<(Message, MonotonicMicros)>,
}

impl Overheard {
    pub(super) fn new(unit: u8) -> Overheard {
        Overheard { unit, stream: Stream::default(), request: None }
    }

    /// Takes octets and appends what they say, with who said it.
    pub(super) fn hear(&mut self, octets: &[u8], now: MonotonicMicros, out: &mut Vec<(Way, Told)>) {
        let mut found = Vec::new();
        self.stream.push(octets, &mut found);
        for one in found {
            match one {
                Found::Noise(octets) => {
                    // Between a question that nobody saw end and an answer there is no telling what was asked.
                    self.request = None;
                    out.push((Way::Notify, Told::Unreadable("octets that are no frame".to_owned(), octets)));
                }
                Found::Frame { side, message, octets } => {
                    let before = self.request.take().filter(|(_, at)| now.since(*at) <= ANSWER_US);
                    let request = before.map(|(request, _)| request);
                    // The base says a write again to confirm it.
                    let is_answer = match side {
                        Some(Side::Unit) => true,
                        Some(Side::Master) => false,
                        None => request.as_ref() == Some(&message),
                    };
                    let way = if is_answer { Way::Response } else { Way::Request };
                    out.push((way, Told::Frame(octets)));
                    let value =
                        if is_answer { self.answer(request, &message) } else { self.command(&message) };
                    out.push((way, Told::Value(value.unwrap_or(SignalValue::Alive))));
                    if !is_answer {
                        self.request = Some((message, now));
                    }
                }
            }
        }
    }

    /// What the console wants.
    fn command(&self, message: &Message) -> Option<SignalValue> {
        if message.unit != Some(self.unit) || message.function != Some(6) {
            return None;
        }
        match (message.register?, message.value?) {
            (START, 1) => Some(SignalValue::UserStarted),
            (STOP, 1) => Some(SignalValue::UserStopped),
            (SET_POINT, raw) => Some(set_point(raw)),
            _ => None,
        }
    }

    /// What the base tells. That it confirms a write says nothing new.
    fn answer(&self, request: Option<Message>, answer: &Message) -> Option<SignalValue> {
        let request = request?;
        let is_its = request.unit == answer.unit && request.function == answer.function;
        if !is_its || answer.unit != Some(self.unit) || answer.function != Some(3) {
            return None;
        }
        match (request.register?, answer.values.as_deref()?) {
            (STEPS, [steps]) if request.count == Some(1) => Some(SignalValue::Steps(u32::from(*steps))),
            _ => None,
        }
    }
}

fn set_point(raw: u16) -> SignalValue {
    match raw {
        SET_POINT_STOPPED => SignalValue::Commanded(Speed(0)),
        0..SET_POINT_STOPPED => SignalValue::Implausible(format!(
            "set point {raw} is below {SET_POINT_STOPPED}, which is stopped"
        )),
        _ => {
            // 1 mph = 447.04 mm/s.
            let mm_s = (u32::from(raw) * 44_704 / COUNTS_PER_MPH + 50) / 100;
            reading::speed("commanded speed", Speed(mm_s), SignalValue::Commanded)
        }
    }
}

#[cfg(test)]
mod tests;
