//! The server's configuration: one struct, read once. Defaults stand here only and are printed from here.

mod broker;
mod influxdb;
mod mail;
mod retention;

use std::net::SocketAddr;
use std::path::PathBuf;

use rustls::pki_types::ServerName;
use serde::{Deserialize, Serialize};

pub use self::broker::BrokerConfig;
pub use self::influxdb::InfluxConfig;
pub use self::mail::{MailConfig, MailTls};
pub use self::retention::{KEPT_DAYS_MIN, RetentionConfig};

/// Everything `beltwatch serve` can be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where everything is kept.
    pub folder: PathBuf,
    /// Whether to keep nothing on disk.
    pub memory: bool,
    /// How long a stop may take, in seconds.
    pub drain_seconds: u64,
    /// Whether other addresses than loopback may be used without TLS.
    pub plaintext_beyond_loopback: bool,
    /// Whether other addresses than loopback may be used although nobody administers the server.
    pub open_without_administrator: bool,
    /// Where the operator's secret lies; empty: in the user's runtime folder.
    pub operator_file: PathBuf,
    /// The port of gRPC, pages, health and metrics.
    pub api: ApiConfig,
    /// The MQTT broker.
    pub broker: BrokerConfig,
    /// TLS.
    pub tls: TlsConfig,
    /// The InfluxDB that holds the long history.
    pub influxdb: InfluxConfig,
    /// The mail server that notifications go to.
    pub mail: MailConfig,
    /// How long the history is kept.
    pub retention: RetentionConfig,
    /// What is logged.
    pub log: LogConfig,
}

/// The port of gRPC, pages, health and metrics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiConfig {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Where people reach the pages; empty: worked out.
    pub url: String,
}

/// TLS of the API's port and of the embedded broker's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// Whose certificate is shown.
    pub mode: TlsMode,
    /// Names and addresses by which this server is reached.
    pub names: Vec<String>,
    /// The certificate chain of mode `files`, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// Whose certificate is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// None: plain text.
    Off,
    /// One that this server's own authority signs.
    Own,
    /// For the API one that somebody else puts into files.
    Files,
}

/// What is logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// The form of a line.
    pub format: LogFormat,
    /// Which lines.
    pub filter: String,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Key and comment of every setting, in the order in which they are printed.
