//! Fitness Machine Status, 2ADA: something happened at the machine.

use super::octets::{Cut, Octets};
use super::parameter::{Parameter, Shape};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusOperation {
    /// 01
    Reset,
    /// 02
    StoppedOrPausedByUser,
    /// 03; it has no parameter.
    StoppedBySafetyKey,
    /// 04
    StartedOrResumedByUser,
    /// 05
    TargetSpeedChanged,
    /// 06
    TargetInclineChanged,
    /// 07
    TargetResistanceLevelChanged,
    /// 08
    TargetPowerChanged,
    /// 09
    TargetHeartRateChanged,
    /// 0A
    TargetedExpendedEnergyChanged,
    /// 0B
    TargetedNumberOfStepsChanged,
    /// 0C
    TargetedNumberOfStridesChanged,
    /// 0D
    TargetedDistanceChanged,
    /// 0E
    TargetedTrainingTimeChanged,
    /// 0F
    TargetedTimeInTwoHeartRateZonesChanged,
    /// 10
    TargetedTimeInThreeHeartRateZonesChanged,
    /// 11
    TargetedTimeInFiveHeartRateZonesChanged,
    /// 12
    IndoorBikeSimulationParametersChanged,
    /// 13
    WheelCircumferenceChanged,
    /// 14
    SpinDownStatus,
    /// 15
    TargetedCadenceChanged,
    /// FF
    ControlPermissionLost,
    /// Every other code.
    Reserved,
}

/// One notification. Octets after the parameter are ignored: vendors append some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Code as sent.
    pub code: u8,
    /// What it means.
    pub operation: StatusOperation,
    /// Its parameter.
    pub parameter: Parameter,
    /// Where the frame ended too early.
    pub cut: Option<Cut>,
}

impl Status {
    /// Reads a frame.
    ///
    /// # Errors
    ///
    /// Only if there is no octet at all.
    pub fn decode(octets: &[u8]) -> Result<Status, Cut> {
        let mut octets = Octets::new(octets);
        let code = octets.u8("op");
        let code = octets.head(code)?;
        let operation = StatusOperation::from_code(code);
        let parameter = operation.shape().read(&mut octets);
        Ok(Status { code, operation, parameter, cut: octets.cut() })
    }
}

impl StatusOperation {
    fn from_code(code: u8) -> StatusOperation {
        match code {
            0x01 => StatusOperation::Reset,
            0x02 => StatusOperation::StoppedOrPausedByUser,
            0x03 => StatusOperation::StoppedBySafetyKey,
            0x04 => StatusOperation::StartedOrResumedByUser,
            0x05 => StatusOperation::TargetSpeedChanged,
            0x06 => StatusOperation::TargetInclineChanged,
            0x07 => StatusOperation::TargetResistanceLevelChanged,
            0x08 => StatusOperation::TargetPowerChanged,
            0x09 => StatusOperation::TargetHeartRateChanged,
            0x0A => StatusOperation::TargetedExpendedEnergyChanged,
            0x0B => StatusOperation::TargetedNumberOfStepsChanged,
            0x0C => StatusOperation::TargetedNumberOfStridesChanged,
            0x0D => StatusOperation::TargetedDistanceChanged,
            0x0E => StatusOperation::TargetedTrainingTimeChanged,
            0x0F => StatusOperation::TargetedTimeInTwoHeartRateZonesChanged,
            0x10 => StatusOperation::TargetedTimeInThreeHeartRateZonesChanged,
            0x11 => StatusOperation::TargetedTimeInFiveHeartRateZonesChanged,
            0x12 => StatusOperation::IndoorBikeSimulationParametersChanged,
            0x13 => StatusOperation::WheelCircumferenceChanged,
            0x14 => StatusOperation::SpinDownStatus,
            0x15 => StatusOperation::TargetedCadenceChanged,
            0xFF => StatusOperation::ControlPermissionLost,
            _ => StatusOperation::Reserved,
        }
    }

