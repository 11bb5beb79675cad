//! The source `tap`: overhears the line between console and base of a LifeSpan treadmill.
//!
//! The console commands the base over Modbus RTU, 4800 bits a second at TTL level. The port is opened for reading alone. It
//! tells what the console commands, which is not what the belt does: speed comes as commanded speed only. Source: the
//! protocol analysis of a TR1200B in github blak3r/treadspan, `protocol-analysis/serial`.

mod overheard;

use domain::limits::PORT_OCTETS_TAKEN_MAX;
use domain::signal::{Capabilities, SourceSpec};
use domain::units::{MILLI, SECOND};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncRead;

use super::port::dialogue::Told;
use super::port::{LineSettings, ListeningPort};
use super::{Lost, Outlet, Running, Source};
use crate::capture::Characteristic;
use crate::clock;
use crate::config::Comment;
use overheard::Overheard;

/// Settings of a tap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the source in events, at most 64 octets.
    pub name: String,
    /// The serial port, by a name that stays the same: see /dev/serial/by-id.
    pub port: String,
    /// Bits a second; LifeSpan consoles have 4800.
    #[serde(default = "baud")]
    pub baud: u32,
    /// The base's address on the line.
    #[serde(default = "unit")]
    pub unit: u8,
}

fn baud() -> u32 {
    4_800
}

fn unit() -> u8 {
    1
}

/// What this kind is for.
pub const ABOUT: &str =
    "The line between console and base of a LifeSpan treadmill (TTL level, 4800 baud), overheard.";

/// What each key means.
pub const COMMENTS: &[Comment] = &[
    ("name", "Name of the source in events, at most 64 octets."),
    (
        "port",
        "The serial port, by a name that stays the same: see /dev/serial/by-id. Connect its RxD and ground only.",
    ),
    ("baud", "Bits a second; LifeSpan consoles have 4800."),
    ("unit", "The base's address on the line."),
];

/// Settings as they might be.
pub fn example() -> Settings {
    Settings {
        name: "tap".to_owned(),
        port: "/dev/serial/by-id/usb-FTDI_TTL232R_A1B2C3D4-if00-port0".to_owned(),
        baud: baud(),
        unit: unit(),
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
        if !(1..=247).contains(&self.unit) {
            return Err(format!("unit is {}: 1 to 247 is allowed", self.unit));
        }
        Ok(())
    }
}

/// A line that is overheard.
#[derive(Debug)]
pub struct Tap {
    settings: Settings,
}

/// The source that these settings describe. They must have been checked.
pub fn source(settings: &Settings) -> Tap {
    Tap { settings: settings.clone() }
}

impl Source for Tap {
    fn spec(&self) -> SourceSpec {
        SourceSpec {
            name: self.settings.name.clone(),
            capabilities: Capabilities::COMMANDED.and(Capabilities::STEPS).and(Capabilities::USER_COMMANDS),
            // The console says its set point some five times a second.
            period_us: SECOND.max(200 * MILLI),
        }
    }

    fn run<'a>(&'a mut self, outlet: &'a Outlet) -> Running<'a> {
        Box::pin(async { self.listen(outlet).await })
    }
}

impl Tap {
    async fn listen(&self, outlet: &Outlet) -> Lost {
        let Settings { port: name, baud, unit, .. } = &self.settings;
        let mut port = match ListeningPort::open(name, &LineSettings::plain(*baud)) {
            Ok(port) => port,
            Err(lost) => return lost,
        };
        outlet.opened(name);
        overhear(&mut port, &mut Overheard::new(*unit), outlet).await
    }
}

/// Hands on what is heard until the port is lost.
async fn overhear<P: AsyncRead + Unpin>(
    port: &mut ListeningPort<P>,
    mind: &mut Overheard,
    outlet: &Outlet,
) -> Lost {
    let mut buffer = [0; PORT_OCTETS_TAKEN_MAX];
    let mut heard = Vec::new();
    loop {
        let octets = match port.hear(&mut buffer).await {
            Ok(octets) => octets,
            Err(lost) => return lost,
        };
        let now = clock::monotonic();
        mind.hear(octets, now, &mut heard);
        for (way, told) in heard.drain(..) {
            match told {
                Told::Value(value) => outlet.tell(now, value).await,
                Told::Frame(octets) => outlet.tape(now, Characteristic::ModbusRtu, way, &octets),
                Told::Unreadable(why, octets) => outlet.unreadable(now, &why, &octets),
            }
        }
    }
}
