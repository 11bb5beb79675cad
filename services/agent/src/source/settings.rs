//! The sources that a configuration can name.

use serde::{Deserialize, Serialize};

use super::bluetooth::{self, running_speed};
use super::{Source, biodex, contact, csafe, drive, encoder, exec, tap};
use crate::config::Comment;

/// One source, by its `kind`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
