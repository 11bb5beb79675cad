//! All that can leave a port; questions and answers in time.

use domain::signal::SignalValue;
use domain::units::{MILLI, MonotonicMicros};

use super::dialogue::{Dialogue, Heard, Interviewer, Pace, Step, Told};
use super::*;
use crate::capture::Characteristic;
use crate::modbus::{Registers, is_sound};

/// Every question that can be made, or for registers every kind of one, and its octets.
#[test]
fn all_that_can_leave_a_port_asks_and_changes_nothing() {
    for question in CsafeQuestion::ALL {
        let octets = Poll::Csafe(vec![question]).octets();
        let [0xF1, command, sum, 0xF2] = octets.as_slice() else { panic!("{octets:02x?}") };
        assert_eq!(command, sum);
        // Get commands of the public list. 81H to 88H change a state, below 80H values are set.
        assert!([0x80, 0x91, 0x9C, 0xA0, 0xA1, 0xA5, 0xA8, 0xB0].contains(command), "{command:02x}");
    }
    for question in BiodexQuestion::ALL {
        // 80H to 86H start, stop, set and reverse.
        assert!(
            [&[0xA0][..], &[0xA1], &[0xA2], &[0xA7]].contains(&Poll::Biodex(question).octets().as_slice())
        );
    }
    for registers in [Registers::Holding, Registers::Input] {
        for (unit, register, count) in [(1, 0, 1), (247, 0xFFFF, 125), (0, 0x2000, 0)] {
            let octets = Poll::Modbus(Read { unit, registers, register, count }).octets();
            assert!(octets.len() == 8 && is_sound(&octets) && matches!(octets[1], 3 | 4), "{octets:02x?}");
        }
    }
}

/// Asks 1, 2, 3, …; an answer is the number of its question.
#[derive(Debug, Default)]
struct Counting {
    asked: u8,
    unanswered: u8,
    /// Whether each answer might be one to any question.
    is_alike: bool,
}

impl Interviewer for Counting {
    const CHARACTERISTIC: Characteristic = Characteristic::ModbusRtu;

    fn tells_answers_apart(&self) -> bool {
        !self.is_alike
    }

    fn ask(&mut self) -> Poll {
        self.asked += 1;
        Poll::Modbus(Read { unit: self.asked, registers: Registers::Holding, register: 0, count: 1 })
    }

    fn hear(&mut self, octets: &[u8], out: &mut Vec<Told>) -> Heard {
        if octets == [self.asked] {
            out.push(Told::Value(SignalValue::Steps(u32::from(self.asked))));
            return Heard::Answered;
        }
        out.push(Told::Unreadable("another".to_owned(), octets.to_vec()));
        Heard::Waiting
    }

    fn hear_unasked(&mut self, octets: &[u8], out: &mut Vec<Told>) {
        out.push(Told::Unreadable("unasked".to_owned(), octets.to_vec()));
    }

    fn unanswered(&mut self, _: &mut Vec<Told>) {
        self.unanswered += 1;
    }
}

/// Something, and when it came, in milliseconds.
type At<T> = (u64, T);

/// A machine that takes so long to answer each question, in milliseconds; `None`: it does not.
fn simulated(delays: &[Option<u64>], until_ms: u64) -> (Vec<At<u8>>, Vec<At<Told>>) {
    simulated_with(Counting::default(), delays, until_ms)
}

fn simulated_with(counting: Counting, delays: &[Option<u64>], until_ms: u64) -> (Vec<At<u8>>, Vec<At<Told>>) {
    let mut dialogue = Dialogue::new(counting, Pace::new(100, 300), MonotonicMicros(0));
    let (mut asked, mut told, mut answers) = (Vec::new(), Vec::new(), Vec::<(u64, u8)>::new());
    for ms in 0..until_ms {
        let now = MonotonicMicros(ms * MILLI);
        let mut out = Vec::new();
        answers.retain(|(at, answer)| {
            if *at == ms {
                dialogue.hear(&[*answer], now, &mut out);
            }
            *at != ms
        });
        while let Step::Ask(Poll::Modbus(read)) = dialogue.step(now, &mut out) {
            asked.push((ms, read.unit));
            if let Some(Some(delay)) = delays.get(usize::from(read.unit) - 1) {
                answers.push((ms + delay, read.unit));
            }
        }
        told.extend(out.into_iter().map(|told| (ms, told)));
    }
    (asked, told)
}

