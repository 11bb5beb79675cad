//! The mirror's metrics, each named once with unit and help.

use ::metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use store::{StoreError, StoreErrorKind};

const WRITTEN: &str = "beltwatch_mirror_points_written_total";
const REFUSED: &str = "beltwatch_mirror_points_refused_total";
const LEFT_OUT: &str = "beltwatch_mirror_left_out_total";
const FAILURES: &str = "beltwatch_mirror_failures_total";
const DROPPED: &str = "beltwatch_mirror_service_points_dropped_total";
const BEHIND: &str = "beltwatch_mirror_behind_changes";

/// Says what each metric means.
pub(super) fn describe() {
    describe_counter!(WRITTEN, Unit::Count, "Points of what is derived that InfluxDB took");
    describe_counter!(REFUSED, Unit::Count, "Points of what is derived that InfluxDB refuses for good");
    describe_counter!(
        LEFT_OUT,
        Unit::Count,
        "What is derived and cannot be a point, by reason: time (InfluxDB cannot keep it), damaged"
    );
    describe_counter!(FAILURES, Unit::Count, "Turns of the mirror that failed and are done again");
    describe_counter!(
        DROPPED,
        Unit::Count,
        "Points about the server that could not be written and were dropped"
    );
    describe_gauge!(BEHIND, Unit::Count, "Changes of incidents and usage that are not in InfluxDB yet");
}

/// Points were written.
pub(super) fn written(points: usize, refused: u64) {
    let points = u64::try_from(points).unwrap_or(u64::MAX);
    counter!(WRITTEN).increment(points.saturating_sub(refused));
    counter!(REFUSED).increment(refused);
}

/// Something has a time that InfluxDB cannot keep.
pub(super) fn untimely(points: u64) {
    counter!(LEFT_OUT, "reason" => "time").increment(points);
}

/// A day of a machine cannot be read.
pub(super) fn damaged(error: &StoreError) {
    counter!(LEFT_OUT, "reason" => "damaged").increment(1);
    tracing::error!(%error, "usage that cannot be read is not written to InfluxDB");
}

/// A turn failed; it is done again. Said once, until it works again.
pub(super) fn failed(error: &StoreError, is_news: bool) {
    counter!(FAILURES).increment(1);
    if is_news || matches!(error.kind, StoreErrorKind::Corrupt | StoreErrorKind::Invalid) {
        tracing::warn!(%error, "what is derived cannot be mirrored to InfluxDB; it is tried again");
    }
}

/// A point about the server was dropped.
pub(super) fn dropped() {
    counter!(DROPPED).increment(1);
}

/// How much is not written yet.
pub(super) fn behind(changes: u64) {
    gauge!(BEHIND).set(f64::from(u32::try_from(changes).unwrap_or(u32::MAX)));
}
