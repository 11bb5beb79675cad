//! The Bluetooth Fitness Machine Service as machines really speak it.
//!
//! Reserved flag bits, octets after the known fields and a cut end are no reason to refuse a frame: what is whole
//! is delivered. No field of it carries the belt's direction.

pub mod assembly;
pub mod control_point;
pub mod feature;
pub mod interpreter;
pub mod model;
pub mod octets;
pub mod parameter;
pub mod range;
pub mod status;
pub mod training;
pub mod treadmill;

use control_point::ControlPoint;
use feature::Feature;
use octets::Cut;
use range::Range;
use status::Status;
use training::Training;
use treadmill::{PaceWidth, Treadmill};

/// A characteristic that this version decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Characteristic {
    /// 2ACD
    Treadmill,
    /// 2ADA
    Status,
    /// 2AD3
    Training,
    /// 2ACC
    Feature,
    /// 2AD4
    SpeedRange,
    /// 2AD5
    InclinationRange,
    /// 2AD9
    ControlPoint,
}

/// One decoded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// 2ACD
    Treadmill(Treadmill),
    /// 2ADA
    Status(Status),
    /// 2AD3
    Training(Training),
    /// 2ACC
    Feature(Feature),
    /// 2AD4, in 0.01 km/h
    SpeedRange(Range),
    /// 2AD5, in 0.1 %
    InclinationRange(Range),
    /// 2AD9
    ControlPoint(ControlPoint),
}

impl Message {
    /// Reads a frame. `pace` is the width of pace fields where the length of the frame does not tell it.
    ///
    /// # Errors
    ///
    /// Only if the frame ends before its flags or operation.
    pub fn decode(characteristic: Characteristic, octets: &[u8], pace: PaceWidth) -> Result<Message, Cut> {
        Ok(match characteristic {
            Characteristic::Treadmill => Message::Treadmill(Treadmill::decode(octets, pace)?),
            Characteristic::Status => Message::Status(Status::decode(octets)?),
            Characteristic::Training => Message::Training(Training::decode(octets)?),
            Characteristic::Feature => Message::Feature(Feature::decode(octets)?),
            Characteristic::SpeedRange => Message::SpeedRange(Range::decode_speed(octets)),
            Characteristic::InclinationRange => Message::InclinationRange(Range::decode_inclination(octets)),
            Characteristic::ControlPoint => Message::ControlPoint(ControlPoint::decode(octets)?),
        })
    }
}

#[cfg(test)]
mod tests;
