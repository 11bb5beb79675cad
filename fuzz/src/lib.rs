//! What the targets share: taking an input apart.

pub mod biodex;

/// An input, taken apart from its beginning.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    /// All of it.
    pub fn new(octets: &'a [u8]) -> Input<'a> {
        Input { rest: octets }
    }

    /// One octet; `None`: there are no more.
    pub fn u8(&mut self) -> Option<u8> {
        let (octet, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*octet)
    }

    /// Two octets as a number, the high one first; `None`: there are not so many.
    pub fn u16(&mut self) -> Option<u16> {
        let (octets, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u16::from_be_bytes(*octets))
    }

    /// So many octets, or as many as there are.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// All that is left.
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }
}

/// The octets in pieces of these lengths, 1 to 16 of each, again and again.
pub fn pieces(octets: &[u8], lengths: [u8; 4]) -> impl Iterator<Item = &[u8]> {
    let mut input = Input::new(octets);
    lengths.into_iter().cycle().map_while(move |length| {
        let piece = input.take(1 + usize::from(length % 16));
        (!piece.is_empty()).then_some(piece)
    })
}
