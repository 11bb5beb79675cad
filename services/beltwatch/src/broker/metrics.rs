//! The broker's metrics, each named once with unit and help.

use std::sync::Once;

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use super::refusals::Reason;

const REFUSED: &str = "beltwatch_broker_refused_total";
const DROPPED: &str = "beltwatch_broker_dropped_total";
const CONNECTIONS: &str = "beltwatch_broker_connections";
const RETAINED: &str = "beltwatch_broker_retained_messages";

/// Says what each metric means, once.
pub(crate) fn describe() {
    static DESCRIBED: Once = Once::new();
    DESCRIBED.call_once(|| {
        describe_counter!(REFUSED, Unit::Count, "What the embedded broker refused, by reason");
        describe_counter!(
            DROPPED,
            Unit::Count,
            "Messages that the embedded broker could not deliver to a subscriber"
        );
        describe_gauge!(CONNECTIONS, Unit::Count, "Clients connected to the embedded broker");
        describe_gauge!(RETAINED, Unit::Count, "Statuses that the embedded broker retains");
    });
}

/// Something was refused.
pub(crate) fn refused(reason: Reason) {
    counter!(REFUSED, "reason" => reason.name()).increment(1);
}

/// A message did not reach a subscriber.
pub(crate) fn dropped() {
    counter!(DROPPED).increment(1);
}

/// So many clients are connected.
pub(crate) fn connections(connections: isize) {
    gauge!(CONNECTIONS).set(u32::try_from(connections).unwrap_or_default());
}

/// So many statuses are retained.
pub(crate) fn retained(messages: usize) {
    gauge!(RETAINED).set(u32::try_from(messages).unwrap_or(u32::MAX));
}
