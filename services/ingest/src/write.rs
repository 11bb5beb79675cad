//! Writing behind the journal: ledger and telemetry, each at its own pace.

pub(crate) mod ledger;
pub(crate) mod telemetry;
#[cfg(test)]
mod tests;

use std::time::Duration;

use store::StoreError;
use tokio_util::sync::CancellationToken;

use crate::readiness::{Part, Readiness};

const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(10);

/// Says what is wrong with a store, once, and waits before the next try: longer each time. `false`: stop trying.
pub(crate) async fn wait_after(
    error: &StoreError,
    attempts: &mut u32,
    part: Part,
    readiness: &Readiness,
    give_up: &CancellationToken,
) -> bool {
    if readiness.trouble(part, &error.to_string()) {
        tracing::error!(store = part.name(), error = %error, "writing failed; it is tried again");
    }
    let wait = RETRY_FIRST.saturating_mul(1 << (*attempts).min(16)).min(RETRY_MAX);
    // Servers that lost the same store do not come back to it at the same moment.
    let wait = wait.mul_f64(0.75 + fastrand::f64() / 4.0);
    *attempts = attempts.saturating_add(1);
    tokio::select! {
        () = give_up.cancelled() => false,
        () = tokio::time::sleep(wait) => true,
    }
}

/// A store works again, or still.
pub(crate) fn worked(part: Part, readiness: &Readiness) {
    if readiness.fine(part) {
        tracing::info!(store = part.name(), "writing works again");
    }
}
