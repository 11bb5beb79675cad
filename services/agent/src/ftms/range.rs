//! Supported ranges: speed, 2AD4, and inclination, 2AD5.

use super::octets::{Cut, Octets};

/// A supported range, in 0.01 km/h (2AD4) or 0.1 % (2AD5). `None`: the frame ended before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Least value.
    pub min: Option<i32>,
    /// Greatest value.
    pub max: Option<i32>,
    /// Smallest step.
    pub increment: Option<i32>,
    /// Where the frame ended too early.
    pub cut: Option<Cut>,
}

impl Range {
    /// Reads 2AD4, which has no sign.
    pub fn decode_speed(octets: &[u8]) -> Range {
        let mut octets = Octets::new(octets);
        Range {
            min: octets.u16("min").map(i32::from),
            max: octets.u16("max").map(i32::from),
            increment: octets.u16("increment").map(i32::from),
            cut: octets.cut(),
        }
    }

    /// Reads 2AD5, whose ends have a sign.
    pub fn decode_inclination(octets: &[u8]) -> Range {
        let mut octets = Octets::new(octets);
        Range {
            min: octets.i16("min").map(i32::from),
            max: octets.i16("max").map(i32::from),
            increment: octets.u16("increment").map(i32::from),
            cut: octets.cut(),
        }
    }
}
