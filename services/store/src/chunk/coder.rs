//! An arithmetic coder of single bits, each with what was learnt of the bits before it.
//!
//! An interval of 64-bit numbers is cut in two at each bit, in the proportion in which zeros and ones came so far in
//! the same place. Octets that both ends have in common are written. One function describes what is coded in which
//! order; given a [`Writer`] it writes, given a [`Reader`] it reads.

use super::varint::{unzigzag, zigzag};

/// From so many bits on, what was learnt changes no faster.
const LEARNT_MAX: u8 = 96;

/// What was learnt of the bits in one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bit {
    /// How likely a one is, of 65 536.
    one: u16,
    seen: u8,
}

impl Bit {
    pub(super) const NEW: Bit = Bit { one: 1 << 15, seen: 0 };

    fn learn(&mut self, bit: bool) {
        let rate = 2 * i32::from(self.seen) + 3;
        let target = if bit { 65_535 } else { 0 };
        let change = 2 * (target - i32::from(self.one)) / rate;
        self.one = u16::try_from(i32::from(self.one) + change).expect("it stays between both ends");
        self.seen = (self.seen + 1).min(LEARNT_MAX);
    }
}

/// What was learnt of the numbers in one place, apart from 0: how many bits they have, and their first bits.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    longer: [Bit; 64],
    high: [[Bit; 8]; 65],
    low: [Bit; 64],
}

impl Numbers {
    pub(super) const NEW: Numbers =
        Numbers { longer: [Bit::NEW; 64], high: [[Bit::NEW; 8]; 65], low: [Bit::NEW; 64] };
}

/// Writes what it is given, or reads and gives what was written.
pub(super) trait Coder {
    /// A bit; a reader does not look at `bit`.
    fn bit(&mut self, model: &mut Bit, bit: bool) -> bool;

    /// A bit that only a writer can work out.
    fn decided(&mut self, model: &mut Bit, decide: impl FnOnce() -> bool) -> bool;

    /// A number, the fewer bits the nearer it is to 0; a reader does not look at `value`. Whether it is another one than
    /// 0 is learnt in `other`.
    fn number(&mut self, other: &mut Bit, model: &mut Numbers, value: i64) -> i64 {
        if !self.bit(other, value != 0) {
            return 0;
        }
        let value = zigzag(value);
        let bits = 64 - value.leading_zeros() as usize;
        let mut count = 1;
        while count < 64 && self.bit(&mut model.longer[count], count < bits) {
            count += 1;
        }
        let mut read = 1_u64;
        for place in (0..count - 1).rev() {
            // The three bits below the first are learnt together, those below them each by itself.
            let model = match usize::try_from(read) {
                Ok(before @ 1..=7) => &mut model.high[count][before],
                Ok(_) | Err(_) => &mut model.low[place],
            };
            let bit = self.bit(model, value >> place & 1 != 0);
            read = read << 1 | u64::from(bit);
        }
        unzigzag(read)
    }
}

/// Writes.
#[derive(Debug)]
pub(super) struct Writer {
    least: u64,
    greatest: u64,
    octets: Vec<u8>,
}

impl Writer {
    pub(super) fn new() -> Writer {
        Writer { least: 0, greatest: u64::MAX, octets: Vec::new() }
    }

    /// What was written. The ends differ in their first octet: the upper one's with zeros behind it lies between.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.octets.push(self.greatest.to_be_bytes()[0]);
        self.octets
    }
}

impl Coder for Writer {
    fn bit(&mut self, model: &mut Bit, bit: bool) -> bool {
        let middle = middle(self.least, self.greatest, model);
        if bit {
            self.greatest = middle;
        } else {
            self.least = middle + 1;
        }
        model.learn(bit);
        while (self.least ^ self.greatest) >> 56 == 0 {
            self.octets.push(self.least.to_be_bytes()[0]);
            self.least <<= 8;
            self.greatest = self.greatest << 8 | 0xff;
        }
        bit
    }

    fn decided(&mut self, model: &mut Bit, decide: impl FnOnce() -> bool) -> bool {
        let bit = decide();
        self.bit(model, bit)
    }
}

/// Reads. Behind the end there are zeros.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    least: u64,
    greatest: u64,
    value: u64,
    octets: &'a [u8],
    /// Octets that lie before the interval.
    done: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Reader<'a> {
        let mut value = 0;
        for place in 0..8 {
            value = value << 8 | u64::from(octets.get(place).copied().unwrap_or(0));
        }
        Reader { least: 0, greatest: u64::MAX, value, octets, done: 0 }
    }

    /// Whether what was read is all that there is.
    pub(super) fn is_at_end(&self) -> bool {
        self.done + 1 == self.octets.len()
    }
}

impl Coder for Reader<'_> {
    fn bit(&mut self, model: &mut Bit, _: bool) -> bool {
        let middle = middle(self.least, self.greatest, model);
        let bit = self.value <= middle;
        if bit {
            self.greatest = middle;
        } else {
            self.least = middle + 1;
        }
        model.learn(bit);
        while (self.least ^ self.greatest) >> 56 == 0 {
            self.least <<= 8;
            self.greatest = self.greatest << 8 | 0xff;
            let next = self.octets.get(self.done + 8).copied().unwrap_or(0);
            self.value = self.value << 8 | u64::from(next);
            self.done += 1;
        }
        bit
    }

    fn decided(&mut self, model: &mut Bit, _: impl FnOnce() -> bool) -> bool {
        self.bit(model, false)
    }
}

/// The greatest number that stands for a one. The ends differ, so both parts have at least one number.
fn middle(least: u64, greatest: u64, model: &Bit) -> u64 {
    least + ((greatest - least) >> 16) * u64::from(model.one)
}
