//! What is asked, and what answers say.

use proptest::prelude::*;

use super::super::example;
use super::*;

use SignalValue as V;

/// Answers as a machine would, to each question, until the same question comes for the second time in a row's order.
fn answered(interview: &mut Interview, questions: usize, machine: impl Fn(Question) -> Vec<u8>) -> Vec<V> {
    let mut told = Vec::new();
    for _ in 0..questions {
        let Poll::Biodex(question) = interview.ask() else { panic!("Biodex") };
        assert_eq!(interview.hear(&machine(question), &mut told), Heard::Answered, "{question:?}");
    }
    let values = told.into_iter().filter_map(|told| match told {
        Told::Value(V::Alive) => None,
        Told::Value(value) => Some(value),
        Told::Unreadable(why, octets) => panic!("{why} {octets:02x?}"),
        Told::Frame(_) => None,
    });
    values.collect()
}

fn machine(speed: &str, elevation: &str, direction: u8, status: [u8; 3]) -> impl Fn(Question) -> Vec<u8> {
    move |question| {
        let body = match question {
            Question::Speed => speed.as_bytes().to_vec(),
            Question::Elevation => elevation.as_bytes().to_vec(),
            Question::Direction => vec![direction],
            Question::Status => status.to_vec(),
        };
        [vec![question.octet()], body].concat()
    }
}

/// Checks what a machine that stays as it is says, each value once.
#[track_caller]
fn check(settings: &Settings, machine: impl Fn(Question) -> Vec<u8>, expected: &[V]) {
    let mut told: Vec<V> = Vec::new();
    for value in answered(&mut Interview::new(settings), 12, machine) {
        if !told.contains(&value) {
            told.push(value);
        }
    }
    assert_eq!(told, expected);
}

fn key(open: bool) -> V {
    V::ContactLevel { contact: Contact::SafetyKey, open }
}

fn way(direction: Direction) -> V {
    V::MeasuredDirection(direction)
}

#[test]
fn answers_become_signals() {
    let miles = example();
    let kilometres = Settings { speed_unit: SpeedUnit::Kilometres, ..example() };
    check(
        &miles,
        machine("030", "05", b'F', [0; 3]),
        &[key(false), way(Direction::Forward), V::Speed(Speed(1_341)), V::Incline(Incline(50))],
    );
    check(
        &kilometres,
        machine("100", "00", b'R', [0; 3]),
        &[key(false), way(Direction::Reverse), V::Speed(Speed(2_778)), V::Incline(Incline(0))],
    );
    let inverted = Settings { invert: true, ..example() };
    check(
        &inverted,
        machine("000", "15", b'R', [0; 3]),
        &[key(false), way(Direction::Forward), V::Speed(Speed(0)), V::Incline(Incline(150))],
    );
    check(
        &miles,
        machine("999", "99", b'F', [0; 3]),
        &[
            key(false),
            way(Direction::Forward),
            V::Implausible("speed 160.77 km/h is above 30 km/h".to_owned()),
            V::Implausible("incline 99.0 % is beyond ±40 %".to_owned()),
        ],
    );
}

#[test]
fn the_lanyard_is_the_safety_key_and_the_other_bits_are_faults() {
    let check = |status: [u8; 3], open: bool, faults: &[&str]| {
        let mut expected = vec![key(open)];
        expected.extend(faults.iter().map(|text| V::Fault((*text).to_owned())));
        expected.extend([way(Direction::Forward), V::Speed(Speed(0)), V::Incline(Incline(0))]);
        check(&example(), machine("000", "00", b'F', status), &expected);
    };
    check([0, 0x40, 0], true, &[]);
    check([0, 0x01, 0], false, &["no Hall speed signal"]);
    check([0, 0xA0, 0], false, &["amplifier fault, communication fault"]);
    check([0x20, 0x40, 0xFF], true, &["hardware fault or diagnosis"]);
    // That a question was not understood is no fault of the machine.
    check([0x01, 0, 0], false, &[]);
}

