//! The source `replay`: frames of a capture, in their own rhythm, once or again and again.

use domain::signal::{Capabilities, Script, Signal, SignalValue, SourceNumber, SourceSpec};
use domain::units::{MILLI, MonotonicMicros, SECOND};

use crate::capture::{Capture, Characteristic, Frame};
use crate::ftms::Message;
use crate::ftms::interpreter::Interpreter;
use crate::ftms::model::Model;

/// What follows a frame whose capture has no times, in microseconds.
const STEP_US: u64 = SECOND;
/// Shortest rest between two rounds, in microseconds; shorter rests are this long.
pub const REST_MIN_US: u64 = SECOND;

/// How a capture is played.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// What is peculiar to the machine.
    pub model: Model,
    /// Whether it is played again.
    pub repeat: Repeat,
}

/// Whether a capture is played again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Repeat {
    /// It ends with its last frame.
    #[default]
    Never,
    /// It begins again this long after its last frame, in microseconds.
    AfterRest(u64),
}

/// A capture without a frame that says anything of a machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "capture of source {name} has no frame that this version can play: {frames} frames, all of other kinds"
)]
pub struct NothingToPlay {
    /// The source's name.
    pub name: String,
    /// Frames in the capture.
    pub frames: usize,
}

/// A frame and when it is due.
#[derive(Debug)]
struct Due {
    /// From the start of the round, in microseconds.
    offset_us: u64,
    /// `None`: the frame ended before it said anything.
    message: Option<Message>,
}

/// A capture that is being played.
#[derive(Debug)]
pub struct Replay {
    number: SourceNumber,
    spec: SourceSpec,
    frames: Vec<Due>,
    repeat: Repeat,
    interpreter: Interpreter,
    round_started: MonotonicMicros,
    next: usize,
}

impl Replay {
    /// A capture whose first round starts at `started`.
    ///
    /// # Errors
    ///
    /// If no frame of it is of a kind that this version decodes.
    pub fn new(
        number: SourceNumber,
        name: &str,
        capture: &Capture,
        options: Options,
        started: MonotonicMicros,
    ) -> Result<Replay, NothingToPlay> {
        let Options { model, repeat } = options;
        let frames = schedule(&capture.frames, &model);
        if frames.is_empty() {
            return Err(NothingToPlay { name: name.to_owned(), frames: capture.frames.len() });
        }
        let spec = SourceSpec {
            name: name.to_owned(),
            capabilities: capabilities(&frames, &model),
            period_us: period(&frames),
        };
        let interpreter = Interpreter::new(model);
        Ok(Replay { number, spec, frames, repeat, interpreter, round_started: started, next: 0 })
    }

    fn due(&self) -> Option<MonotonicMicros> {
        self.frames.get(self.next).map(|due| self.round_started.plus(due.offset_us))
    }

    /// Begins the next round, if there is one.
    fn turn(&mut self) {
        let Repeat::AfterRest(rest_us) = self.repeat else { return };
        let length_us = self.frames.last().map_or(0, |due| due.offset_us);
        let ended = self.round_started.plus(length_us);
        self.interpreter.disconnected(ended);
        self.round_started = ended.plus(rest_us.max(REST_MIN_US));
        self.next = 0;
    }
}

impl Script for Replay {
    fn spec(&self) -> SourceSpec {
        self.spec.clone()
    }

    fn observe(&mut self, now: MonotonicMicros, out: &mut Vec<Signal>) -> Option<MonotonicMicros> {
        loop {
            let at = self.due()?;
            if at > now {
                return Some(at);
            }
            let values = said(&mut self.interpreter, &self.frames[self.next], at);
            out.extend(values.into_iter().map(|value| Signal { at, source: self.number, value }));
            self.next += 1;
            if self.next == self.frames.len() {
                self.turn();
            }
        }
    }
}

/// A frame that ended before it said anything still shows that the machine is there.
fn said(interpreter: &mut Interpreter, due: &Due, at: MonotonicMicros) -> Vec<SignalValue> {
    match &due.message {
        Some(message) => interpreter.apply(message, at),
        None => vec![SignalValue::Alive],
    }
}

/// Decodes what can be decoded and settles when each frame is due: never before the one before it.
fn schedule(frames: &[Frame], model: &Model) -> Vec<Due> {
    let mut out = Vec::new();
    let mut before: Option<u64> = None;
    for frame in frames {
        let follows = before.map_or(0, |before| before.saturating_add(STEP_US));
        let told = frame.ts_ms.map(|milliseconds| milliseconds.saturating_mul(MILLI));
        let offset_us = told.map_or(follows, |told| told.max(before.unwrap_or(0)));
        before = Some(offset_us);
        match frame.characteristic {
            Characteristic::Ftms(characteristic) => {
                let message = Message::decode(characteristic, &frame.octets, model.pace_width).ok();
                out.push(Due { offset_us, message });
            }
            Characteristic::RunningSpeedCadence
            | Characteristic::Csafe
            | Characteristic::ModbusRtu
            | Characteristic::Biodex
            | Characteristic::GpioEdges
            | Characteristic::GpioLevels => {}
        }
    }
    out
}

/// What a capture shows that its machine can report. What it does not show is not claimed.
fn capabilities(frames: &[Due], model: &Model) -> Capabilities {
    let mut interpreter = Interpreter::new(model.clone());
    let mut capabilities = Capabilities::default();
    for due in frames {
        for value in said(&mut interpreter, due, MonotonicMicros(due.offset_us)) {
            capabilities = capabilities.and(capability(&value));
        }
    }
    capabilities
}

fn capability(value: &SignalValue) -> Capabilities {
    match value {
        SignalValue::Speed(_) => Capabilities::SPEED,
        SignalValue::Incline(_) => Capabilities::INCLINE,
        SignalValue::Commanded(_) => Capabilities::COMMANDED,
        SignalValue::Elapsed(_) => Capabilities::ELAPSED,
        SignalValue::Distance(_) => Capabilities::DISTANCE,
        SignalValue::Steps(_) => Capabilities::STEPS,
        SignalValue::BeltForce(_) => Capabilities::BELT_FORCE,
        SignalValue::HeartRateContact(_) => Capabilities::HEART_RATE_CONTACT,
        SignalValue::UserStarted | SignalValue::UserStopped | SignalValue::UserPaused => {
            Capabilities::USER_COMMANDS
        }
        SignalValue::SafetyKeyStop => Capabilities::SAFETY_KEY,
        SignalValue::MeasuredDirection(_)
        | SignalValue::DeclaredDirection(_)
        | SignalValue::ContactLevel { .. }
        | SignalValue::HeartRate(_)
        | SignalValue::Alive
        | SignalValue::Implausible(_)
        | SignalValue::Fault(_)
        | SignalValue::Lost(_) => Capabilities::default(),
    }
}

/// The usual time between two frames: the median of what the capture has, at least a millisecond.
fn period(frames: &[Due]) -> u64 {
    let mut gaps: Vec<u64> = frames.windows(2).map(|pair| pair[1].offset_us - pair[0].offset_us).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied().unwrap_or(STEP_US).max(MILLI)
}

#[cfg(test)]
mod tests;
