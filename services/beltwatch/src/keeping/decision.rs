//! What may go now.

use domain::limits;
use domain::log::Lane;
use domain::units::UnixMicros;

use crate::config::{KEPT_DAYS_MIN, RetentionConfig};

const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// How far the clock may be ahead of the newest usage and is still believed.
const CLOCK_AHEAD_US_MAX: i64 = 7 * DAY_US;

/// What retention looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// This computer's clock.
    pub now: UnixMicros,
    /// Until when usage of any machine is counted; `None`: there is none.
    pub newest: Option<UnixMicros>,
    /// The oldest reading that is stored; `None`: there is none.
    pub oldest_reading: Option<UnixMicros>,
    /// Octets that the disk has left; `None`: not known.
    pub free_bytes: Option<u64>,
}

/// Why something goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It was kept for as long as it was to be.
    Age,
    /// The disk has too little room.
    Room,
}

impl Reason {
    /// Its word in logs and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Reason::Age => "age",
            Reason::Room => "room",
        }
    }
}

/// Records of a lane that go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    /// Of this lane.
    pub lane: Lane,
    /// Older than this.
    pub before: UnixMicros,
    /// Why.
    pub reason: Reason,
}

/// What is older than it is to be kept. Days are counted back from the clock, but from no more than a week after the
/// newest usage: a clock that jumped ahead must not cost the history.
pub fn by_age(seen: &Seen, retention: &RetentionConfig) -> Vec<Removal> {
    let Some(today) = today(seen) else { return Vec::new() };
    let removal = |lane, days: u32| {
        let before = UnixMicros(today.0.saturating_sub(i64::from(days).saturating_mul(DAY_US)));
        Removal { lane, before, reason: Reason::Age }
    };
    vec![removal(Lane::Readings, retention.readings_days), removal(Lane::Events, retention.events_days)]
}

/// About one day of the oldest readings, if the disk has too little room; `None`: there is enough, it is not known, or
/// what is left is younger than [`KEPT_DAYS_MIN`].
pub fn by_room(seen: &Seen, retention: &RetentionConfig) -> Option<Removal> {
    if !is_short(seen.free_bytes, retention) {
        return None;
    }
    let kept_from = today(seen)?.0.saturating_sub(i64::from(KEPT_DAYS_MIN) * DAY_US);
    let oldest = seen.oldest_reading?;
    if oldest.0 >= kept_from {
        return None;
    }
    // Together with the oldest reading its whole chunk must go, or nothing would.
    let span = i64::try_from(limits::COMPACTED_SPAN_US_MAX).unwrap_or(i64::MAX);
    let before = UnixMicros(oldest.0.saturating_add(span).saturating_add(1).min(kept_from));
    Some(Removal { lane: Lane::Readings, before, reason: Reason::Room })
}

/// Whether the disk has less room than it must have.
pub fn is_short(free_bytes: Option<u64>, retention: &RetentionConfig) -> bool {
    free_bytes.is_some_and(|free| free < retention.free_mib_min.saturating_mul(1 << 20))
}

fn today(seen: &Seen) -> Option<UnixMicros> {
    let newest = seen.newest?;
    Some(UnixMicros(seen.now.0.min(newest.0.saturating_add(CLOCK_AHEAD_US_MAX))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_000 * DAY_US;

    fn days_ago(days: i64) -> UnixMicros {
        UnixMicros(NOW - days * DAY_US)
    }

    fn seen(newest: Option<i64>, oldest: Option<i64>, free_mib: Option<u64>) -> Seen {
        Seen {
            now: UnixMicros(NOW),
            newest: newest.map(days_ago),
            oldest_reading: oldest.map(days_ago),
            free_bytes: free_mib.map(|mib| mib << 20),
        }
    }

    #[test]
    fn age_is_counted_from_a_clock_that_is_believed() {
        let check = |newest: Option<i64>, expected: Option<[i64; 2]>| {
            let removals = by_age(&seen(newest, Some(400), None), &RetentionConfig::default());
            let of = |(lane, days)| Removal { lane, before: days_ago(days), reason: Reason::Age };
            let expected: Vec<Removal> = expected
                .map(|[readings, events]| vec![of((Lane::Readings, readings)), of((Lane::Events, events))])
                .unwrap_or_default();
            assert_eq!(removals, expected, "{newest:?}");
        };
        check(None, None);
        check(Some(0), Some([90, 3_650]));
        check(Some(7), Some([90, 3_650]));
        // Nobody trained for a year, or the clock is a year ahead.
        check(Some(365), Some([448, 4_008]));
        // A machine's time is ahead of the clock.
        check(Some(-30), Some([90, 3_650]));
    }

    #[test]
    fn a_full_disk_costs_the_oldest_day_and_never_the_last_week() {
        let check = |newest, oldest, free_mib, expected: Option<UnixMicros>| {
            let found = by_room(&seen(newest, oldest, free_mib), &RetentionConfig::default());
            let expected =
                expected.map(|before| Removal { lane: Lane::Readings, before, reason: Reason::Room });
            assert_eq!(found, expected, "{newest:?} {oldest:?} {free_mib:?}");
        };
        let after = |days: i64| UnixMicros(days_ago(days).0 + 25 * 3_600 * 1_000_000 + 1);
        check(Some(0), Some(60), Some(1_023), Some(after(60)));
        check(Some(0), Some(60), Some(1_024), None);
        check(Some(0), Some(60), None, None);
        check(Some(0), Some(8), Some(0), Some(days_ago(7)));
        check(Some(0), Some(7), Some(0), None);
        check(Some(0), None, Some(0), None);
        check(None, Some(60), Some(0), None);
        // The clock jumped ahead by a year.
        check(Some(365), Some(360), Some(0), None);
    }

    proptest! {
        #[test]
        fn nothing_of_the_last_week_goes(
            newest in -400_i64..400, oldest in 0_i64..4_000, free_mib in 0_u64..2_048, days in 7_u32..400,
        ) {
            let retention = RetentionConfig { readings_days: days, events_days: days, ..RetentionConfig::default() };
            let seen = seen(Some(newest), Some(oldest), Some(free_mib));
            for removal in by_age(&seen, &retention).into_iter().chain(by_room(&seen, &retention)) {
                prop_assert!(removal.before <= days_ago(7));
            }
            // A step for room always takes the oldest reading.
            if let Some(removal) = by_room(&seen, &retention) {
                prop_assert!(removal.before > days_ago(oldest));
            }
        }
    }
}
