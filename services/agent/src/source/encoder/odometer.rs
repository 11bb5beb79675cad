//! How far the belt has gone, in counts; for calibration.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Counts of an encoder since its source was made, forward less reverse. Clones count the same belt.
#[derive(Debug, Clone, Default)]
pub struct Odometer(Arc<Counted>);

#[derive(Debug, Default)]
struct Counted {
    counts: AtomicI64,
    interruptions: AtomicU64,
}

/// What an odometer shows at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shown {
    /// Counts, forward less reverse; of a single line all of them.
    pub counts: i64,
    /// How often counts may have been missed. Two showings with different numbers must not be compared.
    pub interruptions: u64,
}

impl Odometer {
    /// What it shows.
    pub fn shown(&self) -> Shown {
        Shown {
            counts: self.0.counts.load(Ordering::Relaxed),
            interruptions: self.0.interruptions.load(Ordering::Relaxed),
        }
    }

    pub(super) fn count(&self, forward: bool) {
        self.0.counts.fetch_add(if forward { 1 } else { -1 }, Ordering::Relaxed);
    }

    /// Counts may be missing from here on.
    pub(super) fn interrupted(&self) {
        self.0.interruptions.fetch_add(1, Ordering::Relaxed);
    }
}

/// Micrometres of belt for each count, from laps of the belt that a person counted.
///
/// # Errors
///
/// If counts were missed in between, or the belt is no belt, in words.
pub fn um_per_count(belt_length_mm: f64, laps: u32, before: Shown, after: Shown) -> Result<f64, String> {
    if before.interruptions != after.interruptions {
        return Err("counts were missed in between: count the laps again".to_owned());
    }
    if !(500.0..=10_000.0).contains(&belt_length_mm) {
        return Err(format!("belt length is {belt_length_mm} mm: 500 to 10000 is allowed"));
    }
    if laps == 0 {
        return Err("laps is 0: at least 1 is needed, better 10".to_owned());
    }
    let counts = (after.counts - before.counts).unsigned_abs();
    if counts == 0 {
        return Err("no counts came while the belt went round: is the encoder connected?".to_owned());
    }
    Ok(belt_length_mm * 1_000.0 * f64::from(laps) / counts as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laps_give_the_belt_of_a_count_or_say_why_not() {
        let at = |counts, interruptions| Shown { counts, interruptions };
        assert_eq!(um_per_count(2_800.0, 10, at(-5, 1), at(11_195, 1)), Ok(2_500.0));
        assert_eq!(um_per_count(2_800.0, 10, at(0, 1), at(-11_200, 1)), Ok(2_500.0));
        let refused = |length, laps, after| um_per_count(length, laps, at(0, 1), after).unwrap_err();
        assert!(refused(2_800.0, 10, at(11_200, 2)).contains("missed"));
        assert!(refused(28.0, 10, at(11_200, 1)).contains("belt length is 28 mm"));
        assert!(refused(f64::NAN, 10, at(11_200, 1)).contains("belt length"));
        assert!(refused(2_800.0, 0, at(11_200, 1)).contains("laps is 0"));
        assert!(refused(2_800.0, 10, at(0, 1)).contains("no counts"));
    }
}
