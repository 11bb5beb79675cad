//! The upkeep's metrics, each named once with unit and help.

use ::metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use store::telemetry::{Compaction, Stock};

use super::lane_word;
use domain::log::Lane;

const REMOVED: &str = "beltwatch_history_records_removed_total";
const COMPACTED: &str = "beltwatch_history_records_compacted_total";
const COMPACTED_BYTES: &str = "beltwatch_history_compacted_bytes";
const DATABASE_BYTES: &str = "beltwatch_history_database_bytes";

/// Says what each metric means.
pub(super) fn describe() {
    describe_counter!(REMOVED, Unit::Count, "Records that retention removed, by lane and reason: age, room");
    describe_counter!(COMPACTED, Unit::Count, "Records that were moved into files");
    describe_gauge!(COMPACTED_BYTES, Unit::Bytes, "Octets of the files of the history, by lane");
    describe_gauge!(DATABASE_BYTES, Unit::Bytes, "Octets of the history that is not in files yet");
}

pub(super) fn removed(lane: &'static str, reason: &'static str, records: u64) {
    counter!(REMOVED, "lane" => lane, "reason" => reason).increment(records);
}

pub(super) fn compacted(step: &Compaction) {
    counter!(COMPACTED).increment(step.records);
}

pub(super) fn stocked(stock: &Stock) {
    for lane in [Lane::Events, Lane::Readings] {
        // Octets of any disk fit a double nearly enough.
        gauge!(COMPACTED_BYTES, "lane" => lane_word(lane)).set(stock.lane(lane).bytes as f64);
    }
    gauge!(DATABASE_BYTES).set(stock.database_bytes as f64);
}
