//! Captures: frames as machines sent them, one JSON object a line. `captures/README.md` has the format.

use std::io::{self, BufRead};

use domain::limits::{CAPTURE_FRAMES_MAX, CAPTURE_LINE_BYTES_MAX};
use serde_json::{Map, Value};

use crate::ftms;
use crate::source::outlet::Way;

/// What a frame is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Characteristic {
    /// A characteristic of the fitness machine service.
    Ftms(ftms::Characteristic),
    /// 2A53: running speed and cadence.
    RunningSpeedCadence,
    /// A CSAFE frame.
    Csafe,
    /// A Modbus RTU frame.
    ModbusRtu,
    /// A question to the host port of a Biodex treadmill, or an answer.
    Biodex,
    /// Edges of GPIO lines.
    GpioEdges,
    /// Levels of GPIO lines.
    GpioLevels,
}

impl Characteristic {
    /// All, in the order of the format's description.
    pub const ALL: [Characteristic; 13] = [
        Characteristic::Ftms(ftms::Characteristic::Treadmill),
        Characteristic::Ftms(ftms::Characteristic::Status),
        Characteristic::Ftms(ftms::Characteristic::Training),
        Characteristic::Ftms(ftms::Characteristic::Feature),
        Characteristic::Ftms(ftms::Characteristic::SpeedRange),
        Characteristic::Ftms(ftms::Characteristic::InclinationRange),
        Characteristic::Ftms(ftms::Characteristic::ControlPoint),
        Characteristic::RunningSpeedCadence,
        Characteristic::Csafe,
        Characteristic::ModbusRtu,
        Characteristic::Biodex,
        Characteristic::GpioEdges,
        Characteristic::GpioLevels,
    ];

    /// Its name in a capture.
    pub fn name(self) -> &'static str {
        match self {
            Characteristic::Ftms(ftms::Characteristic::Treadmill) => "2acd",
            Characteristic::Ftms(ftms::Characteristic::Status) => "2ada",
            Characteristic::Ftms(ftms::Characteristic::Training) => "2ad3",
            Characteristic::Ftms(ftms::Characteristic::Feature) => "2acc",
            Characteristic::Ftms(ftms::Characteristic::SpeedRange) => "2ad4",
            Characteristic::Ftms(ftms::Characteristic::InclinationRange) => "2ad5",
            Characteristic::Ftms(ftms::Characteristic::ControlPoint) => "2ad9",
            Characteristic::RunningSpeedCadence => "2a53",
            Characteristic::Csafe => "csafe",
            Characteristic::ModbusRtu => "modbus_rtu",
            Characteristic::Biodex => "biodex",
            Characteristic::GpioEdges => "gpio_edges",
            Characteristic::GpioLevels => "gpio_levels",
        }
    }

    fn from_name(name: &str) -> Option<Characteristic> {
        Characteristic::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(name))
    }
}

/// One frame of a capture. Keys of the format that nothing here needs are not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is of.
    pub characteristic: Characteristic,
    /// The octets as sent.
    pub octets: Vec<u8>,
    /// Which way it went; `None`: its source did not say so in a word of the format.
    pub way: Option<Way>,
    /// Milliseconds from the start of the capture; `None`: its source had no times.
    pub ts_ms: Option<u64>,
}

/// Why a line is not a frame. Values are cut to 80 characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// More octets than a line may have.
    #[error("line is longer than {CAPTURE_LINE_BYTES_MAX} octets")]
    TooLong,
    /// Not text.
    #[error("line is not UTF-8")]
    NotText,
    /// Not JSON.
    #[error("line is not JSON: {0}")]
    NotJson(String),
    /// JSON, but no object.
    #[error("line is no JSON object but {0}")]
    NotObject(String),
    /// A key is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A value is not what its key allows.
    #[error("{field} is {value}: {allowed}")]
    NotAllowed {
        /// The key.
        field: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
}

/// A line of which at least the characteristic could be told, or not even that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// The characteristic as written, if the line has one.
    pub characteristic: Option<String>,
    /// What is wrong.
    pub error: LineError,
}

impl Frame {
    /// Reads one line.
    ///
    /// # Errors
    ///
    /// If the line is no JSON object, or if characteristic, hex or ts_ms are not as the format has them.
    pub fn parse(line: &[u8]) -> Result<Frame, BadLine> {
        let object = object(line).map_err(|error| BadLine { characteristic: None, error })?;
        let written = object.get("characteristic").and_then(Value::as_str).map(short);
        Frame::from_object(&object).map_err(|error| BadLine { characteristic: written, error })
    }

    fn from_object(object: &Map<String, Value>) -> Result<Frame, LineError> {
        let name = text(object, "characteristic")?;
        let characteristic = Characteristic::from_name(name).ok_or_else(|| LineError::NotAllowed {
            field: "characteristic",
            value: quoted(name),
            allowed: "2acd, 2ada, 2ad3, 2acc, 2ad4, 2ad5, 2ad9, 2a53, csafe, modbus_rtu, biodex, gpio_edges and \
                      gpio_levels are known",
        })?;
        let octets = octets(text(object, "hex")?)?;
        Ok(Frame { characteristic, octets, way: way(object), ts_ms: milliseconds(object)? })
    }
}

fn object(line: &[u8]) -> Result<Map<String, Value>, LineError> {
    let line = std::str::from_utf8(line).map_err(|_| LineError::NotText)?;
    match serde_json::from_str(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(LineError::NotObject(short(&other.to_string()))),
        Err(error) => Err(LineError::NotJson(error.to_string())),
    }
}

