//! From an adapter to a machine that is connected: choosing, discovering, connecting.
//!
//! Nothing is set: an adapter that is off stays off.

use std::collections::HashMap;
use std::time::Duration;

use zbus::Connection;
use zbus::zvariant::Value;

use super::bus::{Bluez, Refused};
use super::place::Place;
use super::tree::{Adapter, Peripheral, Tree};
use super::wanted::uuid;
use crate::source::Lost;

pub(super) const ADAPTER: &str = "org.bluez.Adapter1";
pub(super) const PERIPHERAL: &str = "org.bluez.Device1";
/// How long an adapter may take to begin or end a discovery.
const ADAPTER_ANSWER: Duration = Duration::from_secs(10);
/// How long a connection may take: bluetoothd itself gives up before.
const CONNECT: Duration = Duration::from_secs(45);
/// How long a machine may take to name its services.
const RESOLVE: Duration = Duration::from_secs(30);

/// The path of the adapter that is to be used.
pub(super) fn adapter(tree: &Tree, wanted: Option<&str>) -> Result<String, Lost> {
    let named = |path: &str, name: &str| path.rsplit('/').next() == Some(name);
    let chosen = match wanted {
        Some(name) => tree.adapters.iter().find(|(path, _)| named(path, name)),
        None => {
            let powered = tree.adapters.iter().find(|(_, adapter)| adapter.is_powered);
            powered.or_else(|| tree.adapters.iter().next())
        }
    };
    let Some((path, adapter)) = chosen else {
        let there: Vec<&str> = tree.adapters.keys().filter_map(|path| path.rsplit('/').next()).collect();
        return Err(Lost(match (wanted, there.as_slice()) {
            (None, _) => "there is no Bluetooth adapter".to_owned(),
            (Some(name), []) => format!("there is no Bluetooth adapter {name}, nor any other"),
            (Some(name), _) => format!("there is no Bluetooth adapter {name}; there is {}", there.join(", ")),
        }));
    };
    is_on(path, Some(adapter))?;
    Ok(path.clone())
}

/// Whether an adapter is there and switched on.
fn is_on(path: &str, adapter: Option<&Adapter>) -> Result<(), Lost> {
    let name = path.rsplit('/').next().unwrap_or(path);
    match adapter {
        None => Err(Lost(format!("the Bluetooth adapter {name} was unplugged"))),
        Some(Adapter { is_powered: true, .. }) => Ok(()),
        Some(Adapter { power_state: Some(state), .. }) if state == "off-blocked" => {
            Err(Lost(format!("the Bluetooth adapter {name} is blocked (rfkill unblock bluetooth)")))
        }
        Some(_) => Err(Lost(format!("the Bluetooth adapter {name} is off (bluetoothctl power on)"))),
    }
}

/// Whether machine and adapter are still as they must be to be listened to.
pub(super) fn stands(tree: &Tree, adapter: &str, machine: &str) -> Result<(), Lost> {
    is_on(adapter, tree.adapters.get(adapter))?;
    match tree.peripherals.get(machine) {
        None => Err(Lost("bluetoothd has forgotten the machine".to_owned())),
        Some(Peripheral { is_connected: false, .. }) => {
            Err(Lost("the connection to the machine has ended".to_owned()))
        }
        Some(Peripheral { is_resolved: false, .. }) => {
            Err(Lost("the machine has changed its services".to_owned()))
        }
        Some(_) => Ok(()),
    }
}

/// Those at an adapter that fit.
fn fitting<'a>(tree: &'a Tree, adapter: &str, place: &Place) -> Vec<(&'a String, &'a Peripheral)> {
    let fits =
        |known: &Peripheral| known.adapter == adapter && place.fits(&known.address, known.name.as_deref());
    tree.peripherals.iter().filter(|(_, known)| fits(known)).collect()
}

/// The only one of several, if there is one at all.
fn only(found: Vec<(&String, &Peripheral)>, place: &Place) -> Result<Option<String>, Lost> {
    if found.len() > 1 {
        let mut addresses: Vec<&str> = found.iter().map(|(_, known)| known.address.as_str()).collect();
        addresses.truncate(4);
        let (number, words) = (found.len(), place.words());
        return Err(Lost(format!("{number} machines fit {words}: {}; set address", addresses.join(", "))));
    }
    Ok(found.first().map(|(path, _)| (*path).clone()))
}

