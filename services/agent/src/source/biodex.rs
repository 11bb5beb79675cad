//! The source `biodex`: the host port of a Biodex rehabilitation treadmill, polled.
//!
//! The only public protocol known to us that tells the belt's direction. It has no checksum, so direction, lanyard and
//! faults count when they were answered twice in a row. Source: Biodex RTM 400 manual, 950-275, pages 16 and 17; whether
//! RTM 500 and 600 speak the same is not known.

mod answer;
mod interview;
pub(crate) mod question;

use domain::signal::{Capabilities, SourceSpec};
use domain::units::MILLI;
use serde::{Deserialize, Serialize};

use super::port::dialogue::{Dialogue, Pace, check_pace, converse};
use super::port::{AskingPort, LineSettings};
use super::{Lost, Outlet, Running, Source};
use crate::clock;
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
    /// The serial port, by a name that stays the same: see /dev/serial/by-id.
    pub port: String,
    /// Bits a second. The manual does not say it: the machine's set-up does.
    #[serde(default = "baud")]
    pub baud: u32,
    /// Unit of speed: "miles" or "kilometres", as the machine is set up. There is no default.
    pub speed_unit: SpeedUnit,
    /// Whether the machine's F is the belt's reverse; commissioning finds out.
    #[serde(default)]
    pub invert: bool,
    /// Time from question to question, in milliseconds, at least 100.
    #[serde(default = "poll_ms")]
    pub poll_ms: u32,
    /// How long an answer may take, in milliseconds.
    #[serde(default = "answer_ms")]
    pub answer_ms: u32,
}

fn baud() -> u32 {
    9_600
}

fn poll_ms() -> u32 {
    100
}

fn answer_ms() -> u32 {
    500
}

/// What this kind is for.
pub const ABOUT: &str =
    "The host port of a Biodex RTM treadmill (RS-232): speed, elevation, direction, safety lanyard.";

/// What each key means.
pub const COMMENTS: &[Comment] = &[
    ("name", "Name of the source in events, at most 64 octets."),
    ("port", "The serial port, by a name that stays the same: see /dev/serial/by-id."),
    ("baud", "Bits a second. The manual does not say it: the machine's set-up does."),
    (
        "speed_unit",
        "Unit of speed: \"miles\" or \"kilometres\", as the machine is set up. Needed: compare with its display.",
    ),
    ("invert", "Whether the machine's F is the belt's reverse; commissioning finds out."),
    ("poll_ms", "Time from question to question, in milliseconds, at least 100."),
    ("answer_ms", "How long an answer may take, in milliseconds."),
];

/// Settings as they might be.
pub fn example() -> Settings {
    Settings {
        name: "biodex".to_owned(),
        port: "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A1B2C3D4-if00-port0".to_owned(),
        baud: baud(),
        speed_unit: SpeedUnit::Miles,
        invert: false,
        poll_ms: poll_ms(),
        answer_ms: answer_ms(),
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

/// A Biodex treadmill that is asked.
#[derive(Debug)]
pub struct Biodex {
    settings: Settings,
}

/// The source that these settings describe. They must have been checked.
pub fn source(settings: &Settings) -> Biodex {
    Biodex { settings: settings.clone() }
}

impl Source for Biodex {
    fn spec(&self) -> SourceSpec {
        SourceSpec {
            name: self.settings.name.clone(),
            capabilities: Capabilities::SPEED
                .and(Capabilities::DIRECTION)
                .and(Capabilities::INCLINE)
                .and(Capabilities::SAFETY_KEY),
            period_us: u64::from(self.settings.poll_ms) * MILLI * TURNS,
        }
    }

    fn run<'a>(&'a mut self, outlet: &'a Outlet) -> Running<'a> {
        Box::pin(async { self.converse(outlet).await })
    }
}

impl Biodex {
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