#[test]
fn questions_keep_their_distance_and_wait_for_answers() {
    let (asked, told) = simulated(&[Some(5), Some(150), Some(5), Some(5)], 600);
    assert_eq!(asked, [(0, 1), (100, 2), (250, 3), (350, 4), (450, 5)]);
    let value = |n| Told::Value(SignalValue::Steps(n));
    assert_eq!(told, [(5, value(1)), (250, value(2)), (255, value(3)), (355, value(4))]);
}

#[test]
fn a_late_answer_is_not_taken_for_the_next_ones() {
    // The first comes 100 ms too late: half a second of quiet begins anew with it.
    let (asked, told) = simulated(&[Some(400), Some(5)], 1_000);
    assert_eq!(asked, [(0, 1), (900, 2)]);
    let unasked = Told::Unreadable("unasked".to_owned(), vec![1]);
    assert_eq!(told, [(400, unasked), (905, Told::Value(SignalValue::Steps(2)))]);
    // Silence: asked again and again, with pauses.
    let (asked, told) = simulated(&[], 3_000);
    assert_eq!(asked, [(0, 1), (800, 2), (1_600, 3), (2_400, 4)]);
    assert_eq!(told, []);
}

#[test]
fn where_answers_look_alike_the_next_question_waits_for_what_may_still_come() {
    let alike = || Counting { is_alike: true, ..Counting::default() };
    // Up to three times as long as an answer may take.
    let (asked, told) = simulated_with(alike(), &[Some(860), Some(5)], 2_000);
    assert_eq!(asked[..2], [(0, 1), (1_360, 2)], "half a second of quiet after what came late");
    let unasked = Told::Unreadable("unasked".to_owned(), vec![1]);
    assert_eq!(told[..2], [(860, unasked), (1_365, Told::Value(SignalValue::Steps(2)))]);
    let (asked, _) = simulated_with(alike(), &[], 3_000);
    assert_eq!(asked, [(0, 1), (900, 2), (1_800, 3), (2_700, 4)]);
}

#[test]
fn a_line_that_is_never_quiet_is_asked_all_the_same() {
    let mut dialogue = Dialogue::new(Counting::default(), Pace::new(100, 300), MonotonicMicros(0));
    let (mut asked, mut out) = (Vec::new(), Vec::new());
    for ms in (0..6_000).step_by(10) {
        let now = MonotonicMicros(ms * MILLI);
        if let Step::Ask(_) = dialogue.step(now, &mut out) {
            asked.push(ms);
        }
        dialogue.hear(b"x", now, &mut out);
    }
    assert_eq!(asked, [0, 2_300, 4_600]);
}

#[test]
fn settings_are_checked() {
    let check = |result: Result<(), String>, words: &str| {
        let error = result.expect_err(words);
        assert!(error.contains(words), "{error}");
    };
    check(LineSettings::plain(300).check(), "baud is 300: 1200 to 230400");
    check(LineSettings { stop_bits: 3, ..LineSettings::plain(9_600) }.check(), "stop_bits is 3");
    check(LineSettings::check_port("ttyUSB0"), "port is \"ttyUSB0\"");
    assert!(crate::source::csafe::example().check().is_ok());
    assert!(crate::source::drive::example().check().is_ok());
    assert!(crate::source::drive::example_custom().check().is_ok());
    assert!(crate::source::tap::example().check().is_ok());
    assert!(crate::source::biodex::example().check().is_ok());
}

#[tokio::test]
async fn what_is_no_port_is_named() {
    let check = |name: &str, words: &str| {
        let lost = AskingPort::open(name, &LineSettings::plain(9_600)).unwrap_err().to_string();
        assert!(lost.starts_with(&format!("cannot open {name}")) && lost.contains(words), "{lost}");
    };
    check("/nowhere/ttyUSB0", "No such file");
    check("/dev/null", "it is no serial port");
}
