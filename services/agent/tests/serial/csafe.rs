//! A gym machine's CSAFE port.

use std::path::Path;

use agent::source::asked::Asking;
use agent::source::csafe::{Settings, example, source};
use agent::source::outlet::Way;
use domain::signal::SignalValue;
use domain::units::{Incline, Speed};

use crate::peer::{ANSWER_MS, Machine, Manner, Peer};
use crate::rig::{Running, frames};

/// All commands that may come: GetStatus, GetVersion, GetErrorCode, GetTWork, GetHorizontal, GetSpeed, GetGrade, GetHRCur.
const ALLOWED: [u8; 8] = [0x80, 0x91, 0x9C, 0xA0, 0xA1, 0xA5, 0xA8, 0xB0];

/// A treadmill whose speed goes up with each answer, so that some have octets that are stuffed.
struct Treadmill {
    toggle: bool,
    answers: u16,
    last: Vec<u8>,
}

fn framed(contents: &[u8]) -> Vec<u8> {
    let sum = contents.iter().fold(0, |sum, octet| sum ^ octet);
    let mut octets = vec![0xF1];
    for octet in contents.iter().copied().chain([sum]) {
        if octet & 0xFC == 0xF0 {
            octets.extend([0xF3, octet & 3]);
        } else {
            octets.push(octet);
        }
    }
    octets.push(0xF2);
    octets
}

impl Machine for Treadmill {
    fn request(&mut self, heard: &mut Vec<u8>) -> Option<Vec<u8>> {
        let end = heard.iter().position(|octet| *octet == 0xF2)?;
        Some(heard.drain(..=end).collect())
    }

    fn answer(&mut self, request: &[u8], manner: Manner) -> (Vec<u8>, Vec<SignalValue>) {
        if manner == Manner::Again && !self.last.is_empty() {
            return (self.last.clone(), Vec::new());
        }
        self.toggle = !self.toggle;
        self.answers += 1;
        // 0.1 km/h; from 22.0 on, so that F0H to F3H come.
        let speed = 220 + self.answers;
        let mut contents = vec![if self.toggle { 0x85 } else { 0x05 }];
        let mut expected = Vec::new();
        for command in &request[1..request.len() - 2] {
            match command {
                0x91 => contents.extend([0x91, 5, 1, 2, 3, 4, 5]),
                0xA5 => {
                    contents.extend([0xA5, 3, speed.to_le_bytes()[0], speed.to_le_bytes()[1], 0x31]);
                    let mm_s = (u32::from(speed) * 1_000 / 36 * 10 + 5) / 10;
                    let nearest = (u32::from(speed) * 250 + 4) / 9;
                    assert!(nearest.abs_diff(mm_s) <= 1);
                    expected.push(SignalValue::Speed(Speed(nearest)));
                }
                0xA8 => {
                    contents.extend([0xA8, 3, 2, 0, 0x4A]);
                    expected.push(SignalValue::Incline(Incline(20)));
                }
                0xA1 => {
                    contents.extend([0xA1, 3, 0xF1, 0, 0x24]);
                    expected.push(SignalValue::Distance(241));
                }
                // This machine has no clock and no heart-rate sensor: it does not know these commands.
                _ => {}
            }
        }
        self.last = framed(&contents);
        match manner {
            Manner::Garbled | Manner::Silent => (self.last.clone(), Vec::new()),
            Manner::Whole
            | Manner::AfterNoise
            | Manner::InPieces
            | Manner::Late
            | Manner::VeryLate
            | Manner::Again => (self.last.clone(), expected),
        }
    }
}

fn settings(link: &Path) -> Settings {
    let asking = Asking { poll_ms: 100, answer_ms: ANSWER_MS, ..Asking::at(link.to_str().unwrap()) };
    Settings { asking, ..example() }
}

/// Only frames of allowed commands, one after another.
fn check_only_questions(heard: &[u8]) {
    assert!(!heard.is_empty());
    for frame in heard.split_inclusive(|octet| *octet == 0xF2) {
        let [0xF1, commands @ .., sum, 0xF2] = frame else { panic!("no frame: {frame:02x?}") };
        assert_eq!(*sum, commands.iter().fold(0, |sum, octet| sum ^ octet));
        assert!(commands.iter().all(|command| ALLOWED.contains(command)), "{frame:02x?}");
    }
}

#[tokio::test]
async fn a_treadmill_is_read_through_all_that_can_happen_on_a_line() {
    const MANNERS: &[Manner] = &[
        Manner::Whole,
        Manner::Whole,
        Manner::InPieces,
        Manner::AfterNoise,
        Manner::Again,
        Manner::Garbled,
        Manner::Whole,
        Manner::Silent,
        Manner::InPieces,
        Manner::Late,
        Manner::Whole,
        Manner::AfterNoise,
    ];
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("treadmill");
    let peer = Peer::plug(&link, Treadmill { toggle: false, answers: 0, last: Vec::new() }, MANNERS);
    let mut running = Running::start(source(&settings(&link)));
    running.until(|_| peer.requests() > MANNERS.len() + 4).await;
    let expected = peer.expected();
    running.until(|told| told.len() >= expected.len()).await;
    assert_eq!(running.told()[..expected.len()], expected);
    let heard = peer.unplug();
    check_only_questions(&heard);
    let (lost, unreadable, tape) = running.end().await;
    assert!(lost.to_string().contains("is gone"), "{lost}");
    assert!(unreadable > 0);
    assert_eq!(frames(&tape, Way::Request), heard);
    assert!(!frames(&tape, Way::Response).is_empty());
}

#[tokio::test]
async fn a_machine_that_is_plugged_in_again_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("treadmill");
    let lost = Running::start(source(&settings(&link))).end().await.0;
    assert!(lost.to_string().starts_with("cannot open"), "{lost}");
    for _ in 0..2 {
        let machine = Treadmill { toggle: false, answers: 0, last: Vec::new() };
        let peer = Peer::plug(&link, machine, &[Manner::Whole]);
        let mut running = Running::start(source(&settings(&link)));
        running.until(|told| told.iter().any(|value| matches!(value, SignalValue::Speed(_)))).await;
        check_only_questions(&peer.unplug());
        let (lost, _, _) = running.end().await;
        assert!(lost.to_string().contains("is gone"), "{lost}");
    }
}
