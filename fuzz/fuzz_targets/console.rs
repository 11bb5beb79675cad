//! What a machine's own console tells over Bluetooth: frames of the fitness machine service and of the running speed
//! service, and what the agent makes of many of them.
//!
//! Input: an octet with what is peculiar to the model; then for each frame an octet with its characteristic and the time
//! since the one before, an octet with its length, and the frame.

#![no_main]

use agent::ftms::control_point::ControlPoint;
use agent::ftms::interpreter::Interpreter;
use agent::ftms::model::{Model, SpeedUnit};
use agent::ftms::octets::Reported;
use agent::ftms::treadmill::{PaceWidth, Treadmill};
use agent::ftms::{Characteristic, Message};
use agent::running_speed::RunningSpeed;
use beltwatch_fuzz::Input;
use domain::limits::{INCLINE_PLAUSIBLE_TENTHS_MAX, SPEED_PLAUSIBLE_MM_S_MAX};
use domain::signal::SignalValue;
use domain::units::{MILLI, MonotonicMicros};
use libfuzzer_sys::fuzz_target;

const CHARACTERISTICS: [Characteristic; 7] = [
    Characteristic::Treadmill,
    Characteristic::Status,
    Characteristic::Training,
    Characteristic::Feature,
    Characteristic::SpeedRange,
    Characteristic::InclinationRange,
    Characteristic::ControlPoint,
];
/// Longest frame, in octets: what all flags announce takes 48.
const FRAME_MAX: usize = 64;
const STEP_US: u64 = 100 * MILLI;

fuzz_target!(|octets: &[u8]| {
    let mut input = Input::new(octets);
    let model = model(input.u8().unwrap_or(0));
    let mut interpreter = Interpreter::new(model.clone());
    let mut now = MonotonicMicros(0);
    while let Some(kind) = input.u8() {
        now = now.plus(u64::from(kind >> 3) * STEP_US);
        let Some(characteristic) = CHARACTERISTICS.get(usize::from(kind & 7)) else {
            interpreter.disconnected(now);
            continue;
        };
        let length = usize::from(input.u8().unwrap_or(0));
        let frame = input.take(length % (FRAME_MAX + 1));
        treadmill(frame);
        running_speed(frame);
        if let Ok(message) = Message::decode(*characteristic, frame, model.pace_width) {
            let values = interpreter.apply(&message, now);
            let is_somebody_elses = matches!(message, Message::ControlPoint(ControlPoint::Request { .. }));
            assert_eq!(values.is_empty(), is_somebody_elses, "{message:?} says {values:?}");
            values.iter().for_each(|value| believable(value, &model));
        } else {
            assert!(frame.len() < 4, "a frame of {} octets has no head", frame.len());
        }
    }
});

fn model(bits: u8) -> Model {
    let has = |bit: u8| bits >> bit & 1 != 0;
    Model {
        speed_unit: if has(0) { SpeedUnit::Miles } else { SpeedUnit::Kilometres },
        pace_width: if has(1) { PaceWidth::TwoOctets } else { PaceWidth::OneOctet },
        target_incline: has(2),
        vendor_steps: has(3),
        heart_rate_sensor: has(4),
        heart_rate_told: has(5),
        silent_on_stop: has(6),
        check_ranges: has(7),
        ..Model::default()
    }
}

