//! What ends a connection, the words for it, and the way back.

use domain::signal::SignalValue;
use domain::units::Speed;
use zbus::zvariant::Value;

use super::rig::{FAST, Rig, octets};
use super::world::{ADAPTER, CHARACTERISTIC, PERIPHERAL, gym, properties};

/// What is done to a gym in which a machine is listened to.
#[derive(Debug, Clone, Copy)]
enum Blow {
    Disconnects,
    OutOfRange,
    AdapterOff,
    AdapterUnplugged,
    MachineForgotten,
    ServicesChanged,
    AttributeGone,
    NotNotified,
    BluetoothdEnds,
    BluetoothdRestarts,
    BusHangsUp,
}

impl Blow {
    async fn strike(self, rig: &Rig) {
        let fake = &rig.fake;
        let (machine, hci0) = (fake.machine_path(), "/org/bluez/hci0");
        let treadmill = fake.world.borrow().machines[0].attribute_path(3);
        let off = |name: &'static str| properties([(name, Value::from(false))]);
        match self {
            Blow::Disconnects => fake.disconnect().await,
            Blow::OutOfRange => {
                fake.change(|world| world.machine().is_in_range = false);
                fake.disconnect().await;
            }
            Blow::AdapterOff => {
                fake.change(|world| world.adapters[0].is_powered = false);
                fake.changed(hci0, ADAPTER, off("Powered")).await;
            }
            Blow::AdapterUnplugged => {
                fake.change(|world| world.adapters[0].name = "hci9");
                fake.removed(hci0, ADAPTER).await;
            }
            Blow::MachineForgotten => {
                fake.change(|world| world.machine().is_known = false);
                fake.removed(&machine, PERIPHERAL).await;
            }
            Blow::ServicesChanged => fake.changed(&machine, PERIPHERAL, off("ServicesResolved")).await,
            Blow::AttributeGone => fake.removed(&treadmill, CHARACTERISTIC).await,
            Blow::NotNotified => fake.changed(&treadmill, CHARACTERISTIC, off("Notifying")).await,
            Blow::BluetoothdEnds => {
                fake.change(|world| world.is_absent = true);
                fake.owner("").await;
            }
            Blow::BluetoothdRestarts => fake.owner(":1.99").await,
            Blow::BusHangsUp => fake.hang_up().await,
        }
        // Whatever it was, the machine is not listened to any more.
        fake.change(|world| world.machine().drop_connection());
    }

    /// What was wrong is right again.
    fn mend(self, rig: &Rig) {
        rig.fake.change(|world| {
            world.is_absent = false;
            world.adapters[0].is_powered = true;
            world.adapters[0].name = "hci0";
            world.machine().is_in_range = true;
        });
    }
}

/// The source is lost with these words, tells nothing of the belt meanwhile, and comes back by itself.
async fn check(blow: Blow, words: &str) {
    let mut rig = Rig::new(gym());
    rig.hears().await;
    // A part without its end must not reach the next connection.
    rig.fake.notify(0x2ACD, &octets("0500 0a0000")).await;
    assert_eq!(rig.next().await, SignalValue::Alive);
    blow.strike(&rig).await;
    rig.lost(words).await;
    let tries = rig.fake.world.borrow().count("Hello");
    rig.fake.until(|world| world.count("Hello") > tries).await;
    blow.mend(&rig);
    rig.fake.until_heard(0x2ACD).await;
    rig.fake.notify(0x2ACD, &octets(FAST)).await;
    let mut told = rig.next().await;
    while let SignalValue::Lost(_) = told {
        // Other words than before, while it was not mended yet.
        told = rig.next().await;
    }
    assert_eq!(told, SignalValue::Speed(Speed(2_778)), "{blow:?}: without the part's distance");
    rig.fake.notify(0x2ADA, &octets("03")).await;
    assert_eq!(rig.next().await, SignalValue::SafetyKeyStop, "{blow:?}");
}

#[tokio::test(start_paused = true)]
async fn every_loss_has_its_words_and_an_end() {
    check(Blow::Disconnects, "the connection to the machine has ended").await;
    check(Blow::OutOfRange, "the connection to the machine has ended").await;
    check(Blow::AdapterOff, "hci0 is off").await;
    check(Blow::AdapterUnplugged, "hci0 was unplugged").await;
    check(Blow::MachineForgotten, "has forgotten the machine").await;
    check(Blow::ServicesChanged, "has changed its services").await;
    check(Blow::AttributeGone, "2ACD is not notified any more").await;
    check(Blow::NotNotified, "2ACD is not notified any more").await;
    check(Blow::BluetoothdEnds, "bluetoothd has ended").await;
    check(Blow::BluetoothdRestarts, "bluetoothd was started again").await;
    check(Blow::BusHangsUp, "the connection to D-Bus").await;
}

#[tokio::test(start_paused = true)]
async fn the_same_reason_again_is_told_once() {
    let mut world = gym();
    world.machine().connect = Err(("Failed", "no"));
    let mut rig = Rig::new(world);
    rig.lost("bluetoothd says Failed no").await;
    rig.fake.until(|world| world.count("Connect") == 5).await;
    rig.fake.change(|world| world.machine().connect = Ok(()));
    rig.hears().await;
}

#[tokio::test(start_paused = true)]
async fn a_machine_may_come_back_elsewhere() {
    let mut rig = Rig::new(gym());
    rig.hears().await;
    let before = rig.fake.world.borrow().machines[0].attribute_path(3);
    rig.fake.disconnect().await;
    rig.fake.change(|world| world.machine().base = 0x50);
    rig.lost("has ended").await;
    rig.hears().await;
    let world = rig.fake.world.borrow();
    assert_ne!(world.machines[0].attribute_path(3), before);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_made_here_is_ended_here() {
    let mut rig = Rig::new(gym());
    rig.hears().await;
    rig.stop().await;
    rig.fake.until(|world| world.count("Disconnect") == 1 && !world.machines[0].is_connected).await;
    // So is one that turns out to be to the wrong machine.
    let mut world = gym();
    world.machine().attributes.retain(|each| each.service != 0x1826);
    let mut rig = Rig::new(world);
    rig.lost("no service 1826").await;
    rig.fake.until(|world| world.count("Disconnect") > 0).await;
}
