//! The agent's configuration: one file, read once.

mod canonical;
mod example;

use std::path::PathBuf;

use domain::ids::ConfigurationHash;
use domain::limits::{SOURCE_NAME_BYTES_MAX, SOURCES_MAX};
use serde::{Deserialize, Serialize};

use crate::source::settings::SourceSettings;

pub use self::example::{Comment, example};

/// Where the configuration is looked for.
pub const CONFIG_FILE: &str = "/etc/beltwatch-agent.toml";

/// Everything that an agent can be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The machine's credential.
    pub credential: PathBuf,
    /// Folder of the spool.
    pub spool: PathBuf,
    /// Whether this computer's clock is right.
    pub trust_system_clock: bool,
    /// How long a stop may wait for acknowledgements, in seconds.
    pub drain_seconds: u64,
    /// What is logged.
    pub log: String,
    /// The sources. Those that come first go first where two tell the same.
    #[serde(rename = "source")]
    pub sources: Vec<SourceSettings>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            credential: PathBuf::from("/var/lib/beltwatch-agent/credential.json"),
            spool: PathBuf::from("/var/lib/beltwatch-agent/spool"),
            trust_system_clock: false,
            drain_seconds: 20,
            log: "info".to_owned(),
            sources: Vec::new(),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConfig {
    /// It is no TOML, has an unknown key, or a value of the wrong kind.
    #[error("{0}")]
    Toml(String),
    /// More sources than an agent can have.
    #[error("{0} sources: at most {SOURCES_MAX} are allowed")]
    TooManySources(usize),
    /// A source's settings are not what they should be.
    #[error("source {name}: {reason}")]
    Source {
        /// Its name.
        name: String,
        /// Field, value, and what is allowed.
        reason: String,
    },
}

impl Config {
    /// How the sources are set, as far as it decides which way is forward; `None`: there are none.
    pub fn configuration(&self) -> Option<ConfigurationHash> {
        (!self.sources.is_empty()).then(|| ConfigurationHash::of(&canonical::octets(&self.sources)))
    }

    /// Reads and checks a file's text.
    ///
    /// # Errors
    ///
    /// If it is no configuration, with line, field, value and what is allowed.
    pub fn read(text: &str) -> Result<Config, InvalidConfig> {
        let config: Config = toml::from_str(text)
            .map_err(|error| InvalidConfig::Toml(error.to_string().trim_end().to_owned()))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), InvalidConfig> {
        if self.sources.len() > SOURCES_MAX {
            return Err(InvalidConfig::TooManySources(self.sources.len()));
        }
        for (index, source) in self.sources.iter().enumerate() {
            let wrong = |reason| InvalidConfig::Source { name: source.name().to_owned(), reason };
            source.check().map_err(wrong)?;
            if source.name().is_empty() || source.name().len() > SOURCE_NAME_BYTES_MAX {
                return Err(wrong(format!("name needs 1 to {SOURCE_NAME_BYTES_MAX} octets")));
            }
            if self.sources[..index].iter().any(|before| before.name() == source.name()) {
                return Err(wrong("there are two of this name".to_owned()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
