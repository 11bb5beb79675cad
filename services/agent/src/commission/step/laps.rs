//! Counted laps: the way that was told beside the way that the belt went.

use domain::units::MonotonicMicros;

use super::{BEGIN_US, Verdict, Watch};
use crate::commission::plan::Calibrated;
use crate::commission::seen::Seen;
use crate::source::encoder::{Shown, um_per_count};

/// How far a distance may be off before the length of the belt or the count is more likely wrong, in thousandths.
const OFF_THOUSANDTHS: i64 = 250;

/// Where counting has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Belt distance since the step began, in millimetres.
    travelled_mm: u64,
    odometer: Shown,
}

impl Watch {
    pub(super) fn laps(&mut self, seen: &Seen, now: MonotonicMicros) -> Verdict {
        if self.mark.is_some() {
            if now.since(self.since) > 10 * BEGIN_US {
                return Verdict::failed("the laps were not counted within ten minutes");
            }
            return Verdict::Open;
        }
        if seen.is_moving(now) != Some(true) {
            return Verdict::failed(
                "the belt is not told to move: start it first, then press Enter at the mark",
            );
        }
        self.mark = Some(Mark { travelled_mm: seen.travelled_mm(), odometer: seen.odometer() });
        Verdict::Say(format!("Counting. Press Enter when the mark has passed {} times more.", self.laps.0))
    }

    pub(super) fn counted(&self, mark: Mark, seen: &Seen) -> Verdict {
        match &self.encoder {
            Some(encoder) => self.counted_by(encoder, mark.odometer, seen.odometer()),
            None => {
                let told_mm = seen.travelled_mm().saturating_sub(mark.travelled_mm);
                let words =
                    "multiply the speed that is told by factor_ppm / 1000000 (mm_s_per_hz of a drive)";
                self.compared(told_mm, None, words)
            }
        }
    }

    /// By the counts of an encoder, which show it if some were missed.
    fn counted_by(&self, encoder: &Calibrated, before: Shown, after: Shown) -> Verdict {
        let (laps, belt_mm) = self.laps;
        match um_per_count(f64::from(belt_mm), laps, before, after) {
            Err(why) => Verdict::failed(why),
            Ok(um) => {
                let counts = (after.counts - before.counts).unsigned_abs();
                let told_mm = counts.saturating_mul(encoder.nm_per_count) / 1_000_000;
                let words = format!(
                    "in the configuration, at name = \"{}\", set: um_per_count = {um:.1} (the direction stays proven)",
                    encoder.name
                );
                self.compared(told_mm, Some(counts), &words)
            }
        }
    }

    /// What was told beside the laps that a person counted.
    fn compared(&self, told_mm: u64, counts: Option<u64>, words: &str) -> Verdict {
        let (laps, belt_mm) = self.laps;
        let truth = i64::from(laps) * i64::from(belt_mm);
        let told = i64::try_from(told_mm).unwrap_or(i64::MAX);
        let Some(factor) = truth.saturating_mul(1_000_000).checked_div(told) else {
            return Verdict::failed("no distance was told while the laps were counted");
        };
        let mut measured = vec![
            ("laps", i64::from(laps)),
            ("belt_mm", i64::from(belt_mm)),
            ("told_mm", told),
            ("factor_ppm", factor),
        ];
        measured.extend(counts.map(|counts| ("counts", i64::try_from(counts).unwrap_or(i64::MAX))));
        if (factor - 1_000_000).abs() > OFF_THOUSANDTHS * 1_000 {
            let words = "the distance told is off by more than a quarter: check the pulses of a turn, the length of the \
                         belt and the count";
            return Verdict::Failed { words: words.to_owned(), measured, advice: Vec::new() };
        }
        Verdict::shown(words, measured)
    }
}
