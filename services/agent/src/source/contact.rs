//! The source `contact`: dry contacts on GPIO lines, as of the emergency stop and the safety key.
//!
//! Closed is healthy or present. An open contact and a broken wire read the same: open.

mod mind;
#[cfg(test)]
mod tests;

use domain::belt::Contact;
use domain::signal::{Capabilities, SourceSpec};
use serde::{Deserialize, Serialize};

use super::gpio::{self, Ask, Bias, LineAddress};
use super::{Lost, Outlet, Running, Source};
use crate::clock;
use crate::config::Comment;

pub use self::mind::Mind;

/// Settings of a machine's contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the source in events, at most 64 octets.
    pub name: String,
    /// The chip: its path, its name or its label.
    #[serde(default = "gpio::first_chip")]
    pub chip: String,
    /// What holds the lines while nothing is connected.
    #[serde(default)]
    pub bias: Bias,
    /// The contacts, one line each.
    pub lines: Vec<ContactLine>,
}

/// One contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactLine {
    /// Which contact.
    pub contact: Contact,
    /// Its line, by number or name.
    pub line: LineAddress,
    /// The line's level while the contact is closed.
    #[serde(default)]
    pub closed: Level,
    /// How long it must be open to count as open, in milliseconds. 500 of a hand rail, 0 of all others. Contacts that
    /// stop the machine have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_off_ms: Option<u32>,
}

/// A line's level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Near ground, as an isolated input pulls it.
    #[default]
    Low,
    /// Near the supply.
    High,
}

/// What this kind is for.
pub const ABOUT: &str =
    "Contacts on GPIO lines: emergency stop, key, power, hand rail, presence (docs/sources/gpio.md).";

/// What each key means.
pub const COMMENTS: &[Comment] = &[
    ("name", "Name of the source in events, at most 64 octets."),
    ("chip", "The GPIO chip: its path, its name or its label."),
    (
        "bias",
        "What holds the lines while nothing is connected: pull-up, pull-down, or external for a resistor.",
    ),
    (
        "lines",
        "One entry a contact: contact (emergency_stop, safety_key, machine_power, hand_rail, user_presence), line \
         (number or name), closed (the level while the contact is closed: low or high), hold_off_ms (hand_rail and \
         user_presence only).",
    ),
];

/// Settings as they might be.
pub fn example() -> Settings {
    let entry = |contact, number| ContactLine {
        contact,
        line: LineAddress::Number(number),
        closed: Level::Low,
        hold_off_ms: None,
    };
    Settings {
        name: "contacts".to_owned(),
        chip: gpio::first_chip(),
        bias: Bias::PullUp,
        lines: vec![entry(Contact::EmergencyStop, 17), entry(Contact::SafetyKey, 27)],
    }
}

/// Longest hold-off, in milliseconds.
const HOLD_OFF_MS_MAX: u32 = 5_000;

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
        if self.lines.is_empty() {
            return Err("lines is empty: at least one contact is needed".to_owned());
        }
        for (place, entry) in self.lines.iter().enumerate() {
            let (name, before) = (entry.contact.name(), &self.lines[..place]);
            if before.iter().any(|other| other.contact == entry.contact) {
                return Err(format!("lines names the contact {name} twice: once is allowed"));
            }
            if let Some(other) = before.iter().find(|other| other.line == entry.line) {
                let (line, other) = (&entry.line, other.contact.name());
                return Err(format!("line {line} is of {other} and {name}: each contact needs its own"));
            }
            entry.check_fails_open(self.bias)?;
            entry.check_hold_off()?;
        }
        Ok(())
    }

    fn capabilities(&self) -> Capabilities {
        self.lines.iter().fold(Capabilities::default(), |all, entry| all.and(capability(entry.contact)))
    }
}

impl ContactLine {
    /// A line that nothing holds must read as an open contact, or a broken wire would look healthy.
    fn check_fails_open(&self, bias: Bias) -> Result<(), String> {
        let (closed, held, allowed) = match (self.closed, bias) {
            (Level::Low, Bias::PullDown) => ("low", "pull-down", "pull-up"),
            (Level::High, Bias::PullUp) => ("high", "pull-up", "pull-down"),
            (Level::Low, Bias::PullUp | Bias::External) | (Level::High, Bias::PullDown | Bias::External) => {
                return Ok(());
            }
        };
        let name = self.contact.name();
        Err(format!(
            "closed of {name} is {closed} and bias is {held}: a broken wire would read as closed; with closed = \
             \"{closed}\", bias {allowed} or external is allowed"
        ))
    }

    fn check_hold_off(&self) -> Result<(), String> {
        let hold_off_ms = self.hold_off_ms.unwrap_or(0);
        let (name, most) = (self.contact.name(), hold_off_ms_max(self.contact));
        if hold_off_ms > most {
            return Err(format!("hold_off_ms of {name} is {hold_off_ms}: 0 to {most} is allowed"));
        }
        Ok(())
    }

    fn hold_off_us(&self) -> u64 {
        let usual_ms = match self.contact {
            Contact::HandRail => 500,
            Contact::EmergencyStop | Contact::SafetyKey | Contact::MachinePower | Contact::UserPresence => 0,
        };
        u64::from(self.hold_off_ms.unwrap_or(usual_ms)) * domain::units::MILLI
    }
}

/// What stops a machine is told at once.
fn hold_off_ms_max(contact: Contact) -> u32 {
    match contact {
        Contact::EmergencyStop | Contact::SafetyKey | Contact::MachinePower => 0,
        Contact::HandRail | Contact::UserPresence => HOLD_OFF_MS_MAX,
    }
}

fn capability(contact: Contact) -> Capabilities {
    match contact {
        Contact::EmergencyStop => Capabilities::EMERGENCY_STOP,
        Contact::SafetyKey => Capabilities::SAFETY_KEY,
        Contact::MachinePower => Capabilities::MACHINE_POWER,
        Contact::HandRail => Capabilities::HAND_RAIL,
        Contact::UserPresence => Capabilities::USER_PRESENCE,
    }
}

/// A machine's contacts, with their lines closed.
pub fn source(settings: &Settings) -> Contacts {
    Contacts { settings: settings.clone() }
}

/// Contacts on GPIO lines.
#[derive(Debug)]
pub struct Contacts {
    settings: Settings,
}

impl Contacts {
    async fn listen(&self, outlet: &Outlet) -> Lost {
        let lines = self.settings.lines.iter().map(|entry| &entry.line).collect();
        let ask = Ask { chip: &self.settings.chip, lines, bias: self.settings.bias };
        let mut lines = match gpio::open(&ask) {
            Ok(lines) => lines,
            Err(lost) => return lost,
        };
        outlet.opened(lines.what());
        let mut mind = Mind::new(&self.settings, clock::monotonic());
        gpio::watch(&mut lines, &mut mind, outlet).await
    }
}

impl Source for Contacts {
    fn spec(&self) -> SourceSpec {
        SourceSpec {
            name: self.settings.name.clone(),
            capabilities: self.settings.capabilities(),
            period_us: mind::LOOK_US,
        }
    }

    fn run<'a>(&'a mut self, outlet: &'a Outlet) -> Running<'a> {
        Box::pin(self.listen(outlet))
    }
}
