//! One column after another, each in the encoding that takes the fewest octets.
//!
//! A present column is an octet that says how, then maybe a bit for each row that says whether it has a value (the
//! lowest bit of the first octet is the first row), then the values as zigzag varints:
//!
//! | low three bits | values |
//! |---|---|
//! | 0 constant | the one value |
//! | 1 linear | the first one, and what each further one adds |
//! | 2 plain | each as it is |
//! | 3 deltas | the first one, then each one's difference from the one before |
//! | 4 second deltas | the first one, the first difference, then each difference's difference from the one before |
//!
//! Bit 3 says that the bits for the rows are there; without it every row has a value.
//! A column of texts is the count of different texts, each with its length, then a column of their numbers from 0.

use std::collections::HashMap;

use super::ChunkError;
use super::varint::{self, Octets, unzigzag, zigzag};

const CONSTANT: u8 = 0;
const LINEAR: u8 = 1;
const PLAIN: u8 = 2;
const DELTAS: u8 = 3;
const SECOND_DELTAS: u8 = 4;
const HAS_PRESENCE: u8 = 1 << 3;

/// Writes columns, in their fixed order.
#[derive(Debug, Default)]
pub(super) struct ColumnWriter {
    body: Vec<u8>,
    mask: u64,
    next_bit: u32,
    values: Vec<i64>,
    presence: Vec<u8>,
}

impl ColumnWriter {
    /// Makes ready for the next chunk.
    pub(super) fn clear(&mut self) {
        self.body.clear();
        self.mask = 0;
        self.next_bit = 0;
    }

    /// The columns written.
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Which columns are present, a bit each in the order of writing.
    pub(super) fn mask(&self) -> u64 {
        self.mask
    }

    /// A column with a value in every row; absent if all are 0.
    pub(super) fn column(&mut self, values: impl Iterator<Item = i64>) {
        self.values.clear();
        self.values.extend(values);
        let present = self.values.iter().any(|value| *value != 0);
        if self.take_bit(present) {
            let encoding = smallest_encoding(&self.values);
            self.body.push(encoding);
            put_values(&mut self.body, encoding, &self.values);
        }
    }

    /// A column with a value in some rows; absent if in none.
    pub(super) fn optional(&mut self, values: impl Iterator<Item = Option<i64>>) {
        self.values.clear();
        self.presence.clear();
        let mut rows = 0;
        for value in values {
            if rows % 8 == 0 {
                self.presence.push(0);
            }
            if let Some(value) = value {
                self.presence[rows / 8] |= 1 << (rows % 8);
                self.values.push(value);
            }
            rows += 1;
        }
        let present = !self.values.is_empty();
        if self.take_bit(present) {
            let everywhere = self.values.len() == rows;
            let encoding = smallest_encoding(&self.values);
            self.body.push(if everywhere { encoding } else { encoding | HAS_PRESENCE });
            if !everywhere {
                self.body.extend_from_slice(&self.presence);
            }
            put_values(&mut self.body, encoding, &self.values);
        }
    }

    /// A column of texts; absent if all are empty.
    pub(super) fn texts<'t>(&mut self, texts: impl Iterator<Item = &'t str>) {
        let mut numbers = HashMap::new();
        let mut different = Vec::new();
        let mut any = false;
        self.values.clear();
        for text in texts {
            any |= !text.is_empty();
            let number = *numbers.entry(text).or_insert_with(|| {
                different.push(text);
                different.len() as u64 - 1
            });
            self.values.push(number.cast_signed());
        }
        if self.take_bit(any) {
            varint::put(&mut self.body, different.len() as u64);
            for text in different {
                varint::put(&mut self.body, text.len() as u64);
                self.body.extend_from_slice(text.as_bytes());
            }
            let encoding = smallest_encoding(&self.values);
            self.body.push(encoding);
            put_values(&mut self.body, encoding, &self.values);
        }
    }

    fn take_bit(&mut self, present: bool) -> bool {
        self.mask |= u64::from(present) << self.next_bit;
        self.next_bit += 1;
        present
    }
}

/// The encoding of the fewest octets; there is at least one value.
fn smallest_encoding(values: &[i64]) -> u8 {
    let first = values[0];
    let (mut plain, mut deltas, mut second_deltas) = (varint::length(zigzag(first)), 0, 0);
    let (mut constant, mut linear) = (true, true);
    let mut delta_before = None;
    for pair in values.windows(2) {
        let delta = pair[1].wrapping_sub(pair[0]);
        constant &= delta == 0;
        plain += varint::length(zigzag(pair[1]));
        let octets = varint::length(zigzag(delta));
        deltas += octets;
        second_deltas += match delta_before {
            None => octets,
            Some(before) => {
                linear &= delta == before;
                varint::length(zigzag(delta.wrapping_sub(before)))
            }
        };
        delta_before = Some(delta);
    }
    let first = varint::length(zigzag(first));
    match (constant, linear) {
        (true, _) => CONSTANT,
        (false, true) => LINEAR,
        (false, false) if plain <= first + deltas.min(second_deltas) => PLAIN,
        (false, false) if deltas <= second_deltas => DELTAS,
        (false, false) => SECOND_DELTAS,
    }
}

