//! The source `csafe`: a gym machine's CSAFE port, polled.
//!
//! It tells speed in whatever unit the machine answers, grade, distance, time, heart-rate contact, what the user did as
//! far as states show it, and error codes. CSAFE knows neither direction nor emergency stop nor safety key: this source
//! never tells them, and a machine that falls silent is silent, nothing more.

mod interview;

use domain::signal::{Capabilities, SourceSpec};
use serde::{Deserialize, Serialize};

use super::Source;
use super::asked::{self, Asking};
use crate::config::Comment;
use interview::Interview;

/// Settings of a machine's CSAFE port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the source in events, at most 64 octets.
    pub name: String,
    /// The port, and how fast it is asked; CSAFE has 9600 bits a second.
    #[serde(flatten)]
    pub asking: Asking<200, 1_000>,
    /// Whether the machine flips the frame toggle with each answer: an answer without that is an old one, said again.
    #[serde(default = "yes")]
    pub frame_toggle: bool,
    /// Whether the machine has a heart-rate sensor, so that 0 means no contact.
    #[serde(default)]
    pub heart_rate_sensor: bool,
    /// Whether the heart rate itself is told, not only the contact.
    #[serde(default)]
    pub heart_rate_told: bool,
}

fn yes() -> bool {
    true
}

/// What this kind is for.
pub const ABOUT: &str =
    "The CSAFE port of a gym machine (RS-232, RJ45). Check the levels before you connect it.";

/// What each key means.
pub const COMMENTS: &[Comment] = &[
    ("name", "Name of the source in events, at most 64 octets."),
    asked::PORT,
    ("baud", "Bits a second; CSAFE has 9600."),
    asked::POLL,
    asked::ANSWER,
    (
        "frame_toggle",
        "Whether the machine flips the frame toggle with each answer: an answer without that is an old one, said again.",
    ),
    ("heart_rate_sensor", "Whether the machine has a heart-rate sensor, so that 0 means no contact."),
    ("heart_rate_told", "Whether the heart rate itself is told, not only the contact."),
];

/// Settings as they might be.
pub fn example() -> Settings {
    Settings {
        name: "csafe".to_owned(),
        asking: Asking::at("/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A1B2C3D4-if00-port0"),
        frame_toggle: yes(),
        heart_rate_sensor: false,
        heart_rate_told: false,
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
                .and(Capabilities::INCLINE)
                .and(Capabilities::USER_COMMANDS)
                .and(Capabilities::HEART_RATE_CONTACT)
                .and(Capabilities::ELAPSED)
                .and(Capabilities::DISTANCE),
            period_us: self.asking.period_us(1),
        }
    }
}

/// The source that these settings describe. They must have been checked.
pub fn source(settings: &Settings) -> impl Source + use<> {
    let own = settings.clone();
    settings.asking.source(settings.spec(), settings.asking.plain(), move || Ok(Interview::new(&own)))
}
