//! Energy of level reverse motion as a band; estimated, and never mixed with the machine's own figure.

use wire::api::v1;

use crate::usage::figures::{length, seconds, share};
use crate::words::Reader;

/// The least speed that the equation was stated for, in metres per second: 3 km/h.
const STATED_FROM_MPS: f64 = 3.0 / 3.6;

/// The band in words and as a drawing.
#[derive(Debug)]
pub(super) struct Energy {
    pub(super) band: String,
    pub(super) basis: String,
    /// Empty: it is not extrapolated.
    pub(super) extrapolated: String,
    /// Where the band begins, its length, and where its middle is, of the greatest value.
    pub(super) bar: (String, String, String),
}

impl Energy {
    pub(super) fn new(told: &v1::EnergyBand, reader: Reader) -> Energy {
        let t = reader.t;
        let kcal = |value: f64| if value < 10.0 { reader.number(value) } else { format!("{value:.0}") };
        let (low, middle, high) = (told.low_kcal, told.middle_kcal, told.high_kcal);
        Energy {
            band: t.energy_band(kcal(low), kcal(high), kcal(middle)),
            basis: t.energy_basis(told.mass_kg, length(seconds(told.observed.as_ref()), reader)),
            extrapolated: if told.is_extrapolated {
                t.energy_extrapolated(reader.speed(STATED_FROM_MPS))
            } else {
                String::new()
            },
            bar: (share(low, high), share(high - low, high), share(middle, high)),
        }
    }
}