impl Bluez {
    /// The path of the machine. One that bluetoothd knows is not looked for, unless `afresh`: it may be long gone.
    pub(super) async fn find(
        &mut self,
        adapter: &str,
        place: &Place,
        service: u16,
        afresh: bool,
    ) -> Result<String, Lost> {
        let known = only(fitting(&self.tree, adapter, place), place)?;
        let is_connected =
            |path: &String| self.tree.peripherals.get(path).is_some_and(|known| known.is_connected);
        if let Some(path) = known.filter(|path| !afresh || is_connected(path)) {
            return Ok(path);
        }
        self.discover(adapter, place.advertises_service.then_some(service)).await?;
        let found = self
            .until(place.discovery, |tree| {
                if let Err(lost) = is_on(adapter, tree.adapters.get(adapter)) {
                    return Some(Err(lost));
                }
                let seen = fitting(tree, adapter, place).into_iter().filter(|(_, known)| known.is_seen);
                only(seen.collect(), place).transpose()
            })
            .await?;
        // A connection is not made while the adapter discovers.
        self.stop_discovery(adapter).await?;
        let path = found.transpose()?;
        path.ok_or_else(|| {
            let others = self.tree.peripherals.values().filter(|known| known.is_seen).count();
            let (seconds, words) = (place.discovery.as_secs(), place.words());
            Lost(format!("{words} was not seen in {seconds} s, {others} others were"))
        })
    }

    /// Begins to discover. It ends with this conversation, if not before.
    pub(super) async fn discover(&mut self, adapter: &str, service: Option<u16>) -> Result<(), Lost> {
        self.tree.forget_seen();
        let mut filter = HashMap::from([("Transport", Value::from("le"))]);
        if let Some(service) = service {
            filter.insert("UUIDs", Value::from(vec![uuid(service)]));
        }
        let fails = |refused: Refused| refused.lost("the adapter does not discover");
        self.call(adapter, ADAPTER, "SetDiscoveryFilter", &filter, ADAPTER_ANSWER).await.map_err(fails)?;
        match self.call(adapter, ADAPTER, "StartDiscovery", &(), ADAPTER_ANSWER).await {
            Ok(_) => Ok(()),
            // It discovers already, for us or for somebody else.
            Err(refused) if refused.is("InProgress") => Ok(()),
            Err(refused) => Err(fails(refused)),
        }
    }

    /// Ends a discovery. That there is none any more is no failure.
    pub(super) async fn stop_discovery(&mut self, adapter: &str) -> Result<(), Lost> {
        match self.call(adapter, ADAPTER, "StopDiscovery", &(), ADAPTER_ANSWER).await {
            Ok(_) | Err(Refused::Error { .. } | Refused::Late) => Ok(()),
            Err(Refused::Lost(lost)) => Err(lost),
        }
    }

    /// Connects a machine and waits until its services are known.
    pub(super) async fn connect(&mut self, machine: &str) -> Result<Link, Lost> {
        let was_connected = self.tree.peripherals.get(machine).is_some_and(|known| known.is_connected);
        let mut link =
            Link { connection: self.connection(), machine: machine.to_owned(), is_ours: !was_connected };
        match self.call(machine, PERIPHERAL, "Connect", &(), CONNECT).await {
            Ok(_) => {}
            // Somebody else has connected it, or is about to.
            Err(refused) if refused.is("AlreadyConnected") || refused.is("InProgress") => {
                link.is_ours = false
            }
            Err(refused) => return Err(refused.lost("the machine cannot be connected")),
        }
        let mut was_connected = false;
        let resolved = self
            .until(RESOLVE, |tree| {
                let Some(known) = tree.peripherals.get(machine) else {
                    return Some(Err("bluetoothd has forgotten the machine"));
                };
                if was_connected && !known.is_connected {
                    return Some(Err("the machine has ended the connection at once"));
                }
                was_connected |= known.is_connected;
                (known.is_connected && known.is_resolved).then_some(Ok(()))
            })
            .await?;
        match resolved {
            Some(Ok(())) => Ok(link),
            Some(Err(words)) => Err(Lost(words.to_owned())),
            None => Err(Lost(format!("the machine did not name its services in {} s", RESOLVE.as_secs()))),
        }
    }
}

/// A connection to a machine. Dropping it ends the connection if it was made here: a machine has few of them.
#[derive(Debug)]
pub(super) struct Link {
    connection: Connection,
    machine: String,
    is_ours: bool,
}

impl Drop for Link {
    fn drop(&mut self) {
        let Some(runtime) = tokio::runtime::Handle::try_current().ok().filter(|_| self.is_ours) else {
            return;
        };
        let (connection, machine) = (self.connection.clone(), std::mem::take(&mut self.machine));
        runtime.spawn(async move {
            let call =
                connection.call_method(Some("org.bluez"), machine, Some(PERIPHERAL), "Disconnect", &());
            if let Err(error) = tokio::time::timeout(ADAPTER_ANSWER, call)
                .await
                .unwrap_or_else(|late| Err(zbus::Error::Failure(late.to_string())))
            {
                tracing::debug!(%error, "the machine was not disconnected");
            }
        });
    }
}

#[cfg(test)]
mod tests;
