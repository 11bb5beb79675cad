//! Modbus RTU: the checksum, requests that read, frames as overheard, and finding them in a stream.
//!
//! Source: "Modbus over serial line, specification and implementation guide" V1.02 and "Modbus application protocol"
//! V1.1b3. The agent makes no request but [`Read`], which has no way to write; what others write is only understood.

pub mod message;
pub mod stream;

#[cfg(test)]
mod tests;

/// Octets of the shortest frame: unit, function, checksum.
pub(crate) const FRAME_OCTETS_MIN: usize = 4;

/// The checksum of octets: polynomial A001H, beginning with FFFFH. It is sent with its low octet first.
pub fn checksum(octets: &[u8]) -> u16 {
    octets.iter().fold(0xFFFF, |sum, octet| {
        (0..8).fold(sum ^ u16::from(*octet), |sum, _| if sum & 1 == 0 { sum >> 1 } else { sum >> 1 ^ 0xA001 })
    })
}

/// Whether octets end with their checksum.
pub fn is_sound(octets: &[u8]) -> bool {
    let Some((body, [low, high])) = octets.split_last_chunk() else { return false };
    octets.len() >= FRAME_OCTETS_MIN && checksum(body) == u16::from_le_bytes([*low, *high])
}

/// Octets with their checksum.
pub(crate) fn sealed(body: &[u8]) -> Vec<u8> {
    let mut octets = body.to_vec();
    octets.extend(checksum(body).to_le_bytes());
    octets
}

/// Which registers are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Registers {
    /// Holding registers, function 3.
    #[default]
    Holding,
    /// Input registers, function 4.
    Input,
}

impl Registers {
    /// The function that reads them.
    pub const fn function(self) -> u8 {
        match self {
            Registers::Holding => 3,
            Registers::Input => 4,
        }
    }
}

/// The only request that the agent can make: to read registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Read {
    /// Whom it asks, 1 to 247.
    pub unit: u8,
    /// Which registers.
    pub registers: Registers,
    /// The first one.
    pub register: u16,
    /// How many, 1 to 125.
    pub count: u8,
}

impl Read {
    /// The request's frame.
    pub fn octets(&self) -> Vec<u8> {
        let mut body = vec![self.unit, self.registers.function()];
        body.extend(self.register.to_be_bytes());
        body.extend([0, self.count]);
        sealed(&body)
    }
}
