//! Settings of the source `ftms`: which machine, what is peculiar to it, what it can report.

use std::num::NonZeroU8;

use domain::signal::{Capabilities, SourceSpec};
use serde::{Deserialize, Serialize};

use super::presets::{self, Preset};
use super::sought::{self, Sought};
use crate::config::Comment;
use crate::ftms::model::{InclineScale, Model};

pub use super::choices::{PaceWidthSetting, SpeedUnitSetting, YesNo};

/// What this kind is for.
pub const ABOUT: &str = "A machine that speaks the Bluetooth fitness machine service; bluetoothd has to run (docs/sources/bluetooth.md).";

/// The model that is known by the name that a machine advertises.
const BY_NAME: &str = "by-name";
/// No model: as specified, whatever the machine is called.
const AS_SPECIFIED: &str = "as-specified";

/// What an FTMS machine can report at all. The belt's direction is not among it.
const POSSIBLE: [Capabilities; 10] = [
    Capabilities::SPEED,
    Capabilities::INCLINE,
    Capabilities::SAFETY_KEY,
    Capabilities::USER_COMMANDS,
    Capabilities::HEART_RATE_CONTACT,
    Capabilities::ELAPSED,
    Capabilities::DISTANCE,
    Capabilities::STEPS,
    Capabilities::BELT_FORCE,
    Capabilities::COMMANDED,
];

/// Settings of a machine that speaks FTMS. Texts that are empty say nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the source in events, at most 64 octets.
    pub name: String,
    /// The machine, and how it is found.
    #[serde(flatten)]
    pub sought: Sought,
    /// A known model, `by-name` or `as-specified`.
    #[serde(default = "model")]
    pub model: String,
    /// What it can report.
    #[serde(default = "reports")]
    pub reports: Vec<String>,
    /// The unit in which its speed fields really are.
    #[serde(default)]
    pub speed_unit: SpeedUnitSetting,
    /// Zero, numerator and denominator: incline = (raw - zero) * numerator / denominator, in tenths of a per cent.
    #[serde(default)]
    pub incline_scale: Vec<i16>,
    /// Its inclination field shows at once what was asked for.
    #[serde(default)]
    pub target_incline: YesNo,
    /// Width of its pace fields where the length of a frame does not tell it.
    #[serde(default)]
    pub pace_width: PaceWidthSetting,
    /// The three octets behind flag bit 13 are a step count.
    #[serde(default)]
    pub vendor_steps: YesNo,
    /// It stops notifying when its belt stops.
    #[serde(default)]
    pub silent_on_stop: YesNo,
    /// It has a heart-rate sensor, so that 0 means "no contact".
    #[serde(default)]
    pub heart_rate_sensor: bool,
    /// Its heart rate service (2A37) is listened to as well.
    #[serde(default)]
    pub heart_rate_service: bool,
    /// The heart rate itself is told, not only the contact.
    #[serde(default)]
    pub heart_rate_told: bool,
    /// Values clearly outside the ranges that it names itself are not used.
    #[serde(default)]
    pub check_ranges: bool,
    /// It has no feature characteristic (2ACC), and somebody has checked that it speaks FTMS all the same.
    #[serde(default)]
    pub without_feature: bool,
}

fn model() -> String {
    BY_NAME.to_owned()
}

fn reports() -> Vec<String> {
    ["speed", "incline", "user_commands"].map(str::to_owned).to_vec()
}

/// What each key means.
pub const COMMENTS: &[Comment] = &[
    ("name", "Name of the source in events, at most 64 octets."),
    ("address", "The machine's Bluetooth address; `beltwatch-agent probe --bluetooth` shows those around."),
    sought::MACHINE,
    sought::ADAPTER,
    sought::BUS,
    sought::DISCOVERY,
    (
        "advertises_service",
        "false: the machine does not advertise the fitness machine service (some FitShow consoles), so that it has to be \
         looked for among everything around.",
    ),
    (
        "model",
        "by-name: what is known of models that advertise this name; as-specified: nothing is peculiar; or one of \
         bowflex-t9, 3g-elite, therun-t15, bh-t01, bh-iconcept, urevo, citysports, fitlogic, fitshow, horizon-t318.",
    ),
    (
        "reports",
        "What it can report: speed, incline, safety_key, user_commands, heart_rate_contact, elapsed, distance, steps, \
         belt_force, commanded. safety_key only if it is known to tell its safety key (status 03): most do not.",
    ),
    sought::PERIOD,
    ("speed_unit", "kilometres, miles or by-model: the unit in which its speed fields really are."),
    (
        "incline_scale",
        "[zero, numerator, denominator]: incline in tenths of a per cent = (raw - zero) * numerator / denominator. Empty: \
         by model.",
    ),
    (
        "target_incline",
        "yes, no or by-model: its inclination field shows at once what was asked for and is not used.",
    ),
    (
        "pace_width",
        "one-octet, two-octets or by-model: pace fields where the length of a frame does not tell.",
    ),
    ("vendor_steps", "yes, no or by-model: the three octets behind flag bit 13 are a step count."),
    (
        "silent_on_stop",
        "yes, no or by-model: it stops notifying when its belt stops. Its silence stays \"not known\", and the connection \
         is kept.",
    ),
    ("heart_rate_sensor", "true: it has a heart-rate sensor, so that 0 means \"no contact\"."),
    ("heart_rate_service", "true: its heart rate service (2A37) is listened to as well."),
    (
        "heart_rate_told",
        "true: the heart rate itself is told, not only the contact. Personal: only where agreed.",
    ),
    (
        "check_ranges",
        "true: values clearly outside the ranges that it names itself (2AD4, 2AD5) are not used.",
    ),
    (
        "without_feature",
        "true: it has no feature characteristic (2ACC), and somebody has checked that it speaks FTMS all the same.",
    ),
];

