//! Integers in few octets: seven bits an octet, the lowest first, the top bit says that more follow.

use super::ChunkError;

/// Appends a value, 1 to 10 octets.
pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(low_bits(value) | 0x80);
        value >>= 7;
    }
    out.push(low_bits(value));
}

fn low_bits(value: u64) -> u8 {
    u8::try_from(value & 0x7f).expect("seven bits fit an octet")
}

/// How many octets a value takes.
pub(crate) fn length(value: u64) -> usize {
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// Signed as unsigned, such that small ones stay small: 0, -1, 1, -2 become 0, 1, 2, 3.
pub(crate) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// Signed again.
pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// Octets being read from the front.
#[derive(Debug)]
pub(crate) struct Octets<'a> {
    rest: &'a [u8],
}

impl<'a> Octets<'a> {
    /// All of `octets`.
    pub(crate) fn new(octets: &'a [u8]) -> Octets<'a> {
        Octets { rest: octets }
    }

    /// What was not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next octet.
    pub(crate) fn octet(&mut self) -> Result<u8, ChunkError> {
        let (first, rest) = self.rest.split_first().ok_or(ChunkError::Damaged("it ends too early"))?;
        self.rest = rest;
        Ok(*first)
    }

    /// The next `count` octets.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], ChunkError> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or(ChunkError::Damaged("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next integer.
    pub(crate) fn varint(&mut self) -> Result<u64, ChunkError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let octet = self.octet()?;
            let bits = u64::from(octet & 0x7f);
            // The tenth octet has room for one bit.
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if octet & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ChunkError::Damaged("it has an integer of more than 64 bits"))
    }
}
