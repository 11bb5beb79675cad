//! What bluetoothd has told of its adapters, of machines and of what they offer.

use std::collections::{BTreeMap, HashMap};

use domain::limits::{BLUETOOTH_ATTRIBUTES_MAX, BLUETOOTH_PERIPHERALS_MAX};
use zbus::zvariant::{OwnedValue, Value};

use super::wanted::{FITNESS_MACHINE, uuid};

/// Properties of one interface of one object.
pub(super) type Properties = HashMap<String, OwnedValue>;

const ADAPTER: &str = "org.bluez.Adapter1";
const PERIPHERAL: &str = "org.bluez.Device1";
const SERVICE: &str = "org.bluez.GattService1";
pub(super) const CHARACTERISTIC: &str = "org.bluez.GattCharacteristic1";

/// A Bluetooth adapter of this computer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Adapter {
    pub(super) is_powered: bool,
    /// Newer versions of bluetoothd say why it is off: `off-blocked` means rfkill.
    pub(super) power_state: Option<String>,
}

/// Something with a Bluetooth address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Peripheral {
    pub(super) adapter: String,
    pub(super) address: String,
    pub(super) name: Option<String>,
    /// Strength of what it advertises, in dBm; only while something discovers.
    pub(super) rssi: Option<i16>,
    pub(super) is_connected: bool,
    pub(super) is_resolved: bool,
    pub(super) services: Vec<String>,
    pub(super) announced: Option<Announced>,
    /// It was heard since [`Tree::forget_seen`].
    pub(super) is_seen: bool,
}

/// What a fitness machine advertises: FTMS 1.0, 3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Announced {
    /// It can be used now.
    pub(super) is_available: bool,
    /// It is a treadmill.
    pub(super) is_treadmill: bool,
}

/// A characteristic of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Attribute {
    pub(super) uuid: String,
    /// Path of its service.
    pub(super) service: String,
    pub(super) flags: Vec<String>,
    pub(super) is_notifying: bool,
}

impl Attribute {
    /// Whether it can be listened to.
    pub(super) fn notifies(&self) -> bool {
        self.flags.iter().any(|flag| flag == "notify" || flag == "indicate")
    }
}

/// All objects, by their paths.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) adapters: BTreeMap<String, Adapter>,
    pub(super) peripherals: BTreeMap<String, Peripheral>,
    /// UUIDs of services.
    services: BTreeMap<String, String>,
    pub(super) attributes: BTreeMap<String, Attribute>,
}

impl Tree {
    /// Properties of an interface that is new or has changed. Others than the four that matter here are passed over.
    pub(super) fn update(&mut self, path: &str, interface: &str, properties: &Properties) {
        match interface {
            ADAPTER => self.adapters.entry(path.to_owned()).or_default().update(properties),
            PERIPHERAL => {
                if let Some(peripheral) = entry(&mut self.peripherals, path, BLUETOOTH_PERIPHERALS_MAX) {
                    peripheral.update(properties);
                }
            }
            SERVICE => {
                let service = entry(&mut self.services, path, BLUETOOTH_ATTRIBUTES_MAX);
                if let Some((service, told)) = service.zip(text(properties, "UUID")) {
                    *service = told;
                }
            }
            CHARACTERISTIC => {
                if let Some(attribute) = entry(&mut self.attributes, path, BLUETOOTH_ATTRIBUTES_MAX) {
                    attribute.update(properties);
                }
            }
            _ => {}
        }
    }

    /// Properties that have no value any more.
    pub(super) fn invalidate(&mut self, path: &str, interface: &str, names: &[String]) {
        let Some(peripheral) = self.peripherals.get_mut(path).filter(|_| interface == PERIPHERAL) else {
            return;
        };
        if names.iter().any(|name| name == "RSSI") {
            peripheral.rssi = None;
        }
    }

    /// Interfaces of an object that are gone.
    pub(super) fn remove(&mut self, path: &str, interfaces: &[String]) {
        for interface in interfaces {
            match interface.as_str() {
                ADAPTER => drop(self.adapters.remove(path)),
                PERIPHERAL => drop(self.peripherals.remove(path)),
                SERVICE => drop(self.services.remove(path)),
                CHARACTERISTIC => drop(self.attributes.remove(path)),
                _ => {}
            }
        }
    }

    /// From now on, only what is heard counts as seen.
    pub(super) fn forget_seen(&mut self) {
        for peripheral in self.peripherals.values_mut() {
            peripheral.is_seen = false;
        }
    }

    /// Whether a machine has a service.
    pub(super) fn has_service(&self, machine: &str, service: u16) -> bool {
        let wanted = uuid(service);
        self.services.iter().any(|(path, told)| is_below(path, machine) && told.eq_ignore_ascii_case(&wanted))
    }