/// Settings as they might be.
pub fn example() -> Settings {
    Settings::at("console", "AA:BB:CC:DD:EE:FF")
}

impl Settings {
    /// Settings with their defaults, for the machine with this address.
    pub fn at(name: &str, address: &str) -> Settings {
        Settings {
            name: name.to_owned(),
            sought: Sought::at(address),
            model: model(),
            reports: reports(),
            speed_unit: SpeedUnitSetting::default(),
            incline_scale: Vec::new(),
            target_incline: YesNo::default(),
            pace_width: PaceWidthSetting::default(),
            vendor_steps: YesNo::default(),
            silent_on_stop: YesNo::default(),
            heart_rate_sensor: false,
            heart_rate_service: false,
            heart_rate_told: false,
            check_ranges: false,
            without_feature: false,
        }
    }

    /// Whether the values are allowed.
    ///
    /// # Errors
    ///
    /// In words: field, value, what is allowed.
    pub fn check(&self) -> Result<(), String> {
        self.sought.check()?;
        if !self.is_by_name() && self.model != AS_SPECIFIED && presets::named(&self.model).is_none() {
            let known: Vec<&str> = presets::presets().iter().map(|preset| preset.name).collect();
            let known = known.join(", ");
            return Err(format!("model is {:?}: {BY_NAME}, {AS_SPECIFIED}, {known} are allowed", self.model));
        }
        self.scale()?;
        let claimed = self.capabilities()?;
        if claimed.has(Capabilities::INCLINE)
            && self.model_called(Some(&self.sought.machine)).0.target_incline
        {
            return Err("reports has incline, but target_incline says that the inclination is not measured"
                .to_owned());
        }
        if self.heart_rate_told && !claimed.has(Capabilities::HEART_RATE_CONTACT) {
            return Err("heart_rate_told is true: reports needs heart_rate_contact".to_owned());
        }
        Ok(())
    }

    /// What it can report.
    fn capabilities(&self) -> Result<Capabilities, String> {
        capabilities(&self.reports, &POSSIBLE)
    }

    pub(super) fn spec(&self) -> SourceSpec {
        SourceSpec {
            name: self.name.clone(),
            // What is not allowed was refused by `check`: it is not claimed either.
            capabilities: self.capabilities().unwrap_or_default(),
            period_us: self.sought.period_us(),
        }
    }

    /// How inclinations are to be read; `None`: as the model says.
    fn scale(&self) -> Result<Option<InclineScale>, String> {
        match self.incline_scale.as_slice() {
            [] => Ok(None),
            [zero, numerator, denominator] => {
                let positive = u8::try_from(*denominator).ok().and_then(NonZeroU8::new);
                let denominator = positive.filter(|_| *numerator != 0).ok_or_else(|| {
                    let told = &self.incline_scale;
                    format!("incline_scale is {told:?}: a numerator that is not 0 and a denominator of 1 to 255 are needed")
                })?;
                Ok(Some(InclineScale { zero: *zero, numerator: *numerator, denominator }))
            }
            other => Err(format!("incline_scale has {} numbers: none or three are allowed", other.len())),
        }
    }

    fn is_by_name(&self) -> bool {
        self.model == BY_NAME
    }

    /// What is peculiar to a machine that advertises this name, and the preset that says so.
    pub(super) fn model_called(&self, advertised: Option<&str>) -> (Model, Option<&'static str>) {
        let preset = if self.is_by_name() {
            advertised.and_then(presets::advertised)
        } else {
            presets::named(&self.model)
        };
        let (model, name) = match preset {
            Some(Preset { name, model, .. }) => (model, Some(name)),
            None => (Model::default(), None),
        };
        let model = Model {
            speed_unit: self.speed_unit.or(model.speed_unit),
            // What is not allowed was refused by `check`.
            incline_scale: self.scale().ok().flatten().unwrap_or(model.incline_scale),
            pace_width: self.pace_width.or(model.pace_width),
            target_incline: self.target_incline.or(model.target_incline),
            vendor_steps: self.vendor_steps.or(model.vendor_steps),
            heart_rate_sensor: self.heart_rate_sensor,
            heart_rate_told: self.heart_rate_told,
            silent_on_stop: self.silent_on_stop.or(model.silent_on_stop),
            check_ranges: self.check_ranges,
        };
        (model, name)
    }
}

/// What names of capabilities mean, if all of them are possible.
pub(super) fn capabilities(reports: &[String], possible: &[Capabilities]) -> Result<Capabilities, String> {
    let mut all = Capabilities::default();
    for report in reports {
        let meant = possible.iter().find(|capability| capability.names().eq([report.as_str()]));
        let Some(meant) = meant else {
            let allowed: Vec<&str> = possible.iter().flat_map(|capability| capability.names()).collect();
            return Err(format!("reports has {report:?}: {} are allowed", allowed.join(", ")));
        };
        all = all.and(*meant);
    }
    if all == Capabilities::default() {
        return Err("reports is empty: at least one is needed".to_owned());
    }
    Ok(all)
}

#[cfg(all(test, feature = "bluetooth"))]
mod tests;
