//! Units of values. A value is never taken without its unit octet: a cross trainer answers "speed" in turns a minute.

use domain::units::{Incline, Speed};

/// A unit octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit(pub u8);

/// What a count of a unit is worth.
#[derive(Debug, Clone, Copy)]
enum Worth {
    /// mm/s, as a fraction.
    Speed(u64, u64),
    /// Tenths of a per cent, as a fraction.
    Grade(u64, u64),
    /// Metres, as a fraction.
    Length(u64, u64),
    /// Something that says nothing of a belt.
    Other,
}

/// Unit octets, their names and what one count is worth.
const UNITS: [(u8, &str, Worth); 34] = [
    (0x01, "mile", Worth::Length(1_609_344, 1_000)),
    (0x02, "0.1 mile", Worth::Length(1_609_344, 10_000)),
    (0x03, "0.01 mile", Worth::Length(1_609_344, 100_000)),
    (0x04, "0.001 mile", Worth::Length(1_609_344, 1_000_000)),
    (0x05, "ft", Worth::Length(3_048, 10_000)),
    (0x06, "in", Worth::Length(254, 10_000)),
    (0x07, "lb", Worth::Other),
    (0x10, "mph", Worth::Speed(44_704, 100)),
    (0x11, "0.1 mph", Worth::Speed(44_704, 1_000)),
    (0x12, "0.01 mph", Worth::Speed(44_704, 10_000)),
    (0x13, "ft/min", Worth::Speed(508, 100)),
    (0x21, "km", Worth::Length(1_000, 1)),
    (0x22, "0.1 km", Worth::Length(100, 1)),
    (0x23, "0.01 km", Worth::Length(10, 1)),
    (0x24, "m", Worth::Length(1, 1)),
    (0x27, "kg", Worth::Other),
    (0x30, "km/h", Worth::Speed(2_500, 9)),
    (0x31, "0.1 km/h", Worth::Speed(250, 9)),
    (0x32, "0.01 km/h", Worth::Speed(25, 9)),
    (0x33, "m/min", Worth::Speed(50, 3)),
    (0x37, "min/mile", Worth::Other),
    (0x38, "min/km", Worth::Other),
    (0x39, "s/km", Worth::Other),
    (0x3A, "s/mile", Worth::Other),
    (0x48, "cal", Worth::Other),
    (0x4A, "% grade", Worth::Grade(10, 1)),
    (0x4B, "0.01 % grade", Worth::Grade(1, 10)),
    (0x4C, "0.1 % grade", Worth::Grade(1, 1)),
    (0x52, "rpm", Worth::Other),
    (0x55, "bpm", Worth::Other),
    (0x56, "cal/min", Worth::Other),
    (0x57, "cal/h", Worth::Other),
    (0x58, "W", Worth::Other),
    (0x61, "A", Worth::Other),
];

impl Unit {
    fn known(self) -> Option<(&'static str, Worth)> {
        let found = UNITS.into_iter().find(|(octet, _, _)| *octet == self.0);
        found.map(|(_, name, worth)| (name, worth))
    }

    /// A value as a speed, rounded to the nearest mm/s; `None`: this is no unit of speed.
    pub fn speed(self, raw: u16) -> Option<Speed> {
        match self.known()?.1 {
            Worth::Speed(numerator, denominator) => Some(Speed(scaled(raw, numerator, denominator))),
            Worth::Grade(..) | Worth::Length(..) | Worth::Other => None,
        }
    }

    /// A value as an incline; `None`: this is no unit of grade.
    pub fn incline(self, raw: u16) -> Option<Incline> {
        match self.known()?.1 {
            Worth::Grade(numerator, denominator) => {
                Some(Incline(i32::try_from(scaled(raw, numerator, denominator)).unwrap_or(i32::MAX)))
            }
            Worth::Speed(..) | Worth::Length(..) | Worth::Other => None,
        }
    }

    /// A value in metres, rounded; `None`: this is no unit of length.
    pub fn metres(self, raw: u16) -> Option<u32> {
        match self.known()?.1 {
            Worth::Length(numerator, denominator) => Some(scaled(raw, numerator, denominator)),
            Worth::Speed(..) | Worth::Grade(..) | Worth::Other => None,
        }
    }
}

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.known() {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "unit {:02x}", self.0),
        }
    }
}

fn scaled(raw: u16, numerator: u64, denominator: u64) -> u32 {
    let value = (u64::from(raw) * numerator + denominator / 2) / denominator;
    u32::try_from(value).unwrap_or(u32::MAX)
}
