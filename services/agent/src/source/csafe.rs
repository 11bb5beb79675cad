//! The source `csafe`: a gym machine's CSAFE port, polled.
//!
//! It tells speed in whatever unit the machine answers, grade, distance, time, heart-rate contact, what the user did as
//! far as states show it, and error codes. CSAFE knows neither direction nor emergency stop nor safety key: this source
//! never tells them, and a machine that falls silent is silent, nothing more.

mod interview;

use domain::signal::{Capabilities, SourceSpec};
use domain::units::MILLI;
use serde::{Deserialize, Serialize};

use super::port::dialogue::{Dialogue, Pace, check_pace, converse};
use super::port::{AskingPort, LineSettings};
use super::{Lost, Outlet, Running, Source};
use crate::clock;
use crate::config::Comment;
use interview::Interview;

/// Settings of a machine's CSAFE port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the source in events, at most 64 octets.
    pub name: String,
    /// The serial port, by a name that stays the same: see /dev/serial/by-id.
    pub port: String,
    /// Bits a second; CSAFE has 9600.
    #[serde(default = "baud")]
    pub baud: u32,
    /// Time from question to question, in milliseconds, at least 100.
    #[serde(default = "poll_ms")]
    pub poll_ms: u32,
    /// How long an answer may take, in milliseconds.
    #[serde(default = "answer_ms")]
    pub answer_ms: u32,
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

fn baud() -> u32 {
    9_600
}

fn poll_ms() -> u32 {
    200
}

fn answer_ms() -> u32 {
    1_000
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
    ("port", "The serial port, by a name that stays the same: see /dev/serial/by-id."),
    ("baud", "Bits a second; CSAFE has 9600."),
    ("poll_ms", "Time from question to question, in milliseconds, at least 100."),
    ("answer_ms", "How long an answer may take, in milliseconds."),
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
        port: "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A1B2C3D4-if00-port0".to_owned(),
        baud: baud(),
        poll_ms: poll_ms(),
        answer_ms: answer_ms(),
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
        LineSettings::check_port(&self.port)?;
        LineSettings::plain(self.baud).check()?;
        check_pace(self.poll_ms, self.answer_ms)
    }
}

/// A machine that is asked over CSAFE.
#[derive(Debug)]
pub struct Csafe {
    settings: Settings,
}

/// The source that these settings describe. They must have been checked.
pub fn source(settings: &Settings) -> Csafe {
    Csafe { settings: settings.clone() }
}

impl Source for Csafe {
    fn spec(&self) -> SourceSpec {
        SourceSpec {
            name: self.settings.name.clone(),
            capabilities: Capabilities::SPEED
                .and(Capabilities::INCLINE)
                .and(Capabilities::USER_COMMANDS)
                .and(Capabilities::HEART_RATE_CONTACT)
                .and(Capabilities::ELAPSED)
                .and(Capabilities::DISTANCE),
            period_us: u64::from(self.settings.poll_ms) * MILLI,
        }
    }

    fn run<'a>(&'a mut self, outlet: &'a Outlet) -> Running<'a> {
        Box::pin(async { self.converse(outlet).await })
    }
}

impl Csafe {
    async fn converse(&self, outlet: &Outlet) -> Lost {
        let settings = &self.settings;
        let mut port = match AskingPort::open(&settings.port, &LineSettings::plain(settings.baud)) {
            Ok(port) => port,
            Err(lost) => return lost,
        };
        outlet.opened(&settings.port);
        let pace = Pace::new(settings.poll_ms, settings.answer_ms);
        let mut dialogue = Dialogue::new(Interview::new(settings), pace, clock::monotonic());
        converse(&mut port, &mut dialogue, outlet).await
    }
}
