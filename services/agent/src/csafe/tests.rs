//! Frames whole, broken and in any pieces; units.

use domain::units::{Incline, Speed};
use proptest::prelude::*;

use super::answer::Answer;
use super::frame::{Broken, Deframer, Found, Frame, FrameError, framed};
use super::question::{Question, request};
use super::request::{Command, Request};
use super::unit::Unit;

fn found(octets: &[u8]) -> Vec<Found> {
    let (mut deframer, mut found) = (Deframer::default(), Vec::new());
    deframer.push(octets, &mut found);
    deframer.finish(&mut found);
    found
}

fn check_error(hex: &str, error: FrameError, contents: &str) {
    let octets = hex::decode(hex.replace(' ', "")).unwrap();
    let contents = hex::decode(contents.replace(' ', "")).unwrap();
    assert_eq!(found(&octets), [Found::Broken(Broken { error, contents, octets: octets.clone() })], "{hex}");
}

#[test]
fn requests_are_these_octets() {
    let check = |questions: &[Question], hex: &str| {
        assert_eq!(hex::encode(request(questions)), hex.replace(' ', ""));
    };
    check(&[Question::Status, Question::Speed], "f1 80 a5 25 f2");
    check(&[Question::Version], "f1 91 91 f2");
    for question in Question::ALL {
        // From 80H on commands have no octets of their own; 81H to 88H are those that change a machine's state.
        assert!(matches!(question.command(), 0x80 | 0x90..=0xBF), "{question:?}");
    }
}

#[test]
fn frames_are_taken_apart() {
    let frame = |addresses, contents: &str, octets: &[u8]| {
        let contents = hex::decode(contents.replace(' ', "")).unwrap();
        Found::Frame(Frame { addresses, contents, octets: octets.to_vec() })
    };
    let check = |hex: &str, addresses, contents: &str| {
        let octets = hex::decode(hex.replace(' ', "")).unwrap();
        assert_eq!(found(&octets), [frame(addresses, contents, &octets)], "{hex}");
    };
    check("f1 05 a5 03 1e 00 11 ac f2", None, "05 a5 03 1e 00 11");
    check("f1 05 a5 03 f3 00 00 31 62 f2", None, "05 a5 03 f0 00 31");
    check("f0 fd 00 05 05 f2", Some((0xFD, 0)), "05");
    // The checksum is stuffed, too: 05 ^ f7 = f2.
    check("f1 05 f7 f3 02 f2", None, "05 f7");
    check("f1 00 f2", None, "");
}

#[test]
fn what_is_no_frame_is_told_with_its_octets() {
    check_error("f1 05 06 f2", FrameError::Checksum { is: 6, expected: 5 }, "05");
    check_error("f1 05 f3 07 05 f2", FrameError::Stuffing(7), "05");
    check_error("f1 05 f3 f2", FrameError::Stuffing(0xF2), "05");
    check_error("f1 f2", FrameError::Empty, "");
    check_error("f0 01 f2", FrameError::NoAddresses, "");
    check_error("f1 05 a5", FrameError::Cut, "05 a5");
    check_error("05 a5 f2", FrameError::Outside, "");
    check_error(&format!("f1{}", "05".repeat(95)), FrameError::TooLong, &"05".repeat(95));
    let longest = framed(&[5; 93]);
    assert_eq!(longest.len(), 96);
    assert!(matches!(found(&longest).as_slice(), [Found::Frame(_)]));
    assert!(matches!(found(&framed(&[5; 94])).first(), Some(Found::Broken(_))));
}

#[test]
fn units_are_respected() {
    let speed =
        |unit: u8, raw, mm_s: Option<u32>| assert_eq!(Unit(unit).speed(raw), mm_s.map(Speed), "{unit:02x}");
    speed(0x10, 3, Some(1_341));
    speed(0x11, 30, Some(1_341));
    speed(0x12, 300, Some(1_341));
    speed(0x13, 264, Some(1_341));
    speed(0x30, 10, Some(2_778));
    speed(0x31, 100, Some(2_778));
    speed(0x32, 1_000, Some(2_778));
    speed(0x33, 60, Some(1_000));
    speed(0x52, 60, None);
    speed(0x37, 6, None);
    speed(0x00, 6, None);
    let incline = |unit: u8, raw, tenths: Option<i32>| {
        assert_eq!(Unit(unit).incline(raw), tenths.map(Incline), "{unit:02x}");
    };
    incline(0x4A, 5, Some(50));
    incline(0x4B, 550, Some(55));
    incline(0x4C, 55, Some(55));
    incline(0x30, 5, None);
    let metres = |unit: u8, raw, metres| assert_eq!(Unit(unit).metres(raw), metres, "{unit:02x}");
    metres(0x21, 3, Some(3_000));
    metres(0x24, 300, Some(300));
    metres(0x03, 100, Some(1_609));
    metres(0x05, 1_000, Some(305));
    metres(0x31, 300, None);
    assert_eq!(Unit(0x52).to_string(), "rpm");
    assert_eq!(Unit(0x99).to_string(), "unit 99");
}

fn any_frames() -> impl Strategy<Value = Vec<u8>> {
    let contents = proptest::collection::vec(any::<u8>(), 0..40);
    let noise = proptest::collection::vec(prop_oneof![any::<u8>(), 0xF0..=0xF3_u8], 0..12);
    let part = prop_oneof![contents.prop_map(|contents| framed(&contents)), noise];
    proptest::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_contents_come_back(contents in proptest::collection::vec(any::<u8>(), 0..46)) {
        let octets = framed(&contents);
        prop_assert_eq!(found(&octets), [Found::Frame(Frame { addresses: None, contents, octets })]);
    }

    #[test]
    fn pieces_change_nothing_and_no_octet_is_lost(octets in any_frames(), cuts in proptest::collection::vec(1..9_usize, 0..40)) {
        let whole = found(&octets);
        let (mut deframer, mut pieces, mut rest) = (Deframer::default(), Vec::new(), octets.as_slice());
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            deframer.push(piece, &mut pieces);
            rest = after;
        }
        deframer.push(rest, &mut pieces);
        deframer.finish(&mut pieces);
        prop_assert_eq!(&pieces, &whole);
        let told: Vec<u8> = whole.iter().flat_map(|found| match found {
            Found::Frame(frame) => frame.octets.clone(),
            Found::Broken(broken) => broken.octets.clone(),
        }).collect();
        prop_assert_eq!(told, octets);
    }

    #[test]
    fn a_frame_is_found_after_anything(before in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut octets = before;
        octets.extend(framed(&[5, 0xB0, 1, 80]));
        let last = found(&octets).pop();
        prop_assert!(matches!(last, Some(Found::Frame(_))));
    }

    #[test]
    fn any_contents_are_read(contents in proptest::collection::vec(any::<u8>(), 0..90)) {
        if let Ok(answer) = Answer::decode(&contents) {
            let octets: usize = answer.items.iter().map(|item| 2 + item.octets.len()).sum();
            prop_assert!(answer.cut.is_some() || octets + 1 == contents.len());
        } else {
            prop_assert!(contents.is_empty());
        }
        let asked = Request::decode(&contents);
        let octets: usize = asked.commands.iter().map(|command| match command {
            Command::Short(_) => 1,
            Command::Long(item) => 2 + item.octets.len(),
        }).sum();
        prop_assert!(asked.cut.is_some() || octets == contents.len());
    }
}
