//! The InfluxDB that holds the long history, if one does.

use std::path::PathBuf;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use store::influx::InfluxSettings;
use url::Url;

use super::ConfigError;

/// The InfluxDB 2 that holds the long history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InfluxConfig {
    /// Where it is; empty: the history is kept in the folder.
    pub url: String,
    /// The organisation's name.
    pub organisation: String,
    /// Name of the bucket for what is derived, and how the names of the other two begin.
    pub bucket: String,
    /// File that holds the token.
    pub token_file: PathBuf,
}

impl Default for InfluxConfig {
    fn default() -> InfluxConfig {
        InfluxConfig {
            url: String::new(),
            organisation: "beltwatch".to_owned(),
            bucket: "beltwatch".to_owned(),
            token_file: PathBuf::from("influxdb-token"),
        }
    }
}

impl InfluxConfig {
    /// Whether the values are allowed.
    pub(super) fn check(
        &self,
        value: impl Fn(&'static str, &dyn ToString, &'static str) -> ConfigError,
    ) -> Result<(), ConfigError> {
        if !self.url.is_empty() && self.parsed().is_none() {
            return Err(value(
                "influxdb.url",
                &self.url,
                "scheme, host and port, as in \"http://127.0.0.1:8086\", are required",
            ));
        }
        for (key, name) in [("influxdb.organisation", &self.organisation), ("influxdb.bucket", &self.bucket)]
        {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
                return Err(value(key, name, "1 to 64 of A-Z, a-z, 0-9, `-`, `_` and `.` are allowed"));
            }
        }
        Ok(())
    }

    fn parsed(&self) -> Option<Url> {
        let url = Url::parse(&self.url).ok()?;
        let is_bare = url.username().is_empty() && url.password().is_none();
        let is_bare = is_bare && url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        (matches!(url.scheme(), "http" | "https") && url.has_host() && is_bare).then_some(url)
    }

    /// What the engine needs, with the token from its file; `None`: the history is kept in the folder.
    ///
    /// # Errors
    /// The file cannot be read, or is empty.
    pub fn settings(&self) -> anyhow::Result<Option<InfluxSettings>> {
        let Some(url) = self.parsed() else { return Ok(None) };
        let file = self.token_file.display();
        let token = std::fs::read_to_string(&self.token_file).with_context(|| {
            format!("influxdb.token_file: cannot read {file}; `beltwatch influxdb setup` makes it")
        })?;
        let token = token.trim().to_owned();
        anyhow::ensure!(!token.is_empty(), "influxdb.token_file: {file} is empty");
        let (organisation, bucket) = (self.organisation.clone(), self.bucket.clone());
        Ok(Some(InfluxSettings { url, organisation, token, bucket }))
    }
}
