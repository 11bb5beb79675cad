//! When the evidence of an incident is complete. Pure.

use domain::limits::RECORDING_AFTER_US_MAX;
use domain::units::UnixMicros;
use store::ledger::StoredIncident;

#[cfg(test)]
mod tests;

/// A recording that has not come so long after its longest end is not waited for, in microseconds.
const PATIENCE_US: i64 = 60 * 1_000_000;
/// How often a recording is looked for, in microseconds: its last piece comes without a change of the incident.
const LOOK_US: i64 = 5 * 1_000_000;

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

/// Whether an incident can be sealed. `is_recorded`: the last piece of its recording is there, or it has none.
pub(crate) fn readiness(stored: &StoredIncident, is_recorded: bool, now: UnixMicros) -> Readiness {
    if !is_wanted(stored) {
        return Readiness::NotWanted;
    }
    let longest = i64::try_from(RECORDING_AFTER_US_MAX).unwrap_or(i64::MAX);
    let latest = stored.detected.plus(longest).plus(PATIENCE_US);
    if is_recorded || latest <= now {
        Readiness::Ready
    } else {
        Readiness::From(now.plus(LOOK_US).min(latest))
    }
}
