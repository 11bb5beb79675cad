//! A Biodex treadmill's host port.

use std::path::Path;

use agent::source::asked::Asking;
use agent::source::biodex::{Settings, SpeedUnit, example, source};
use agent::source::outlet::Way;
use domain::belt::{Contact, Direction};
use domain::signal::SignalValue;
use domain::units::{Incline, Speed};

use crate::peer::{ANSWER_MS, Machine, Manner, Peer};
use crate::rig::{Running, frames};

/// A treadmill whose lanyard is pulled off and whose belt reverses after a while.
struct Biodex {
    questions: usize,
    pulled_after: usize,
}

impl Machine for Biodex {
    fn request(&mut self, heard: &mut Vec<u8>) -> Option<Vec<u8>> {
        (!heard.is_empty()).then(|| heard.drain(..1).collect())
    }

    fn answer(&mut self, request: &[u8], _: Manner) -> (Vec<u8>, Vec<SignalValue>) {
        self.questions += 1;
        let is_pulled = self.questions > self.pulled_after;
        let answer: &[u8] = match (request, is_pulled) {
            (b"\xA0", false) => b"\xA0050",
            (b"\xA0", true) => b"\xA0020",
            (b"\xA1", _) => b"\xA103",
            (b"\xA2", false) => b"\xA2F",
            (b"\xA2", true) => b"\xA2R",
            (b"\xA7", false) => b"\xA7\x00\x00\x00",
            (b"\xA7", true) => b"\xA7\x00\x40\x00",
            _ => b"\xAF",
        };
        (answer.to_vec(), Vec::new())
    }
}

fn settings(link: &Path) -> Settings {
    let asking = Asking { answer_ms: ANSWER_MS, ..Asking::at(link.to_str().unwrap()) };
    Settings { asking, speed_unit: SpeedUnit::Kilometres, ..example() }
}

fn key(open: bool) -> SignalValue {
    SignalValue::ContactLevel { contact: Contact::SafetyKey, open }
}

#[tokio::test]
async fn a_treadmill_is_read_through_all_that_can_happen_on_a_line() {
    const MANNERS: &[Manner] = &[
        Manner::Whole,
        Manner::InPieces,
        Manner::AfterNoise,
        Manner::Whole,
        Manner::Whole,
        Manner::Garbled,
        Manner::Whole,
        Manner::Whole,
        Manner::Silent,
        Manner::Whole,
        Manner::Late,
    ];
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("biodex");
    let peer = Peer::plug(&link, Biodex { questions: 0, pulled_after: 16 }, MANNERS);
    let mut running = Running::start(source(&settings(&link)));
    let before = [
        key(false),
        SignalValue::MeasuredDirection(Direction::Forward),
        SignalValue::Speed(Speed(1_389)),
        SignalValue::Incline(Incline(30)),
    ];
    let after = [
        key(true),
        SignalValue::MeasuredDirection(Direction::Reverse),
        SignalValue::Speed(Speed(556)),
        SignalValue::Incline(Incline(30)),
    ];
    running.until(|told| before.iter().all(|value| told.contains(value))).await;
    running.until(|told| after.iter().all(|value| told.contains(value))).await;
    // Nothing else was told, and each value went over once.
    for (old, new) in before.iter().zip(&after) {
        assert!(running.told().iter().all(|value| before.contains(value) || after.contains(value)));
        let last_old = running.told().iter().rposition(|value| value == old);
        let first_new = running.told().iter().position(|value| value == new);
        assert!(old == new || last_old < first_new, "{:?}", running.told());
    }
    let heard = peer.unplug();
    assert!(heard.iter().all(|octet| matches!(octet, 0xA0 | 0xA1 | 0xA2 | 0xA7)), "{heard:02x?}");
    let (lost, unreadable, tape) = running.end().await;
    assert!(lost.to_string().contains("is gone"), "{lost}");
    assert!(unreadable > 0);
    assert_eq!(frames(&tape, Way::Request), heard);
    let answers = frames(&tape, Way::Response);
    for answer in [&b"\xA0050"[..], b"\xA103", b"\xA2R", b"\xA7\x00\x40\x00"] {
        assert!(answers.windows(answer.len()).any(|part| part == answer), "{answer:02x?}");
    }
}
