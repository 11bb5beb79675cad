//! What is asked, and what answers say.

use domain::units::{Incline, Speed};
use proptest::prelude::*;

use super::super::example;
use super::*;
use crate::csafe::frame::framed;

fn interview(settings: &Settings) -> Interview {
    Interview::new(settings)
}

fn values(told: Vec<Told>) -> Vec<SignalValue> {
    told.into_iter()
        .filter_map(|told| match told {
            Told::Value(value) => Some(value),
            Told::Frame(_) | Told::Unreadable(..) => None,
        })
        .collect()
}

/// Asks, and answers with these contents; gives what was told.
fn answer(interview: &mut Interview, contents: &str) -> Vec<Told> {
    interview.ask();
    let mut told = Vec::new();
    let octets = framed(&hex::decode(contents.replace(' ', "")).unwrap());
    assert_eq!(interview.hear(&octets, &mut told), Heard::Answered, "{contents}");
    told
}

/// Checks what answers say, one after another.
#[track_caller]
fn check_with(settings: &Settings, answers: &[(&str, &[SignalValue])]) {
    let mut interview = interview(settings);
    for (contents, expected) in answers {
        assert_eq!(values(answer(&mut interview, contents)), *expected, "{contents}");
    }
}

#[track_caller]
fn check(answers: &[(&str, &[SignalValue])]) {
    check_with(&example(), answers);
}

use SignalValue as V;

#[test]
fn questions_come_in_turn_and_the_error_code_only_when_there_is_an_error() {
    let mut interview = interview(&example());
    let mut asked = |state: &str| {
        let Poll::Csafe(questions) = interview.ask() else { panic!("CSAFE") };
        let mut told = Vec::new();
        interview.hear(&framed(&hex::decode(state).unwrap()), &mut told);
        questions
    };
    use Question as Q;
    assert_eq!(asked("05"), [Q::Version]);
    let with_sums = [Q::Status, Q::Speed, Q::Grade, Q::HeartRate, Q::Distance, Q::WorkTime];
    assert_eq!(asked("85"), with_sums);
    for _ in 0..4 {
        assert_eq!(asked("05"), ALWAYS);
    }
    assert_eq!(asked("80"), with_sums);
    assert_eq!(asked("00"), [Q::Status, Q::Speed, Q::Grade, Q::HeartRate, Q::ErrorCode]);
}

#[test]
fn values_have_the_unit_that_comes_with_them() {
    check(&[("05 a5 03 1e 00 11", &[V::Speed(Speed(1_341))])]);
    check(&[("05 a5 03 f0 00 31", &[V::Speed(Speed(6_667))])]);
    check(&[("05 a8 03 37 00 4c", &[V::Incline(Incline(55))])]);
    check(&[("05 a1 03 03 00 22", &[V::Distance(300)])]);
    check(&[("05 a0 03 01 02 03", &[V::Elapsed(3_723)])]);
    check(&[("05 a5 03 00 00 31 a8 03 00 00 4a", &[V::Speed(Speed(0)), V::Incline(Incline(0))])]);
    // A cross trainer's "speed", as a real machine answered.
    check(&[("05 a5 03 3c 00 52", &[V::Implausible("speed is told in rpm: 60".to_owned())])]);
    check(&[("05 a5 03 3c 00 99", &[V::Implausible("speed is told in unit 99: 60".to_owned())])]);
    check(&[("05 a5 03 ff ff 31", &[V::Implausible("speed 6553.50 km/h is above 30 km/h".to_owned())])]);
    check(&[("05 a8 03 ff ff 4c", &[V::Implausible("grade is 65535 of 0.1 % grade".to_owned())])]);
    check(&[("05 a5 02 1e 00", &[V::Implausible("speed has 2 octets: 1e00".to_owned())])]);
    // What the machine does not know is missing; what nobody knows is passed over.
    check(&[("05", &[V::Alive])]);
    check(&[("05 d0 02 01 02", &[V::Alive])]);
}