/// No speed without a sign becomes a direction, nothing that cannot be true is told, and nothing that must not be.
fn believable(value: &SignalValue, model: &Model) {
    match value {
        SignalValue::Speed(speed) | SignalValue::Commanded(speed) => {
            assert!(speed.0 <= SPEED_PLAUSIBLE_MM_S_MAX, "{value:?}");
        }
        SignalValue::Incline(incline) => {
            assert!(incline.0.abs() <= INCLINE_PLAUSIBLE_TENTHS_MAX && !model.target_incline, "{value:?}");
        }
        SignalValue::HeartRate(bpm) => assert!(*bpm > 0 && model.heart_rate_told, "{value:?}"),
        SignalValue::Steps(_) => assert!(model.vendor_steps, "{value:?}"),
        SignalValue::Implausible(words) => assert!(!words.is_empty()),
        SignalValue::MeasuredDirection(_)
        | SignalValue::DeclaredDirection(_)
        | SignalValue::ContactLevel { .. }
        | SignalValue::Fault(_)
        | SignalValue::Lost(_) => panic!("a console cannot tell {value:?}"),
        SignalValue::Elapsed(_)
        | SignalValue::Distance(_)
        | SignalValue::BeltForce(_)
        | SignalValue::HeartRateContact(_)
        | SignalValue::UserStarted
        | SignalValue::UserStopped
        | SignalValue::UserPaused
        | SignalValue::SafetyKeyStop
        | SignalValue::Alive => {}
    }
}

/// A frame that is cut says of each field the same as the whole one, or nothing.
fn treadmill(frame: &[u8]) {
    for width in [PaceWidth::OneOctet, PaceWidth::TwoOctets] {
        let Ok(whole) = Treadmill::decode_with(frame, width) else { continue };
        assert!(frame.ends_with(&whole.trailing));
        assert!(whole.cut.is_none() || whole.trailing.is_empty(), "{whole:?}");
        for end in 2..frame.len() {
            let part = Treadmill::decode_with(&frame[..end], width).expect("the flags are there");
            for (part, whole) in fields(&part).into_iter().zip(fields(&whole)) {
                assert!(part.is_none() || part == whole, "{frame:02x?} to {end}: {part:?}, not {whole:?}");
            }
        }
        let chosen = Treadmill::decode(frame, width).expect("the flags are there");
        let other = Treadmill::decode_with(frame, PaceWidth::OneOctet);
        let another = Treadmill::decode_with(frame, PaceWidth::TwoOctets);
        assert!([other, another].contains(&Ok(chosen)));
    }
}

fn fields(frame: &Treadmill) -> [Option<i64>; 19] {
    [
        frame.speed.map(i64::from),
        frame.average_speed.map(i64::from),
        frame.distance_m.map(i64::from),
        reported(&frame.inclination),
        reported(&frame.ramp_angle),
        frame.elevation_gain_positive.map(i64::from),
        frame.elevation_gain_negative.map(i64::from),
        frame.instantaneous_pace.map(i64::from),
        frame.average_pace.map(i64::from),
        reported(&frame.energy_kcal),
        reported(&frame.energy_per_hour_kcal),
        reported(&frame.energy_per_minute_kcal),
        frame.heart_rate_bpm.map(i64::from),
        frame.metabolic_equivalent.map(i64::from),
        frame.elapsed_s.map(i64::from),
        frame.remaining_s.map(i64::from),
        reported(&frame.force_on_belt_n),
        reported(&frame.power_output_w),
        frame.vendor_steps.map(i64::from),
    ]
}

fn reported<T: Copy + Into<i64>>(field: &Option<Reported<T>>) -> Option<i64> {
    field.as_ref().map(|field| match field {
        Reported::Value(value) => (*value).into(),
        Reported::NotAvailable => i64::MIN,
    })
}

fn running_speed(frame: &[u8]) {
    let Ok(whole) = RunningSpeed::decode(frame) else { return assert!(frame.is_empty()) };
    assert_eq!(whole.cut.is_none(), frame.len() >= length(&whole), "{whole:?}");
    for end in 1..frame.len() {
        let part = RunningSpeed::decode(&frame[..end]).expect("the flags are there");
        assert!(part.speed.is_none() || part.speed == whole.speed);
        assert!(part.cadence.is_none() || part.cadence == whole.cadence);
        assert!(part.stride_length.is_none() || part.stride_length == whole.stride_length);
        assert!(part.total_distance.is_none() || part.total_distance == whole.total_distance);
    }
}

/// Octets that the flags announce.
fn length(frame: &RunningSpeed) -> usize {
    let stride = if frame.flags & 1 == 0 { 0 } else { 2 };
    let distance = if frame.flags & 2 == 0 { 0 } else { 4 };
    4 + stride + distance
}
