//! Frames as overheard, in both ways, writes of others among them.

use domain::limits::MODBUS_FRAME_OCTETS_MAX;

use super::{FRAME_OCTETS_MIN, is_sound};
use crate::ftms::octets::Cut;

/// Bit of a function that says: refused.
const REFUSED: u8 = 0x80;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one that asks.
    Master,
    /// The one that answers.
    Unit,
}

/// Fields of a frame; each is `None` if the frame has no such field or ends before it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// Unit that is asked or answers.
    pub unit: Option<u8>,
    /// Function as sent, with bit 7 if it was refused.
    pub function: Option<u8>,
    /// First register.
    pub register: Option<u16>,
    /// Number of registers.
    pub count: Option<u16>,
    /// Values of registers; of coils the octets that hold them.
    pub values: Option<Vec<u16>>,
    /// The one value that is written, or the code of a refusal.
    pub value: Option<u16>,
    /// Where the frame ended too early.
    pub cut: Option<Cut>,
}

/// What a frame of one side is made of, behind unit and function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Register and count.
    Range,
    /// Register and value.
    Value,
    /// Register, count, number of octets, values.
    Written,
    /// Number of octets, values of registers.
    Registers,
    /// Number of octets, coils.
    Coils,
    /// The code of a refusal.
    Refusal,
}

fn layout(function: u8, side: Side) -> Option<Layout> {
    match (function, side) {
        (1..=4, Side::Master) | (15 | 16, Side::Unit) => Some(Layout::Range),
        (1 | 2, Side::Unit) => Some(Layout::Coils),
        (3 | 4, Side::Unit) => Some(Layout::Registers),
        (5 | 6 | 8, _) => Some(Layout::Value),
        (15 | 16, Side::Master) => Some(Layout::Written),
        (refused, Side::Unit) if refused & REFUSED != 0 && layout(refused & !REFUSED, side).is_some() => {
            Some(Layout::Refusal)
        }
        (_, Side::Master | Side::Unit) => None,
    }
}

/// How long the frame is that begins with `octets`; `None`: its function is not known, it is too long, or it is too
/// short to say.
pub(super) fn length(octets: &[u8], side: Side) -> Option<usize> {
    let [_, function, body @ ..] = octets else { return None };
    let length = match layout(*function, side)? {
        Layout::Range | Layout::Value => 8,
        Layout::Refusal => 5,
        Layout::Coils => 5 + usize::from(*body.first()?),
        Layout::Registers => 5 + usize::from(*body.first().filter(|count| **count % 2 == 0)?),
        Layout::Written => 9 + usize::from(*body.get(4)?),
    };
    (length <= MODBUS_FRAME_OCTETS_MAX).then_some(length)
}

/// One record that should be a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its fields.
    pub message: Message,
    /// Whether its checksum is right.
    pub is_sound: bool,
    /// Octets after the frame.
    pub after: usize,
}

/// Reads a record. `side` is who sent it, if that is known.
pub fn recorded(octets: &[u8], side: Option<Side>) -> Recorded {
    let sides: &[Side] = match side {
        Some(Side::Master) => &[Side::Master],
        Some(Side::Unit) => &[Side::Unit],
        None => &[Side::Master, Side::Unit],
    };
    let whole = |side: Side| {
        let length = length(octets, side)?;
        is_sound(octets.get(..length)?).then_some((side, length))
    };
    if let Some((side, length)) = sides.iter().find_map(|side| whole(*side)) {
        let message = Message::decode(octets.get(..length - 2).unwrap_or_default(), side);
        return Recorded { message, is_sound: true, after: octets.len() - length };
    }
    // A function that is not known, or a length that does not fit: only the checksum at the end can tell.
    let is_sound = is_sound(octets);
    let fits = |side: &&Side| length(octets, **side).is_some_and(|length| length == octets.len());
    let side = sides.iter().find(fits).or(sides.first()).copied().unwrap_or(Side::Master);
    let length = length(octets, side);
    // The last two octets are the checksum, unless the frame ends before it.
    let has_checksum = is_sound || length.is_some_and(|length| length <= octets.len());
    let end = length.filter(|length| *length <= octets.len()).unwrap_or(octets.len());
    let body = if has_checksum { octets.get(..end.saturating_sub(2)) } else { Some(octets) };
    let mut message = Message::decode(body.unwrap_or_default(), side);
    if !has_checksum && message.cut.is_none() && octets.len() < length.unwrap_or(FRAME_OCTETS_MIN) {
        let body = length.unwrap_or(FRAME_OCTETS_MIN) - 2;
        message.cut = Some(Cut { field: "checksum", needs: 2, has: octets.len().saturating_sub(body) });
    }
    Recorded { message, is_sound, after: octets.len() - end }
}

/// Reads big-endian fields.
struct Fields<'a> {
    rest: &'a [u8],
    cut: Option<Cut>,
}

impl Fields<'_> {
    fn u8(&mut self, field: &'static str) -> Option<u8> {
        let Some((octet, rest)) = self.rest.split_first() else { return self.end(field, 1) };
        self.rest = rest;
        Some(*octet)
    }

    fn u16(&mut self, field: &'static str) -> Option<u16> {
        let Some((octets, rest)) = self.rest.split_first_chunk() else { return self.end(field, 2) };
        self.rest = rest;
        Some(u16::from_be_bytes(*octets))
    }

    fn end<T>(&mut self, field: &'static str, needs: usize) -> Option<T> {
        self.cut = self.cut.or(Some(Cut { field, needs, has: self.rest.len() }));
        self.rest = &[];
        None
    }

    /// As many values as `octets` octets hold, or as there are.
    fn values(&mut self, octets: u8) -> Vec<u16> {
        (0..octets / 2).map_while(|_| self.u16("values")).collect()
    }
}

impl Message {
    /// Reads a frame without its checksum.
    pub fn decode(octets: &[u8], side: Side) -> Message {
        let mut fields = Fields { rest: octets, cut: None };
        let unit = fields.u8("unit");
        let function = fields.u8("function");
        let mut message = Message { unit, function, ..Message::default() };
        match function.and_then(|function| layout(function, side)) {
            Some(Layout::Range) => {
                message.register = fields.u16("register");
                message.count = fields.u16("count");
            }
            Some(Layout::Value) => {
                message.register = fields.u16("register");
                message.value = fields.u16("value");
            }
            Some(Layout::Written) => {
                message.register = fields.u16("register");
                message.count = fields.u16("count");
                message.values = fields.u8("number of octets").map(|octets| fields.values(octets));
            }
            Some(Layout::Registers) => {
                message.values = fields.u8("number of octets").map(|octets| fields.values(octets));
            }
            Some(Layout::Coils) => {
                let count = fields.u8("number of octets");
                let octets = |count| (0..count).map_while(|_| fields.u8("values").map(u16::from)).collect();
                message.values = count.map(octets);
            }
            Some(Layout::Refusal) => message.value = fields.u8("refusal").map(u16::from),
            None => {}
        }
        message.cut = fields.cut;
        message
    }

    /// Whether a unit refused what was asked.
    pub fn is_refusal(&self) -> bool {
        self.function.is_some_and(|function| function & REFUSED != 0)
    }
}
