//! Facts that the server adds by itself.

use domain::handling::Step;
use domain::ids::IncidentId;
use domain::units::UnixMicros;
use store::StoreError;
use store::fact::{Fact, FactKind, IncidentStepped};
use store::ledger::Ledger;

use crate::metrics;

/// Who facts of the server are by.
pub(crate) const SERVER: &str = "server";
/// Who tags a machine out of service when its protections failed.
pub(crate) const RULE: &str = "rule";

/// Adds a fact once, however often it is asked for. What the ledger will never take is told in the log and left out, so
/// that it does not hold up all else.
///
/// # Errors
/// The ledger fails now.
pub(crate) async fn add(
    ledger: &dyn Ledger,
    what: &'static str,
    (author, request_id): (&str, String),
    kind: FactKind,
    now: UnixMicros,
) -> Result<(), StoreError> {
    let fact = Fact { time: now, author: author.to_owned(), request_id: Some(request_id), kind };
    match ledger.add_fact(fact).await {
        Ok(_) => {
            metrics::fact(what);
            Ok(())
        }
        Err(error) if error.kind.is_retryable() && !is_about_steps(&error) => Err(error),
        Err(error) => {
            tracing::warn!(%error, what, "a fact of the server was not taken");
            Ok(())
        }
    }
}

/// An incident that has all the steps it may have is no reason to try again.
fn is_about_steps(error: &StoreError) -> bool {
    error.kind == store::StoreErrorKind::Full && error.source.is_none()
}

/// Adds a step of the server about an incident.
pub(crate) async fn step(
    ledger: &dyn Ledger,
    what: &'static str,
    request_id: String,
    (incident, step): (IncidentId, Step),
    now: UnixMicros,
) -> Result<(), StoreError> {
    let kind = FactKind::IncidentStepped(IncidentStepped { incident, step, note: None, previous: None });
    add(ledger, what, (SERVER, request_id), kind, now).await
}
