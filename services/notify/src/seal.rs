//! When the evidence of an incident is complete. Pure.

use domain::limits::RECORDING_AFTER_US_MAX;
use domain::units::UnixMicros;
use store::ledger::StoredIncident;

use crate::surroundings::Evidence;

#[cfg(test)]
mod tests;

/// A recording that has not come so long after its longest end is not waited for, in microseconds.
const PATIENCE_US: i64 = 60 * 1_000_000;
/// How often a recording is looked for, in microseconds: its last piece comes without a change of the incident.
const LOOK_US: i64 = 5 * 1_000_000;

/// For so long more of a recording is looked for after a version was sealed without all of it, and how often, in
/// microseconds. What comes later still is sealed when a dossier is made.
const AWAITED_US: i64 = 24 * 3_600 * 1_000_000;
const LOOK_LATER_US: i64 = 60 * 1_000_000;

/// Whether an incident can be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// Its evidence is not complete, which another change will tell, or it is sealed.
    NotWanted,
    /// From then on, whether its recording has come or not.
    From(UnixMicros),
    /// Now.
    Ready,
}

/// Whether an incident has a version whose evidence is complete and not noted yet, apart from its recording.
pub(crate) fn is_wanted(stored: &StoredIncident) -> bool {
    let sealed = stored.handling.sealed.as_ref().map(|(revision, _)| *revision);
    stored.incident.trace_complete && sealed.is_none_or(|sealed| sealed < stored.incident.revision)
}

/// Whether an incident can be sealed, for the first time or because its recording has grown since.
pub(crate) fn readiness(stored: &StoredIncident, evidence: &Evidence, now: UnixMicros) -> Readiness {
    if !is_wanted(stored) {
        let is_awaited = !evidence.is_complete && now.since(stored.detected) < AWAITED_US;
        return match (evidence.has_grown, is_awaited) {
            (true, _) => Readiness::Ready,
            (false, true) => Readiness::From(now.plus(LOOK_LATER_US)),
            (false, false) => Readiness::NotWanted,
        };
    }
    let longest = i64::try_from(RECORDING_AFTER_US_MAX).unwrap_or(i64::MAX);
    let latest = stored.detected.plus(longest).plus(PATIENCE_US);
    if evidence.is_complete || latest <= now {
        Readiness::Ready
    } else {
        Readiness::From(now.plus(LOOK_US).min(latest))
    }
}
