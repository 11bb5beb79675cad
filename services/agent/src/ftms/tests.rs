use super::control_point::{request_name, result_name};
use super::parameter::{Parameter, Simulation, StopControl};
use super::status::StatusOperation;
use super::*;
use proptest::prelude::*;

fn octets(text: &str) -> Vec<u8> {
    hex::decode(text.replace(' ', "")).unwrap()
}

fn cut(field: &'static str, needs: usize, has: usize) -> Option<Cut> {
    Some(Cut { field, needs, has })
}

#[test]
fn every_status_operation_has_its_parameter() {
    use StatusOperation as Op;
    let simulation = |wind_speed, grade, rolling_resistance, wind_resistance| {
        Parameter::Simulation(Simulation { wind_speed, grade, rolling_resistance, wind_resistance })
    };
    for (text, operation, parameter, cut) in [
        ("01", Op::Reset, Parameter::None, None),
        ("02 01", Op::StoppedOrPausedByUser, Parameter::Stop(StopControl::Stop), None),
        ("02 02 00", Op::StoppedOrPausedByUser, Parameter::Stop(StopControl::Pause), None),
        ("02 07", Op::StoppedOrPausedByUser, Parameter::Stop(StopControl::Reserved(7)), None),
        ("02", Op::StoppedOrPausedByUser, Parameter::None, cut("control", 1, 0)),
        ("03", Op::StoppedBySafetyKey, Parameter::None, None),
        ("03 0102", Op::StoppedBySafetyKey, Parameter::None, None),
        ("04 0000", Op::StartedOrResumedByUser, Parameter::None, None),
        ("05 b100", Op::TargetSpeedChanged, Parameter::Speed(177), None),
        ("05 b1", Op::TargetSpeedChanged, Parameter::None, cut("speed", 2, 1)),
        ("06 e2ff", Op::TargetInclineChanged, Parameter::Inclination(-30), None),
        ("07 ff", Op::TargetResistanceLevelChanged, Parameter::Resistance(255), None),
        ("07 f6ff", Op::TargetResistanceLevelChanged, Parameter::Resistance(-10), None),
        ("07", Op::TargetResistanceLevelChanged, Parameter::None, cut("resistance_level", 2, 0)),
        ("08 9cff", Op::TargetPowerChanged, Parameter::Power(-100), None),
        ("09 8c", Op::TargetHeartRateChanged, Parameter::HeartRate(140), None),
        ("0a f401", Op::TargetedExpendedEnergyChanged, Parameter::Energy(500), None),
        ("0b e803", Op::TargetedNumberOfStepsChanged, Parameter::Steps(1_000), None),
        ("0c 6400", Op::TargetedNumberOfStridesChanged, Parameter::Strides(100), None),
        ("0d 881300", Op::TargetedDistanceChanged, Parameter::Distance(5_000), None),
        ("0e 0807", Op::TargetedTrainingTimeChanged, Parameter::Time(1_800), None),
        ("0f 0100 0200", Op::TargetedTimeInTwoHeartRateZonesChanged, Parameter::ZoneTimes(vec![1, 2]), None),
        (
            "10 0100 0200 03",
            Op::TargetedTimeInThreeHeartRateZonesChanged,
            Parameter::ZoneTimes(vec![1, 2]),
            cut("time_in_heart_rate_zone", 2, 1),
        ),
        (
            "11 0100 0200 0300 0400 0500",
            Op::TargetedTimeInFiveHeartRateZonesChanged,
            Parameter::ZoneTimes(vec![1, 2, 3, 4, 5]),
            None,
        ),
        (
            "12 18fc 2c01 28 33",
            Op::IndoorBikeSimulationParametersChanged,
            simulation(Some(-1_000), Some(300), Some(40), Some(51)),
            None,
        ),
        (
            "12 18fc 2c",
            Op::IndoorBikeSimulationParametersChanged,
            simulation(Some(-1_000), None, None, None),
            cut("grade", 2, 1),
        ),
        ("13 4c52", Op::WheelCircumferenceChanged, Parameter::Wheel(21_068), None),
        ("14 02", Op::SpinDownStatus, Parameter::SpinDown(2), None),
        ("15 b400", Op::TargetedCadenceChanged, Parameter::Cadence(180), None),
        ("16 01", Op::Reserved, Parameter::None, None),
        ("ff", Op::ControlPermissionLost, Parameter::None, None),
    ] {
        let code = octets(text)[0];
        let expected = Status { code, operation, parameter, cut };
        assert_eq!(Status::decode(&octets(text)), Ok(expected), "{text}");
    }
    assert_eq!(Status::decode(&[]).err(), cut("op", 1, 0));
}

