//! The source `encoder`: a quadrature encoder on a roller of the belt, or a single switch at it.
//!
//! Two lines a quarter of a period apart give measured direction and speed; one line gives speed and never a direction.
//! A wire that is off looks like a standstill: let another source tell the speed as well.

mod health;
mod mind;
mod odometer;
mod quadrature;
#[cfg(test)]
mod tests;
mod window;

use domain::signal::{Capabilities, SourceSpec};
use serde::{Deserialize, Serialize};

use super::gpio::{self, Ask, Bias, LineAddress};
use super::{Lost, Outlet, Running, Source};
use crate::clock;
use crate::config::Comment;

pub use self::mind::{Counters, Mind};
pub use self::odometer::{Odometer, Shown, um_per_count};

/// Settings of an encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the source in events, at most 64 octets.
    pub name: String,
    /// The chip: its path, its name or its label.
    #[serde(default = "gpio::first_chip")]
    pub chip: String,
    /// Line A, by number or name.
    pub line_a: LineAddress,
    /// Line B, a quarter of a period later. Without it there is a speed and no direction.
    pub line_b: Option<LineAddress>,
    /// What holds the lines while nothing is connected.
    #[serde(default)]
    pub bias: Bias,
    /// Pulses of one line in a turn of the roller.
    pub pulses_per_revolution: u32,
    /// Diameter of the roller, in millimetres.
    pub roller_diameter_mm: Option<f64>,
    /// Thickness of the belt, in millimetres.
    #[serde(default)]
    pub belt_thickness_mm: f64,
    /// Micrometres of belt for each count, as counted laps gave it. Goes before what the roller would give.
    pub um_per_count: Option<f64>,
    /// Whether forward and reverse change places.
    #[serde(default)]
    pub invert: bool,
}

/// What this kind is for.
pub const ABOUT: &str =
    "An encoder at a roller of the belt, on GPIO lines: direction and speed (docs/sources/gpio.md).";

/// What each key means.
pub const COMMENTS: &[Comment] = &[
    ("name", "Name of the source in events, at most 64 octets."),
    ("chip", "The GPIO chip: its path, its name or its label."),
    ("line_a", "Line A: its number on the chip, or its name, as \"GPIO17\"."),
    ("line_b", "Line B, a quarter of a period beside A. Without it there is a speed and never a direction."),
    (
        "bias",
        "What holds the lines while nothing is connected: pull-up, pull-down, or external for a resistor.",
    ),
    ("pulses_per_revolution", "Pulses of one line in a turn of the roller; at least 16 is recommended."),
    ("roller_diameter_mm", "Diameter of the roller, in millimetres."),
    ("belt_thickness_mm", "Thickness of the belt, in millimetres."),
    (
        "um_per_count",
        "Micrometres of belt for each count, from counted laps, as in 2552.5; goes before what the roller gives.",
    ),
    ("invert", "true: forward and reverse change places. `beltwatch-agent commission` finds out."),
];

/// Settings as they might be.
pub fn example() -> Settings {
    Settings {
        name: "belt".to_owned(),
        chip: gpio::first_chip(),
        line_a: LineAddress::Number(23),
        line_b: Some(LineAddress::Number(24)),
        bias: Bias::PullUp,
        pulses_per_revolution: 16,
        roller_diameter_mm: Some(50.0),
        belt_thickness_mm: 2.0,
        um_per_count: None,
        invert: false,
    }
}

/// Finer counts make more edges at full speed than can be stamped one by one, in micrometres.
const UM_PER_COUNT_MIN: f64 = 500.0;
/// Coarser counts tell a walk too late, in micrometres.
const UM_PER_COUNT_MAX: f64 = 500_000.0;

