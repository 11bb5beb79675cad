//! RSC Measurement, 2A53: running speed and cadence, without a sign.

use crate::ftms::octets::{Cut, Octets};

const FLAG_STRIDE_LENGTH: u8 = 1;
const FLAG_TOTAL_DISTANCE: u8 = 1 << 1;
const FLAG_RUNNING: u8 = 1 << 2;

/// One notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningSpeed {
    /// Flags as sent.
    pub flags: u8,
    /// Speed in 1/256 m/s.
    pub speed: Option<u16>,
    /// Steps a minute.
    pub cadence: Option<u8>,
    /// Length of a stride in 0.01 m.
    pub stride_length: Option<u16>,
    /// Distance in 0.1 m.
    pub total_distance: Option<u32>,
    /// Where the frame ended too early.
    pub cut: Option<Cut>,
}

impl RunningSpeed {
    /// Reads a frame. Octets after the fields that the flags announce are ignored.
    ///
    /// # Errors
    ///
    /// Only if there is no octet at all.
    pub fn decode(octets: &[u8]) -> Result<RunningSpeed, Cut> {
        let mut octets = Octets::new(octets);
        let flags = octets.u8("flags");
        let flags = octets.head(flags)?;
        let has = |flag: u8| flags & flag != 0;
        let speed = octets.u16("instantaneous_speed");
        let cadence = octets.u8("instantaneous_cadence");
        let stride_length = if has(FLAG_STRIDE_LENGTH) { octets.u16("stride_length") } else { None };
        let total_distance = if has(FLAG_TOTAL_DISTANCE) { octets.u32("total_distance") } else { None };
        Ok(RunningSpeed { flags, speed, cadence, stride_length, total_distance, cut: octets.cut() })
    }

    /// Whether the user runs and does not walk, as the sensor says.
    pub fn is_running(&self) -> bool {
        self.flags & FLAG_RUNNING != 0
    }
}
