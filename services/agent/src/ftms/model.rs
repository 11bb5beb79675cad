//! What is peculiar to a model of machine.

use super::treadmill::PaceWidth;
use domain::units::{Incline, Speed};

/// Settings of one model. The defaults are what the specification says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Model {
    /// The unit in which the speed fields really are.
    pub speed_unit: SpeedUnit,
    /// How the inclination field is to be read.
    pub incline_scale: InclineScale,
    /// Width of pace fields where the length of a frame does not tell it.
    pub pace_width: PaceWidth,
    /// The inclination field shows at once what was asked for: it is not where the belt is, and is not used.
    pub target_incline: bool,
    /// The three octets behind flag bit 13 are a step count.
    pub vendor_steps: bool,
    /// The machine has a heart-rate sensor, so that 0 means "no contact". A machine that says so itself, or has sent
    /// a heart rate, needs no setting.
    pub heart_rate_sensor: bool,
    /// The heart rate itself may be told, not only the contact.
    pub heart_rate_told: bool,
    /// The machine stops notifying when its belt stops, instead of telling speed 0. Its silence means "not known", as
    /// any silence does, but it is no reason to doubt the connection.
    pub silent_on_stop: bool,
    /// Speeds and inclines clearly outside the ranges that the machine names itself (2AD4, 2AD5) are not used. Some
    /// machines name wrong ranges.
    pub check_ranges: bool,
}

/// The unit of a speed field: hundredths of this an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SpeedUnit {
    /// Kilometres, as specified.
    #[default]
    Kilometres,
    /// Miles, as some machines have it.
    Miles,
}

impl SpeedUnit {
    /// A speed field's speed.
    pub fn speed(self, raw: u16) -> Speed {
        match self {
            SpeedUnit::Kilometres => Speed::from_centi_kmh(u32::from(raw)),
            // 0.01 mile/h = 4.470 4 mm/s.
            SpeedUnit::Miles => Speed((u32::from(raw) * 44_704 + 5_000) / 10_000),
        }
    }
}

/// How an inclination field is read: (raw - zero) * numerator / denominator, in tenths of a per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InclineScale {
    /// Raw value of a level belt.
    pub zero: i16,
    /// Numerator.
    pub numerator: i16,
    /// Denominator.
    pub denominator: std::num::NonZeroU8,
}

impl Default for InclineScale {
    fn default() -> Self {
        InclineScale { zero: 0, numerator: 1, denominator: std::num::NonZeroU8::MIN }
    }
}

impl InclineScale {
    /// An inclination field's incline, rounded towards zero.
    pub fn incline(self, raw: i16) -> Incline {
        let scaled = (i64::from(raw) - i64::from(self.zero)) * i64::from(self.numerator);
        let tenths = scaled / i64::from(self.denominator.get());
        Incline(i32::try_from(tenths).unwrap_or(i32::MAX))
    }
}