#[test]
fn a_single_garbled_answer_neither_pulls_the_lanyard_nor_reverses_the_belt() {
    let mut interview = Interview::new(&example());
    let healthy = machine("030", "00", b'F', [0; 3]);
    answered(&mut interview, 12, &healthy);
    for question in [Question::Status, Question::Direction] {
        // Until this question is asked.
        loop {
            let Poll::Biodex(asked) = interview.ask() else { panic!("Biodex") };
            let mut told = Vec::new();
            if asked == question {
                let garbled = machine("030", "00", b'R', [0, 0x40, 0]);
                interview.hear(&garbled(asked), &mut told);
                assert_eq!(told, [Told::Frame(garbled(asked)), Told::Value(V::Alive)]);
                break;
            }
            interview.hear(&healthy(asked), &mut told);
        }
        // It is asked again at once, and the answer is the old one.
        let Poll::Biodex(asked) = interview.ask() else { panic!("Biodex") };
        assert_eq!(asked, question);
        interview.hear(&healthy(asked), &mut Vec::new());
        let told = answered(&mut interview, 12, &healthy);
        assert!(!told.contains(&key(true)) && !told.contains(&way(Direction::Reverse)));
    }
    // A real pull is told with the second answer.
    let pulled = machine("030", "00", b'F', [0, 0x40, 0]);
    let told = answered(&mut interview, 4, &pulled);
    assert!(told.contains(&key(true)) && !told.contains(&key(false)));
}

#[test]
fn what_flutters_does_not_keep_others_waiting() {
    let mut interview = Interview::new(&example());
    let mut asked = Vec::new();
    for n in 0..24_u8 {
        let Poll::Biodex(question) = interview.ask() else { panic!("Biodex") };
        asked.push(question);
        interview.hear(&machine("030", "00", b'F', [0, n, 0])(question), &mut Vec::new());
    }
    for question in Question::ALL {
        assert!(asked.contains(&question), "{question:?}");
    }
    let turns = asked.split(|question| *question == Question::Speed).map(<[Question]>::len).max();
    assert!(turns < usize::try_from(TURNS).ok(), "{asked:?}");
}

#[test]
fn an_answer_to_another_question_is_none() {
    let mut interview = Interview::new(&example());
    let Poll::Biodex(asked) = interview.ask() else { panic!("Biodex") };
    assert_eq!(asked, Question::Status);
    let mut told = Vec::new();
    assert_eq!(interview.hear(b"\xA0030", &mut told), Heard::Waiting);
    assert_eq!(interview.hear(b"\xA2R", &mut told), Heard::Waiting);
    assert_eq!(interview.hear(b"\x81\x00xyz", &mut told), Heard::Waiting);
    // They are recorded all the same.
    let recorded = [Told::Frame(b"\xA0030".to_vec()), Told::Frame(b"\xA2R".to_vec())];
    assert!(recorded.iter().all(|frame| told.contains(frame)), "{told:?}");
    assert!(told.iter().all(|told| matches!(told, Told::Frame(_) | Told::Unreadable(..))), "{told:?}");
    told.clear();
    assert_eq!(interview.hear(b"\xAF", &mut told), Heard::Answered);
    assert!(told.contains(&Told::Value(V::Alive)));
}

fn found(octets: &[u8], pieces: usize) -> Vec<Found> {
    let (mut answers, mut found) = (Answers::default(), Vec::new());
    for piece in octets.chunks(pieces) {
        answers.push(piece, &mut found);
    }
    found
}

#[test]
fn answers_are_found_after_octets_that_are_none() {
    let check = |octets: &[u8], expected: &[Found]| assert_eq!(found(octets, 1), expected, "{octets:02x?}");
    check(b"\xA0035\xA2R\xA108", &[Found::Speed(35), Found::Forward(false), Found::Elevation(8)]);
    check(b"\xA003\xA0035", &[Found::Noise(b"\xA003".to_vec()), Found::Speed(35)]);
    check(b"x\xA2FF", &[Found::Noise(b"x".to_vec()), Found::Forward(true), Found::Noise(b"F".to_vec())]);
    check(b"\xA7\x00\xA0\xFF\xAF", &[Found::Status([0, 0xA0, 0xFF]), Found::NotAcknowledged]);
    check(b"\xA7\x80\xA2F", &[Found::Noise(vec![0xA7]), Found::Noise(vec![0x80]), Found::Forward(true)]);
}

proptest! {
    #[test]
    fn pieces_change_nothing(
        octets in proptest::collection::vec(
            prop_oneof![any::<u8>(), 0xA0..0xA8_u8, b'0'..=b'9', Just(b'F'), Just(b'R')],
            0..200,
        ),
        pieces in 1..20_usize,
    ) {
        prop_assert_eq!(found(&octets, pieces), found(&octets, 1));
    }

    #[test]
    fn any_octets_are_heard(octets in proptest::collection::vec(any::<u8>(), 0..200), pieces in 1..20_usize) {
        let mut interview = Interview::new(&example());
        for piece in octets.chunks(pieces) {
            interview.ask();
            interview.hear(piece, &mut Vec::new());
        }
    }
}