#[test]
fn a_heart_rate_of_0_says_something_only_where_there_is_a_sensor() {
    check(&[
        ("05 b0 01 00", &[V::Alive]),
        ("85 b0 01 50", &[V::HeartRateContact(true)]),
        ("05 b0 01 00", &[V::HeartRateContact(false)]),
    ]);
    let settings = Settings { heart_rate_sensor: true, heart_rate_told: true, ..example() };
    check_with(
        &settings,
        &[
            ("05 b0 01 00", &[V::HeartRateContact(false)]),
            ("85 b0 01 50", &[V::HeartRateContact(true), V::HeartRate(80)]),
        ],
    );
}

#[test]
fn changes_of_state_are_what_the_user_did() {
    check(&[
        // What was before nobody knows.
        ("05", &[V::Alive]),
        ("86", &[V::UserPaused]),
        ("05", &[V::UserStarted]),
        ("88", &[V::Alive]),
        ("07", &[V::UserStopped]),
        ("81", &[V::Alive]),
        ("05", &[V::UserStarted]),
        // A time-out of the machine.
        ("81", &[V::Alive]),
        ("09", &[V::Alive]),
    ]);
}

#[test]
fn an_error_is_told_once_with_its_code() {
    let fault = |text: &str| V::Fault(text.to_owned());
    check(&[
        ("05", &[V::Alive]),
        ("80", &[V::Alive]),
        ("00 9c 03 12 00 00", &[fault("state error, error code 18")]),
        ("80 9c 03 12 00 00", &[V::Alive]),
        ("00 9c 03 13 00 00", &[fault("state error, error code 19")]),
        ("81", &[V::Alive]),
        ("00", &[V::Alive]),
        ("80", &[fault("state error, without a code")]),
    ]);
}

#[test]
fn the_same_toggle_twice_is_the_same_answer_again() {
    let speed = |mm_s| V::Speed(Speed(mm_s));
    check(&[
        ("05 a5 03 64 00 31", &[speed(2_778)]),
        ("05 a5 03 c8 00 31", &[V::Alive]),
        ("85 a5 03 c8 00 31", &[speed(5_556)]),
    ]);
    let settings = Settings { frame_toggle: false, ..example() };
    check_with(&settings, &[("05 a5 03 64 00 31", &[speed(2_778)]), ("05 a5 03 c8 00 31", &[speed(5_556)])]);
    // An answer that nobody heard has flipped it.
    let mut interview = interview(&example());
    answer(&mut interview, "05");
    interview.ask();
    interview.unanswered(&mut Vec::new());
    assert_eq!(values(answer(&mut interview, "05 a5 03 64 00 31")), [speed(2_778)]);
    let told: Vec<V> = (0..20).flat_map(|_| values(answer(&mut interview, "05"))).collect();
    assert!(matches!(&told[19], V::Implausible(text) if text.contains("frame_toggle = false")));
    assert!(told[..19].iter().all(|value| *value == V::Alive));
}

#[test]
fn what_makes_no_sense_answers_nothing() {
    let mut interview = interview(&example());
    interview.ask();
    let mut told = Vec::new();
    let own = request(&[Question::Version]);
    assert_eq!(interview.hear(&own, &mut told), Heard::Waiting);
    let garbled = [0x55, 0xF1, 0x05, 0x06, 0xF2];
    assert_eq!(interview.hear(&garbled, &mut told), Heard::Waiting);
    assert!(values(told).is_empty());
    // Half an answer from before the question is not put before the other half of another one.
    interview.hear_unasked(&[0xF1, 0x05, 0xA5], &mut Vec::new());
    let told = answer(&mut interview, "05 a5 03 64 00 31");
    assert_eq!(values(told), [V::Speed(Speed(2_778))]);
}

proptest! {
    #[test]
    fn any_octets_tell_no_direction_and_no_contact(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut interview = interview(&example());
        let mut told = Vec::new();
        for piece in octets.chunks(7) {
            interview.ask();
            interview.hear(piece, &mut told);
            interview.hear(&framed(piece), &mut told);
        }
        for value in values(told) {
            let is_more = matches!(
                value,
                V::MeasuredDirection(_) | V::DeclaredDirection(_) | V::ContactLevel { .. } | V::SafetyKeyStop
            );
            prop_assert!(!is_more);
        }
    }
}
