//! The sources that a configuration can name.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};

use super::bluetooth::{self, running_speed};
use super::{Source, biodex, contact, csafe, drive, encoder, exec, tap};
use crate::config::Comment;

/// One source, by its `kind`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SourceSettings {
    /// A quadrature encoder on GPIO lines.
    Encoder(encoder::Settings),
    /// Contacts on GPIO lines.
    Contact(contact::Settings),
    /// A motor drive over Modbus RTU.
    Drive(drive::Settings),
    /// The host port of a Biodex RTM.
    Biodex(biodex::Settings),
    /// The fitness machine service over Bluetooth.
    Ftms(bluetooth::Settings),
    /// The running speed and cadence service over Bluetooth.
    RunningSpeed(running_speed::Settings),
    /// A CSAFE port.
    Csafe(csafe::Settings),
    /// The line between console and base of a LifeSpan treadmill.
    Tap(tap::Settings),
    /// A program of the site's own.
    Exec(exec::Settings),
}

impl<'de> Deserialize<'de> for SourceSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SourceSettings, D::Error> {
        let mut table = toml::Table::deserialize(deserializer)?;
        let kind = table.remove("kind");
        let kind = kind.as_ref().and_then(toml::Value::as_str).unwrap_or_default();
        let read = match kind {
            "encoder" => own(kind, table, encoder::COMMENTS).map(SourceSettings::Encoder),
            "contact" => own(kind, table, contact::COMMENTS).map(SourceSettings::Contact),
            "drive" => own(kind, table, drive::COMMENTS_CUSTOM).map(SourceSettings::Drive),
            "biodex" => own(kind, table, biodex::COMMENTS).map(SourceSettings::Biodex),
            "ftms" => own(kind, table, bluetooth::COMMENTS).map(SourceSettings::Ftms),
            "running-speed" => own(kind, table, running_speed::COMMENTS).map(SourceSettings::RunningSpeed),
            "csafe" => own(kind, table, csafe::COMMENTS).map(SourceSettings::Csafe),
            "tap" => own(kind, table, tap::COMMENTS).map(SourceSettings::Tap),
            "exec" => own(kind, table, exec::COMMENTS).map(SourceSettings::Exec),
            other => Err(format!("a source's kind is {other:?}: {KINDS} are allowed")),
        };
        read.map_err(D::Error::custom)
    }
}

const KINDS: &str = "encoder, contact, drive, biodex, ftms, running-speed, csafe, tap, exec";

/// Settings of one kind, with no key but those that its comments explain.
fn own<S: DeserializeOwned>(kind: &str, table: toml::Table, comments: &[Comment]) -> Result<S, String> {
    let name = table.get("name").and_then(toml::Value::as_str).unwrap_or(kind).to_owned();
    if let Some(key) = table.keys().find(|key| !comments.iter().any(|(known, _)| known == key)) {
        let known: Vec<&str> = comments.iter().map(|(known, _)| *known).collect();
        return Err(format!("source {name}: {key} is no setting of {kind}: {} are", known.join(", ")));
    }
    table
        .try_into()
        .map_err(|error| format!("source {name}: {}", error.to_string().trim_end().replace('\n', " ")))
}

/// The same of the settings of every kind.
macro_rules! of_each {
    ($source:expr, $settings:ident => $what:expr) => {
        match $source {
            SourceSettings::Encoder($settings) => $what,
            SourceSettings::Contact($settings) => $what,
            SourceSettings::Drive($settings) => $what,
            SourceSettings::Biodex($settings) => $what,
            SourceSettings::Ftms($settings) => $what,
            SourceSettings::RunningSpeed($settings) => $what,
            SourceSettings::Csafe($settings) => $what,
            SourceSettings::Tap($settings) => $what,
            SourceSettings::Exec($settings) => $what,
        }
    };
}

impl SourceSettings {
    /// Its configured name.
    pub fn name(&self) -> &str {
        of_each!(self, settings => &settings.name)
    }

    /// Whether the values are allowed.
    ///
    /// # Errors
    ///
    /// In words: field, value, what is allowed.
    pub fn check(&self) -> Result<(), String> {
        of_each!(self, settings => settings.check())
    }