const COMMENTS: [(&str, &str); 33] = [
    (
        "folder",
        "Folder for the journal, the ledger, the history and the master key. Made if it is not there.",
    ),
    ("memory", "true: keep everything in memory and forget it at the end. For trying out."),
    ("drain_seconds", "How long a stop may take to bring everything to disk, in seconds."),
    (
        "plaintext_beyond_loopback",
        "true: listen on other addresses than loopback without TLS. Everybody on that network can then read along.",
    ),
    (
        "open_without_administrator",
        "true: listen on other addresses than loopback although nobody administers the server yet. Whoever has the \
         link that it prints can make themselves the administrator.",
    ),
    (
        "operator_file",
        "File with the secret by which the server's own user may do everything on this computer, new at each start. \
         Empty: in the user's runtime folder, where the commands look for it.",
    ),
    ("api.listen", "Address and port of gRPC, pages, health and metrics. Port 0 takes a free one."),
    (
        "api.url",
        "Where people reach the pages, such as \"https://gym.example\", for links in notifications and QR codes. Empty: \
         worked out from tls.names and api.listen.",
    ),
    ("broker.embedded", "true: the MQTT broker runs inside this process. false: use the one at `address`."),
    ("broker.listen", "Address and port of the embedded broker. Port 0 takes a free one."),
    ("broker.address", "host:port of the external broker, as this server reaches it."),
    (
        "broker.advertise",
        "host:port of the broker as agents reach it; credential files name it. Empty: as above.",
    ),
    ("broker.user", "User name of this server at an external broker."),
    ("broker.password_file", "File that holds the password of this server at an external broker."),
    (
        "broker.files",
        "Folder in which certificates and rights for a Mosquitto are kept up to date; docs/mosquitto.md tells more. This \
         server and the agents then speak TLS with it by certificates of this server's own authority, without user name \
         and password. Empty: the external broker is spoken to in plain text.",
    ),
    (
        "tls.mode",
        "\"off\", \"own\": this server's own authority signs its certificate, or \"files\": the API shows the one at \
         `certificate`. docs/tls.md tells more.",
    ),
    (
        "tls.names",
        "Names and addresses by which clients and agents reach this server, for its own certificate. Loopback and the \
         addresses that it listens on are added.",
    ),
    ("tls.certificate", "Mode \"files\": the certificate chain, PEM. A new one is used without a restart."),
    ("tls.key", "Mode \"files\": the private key of that certificate, PEM."),
    (
        "influxdb.url",
        "Where the InfluxDB 2 is that holds the long history, such as \"http://127.0.0.1:8086\". Empty: the history is \
         kept in the folder.",
    ),
    ("influxdb.organisation", "The organisation in it."),
    (
        "influxdb.bucket",
        "Bucket for sessions of use, incidents and what else is derived; those of the readings and the events are called \
         so with `-readings` and `-events`. `beltwatch influxdb setup` makes them.",
    ),
    (
        "influxdb.token_file",
        "File that holds the token for these three buckets, as `beltwatch influxdb setup` writes it.",
    ),
    (
        "mail.server",
        "host:port of the mail server that takes notifications (SMTP). Empty: nobody is told by e-mail.",
    ),
    (
        "mail.tls",
        "\"starttls\", \"implicit\": TLS from the first octet, or \"off\": plain text, for a mail server on this computer.",
    ),
    ("mail.user", "User name at the mail server. Empty: it asks for none."),
    ("mail.password_file", "File that holds the password at the mail server."),
    ("mail.from", "Whom mails are from, such as \"Beltwatch <beltwatch@gym.example>\"."),
    (
        "retention.readings_days",
        "Days for which readings are kept, 7 to 36500. Sessions, usage and incidents stay.",
    ),
    ("retention.events_days", "Days for which events are kept, 7 to 36500."),
    (
        "retention.free_mib_min",
        "Room that the disk must have left, in MiB. With less of it the oldest readings go early, day by day, but none \
         of the last 7 days. 0: never.",
    ),
    ("log.format", "\"text\" or \"json\"."),
    ("log.filter", "Which lines are logged, by level and part, as in \"info,ingest=debug\"."),
];

impl Default for Config {
    fn default() -> Config {
        Config {
            folder: PathBuf::from("beltwatch-data"),
            memory: false,
            drain_seconds: 10,
            plaintext_beyond_loopback: false,
            open_without_administrator: false,
            operator_file: PathBuf::new(),
            api: ApiConfig::default(),
            broker: BrokerConfig::default(),
            tls: TlsConfig::default(),
            influxdb: InfluxConfig::default(),
            mail: MailConfig::default(),
            retention: RetentionConfig::default(),
            log: LogConfig::default(),
        }
    }
}

impl Default for ApiConfig {
    fn default() -> ApiConfig {
        ApiConfig { listen: SocketAddr::from(([127, 0, 0, 1], 8080)), url: String::new() }
    }
}

impl Default for TlsConfig {
    fn default() -> TlsConfig {
        TlsConfig {
            mode: TlsMode::Off,
            names: vec!["localhost".to_owned()],
            certificate: PathBuf::new(),
            key: PathBuf::new(),
        }
    }
}

impl Default for LogConfig {
    fn default() -> LogConfig {
        LogConfig { format: LogFormat::Text, filter: "info,rmqtt=error,rmqtt_net=error".to_owned() }
    }
}

