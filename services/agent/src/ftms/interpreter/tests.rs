use super::*;
use crate::ftms::Characteristic;
use crate::ftms::model::{InclineScale, SpeedUnit};

const NOW: MonotonicMicros = MonotonicMicros(0);

fn message(characteristic: Characteristic, text: &str, model: &Model) -> Message {
    let octets = hex::decode(text.replace(' ', "")).unwrap();
    Message::decode(characteristic, &octets, model.pace_width).unwrap()
}

fn treadmill(model: &Model, text: &str) -> Vec<SignalValue> {
    Interpreter::new(model.clone()).apply(&message(Characteristic::Treadmill, text, model), NOW)
}

fn status(text: &str) -> Vec<SignalValue> {
    let model = Model::default();
    Interpreter::new(model.clone()).apply(&message(Characteristic::Status, text, &model), NOW)
}

#[test]
fn a_frame_tells_what_it_has_and_no_direction() {
    // Speed, distance, incline, elapsed time, force on the belt.
    assert_eq!(
        treadmill(&Model::default(), "0c14 e803 640000 0a00 0500 4200 f4ff ff7f"),
        [
            SignalValue::Speed(Speed(2_778)),
            SignalValue::Incline(Incline(10)),
            SignalValue::Distance(100),
            SignalValue::Elapsed(66),
            SignalValue::BeltForce(-12),
        ]
    );
    // An inclination that is not available is not level; a part without speed is not standstill.
    assert_eq!(treadmill(&Model::default(), "0800 0000 ff7f ff7f"), [SignalValue::Speed(Speed(0))]);
    assert_eq!(treadmill(&Model::default(), "0700 f401 e80300"), [SignalValue::Alive]);
    assert_eq!(treadmill(&Model::default(), "0000"), [SignalValue::Alive]);
}

#[test]
fn what_cannot_be_true_is_told_and_not_used() {
    let check = |text: &str, words: &str| {
        let told = treadmill(&Model::default(), text);
        assert_eq!(told.last(), Some(&SignalValue::Implausible(words.to_owned())), "{text}");
    };
    assert_eq!(treadmill(&Model::default(), "0000 b80b"), [SignalValue::Speed(Speed(8_333))]);
    check("0000 bb0b", "speed 30.03 km/h is above 30 km/h");
    check("0000 ffff", "speed 655.35 km/h is above 30 km/h");
    check("0800 0000 3403 0000", "incline 82.0 % is beyond ±40 %");
    check("0800 0000 0080 0000", "incline -3276.8 % is beyond ±40 %");
    let commanded = SignalValue::Implausible("commanded speed 655.35 km/h is above 30 km/h".to_owned());
    assert_eq!(status("05 ffff"), [commanded]);
}

#[test]
fn the_ranges_that_a_machine_names_count_if_they_are_to() {
    let check = |check_ranges: bool, frame: &str, expected: SignalValue| {
        let model = Model { check_ranges, ..Model::default() };
        let mut interpreter = Interpreter::new(model.clone());
        // 0.80 to 6.00 km/h, -3.0 to 15.0 %.
        for (range, text) in [
            (Characteristic::SpeedRange, "5000 5802 0a00"),
            (Characteristic::InclinationRange, "e2ff 9600 0500"),
        ] {
            assert_eq!(interpreter.apply(&message(range, text, &model), NOW), [SignalValue::Alive]);
        }
        let told = interpreter.apply(&message(Characteristic::Treadmill, frame, &model), NOW);
        assert_eq!(told.last(), Some(&expected), "{frame}");
    };
    let implausible = |words: &str| SignalValue::Implausible(words.to_owned());
    check(true, "0000 9402", SignalValue::Speed(Speed(1_833)));
    check(true, "0000 9502", implausible("speed 6.61 km/h is above the machine's own 6.00 km/h"));
    check(false, "0000 9502", SignalValue::Speed(Speed(1_836)));
    // Slower than the least: it is slowing down.
    check(true, "0000 0100", SignalValue::Speed(Speed(3)));
    check(true, "0800 0000 a800 0000", SignalValue::Incline(Incline(168)));
    check(true, "0800 0000 a900 0000", implausible("incline 16.9 % is beyond the machine's own range"));
    check(true, "0800 0000 cfff 0000", implausible("incline -4.9 % is beyond the machine's own range"));
    check(false, "0800 0000 cfff 0000", SignalValue::Incline(Incline(-49)));
}