    /// The source, with its port closed.
    pub fn source(&self) -> Box<dyn Source> {
        match self {
            SourceSettings::Encoder(settings) => Box::new(encoder::source(settings)),
            SourceSettings::Contact(settings) => Box::new(contact::source(settings)),
            SourceSettings::Drive(settings) => Box::new(drive::source(settings)),
            SourceSettings::Biodex(settings) => Box::new(biodex::source(settings)),
            SourceSettings::Ftms(settings) => Box::new(bluetooth::source(settings)),
            SourceSettings::RunningSpeed(settings) => Box::new(bluetooth::running_speed_source(settings)),
            SourceSettings::Csafe(settings) => Box::new(csafe::source(settings)),
            SourceSettings::Tap(settings) => Box::new(tap::source(settings)),
            SourceSettings::Exec(settings) => Box::new(exec::source(settings)),
        }
    }

    /// One of each kind as a technician might set it, what it is for, and what each key means.
    pub fn examples() -> Vec<(SourceSettings, &'static str, &'static [Comment])> {
        let drive = SourceSettings::Drive;
        vec![
            (SourceSettings::Encoder(encoder::example()), encoder::ABOUT, encoder::COMMENTS),
            (SourceSettings::Contact(contact::example()), contact::ABOUT, contact::COMMENTS),
            (drive(drive::example()), drive::ABOUT, drive::COMMENTS),
            (drive(drive::example_custom()), drive::ABOUT_CUSTOM, drive::COMMENTS_CUSTOM),
            (SourceSettings::Biodex(biodex::example()), biodex::ABOUT, biodex::COMMENTS),
            (SourceSettings::Ftms(bluetooth::example()), bluetooth::ABOUT, bluetooth::COMMENTS),
            (
                SourceSettings::RunningSpeed(running_speed::example()),
                running_speed::ABOUT,
                running_speed::COMMENTS,
            ),
            (SourceSettings::Csafe(csafe::example()), csafe::ABOUT, csafe::COMMENTS),
            (SourceSettings::Tap(tap::example()), tap::ABOUT, tap::COMMENTS),
            (SourceSettings::Exec(exec::example()), exec::ABOUT, exec::COMMENTS),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(text: &str, parts: &[&str]) {
        let error = toml::from_str::<SourceSettings>(text).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
    }

    #[test]
    fn every_kind_refuses_a_key_that_is_none_of_its_own() {
        for (settings, _, comments) in SourceSettings::examples() {
            let mut table = toml::Table::try_from(&settings).unwrap();
            assert_eq!(toml::from_str(&table.to_string()), Ok(settings.clone()));
            table.insert("pol_ms".to_owned(), toml::Value::Integer(3));
            let all = comments.iter().map(|(key, _)| *key).collect::<Vec<_>>().join(", ");
            let kind = table["kind"].as_str().unwrap().to_owned();
            let name = settings.name();
            check_refused(
                &table.to_string(),
                &[&format!("source {name}: pol_ms is no setting of {kind}"), &all[..20]],
            );
            // A wrong kind is told all that are right.
            assert!(KINDS.split(", ").any(|known| known == kind), "{kind}");
        }
    }

    #[test]
    fn a_wrong_kind_or_value_is_named() {
        check_refused("name = \"x\"", &["kind is \"\"", "biodex, ftms"]);
        check_refused("kind = \"telepathy\"", &["kind is \"telepathy\"", "exec are allowed"]);
        let biodex = "kind = \"biodex\"\nname = \"b\"\nport = \"/dev/x\"\n";
        check_refused(biodex, &["source b", "speed_unit"]);
        check_refused(&format!("{biodex}speed_unit = \"mil\""), &["source b", "`mil`", "`miles`"]);
        let miles = format!("{biodex}speed_unit = \"miles\"\n");
        check_refused(&format!("{miles}invert = 1"), &["source b", "1", "boolean", "`invert`"]);
        check_refused(&format!("{miles}poll_ms = \"x\""), &["source b", "\"x\"", "u32"]);
    }
}