/// Why a configuration cannot be used. The program ends with status 64 before a port opens.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is no TOML, has an unknown key, or a value of the wrong kind.
    #[error("{name}: {reason}")]
    File {
        /// The file's name.
        name: String,
        /// Line, key, and what is allowed.
        reason: String,
    },
    /// A variable of the environment names no setting, or has a value of the wrong kind.
    #[error("{variable}: {reason}")]
    Environment {
        /// The variable.
        variable: String,
        /// What is wrong, and what is allowed.
        reason: String,
    },
    /// The values do not go together.
    #[error("{key} is {value}: {reason}")]
    Value {
        /// The setting.
        key: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        reason: &'static str,
    },
}

/// Variables that the command line's clients read; they are no settings of the server.
const CLIENT_VARIABLES: [&str; 5] =
    ["BELTWATCH_SERVER", "BELTWATCH_TOKEN", "BELTWATCH_OPERATOR", "BELTWATCH_AUTHORITY", "BELTWATCH_CONFIG"];

impl Config {
    /// Reads a file's text, if there is one, then the overrides of the environment, and checks the whole.
    pub fn load(
        file: Option<(&str, &str)>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Config, ConfigError> {
        let mut config = match file {
            Some((name, text)) => toml::from_str(text).map_err(|error| ConfigError::File {
                name: name.to_owned(),
                reason: error.to_string().trim_end().to_owned(),
            })?,
            None => Config::default(),
        };
        for (variable, value) in environment {
            if variable.starts_with("BELTWATCH_") && !CLIENT_VARIABLES.contains(&variable.as_str()) {
                config = config.with_variable(&variable, &value)?;
            }
        }
        config.check()?;
        Ok(config)
    }

    /// The default file, with a comment for every key.
    pub fn default_file() -> String {
        let mut text = String::from("# Beltwatch. Every key may be left out; these are the defaults.\n");
        let table = Config::default().table();
        let mut section = "";
        for (key, comment) in COMMENTS {
            let (part, name) = key.split_once('.').unwrap_or(("", key));
            if part != section {
                section = part;
                text.push_str(&format!("\n[{section}]\n"));
            }
            let value = lookup(&table, key).expect("COMMENTS names every key; a test checks it");
            text.push_str(&format!("# {comment}\n{name} = {value}\n"));
        }
        text
    }

    /// The values as they are in force, as a file.
    pub fn shown(&self) -> String {
        toml::to_string(self).expect("a configuration is always TOML")
    }

    /// The broker's address as agents reach it.
    pub fn advertised_broker(&self, embedded: SocketAddr) -> String {
        if !self.broker.advertise.is_empty() {
            return self.broker.advertise.clone();
        }
        if !self.broker.embedded {
            return self.broker.address.clone();
        }
        // Nobody reaches 0.0.0.0; the certificate names where they do.
        if let Some(name) =
            self.tls.names.first().filter(|_| self.has_tls() && embedded.ip().is_unspecified())
        {
            return format!("{name}:{}", embedded.port());
        }
        embedded.to_string()
    }

    /// Where people reach the pages when the API listens there.
    pub fn url(&self, api: SocketAddr) -> String {
        if !self.api.url.is_empty() {
            return self.api.url.trim_end_matches('/').to_owned();
        }
        let scheme = if self.has_tls() { "https" } else { "http" };
        // Nobody reaches 0.0.0.0.
        match self.tls.names.first().filter(|_| self.has_tls() && api.ip().is_unspecified()) {
            Some(name) => format!("{scheme}://{name}:{}", api.port()),
            None => format!("{scheme}://{api}"),
        }
    }

    /// Whether the API's port, and the embedded broker's, speak TLS.
    pub fn has_tls(&self) -> bool {
        self.tls.mode != TlsMode::Off
    }

    /// Whether an external broker knows this server and the machines by certificates of our own authority.
    pub fn has_broker_files(&self) -> bool {
        !self.broker.files.as_os_str().is_empty()
    }

    /// Whether somebody on another computer can reach a port of this server. Then there must be an administrator.
    pub fn listens_beyond_loopback(&self) -> bool {
        let broker = self.broker.embedded && !self.broker.listen.ip().is_loopback();
        broker || !self.api.listen.ip().is_loopback()
    }

    fn table(&self) -> toml::Table {
        toml::Table::try_from(self).expect("a configuration is always TOML")
    }

    /// `BELTWATCH_API_LISTEN` sets `api.listen`.
    fn with_variable(self, variable: &str, value: &str) -> Result<Config, ConfigError> {
        let name_of = |key: &str| format!("BELTWATCH_{}", key.replace('.', "_").to_uppercase());
        let error = |reason: String| ConfigError::Environment { variable: variable.to_owned(), reason };
        let Some((key, _)) = COMMENTS.iter().find(|(key, _)| name_of(key) == variable) else {
            let known: Vec<String> = COMMENTS.iter().map(|(key, _)| name_of(key)).collect();
            return Err(error(format!("no such setting; known are {}", known.join(", "))));
        };
        let mut table = self.table();
        let old = lookup(&table, key).expect("COMMENTS names every key; a test checks it");
        let new = match old {
            toml::Value::Boolean(_) => value.parse().map(toml::Value::Boolean).ok(),
            toml::Value::Integer(_) => value.parse().map(toml::Value::Integer).ok(),
            toml::Value::Array(_) => {
                let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty());
                Some(toml::Value::Array(parts.map(|part| toml::Value::String(part.to_owned())).collect()))
            }
            toml::Value::String(_)
            | toml::Value::Float(_)
            | toml::Value::Datetime(_)
            | toml::Value::Table(_) => Some(toml::Value::String(value.to_owned())),
        };
        let new = new.ok_or_else(|| error(format!("\"{value}\" is no {}", old.type_str())))?;
        match key.split_once('.') {
            Some((section, name)) => {
                let section = table.get_mut(section).and_then(toml::Value::as_table_mut);
                section.expect("a dotted key has a section").insert(name.to_owned(), new);
            }
            None => {
                table.insert((*key).to_owned(), new);
            }
        }
        table.try_into().map_err(|e: toml::de::Error| error(e.to_string().trim_end().to_owned()))
    }

