//! `decode`: a capture in, one JSON line out for each of its frames.

mod fields;
mod render;
mod serial;
mod wired;

use std::io::{self, BufRead, Write};

use serde::Serialize;

use crate::capture::{BadLine, Characteristic, Frame, Line, LineError, next_line};
use crate::ftms::Message;
use crate::ftms::treadmill::PaceWidth;
use fields::Fields;

/// What is printed for one line.
#[derive(Debug, Serialize)]
struct Printed {
    line: u64,
    /// As named in the format; as written if it is unknown; null if there is none.
    characteristic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decoded: Option<Fields>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// How a line fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Decoded,
    Faulty,
    Unusable,
}

/// What a capture held. Blank lines do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Lines.
    pub lines: u64,
    /// Frames that were decoded.
    pub decoded: u64,
    /// Of these, frames with something to complain about.
    pub faulty: u64,
    /// Lines that are no frames.
    pub unusable: u64,
}

/// Why decoding ended early.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The capture could not be read on.
    #[error("cannot read the capture")]
    Read(#[source] io::Error),
    /// The result could not be written.
    #[error("cannot write the result")]
    Write(#[source] io::Error),
}

/// Decodes a capture to its end, whatever its lines hold.
///
/// # Errors
///
/// Only if reading or writing fails.
pub fn run(input: &mut impl BufRead, output: &mut impl Write) -> Result<Summary, DecodeError> {
    let mut summary = Summary::default();
    let mut buffer = Vec::new();
    for number in 1.. {
        let (printed, outcome) = match next_line(input, &mut buffer).map_err(DecodeError::Read)? {
            Line::End => break,
            Line::TooLong => unusable(number, BadLine { characteristic: None, error: LineError::TooLong }),
            Line::Whole if buffer.trim_ascii().is_empty() => continue,
            Line::Whole => match Frame::parse(&buffer) {
                Ok(frame) => decode(number, &frame),
                Err(bad) => unusable(number, bad),
            },
        };
        summary.count(outcome);
        serde_json::to_writer(&mut *output, &printed)
            .map_err(io::Error::from)
            .and_then(|()| output.write_all(b"\n"))
            .map_err(DecodeError::Write)?;
    }
    output.flush().map_err(DecodeError::Write)?;
    Ok(summary)
}

fn decode(line: u64, frame: &Frame) -> (Printed, Outcome) {
    let characteristic = Some(frame.characteristic.name().to_owned());
    let (fields, error) = match frame.characteristic {
        Characteristic::Ftms(characteristic) => {
            render::rendered(&Message::decode(characteristic, &frame.octets, PaceWidth::default()))
        }
        Characteristic::RunningSpeedCadence => serial::running_speed(&frame.octets),
        Characteristic::Csafe => serial::csafe(&frame.octets, frame.way),
        Characteristic::ModbusRtu => serial::modbus(&frame.octets, frame.way),
        Characteristic::Biodex => wired::biodex(&frame.octets, frame.way),
        Characteristic::GpioEdges => wired::gpio_edges(&frame.octets),
        Characteristic::GpioLevels => wired::gpio_levels(&frame.octets),
    };
    let outcome = if error.is_some() { Outcome::Faulty } else { Outcome::Decoded };
    (Printed { line, characteristic, decoded: Some(fields), error }, outcome)
}

fn unusable(line: u64, bad: BadLine) -> (Printed, Outcome) {
    let BadLine { characteristic, error } = bad;
    (Printed { line, characteristic, decoded: None, error: Some(error.to_string()) }, Outcome::Unusable)
}

impl Summary {
    fn count(&mut self, outcome: Outcome) {
        self.lines += 1;
        match outcome {
            Outcome::Decoded => self.decoded += 1,
            Outcome::Faulty => {
                self.decoded += 1;
                self.faulty += 1;
            }
            Outcome::Unusable => self.unusable += 1,
        }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Summary { lines, decoded, faulty, unusable } = self;
        write!(f, "{lines} lines: {decoded} decoded ({faulty} of them faulty), {unusable} unusable")
    }
}

#[cfg(test)]
mod tests;
