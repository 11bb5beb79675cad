//! Heart Rate Measurement, 2A37: the only standard frame that says whether hands or strap have contact.
//!
//! Bluetooth Heart Rate Service 1.0, 3.1: flags bit 0 widens the rate to two octets, bit 2 says that contact is
//! measured, bit 1 that there is contact.

use crate::ftms::octets::{Cut, Octets};

/// What a notification says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HeartRate {
    /// Whether the sensor has contact; `None`: it does not measure that.
    pub(super) contact: Option<bool>,
    /// Beats a minute; 0 stands for "no reading". `None`: the frame ended before.
    pub(super) bpm: Option<u16>,
}

impl HeartRate {
    /// Reads a frame. Energy and intervals between beats, which may follow, are not read.
    ///
    /// # Errors
    ///
    /// Only if there is no octet at all.
    pub(super) fn decode(octets: &[u8]) -> Result<HeartRate, Cut> {
        let mut octets = Octets::new(octets);
        let flags = octets.u8("flags");
        let flags = octets.head(flags)?;
        let bpm =
            if flags & 1 == 0 { octets.u8("heart_rate").map(u16::from) } else { octets.u16("heart_rate") };
        let contact = (flags & 0b100 != 0).then_some(flags & 0b10 != 0);
        Ok(HeartRate { contact, bpm })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contact_and_rate_are_read_apart() {
        let check = |text: &str, contact: Option<bool>, bpm: Option<u16>| {
            let octets = hex::decode(text.replace(' ', "")).unwrap();
            assert_eq!(HeartRate::decode(&octets), Ok(HeartRate { contact, bpm }), "{text}");
        };
        check("00 48", None, Some(72));
        check("06 48", Some(true), Some(72));
        check("04 00", Some(false), Some(0));
        check("02 48", None, Some(72));
        check("17 2c01 e803", Some(true), Some(300));
        check("07 2c", Some(true), None);
        check("06", Some(true), None);
        assert!(HeartRate::decode(&[]).is_err());
    }
}
