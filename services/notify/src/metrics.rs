//! The metrics of notices, each named once with unit and help, and what the log says of them.

use std::sync::Once;
use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use store::StoreError;
use store::ledger::{Notice, NoticeState};

const PLANNED: &str = "beltwatch_notices_planned_total";
const MESSAGES: &str = "beltwatch_notices_messages_total";
const ENDED: &str = "beltwatch_notices_ended_total";
const TIME: &str = "beltwatch_notices_message_seconds";
const WAITING: &str = "beltwatch_notices_waiting";
const UNDER_WAY: &str = "beltwatch_notices_messages_under_way";
const STORE_FAILURES: &str = "beltwatch_notices_store_failures_total";
const FACTS: &str = "beltwatch_notices_facts_total";

/// Says what each metric means, once.
pub(crate) fn describe() {
    static DESCRIBED: Once = Once::new();
    DESCRIBED.call_once(|| {
        describe_counter!(PLANNED, Unit::Count, "Notices planned");
        describe_counter!(MESSAGES, Unit::Count, "Messages by way and outcome: taken, failed, refused");
        describe_counter!(ENDED, Unit::Count, "Notices by what became of them: sent, not_needed, failed");
        describe_histogram!(TIME, Unit::Seconds, "Time until a message was taken or not");
        describe_gauge!(WAITING, Unit::Count, "Notices that wait, at most as many as are read at once");
        describe_gauge!(UNDER_WAY, Unit::Count, "Messages under way");
        describe_counter!(STORE_FAILURES, Unit::Count, "Turns that failed at the ledger and are done again");
        describe_counter!(FACTS, Unit::Count, "Facts of the server: outage, service, seal, head");
    });
}

/// Notices were written.
pub(crate) fn written(notices: &[Notice]) {
    for notice in notices {
        let state = match notice.state {
            NoticeState::Waiting => {
                counter!(PLANNED).increment(u64::from(notice.revision == 1));
                continue;
            }
            NoticeState::Sent => "sent",
            NoticeState::NotNeeded => "not_needed",
            NoticeState::Failed => {
                tracing::warn!(
                    notice.id = %notice.id,
                    contact = notice.contact,
                    attempts = notice.attempts,
                    reason = notice.reason,
                    "a notice is given up"
                );
                "failed"
            }
        };
        counter!(ENDED, "state" => state).increment(1);
    }
}

/// A message has ended.
pub(crate) fn message(
    contact: &str,
    way: &'static str,
    outcome: Result<usize, (bool, &str)>,
    took: Duration,
) {
    histogram!(TIME, "way" => way).record(took);
    let name = match outcome {
        Ok(notices) => {
            tracing::info!(contact, way, notices, "a contact was told");
            "taken"
        }
        Err((is_final, reason)) => {
            tracing::warn!(contact, way, reason, "a contact could not be told; it is tried again");
            if is_final { "refused" } else { "failed" }
        }
    };
    counter!(MESSAGES, "way" => way, "outcome" => name).increment(1);
}

/// How much waits and is under way.
pub(crate) fn load(waiting: usize, under_way: usize) {
    gauge!(WAITING).set(f64::from(u32::try_from(waiting).unwrap_or(u32::MAX)));
    gauge!(UNDER_WAY).set(f64::from(u32::try_from(under_way).unwrap_or(u32::MAX)));
}

/// The ledger failed; the turn is done again.
pub(crate) fn store_failed(what: &'static str, error: &StoreError) {
    counter!(STORE_FAILURES).increment(1);
    tracing::error!(%error, what, "the ledger failed while people had to be told; it is tried again");
}

/// The server added a fact of its own.
pub(crate) fn fact(what: &'static str) {
    counter!(FACTS, "what" => what).increment(1);
}
