//! The part of the settings that is the same for all sources over Bluetooth: which machine, how it is found, when it is
//! silent.

use std::time::Duration;

use domain::units::MILLI;
use serde::{Deserialize, Serialize};

use super::place::Place;
use crate::config::Comment;

/// The machine that is listened to. Texts that are empty say nothing.
///
/// Its keys stand among those of the kind. That no other key is there is seen to where the kind's settings are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sought {
    /// Its Bluetooth address.
    #[serde(default)]
    pub address: String,
    /// How the name begins that it advertises.
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
    /// It advertises the service that is listened to.
    #[serde(default = "advertises_service")]
    pub advertises_service: bool,
    /// Its usual period, in milliseconds. It is silent after three of them, at least 2 s.
    #[serde(default = "period_ms")]
    pub period_ms: u32,
}

fn discovery_seconds() -> u32 {
    20
}

fn advertises_service() -> bool {
    true
}

fn period_ms() -> u32 {
    1000
}

/// What its keys mean where a kind has nothing more to say of them.
pub(super) const MACHINE: Comment =
    ("machine", "Without an address: how the name begins that it advertises. With one: both must fit.");
pub(super) const ADAPTER: Comment =
    ("adapter", "The adapter, as in \"hci0\". Empty: the first one that is switched on.");
pub(super) const BUS: Comment =
    ("bus", "Address of the D-Bus on which bluetoothd is. Empty: the system bus.");
pub(super) const DISCOVERY: Comment =
    ("discovery_seconds", "How long it is looked for before the next pause, 1 to 300.");
pub(super) const PERIOD: Comment =
    ("period_ms", "Its usual period, in milliseconds. It is silent after three of them, at least 2 s.");

impl Sought {
    /// The machine with this address, as is usual.
    pub fn at(address: &str) -> Sought {
        Sought {
            address: address.to_owned(),
            machine: String::new(),
            adapter: String::new(),
            bus: String::new(),
            discovery_seconds: discovery_seconds(),
            advertises_service: advertises_service(),
            period_ms: period_ms(),
        }
    }

    /// Whether the values are allowed; else field, value and what is allowed.
    pub(super) fn check(&self) -> Result<(), String> {
        self.place().check()?;
        if !(10..=60_000).contains(&self.period_ms) {
            return Err(format!("period_ms is {}: 10 to 60000 is allowed", self.period_ms));
        }
        Ok(())
    }

    /// Its usual period, in microseconds.
    pub(super) fn period_us(&self) -> u64 {
        u64::from(self.period_ms) * MILLI
    }

    /// Where it is to be found.
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

/// A text, if it says anything.
fn given(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}
