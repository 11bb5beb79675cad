//! Fitness Machine Control Point, 2AD9, as heard between a machine and somebody else's program. The agent never
//! writes it.

use super::octets::{Cut, Octets};
use super::parameter::{Parameter, Shape};

const RESPONSE: u8 = 0x80;

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlPoint {
    /// A program asked the machine for something.
    Request {
        /// Code as sent.
        code: u8,
        /// Its parameter.
        parameter: Parameter,
        /// Where the frame ended too early.
        cut: Option<Cut>,
    },
    /// The machine answered.
    Response {
        /// Code of the request that it answers.
        code: Option<u8>,
        /// Result as sent.
        result: Option<u8>,
        /// Where the frame ended too early.
        cut: Option<Cut>,
    },
}

impl ControlPoint {
    /// Reads a frame. Octets after the parameter are ignored.
    ///
    /// # Errors
    ///
    /// Only if there is no octet at all.
    pub fn decode(octets: &[u8]) -> Result<ControlPoint, Cut> {
        let mut octets = Octets::new(octets);
        let code = octets.u8("op");
        let code = octets.head(code)?;
        if code == RESPONSE {
            let code = octets.u8("response_to");
            let result = octets.u8("result");
            return Ok(ControlPoint::Response { code, result, cut: octets.cut() });
        }
        let parameter = shape(code).read(&mut octets);
        Ok(ControlPoint::Request { code, parameter, cut: octets.cut() })
    }
}

fn shape(code: u8) -> Shape {
    match code {
        0x02 => Shape::Speed,
        0x03 => Shape::Inclination,
        0x04 => Shape::Resistance,
        0x05 => Shape::Power,
        0x06 => Shape::HeartRate,
        0x08 => Shape::Stop,
        0x09 => Shape::Energy,
        0x0A => Shape::Steps,
        0x0B => Shape::Strides,
        0x0C => Shape::Distance,
        0x0D => Shape::Time,
        0x0E => Shape::ZoneTimes(2),
        0x0F => Shape::ZoneTimes(3),
        0x10 => Shape::ZoneTimes(5),
        0x11 => Shape::Simulation,
        0x12 => Shape::Wheel,
        0x13 => Shape::SpinDown,
        0x14 => Shape::Cadence,
        _ => Shape::None,
    }
}

/// The specification's words for a request.
pub fn request_name(code: u8) -> &'static str {
    match code {
        0x00 => "request_control",
        0x01 => "reset",
        0x02 => "set_target_speed",
        0x03 => "set_target_inclination",
        0x04 => "set_target_resistance_level",
        0x05 => "set_target_power",
        0x06 => "set_target_heart_rate",
        0x07 => "start_or_resume",
        0x08 => "stop_or_pause",
        0x09 => "set_targeted_expended_energy",
        0x0A => "set_targeted_number_of_steps",
        0x0B => "set_targeted_number_of_strides",
        0x0C => "set_targeted_distance",
        0x0D => "set_targeted_training_time",
        0x0E => "set_targeted_time_in_two_heart_rate_zones",
        0x0F => "set_targeted_time_in_three_heart_rate_zones",
        0x10 => "set_targeted_time_in_five_heart_rate_zones",
        0x11 => "set_indoor_bike_simulation_parameters",
        0x12 => "set_wheel_circumference",
        0x13 => "spin_down_control",
        0x14 => "set_targeted_cadence",
        _ => "reserved",
    }
}

/// The specification's words for a result.
pub fn result_name(result: u8) -> &'static str {
    match result {
        1 => "success",
        2 => "op_code_not_supported",
        3 => "invalid_parameter",
        4 => "operation_failed",
        5 => "control_not_permitted",
        _ => "reserved",
    }
}