impl Settings {
    /// Whether the values are allowed.
    ///
    /// # Errors
    ///
    /// In words: field, value, what is allowed.
    pub fn check(&self) -> Result<(), String> {
        if self.chip.is_empty() {
            return Err("chip is empty: a path, name or label is needed".to_owned());
        }
        if self.line_b.as_ref() == Some(&self.line_a) {
            return Err(format!("line_b is {}: it must be another line than line_a", self.line_a));
        }
        if self.invert && self.line_b.is_none() {
            return Err("invert is true: without line_b there is no direction".to_owned());
        }
        if !(1..=10_000).contains(&self.pulses_per_revolution) {
            return Err(format!(
                "pulses_per_revolution is {}: 1 to 10000 is allowed",
                self.pulses_per_revolution
            ));
        }
        if !(0.0..=20.0).contains(&self.belt_thickness_mm) {
            return Err(format!("belt_thickness_mm is {}: 0 to 20 is allowed", self.belt_thickness_mm));
        }
        let within = |name: &str, value: Option<f64>, least: f64, most: f64| match value {
            Some(value) if !(least..=most).contains(&value) => {
                Err(format!("{name} is {value}: {least} to {most} is allowed"))
            }
            Some(_) | None => Ok(()),
        };
        within("roller_diameter_mm", self.roller_diameter_mm, 10.0, 500.0)?;
        within("um_per_count", self.um_per_count, UM_PER_COUNT_MIN, UM_PER_COUNT_MAX)?;
        match self.travel_um() {
            None => Err("um_per_count or roller_diameter_mm is needed".to_owned()),
            Some(um) if !(UM_PER_COUNT_MIN..=UM_PER_COUNT_MAX).contains(&um) => Err(format!(
                "pulses_per_revolution is {}: a count would be {um:.0} µm of belt; {UM_PER_COUNT_MIN} to \
                 {UM_PER_COUNT_MAX} is allowed",
                self.pulses_per_revolution
            )),
            Some(_) => Ok(()),
        }
    }

    /// Micrometres of belt for each count; `None`: neither was set.
    fn travel_um(&self) -> Option<f64> {
        let edges = if self.line_b.is_some() { 4.0 } else { 1.0 };
        let counts = edges * f64::from(self.pulses_per_revolution);
        self.um_per_count.or_else(|| {
            let across_mm = self.roller_diameter_mm? + self.belt_thickness_mm;
            Some(across_mm * std::f64::consts::PI * 1_000.0 / counts)
        })
    }

    /// Nanometres of belt for each count, as it is set, at least 1.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float's cast keeps to the bounds"
    )]
    pub fn nm_per_count(&self) -> u64 {
        ((self.travel_um().unwrap_or(0.0) * 1_000.0).round() as u64).max(1)
    }

    fn capabilities(&self) -> Capabilities {
        match self.line_b {
            Some(_) => Capabilities::SPEED.and(Capabilities::DIRECTION),
            None => Capabilities::SPEED,
        }
    }
}

/// An encoder, with its lines closed.
pub fn source(settings: &Settings) -> Encoder {
    Encoder { settings: settings.clone(), odometer: Odometer::default() }
}

/// An encoder on GPIO lines.
#[derive(Debug)]
pub struct Encoder {
    settings: Settings,
    odometer: Odometer,
}

impl Encoder {
    /// Counts the belt's way while the source runs.
    pub fn odometer(&self) -> Odometer {
        self.odometer.clone()
    }

    async fn listen(&mut self, outlet: &Outlet) -> Lost {
        let lines = std::iter::once(&self.settings.line_a).chain(&self.settings.line_b).collect();
        let ask = Ask { chip: &self.settings.chip, lines, bias: self.settings.bias };
        let mut lines = match gpio::open(&ask) {
            Ok(lines) => lines,
            Err(lost) => return lost,
        };
        outlet.opened(lines.what());
        let mut mind = Mind::new(&self.settings, self.odometer.clone(), clock::monotonic());
        gpio::watch(&mut lines, &mut mind, outlet).await
    }
}

impl Source for Encoder {
    fn spec(&self) -> SourceSpec {
        SourceSpec {
            name: self.settings.name.clone(),
            capabilities: self.settings.capabilities(),
            period_us: mind::OUTPUT_US,
        }
    }

    fn run<'a>(&'a mut self, outlet: &'a Outlet) -> Running<'a> {
        Box::pin(self.listen(outlet))
    }
}
