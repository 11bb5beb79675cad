//! This computer's clock, in milliseconds since 1970: server, agents and test share it.

use domain::units::MonotonicMicros;

/// Now.
pub(super) fn now_ms() -> f64 {
    unix_ms(agent::clock::monotonic())
}

/// A moment by the agents' clock.
pub(super) fn unix_ms(at: MonotonicMicros) -> f64 {
    let monotonic = i64::try_from(at.0).unwrap_or(i64::MAX);
    millis(monotonic.saturating_add(agent::clock::system().offset_us))
}

/// A moment as the API tells it; 0 if it does not.
pub(super) fn told_ms(time: Option<prost_types::Timestamp>) -> f64 {
    time.map_or(0.0, |time| millis(time.seconds * 1_000_000 + i64::from(time.nanos / 1_000)))
}

#[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 fit a double for centuries")]
fn millis(micros: i64) -> f64 {
    micros as f64 / 1e3
}