    fn check(&self) -> Result<(), ConfigError> {
        let value =
            |key, value: &dyn ToString, reason| ConfigError::Value { key, value: value.to_string(), reason };
        let plaintext = "only loopback addresses are allowed while tls.mode is \"off\", unless \
                         plaintext_beyond_loopback is true";
        let is_open = self.has_tls() || self.plaintext_beyond_loopback;
        if !is_open && !self.api.listen.ip().is_loopback() {
            return Err(value("api.listen", &self.api.listen, plaintext));
        }
        if !is_open && self.broker.embedded && !self.broker.listen.ip().is_loopback() {
            return Err(value("broker.listen", &self.broker.listen, plaintext));
        }
        if let Some(name) = self.tls.names.iter().find(|name| ServerName::try_from(name.as_str()).is_err()) {
            return Err(value("tls.names", name, "a host name or an address is required"));
        }
        for (key, file) in [("tls.certificate", &self.tls.certificate), ("tls.key", &self.tls.key)] {
            if self.tls.mode == TlsMode::Files && file.as_os_str().is_empty() {
                return Err(value(key, &"\"\"", "a file is required while tls.mode is \"files\""));
            }
        }
        self.broker.check(value)?;
        if !self.api.url.is_empty() && url::Url::parse(&self.api.url).is_err() {
            return Err(value("api.url", &self.api.url, "a URL such as \"https://gym.example\" is required"));
        }
        self.influxdb.check(value)?;
        self.mail.check(value)?;
        self.retention.check(value)?;
        if !(1..=600).contains(&self.drain_seconds) {
            return Err(value("drain_seconds", &self.drain_seconds, "1 to 600 is allowed"));
        }
        Ok(())
    }
}

fn lookup<'a>(table: &'a toml::Table, key: &str) -> Option<&'a toml::Value> {
    match key.split_once('.') {
        Some((section, name)) => table.get(section)?.as_table()?.get(name),
        None => table.get(key),
    }
}

#[cfg(test)]
mod tests;
