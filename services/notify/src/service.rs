//! When a machine is tagged out of service because its protections failed. Pure.

use domain::incident::settings::EFFECTIVE_AFTER_US;
use domain::incident::{Rule, Severity};
use domain::units::UnixMicros;
use store::ledger::StoredIncident;
use store::registry::{Machine, ServiceRule};

#[cfg(test)]
mod tests;

const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// Longest reason of a tag, in characters.
const REASON_CHARS_MAX: usize = 200;

/// Whether an incident of this rule says that a protection of the machine failed, so that it must not be used.
pub(crate) fn is_failed_protection(rule: Rule) -> bool {
    match rule {
        // The machine did what its protection has to prevent.
        Rule::SlowEmergencyStop
        | Rule::MotionDuringEmergencyStop
        | Rule::RestartByReset
        | Rule::InclineMovedDuringEmergencyStop
        | Rule::UnexpectedStart
        | Rule::DirectionChangeWhileMoving
        | Rule::UnintendedReverse
        | Rule::ReverseWithoutKey
        | Rule::FasterThanCommanded
        | Rule::RunawayAcceleration
        | Rule::AbruptStop
        | Rule::DriveOrSensorFault => true,
        // The protection worked: somebody used it.
        Rule::EmergencyStop | Rule::SafetyKeyPulled | Rule::EmergencyStopAsNormalStop => false,
        // About a person, not about the machine.
        Rule::SuspectedFall | Rule::HeartRateLimit | Rule::HeartRateLost => false,
        // How people use it.
        Rule::ReverseOverspeed
        | Rule::ReverseOnIncline
        | Rule::ReverseHandsOff
        | Rule::MotionWhileOutOfService
        | Rule::RunningUnattended
        | Rule::UseOutsideStaffedHours => false,
        // What was seen is in doubt, so nothing is known of the machine.
        Rule::TelemetryLostWhileMoving
        | Rule::AgentOffline
        | Rule::SpeedSourcesDisagree
        | Rule::DirectionSourcesDisagree
        | Rule::ImplausibleValue => false,
        // It was not tried for long; nothing failed.
        Rule::SafetyFunctionUntested => false,
    }
}

/// Rules of which an incident can say that a protection failed.
pub(crate) fn failed_protections() -> Vec<Rule> {
    Rule::ALL.into_iter().filter(|rule| is_failed_protection(*rule)).collect()
}

/// Whether an incident can be the one after which a machine is tagged.
pub(crate) fn can_tag(stored: &StoredIncident) -> bool {
    let incident = &stored.incident;
    incident.severity >= Severity::High && incident.drill.is_none() && is_failed_protection(incident.rule)
}

/// From when on incidents count towards a tag after this one.
pub(crate) fn counted_from(rule: ServiceRule, stored: &StoredIncident) -> UnixMicros {
    stored.incident.time.plus(-i64::from(rule.days) * DAY_US)
}

/// Why a machine has to be tagged out of service after an incident; `None`: it has not. `others` are incidents of the
/// machine.
///
/// Only what was found after staff had last put it back into service counts: they have looked at all before it.
pub(crate) fn tag(
    rule: ServiceRule,
    machine: &Machine,
    stored: &StoredIncident,
    others: &[StoredIncident],
    now: UnixMicros,
) -> Option<String> {
    let released = released(machine);
    let counts = |stored: &StoredIncident| {
        can_tag(stored) && released.is_none_or(|released| stored.detected > released)
    };
    let from = counted_from(rule, stored);
    let is_recent = now.since(stored.incident.time) <= i64::from(rule.days) * DAY_US;
    if rule.count == 0 || !counts(stored) || !is_recent || machine.out_of_service().is_some() {
        return None;
    }
    let is_before = |other: &&StoredIncident| (from..=stored.incident.time).contains(&other.incident.time);
    let mut found: Vec<&StoredIncident> =
        others.iter().filter(is_before).filter(|other| counts(other)).collect();
    if !found.iter().any(|other| other.incident.id == stored.incident.id) {
        found.push(stored);
    }
    if found.len() < usize::try_from(rule.count).unwrap_or(usize::MAX) {
        return None;
    }
    found.sort_by_key(|stored| (stored.incident.time, stored.incident.id));
    let mut names: Vec<&str> = found.iter().map(|stored| stored.incident.rule.name()).collect();
    names.dedup();
    let incidents = if found.len() == 1 { "incident" } else { "incidents" };
    let days = if rule.days == 1 { "day" } else { "days" };
    let reason = format!(
        "{} {incidents} within {} {days} in which a protection failed: {}",
        found.len(),
        rule.days,
        names.join(", ")
    );
    Some(crate::text::cut(&reason, REASON_CHARS_MAX))
}

/// When staff last put the machine back into service, by the server's clock.
fn released(machine: &Machine) -> Option<UnixMicros> {
    let mut before = false;
    let mut released = None;
    for dated in machine.history.iter() {
        let is_tagged = dated.value.out_of_service.is_some();
        if before && !is_tagged {
            released = Some(dated.from.plus(-EFFECTIVE_AFTER_US));
        }
        before = is_tagged;
    }
    released
}
