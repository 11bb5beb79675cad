//! Which fitness machines are around, for a technician who does not know their addresses.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::bus::Bluez;
use super::find;
use super::presets;
use super::tree::Peripheral;
use super::wanted::FITNESS_MACHINE;
use crate::source::Lost;

/// A machine that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Its Bluetooth address.
    pub address: String,
    /// The name that it advertises.
    pub name: Option<String>,
    /// Strength of the last that was heard of it, in dBm; nearer is greater.
    pub rssi_dbm: Option<i16>,
    /// Whether it says that it can be used now; `None`: it does not say.
    pub is_available: Option<bool>,
    /// Whether it says that it is a treadmill; `None`: it does not say.
    pub is_treadmill: Option<bool>,
    /// Whether it says that it has the fitness machine service. If not, it is known by its name, and
    /// `advertises_service` has to be false.
    pub advertises_service: bool,
    /// Whether it is connected to this computer.
    pub is_connected: bool,
    /// The known model that its name fits.
    pub model: Option<&'static str>,
}

/// Listens for so long and gives all fitness machines that were heard, the strongest first.
///
/// # Errors
///
/// If there is no bus, no bluetoothd or no adapter that is switched on, in words.
pub async fn around(bus: Option<&str>, adapter: Option<&str>, time: Duration) -> Result<Vec<Seen>, Lost> {
    let mut bluez = Bluez::open(bus).await?;
    let adapter = find::adapter(&bluez.tree, adapter)?;
    // Without a filter: some consoles advertise only a service of their vendor's.
    bluez.discover(&adapter, None).await?;
    let mut strongest = std::collections::BTreeMap::new();
    let over = Instant::now() + time;
    while let Some(left) = over.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        if let Ok(heard) = tokio::time::timeout(left, bluez.hear()).await {
            heard?;
        }
        find::adapter(&bluez.tree, adapter.rsplit('/').next())?;
        for (path, known) in &bluez.tree.peripherals {
            // A strength is gone as soon as the discovery ends.
            if let Some(rssi) = known.rssi.filter(|_| known.is_seen) {
                strongest.insert(path.clone(), rssi);
            }
        }
    }
    bluez.stop_discovery(&adapter).await?;
    let here = bluez.tree.peripherals.iter().filter(|(_, known)| known.adapter == adapter);
    let mut seen: Vec<Seen> =
        here.filter_map(|(path, known)| seen(known, strongest.get(path).copied())).collect();
    seen.sort_by(|one, other| {
        other.rssi_dbm.cmp(&one.rssi_dbm).then_with(|| one.address.cmp(&other.address))
    });
    Ok(seen)
}

/// What is told of a machine; `None`: it is no fitness machine, or was not there.
fn seen(known: &Peripheral, rssi_dbm: Option<i16>) -> Option<Seen> {
    let model = known.name.as_deref().and_then(presets::advertised).map(|preset| preset.name);
    let advertises_service = known.advertises(FITNESS_MACHINE);
    let is_there = known.is_seen || known.is_connected;
    (is_there && (advertises_service || model.is_some())).then(|| Seen {
        address: known.address.clone(),
        name: known.name.clone(),
        rssi_dbm,
        is_available: known.announced.map(|announced| announced.is_available),
        is_treadmill: known.announced.map(|announced| announced.is_treadmill),
        advertises_service,
        is_connected: known.is_connected,
        model,
    })
}
