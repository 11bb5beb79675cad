//! What is kept of what bluetoothd tells.

use super::*;

const HCI0: &str = "/org/bluez/hci0";
const MACHINE: &str = "/org/bluez/hci0/dev_AA";

fn properties<const N: usize>(values: [(&str, Value<'_>); N]) -> Properties {
    values.into_iter().map(|(name, value)| (name.to_owned(), OwnedValue::try_from(value).unwrap())).collect()
}

fn path(text: &str) -> Value<'_> {
    Value::from(zbus::zvariant::ObjectPath::try_from(text).unwrap())
}

/// A machine with one service and one characteristic.
fn machine(service: u16, short: u16) -> Tree {
    let mut tree = Tree::default();
    tree.update(HCI0, ADAPTER, &properties([("Powered", Value::from(true))]));
    tree.update(MACHINE, PERIPHERAL, &properties([("Adapter", path(HCI0)), ("Address", Value::from("AA"))]));
    let (below, at) = (format!("{MACHINE}/service0020"), format!("{MACHINE}/service0020/char0021"));
    tree.update(&below, SERVICE, &properties([("UUID", Value::from(uuid(service)))]));
    let flags = Value::from(vec!["notify"]);
    let told = [("UUID", Value::from(uuid(short))), ("Service", path(&below)), ("Flags", flags)];
    tree.update(&at, CHARACTERISTIC, &properties(told));
    tree
}

#[test]
fn a_characteristic_belongs_to_its_service_and_machine() {
    let tree = machine(FITNESS_MACHINE, 0x2ACD);
    let (at, found) = tree.attribute(MACHINE, FITNESS_MACHINE, 0x2ACD).expect("it is there");
    assert!(at.ends_with("char0021") && found.notifies());
    assert!(tree.has_service(MACHINE, FITNESS_MACHINE));
    let check = |machine: &str, service: u16, short: u16| {
        assert_eq!(tree.attribute(machine, service, short), None, "{machine} {service:x} {short:x}");
    };
    check("/org/bluez/hci0/dev_A", FITNESS_MACHINE, 0x2ACD);
    check(MACHINE, 0x180D, 0x2ACD);
    check(MACHINE, FITNESS_MACHINE, 0x2ADA);
    // The same number in a service of a vendor's own is another thing.
    assert_eq!(machine(0xFFF0, 0x2ACD).attribute(MACHINE, FITNESS_MACHINE, 0x2ACD), None);
}

#[test]
fn what_changes_replaces_and_what_goes_is_gone() {
    let mut tree = machine(FITNESS_MACHINE, 0x2ACD);
    assert!(!tree.peripherals[MACHINE].is_seen);
    tree.update(
        MACHINE,
        PERIPHERAL,
        &properties([("RSSI", Value::from(-60_i16)), ("Name", Value::from("T9"))]),
    );
    let known = &tree.peripherals[MACHINE];
    assert_eq!((known.rssi, known.name.as_deref(), known.is_seen), (Some(-60), Some("T9"), true));
    assert_eq!(known.address, "AA", "what is not named stays");
    tree.invalidate(MACHINE, PERIPHERAL, &["RSSI".to_owned()]);
    tree.forget_seen();
    assert_eq!((tree.peripherals[MACHINE].rssi, tree.peripherals[MACHINE].is_seen), (None, false));
    tree.remove(HCI0, &["org.bluez.Media1".to_owned()]);
    assert!(tree.adapters[HCI0].is_powered);
    tree.remove(HCI0, &[ADAPTER.to_owned()]);
    tree.remove(MACHINE, &[PERIPHERAL.to_owned()]);
    assert!(tree.adapters.is_empty() && tree.peripherals.is_empty());
}

#[test]
fn what_a_machine_advertises_is_read() {
    let check = |octets: &[u8], expected: Option<(bool, bool)>| {
        let mut dict =
            zbus::zvariant::Dict::new(&zbus::zvariant::Signature::Str, &zbus::zvariant::Signature::Variant);
        dict.append(Value::from(uuid(FITNESS_MACHINE)), Value::Value(Box::new(Value::from(octets.to_vec()))))
            .unwrap();
        let mut tree = Tree::default();
        tree.update(MACHINE, PERIPHERAL, &properties([("ServiceData", Value::Dict(dict))]));
        let known = &tree.peripherals[MACHINE];
        let told = known.announced.map(|announced| (announced.is_available, announced.is_treadmill));
        assert_eq!(told, expected, "{octets:?}");
        assert_eq!(known.advertises(FITNESS_MACHINE), expected.is_some());
    };
    check(&[1, 1, 0], Some((true, true)));
    check(&[0, 1, 0], Some((false, true)));
    check(&[1, 0x20, 0], Some((true, false)));
    check(&[1, 1], Some((true, true)));
    check(&[1], None);
}

#[test]
fn values_of_the_wrong_kind_are_passed_over() {
    let mut tree = machine(FITNESS_MACHINE, 0x2ACD);
    tree.update(HCI0, ADAPTER, &properties([("Powered", Value::from("yes"))]));
    assert!(tree.adapters[HCI0].is_powered);
    tree.update(MACHINE, PERIPHERAL, &properties([("RSSI", Value::from(3_u8)), ("Name", Value::from(true))]));
    assert_eq!((tree.peripherals[MACHINE].rssi, tree.peripherals[MACHINE].name.as_deref()), (None, None));
    let value = |value: Value<'_>| octets(&OwnedValue::try_from(value).unwrap());
    assert_eq!(value(Value::from(vec![1_u8, 2])), Some(vec![1, 2]));
    assert_eq!(value(Value::from(vec!["a"])), None);
    assert_eq!(value(Value::from(7_u8)), None);
}

#[test]
fn there_is_a_bound() {
    let mut tree = Tree::default();
    for n in 0..=BLUETOOTH_PERIPHERALS_MAX {
        tree.update(&format!("{HCI0}/dev_{n}"), PERIPHERAL, &properties([("Connected", Value::from(true))]));
    }
    assert_eq!(tree.peripherals.len(), BLUETOOTH_PERIPHERALS_MAX);
    // Those that are known are followed all the same.
    tree.update(&format!("{HCI0}/dev_0"), PERIPHERAL, &properties([("Connected", Value::from(false))]));
    assert!(!tree.peripherals[&format!("{HCI0}/dev_0")].is_connected);
}
