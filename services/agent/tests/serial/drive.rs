//! A motor drive on Modbus RTU.

use std::path::Path;

use agent::source::asked::Asking;
use agent::source::drive::{Custom, Model, Settings, example, example_custom, source};
use agent::source::outlet::Way;
use domain::belt::Direction;
use domain::signal::SignalValue;
use domain::units::Speed;

use crate::peer::{ANSWER_MS, Machine, Manner, Peer};
use crate::rig::{Running, frames};

/// A Delta drive that reverses now and then. Its registers change with each question.
struct Delta {
    questions: u16,
    /// The status that was told in this round, if its answer came in time.
    status: Option<u16>,
    last: Vec<u8>,
}

/// Modbus RTU's, worked out here anew.
pub(crate) fn checksum(octets: &[u8]) -> [u8; 2] {
    let mut sum = 0xFFFF_u16;
    for octet in octets {
        sum ^= u16::from(*octet);
        for _ in 0..8 {
            sum = if sum % 2 == 1 { (sum / 2) ^ 0xA001 } else { sum / 2 };
        }
    }
    sum.to_le_bytes()
}

impl Machine for Delta {
    fn request(&mut self, heard: &mut Vec<u8>) -> Option<Vec<u8>> {
        (heard.len() >= 8).then(|| heard.drain(..8).collect())
    }

    fn answer(&mut self, request: &[u8], manner: Manner) -> (Vec<u8>, Vec<SignalValue>) {
        self.questions += 1;
        let (register, count) = (u16::from_be_bytes([request[2], request[3]]), u16::from(request[5]));
        let status = [0b0_0011, 0b1_1011, 0b1_0011][usize::from(self.questions / 2 % 3)];
        let centihertz = 1_000 + self.questions;
        let value = |register| match register {
            0x2119 => status,
            0x2103 => centihertz,
            _ => 0,
        };
        let values: Vec<u8> =
            (register..register + count).flat_map(|register| value(register).to_be_bytes()).collect();
        let mut answer = vec![1, 3, u8::try_from(values.len()).unwrap()];
        answer.extend(values);
        answer.extend(checksum(&answer));
        let is_read = matches!(manner, Manner::Whole | Manner::InPieces | Manner::AfterNoise);
        let mut expected = Vec::new();
        match (register, self.status.take()) {
            (0x2119, _) => self.status = is_read.then_some(status),
            (0x2100, Some(status)) if is_read => {
                expected.push(SignalValue::MeasuredDirection(match status {
                    0b0_0011 => Direction::Forward,
                    0b1_1011 => Direction::Reverse,
                    _ => Direction::Unknown,
                }));
                // 100 mm/s at 1 Hz.
                expected.push(SignalValue::Speed(Speed(u32::from(centihertz))));
            }
            _ => {}
        }
        // A drive that says its last answer again answers the wrong question.
        let said = if manner == Manner::Again { self.last.clone() } else { answer.clone() };
        self.last = answer;
        (said, expected)
    }
}

fn settings(link: &Path) -> Settings {
    let asking = Asking { answer_ms: ANSWER_MS, ..Asking::at(link.to_str().unwrap()) };
    Settings { asking, drive: Model::DeltaMs300, mm_s_per_hz: Some(100.0), ..example() }
}

#[tokio::test]
async fn a_drive_is_read_through_all_that_can_happen_on_a_line() {
    const MANNERS: &[Manner] = &[
        Manner::Whole,
        Manner::InPieces,
        Manner::AfterNoise,
        Manner::Whole,
        Manner::Whole,
        Manner::Again,
        Manner::Garbled,
        Manner::Whole,
        Manner::Late,
        Manner::Whole,
        Manner::Whole,
        Manner::Silent,
        Manner::Whole,
    ];
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("drive");
    let peer = Peer::plug(&link, Delta { questions: 0, status: None, last: Vec::new() }, MANNERS);
    let mut running = Running::start(source(&settings(&link)));
    running.until(|_| peer.requests() > MANNERS.len() + 10).await;
    let expected = peer.expected();
    assert!(expected.contains(&SignalValue::MeasuredDirection(Direction::Reverse)));
    running.until(|told| told.len() >= expected.len()).await;
    assert_eq!(running.told()[..expected.len()], expected);
    let heard = peer.unplug();
    for request in heard.chunks(8) {
        // Unit 1, function 3, and the two blocks of the table.
        let allowed = [&[1, 3, 0x21, 0x19, 0, 1][..], &[1, 3, 0x21, 0x00, 0, 4]];
        assert!(allowed.contains(&&request[..6]), "{request:02x?}");
        assert_eq!(request[6..], checksum(&request[..6]));
    }
    let (lost, unreadable, tape) = running.end().await;
    assert!(lost.to_string().contains("is gone"), "{lost}");
    assert!(unreadable > 0);
    assert_eq!(frames(&tape, Way::Request), heard);
}

/// A drive whose status and frequency are answers of the same length: forward at 10.00 Hz, for ever.
struct Alike;

impl Machine for Alike {
    fn request(&mut self, heard: &mut Vec<u8>) -> Option<Vec<u8>> {
        (heard.len() >= 8).then(|| heard.drain(..8).collect())
    }

    fn answer(&mut self, request: &[u8], _: Manner) -> (Vec<u8>, Vec<SignalValue>) {
        let value: u16 = if request[2..4] == [0x21, 0x01] { 0b0010 } else { 1_000 };
        let mut answer = vec![1, 3, 2];
        answer.extend(value.to_be_bytes());
        answer.extend(checksum(&answer));
        (answer, Vec::new())
    }
}

#[tokio::test]
async fn a_late_answer_is_not_taken_for_one_that_looks_like_it() {
    // Once it is the status that comes late, once the frequency.
    const MANNERS: &[Manner] = &[
        Manner::Whole,
        Manner::Whole,
        Manner::VeryLate,
        Manner::Whole,
        Manner::Whole,
        Manner::Whole,
        Manner::VeryLate,
        Manner::Whole,
        Manner::Whole,
    ];
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("drive");
    let custom = Custom { fault: None, fault_code: None, ..example_custom().custom.unwrap() };
    let settings = Settings { drive: Model::Custom, custom: Some(custom), ..settings(&link) };
    settings.check().unwrap();
    let peer = Peer::plug(&link, Alike, MANNERS);
    let mut running = Running::start(source(&settings));
    running.until(|_| peer.requests() > MANNERS.len()).await;
    let forward = SignalValue::MeasuredDirection(Direction::Forward);
    let speed = SignalValue::Speed(Speed(1_000));
    assert!(running.told().iter().all(|value| [&forward, &speed].contains(&value)), "{:?}", running.told());
    peer.unplug();
    let (_, unreadable, _) = running.end().await;
    assert!(unreadable >= 2, "{unreadable} late answers");
}
