//! The MQTT broker: the embedded one, or another.

use std::net::SocketAddr;
use std::path::PathBuf;

use rustls::pki_types::ServerName;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::mosquitto::host;

/// The MQTT broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BrokerConfig {
    /// Whether the broker runs inside this process.
    pub embedded: bool,
    /// Where the embedded broker listens.
    pub listen: SocketAddr,
    /// The external broker's address.
    pub address: String,
    /// The broker's address as agents reach it.
    pub advertise: String,
    /// User name at an external broker.
    pub user: String,
    /// File that holds the password at an external broker.
    pub password_file: PathBuf,
    /// Folder for what a Mosquitto must know of the machines; empty: none is told.
    pub files: PathBuf,
}

impl Default for BrokerConfig {
    fn default() -> BrokerConfig {
        BrokerConfig {
            embedded: true,
            listen: SocketAddr::from(([127, 0, 0, 1], 1883)),
            address: "127.0.0.1:1883".to_owned(),
            advertise: String::new(),
            user: "beltwatch".to_owned(),
            password_file: PathBuf::from("broker-password"),
            files: PathBuf::new(),
        }
    }
}

impl BrokerConfig {
    /// Whether the values go together.
    pub(super) fn check(
        &self,
        value: impl Fn(&'static str, &dyn ToString, &'static str) -> ConfigError,
    ) -> Result<(), ConfigError> {
        let has_files = !self.files.as_os_str().is_empty();
        if has_files && self.embedded {
            let only = "only an external broker reads files: broker.embedded must be false";
            return Err(value("broker.files", &self.files.display(), only));
        }
        if !self.embedded && !self.address.contains(':') {
            return Err(value("broker.address", &self.address, "host:port is required"));
        }
        for (key, address) in [("broker.address", &self.address), ("broker.advertise", &self.advertise)] {
            let is_name = || host(address).is_some_and(|host| ServerName::try_from(host).is_ok());
            if has_files && !address.is_empty() && !is_name() {
                return Err(value(key, address, "a host name or an address, and a port, are required"));
            }
        }
        Ok(())
    }
}
