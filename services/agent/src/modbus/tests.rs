//! Checksums, requests, and finding frames on a line where two speak.

use proptest::prelude::*;

use super::message::{Message, Side};
use super::stream::{Found, Stream};
use super::{Read, Registers, is_sound, sealed};

fn octets(hex: &str) -> Vec<u8> {
    hex::decode(hex.replace(' ', "")).unwrap()
}

fn found(octets: &[u8]) -> Vec<Found> {
    let (mut stream, mut found) = (Stream::default(), Vec::new());
    stream.push(octets, &mut found);
    let rest = stream.clear();
    if !rest.is_empty() {
        found.push(Found::Noise(rest));
    }
    found
}

/// What was found, in few words.
fn words(found: &[Found]) -> Vec<String> {
    let word = |found: &Found| match found {
        Found::Frame { side, octets, .. } => format!("{side:?} {}", hex::encode(octets)),
        Found::Noise(octets) => format!("noise {}", hex::encode(octets)),
    };
    found.iter().map(word).collect()
}

#[test]
fn published_frames_have_the_right_checksum() {
    let check = |hex: &str| assert!(is_sound(&octets(hex)), "{hex}");
    // Eaton M-Max manual, p. 140.
    check("05 03 0838 0002 4622");
    check("05 03 04 05d7 0018 0f0d");
    check("05 04 0838 0002 f3e2");
    // blak3r/treadspan, protocol-analysis/serial.
    check("01 06 00 01 00 01 19 ca");
    check("01 06 00 0a 00 5e 28 30");
    check("01 06 00 0f 00 00 b9 c9");
    assert!(!is_sound(&octets("05 03 0838 0002 4623")));
    assert!(!is_sound(&[]));
    // The checksum of nothing is no frame.
    assert!(!is_sound(&[0xFF, 0xFF]));
}

#[test]
fn the_only_request_reads() {
    let read = Read { unit: 5, registers: Registers::Holding, register: 2_104, count: 2 };
    assert_eq!(read.octets(), octets("05 03 0838 0002 4622"));
    let read = Read { registers: Registers::Input, ..read };
    assert_eq!(read.octets(), octets("05 04 0838 0002 f3e2"));
}

#[test]
fn glued_and_cut_frames_of_both_sides_are_found() {
    let check = |hex: &str, expected: &[&str]| {
        let expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(words(&found(&octets(hex))), expected, "{hex}");
    };
    let (ask, tell) = ("050308380002 4622", "050304 05d70018 0f0d");
    let start = "010600010001 19ca";
    check(&format!("{ask}{tell}"), &["Some(Master) 0503083800024622", "Some(Unit) 05030405d700180f0d"]);
    check(&format!("{start}{start}"), &["None 01060001000119ca", "None 01060001000119ca"]);
    check(&format!("0503 08 {ask}"), &["noise 050308", "Some(Master) 0503083800024622"]);
    check(
        &format!("{tell} ff {ask}"),
        &["Some(Unit) 05030405d700180f0d", "noise ff", "Some(Master) 0503083800024622"],
    );
    check("0503083800", &["noise 0503083800"]);
    // Values of FFFFH before zeros look like a frame of unit FFH that refuses.
    let zeros = hex::encode(sealed(&octets("010306 ffff 0000 0000")));
    check(&zeros, &[&format!("Some(Unit) {zeros}")]);
    // No unit has a number above 247, none answers as 0, and registers have two octets each.
    let high = hex::encode(sealed(&octets("f8 06 0001 0001")));
    check(&high, &[&format!("noise {high}")]);
    let nobody = hex::encode(sealed(&octets("00 03 02 0001")));
    check(&nobody, &[&format!("noise {nobody}")]);
    let odd = hex::encode(sealed(&octets("01 03 03 010203")));
    check(&odd, &[&format!("Some(Master) {odd}")]);
    // An octet was lost: the frame after it is found all the same.
    check(&format!("050304 05d700 0f0d {ask}"), &["noise 05030405d7000f0d", "Some(Master) 0503083800024622"]);
}

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let register = any::<u16>().prop_map(u16::to_be_bytes);
    prop_oneof![
        (1..5_u8, any::<[u8; 4]>()).prop_map(|(function, body)| [&[1, function][..], &body].concat()),
        (1..5_u8, any::<[u8; 4]>()).prop_map(|(_, body)| [&[1, 6][..], &body].concat()),
        proptest::collection::vec(any::<u16>(), 1..20).prop_map(|values| {
            let values: Vec<u8> = values.into_iter().flat_map(u16::to_be_bytes).collect();
            [&[1, 3, u8::try_from(values.len()).unwrap()][..], &values].concat()
        }),
        (register, proptest::collection::vec(any::<u16>(), 1..20)).prop_map(|(register, values)| {
            let count = u8::try_from(values.len()).unwrap();
            let values: Vec<u8> = values.into_iter().flat_map(u16::to_be_bytes).collect();
            [&[1, 16][..], &register, &[0, count, count * 2], &values].concat()
        }),
        Just(vec![1, 0x83, 2]),
    ]
    .prop_map(|body| sealed(&body))
}

proptest! {
    #[test]
    fn frames_one_after_another_are_all_found(frames in proptest::collection::vec(any_frame(), 1..12)) {
        let all = frames.concat();
        let told: Vec<Vec<u8>> = found(&all).into_iter().map(|found| match found {
            Found::Frame { octets, .. } => octets,
            Found::Noise(noise) => panic!("noise {}", hex::encode(noise)),
        }).collect();
        prop_assert_eq!(told, frames);
    }

    #[test]
    fn pieces_change_nothing_and_no_octet_is_lost(
        frames in proptest::collection::vec(any_frame(), 0..5),
        noise in proptest::collection::vec(any::<u8>(), 0..600),
        at in 0..600_usize,
        cuts in proptest::collection::vec(1..9_usize, 0..60),
    ) {
        let at = at.min(noise.len());
        let all = [&noise[..at], &frames.concat(), &noise[at..]].concat();
        let whole = found(&all);
        let (mut stream, mut pieces, mut rest) = (Stream::default(), Vec::new(), all.as_slice());
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            stream.push(piece, &mut pieces);
            rest = after;
        }
        stream.push(rest, &mut pieces);
        let rest = stream.clear();
        if !rest.is_empty() {
            pieces.push(Found::Noise(rest));
        }
        prop_assert_eq!(&pieces, &whole);
        let told: Vec<u8> = whole.into_iter().flat_map(|found| match found {
            Found::Frame { octets, .. } => octets,
            Found::Noise(octets) => octets,
        }).collect();
        prop_assert_eq!(told, all);
    }

    #[test]
    fn a_frame_is_found_after_noise(
        noise in proptest::collection::vec(any::<u8>(), 0..400),
        frame in any_frame(),
    ) {
        let last = found(&[noise, frame.clone()].concat()).pop();
        // The noise before it may make a longer frame of it about once in 65 536 tries with a fitting length.
        let ends = matches!(&last, Some(Found::Frame { octets, .. }) if octets.ends_with(&frame));
        prop_assert!(ends, "{last:?}");
    }

    #[test]
    fn any_octets_are_read(body in proptest::collection::vec(any::<u8>(), 0..260)) {
        for side in [Side::Master, Side::Unit] {
            let message = Message::decode(&body, side);
            prop_assert_eq!(message.unit, body.first().copied());
            prop_assert_eq!(message.function, body.get(1).copied());
        }
    }
}