#[test]
fn a_status_is_what_happened_at_the_machine() {
    for (text, value) in [
        ("02 01", SignalValue::UserStopped),
        ("02 02 00", SignalValue::UserPaused),
        ("02", SignalValue::Alive),
        ("02 09", SignalValue::Alive),
        ("03", SignalValue::SafetyKeyStop),
        ("03 01", SignalValue::SafetyKeyStop),
        ("04 0000", SignalValue::UserStarted),
        ("05 b100", SignalValue::Commanded(Speed(492))),
        ("05 b1", SignalValue::Alive),
        ("06 0a00", SignalValue::Alive),
        ("77", SignalValue::Alive),
    ] {
        assert_eq!(status(text), [value], "{text}");
    }
}

#[test]
fn somebody_elses_request_is_no_sign_of_the_machine() {
    let model = Model::default();
    let mut interpreter = Interpreter::new(model.clone());
    let mut heard = |text| interpreter.apply(&message(Characteristic::ControlPoint, text, &model), NOW);
    assert_eq!(heard("02 f401"), []);
    assert_eq!(heard("80 02 01"), [SignalValue::Alive]);
}

#[test]
fn a_heart_rate_of_zero_means_something_only_with_a_sensor() {
    let zero = "0101 00";
    let some = "0101 78";
    let model = Model::default();
    assert_eq!(treadmill(&model, zero), [SignalValue::Alive]);
    let with_sensor = Model { heart_rate_sensor: true, ..Model::default() };
    let told = Model { heart_rate_told: true, ..Model::default() };
    // A part with the bit for more waits for its closing part.
    let closing = |hex: &str| format!("0001 0000 {hex}");
    let speed = SignalValue::Speed(Speed(0));
    let contact = SignalValue::HeartRateContact;
    assert_eq!(treadmill(&model, &closing("00")), std::slice::from_ref(&speed));
    assert_eq!(treadmill(&with_sensor, &closing("00")), [speed.clone(), contact(false)]);
    assert_eq!(treadmill(&model, &closing("78")), [speed.clone(), contact(true)]);
    assert_eq!(treadmill(&told, &closing("78")), [speed.clone(), contact(true), SignalValue::HeartRate(120)]);
    assert_eq!(treadmill(&told, some), [SignalValue::Alive]);

    let after = |characteristic, first: &str| {
        let mut interpreter = Interpreter::new(model.clone());
        interpreter.apply(&message(characteristic, first, &model), NOW);
        interpreter.apply(&message(Characteristic::Treadmill, &closing("00"), &model), NOW)
    };
    // The machine said that it measures, or has measured before.
    assert_eq!(after(Characteristic::Feature, "0004 0000 0000 0000"), [speed.clone(), contact(false)]);
    assert_eq!(after(Characteristic::Treadmill, &closing("78")), [speed.clone(), contact(false)]);
    assert_eq!(after(Characteristic::Feature, "0010 0000 0000 0000"), [speed]);
}

#[test]
fn a_model_may_read_fields_its_own_way() {
    let miles = Model { speed_unit: SpeedUnit::Miles, ..Model::default() };
    // 6.00 mile/h are 9.656 km/h.
    assert_eq!(treadmill(&miles, "0000 5802"), [SignalValue::Speed(Speed(2_682))]);

    let denominator = std::num::NonZeroU8::new(25).unwrap();
    let scale = InclineScale { zero: 500, numerator: 4, denominator };
    let declining = Model { incline_scale: scale, ..Model::default() };
    let incline = |raw: &str| treadmill(&declining, &format!("0800 0000 {raw} 0000"))[1].clone();
    assert_eq!(incline("e803"), SignalValue::Incline(Incline(80)));
    assert_eq!(incline("0000"), SignalValue::Incline(Incline(-80)));

    let target = Model { target_incline: true, ..Model::default() };
    assert_eq!(treadmill(&target, "0800 0000 0a00 0000"), [SignalValue::Speed(Speed(0))]);

    let appended = "0020 0000 380000";
    assert_eq!(treadmill(&Model::default(), appended), [SignalValue::Speed(Speed(0))]);
    let steps = Model { vendor_steps: true, ..Model::default() };
    assert_eq!(treadmill(&steps, appended), [SignalValue::Speed(Speed(0)), SignalValue::Steps(56)]);
}
