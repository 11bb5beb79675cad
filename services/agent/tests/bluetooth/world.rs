//! What the fake bluetoothd has: adapters, machines, what they offer, and everything that was asked of it.

use std::collections::HashMap;

use zbus::zvariant::{ObjectPath, OwnedValue, Signature, Value};

pub(crate) const ADAPTER: &str = "org.bluez.Adapter1";
pub(crate) const PERIPHERAL: &str = "org.bluez.Device1";
pub(crate) const SERVICE: &str = "org.bluez.GattService1";
pub(crate) const CHARACTERISTIC: &str = "org.bluez.GattCharacteristic1";

pub(crate) const ADDRESS: &str = "AA:BB:CC:DD:EE:FF";

pub(crate) type Properties = HashMap<String, OwnedValue>;
/// An object's interfaces with their properties.
pub(crate) type Interfaces = HashMap<String, Properties>;

/// One method call that somebody made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) interface: String,
    pub(crate) method: String,
}

/// An error: the last part of its name, and words.
pub(crate) type Refusal = (&'static str, &'static str);

/// Everything that there is.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) calls: Vec<Call>,
    pub(crate) adapters: Vec<Adapter>,
    pub(crate) machines: Vec<Machine>,
    /// Nobody owns the name: bluetoothd does not run.
    pub(crate) is_absent: bool,
    /// Everybody is refused: no policy lets this user in.
    pub(crate) is_forbidden: bool,
    /// The filter that was set last.
    pub(crate) filter: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Adapter {
    pub(crate) name: &'static str,
    pub(crate) is_powered: bool,
    pub(crate) power_state: Option<&'static str>,
    pub(crate) is_discovering: bool,
}

#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) address: &'static str,
    pub(crate) name: Option<&'static str>,
    /// bluetoothd has an object of it.
    pub(crate) is_known: bool,
    /// It is heard while something discovers.
    pub(crate) is_in_range: bool,
    /// Flags and type that it advertises with the fitness machine service.
    pub(crate) announced: Option<[u8; 3]>,
    pub(crate) connect: Result<(), Refusal>,
    /// Services are named right after the connection, or only when the test says so.
    pub(crate) is_resolved_at_once: bool,
    pub(crate) is_connected: bool,
    pub(crate) is_resolved: bool,
    /// First handle: where its objects are changes with it.
    pub(crate) base: u16,
    pub(crate) attributes: Vec<Attribute>,
}

#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) service: u16,
    pub(crate) number: u16,
    pub(crate) flags: Vec<&'static str>,
    pub(crate) value: Result<Vec<u8>, Refusal>,
    pub(crate) start: Result<(), Refusal>,
    pub(crate) is_notifying: bool,
}

pub(crate) fn adapter(name: &'static str) -> Adapter {
    Adapter { name, is_powered: true, power_state: None, is_discovering: false }
}

