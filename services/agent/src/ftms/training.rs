//! Training Status, 2AD3: which part of a training is under way.

use super::octets::{Cut, Octets};

const FLAG_TEXT: u8 = 1;

/// One notification or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Training {
    /// Flags as sent.
    pub flags: u8,
    /// Code as sent.
    pub status: Option<u8>,
    /// The text that the flags announce. Some machines announce one and send none, which is no error.
    pub text: Option<Vec<u8>>,
    /// Where the frame ended too early.
    pub cut: Option<Cut>,
}

impl Training {
    /// Reads a frame.
    ///
    /// # Errors
    ///
    /// Only if there is no octet at all.
    pub fn decode(octets: &[u8]) -> Result<Training, Cut> {
        let mut octets = Octets::new(octets);
        let flags = octets.u8("flags");
        let flags = octets.head(flags)?;
        let status = octets.u8("status");
        let announced = flags & FLAG_TEXT != 0 && !octets.rest().is_empty();
        let text = announced.then(|| octets.rest().to_vec());
        Ok(Training { flags, status, text, cut: octets.cut() })
    }

    /// The specification's words for the status. Vendors use reserved codes: one has 10 for slowing down and 11
    /// for paused.
    pub fn name(&self) -> Option<&'static str> {
        self.status.map(|status| match status {
            0x00 => "other",
            0x01 => "idle",
            0x02 => "warming_up",
            0x03 => "low_intensity_interval",
            0x04 => "high_intensity_interval",
            0x05 => "recovery_interval",
            0x06 => "isometric",
            0x07 => "heart_rate_control",
            0x08 => "fitness_test",
            0x09 => "speed_outside_of_control_region_low",
            0x0A => "speed_outside_of_control_region_high",
            0x0B => "cool_down",
            0x0C => "watt_control",
            0x0D => "manual_mode",
            0x0E => "pre_workout",
            0x0F => "post_workout",
            _ => "reserved",
        })
    }
}
