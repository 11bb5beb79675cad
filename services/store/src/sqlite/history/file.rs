//! What stands in a chunk file.
//!
//! It begins with the magic `BWCHUNKS`, the version 1, three zeros, and the CRC-32C of these, little endian. Then
//! frames follow each other to the end:
//!
//! | octets | what |
//! |---|---|
//! | 4 | magic, `c7 46 52 4d` |
//! | 2 | length of the head that follows, little endian |
//! | head | varint length of the machine's id, the id; lane; the log's 16 octets; varints: boot, count, first number, last minus first; zigzag varint first time; varint last minus first; varint length of the chunk |
//! | 4 | CRC-32C of all before, little endian |
//! | rest | the chunk, with its own checksum |
//!
//! So the index can be made anew from the files alone, and damage costs the frame in which it is: whoever reads on looks
//! for the next magic whose checksum fits.

use domain::ids::{LogId, MachineId};
use domain::limits;
use domain::log::Lane;
use domain::units::UnixMicros;

use crate::chunk::ChunkError;
use crate::chunk::varint::{self, Octets};

const BEGIN: [u8; 12] = *b"BWCHUNKS\x01\0\0\0";
/// Octets before the first frame.
pub(super) const BEGIN_BYTES: usize = BEGIN.len() + 4;
const MAGIC: [u8; 4] = [0xc7, 0x46, 0x52, 0x4d];
const HEAD_BYTES_MAX: usize = 400;

/// What a frame says of its chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) machine: MachineId,
    pub(super) lane: Lane,
    pub(super) log: LogId,
    pub(super) boot_count: u32,
    pub(super) records: u64,
    pub(super) first_n: u64,
    pub(super) last_n: u64,
    pub(super) first: UnixMicros,
    pub(super) last: UnixMicros,
    /// Octets of the chunk.
    pub(super) bytes: u64,
}

/// What a file begins with.
pub(super) fn begin() -> Vec<u8> {
    let mut octets = BEGIN.to_vec();
    octets.extend(crc32c::crc32c(&BEGIN).to_le_bytes());
    octets
}

/// Whether these are the first octets of a file that this program reads; if not, why.
pub(super) fn check_begin(octets: &[u8]) -> Result<(), &'static str> {
    match octets.get(..BEGIN_BYTES) {
        None => Err("it is shorter than what a file begins with"),
        Some(found) if found == begin() => Ok(()),
        Some(_) => Err("it does not begin like a chunk file of version 1"),
    }
}

/// The head of a frame.
pub(super) fn head(frame: &Frame) -> Vec<u8> {
    let mut head = Vec::with_capacity(80);
    let id = frame.machine.as_str().as_bytes();
    varint::put(&mut head, id.len() as u64);
    head.extend_from_slice(id);
    head.push(match frame.lane {
        Lane::Events => 0,
        Lane::Readings => 1,
    });
    head.extend_from_slice(&frame.log.0);
    for number in [frame.boot_count.into(), frame.records, frame.first_n, frame.last_n - frame.first_n] {
        varint::put(&mut head, number);
    }
    varint::put(&mut head, varint::zigzag(frame.first.0));
    varint::put(&mut head, frame.last.0.abs_diff(frame.first.0));
    varint::put(&mut head, frame.bytes);
    let length = u16::try_from(head.len()).expect("a machine's id is short");
    let mut octets = MAGIC.to_vec();
    octets.extend(length.to_le_bytes());
    octets.extend(head);
    octets.extend(crc32c::crc32c(&octets).to_le_bytes());
    octets
}

/// The frame that begins here, and how long its head is; `None`: none does.
pub(super) fn read_head(octets: &[u8]) -> Option<(Frame, usize)> {
    let rest = octets.strip_prefix(&MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_le_bytes(*length));
    if length > HEAD_BYTES_MAX {
        return None;
    }
    let (head, rest) = rest.split_at_checked(length)?;
    let sum = rest.first_chunk::<4>()?;
    let whole = MAGIC.len() + 2 + length;
    if crc32c::crc32c(&octets[..whole]) != u32::from_le_bytes(*sum) {
        return None;
    }
    let frame = parse(head).ok().flatten()?;
    Some((frame, whole + 4))
}

fn parse(head: &[u8]) -> Result<Option<Frame>, ChunkError> {
    let mut octets = Octets::new(head);
    let length = usize::try_from(octets.varint()?).unwrap_or(usize::MAX);
    let id = std::str::from_utf8(octets.take(length)?).ok().and_then(|id| MachineId::new(id).ok());
    let lane = match octets.octet()? {
        0 => Some(Lane::Events),
        1 => Some(Lane::Readings),
        _ => None,
    };
    let log = <[u8; 16]>::try_from(octets.take(16)?).ok();
    let boot_count = u32::try_from(octets.varint()?).ok();
    let (records, first_n) = (octets.varint()?, octets.varint()?);
    let last_n = first_n.checked_add(octets.varint()?);
    let first = varint::unzigzag(octets.varint()?);
    let last = first.checked_add_unsigned(octets.varint()?);
    let bytes = octets.varint()?;
    let parts = || {
        Some(Frame {
            machine: id?,
            lane: lane?,
            log: LogId(log?),
            boot_count: boot_count?,
            records,
            first_n,
            last_n: last_n?,
            first: UnixMicros(first),
            last: UnixMicros(last?),
            bytes: Some(bytes).filter(|bytes| *bytes <= limits::COMPACTED_BYTES_MAX as u64)?,
        })
    };
    Ok(parts())
}

/// All frames of a file that can be found, each with where it begins and how long its head is.
pub(super) fn scan(octets: &[u8]) -> Vec<(u64, u64, Frame)> {
    let mut frames = Vec::new();
    let mut place = BEGIN_BYTES.min(octets.len());
    while place < octets.len() {
        let Some((frame, head_bytes)) = read_head(&octets[place..]) else {
            // Damage: on to the next octet that a magic may begin with.
            let next = octets[place + 1..].iter().position(|octet| *octet == MAGIC[0]);
            place = next.map_or(octets.len(), |next| place + 1 + next);
            continue;
        };
        let bytes = usize::try_from(frame.bytes).unwrap_or(usize::MAX);
        frames.push((place as u64, head_bytes as u64, frame));
        place = place.saturating_add(head_bytes).saturating_add(bytes);
    }
    frames
}
