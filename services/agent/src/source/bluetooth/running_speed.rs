//! Settings of the source `running-speed`: the running speed and cadence service (2A53) of a machine or of a pod.

use std::time::Duration;

use domain::limits::SOURCE_NAME_BYTES_MAX;
use domain::signal::{Capabilities, SourceSpec};
use domain::units::MILLI;
use serde::{Deserialize, Serialize};

use super::place::Place;
use super::settings::{capabilities, check_period, discovery_seconds, given, period_ms, yes};
use crate::config::Comment;

/// What this kind is for.
pub const ABOUT: &str = "The Bluetooth running speed and cadence service, perhaps beside ftms of the same machine: a \
                         second speed (docs/sources/bluetooth.md).";

/// What the service can report at all.
const POSSIBLE: [Capabilities; 2] = [Capabilities::SPEED, Capabilities::DISTANCE];

/// Settings of a machine that speaks the running speed and cadence service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the source in events, at most 64 octets.
    pub name: String,
    /// The Bluetooth address.
    #[serde(default)]
    pub address: String,
    /// How the advertised name begins.
    #[serde(default)]
    pub machine: String,
    /// The adapter, as in "hci0".
    #[serde(default)]
    pub adapter: String,
    /// Address of the D-Bus on which bluetoothd is.
    #[serde(default)]
    pub bus: String,
    /// How long it is looked for, in seconds.
    #[serde(default = "discovery_seconds")]
    pub discovery_seconds: u32,
    /// It advertises the running speed and cadence service.
    #[serde(default = "yes")]
    pub advertises_service: bool,
    /// What it can report.
    #[serde(default = "reports")]
    pub reports: Vec<String>,
    /// Its usual period, in milliseconds. It is silent after three of them, at least 2 s.
    #[serde(default = "period_ms")]
    pub period_ms: u32,
}

fn reports() -> Vec<String> {
    vec!["speed".to_owned()]
}

/// What each key means.
pub const COMMENTS: &[Comment] = &[
    ("name", "Name of the source in events, at most 64 octets."),
    ("address", "The Bluetooth address."),
    ("machine", "Without an address: how the advertised name begins. With one: both must fit."),
    ("adapter", "The adapter. Empty: the first one that is switched on."),
    ("bus", "Address of the D-Bus on which bluetoothd is. Empty: the system bus."),
    ("discovery_seconds", "How long it is looked for before the next pause, 1 to 300."),
    ("advertises_service", "false: it does not advertise the service, as beside ftms of the same machine."),
    ("reports", "What it can report: speed, distance."),
    ("period_ms", "Its usual period, in milliseconds. It is silent after three of them, at least 2 s."),
];

/// Settings as they might be.
pub fn example() -> Settings {
    Settings {
        name: "running-speed".to_owned(),
        address: "AA:BB:CC:DD:EE:FF".to_owned(),
        machine: String::new(),
        adapter: String::new(),
        bus: String::new(),
        discovery_seconds: discovery_seconds(),
        advertises_service: yes(),
        reports: reports(),
        period_ms: period_ms(),
    }
}

impl Settings {
    /// Whether the values are allowed.
    ///
    /// # Errors
    ///
    /// In words: field, value, what is allowed.
    pub fn check(&self) -> Result<(), String> {
        if self.name.is_empty() || self.name.len() > SOURCE_NAME_BYTES_MAX {
            return Err(format!(
                "name has {} octets: 1 to {SOURCE_NAME_BYTES_MAX} are allowed",
                self.name.len()
            ));
        }
        self.place().check()?;
        check_period(self.period_ms)?;
        capabilities(&self.reports, &POSSIBLE).map(drop)
    }

    pub(super) fn spec(&self) -> SourceSpec {
        SourceSpec {
            name: self.name.clone(),
            // What is not allowed was refused by `check`: it is not claimed either.
            capabilities: capabilities(&self.reports, &POSSIBLE).unwrap_or_default(),
            period_us: u64::from(self.period_ms) * MILLI,
        }
    }

    pub(super) fn place(&self) -> Place {
        Place {
            address: given(&self.address),
            machine: given(&self.machine),
            adapter: given(&self.adapter),
            bus: given(&self.bus),
            discovery: Duration::from_secs(u64::from(self.discovery_seconds)),
            advertises_service: self.advertises_service,
        }
    }
}

#[cfg(all(test, feature = "bluetooth"))]
mod tests {
    use super::*;

    #[test]
    fn a_speed_without_sign_is_all_that_it_can_claim() {
        let check = |reports: &str, expected: Result<&[&str], &str>| {
            let text = format!("name = \"pod\"\naddress = \"AA:BB:CC:DD:EE:FF\"\n{reports}");
            let settings: Settings = toml::from_str(&text).unwrap();
            match (settings.check(), expected) {
                (Ok(()), Ok(names)) => {
                    assert_eq!(settings.spec().capabilities.names().collect::<Vec<_>>(), names)
                }
                (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
                (got, _) => panic!("{reports}: {got:?}"),
            }
        };
        check("", Ok(&["speed"]));
        check("reports = [\"distance\", \"speed\"]", Ok(&["speed", "distance"]));
        check("reports = [\"direction\"]", Err("reports has \"direction\""));
        check("reports = [\"steps\"]", Err("speed, distance are allowed"));
        assert_eq!(example().check(), Ok(()));
    }
}