pub(crate) fn attribute(service: u16, number: u16, flags: &[&'static str], value: &[u8]) -> Attribute {
    Attribute {
        service,
        number,
        flags: flags.to_vec(),
        value: Ok(value.to_vec()),
        start: Ok(()),
        is_notifying: false,
    }
}

/// A treadmill as most are, in range and not known yet.
pub(crate) fn treadmill() -> Machine {
    let notify = ["notify"];
    Machine {
        address: ADDRESS,
        name: Some("TREADMILL"),
        is_known: false,
        is_in_range: true,
        announced: Some([1, 1, 0]),
        connect: Ok(()),
        is_resolved_at_once: true,
        is_connected: false,
        is_resolved: false,
        base: 0x20,
        attributes: vec![
            attribute(0x1826, 0x2ACC, &["read"], &[0x0c, 0x10, 0, 0, 0, 0, 0, 0]),
            attribute(0x1826, 0x2AD4, &["read"], &[0x50, 0, 0xd0, 0x07, 0x0a, 0]),
            attribute(0x1826, 0x2AD5, &["read"], &[0, 0, 0x96, 0, 5, 0]),
            attribute(0x1826, 0x2ACD, &notify, &[]),
            attribute(0x1826, 0x2ADA, &notify, &[]),
            attribute(0x1826, 0x2AD3, &["read", "notify"], &[0, 1]),
            // What nobody may touch.
            attribute(0x1826, 0x2AD9, &["write", "indicate"], &[]),
            attribute(0x180D, 0x2A37, &notify, &[]),
        ],
    }
}

/// One adapter and one treadmill.
pub(crate) fn gym() -> World {
    World { adapters: vec![adapter("hci0")], machines: vec![treadmill()], ..World::default() }
}

pub(crate) fn uuid(short: u16) -> String {
    format!("0000{short:04x}-0000-1000-8000-00805f9b34fb")
}

pub(crate) fn properties<const N: usize>(values: [(&str, Value<'_>); N]) -> Properties {
    values.into_iter().map(|(name, value)| (name.to_owned(), OwnedValue::try_from(value).unwrap())).collect()
}

fn path(text: &str) -> Value<'static> {
    Value::from(ObjectPath::try_from(text.to_owned()).unwrap())
}

impl Adapter {
    pub(crate) fn path(&self) -> String {
        format!("/org/bluez/{}", self.name)
    }

    fn properties(&self) -> Properties {
        let mut all = properties([("Powered", Value::from(self.is_powered))]);
        if let Some(state) = self.power_state {
            all.extend(properties([("PowerState", Value::from(state))]));
        }
        all
    }
}

impl Machine {
    pub(crate) fn path(&self) -> String {
        format!("/org/bluez/hci0/dev_{}", self.address.replace(':', "_"))
    }

    /// What an advertisement changes.
    pub(crate) fn heard(&self) -> Properties {
        let mut all = properties([("RSSI", Value::from(-60_i16))]);
        if let Some(octets) = self.announced {
            let mut dict = zbus::zvariant::Dict::new(&Signature::Str, &Signature::Variant);
            let told = Value::Value(Box::new(Value::from(octets.to_vec())));
            dict.append(Value::from(uuid(0x1826)), told).unwrap();
            all.extend(properties([
                ("ServiceData", Value::Dict(dict)),
                ("UUIDs", Value::from(vec![uuid(0x1826)])),
            ]));
        }
        all
    }

    pub(crate) fn properties(&self) -> Properties {
        let mut all = properties([
            ("Adapter", path("/org/bluez/hci0")),
            ("Address", Value::from(self.address)),
            ("Alias", Value::from(self.name.unwrap_or(self.address))),
            ("Connected", Value::from(self.is_connected)),
            ("ServicesResolved", Value::from(self.is_resolved)),
            ("Paired", Value::from(false)),
        ]);
        if let Some(name) = self.name {
            all.extend(properties([("Name", Value::from(name))]));
        }
        all
    }

    fn service_path(&self, service: u16) -> String {
        let services = self.services();
        let index = services.iter().position(|each| *each == service).unwrap();
        format!("{}/service{:04x}", self.path(), self.base + u16::try_from(index).unwrap() * 0x40)
    }

    fn services(&self) -> Vec<u16> {
        let mut services: Vec<u16> = self.attributes.iter().map(|attribute| attribute.service).collect();
        services.dedup();
        services
    }

    /// The path of an attribute.
    pub(crate) fn attribute_path(&self, index: usize) -> String {
        let attribute = &self.attributes[index];
        let handle = self.base + 2 * u16::try_from(index).unwrap() + 1;
        format!("{}/char{handle:04x}", self.service_path(attribute.service))
    }

    /// Objects of its services, which are there while they are resolved.
    pub(crate) fn below(&self) -> Vec<(String, Interfaces)> {
        let mut all = Vec::new();
        for service in self.services() {
            let told = properties([("UUID", Value::from(uuid(service))), ("Device", path(&self.path()))]);
            all.push((self.service_path(service), HashMap::from([(SERVICE.to_owned(), told)])));
        }
        for (index, attribute) in self.attributes.iter().enumerate() {
            let told = properties([
                ("UUID", Value::from(uuid(attribute.number))),
                ("Service", path(&self.service_path(attribute.service))),
                ("Flags", Value::from(attribute.flags.clone())),
                ("Notifying", Value::from(attribute.is_notifying)),
            ]);
            all.push((self.attribute_path(index), HashMap::from([(CHARACTERISTIC.to_owned(), told)])));
        }
        all
    }

    /// The connection has ended, for whatever reason.
    pub(crate) fn drop_connection(&mut self) {
        self.is_connected = false;
        self.is_resolved = false;
        for attribute in &mut self.attributes {
            attribute.is_notifying = false;
        }
    }

    pub(crate) fn listens(&self, number: u16) -> bool {
        self.attributes.iter().any(|attribute| attribute.number == number && attribute.is_notifying)
    }
}

impl World {
    /// All objects, as the object manager gives them.
    pub(crate) fn objects(&self) -> Vec<(String, Interfaces)> {
        let mut all = vec![];
        for adapter in &self.adapters {
            all.push((adapter.path(), HashMap::from([(ADAPTER.to_owned(), adapter.properties())])));
        }
        for machine in self.machines.iter().filter(|machine| machine.is_known) {
            all.push((machine.path(), HashMap::from([(PERIPHERAL.to_owned(), machine.properties())])));
            if machine.is_resolved {
                all.extend(machine.below());
            }
        }
        all
    }

    /// The only machine of most tests.
    pub(crate) fn machine(&mut self) -> &mut Machine {
        &mut self.machines[0]
    }

    /// Methods that were called, each once, in alphabetical order.
    pub(crate) fn methods(&self) -> Vec<String> {
        let mut all: Vec<String> =
            self.calls.iter().map(|call| format!("{}.{}", call.interface, call.method)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    pub(crate) fn count(&self, method: &str) -> usize {
        self.calls.iter().filter(|call| call.method == method).count()
    }
}
