//! The source `biodex`: the host port of a Biodex rehabilitation treadmill, polled.
//!
//! The only public protocol known to us that tells the belt's direction. It has no checksum, so direction, lanyard and
//! faults count when they were answered twice in a row. Source: Biodex RTM 400 manual, 950-275, pages 16 and 17; whether
//! RTM 500 and 600 speak the same is not known.

pub(crate) mod answer;
mod interview;
pub(crate) mod question;

use domain::signal::{Capabilities, SourceSpec};
use serde::{Deserialize, Serialize};

use super::Source;
use super::asked::{self, Asking};
use crate::config::Comment;
use interview::{Interview, TURNS};

/// The unit in which a machine tells its speed: tenths of this an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpeedUnit {
    /// Kilometres.
    Kilometres,
    /// Miles.
    Miles,
}

/// Settings of a Biodex host port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the source in events, at most 64 octets.
    pub name: String,
    /// The port, and how fast it is asked. The manual does not say the port's speed: the machine's set-up does.
    #[serde(flatten)]
    pub asking: Asking<100, 500>,
    /// Unit of speed: "miles" or "kilometres", as the machine is set up. There is no default.
    pub speed_unit: SpeedUnit,
    /// Whether the machine's F is the belt's reverse; commissioning finds out.
    #[serde(default)]
    pub invert: bool,
}

/// What this kind is for.
pub const ABOUT: &str =
    "The host port of a Biodex RTM treadmill (RS-232): speed, elevation, direction, safety lanyard.";

/// What each key means.
pub const COMMENTS: &[Comment] = &[
    ("name", "Name of the source in events, at most 64 octets."),
    asked::PORT,
    ("baud", "Bits a second. The manual does not say it: the machine's set-up does."),
    (
        "speed_unit",
        "Unit of speed: \"miles\" or \"kilometres\", as the machine is set up. Needed: compare with its display.",
    ),
    ("invert", "Whether the machine's F is the belt's reverse; commissioning finds out."),
    asked::POLL,
    asked::ANSWER,
];

/// Settings as they might be.
pub fn example() -> Settings {
    Settings {
        name: "biodex".to_owned(),
        asking: Asking::at("/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A1B2C3D4-if00-port0"),
        speed_unit: SpeedUnit::Miles,
        invert: false,
    }
}

impl Settings {
    /// Whether the values are allowed.
    ///
    /// # Errors
    ///
    /// In words: field, value, what is allowed.
    pub fn check(&self) -> Result<(), String> {
        self.asking.check(&self.asking.plain())
    }

    fn spec(&self) -> SourceSpec {
        SourceSpec {
            name: self.name.clone(),
            capabilities: Capabilities::SPEED
                .and(Capabilities::DIRECTION)
                .and(Capabilities::INCLINE)
                .and(Capabilities::SAFETY_KEY),
            period_us: self.asking.period_us(TURNS),
        }
    }
}

/// The source that these settings describe. They must have been checked.
pub fn source(settings: &Settings) -> impl Source + use<> {
    let own = settings.clone();
    settings.asking.source(settings.spec(), settings.asking.plain(), move || Ok(Interview::new(&own)))
}
