//! From nothing to a machine that is listened to, and every reason why not.

use std::time::Duration;

use agent::source::bluetooth::{Seen, Settings, around};
use domain::signal::SignalValue;
use domain::units::Speed;

use super::fake::Fake;
use super::rig::{FAST, Rig, octets};
use super::world::{ADDRESS, Machine, World, adapter, attribute, gym, treadmill};

const TIDE: &str = "11:22:33:44:55:66";

#[tokio::test(start_paused = true)]
async fn a_machine_is_found_read_once_and_listened_to() {
    let mut rig = Rig::new(gym());
    rig.hears().await;
    let world = rig.fake.world.borrow();
    assert_eq!(world.filter, ["Transport", "UUIDs"]);
    assert!(!world.adapters[0].is_discovering, "the discovery has ended");
    assert_eq!(
        (world.count("StartDiscovery"), world.count("StopDiscovery"), world.count("Connect")),
        (1, 1, 1)
    );
    assert_eq!((world.count("ReadValue"), world.count("StartNotify")), (3, 3));
    assert!(world.machines[0].listens(0x2ADA) && world.machines[0].listens(0x2AD3));
    assert!(!world.machines[0].listens(0x2AD9) && !world.machines[0].listens(0x2A37));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_called_that_could_move_a_belt() {
    let mut world = gym();
    world.machine().attributes.push(attribute(0x1814, 0x2A53, &["notify"], &[]));
    let mut rig = Rig::with(world, |settings| settings.heart_rate_service = true);
    rig.hears().await;
    rig.fake.disconnect().await;
    rig.lost("has ended").await;
    rig.hears().await;
    rig.stop().await;
    rig.fake.until(|world| world.count("Disconnect") == 1).await;
    let world = rig.fake.world.borrow();
    assert_eq!(
        world.methods(),
        [
            "org.bluez.Adapter1.SetDiscoveryFilter",
            "org.bluez.Adapter1.StartDiscovery",
            "org.bluez.Adapter1.StopDiscovery",
            "org.bluez.Device1.Connect",
            "org.bluez.Device1.Disconnect",
            "org.bluez.GattCharacteristic1.ReadValue",
            "org.bluez.GattCharacteristic1.StartNotify",
            "org.freedesktop.DBus.AddMatch",
            "org.freedesktop.DBus.Hello",
            "org.freedesktop.DBus.ObjectManager.GetManagedObjects",
        ],
        "no method that writes or sets anything"
    );
    let machine = &world.machines[0];
    let control = machine.attributes.iter().position(|each| each.number == 0x2AD9).unwrap();
    let control = machine.attribute_path(control);
    assert!(world.calls.iter().all(|call| call.path != control), "the control point is not touched");
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_is_known_is_not_looked_for() {
    let mut world = gym();
    world.machine().is_known = true;
    let mut rig = Rig::new(world);
    rig.hears().await;
    assert_eq!(rig.fake.world.borrow().count("StartDiscovery"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_known_machine_that_does_not_answer_is_looked_for() {
    let mut world = gym();
    world.machine().is_known = true;
    world.machine().connect = Err(("Failed", "le-connection-abort-by-local"));
    let mut rig = Rig::new(world);
    rig.lost("cannot be connected: bluetoothd says Failed le-connection-abort-by-local").await;
    assert_eq!(rig.fake.world.borrow().count("StartDiscovery"), 0);
    rig.fake.change(|world| world.machine().connect = Ok(()));
    rig.hears().await;
    assert_eq!(rig.fake.world.borrow().count("StartDiscovery"), 1);
}

#[tokio::test(start_paused = true)]
async fn who_is_connected_already_is_left_connected() {
    for refusal in [Ok(()), Err(("AlreadyConnected", "Already Connected")), Err(("InProgress", "busy"))] {
        let mut world = gym();
        let machine = world.machine();
        (machine.is_known, machine.is_connected, machine.is_resolved) = (true, true, true);
        machine.connect = refusal;
        let mut rig = Rig::new(world);
        rig.hears().await;
        rig.stop().await;
        // The other side sees the end of the connection to the bus after everything that was sent over it.
        rig.fake.until(|world| world.calls.iter().any(|call| call.method == "StartNotify")).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(rig.fake.world.borrow().count("Disconnect"), 0, "somebody else connected it");
    }
}

#[tokio::test(start_paused = true)]
async fn services_may_be_named_late() {
    let mut world = gym();
    world.machine().is_resolved_at_once = false;
    let mut rig = Rig::new(world);
    rig.fake.until(|world| world.count("Connect") == 1).await;
    rig.fake.resolve().await;
    rig.hears().await;
}

/// A gym that has to be as `change` makes it for the source to be lost with these words.
async fn check_lost(change: impl FnOnce(&mut World), adjust: impl FnOnce(&mut Settings), words: &str) {
    let mut world = gym();
    change(&mut world);
    let mut rig = Rig::with(world, adjust);
    rig.lost(words).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_around_the_machine_is_named() {
    let plain = |_: &mut Settings| {};
    check_lost(|world| world.is_absent = true, plain, "bluetoothd is not running").await;
    check_lost(|world| world.is_forbidden = true, plain, "group bluetooth").await;
    check_lost(|world| world.adapters.clear(), plain, "there is no Bluetooth adapter").await;
    check_lost(|world| world.adapters[0].is_powered = false, plain, "hci0 is off").await;
    let blocked = |world: &mut World| {
        world.adapters[0].is_powered = false;
        world.adapters[0].power_state = Some("off-blocked");
    };
    check_lost(blocked, plain, "hci0 is blocked").await;
    let other = |settings: &mut Settings| settings.sought.adapter = "hci1".to_owned();
    check_lost(|_| {}, other, "no Bluetooth adapter hci1; there is hci0").await;
    let nowhere = |settings: &mut Settings| settings.sought.bus = "unix:path=/nonexistent/bus".to_owned();
    check_lost(|_| {}, nowhere, "cannot reach D-Bus at unix:path=/nonexistent/bus").await;
    check_lost(|world| world.machine().is_in_range = false, plain, "was not seen in 20 s, 0 others").await;
    let tide = |settings: &mut Settings| settings.sought.address = TIDE.to_owned();
    check_lost(|_| {}, tide, "11:22:33:44:55:66 was not seen in 20 s, 1 others").await;
    let twin = |world: &mut World| {
        world.machines.push(Machine { address: TIDE, ..treadmill() });
        world.machines.iter_mut().for_each(|machine| machine.is_known = true);
    };
    let by_name = |settings: &mut Settings| {
        settings.sought.address.clear();
        settings.sought.machine = "TREAD".to_owned();
    };
    check_lost(twin, by_name, "2 machines fit TREAD…: 11:22:33:44:55:66, AA:BB:CC:DD:EE:FF").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_at_the_machine_is_named() {
    let plain = |_: &mut Settings| {};
    let at = |number: u16, change: fn(&mut super::world::Attribute)| {
        move |world: &mut World| {
            let all = world.machine().attributes.iter_mut();
            all.filter(|each| each.number == number).for_each(change);
        }
    };
    let without = |number: u16| {
        move |world: &mut World| world.machine().attributes.retain(|each| each.number != number)
    };
    let failed =
        |world: &mut World| world.machine().connect = Err(("Failed", "Operation already in progress"));
    check_lost(failed, plain, "bluetoothd says Failed").await;
    check_lost(
        |world| world.machine().is_resolved_at_once = false,
        plain,
        "did not name its services in 30 s",
    )
    .await;
    let other = |world: &mut World| world.machine().attributes.retain(|each| each.service != 0x1826);
    check_lost(other, plain, "no service 1826").await;
    check_lost(without(0x2ACC), plain, "no 2ACC").await;
    check_lost(
        at(0x2ACC, |each| each.value = Err(("NotPermitted", "Read not permitted"))),
        plain,
        "2ACC cannot be read",
    )
    .await;
    check_lost(without(0x2ACD), plain, "no 2ACD").await;
    check_lost(at(0x2ACD, |each| each.flags = vec!["read"]), plain, "does not notify").await;
    check_lost(at(0x2ACD, |each| each.start = Err(("Failed", "0x0e"))), plain, "2ACD cannot be listened to")
        .await;
}

#[tokio::test(start_paused = true)]
async fn what_need_not_be_there_is_not_missed() {
    let mut world = gym();
    world.machine().attributes.retain(|each| !matches!(each.number, 0x2ACC | 0x2ADA | 0x2AD5));
    for each in &mut world.machine().attributes {
        match each.number {
            0x2AD4 => each.value = Err(("NotAuthorized", "no")),
            0x2AD3 => each.start = Err(("NotSupported", "no")),
            _ => {}
        }
    }
    let mut rig = Rig::with(world, |settings| settings.without_feature = true);
    rig.hears().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_known_of_a_model_counts() {
    let mut world = gym();
    world.machine().name = Some("BFX_T9_1234");
    let mut rig = Rig::new(world);
    rig.fake.until_heard(0x2ACD).await;
    // 10 in the field of a console that counts miles.
    rig.fake.notify(0x2ACD, &octets(FAST)).await;
    assert_eq!(rig.next().await, SignalValue::Speed(Speed(4_470)));
}

#[tokio::test(start_paused = true)]
async fn those_around_are_listed_for_a_technician() {
    let mut world = gym();
    world.adapters.push(adapter("hci1"));
    let far = Machine { address: TIDE, name: Some("FS-12"), announced: None, ..treadmill() };
    let away = Machine { address: "00:00:00:00:00:01", is_known: true, is_in_range: false, ..treadmill() };
    let phone = Machine { address: "00:00:00:00:00:02", name: Some("phone"), announced: None, ..treadmill() };
    world.machines.extend([far, away, phone]);
    let fake = Fake::start(world);
    let seen = around(Some(&fake.address()), None, Duration::from_secs(5)).await.unwrap();
    let expected = Seen {
        address: TIDE.to_owned(),
        name: Some("FS-12".to_owned()),
        rssi_dbm: Some(-60),
        is_available: None,
        is_treadmill: None,
        advertises_service: false,
        is_connected: false,
        model: Some("fitshow"),
    };
    let console = Seen {
        address: ADDRESS.to_owned(),
        name: Some("TREADMILL".to_owned()),
        is_available: Some(true),
        is_treadmill: Some(true),
        advertises_service: true,
        model: None,
        ..expected.clone()
    };
    assert_eq!(seen, [expected, console]);
    let world = fake.world.borrow();
    assert_eq!((world.count("Connect"), world.count("StopDiscovery")), (0, 1));
    assert_eq!(world.filter, ["Transport"]);
}