fn text<'a>(object: &'a Map<String, Value>, field: &'static str) -> Result<&'a str, LineError> {
    let value = object.get(field).ok_or(LineError::Missing(field))?;
    value.as_str().ok_or_else(|| LineError::NotAllowed {
        field,
        value: short(&value.to_string()),
        allowed: "a string is allowed",
    })
}

fn octets(digits: &str) -> Result<Vec<u8>, LineError> {
    hex::decode(digits).map_err(|error| LineError::NotAllowed {
        field: "hex",
        value: quoted(digits),
        allowed: match error {
            hex::FromHexError::OddLength => "the number of digits is odd, two make an octet",
            hex::FromHexError::InvalidHexCharacter { .. } | hex::FromHexError::InvalidStringLength => {
                "only the digits 0-9 and a-f are allowed"
            }
        },
    })
}

/// A write is a request, too: somebody asks the machine for something.
fn way(object: &Map<String, Value>) -> Option<Way> {
    match object.get("direction")?.as_str()? {
        "notify" => Some(Way::Notify),
        "read" => Some(Way::Read),
        "write" | "request" => Some(Way::Request),
        "response" => Some(Way::Response),
        _ => None,
    }
}

fn milliseconds(object: &Map<String, Value>) -> Result<Option<u64>, LineError> {
    match object.get("ts_ms") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64() {
            Some(milliseconds) => Ok(Some(milliseconds)),
            None => Err(LineError::NotAllowed {
                field: "ts_ms",
                value: short(&value.to_string()),
                allowed: "a whole number of milliseconds, 0 or more, is allowed",
            }),
        },
    }
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", short(text))
}

/// What a reader gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line is in the buffer, without its end.
    Whole,
    /// A line was longer than is read; it was passed over.
    TooLong,
    /// There is no more.
    End,
}

/// Reads the next line into `buffer`, never more than a line may have.
pub(crate) fn next_line(reader: &mut impl BufRead, buffer: &mut Vec<u8>) -> io::Result<Line> {
    buffer.clear();
    let mut line = Line::End;
    loop {
        let available = reader.fill_buf()?;
        if available.is_empty() {
            return Ok(line);
        }
        let end = available.iter().position(|octet| *octet == b'\n');
        let piece = &available[..end.unwrap_or(available.len())];
        if buffer.len() + piece.len() > CAPTURE_LINE_BYTES_MAX {
            line = Line::TooLong;
        } else if line != Line::TooLong {
            line = Line::Whole;
            buffer.extend_from_slice(piece);
        }
        let used = end.map_or(available.len(), |end| end + 1);
        reader.consume(used);
        if end.is_some() {
            return Ok(line);
        }
    }
}

/// A capture that can be played again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// Its frames in the order of the file.
    pub frames: Vec<Frame>,
}

/// Why a capture cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file could not be read.
    #[error("cannot read the capture")]
    Unreadable(#[from] io::Error),
    /// A line is no frame.
    #[error("line {line}: {error}")]
    Line {
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        error: LineError,
    },
    /// More frames than a capture may have.
    #[error("more than {CAPTURE_FRAMES_MAX} frames")]
    TooManyFrames,
}

impl Capture {
    /// Reads a capture. Blank lines are passed over.
    ///
    /// # Errors
    ///
    /// At the first line that is no frame, with its number; if there are too many; if reading fails.
    pub fn read(mut reader: impl BufRead) -> Result<Capture, CaptureError> {
        let (mut frames, mut buffer) = (Vec::new(), Vec::new());
        for line in 1.. {
            match next_line(&mut reader, &mut buffer)? {
                Line::End => break,
                Line::TooLong => return Err(CaptureError::Line { line, error: LineError::TooLong }),
                Line::Whole if buffer.trim_ascii().is_empty() => {}
                Line::Whole if frames.len() == CAPTURE_FRAMES_MAX => return Err(CaptureError::TooManyFrames),
                Line::Whole => frames.push(
                    Frame::parse(&buffer).map_err(|bad| CaptureError::Line { line, error: bad.error })?,
                ),
            }
        }
        Ok(Capture { frames })
    }
}

/// A capture that is part of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Embedded {
    /// A treadmill going from 0.8 to 10 km/h.
    RunUp,
    /// A walking pad that is paused: status and training-status frames, a ramp.
    UrevoPause,
    /// A walking pad; frames without times.
    CitySports,
}

impl Embedded {
    /// All of them.
    pub const ALL: [Embedded; 3] = [Embedded::RunUp, Embedded::UrevoPause, Embedded::CitySports];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Embedded::RunUp => "run_up",
            Embedded::UrevoPause => "urevo_pause",
            Embedded::CitySports => "citysports",
        }
    }

    /// Its lines.
    pub fn text(self) -> &'static str {
        match self {
            Embedded::RunUp => include_str!("../captures/ftms_run_up.jsonl"),
            Embedded::UrevoPause => include_str!("../captures/ftms_urevo_pause.jsonl"),
            Embedded::CitySports => include_str!("../captures/ftms_citysports.jsonl"),
        }
    }

    /// Its frames.
    pub fn capture(self) -> Capture {
        Capture::read(self.text().as_bytes()).expect("a test reads every embedded capture")
    }
}

#[cfg(test)]
mod tests;
