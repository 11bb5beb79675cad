//! What comes over a serial line: CSAFE, Modbus RTU and Biodex answers, each reader over the same octets.
//!
//! Input: four octets with the lengths of pieces; then parts, each an octet with its kind (two bits) and length, and its
//! octets: as they are, as the contents of a CSAFE frame, or with a Modbus checksum behind them.

#![no_main]

use agent::csafe::answer::{Answer, Item};
use agent::csafe::frame::{self, Deframer, framed};
use agent::csafe::request::{Command, Request};
use agent::modbus::message::{Message, Side, recorded};
use agent::modbus::stream::{self, Stream};
use agent::modbus::{checksum, is_sound};
use beltwatch_fuzz::{Input, biodex, pieces};
use domain::limits::{CSAFE_FRAME_OCTETS_MAX, MODBUS_FRAME_OCTETS_MAX};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let mut input = Input::new(octets);
    let lengths = std::array::from_fn(|_| input.u8().unwrap_or(0));
    let line = line(input);
    csafe(&line, lengths);
    modbus(&line, lengths);
    biodex::check(&line, lengths);
});

fn line(mut input: Input<'_>) -> Vec<u8> {
    let mut line = Vec::new();
    while let Some(part) = input.u8() {
        let octets = input.take(usize::from(part & 0x3F));
        contents(octets);
        match part >> 6 {
            1 => line.extend(framed(octets)),
            2 => {
                line.extend(octets);
                line.extend(checksum(octets).to_le_bytes());
            }
            _ => line.extend(octets),
        }
    }
    line
}

/// Every octet of contents belongs to what was read of them, unless they end too early.
fn contents(octets: &[u8]) {
    if let Ok(answer) = Answer::decode(octets) {
        let read: usize = answer.items.iter().map(|item| 2 + item.octets.len()).sum();
        assert!(1 + read == octets.len() || answer.cut.is_some() && 1 + read < octets.len(), "{answer:?}");
        answer.items.iter().for_each(measured);
    } else {
        assert!(octets.is_empty());
    }
    let asked = Request::decode(octets);
    let read: usize = asked
        .commands
        .iter()
        .map(|command| match command {
            Command::Short(_) => 1,
            Command::Long(item) => 2 + item.octets.len(),
        })
        .sum();
    assert!(read == octets.len() || asked.cut.is_some() && read < octets.len(), "{asked:?}");
    let _ = Request::is_likely(octets);
}

/// A unit is of one kind.
fn measured(item: &Item) {
    let Some((raw, unit)) = item.measure() else { return };
    let kinds = [unit.speed(raw).is_some(), unit.incline(raw).is_some(), unit.metres(raw).is_some()];
    assert!(kinds.into_iter().filter(|is_it| *is_it).count() <= 1, "{unit}");
}

fn csafe(line: &[u8], lengths: [u8; 4]) {
    let (mut deframer, mut whole) = (Deframer::default(), Vec::new());
    deframer.push(line, &mut whole);
    deframer.finish(&mut whole);
    let (mut deframer, mut in_pieces) = (Deframer::default(), Vec::new());
    for piece in pieces(line, lengths) {
        deframer.push(piece, &mut in_pieces);
    }
    deframer.finish(&mut in_pieces);
    assert_eq!(in_pieces, whole);
    let mut told: Vec<u8> = Vec::new();
    for found in &whole {
        let octets = match found {
            frame::Found::Frame(frame) => {
                contents(&frame.contents);
                assert!(frame.addresses.is_some() || framed(&frame.contents) == frame.octets, "{frame:?}");
                &frame.octets
            }
            frame::Found::Broken(broken) => {
                contents(&broken.contents);
                &broken.octets
            }
        };
        assert!((1..=CSAFE_FRAME_OCTETS_MAX).contains(&octets.len()));
        told.extend(octets);
    }
    assert_eq!(told, line);
}

fn modbus(line: &[u8], lengths: [u8; 4]) {
    let (mut stream, mut whole) = (Stream::default(), Vec::new());
    stream.push(line, &mut whole);
    let left = stream.clear();
    let (mut stream, mut in_pieces) = (Stream::default(), Vec::new());
    for piece in pieces(line, lengths) {
        stream.push(piece, &mut in_pieces);
    }
    assert_eq!(in_pieces, whole);
    assert_eq!(stream.clear(), left);
    let mut told: Vec<u8> = Vec::new();
    for found in &whole {
        match found {
            stream::Found::Frame { side, message, octets } => {
                assert!(is_sound(octets) && octets.len() <= MODBUS_FRAME_OCTETS_MAX, "{octets:02x?}");
                assert_eq!(message.cut, None, "{octets:02x?}");
                let alone = recorded(octets, *side);
                assert!(alone.is_sound && alone.after == 0, "{octets:02x?}: {alone:?}");
                assert_eq!(alone.message, *message, "{octets:02x?}");
                told.extend(octets);
            }
            stream::Found::Noise(octets) => told.extend(octets),
        }
    }
    told.extend(left);
    assert_eq!(told, line);
    for side in [None, Some(Side::Master), Some(Side::Unit)] {
        assert!(recorded(line, side).after <= line.len());
    }
    for side in [Side::Master, Side::Unit] {
        assert_eq!(Message::decode(line, side).unit, line.first().copied());
    }
}
