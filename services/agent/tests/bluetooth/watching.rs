//! What is told while a machine is listened to, what is not believed, and what silence means.

use agent::capture::Characteristic;
use agent::ftms;
use agent::source::bluetooth::{self, Sought, running_speed};
use agent::source::outlet::Way;
use domain::signal::SignalValue;
use domain::units::{Incline, Speed};
use tokio::time::Instant;

use super::fake::Fake;
use super::rig::{FAST, Rig, STANDING, octets};
use super::world::{ADDRESS, attribute, gym};

#[tokio::test(start_paused = true)]
async fn frames_that_are_split_cut_or_nothing_are_told_as_what_they_are() {
    let mut rig = Rig::new(gym());
    rig.fake.until_heard(0x2ACD).await;
    let speed = |mm_s| SignalValue::Speed(Speed(mm_s));
    for (number, frame, expected) in [
        (0x2ACD, "0700 f401 e80300", vec![SignalValue::Alive]),
        (
            0x2ACD,
            "0004 5802 2c01",
            vec![speed(1_667), SignalValue::Distance(1_000), SignalValue::Elapsed(300)],
        ),
        // Flags that promise more than there is.
        (0x2ACD, "0c00 f401 e803", vec![speed(1_389)]),
        (0x2ACD, "0c", vec![SignalValue::Alive]),
        (0x2ACD, "", vec![SignalValue::Alive]),
        (0x2ACD, "0800 fa00 e7ff ff7f", vec![speed(694), SignalValue::Incline(Incline(-25))]),
        (0x2ADA, "02 02", vec![SignalValue::UserPaused]),
        (0x2ADA, "03", vec![SignalValue::SafetyKeyStop]),
        (0x2AD3, "00 0d", vec![SignalValue::Alive]),
        (0x2ACD, STANDING, vec![speed(0)]),
    ] {
        rig.fake.notify(number, &octets(frame)).await;
        assert_eq!(rig.values(expected.len()).await, expected, "{frame}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_bluetoothd_is_believed() {
    let mut rig = Rig::new(gym());
    rig.hears().await;
    rig.fake.pretend(0x2ACD, &octets(STANDING)).await;
    rig.fake.notify(0x2ACD, &octets("0000 f401")).await;
    assert_eq!(rig.next().await, SignalValue::Speed(Speed(1_389)), "the stranger's standstill is not told");
}

#[tokio::test(start_paused = true)]
async fn everything_is_recorded_but_heart_rates() {
    let mut rig = Rig::with(gym(), |settings| {
        settings.heart_rate_service = true;
        settings.reports.push("heart_rate_contact".to_owned());
    });
    rig.fake.until_heard(0x2A37).await;
    rig.fake.notify(0x2A37, &octets("06 48")).await;
    assert_eq!(rig.next().await, SignalValue::HeartRateContact(true));
    rig.hears().await;
    let mut told = Vec::new();
    while told.len() < 4 {
        let taped = rig.tape.recv().await.unwrap();
        let Characteristic::Ftms(characteristic) = taped.characteristic else { panic!("{taped:?}") };
        told.push((characteristic, taped.way, hex::encode(taped.octets)));
    }
    let read = |characteristic, octets: &str| (characteristic, Way::Read, octets.to_owned());
    assert_eq!(
        told,
        [
            read(ftms::Characteristic::Feature, "0c10000000000000"),
            read(ftms::Characteristic::SpeedRange, "5000d0070a00"),
            read(ftms::Characteristic::InclinationRange, "000096000500"),
            (ftms::Characteristic::Treadmill, Way::Notify, "0000e803".to_owned()),
        ]
    );
    assert!(rig.tape.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_model_that_goes_silent_when_it_stops_is_unknown_and_stays_connected() {
    let mut world = gym();
    world.machine().name = Some("T318_0007");
    let mut rig = Rig::new(world);
    rig.hears().await;
    let started = Instant::now();
    rig.lost("nothing says that it stands").await;
    assert_eq!(started.elapsed().as_millis(), 2_500);
    // It is told once, however long the belt stands, and the connection is kept.
    tokio::time::sleep(std::time::Duration::from_secs(3_600)).await;
    assert_eq!(rig.fake.world.borrow().count("Connect"), 1);
    rig.fake.notify(0x2ACD, &octets(FAST)).await;
    assert_eq!(rig.next().await, SignalValue::Speed(Speed(2_778)));
    rig.lost("nothing says that it stands").await;
}

#[tokio::test(start_paused = true)]
async fn a_silence_that_is_not_a_models_way_is_doubted_ever_more_rarely() {
    let mut rig = Rig::new(gym());
    rig.hears().await;
    for (before, seconds) in (1..).zip([60, 120, 240, 480, 600, 600]) {
        rig.lost(&format!("nothing was notified for {seconds} s")).await;
        // Three are listened to in each connection.
        rig.fake.until(|world| world.count("StartNotify") > 3 * before).await;
    }
    rig.hears().await;
    rig.lost("nothing was notified for 60 s").await;
}

#[tokio::test(start_paused = true)]
async fn running_speed_is_a_source_of_its_own() {
    let mut world = gym();
    world.machine().attributes.push(attribute(0x1814, 0x2A53, &["notify"], &[]));
    let fake = Fake::start(world);
    let settings = running_speed::Settings {
        sought: Sought { bus: fake.address(), advertises_service: false, ..Sought::at(ADDRESS) },
        ..running_speed::example()
    };
    assert_eq!(settings.check(), Ok(()));
    let mut rig = Rig::of(fake, Box::new(bluetooth::running_speed_source(&settings)));
    rig.fake.until_heard(0x2A53).await;
    rig.fake.notify(0x2A53, &octets("00 0002 50")).await;
    assert_eq!(rig.next().await, SignalValue::Speed(Speed(2_000)));
    let world = rig.fake.world.borrow();
    assert!(!world.machines[0].listens(0x2ACD));
    assert_eq!((world.count("ReadValue"), world.filter.clone()), (0, vec!["Transport".to_owned()]));
}
