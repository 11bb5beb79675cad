//! The source `drive`: a motor drive on RS-485 that speaks Modbus RTU, read and never written.
//!
//! A drive knows which way it turns its motor, so it measures direction. Which way of the motor is forward depends on
//! wiring: commissioning finds out, and `invert` is set. Speed is the drive's frequency times a calibration; while a belt
//! coasts the drive is at 0 Hz and the belt is not.

mod interview;
mod plan;
mod table;

use domain::signal::{Capabilities, SourceSpec};
use serde::{Deserialize, Serialize};

use super::asked::{self, Asking};
use super::port::{LineSettings, Parity};
use super::{Lost, Source};
use crate::config::Comment;
use interview::Interview;
use plan::Plan;
pub use plan::{Custom, Match};
pub use table::Model;

/// Settings of a motor drive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the source in events, at most 64 octets.
    pub name: String,
    /// The port, and how fast it is asked; its speed as set in the drive.
    #[serde(flatten)]
    pub asking: Asking<100, 500>,
    /// Parity, as set in the drive: "none", "even" or "odd".
    #[serde(default)]
    pub parity: Parity,
    /// Stop bits, as set in the drive: 1 or 2.
    #[serde(default = "stop_bits")]
    pub stop_bits: u8,
    /// The drive's address on the line, 1 to 247.
    #[serde(default = "unit")]
    pub unit: u8,
    /// Which drive it is; "custom" takes the registers from `custom`.
    pub drive: Model,
    /// Belt speed at 1 Hz, in mm/s; without it the drive's frequency tells no speed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mm_s_per_hz: Option<f64>,
    /// Whether the drive's forward is the belt's reverse; commissioning finds out.
    #[serde(default)]
    pub invert: bool,
    /// How long the belt may run on after the drive has let go of it, in seconds, up to 120; 0: the drive brakes it.
    #[serde(default = "coast_seconds")]
    pub coast_seconds: u16,
    /// Registers of a drive that is not in the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<Custom>,
}

fn stop_bits() -> u8 {
    1
}

fn unit() -> u8 {
    1
}

fn coast_seconds() -> u16 {
    10
}

/// No belt runs on longer than this.
const COAST_SECONDS_MAX: u16 = 120;

/// What this kind is for.
pub const ABOUT: &str =
    "A motor drive on RS-485 (Modbus RTU), read only: it measures which way the belt runs.";

/// What each key means.
pub const COMMENTS: &[Comment] = &[
    ("name", "Name of the source in events, at most 64 octets."),
    asked::PORT,
    ("baud", "Bits a second, as set in the drive."),
    ("parity", "Parity, as set in the drive: \"none\", \"even\" or \"odd\"."),
    ("stop_bits", "Stop bits, as set in the drive: 1 or 2."),
    ("unit", "The drive's address on the line, 1 to 247."),
    (
        "drive",
        "Which drive it is: \"delta-ms300\" (also VFD-ED), \"gs4\", \"invt-goodrive\", \"eaton-m-max\"; \"custom\" takes \
         the registers from a table `custom`.",
    ),
    ("mm_s_per_hz", "Belt speed at 1 Hz, in mm/s; without it the drive's frequency tells no speed."),
    ("invert", "Whether the drive's forward is the belt's reverse; commissioning finds out."),
    (
        "coast_seconds",
        "How long the belt may run on after the drive has let go of it, up to 120; 0: the drive always brakes it.",
    ),
    asked::POLL,
    asked::ANSWER,
];

/// What a drive that is not in the table is for.
pub const ABOUT_CUSTOM: &str = "A motor drive that is not in the table: its registers, from its manual.";

/// What each key of a drive that is not in the table means: all of [`COMMENTS`], and its registers.
pub const COMMENTS_CUSTOM: &[Comment] = &[
    COMMENTS[0],
    COMMENTS[1],
    COMMENTS[2],
    COMMENTS[3],
    COMMENTS[4],
    COMMENTS[5],
    COMMENTS[6],
    COMMENTS[7],
    COMMENTS[8],
    COMMENTS[9],
    COMMENTS[10],
    COMMENTS[11],
    ("custom", plan::COMMENT_CUSTOM),
];

/// Settings as they might be.
pub fn example() -> Settings {
    Settings {
        name: "drive".to_owned(),
        asking: Asking::at("/dev/serial/by-id/usb-FTDI_USB-RS485_Cable_A1B2C3D4-if00-port0"),
        parity: Parity::None,
        stop_bits: stop_bits(),
        unit: unit(),
        drive: Model::DeltaMs300,
        mm_s_per_hz: Some(111.1),
        invert: false,
        coast_seconds: coast_seconds(),
        custom: None,
    }
}

/// Settings of a drive that is not in the table, as they might be.
pub fn example_custom() -> Settings {
    Settings {
        name: "other-drive".to_owned(),
        drive: Model::Custom,
        custom: Some(plan::example_custom()),
        ..example()
    }
}

impl Settings {
    /// Whether the values are allowed.
    ///
    /// # Errors
    ///
    /// In words: field, value, what is allowed.
    pub fn check(&self) -> Result<(), String> {
        self.asking.check(&self.line())?;
        if !(1..=247).contains(&self.unit) {
            return Err(format!("unit is {}: 1 to 247 is allowed", self.unit));
        }
        if let Some(calibration) = self.mm_s_per_hz.filter(|value| !(0.1..=10_000.0).contains(value)) {
            return Err(format!("mm_s_per_hz is {calibration}: 0.1 to 10000 is allowed"));
        }
        if self.coast_seconds > COAST_SECONDS_MAX {
            return Err(format!(
                "coast_seconds is {}: 0 to {COAST_SECONDS_MAX} is allowed",
                self.coast_seconds
            ));
        }
        self.plan().map(drop)
    }

    fn line(&self) -> LineSettings {
        LineSettings { baud: self.asking.baud, parity: self.parity, stop_bits: self.stop_bits }
    }

    fn plan(&self) -> Result<Plan, String> {
        match (self.drive.entry(), &self.custom) {
            (Some(entry), None) => Ok(Plan::of_table(entry)),
            (None, Some(custom)) => Plan::of_custom(custom),
            (Some(_), Some(_)) => Err("custom is there: it is only for drive = \"custom\"".to_owned()),
            (None, None) => Err("custom is missing: drive = \"custom\" needs its registers".to_owned()),
        }
    }

    fn spec(&self) -> SourceSpec {
        // What cannot be read was refused when the settings were checked.
        let (reads, tells_frequency) = match self.plan() {
            Ok(plan) => (plan.blocks.len(), plan.frequency.is_some()),
            Err(_) => (1, false),
        };
        let tells_speed = tells_frequency && self.mm_s_per_hz.is_some();
        let speed = if tells_speed { Capabilities::SPEED } else { Capabilities::default() };
        SourceSpec {
            name: self.name.clone(),
            capabilities: Capabilities::DIRECTION.and(speed),
            period_us: self.asking.period_us(reads as u64),
        }
    }

    fn interview(&self) -> Result<Interview, Lost> {
        let plan = self.plan().map_err(Lost)?;
        if let Some(entry) = self.drive.entry() {
            tracing::info!(source.name = self.name, manual = entry.origin, "the registers are those of");
        }
        Ok(Interview::new(self, plan))
    }
}

/// The source that these settings describe. They must have been checked.
pub fn source(settings: &Settings) -> impl Source + use<> {
    let own = settings.clone();
    settings.asking.source(settings.spec(), settings.line(), move || own.interview())
}
