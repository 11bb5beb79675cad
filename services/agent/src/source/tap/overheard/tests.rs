//! A console and its base, as they were logged and otherwise.

use domain::units::SECOND;
use proptest::prelude::*;

use super::*;
use crate::modbus::sealed;

use SignalValue as V;

/// What is heard when these frames come at these times, in milliseconds.
fn heard(frames: &[(u64, Vec<u8>)]) -> Vec<(Way, V)> {
    let (mut mind, mut out) = (Overheard::new(1), Vec::new());
    for (at, octets) in frames {
        mind.hear(octets, MonotonicMicros(at * MILLI), &mut out);
    }
    let values = out.into_iter().filter_map(|(way, told)| match told {
        Told::Value(V::Alive) | Told::Frame(_) | Told::Unreadable(..) => None,
        Told::Value(value) => Some((way, value)),
    });
    values.collect()
}

/// A write and its echo, as both go over the line, in decimal octets without checksum.
fn written(at: u64, register: u16, value: u16) -> [(u64, Vec<u8>); 2] {
    let frame = sealed(&[&[1, 6][..], &register.to_be_bytes(), &value.to_be_bytes()].concat());
    [(at, frame.clone()), (at + 30, frame)]
}

#[track_caller]
fn check(frames: &[(u64, Vec<u8>)], expected: &[V]) {
    let told: Vec<V> = heard(frames).into_iter().map(|(_, value)| value).collect();
    assert_eq!(told, expected);
}

#[test]
fn set_points_are_commanded_speeds() {
    let check = |raw, expected: V| check(&written(0, SET_POINT, raw), &[expected]);
    check(50, V::Commanded(Speed(0)));
    // As logged: 0.4, 0.5, 1.2 and 2.0 mph.
    check(94, V::Commanded(Speed(179)));
    check(117, V::Commanded(Speed(223)));
    check(282, V::Commanded(Speed(536)));
    check(470, V::Commanded(Speed(894)));
    check(49, V::Implausible("set point 49 is below 50, which is stopped".to_owned()));
    check(0, V::Implausible("set point 0 is below 50, which is stopped".to_owned()));
    check(0xFFFF, V::Implausible("commanded speed 448.80 km/h is above 30 km/h".to_owned()));
}

#[test]
fn starting_and_stopping_are_told_once_and_steps_when_they_were_asked_for() {
    let ask = |at| (at, sealed(&[1, 3, 0, 15, 0, 1]));
    let tell = |at, steps: u8| (at, sealed(&[1, 3, 2, 0, steps]));
    let mut frames = Vec::new();
    frames.extend(written(0, STEPS, 0));
    frames.extend(written(100, SET_POINT, 94));
    frames.extend(written(200, START, 1));
    frames.extend([ask(300), tell(320, 7)]);
    // Another register's value is no step count, and neither is one of which nobody saw the question.
    frames.extend([(400, sealed(&[1, 3, 0xD1, 0x0A, 0, 1])), tell(420, 94), tell(500, 3)]);
    frames.extend(written(600, STOP, 1));
    check(&frames, &[V::Commanded(Speed(179)), V::UserStarted, V::Steps(7), V::UserStopped]);
}

#[test]
fn an_answer_that_comes_too_late_or_after_noise_answers_nothing() {
    let ask = |at| (at, sealed(&[1, 3, 0, 15, 0, 1]));
    let tell = |at| (at, sealed(&[1, 3, 2, 0, 9]));
    check(&[ask(0), tell(500)], &[V::Steps(9)]);
    check(&[ask(0), tell(501)], &[]);
    check(&[ask(0), (10, [&[0x55][..], &tell(0).1].concat())], &[]);
    // A write that is said again much later is a second one.
    let [first, _] = written(0, START, 1);
    let [second, echo] = written(2 * SECOND / MILLI, START, 1);
    check(&[first, second, echo], &[V::UserStarted, V::UserStarted]);
}

#[test]
fn other_units_and_functions_say_nothing() {
    check(&[(0, sealed(&[2, 6, 0, 1, 0, 1])), (900, sealed(&[1, 5, 0, 1, 0, 1]))], &[]);
    check(&written(0, START, 2), &[]);
}

#[test]
fn who_speaks_is_told_apart() {
    let mut frames = written(0, SET_POINT, 94).to_vec();
    frames.push((100, sealed(&[1, 3, 0, 15, 0, 1])));
    frames.push((120, sealed(&[1, 3, 2, 0, 9])));
    let (mut mind, mut out) = (Overheard::new(1), Vec::new());
    // Glued and cut as they come.
    let all: Vec<u8> = frames.into_iter().flat_map(|(_, octets)| octets).collect();
    for piece in all.chunks(5) {
        mind.hear(piece, MonotonicMicros(0), &mut out);
    }
    let ways: Vec<Way> =
        out.iter().filter(|(_, told)| matches!(told, Told::Frame(_))).map(|(way, _)| *way).collect();
    assert_eq!(ways, [Way::Request, Way::Response, Way::Request, Way::Response]);
}

proptest! {
    #[test]
    fn any_octets_tell_no_direction_and_no_measured_speed(
        octets in proptest::collection::vec(any::<u8>(), 0..400),
        bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 2..12), 0..20),
    ) {
        let mut frames = vec![(0, octets)];
        frames.extend(bodies.into_iter().map(|body| (1, sealed(&[&[1, 6][..], &body].concat()))));
        for (_, value) in heard(&frames) {
            prop_assert!(!matches!(value, V::Speed(_) | V::MeasuredDirection(_)));
        }
    }
}
