//! When something that could not be told is tried again. Pure.

use std::time::Duration;

use domain::ids::NoticeId;
use domain::units::UnixMicros;
use store::ledger::{About, Notice};

/// Given up this long after it was first due, in microseconds.
const GIVEN_UP_US: i64 = 24 * 3_600 * 1_000_000;
/// Nothing is given up before so many attempts, whatever the clock says.
const ATTEMPTS_MIN: u32 = 10;
const FIRST_US: i64 = 1_000_000;
const LONGEST_US: i64 = 300 * 1_000_000;
const REFUSED_FIRST_US: i64 = 300 * 1_000_000;
const REFUSED_LONGEST_US: i64 = 3_600 * 1_000_000;

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Whether the receiver said that it will not take it: it is tried again, but slowly.
    pub(crate) is_final: bool,
    /// Why, in English.
    pub(crate) reason: String,
}

impl Refusal {
    /// It may be taken soon.
    pub(crate) fn passing(reason: impl Into<String>) -> Refusal {
        Refusal { is_final: false, reason: reason.into() }
    }

    /// Somebody has to do something first.
    pub(crate) fn lasting(reason: impl Into<String>) -> Refusal {
        Refusal { is_final: true, reason: reason.into() }
    }
}

/// How long to wait after the failure with this number, from 1, in microseconds: 1 s, 2 s, 4 s … up to 5 min; of what was
/// refused for good 5 min … up to an hour. A tenth more or less, so that not all come back at once.
pub(crate) fn wait_us(refusal: &Refusal, failures: u32, id: NoticeId) -> i64 {
    let (first, longest) = match refusal.is_final {
        true => (REFUSED_FIRST_US, REFUSED_LONGEST_US),
        false => (FIRST_US, LONGEST_US),
    };
    let doubled = first << failures.saturating_sub(1).min(20);
    let mixed = u32::from_le_bytes([id.0[12], id.0[13], id.0[14], id.0[15]])
        .wrapping_add(failures.wrapping_mul(0x9e37));
    let thousandths = 900 + i64::from(mixed % 201);
    doubled.min(longest) * thousandths / 1_000
}

/// The longest time that one attempt may take.
pub(crate) const ATTEMPT_MAX: Duration = Duration::from_secs(10);

/// Whether what has failed once more is given up: a test at once, so that whoever tries it sees it, all else a day after
/// it was due first. `wait_us` is how long its step waits.
pub(crate) fn is_given_up(notice: &Notice, attempts: u32, wait_us: i64, now: UnixMicros) -> bool {
    match notice.about {
        About::Test { .. } => true,
        About::Incident { .. } | About::Head { .. } | About::Weekly { .. } => {
            attempts >= ATTEMPTS_MIN && now.since(notice.planned) >= GIVEN_UP_US + wait_us
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(is_final: bool, failures: u32, seconds: i64) {
        let refusal = Refusal { is_final, reason: String::new() };
        for octet in [0, 77, 255] {
            let waited = wait_us(&refusal, failures, NoticeId([octet; 16]));
            assert!((seconds * 900_000..=seconds * 1_100_000).contains(&waited), "{failures}: {waited}");
            assert_eq!(waited, wait_us(&refusal, failures, NoticeId([octet; 16])));
        }
    }

    #[test]
    fn waits_double_up_to_a_bound() {
        for (failures, seconds) in [(1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (400, 300)] {
            check(false, failures, seconds);
        }
        for (failures, seconds) in [(1, 300), (2, 600), (4, 2_400), (5, 3_600), (u32::MAX, 3_600)] {
            check(true, failures, seconds);
        }
    }

    #[test]
    fn ids_spread_what_comes_back() {
        let refusal = Refusal::passing("");
        let waits: std::collections::BTreeSet<i64> =
            (0..50).map(|octet| wait_us(&refusal, 5, NoticeId([octet; 16]))).collect();
        assert!(waits.len() > 20, "{waits:?}");
    }
}
