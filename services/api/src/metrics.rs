//! The API's metrics: each named once, here.

use std::time::Duration;

use ::metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

const REQUESTS: &str = "beltwatch_api_requests_total";
const REQUEST_SECONDS: &str = "beltwatch_api_request_seconds";
const DENIED: &str = "beltwatch_api_denied_total";
const AUDIT_DROPPED: &str = "beltwatch_api_audit_dropped_total";
const WATCHERS: &str = "beltwatch_api_watchers";
const WATCHERS_BEHIND: &str = "beltwatch_api_watchers_behind_total";
const CONNECTIONS: &str = "beltwatch_api_connections";

/// Tells the recorder what each of them means. Called once, after the recorder is installed.
pub fn describe() {
    describe_counter!(REQUESTS, Unit::Count, "gRPC requests answered, by method and status code");
    describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "time from a gRPC request to its answer, by method");
    describe_counter!(DENIED, Unit::Count, "requests that were not let in, by reason");
    describe_counter!(AUDIT_DROPPED, Unit::Count, "refusals that were too many to be written to the audit");
    describe_gauge!(WATCHERS, Unit::Count, "watchers of the fleet that are connected");
    describe_counter!(WATCHERS_BEHIND, Unit::Count, "times that a slow watcher was sent a new snapshot");
    describe_gauge!(CONNECTIONS, Unit::Count, "connections to the API's port");
}

pub(crate) fn request_answered(method: &'static str, code: tonic::Code, took: Duration) {
    counter!(REQUESTS, "method" => method, "code" => format!("{code:?}")).increment(1);
    histogram!(REQUEST_SECONDS, "method" => method).record(took.as_secs_f64());
}

pub(crate) fn request_denied(reason: &'static str) {
    counter!(DENIED, "reason" => reason).increment(1);
}

pub(crate) fn audit_dropped() {
    counter!(AUDIT_DROPPED).increment(1);
}

pub(crate) fn watcher_behind() {
    counter!(WATCHERS_BEHIND).increment(1);
}

/// Counts something as there for as long as it is held.
#[derive(Debug)]
pub(crate) struct Present(&'static str);

impl Present {
    pub(crate) fn watcher() -> Present {
        Present::new(WATCHERS)
    }

    pub(crate) fn connection() -> Present {
        Present::new(CONNECTIONS)
    }

    fn new(name: &'static str) -> Present {
        gauge!(name).increment(1.0);
        Present(name)
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        gauge!(self.0).decrement(1.0);
    }
}
