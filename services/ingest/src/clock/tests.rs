use domain::units::SECOND;

use super::*;

/// 2025-01-01 00:00 UTC.
const BASE: i64 = 1_735_689_600_000_000;
const S: i64 = SECOND.cast_signed();

fn clock(quality: ClockQuality, offset_s: i64) -> Clock {
    Clock { quality, offset_us: BASE + offset_s * S, uncertainty_us: 100 }
}

fn synchronised(offset_s: i64) -> Clock {
    clock(ClockQuality::Synchronised, offset_s)
}

fn estimated(offset_s: i64) -> Clock {
    clock(ClockQuality::Estimated, offset_s)
}

/// Slices of a boot with their clock and first and last second; the settled offset beyond `BASE`, in seconds, of each.
#[track_caller]
fn check(slices: &[(u32, Clock, u64, u64)], expected: &[Option<i64>]) {
    let mut settled = Settled::default();
    let mut last: Option<(u32, UnixMicros)> = None;
    for ((boot, clock, first, until), expected) in slices.iter().zip(expected) {
        let at = |seconds: &u64| MonotonicMicros(seconds * SECOND);
        let overlaps = at(first) < settled.last_at(*boot);
        let clock = settled.settle(*boot, *clock, at(first), at(until));
        let offset = (clock.quality != ClockQuality::Undated).then(|| (clock.offset_us - BASE) / S);
        assert_eq!(offset, *expected, "{slices:?}");
        if let (Some(first), Some(until)) = (clock.unix(at(first)), clock.unix(at(until))) {
            let backwards = last.is_some_and(|(of, before)| of == *boot && first < before);
            assert!(!backwards || overlaps, "time never runs backwards within a boot: {slices:?}");
            last = Some((*boot, until));
        }
    }
    assert_eq!(slices.len(), expected.len());
}

#[test]
fn a_clock_is_followed_but_never_backwards() {
    check(&[(1, synchronised(0), 1, 2)], &[Some(0)]);
    check(&[(1, synchronised(0), 1, 2), (1, synchronised(5), 3, 4)], &[Some(0), Some(5)]);
    // Two seconds lie between: it may go back by two.
    check(&[(1, synchronised(0), 1, 2), (1, synchronised(-1), 4, 5)], &[Some(0), Some(-1)]);
    check(&[(1, synchronised(0), 1, 2), (1, synchronised(-9), 4, 5)], &[Some(0), Some(-2)]);
    // The records overlap in time: not at all.
    check(&[(1, synchronised(0), 1, 9), (1, synchronised(-9), 4, 5)], &[Some(0), Some(0)]);
}

#[test]
fn a_worse_clock_does_not_replace_a_better_one() {
    check(&[(1, synchronised(0), 1, 2), (1, estimated(7), 3, 4)], &[Some(0), Some(0)]);
    check(&[(1, estimated(7), 1, 2), (1, synchronised(8), 3, 4)], &[Some(7), Some(8)]);
    check(&[(1, estimated(7), 1, 2), (1, estimated(8), 3, 4)], &[Some(7), Some(8)]);
    check(&[(1, synchronised(0), 1, 2), (1, Clock::UNDATED, 3, 4)], &[Some(0), Some(0)]);
}

#[test]
fn what_cannot_be_dated_stays_undated() {
    check(&[(1, Clock::UNDATED, 1, 2), (1, Clock::UNDATED, 3, 4)], &[None, None]);
    check(&[(1, Clock::UNDATED, 1, 2), (1, estimated(7), 3, 4)], &[None, Some(7)]);
    // Each boot by itself.
    check(&[(1, synchronised(0), 1, 2), (2, Clock::UNDATED, 1, 2)], &[Some(0), None]);
    check(&[(1, synchronised(0), 100, 200), (2, estimated(-50), 1, 2)], &[Some(0), Some(-50)]);
    // 1970, and a year that no treadmill has seen.
    check(&[(1, synchronised(-(BASE / S)), 1, 2)], &[None]);
    check(&[(1, synchronised(4_000_000_000), 1, 2)], &[None]);
    check(&[(1, synchronised(3), 1, 2), (1, synchronised(-(BASE / S)), 3, 4)], &[Some(3), Some(3)]);
}

#[test]
fn how_far_a_clock_was_held_back_is_uncertain() {
    let mut settled = Settled::default();
    let at = |seconds: u64| MonotonicMicros(seconds * SECOND);
    settled.settle(1, synchronised(0), at(1), at(2));
    let clock = settled.settle(1, synchronised(-9), at(4), at(5));
    assert_eq!(clock.uncertainty_us, 100 + 7 * SECOND);
    assert_eq!(settled.last_unix(), Some(UnixMicros(BASE + 3 * S)));
    assert_eq!((settled.last_at(1), settled.last_at(2)), (at(5), at(0)));
}