    /// A machine's characteristic of one of its services, with its path.
    pub(super) fn attribute(&self, machine: &str, service: u16, short: u16) -> Option<(&str, &Attribute)> {
        let (wanted, service) = (uuid(short), uuid(service));
        let fits = |path: &str, attribute: &Attribute| {
            let of = self.services.get(&attribute.service);
            is_below(path, machine)
                && attribute.uuid.eq_ignore_ascii_case(&wanted)
                && of.is_some_and(|of| of.eq_ignore_ascii_case(&service))
        };
        let found = self.attributes.iter().find(|(path, attribute)| fits(path, attribute));
        found.map(|(path, attribute)| (path.as_str(), attribute))
    }
}

impl Adapter {
    fn update(&mut self, properties: &Properties) {
        self.is_powered = flag(properties, "Powered").unwrap_or(self.is_powered);
        self.power_state = text(properties, "PowerState").or(self.power_state.take());
    }
}

impl Peripheral {
    fn update(&mut self, properties: &Properties) {
        if let Some(adapter) = properties.get("Adapter").and_then(path_of) {
            self.adapter = adapter;
        }
        if let Some(address) = text(properties, "Address") {
            self.address = address;
        }
        self.name = text(properties, "Name").or(self.name.take());
        let rssi = properties.get("RSSI").and_then(|value| i16::try_from(value).ok());
        self.is_seen |= rssi.is_some();
        self.rssi = rssi.or(self.rssi);
        self.is_connected = flag(properties, "Connected").unwrap_or(self.is_connected);
        self.is_resolved = flag(properties, "ServicesResolved").unwrap_or(self.is_resolved);
        if let Some(services) = properties.get("UUIDs").and_then(texts) {
            self.services = services;
        }
        self.announced = properties.get("ServiceData").and_then(announced).or(self.announced);
    }

    /// Whether it says that it has a service.
    pub(super) fn advertises(&self, service: u16) -> bool {
        let wanted = uuid(service);
        self.services.iter().any(|told| told.eq_ignore_ascii_case(&wanted))
            || (service == FITNESS_MACHINE && self.announced.is_some())
    }
}

impl Attribute {
    fn update(&mut self, properties: &Properties) {
        if let Some(told) = text(properties, "UUID") {
            self.uuid = told;
        }
        if let Some(service) = properties.get("Service").and_then(path_of) {
            self.service = service;
        }
        if let Some(flags) = properties.get("Flags").and_then(texts) {
            self.flags = flags;
        }
        self.is_notifying = flag(properties, "Notifying").unwrap_or(self.is_notifying);
    }
}

/// The entry of a path, made if there is room.
fn entry<'a, T: Default>(map: &'a mut BTreeMap<String, T>, path: &str, most: usize) -> Option<&'a mut T> {
    if map.len() >= most && !map.contains_key(path) {
        return None;
    }
    Some(map.entry(path.to_owned()).or_default())
}

fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

fn flag(properties: &Properties, name: &str) -> Option<bool> {
    properties.get(name).and_then(|value| bool::try_from(value).ok())
}

fn text(properties: &Properties, name: &str) -> Option<String> {
    properties.get(name).and_then(|value| <&str>::try_from(value).ok()).map(str::to_owned)
}

fn path_of(value: &OwnedValue) -> Option<String> {
    let Value::ObjectPath(path) = &**value else { return None };
    Some(path.as_str().to_owned())
}

fn texts(value: &OwnedValue) -> Option<Vec<String>> {
    let Value::Array(array) = &**value else { return None };
    Some(array.iter().filter_map(|each| <&str>::try_from(each).ok()).map(str::to_owned).collect())
}

/// Octets of a value.
pub(super) fn octets(value: &OwnedValue) -> Option<Vec<u8>> {
    let Value::Array(array) = &**value else { return None };
    array.iter().map(|each| u8::try_from(each).ok()).collect()
}

/// Flags u8, bit 0: available; machine type u16, bit 0: treadmill.
fn announced(value: &OwnedValue) -> Option<Announced> {
    let Value::Dict(dict) = &**value else { return None };
    let wanted = uuid(FITNESS_MACHINE);
    let (_, told) = dict
        .iter()
        .find(|(key, _)| <&str>::try_from(*key).is_ok_and(|key| key.eq_ignore_ascii_case(&wanted)))?;
    let told = if let Value::Value(inner) = told { inner } else { told };
    let Value::Array(array) = told else { return None };
    let octets: Vec<u8> = array.iter().filter_map(|each| u8::try_from(each).ok()).collect();
    let [flags, kind, ..] = octets.as_slice() else { return None };
    Some(Announced { is_available: flags & 1 != 0, is_treadmill: kind & 1 != 0 })
}

#[cfg(test)]
mod tests;
