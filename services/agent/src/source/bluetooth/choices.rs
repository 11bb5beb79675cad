//! Settings that leave to the model what they do not say.

use serde::{Deserialize, Serialize};

use crate::ftms::model::SpeedUnit;
use crate::ftms::treadmill::PaceWidth;

/// Whether something is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum YesNo {
    /// As the model has it.
    #[default]
    ByModel,
    /// It is.
    Yes,
    /// It is not.
    No,
}

impl YesNo {
    pub(super) fn or(self, model: bool) -> bool {
        match self {
            YesNo::ByModel => model,
            YesNo::Yes => true,
            YesNo::No => false,
        }
    }
}

/// The unit of speed fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpeedUnitSetting {
    /// As the model has it.
    #[default]
    ByModel,
    /// Hundredths of a kilometre an hour.
    Kilometres,
    /// Hundredths of a mile an hour.
    Miles,
}

impl SpeedUnitSetting {
    pub(super) fn or(self, model: SpeedUnit) -> SpeedUnit {
        match self {
            SpeedUnitSetting::ByModel => model,
            SpeedUnitSetting::Kilometres => SpeedUnit::Kilometres,
            SpeedUnitSetting::Miles => SpeedUnit::Miles,
        }
    }
}

/// The width of pace fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaceWidthSetting {
    /// As the model has it.
    #[default]
    ByModel,
    /// One octet.
    OneOctet,
    /// Two octets.
    TwoOctets,
}

impl PaceWidthSetting {
    pub(super) fn or(self, model: PaceWidth) -> PaceWidth {
        match self {
            PaceWidthSetting::ByModel => model,
            PaceWidthSetting::OneOctet => PaceWidth::OneOctet,
            PaceWidthSetting::TwoOctets => PaceWidth::TwoOctets,
        }
    }
}
