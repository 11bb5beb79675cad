//! What is asked of a machine over CSAFE, and what its answers say of the belt.

use domain::signal::SignalValue;

use super::Settings;
use crate::capture::Characteristic;
use crate::csafe::answer::{Answer, Item, State};
use crate::csafe::frame::{Deframer, Found, Frame};
use crate::csafe::question::{Question, request};
use crate::csafe::unit::Unit;
use crate::source::port::Poll;
use crate::source::port::dialogue::{Heard, Interviewer, Told};
use crate::source::reading::{incline, speed};

/// Asked in every turn.
const ALWAYS: [Question; 4] = [Question::Status, Question::Speed, Question::Grade, Question::HeartRate];
/// Asked as well in every fifth turn.
const NOW_AND_THEN: [Question; 2] = [Question::Distance, Question::WorkTime];
/// So many answers in a row without a flip of the frame toggle are told: perhaps the machine never flips it.
const REPEATS_TOLD: u32 = 20;

/// The mind of one connection.
#[derive(Debug)]
pub(super) struct Interview {
    frame_toggle: bool,
    heart_rate_sensor: bool,
    heart_rate_told: bool,
    deframer: Deframer,
    turn: u32,
    asked: Vec<Question>,
    toggle: Option<bool>,
    repeats: u32,
    state: Option<State>,
    /// The fault that was told last, with its code if the machine has one.
    fault: Option<Option<u32>>,
}

impl Interview {
    pub(super) fn new(settings: &Settings) -> Interview {
        Interview {
            frame_toggle: settings.frame_toggle,
            heart_rate_sensor: settings.heart_rate_sensor,
            heart_rate_told: settings.heart_rate_told,
            deframer: Deframer::default(),
            turn: 0,
            asked: Vec::new(),
            toggle: None,
            repeats: 0,
            state: None,
            fault: None,
        }
    }

    fn take(&mut self, octets: &[u8], out: &mut Vec<Told>) -> Heard {
        let (mut found, mut heard) = (Vec::new(), Heard::Waiting);
        self.deframer.push(octets, &mut found);
        for one in found {
            match one {
                Found::Frame(frame) => {
                    out.push(Told::Frame(frame.octets.clone()));
                    if self.frame(frame, out) {
                        heard = Heard::Answered;
                    }
                }
                Found::Broken(broken) => out.push(Told::Unreadable(broken.error.to_string(), broken.octets)),
            }
        }
        heard
    }

    /// Whether the frame is an answer.
    fn frame(&mut self, frame: Frame, out: &mut Vec<Told>) -> bool {
        if frame.octets == request(&self.asked) {
            let why = "the question itself came back: do the lines for both ways touch?";
            out.push(Told::Unreadable(why.to_owned(), frame.octets));
            return false;
        }
        let answer = match Answer::decode(&frame.contents) {
            Ok(answer) => answer,
            Err(cut) => {
                out.push(Told::Unreadable(cut.to_string(), frame.octets));
                return false;
            }
        };
        if let Some(cut) = answer.cut {
            out.push(Told::Unreadable(cut.to_string(), frame.octets));
        }
        let values = if self.is_repeated(&answer) { self.repeated() } else { self.answer(&answer) };
        out.extend(values.into_iter().map(Told::Value));
        true
    }

    fn is_repeated(&mut self, answer: &Answer) -> bool {
        let toggle = answer.status.toggle();
        self.toggle.replace(toggle) == Some(toggle) && self.frame_toggle
    }

    fn repeated(&mut self) -> Vec<SignalValue> {
        self.repeats += 1;
        if self.repeats % REPEATS_TOLD == 0 {
            let what = "frame toggle never changes, so that answers count as old ones, said again: \
                        frame_toggle = false is for machines that never change it";
            return vec![SignalValue::Implausible(what.to_owned())];
        }
        vec![SignalValue::Alive]
    }

    fn answer(&mut self, answer: &Answer) -> Vec<SignalValue> {
        self.repeats = 0;
        let mut values = Vec::new();
        let state = answer.status.state();
        if let Some(before) = self.state.replace(state).filter(|before| *before != state) {
            values.extend(changed(before, state));
        }
        for item in &answer.items {
            self.item(item, &mut values);
        }
        values.extend(self.fault(state, answer));
        if values.is_empty() {
            values.push(SignalValue::Alive);
        }
        values
    }

