//! Settings of the source `running-speed`: the running speed and cadence service (2A53) of a machine or of a pod.

use domain::signal::{Capabilities, SourceSpec};
use serde::{Deserialize, Serialize};

use super::settings::capabilities;
use super::sought::{self, Sought};
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
    /// The machine or pod, and how it is found.
    #[serde(flatten)]
    pub sought: Sought,
    /// What it can report.
    #[serde(default = "reports")]
    pub reports: Vec<String>,
}

fn reports() -> Vec<String> {
    vec!["speed".to_owned()]
}

/// What each key means.
pub const COMMENTS: &[Comment] = &[
    ("name", "Name of the source in events, at most 64 octets."),
    ("address", "The Bluetooth address."),
    sought::MACHINE,
    sought::ADAPTER,
    sought::BUS,
    sought::DISCOVERY,
    ("advertises_service", "false: it does not advertise the service, as beside ftms of the same machine."),
    ("reports", "What it can report: speed, distance."),
    sought::PERIOD,
];

/// Settings as they might be.
pub fn example() -> Settings {
    Settings { name: "running-speed".to_owned(), sought: Sought::at("AA:BB:CC:DD:EE:FF"), reports: reports() }
}

impl Settings {
    /// Whether the values are allowed.
    ///
    /// # Errors
    ///
    /// In words: field, value, what is allowed.
    pub fn check(&self) -> Result<(), String> {
        self.sought.check()?;
        capabilities(&self.reports, &POSSIBLE).map(drop)
    }

    pub(super) fn spec(&self) -> SourceSpec {
        SourceSpec {
            name: self.name.clone(),
            // What is not allowed was refused by `check`: it is not claimed either.
            capabilities: capabilities(&self.reports, &POSSIBLE).unwrap_or_default(),
            period_us: self.sought.period_us(),
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
