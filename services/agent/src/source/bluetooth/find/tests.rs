//! Which adapter and which machine are taken, and the words when there is none.

use super::*;

fn on() -> Adapter {
    Adapter { is_powered: true, power_state: None }
}

fn tree<const N: usize>(adapters: [(&str, Adapter); N]) -> Tree {
    let mut tree = Tree::default();
    for (name, adapter) in adapters {
        tree.adapters.insert(format!("/org/bluez/{name}"), adapter);
    }
    tree
}

#[test]
fn an_adapter_is_chosen_or_missed_in_words() {
    let check = |tree: Tree, wanted: Option<&str>, expected: Result<&str, &str>| match (
        adapter(&tree, wanted),
        expected,
    ) {
        (Ok(path), Ok(name)) => assert_eq!(path, format!("/org/bluez/{name}")),
        (Err(Lost(words)), Err(part)) => assert!(words.contains(part), "{part} is not in: {words}"),
        (got, _) => panic!("{got:?}, not {expected:?}"),
    };
    let off = Adapter::default();
    let blocked = Adapter { is_powered: false, power_state: Some("off-blocked".to_owned()) };
    check(tree([("hci0", off.clone()), ("hci1", on())]), None, Ok("hci1"));
    check(tree([("hci0", on()), ("hci1", on())]), Some("hci1"), Ok("hci1"));
    check(tree([]), None, Err("there is no Bluetooth adapter"));
    check(tree([]), Some("hci7"), Err("hci7, nor any other"));
    check(tree([("hci0", on()), ("hci1", off.clone())]), Some("hci2"), Err("hci2; there is hci0, hci1"));
    check(tree([("hci0", off)]), None, Err("hci0 is off (bluetoothctl power on)"));
    check(tree([("hci0", blocked)]), Some("hci0"), Err("hci0 is blocked (rfkill"));
}

#[test]
fn what_no_longer_stands_is_named() {
    let known = Peripheral { is_connected: true, is_resolved: true, ..Peripheral::default() };
    let check = |adapter: Option<Adapter>, machine: Option<Peripheral>, expected: Result<(), &str>| {
        let mut tree = Tree::default();
        tree.adapters.extend(adapter.map(|adapter| ("/hci0".to_owned(), adapter)));
        tree.peripherals.extend(machine.map(|machine| ("/hci0/m".to_owned(), machine)));
        let got = stands(&tree, "/hci0", "/hci0/m").map_err(|Lost(words)| words);
        assert!(
            matches!((&got, expected), (Ok(()), Ok(())))
                || got.is_err_and(|words| expected.is_err_and(|part| words.contains(part)))
        );
    };
    check(Some(on()), Some(known.clone()), Ok(()));
    check(None, Some(known.clone()), Err("unplugged"));
    check(Some(Adapter::default()), Some(known.clone()), Err("off"));
    check(Some(on()), None, Err("forgotten"));
    check(Some(on()), Some(Peripheral { is_connected: false, ..known.clone() }), Err("has ended"));
    check(Some(on()), Some(Peripheral { is_resolved: false, ..known }), Err("changed its services"));
}

#[test]
fn two_machines_of_one_name_are_none() {
    let place = Place {
        address: None,
        machine: Some("T9".to_owned()),
        adapter: None,
        bus: None,
        discovery: Duration::from_secs(1),
        advertises_service: true,
    };
    let known = |address: &str, name: &str| Peripheral {
        adapter: "/hci0".to_owned(),
        address: address.to_owned(),
        name: Some(name.to_owned()),
        ..Peripheral::default()
    };
    let mut tree = Tree::default();
    let found = |tree: &Tree| only(fitting(tree, "/hci0", &place), &place);
    assert_eq!(found(&tree), Ok(None));
    tree.peripherals.insert("/hci0/a".to_owned(), known("AA", "T9 left"));
    tree.peripherals.insert("/hci0/b".to_owned(), known("BB", "T8"));
    tree.peripherals
        .insert("/hci1/c".to_owned(), Peripheral { adapter: "/hci1".to_owned(), ..known("CC", "T9") });
    assert_eq!(found(&tree), Ok(Some("/hci0/a".to_owned())));
    tree.peripherals.insert("/hci0/d".to_owned(), known("DD", "T9 right"));
    assert_eq!(found(&tree), Err(Lost("2 machines fit T9…: AA, DD; set address".to_owned())));
}
