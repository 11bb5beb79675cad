//! An estimate of the energy of walking on a level belt.
//!
//! ACSM's equation for walking: VO2 in ml/(kg min) is 0.1 times the speed in m/min, and 3.5; a litre of oxygen is 5 kcal.
//! It was stated for 50 to 100 m/min; below, it is extrapolated. Walking backwards takes more: 1.17 to 1.48 times as much
//! in the studies that measured it (Hooper 2004, Kim and Choi 2001), none of them below 2 mph.

use super::Motion;
use crate::belt::Direction;

/// The least speed that the equation was stated for, in mm/s: 50 m/min.
const STATED_FROM_MM_S: u128 = 833;
/// The greatest, in mm/s: 100 m/min.
const STATED_UNTIL_MM_S: u128 = 1_667;

/// Energy in calories (thousandths of a kcal) for a person of some mass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnergyBand {
    /// The least that studies let expect.
    pub low_cal: u64,
    /// In between.
    pub middle_cal: u64,
    /// The most.
    pub high_cal: u64,
    /// Whether the mean speed lies outside what the equation was stated for.
    pub is_extrapolated: bool,
}

/// The energy of level motion at walking speed, for a person of `mass_g` grams.
///
/// `None`: nothing was observed, the direction is not known, or the mean speed is beyond walking (1.5 times what the
/// equation was stated for). The caller passes level motion only: no equation here holds downhill.
pub fn level(direction: Direction, motion: &Motion, mass_g: u64) -> Option<EnergyBand> {
    let percents: [u128; 3] = match direction {
        Direction::Forward => [100, 100, 100],
        Direction::Reverse => [117, 135, 148],
        Direction::Stopped | Direction::Unknown => return None,
    };
    let observed_us = u128::from(motion.observed_us);
    let mean_mm_s = motion.distance_nm.checked_div(observed_us)?;
    if mean_mm_s > STATED_UNTIL_MM_S * 3 / 2 {
        return None;
    }
    // ml/kg: a tenth of the metres, and 3.5 a minute; here in millionths: nm / 10^4, and us * 3.5 / 60.
    let ml_kg_millionths = motion.distance_nm / 10_000 + observed_us * 35 / 600;
    // 5 cal a ml, grams to kilograms, and millionths to whole.
    let cal = |percent: u128| {
        let cal = ml_kg_millionths * 5 * u128::from(mass_g) * percent / (1_000 * 1_000_000 * 100);
        u64::try_from(cal).unwrap_or(u64::MAX)
    };
    let [low_cal, middle_cal, high_cal] = percents.map(cal);
    let is_extrapolated = !(STATED_FROM_MM_S..=STATED_UNTIL_MM_S).contains(&mean_mm_s);
    Some(EnergyBand { low_cal, middle_cal, high_cal, is_extrapolated })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Speed;

    fn motion(mm_s: u32, seconds: u64) -> Motion {
        let observed_us = seconds * 1_000_000;
        let distance_nm = u128::from(mm_s) * u128::from(observed_us);
        Motion { observed_us, distance_nm, speed_max: Speed(mm_s), ..Motion::default() }
    }

    #[test]
    fn three_mph_forward_on_the_level_is_four_kcal_a_minute_at_70_kg() {
        // 80.5 m/min, 11.5 ml/(kg min), 4.0 kcal/min.
        let band = level(Direction::Forward, &motion(1_341, 600), 70_000).unwrap();
        assert!((40_000..=40_600).contains(&band.middle_cal), "{band:?}");
        assert_eq!((band.low_cal, band.high_cal), (band.middle_cal, band.middle_cal));
        assert!(!band.is_extrapolated);
    }

    #[test]
    fn reverse_has_a_band_and_a_beginners_speed_is_extrapolated() {
        let band = level(Direction::Reverse, &motion(447, 600), 70_000).unwrap();
        let forward = level(Direction::Forward, &motion(447, 600), 70_000).unwrap();
        assert!(band.is_extrapolated);
        for (cal, percent) in [(band.low_cal, 117), (band.middle_cal, 135), (band.high_cal, 148)] {
            assert!(cal.abs_diff(forward.middle_cal * percent / 100) <= 1, "{cal} {percent}");
        }
    }

    #[test]
    fn nothing_is_said_where_nothing_holds() {
        assert_eq!(level(Direction::Unknown, &motion(1_000, 60), 70_000), None);
        assert_eq!(level(Direction::Forward, &motion(3_000, 60), 70_000), None, "running");
        assert_eq!(level(Direction::Forward, &Motion::default(), 70_000), None);
    }
}