fn put_values(body: &mut Vec<u8>, encoding: u8, values: &[i64]) {
    let count = match encoding {
        CONSTANT => 1,
        LINEAR => 2,
        _ => values.len(),
    };
    let (mut before, mut delta_before) = (0_i64, 0_i64);
    for (row, value) in values[..count].iter().enumerate() {
        let delta = value.wrapping_sub(before);
        let written = match (encoding, row) {
            (CONSTANT | PLAIN, _) | (_, 0) => *value,
            (SECOND_DELTAS, 2..) => delta.wrapping_sub(delta_before),
            _ => delta,
        };
        varint::put(body, zigzag(written));
        (before, delta_before) = (*value, delta);
    }
}

/// Values of one column, from the first row on.
struct Values {
    encoding: u8,
    row: usize,
    before: i64,
    delta: i64,
}

impl Values {
    fn new(encoding: u8) -> Result<Values, ChunkError> {
        if encoding > SECOND_DELTAS {
            return Err(ChunkError::Damaged("it has a column in an encoding that is not known"));
        }
        Ok(Values { encoding, row: 0, before: 0, delta: 0 })
    }

    fn next(&mut self, octets: &mut Octets<'_>) -> Result<i64, ChunkError> {
        let row = self.row;
        self.row += 1;
        match (self.encoding, row) {
            (CONSTANT, 1..) => return Ok(self.before),
            (LINEAR, 2..) => {}
            _ => {
                let read = unzigzag(octets.varint()?);
                match (self.encoding, row) {
                    (CONSTANT | PLAIN, _) | (_, 0) => {
                        self.before = read;
                        return Ok(read);
                    }
                    (SECOND_DELTAS, 2..) => self.delta = self.delta.wrapping_add(read),
                    _ => self.delta = read,
                }
            }
        }
        self.before = self.before.wrapping_add(self.delta);
        Ok(self.before)
    }
}

/// Reads columns, in their fixed order.
#[derive(Debug)]
pub(super) struct ColumnReader<'a> {
    octets: Octets<'a>,
    mask: u64,
}

impl<'a> ColumnReader<'a> {
    /// The columns of `body`; `mask` says which are present.
    pub(super) fn new(body: &'a [u8], mask: u64) -> ColumnReader<'a> {
        ColumnReader { octets: Octets::new(body), mask }
    }

    /// A column with a value in every row.
    pub(super) fn column<R>(
        &mut self,
        rows: &mut [R],
        mut set: impl FnMut(&mut R, i64) -> Result<(), ChunkError>,
    ) -> Result<(), ChunkError> {
        if !self.take_bit() {
            return rows.iter_mut().try_for_each(|row| set(row, 0));
        }
        let mut values = Values::new(self.octets.octet()?)?;
        rows.iter_mut().try_for_each(|row| set(row, values.next(&mut self.octets)?))
    }

    /// A column with a value in some rows; the others are not set.
    pub(super) fn optional<R>(
        &mut self,
        rows: &mut [R],
        mut set: impl FnMut(&mut R, i64) -> Result<(), ChunkError>,
    ) -> Result<(), ChunkError> {
        if !self.take_bit() {
            return Ok(());
        }
        let how = self.octets.octet()?;
        let presence =
            if how & HAS_PRESENCE == 0 { None } else { Some(self.octets.take(rows.len().div_ceil(8))?) };
        let mut values = Values::new(how & !HAS_PRESENCE)?;
        for (number, row) in rows.iter_mut().enumerate() {
            if presence.is_none_or(|bits| bits[number / 8] & (1 << (number % 8)) != 0) {
                set(row, values.next(&mut self.octets)?)?;
            }
        }
        Ok(())
    }

    /// A column of texts; the others are not set.
    pub(super) fn texts<R>(
        &mut self,
        rows: &mut [R],
        mut set: impl FnMut(&mut R, &str),
    ) -> Result<(), ChunkError> {
        if !self.take_bit() {
            return Ok(());
        }
        let count = usize::try_from(self.octets.varint()?).unwrap_or(usize::MAX);
        if count > rows.len() {
            return Err(ChunkError::Damaged("it has more texts than rows"));
        }
        let mut different = Vec::with_capacity(count);
        for _ in 0..count {
            let length = usize::try_from(self.octets.varint()?).unwrap_or(usize::MAX);
            let text = std::str::from_utf8(self.octets.take(length)?);
            different.push(text.map_err(|_| ChunkError::Damaged("it has a text that is not UTF-8"))?);
        }
        let mut values = Values::new(self.octets.octet()?)?;
        rows.iter_mut().try_for_each(|row| {
            let number = usize::try_from(values.next(&mut self.octets)?).ok();
            let text = number.and_then(|number| different.get(number));
            set(row, text.ok_or(ChunkError::Damaged("it has a text number without a text"))?);
            Ok(())
        })
    }

    /// Checks that nothing is left over.
    pub(super) fn finish(self) -> Result<(), ChunkError> {
        if self.mask == 0 && self.octets.rest().is_empty() {
            Ok(())
        } else {
            Err(ChunkError::Damaged("it has more than its columns"))
        }
    }

    fn take_bit(&mut self) -> bool {
        let present = self.mask & 1 != 0;
        self.mask >>= 1;
        present
    }
}
