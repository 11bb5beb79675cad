//! The mail server that notifications go to.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// The mail server that notifications go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailConfig {
    /// host:port; empty: there is none.
    pub server: String,
    /// How the connection is protected.
    pub tls: MailTls,
    /// User name; empty: none is asked for.
    pub user: String,
    /// File that holds the password.
    pub password_file: PathBuf,
    /// Whom mails are from.
    pub from: String,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// TLS after STARTTLS, which must be offered.
    Starttls,
    /// TLS from the first octet.
    Implicit,
    /// None.
    Off,
}

impl Default for MailConfig {
    fn default() -> MailConfig {
        MailConfig {
            server: String::new(),
            tls: MailTls::Starttls,
            user: String::new(),
            password_file: PathBuf::new(),
            from: String::new(),
        }
    }
}

impl MailConfig {
    /// Whether the values go together.
    pub(super) fn check(
        &self,
        value: impl Fn(&'static str, &dyn ToString, &'static str) -> ConfigError,
    ) -> Result<(), ConfigError> {
        if self.server.is_empty() {
            return Ok(());
        }
        let port = self.server.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
        if !matches!(port, Some(Ok(_))) {
            return Err(value("mail.server", &self.server, "host:port is required"));
        }
        if self.from.is_empty() {
            return Err(value("mail.from", &"\"\"", "an address is required while mail.server is set"));
        }
        if !self.user.is_empty() && self.password_file.as_os_str().is_empty() {
            return Err(value("mail.password_file", &"\"\"", "a file is required while mail.user is set"));
        }
        Ok(())
    }
}
