//! Reading little-endian fields from octets that may end too early.

/// Where a frame ended before its flags or operation said it would.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cut: {field} needs {needs} octets, {has} left")]
pub struct Cut {
    /// The first field that is not whole.
    pub field: &'static str,
    /// Octets that it takes.
    pub needs: usize,
    /// Octets that were left.
    pub has: usize,
}

/// A value for which the specification defines a "not available".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported<T> {
    /// The machine gave a value.
    Value(T),
    /// The machine said that it has none.
    NotAvailable,
}

impl<T: PartialEq> Reported<T> {
    /// `value`, unless it is the one that stands for "not available".
    pub(crate) fn unless(value: T, not_available: T) -> Reported<T> {
        if value == not_available { Reported::NotAvailable } else { Reported::Value(value) }
    }
}

/// What is left of a frame. After the first field that is not whole nothing more is read.
#[derive(Debug)]
pub(crate) struct Octets<'a> {
    rest: &'a [u8],
    cut: Option<Cut>,
}

impl<'a> Octets<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Octets<'a> {
        Octets { rest: octets, cut: None }
    }

    fn take<const N: usize>(&mut self, field: &'static str) -> Option<[u8; N]> {
        if self.cut.is_some() {
            return None;
        }
        if let Some((head, rest)) = self.rest.split_first_chunk::<N>() {
            self.rest = rest;
            return Some(*head);
        }
        self.cut = Some(Cut { field, needs: N, has: self.rest.len() });
        self.rest = &[];
        None
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Option<u8> {
        self.take::<1>(field).map(|[octet]| octet)
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Option<u16> {
        self.take(field).map(u16::from_le_bytes)
    }

    pub(crate) fn i16(&mut self, field: &'static str) -> Option<i16> {
        self.take(field).map(i16::from_le_bytes)
    }

    pub(crate) fn u24(&mut self, field: &'static str) -> Option<u32> {
        self.take::<3>(field).map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Option<u32> {
        self.take(field).map(u32::from_le_bytes)
    }

    /// Octets that nobody has asked for yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn cut(&self) -> Option<Cut> {
        self.cut
    }

    /// The first field of a frame: without it nothing can be said of the rest.
    pub(crate) fn head<T>(&self, field: Option<T>) -> Result<T, Cut> {
        field.ok_or_else(|| self.cut.expect("a field is absent only after a cut"))
    }
}
