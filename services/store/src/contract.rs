//! What every engine must do, as suites that panic when one does not. An engine's tests run them; so may anybody who
//! brings an engine.
//!
//! A suite is given a maker. Each call of it stands for a new, empty place such as a folder, and gives an opener;
//! each call of that opens the same place again. A store is dropped before its place is opened again.

mod given;
mod journal;
mod ledger;
mod life;
mod telemetry;

pub use journal::journal;
pub use ledger::ledger;
pub use telemetry::telemetry;

use crate::{StoreError, StoreErrorKind};

/// An incident of medium severity, for tests within the store.
#[cfg(test)]
pub(crate) fn an_incident(id: domain::ids::IncidentId) -> domain::incident::Incident {
    let severity = domain::incident::Severity::Medium;
    domain::incident::Incident { id, severity, ..ledger::incident(1, "tm-1", 10, 1) }
}

/// The result must be a failure of this kind.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>, kind: StoreErrorKind) {
    let error = result.expect_err("this had to be refused");
    assert_eq!(error.kind, kind, "{error}");
    assert!(!error.context.is_empty(), "a refusal says why");
}
