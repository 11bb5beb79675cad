//! When nothing is known of a machine: its agent was silent, started again, or slept with its gym.

use domain::units::UnixMicros;

use super::gym::GymDay;
use super::random::{self, Purpose, happens};

const SECOND_US: i64 = 1_000_000;
const MINUTE_US: i64 = 60 * SECOND_US;
const HOUR_S: i64 = 3_600;
/// An agent is silent for hours on so many days of 1 000.
const SILENT_OF_1000: u32 = 16;
/// It is started again on so many.
const STARTED_OF_1000: u32 = 25;
/// A gym that sleeps is switched on so long before it opens, and off so long after it closes.
const SWITCHED_ON_US: i64 = 60 * MINUTE_US;
const SWITCHED_OFF_US: i64 = 15 * MINUTE_US;

/// Spans without coverage, ascending and apart. Behind each a boot begins.
pub(super) fn spans(days: &[GymDay], seed: u64, sleeps: bool) -> Vec<(UnixMicros, UnixMicros)> {
    let mut spans = Vec::new();
    let mut asleep_from = days.first().map(|day| day.begins);
    for day in days {
        let random = &mut random::of(seed, Purpose::Dark, day.number);
        let mut dark = |of_1000: u32, seconds: std::ops::RangeInclusive<i64>| {
            let begins = day.begins.plus(random.i64(0..24 * HOUR_S) * SECOND_US);
            let seconds = random.i64(seconds);
            if happens(random, of_1000) {
                spans.push((begins, begins.plus(seconds * SECOND_US)));
            }
        };
        dark(SILENT_OF_1000 * 7 / 10, 600..=4 * HOUR_S);
        dark(SILENT_OF_1000 * 3 / 10, 4 * HOUR_S..=24 * HOUR_S);
        dark(STARTED_OF_1000, 15..=90);
        if let (true, Some((opens, closes)), Some(asleep)) = (sleeps, day.open, asleep_from) {
            spans.push((asleep, opens.plus(-SWITCHED_ON_US)));
            asleep_from = Some(closes.plus(SWITCHED_OFF_US));
        }
    }
    if let (true, Some(asleep), Some(last)) = (sleeps, asleep_from, days.last()) {
        spans.push((asleep, last.ends));
    }
    joined(spans)
}

fn joined(mut spans: Vec<(UnixMicros, UnixMicros)>) -> Vec<(UnixMicros, UnixMicros)> {
    spans.retain(|(from, until)| from < until);
    spans.sort_unstable();
    let mut joined: Vec<(UnixMicros, UnixMicros)> = Vec::new();
    for (from, until) in spans {
        match joined.last_mut() {
            Some((_, end)) if from <= *end => *end = until.max(*end),
            Some(_) | None => joined.push((from, until)),
        }
    }
    joined
}
