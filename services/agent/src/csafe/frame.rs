//! Frames among octets that come in any pieces.

use domain::limits::CSAFE_FRAME_OCTETS_MAX;

const EXTENDED_START: u8 = 0xF0;
const START: u8 = 0xF1;
const STOP: u8 = 0xF2;
const STUFFING: u8 = 0xF3;

/// A whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Destination and source of an extended frame.
    pub addresses: Option<(u8, u8)>,
    /// What it holds, without stuffing and checksum.
    pub contents: Vec<u8>,
    /// The octets as sent.
    pub octets: Vec<u8>,
}

/// Why octets are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Octets before a start or after an end.
    #[error("octets outside of a frame")]
    Outside,
    /// No end within the length that a frame may have.
    #[error("frame is longer than {CSAFE_FRAME_OCTETS_MAX} octets")]
    TooLong,
    /// Another start came first.
    #[error("frame has no end: another begins")]
    Interrupted,
    /// The octets end first.
    #[error("cut: frame has no end")]
    Cut,
    /// Start and end, and not even a checksum between them.
    #[error("frame is empty")]
    Empty,
    /// An extended frame without two addresses.
    #[error("cut: extended frame has no two addresses")]
    NoAddresses,
    /// The octet after the stuffing octet stands for none of `F0` to `F3`.
    #[error("f3 is followed by {0:02x}: 00 to 03 are allowed")]
    Stuffing(u8),
    /// The contents are not what was sent.
    #[error("checksum is {is:02x}: {expected:02x} is expected")]
    Checksum {
        /// As sent.
        is: u8,
        /// Of the contents.
        expected: u8,
    },
}

/// Octets that are no frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Why.
    pub error: FrameError,
    /// What could be read of the contents before the fault.
    pub contents: Vec<u8>,
    /// The octets as sent.
    pub octets: Vec<u8>,
}

/// What was found among octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A frame.
    Frame(Frame),
    /// Octets that are none.
    Broken(Broken),
}

/// Finds frames. What it finds does not depend on the pieces in which the octets come.
#[derive(Debug, Default)]
pub struct Deframer {
    /// Octets of the frame under way, with its start.
    inside: Vec<u8>,
    /// Octets outside of frames that have not been told yet.
    outside: Vec<u8>,
}

impl Deframer {
    /// Takes octets and appends what they complete.
    pub fn push(&mut self, octets: &[u8], found: &mut Vec<Found>) {
        for octet in octets {
            self.push_one(*octet, found);
        }
    }

    /// No more octets come: what is left is no frame.
    pub fn finish(&mut self, found: &mut Vec<Found>) {
        self.end_outside(found);
        self.break_off(FrameError::Cut, found);
    }

    fn push_one(&mut self, octet: u8, found: &mut Vec<Found>) {
        match octet {
            EXTENDED_START | START => {
                self.end_outside(found);
                self.break_off(FrameError::Interrupted, found);
                self.inside.push(octet);
            }
            _ if self.inside.is_empty() => {
                self.outside.push(octet);
                if self.outside.len() == CSAFE_FRAME_OCTETS_MAX {
                    self.end_outside(found);
                }
            }
            STOP => {
                self.inside.push(octet);
                found.push(unframed(std::mem::take(&mut self.inside)));
            }
            _ => {
                self.inside.push(octet);
                // One place is for the end.
                if self.inside.len() == CSAFE_FRAME_OCTETS_MAX {
                    self.break_off(FrameError::TooLong, found);
                }
            }
        }
    }

    fn end_outside(&mut self, found: &mut Vec<Found>) {
        if !self.outside.is_empty() {
            let octets = std::mem::take(&mut self.outside);
            found.push(Found::Broken(Broken { error: FrameError::Outside, contents: Vec::new(), octets }));
        }
    }

    fn break_off(&mut self, error: FrameError, found: &mut Vec<Found>) {
        if self.inside.is_empty() {
            return;
        }
        let octets = std::mem::take(&mut self.inside);
        let contents = match unstuffed(octets.get(1..).unwrap_or_default()) {
            Ok(contents) | Err((contents, _)) => contents,
        };
        let addresses = if octets.starts_with(&[EXTENDED_START]) { 2 } else { 0 };
        let contents = contents.get(addresses..).unwrap_or_default().to_vec();
        found.push(Found::Broken(Broken { error, contents, octets }));
    }
}

/// A frame from its start to its end.
fn unframed(octets: Vec<u8>) -> Found {
    let is_extended = octets.starts_with(&[EXTENDED_START]);
    let between = octets.get(1..octets.len() - 1).unwrap_or_default();
    let (all, stuffing) = match unstuffed(between) {
        Ok(all) => (all, None),
        Err((before, octet)) => (before, Some(FrameError::Stuffing(octet))),
    };
    let broken =
        |error, contents: &[u8], octets| Found::Broken(Broken { error, contents: contents.to_vec(), octets });
    let (addresses, body) = match (is_extended, all.as_slice()) {
        (true, [destination, source, body @ ..]) => (Some((*destination, *source)), body),
        (true, _) => return broken(FrameError::NoAddresses, &[], octets),
        (false, body) => (None, body),
    };
    if let Some(error) = stuffing {
        return broken(error, body, octets);
    }
    let Some((is, contents)) = body.split_last() else { return broken(FrameError::Empty, &[], octets) };
    let expected = checksum(contents);
    if *is != expected {
        return broken(FrameError::Checksum { is: *is, expected }, contents, octets);
    }
    Found::Frame(Frame { addresses, contents: contents.to_vec(), octets })
}

/// Octets without stuffing; or those before the first wrong stuffing, and what it was.
fn unstuffed(octets: &[u8]) -> Result<Vec<u8>, (Vec<u8>, u8)> {
    let mut plain = Vec::with_capacity(octets.len());
    let mut octets = octets.iter().copied();
    while let Some(octet) = octets.next() {
        if octet != STUFFING {
            plain.push(octet);
            continue;
        }
        match octets.next() {
            Some(low @ 0..=3) => plain.push(EXTENDED_START | low),
            Some(other) => return Err((plain, other)),
            None => return Err((plain, STOP)),
        }
    }
    Ok(plain)
}

/// The exclusive or of all contents.
fn checksum(contents: &[u8]) -> u8 {
    contents.iter().fold(0, |sum, octet| sum ^ octet)
}

/// Contents as a standard frame.
pub fn framed(contents: &[u8]) -> Vec<u8> {
    let mut octets = vec![START];
    for octet in contents.iter().copied().chain([checksum(contents)]) {
        match octet {
            EXTENDED_START..=STUFFING => octets.extend([STUFFING, octet & 3]),
            _ => octets.push(octet),
        }
    }
    octets.push(STOP);
    octets
}
