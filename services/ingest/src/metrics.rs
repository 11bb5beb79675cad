//! The ingest's metrics, each named once with unit and help.

use std::sync::Once;
use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::counters::Counters;
use crate::refusals::RefusalReason;

const MESSAGES: &str = "beltwatch_ingest_messages_total";
const ENVELOPES: &str = "beltwatch_ingest_envelopes_total";
const RECORDS: &str = "beltwatch_ingest_records_total";
const REFUSED: &str = "beltwatch_ingest_refused_total";
const DEFERRED: &str = "beltwatch_ingest_deferred_total";
const LOST: &str = "beltwatch_ingest_records_lost_total";
const UNREADABLE: &str = "beltwatch_ingest_records_unreadable_total";
const DUPLICATES_APPLIED: &str = "beltwatch_ingest_duplicates_applied_total";
const COMMITS: &str = "beltwatch_ingest_commits_total";
const COMMITS_RETRIED: &str = "beltwatch_ingest_commits_retried_total";
const SET_ASIDE: &str = "beltwatch_ingest_set_aside_total";
const CLONES: &str = "beltwatch_ingest_clones_total";
const ACKS: &str = "beltwatch_ingest_acks_total";
const ACKS_DROPPED: &str = "beltwatch_ingest_acks_dropped_total";
const REPORTS_SET_ASIDE: &str = "beltwatch_ingest_reports_set_aside_total";
const CHECKPOINTS: &str = "beltwatch_ingest_checkpoints_total";
const APPEND: &str = "beltwatch_ingest_append_seconds";
const QUEUE: &str = "beltwatch_ingest_queue_messages";
const BEHIND: &str = "beltwatch_ingest_behind_slices";

/// Says what each metric means, once.
pub(crate) fn describe() {
    static DESCRIBED: Once = Once::new();
    DESCRIBED.call_once(|| {
        describe_counter!(MESSAGES, Unit::Count, "Messages from the broker that were looked at");
        describe_counter!(ENVELOPES, Unit::Count, "Envelopes by outcome: taken, duplicate, missing");
        describe_counter!(RECORDS, Unit::Count, "Records in the journal, by lane");
        describe_counter!(REFUSED, Unit::Count, "Messages refused, by reason");
        describe_counter!(
            DEFERRED,
            Unit::Count,
            "Messages dropped unacknowledged because the queue was full"
        );
        describe_counter!(LOST, Unit::Count, "Records known to be lost");
        describe_counter!(UNREADABLE, Unit::Count, "Authentic records that could not be read");
        describe_counter!(DUPLICATES_APPLIED, Unit::Count, "Records committed twice; must stay 0");
        describe_counter!(COMMITS, Unit::Count, "Groups written to the journal");
        describe_counter!(COMMITS_RETRIED, Unit::Count, "Groups that the journal refused");
        describe_counter!(SET_ASIDE, Unit::Count, "Machines set aside because the journal refuses them");
        describe_counter!(CLONES, Unit::Count, "Messages of a second living process of one machine");
        describe_counter!(ACKS, Unit::Count, "Acks made");
        describe_counter!(ACKS_DROPPED, Unit::Count, "Acks that found no room on their way to the broker");
        describe_counter!(
            REPORTS_SET_ASIDE,
            Unit::Count,
            "Commissionings that agents reported beyond what can be facts in a day"
        );
        describe_counter!(CHECKPOINTS, Unit::Count, "Checkpoints made");
        describe_histogram!(APPEND, Unit::Seconds, "Time to write a group to the journal, with fsync");
        describe_gauge!(QUEUE, Unit::Count, "Messages that wait to be looked at");
        describe_gauge!(BEHIND, Unit::Count, "Slices that the journal has to keep for a store");
    });
}

/// Shows what was counted.
pub(crate) fn counters(counters: &Counters) {
    counter!(MESSAGES).absolute(counters.messages);
    counter!(ENVELOPES, "outcome" => "taken").absolute(counters.envelopes_taken);
    counter!(ENVELOPES, "outcome" => "duplicate").absolute(counters.envelopes_duplicate);
    counter!(ENVELOPES, "outcome" => "missing").absolute(counters.envelopes_missing);
    counter!(RECORDS, "lane" => "events").absolute(counters.events_committed);
    counter!(RECORDS, "lane" => "readings").absolute(counters.readings_committed);
    for reason in RefusalReason::ALL {
        counter!(REFUSED, "reason" => reason.name()).absolute(counters.refused_for(reason));
    }
    counter!(DEFERRED).absolute(counters.deferred);
    counter!(LOST).absolute(counters.records_lost);
    counter!(UNREADABLE).absolute(counters.records_unreadable);
    counter!(DUPLICATES_APPLIED).absolute(counters.duplicates_applied);
    counter!(COMMITS).absolute(counters.commits);
    counter!(COMMITS_RETRIED).absolute(counters.commits_retried);
    counter!(SET_ASIDE).absolute(counters.set_aside);
    counter!(CLONES).absolute(counters.clones_seen);
    counter!(ACKS).absolute(counters.acks);
    counter!(ACKS_DROPPED).absolute(counters.acks_dropped);
    counter!(CHECKPOINTS).absolute(counters.checkpoints);
}

/// An agent has reported more than can be facts.
pub(crate) fn report_set_aside() {
    counter!(REPORTS_SET_ASIDE).increment(1);
}

/// A group was written to the journal.
pub(crate) fn append(took: Duration) {
    histogram!(APPEND).record(took.as_secs_f64());
}

/// Messages that wait to be looked at.
pub(crate) fn queue(messages: usize) {
    gauge!(QUEUE).set(u32::try_from(messages).unwrap_or(u32::MAX));
}

/// Slices that a store has not got yet.
pub(crate) fn behind(store: &'static str, slices: u64) {
    gauge!(BEHIND, "store" => store).set(u32::try_from(slices).unwrap_or(u32::MAX));
}