#[test]
fn a_training_status_may_announce_a_text_and_send_none() {
    let check = |text: &str, status, words: Option<&[u8]>, name| {
        let frame = Training::decode(&octets(text)).unwrap();
        assert_eq!((frame.status, frame.text.as_deref(), frame.name()), (status, words, name), "{text}");
        assert_eq!(frame.cut.is_some(), status.is_none(), "{text}");
    };
    check("00 0d", Some(13), None, Some("manual_mode"));
    check("01 0d", Some(13), None, Some("manual_mode"));
    check("01 02 5761726d", Some(2), Some(b"Warm"), Some("warming_up"));
    check("03 02 ff00", Some(2), Some(b"\xff\x00"), Some("warming_up"));
    check("00 02 5761", Some(2), None, Some("warming_up"));
    check("00 10", Some(16), None, Some("reserved"));
    check("00 ff", Some(255), None, Some("reserved"));
    check("01", None, None, None);
    assert_eq!(Training::decode(&[]).err(), cut("flags", 1, 0));
}

#[test]
fn features_are_named_and_reserved_bits_ignored() {
    let feature = Feature::decode(&octets("0d14 0000 0380 0000")).unwrap();
    assert_eq!(
        feature.machine_names(),
        ["average_speed", "total_distance", "inclination", "heart_rate_measurement", "elapsed_time"]
    );
    assert_eq!(feature.target_names().unwrap(), ["speed", "inclination", "spin_down_control"]);
    let all = Feature::decode(&[0xFF; 9]).unwrap();
    assert_eq!((all.machine_names().len(), all.target_names().unwrap().len()), (17, 17));
    let half = Feature::decode(&octets("0100 0000 0100")).unwrap();
    assert_eq!((half.machine, half.target, half.cut), (1, None, cut("target", 4, 2)));
    assert_eq!(Feature::decode(&octets("0100")).err(), cut("machine", 4, 2));
}

#[test]
fn ranges_keep_what_is_whole() {
    let speed = Range { min: Some(80), max: Some(570), increment: Some(10), cut: None };
    assert_eq!(Range::decode_speed(&octets("5000 3a02 0a00")), speed);
    let high = Range { min: Some(0), max: Some(65_535), increment: None, cut: cut("increment", 2, 0) };
    assert_eq!(Range::decode_speed(&octets("0000 ffff")), high);
    let inclination = Range { min: Some(-30), max: Some(150), increment: Some(5), cut: None };
    assert_eq!(Range::decode_inclination(&octets("e2ff 9600 0500 aa")), inclination);
    let none = Range { min: None, max: None, increment: None, cut: cut("min", 2, 1) };
    assert_eq!(Range::decode_inclination(&octets("e2")), none);
}

#[test]
fn requests_and_responses_of_the_control_point() {
    let request = |text: &str| match ControlPoint::decode(&octets(text)).unwrap() {
        ControlPoint::Request { code, parameter, cut } => (request_name(code), parameter, cut),
        ControlPoint::Response { .. } => panic!("{text} is a request"),
    };
    assert_eq!(request("00"), ("request_control", Parameter::None, None));
    assert_eq!(request("02 f401"), ("set_target_speed", Parameter::Speed(500), None));
    assert_eq!(request("02 f4"), ("set_target_speed", Parameter::None, cut("speed", 2, 1)));
    assert_eq!(request("03 e2ff"), ("set_target_inclination", Parameter::Inclination(-30), None));
    assert_eq!(request("04 14"), ("set_target_resistance_level", Parameter::Resistance(20), None));
    assert_eq!(request("08 02"), ("stop_or_pause", Parameter::Stop(StopControl::Pause), None));
    assert_eq!(request("0c 881300"), ("set_targeted_distance", Parameter::Distance(5_000), None));
    assert_eq!(request("14 b400"), ("set_targeted_cadence", Parameter::Cadence(180), None));
    assert_eq!(request("7f"), ("reserved", Parameter::None, None));

    let response = |text: &str| ControlPoint::decode(&octets(text)).unwrap();
    let expected = ControlPoint::Response { code: Some(2), result: Some(5), cut: None };
    assert_eq!(response("80 02 05"), expected);
    assert_eq!(result_name(5), "control_not_permitted");
    let short = ControlPoint::Response { code: Some(0), result: None, cut: cut("result", 1, 0) };
    assert_eq!(response("80 00"), short);
    assert_eq!(ControlPoint::decode(&[]).err(), cut("op", 1, 0));
}

const ALL: [Characteristic; 7] = [
    Characteristic::Treadmill,
    Characteristic::Status,
    Characteristic::Training,
    Characteristic::Feature,
    Characteristic::SpeedRange,
    Characteristic::InclinationRange,
    Characteristic::ControlPoint,
];

proptest! {
    #[test]
    fn any_octets_are_read(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
        for characteristic in ALL {
            let message = Message::decode(characteristic, &octets, PaceWidth::OneOctet);
            // Only a frame without its head says nothing at all.
            prop_assert!(message.is_ok() || octets.len() < 4);
        }
    }
}