    fn shape(self) -> Shape {
        match self {
            StatusOperation::StoppedOrPausedByUser => Shape::Stop,
            StatusOperation::TargetSpeedChanged => Shape::Speed,
            StatusOperation::TargetInclineChanged => Shape::Inclination,
            StatusOperation::TargetResistanceLevelChanged => Shape::Resistance,
            StatusOperation::TargetPowerChanged => Shape::Power,
            StatusOperation::TargetHeartRateChanged => Shape::HeartRate,
            StatusOperation::TargetedExpendedEnergyChanged => Shape::Energy,
            StatusOperation::TargetedNumberOfStepsChanged => Shape::Steps,
            StatusOperation::TargetedNumberOfStridesChanged => Shape::Strides,
            StatusOperation::TargetedDistanceChanged => Shape::Distance,
            StatusOperation::TargetedTrainingTimeChanged => Shape::Time,
            StatusOperation::TargetedTimeInTwoHeartRateZonesChanged => Shape::ZoneTimes(2),
            StatusOperation::TargetedTimeInThreeHeartRateZonesChanged => Shape::ZoneTimes(3),
            StatusOperation::TargetedTimeInFiveHeartRateZonesChanged => Shape::ZoneTimes(5),
            StatusOperation::IndoorBikeSimulationParametersChanged => Shape::Simulation,
            StatusOperation::WheelCircumferenceChanged => Shape::Wheel,
            StatusOperation::SpinDownStatus => Shape::SpinDown,
            StatusOperation::TargetedCadenceChanged => Shape::Cadence,
            StatusOperation::Reset
            | StatusOperation::StoppedBySafetyKey
            | StatusOperation::StartedOrResumedByUser
            | StatusOperation::ControlPermissionLost
            | StatusOperation::Reserved => Shape::None,
        }
    }

    /// The specification's words.
    pub fn name(self) -> &'static str {
        match self {
            StatusOperation::Reset => "reset",
            StatusOperation::StoppedOrPausedByUser => "stopped_or_paused_by_user",
            StatusOperation::StoppedBySafetyKey => "stopped_by_safety_key",
            StatusOperation::StartedOrResumedByUser => "started_or_resumed_by_user",
            StatusOperation::TargetSpeedChanged => "target_speed_changed",
            StatusOperation::TargetInclineChanged => "target_incline_changed",
            StatusOperation::TargetResistanceLevelChanged => "target_resistance_level_changed",
            StatusOperation::TargetPowerChanged => "target_power_changed",
            StatusOperation::TargetHeartRateChanged => "target_heart_rate_changed",
            StatusOperation::TargetedExpendedEnergyChanged => "targeted_expended_energy_changed",
            StatusOperation::TargetedNumberOfStepsChanged => "targeted_number_of_steps_changed",
            StatusOperation::TargetedNumberOfStridesChanged => "targeted_number_of_strides_changed",
            StatusOperation::TargetedDistanceChanged => "targeted_distance_changed",
            StatusOperation::TargetedTrainingTimeChanged => "targeted_training_time_changed",
            StatusOperation::TargetedTimeInTwoHeartRateZonesChanged => {
                "targeted_time_in_two_heart_rate_zones_changed"
            }
            StatusOperation::TargetedTimeInThreeHeartRateZonesChanged => {
                "targeted_time_in_three_heart_rate_zones_changed"
            }
            StatusOperation::TargetedTimeInFiveHeartRateZonesChanged => {
                "targeted_time_in_five_heart_rate_zones_changed"
            }
            StatusOperation::IndoorBikeSimulationParametersChanged => {
                "indoor_bike_simulation_parameters_changed"
            }
            StatusOperation::WheelCircumferenceChanged => "wheel_circumference_changed",
            StatusOperation::SpinDownStatus => "spin_down_status",
            StatusOperation::TargetedCadenceChanged => "targeted_cadence_changed",
            StatusOperation::ControlPermissionLost => "control_permission_lost",
            StatusOperation::Reserved => "reserved",
        }
    }
}