    fn item(&mut self, item: &Item, values: &mut Vec<SignalValue>) {
        let Some(question) = Question::ALL.into_iter().find(|question| question.command() == item.command)
        else {
            return;
        };
        match question {
            Question::Speed => values.push(measured("speed", item, |raw, unit| {
                unit.speed(raw).map(|value| speed("speed", value, SignalValue::Speed))
            })),
            // The public lists define no sign: half of the values could be meant as negative ones.
            Question::Grade => values.push(measured("grade", item, |raw, unit| match unit.incline(raw) {
                Some(_) if raw >= 0x8000 => {
                    Some(SignalValue::Implausible(format!("grade is {raw} of {unit}")))
                }
                Some(value) => Some(incline(value)),
                None => None,
            })),
            Question::Distance => values
                .push(measured("distance", item, |raw, unit| unit.metres(raw).map(SignalValue::Distance))),
            Question::WorkTime => values.push(match item.octets.as_slice() {
                [hours, minutes, seconds] => SignalValue::Elapsed(
                    u32::from(*hours) * 3_600 + u32::from(*minutes) * 60 + u32::from(*seconds),
                ),
                _ => wrong_length("time", item),
            }),
            Question::HeartRate => match item.octets.as_slice() {
                [rate] => self.heart_rate(*rate, values),
                _ => values.push(wrong_length("heart rate", item)),
            },
            Question::Version => {
                tracing::info!(version = hex::encode(&item.octets), "the machine says who it is")
            }
            Question::Status | Question::ErrorCode => {}
        }
    }

    /// 0 stands for "no reading": without a sensor it says nothing at all.
    fn heart_rate(&mut self, rate: u8, values: &mut Vec<SignalValue>) {
        self.heart_rate_sensor |= rate != 0;
        if self.heart_rate_sensor {
            values.push(SignalValue::HeartRateContact(rate != 0));
        }
        if self.heart_rate_told && rate != 0 {
            values.push(SignalValue::HeartRate(u32::from(rate)));
        }
    }

    /// A fault is told when it comes and when its code changes, once the code has been asked for.
    fn fault(&mut self, state: State, answer: &Answer) -> Option<SignalValue> {
        if state != State::Error {
            self.fault = None;
            return None;
        }
        if !self.asked.contains(&Question::ErrorCode) {
            return None;
        }
        let item = answer.items.iter().find(|item| item.command == Question::ErrorCode.command());
        let code = item.and_then(|item| match item.octets.as_slice() {
            [low, middle, high] => Some(u32::from_le_bytes([*low, *middle, *high, 0])),
            _ => None,
        });
        if self.fault.replace(code) == Some(code) {
            return None;
        }
        Some(SignalValue::Fault(match code {
            Some(code) => format!("state error, error code {code}"),
            None => "state error, without a code".to_owned(),
        }))
    }
}

impl Interviewer for Interview {
    const CHARACTERISTIC: Characteristic = Characteristic::Csafe;

    fn ask(&mut self) -> Poll {
        self.deframer = Deframer::default();
        self.asked = match self.turn {
            0 => vec![Question::Version],
            _ => ALWAYS.to_vec(),
        };
        if self.turn % 5 == 1 {
            self.asked.extend(NOW_AND_THEN);
        }
        if self.state == Some(State::Error) && self.turn != 0 {
            self.asked.push(Question::ErrorCode);
        }
        self.turn = self.turn.checked_add(1).unwrap_or(1);
        Poll::Csafe(self.asked.clone())
    }

    fn hear(&mut self, octets: &[u8], out: &mut Vec<Told>) -> Heard {
        self.take(octets, out)
    }

    /// Each value comes with its command: a late answer is as good as any.
    fn hear_unasked(&mut self, octets: &[u8], out: &mut Vec<Told>) {
        self.take(octets, out);
    }

    fn unanswered(&mut self, out: &mut Vec<Told>) {
        // The machine may have flipped the toggle of an answer that nobody heard.
        self.toggle = None;
        out.push(Told::Unreadable("no answer in time".to_owned(), Vec::new()));
    }
}

/// What a user did, as far as a change of state shows it. A machine that times out goes to ready, and nobody did that.
fn changed(before: State, now: State) -> Option<SignalValue> {
    let in_use = |state| matches!(state, State::InUse | State::Manual);
    match now {
        State::InUse | State::Manual => (!in_use(before)).then_some(SignalValue::UserStarted),
        State::Paused => in_use(before).then_some(SignalValue::UserPaused),
        State::Finished => (in_use(before) || before == State::Paused).then_some(SignalValue::UserStopped),
        State::Error | State::Ready | State::Idle | State::HaveId | State::Offline | State::Reserved(_) => {
            None
        }
    }
}

fn measured(field: &str, item: &Item, value: impl FnOnce(u16, Unit) -> Option<SignalValue>) -> SignalValue {
    let Some((raw, unit)) = item.measure() else { return wrong_length(field, item) };
    value(raw, unit).unwrap_or_else(|| SignalValue::Implausible(format!("{field} is told in {unit}: {raw}")))
}

fn wrong_length(field: &str, item: &Item) -> SignalValue {
    SignalValue::Implausible(format!(
        "{field} has {} octets: {}",
        item.octets.len(),
        hex::encode(&item.octets)
    ))
}

#[cfg(test)]
mod tests;
