//! Speed, incline and time in integers with their unit in the name.

use serde::{Deserialize, Serialize};

/// Microseconds of a boot's monotonic clock. Compared only within one boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct MonotonicMicros(pub u64);

impl MonotonicMicros {
    /// Microseconds from `earlier` to `self`; 0 if `earlier` is later.
    pub fn since(self, earlier: MonotonicMicros) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This moment and `micros` more.
    pub fn plus(self, micros: u64) -> MonotonicMicros {
        MonotonicMicros(self.0.saturating_add(micros))
    }
}

/// Microseconds since 1970-01-01 UTC, without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct UnixMicros(pub i64);

impl UnixMicros {
    /// Microseconds from `earlier` to `self`; negative if `earlier` is later.
    pub fn since(self, earlier: UnixMicros) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This moment and `micros` more.
    pub fn plus(self, micros: i64) -> UnixMicros {
        UnixMicros(self.0.saturating_add(micros))
    }
}

/// Microseconds in a millisecond.
pub const MILLI: u64 = 1_000;
/// Microseconds in a second.
pub const SECOND: u64 = 1_000_000;

/// Belt speed without sign, in mm/s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Speed(pub u32);

impl Speed {
    /// From hundredths of a km/h, as FTMS carries it; rounded to the nearest mm/s.
    pub fn from_centi_kmh(centi_kmh: u32) -> Speed {
        // 0.01 km/h = 10 000 mm / 3 600 s = 25/9 mm/s.
        Speed(u32::try_from((u64::from(centi_kmh) * 25 + 4) / 9).unwrap_or(u32::MAX))
    }

    /// In km/h, for people.
    pub fn kmh(self) -> f64 {
        f64::from(self.0) * 0.0036
    }

    /// In metres per second.
    pub fn mps(self) -> f64 {
        f64::from(self.0) / 1_000.0
    }
}

/// Incline in tenths of a per cent; front end up is positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Incline(pub i32);

impl Incline {
    /// In per cent.
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 10.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundredth_of_a_kmh_is_25_ninths_of_a_mm_per_second() {
        assert_eq!(Speed::from_centi_kmh(0), Speed(0));
        assert_eq!(Speed::from_centi_kmh(193), Speed(536));
        assert_eq!(Speed::from_centi_kmh(360), Speed(1_000));
        assert_eq!(Speed::from_centi_kmh(65_535), Speed(182_042));
        assert!((Speed::from_centi_kmh(1_000).kmh() - 10.0).abs() < 0.01);
    }
}
