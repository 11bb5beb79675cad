//! What frames of each service say, and what a machine denies.

use super::*;
use crate::ftms::Characteristic;
use domain::units::SECOND;
use proptest::collection::vec;
use proptest::prelude::*;

const NOW: MonotonicMicros = MonotonicMicros(SECOND);

fn octets(text: &str) -> Vec<u8> {
    hex::decode(text.replace(' ', "")).unwrap()
}

fn told(model: &Model, heard: Heard, text: &str) -> Vec<SignalValue> {
    Mind::new(model.clone()).apply(heard, &octets(text), NOW).unwrap()
}

#[test]
fn running_speed_has_no_sign_and_no_steps() {
    let check = |text: &str, expected: &[SignalValue]| {
        assert_eq!(told(&Model::default(), Heard::RunningSpeed, text), expected, "{text}");
    };
    check("00 0001 50", &[SignalValue::Speed(Speed(1_000))]);
    check("00 0000 00", &[SignalValue::Speed(Speed(0))]);
    check("03 0002 aa 6400 39300000", &[SignalValue::Speed(Speed(2_000)), SignalValue::Distance(1_234)]);
    check("00", &[SignalValue::Alive]);
    check("00 ffff 00", &[SignalValue::Implausible("speed 921.59 km/h is above 30 km/h".to_owned())]);
}

#[test]
fn a_heart_rate_is_told_only_where_that_is_agreed() {
    let check = |heart_rate_told: bool, text: &str, expected: &[SignalValue]| {
        let model = Model { heart_rate_told, ..Model::default() };
        assert_eq!(told(&model, Heard::HeartRate, text), expected, "{text}");
    };
    let contact = SignalValue::HeartRateContact;
    check(false, "06 48", &[contact(true)]);
    check(true, "06 48", &[contact(true), SignalValue::HeartRate(72)]);
    check(true, "04 48", &[contact(false)]);
    check(true, "04 00", &[contact(false)]);
    check(true, "00 48", &[SignalValue::HeartRate(72)]);
    check(false, "00 48", &[SignalValue::Alive]);
}

#[test]
fn a_part_does_not_outlive_its_connection() {
    let mut mind = Mind::new(Model::default());
    let treadmill = Heard::Ftms(Characteristic::Treadmill);
    assert_eq!(mind.apply(treadmill, &octets("0500 0a0000"), NOW).unwrap(), [SignalValue::Alive]);
    mind.disconnected(NOW);
    let whole = mind.apply(treadmill, &octets("0000 e803"), NOW).unwrap();
    assert_eq!(whole, [SignalValue::Speed(Speed(2_778))], "without the distance of the part");
    assert!(mind.apply(treadmill, &octets("00"), NOW).is_err());
}

#[test]
fn what_is_claimed_and_what_the_machine_says_are_compared() {
    let mut mind = Mind::new(Model::default());
    let claimed = Capabilities::SPEED.and(Capabilities::INCLINE).and(Capabilities::DISTANCE);
    assert_eq!(mind.compare(claimed), (vec![], vec![]), "nothing was read yet");
    let feature = Heard::Ftms(Characteristic::Feature);
    mind.apply(feature, &octets("0410 0000 0000 0000"), NOW).unwrap();
    assert_eq!(mind.compare(claimed), (vec!["incline"], vec!["elapsed"]));
    mind.apply(feature, &octets("0c00 0000 0000 0000"), NOW).unwrap();
    assert_eq!(mind.compare(claimed), (vec![], vec![]));
}

fn heard() -> impl Strategy<Value = Heard> {
    prop::sample::select(vec![
        Heard::Ftms(Characteristic::Treadmill),
        Heard::Ftms(Characteristic::Status),
        Heard::Ftms(Characteristic::Training),
        Heard::Ftms(Characteristic::Feature),
        Heard::Ftms(Characteristic::SpeedRange),
        Heard::Ftms(Characteristic::InclinationRange),
        Heard::RunningSpeed,
        Heard::HeartRate,
    ])
}

proptest! {
    /// Whatever comes: no direction, no contact, no speed or incline that cannot be true.
    #[test]
    fn any_frames_say_only_what_the_services_can(
        frames in vec((heard(), vec(any::<u8>(), 0..40), 0..3 * SECOND), 0..30),
        check_ranges in any::<bool>(),
        target_incline in any::<bool>(),
    ) {
        let mut mind = Mind::new(Model { check_ranges, target_incline, ..Model::default() });
        let mut now = NOW;
        for (heard, octets, later) in frames {
            now = now.plus(later);
            for value in mind.apply(heard, &octets, now).unwrap_or_default() {
                match value {
                    SignalValue::Speed(speed) | SignalValue::Commanded(speed) => {
                        prop_assert!(speed.0 <= SPEED_PLAUSIBLE_MM_S_MAX);
                    }
                    SignalValue::Incline(incline) => prop_assert!(!target_incline && incline.0.abs() <= 400),
                    SignalValue::HeartRate(_) => prop_assert!(false, "nobody agreed to that"),
                    SignalValue::MeasuredDirection(_)
                    | SignalValue::DeclaredDirection(_)
                    | SignalValue::ContactLevel { .. }
                    | SignalValue::Fault(_)
                    | SignalValue::Lost(_) => prop_assert!(false, "{value:?} is not in a frame"),
                    SignalValue::Elapsed(_)
                    | SignalValue::Distance(_)
                    | SignalValue::Steps(_)
                    | SignalValue::BeltForce(_)
                    | SignalValue::HeartRateContact(_)
                    | SignalValue::UserStarted
                    | SignalValue::UserStopped
                    | SignalValue::UserPaused
                    | SignalValue::SafetyKeyStop
                    | SignalValue::Alive
                    | SignalValue::Implausible(_) => {}
                }
            }
        }
    }
}
