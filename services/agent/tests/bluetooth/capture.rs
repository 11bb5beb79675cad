//! What machines really sent, over the fake: the same signals as from the source `replay`.

use agent::capture::{Capture, Characteristic, Embedded};
use agent::ftms;
use agent::ftms::model::Model;
use agent::source::replay::{Options, Replay};
use domain::signal::{Script, SignalValue, SourceNumber};
use domain::units::MonotonicMicros;

use super::rig::Rig;
use super::world::gym;

fn number(characteristic: Characteristic) -> u16 {
    let notified = [
        (ftms::Characteristic::Treadmill, 0x2ACD),
        (ftms::Characteristic::Status, 0x2ADA),
        (ftms::Characteristic::Training, 0x2AD3),
    ];
    let found = notified.into_iter().find(|(of, _)| characteristic == Characteristic::Ftms(*of));
    found.expect("captures have only what is notified").1
}

fn replayed(capture: &Capture, vendor_steps: bool) -> Vec<SignalValue> {
    let options = Options { model: Model { vendor_steps, ..Model::default() }, ..Options::default() };
    let started = MonotonicMicros(0);
    let mut replay = Replay::new(SourceNumber(0), "capture", capture, options, started).unwrap();
    let mut out = Vec::new();
    assert_eq!(replay.observe(MonotonicMicros(u64::MAX), &mut out), None);
    out.into_iter().map(|signal| signal.value).collect()
}

async fn check(embedded: Embedded, name: &'static str, vendor_steps: bool) {
    let capture = embedded.capture();
    let expected = replayed(&capture, vendor_steps);
    let mut world = gym();
    world.machine().name = Some(name);
    let mut rig = Rig::new(world);
    rig.fake.until_heard(0x2ACD).await;
    for frame in &capture.frames {
        rig.fake.notify(number(frame.characteristic), &frame.octets).await;
    }
    assert!(expected.len() >= capture.frames.len(), "every frame says something");
    assert_eq!(rig.values(expected.len()).await, expected, "{name}");
    assert!(rig.signals.is_empty());
}

#[tokio::test(start_paused = true)]
async fn captures_say_the_same_as_when_they_are_replayed() {
    check(Embedded::RunUp, "TREADMILL", false).await;
    check(Embedded::UrevoPause, "TREADMILL", false).await;
    check(Embedded::UrevoPause, "URTM041", true).await;
    check(Embedded::CitySports, "CITYSPORTS-Linker", true).await;
}
