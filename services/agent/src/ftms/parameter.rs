//! Parameters that the status (2ADA) and the control point (2AD9) share.

use super::octets::Octets;

/// What a person or a client asked for: to stop or to pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopControl {
    /// Stop.
    Stop,
    /// Pause.
    Pause,
    /// A value without a meaning.
    Reserved(u8),
}

/// A parameter as sent, in the unit of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameter {
    /// The operation has none, or the frame ended before it.
    None,
    /// To stop or to pause.
    Stop(StopControl),
    /// Speed in 0.01 km/h.
    Speed(u16),
    /// Inclination in 0.1 %.
    Inclination(i16),
    /// Resistance level in 0.1, without unit.
    Resistance(i16),
    /// Power in watts.
    Power(i16),
    /// Heart rate in beats a minute.
    HeartRate(u8),
    /// Energy in kcal.
    Energy(u16),
    /// Number of steps.
    Steps(u16),
    /// Number of strides.
    Strides(u16),
    /// Distance in metres.
    Distance(u32),
    /// Time in seconds.
    Time(u16),
    /// Times in heart-rate zones in seconds, lowest zone first; fewer than the operation has if it was cut.
    ZoneTimes(Vec<u16>),
    /// Resistances of a simulated road.
    Simulation(Simulation),
    /// Wheel circumference in 0.1 mm.
    Wheel(u16),
    /// A code of the spin-down procedure, which belongs to bikes.
    SpinDown(u8),
    /// Cadence in 0.5 a minute.
    Cadence(u16),
}

/// Resistances of a simulated road; `None`: the frame ended before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Simulation {
    /// Wind speed in 0.001 m/s.
    pub wind_speed: Option<i16>,
    /// Grade in 0.01 %.
    pub grade: Option<i16>,
    /// Coefficient of rolling resistance in 0.0001.
    pub rolling_resistance: Option<u8>,
    /// Coefficient of wind resistance in 0.01 kg/m.
    pub wind_resistance: Option<u8>,
}

/// Which parameter an operation has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    None,
    Stop,
    Speed,
    Inclination,
    Resistance,
    Power,
    HeartRate,
    Energy,
    Steps,
    Strides,
    Distance,
    Time,
    ZoneTimes(u8),
    Simulation,
    Wheel,
    SpinDown,
    Cadence,
}

impl Shape {
    pub(crate) fn read(self, octets: &mut Octets<'_>) -> Parameter {
        let parameter = match self {
            Shape::None => None,
            Shape::Stop => octets.u8("control").map(|raw| Parameter::Stop(stop_control(raw))),
            Shape::Speed => octets.u16("speed").map(Parameter::Speed),
            Shape::Inclination => octets.i16("inclination").map(Parameter::Inclination),
            // The first texts have one octet, newer practice two.
            Shape::Resistance if octets.rest().len() == 1 => {
                octets.u8("resistance_level").map(|raw| Parameter::Resistance(i16::from(raw)))
            }
            Shape::Resistance => octets.i16("resistance_level").map(Parameter::Resistance),
            Shape::Power => octets.i16("power").map(Parameter::Power),
            Shape::HeartRate => octets.u8("heart_rate").map(Parameter::HeartRate),
            Shape::Energy => octets.u16("expended_energy").map(Parameter::Energy),
            Shape::Steps => octets.u16("number_of_steps").map(Parameter::Steps),
            Shape::Strides => octets.u16("number_of_strides").map(Parameter::Strides),
            Shape::Distance => octets.u24("distance").map(Parameter::Distance),
            Shape::Time => octets.u16("training_time").map(Parameter::Time),
            Shape::ZoneTimes(zones) => Some(zone_times(zones, octets)),
            Shape::Simulation => Some(Parameter::Simulation(Simulation {
                wind_speed: octets.i16("wind_speed"),
                grade: octets.i16("grade"),
                rolling_resistance: octets.u8("rolling_resistance"),
                wind_resistance: octets.u8("wind_resistance"),
            })),
            Shape::Wheel => octets.u16("wheel_circumference").map(Parameter::Wheel),
            Shape::SpinDown => octets.u8("spin_down").map(Parameter::SpinDown),
            Shape::Cadence => octets.u16("cadence").map(Parameter::Cadence),
        };
        parameter.unwrap_or(Parameter::None)
    }
}

fn stop_control(raw: u8) -> StopControl {
    match raw {
        1 => StopControl::Stop,
        2 => StopControl::Pause,
        other => StopControl::Reserved(other),
    }
}

fn zone_times(zones: u8, octets: &mut Octets<'_>) -> Parameter {
    Parameter::ZoneTimes((0..zones).map_while(|_| octets.u16("time_in_heart_rate_zone")).collect())
}
