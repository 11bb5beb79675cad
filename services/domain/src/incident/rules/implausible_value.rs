//! R25: a source told a value that cannot be true.
//!
//! Memory: `since` is when one was told last; `value` counts those of the episode.

use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::record::EventKind;
use crate::signal::Capabilities;

const QUIET: Threshold = Threshold {
    name: "implausible-value.quiet",
    unit: Unit::Milliseconds,
    default: 600_000,
    min: 15_000,
    max: 86_400_000,
    reason: "A source that errs now and then is one finding, not hundreds: after ten minutes without one it is over.",
};

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::ImplausibleValue,
    version: 1,
    title: "Implausible value",
    meaning: "A source told a value that cannot be true, such as a belt faster than 30 km/h or steeper than 40 %. The \
              agent has dropped it. Values within ten minutes of each other are one incident that counts them.",
    reason: "Consoles are known to send inclines of 82 %, and their speed field reaches 655.35 km/h. Such a value must \
             neither become a figure nor be lost without a word.",
    rearm: "After ten minutes without such a value.",
    card: "Nothing at once. If it comes back, check the source's wiring, its unit and its firmware.",
    severities: &[Severity::Low],
    judged: Judged::AtOnce,
    // Agents check whatever their sources tell.
    needs: &[Capabilities(0)],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: false,
    thresholds: &[QUIET],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    let follows = step.within_us(memory.since, step.limit_us(&QUIET));
    let Some(event) = step.event_of(EventKind::ValueImplausible) else {
        return if follows { Verdict::Open } else { Verdict::Clear };
    };
    memory.since = Some(step.time);
    let earlier = memory.value.filter(|_| follows).unwrap_or(0);
    let count = earlier.saturating_add(i64::from(event.count));
    memory.value = Some(count);
    let mut finding =
        Finding::new(step, step.time, Severity::Low).saying(format!("{}: {}.", event.source, event.detail));
    finding.is_another = !follows;
    finding.count = u32::try_from(count).unwrap_or(u32::MAX);
    Verdict::Holds(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, Scene};
    use crate::signal::SignalValue;

    fn steep() -> SignalValue {
        SignalValue::Implausible("incline 82.0 % is beyond ±40 %".to_owned())
    }

    #[test]
    fn values_that_were_dropped_are_counted_in_one_incident() {
        let mut scene = Scene::new(ENCODER);
        scene.wait(5.0);
        for _ in 0..30 {
            scene.tell(steep()).wait(1.0);
        }
        assert_eq!(scene.found(), [(Rule::ImplausibleValue, Severity::Low)]);
        let incident = scene.incidents()[0];
        assert_eq!(incident.detail, "stage: incline 82.0 % is beyond ±40 %.");
        assert_eq!(incident.count, 21, "the agent tells what has come since every 10 s");
    }

    #[test]
    fn ten_minutes_without_one_end_it() {
        let mut scene = Scene::new(ENCODER);
        scene.tell(steep()).wait(595.0).tell(steep()).wait(605.0).tell(steep()).wait(1.0);
        assert_eq!(scene.of(Rule::ImplausibleValue).len(), 2);
        let mut scene = Scene::new(ENCODER).set(QUIET.name, 15_000);
        scene.tell(steep()).wait(14.0).tell(steep()).wait(16.0).tell(steep()).wait(1.0);
        assert_eq!(scene.of(Rule::ImplausibleValue).len(), 2);
    }

    #[test]
    fn plausible_values_raise_nothing() {
        let mut scene = Scene::new(ENCODER);
        scene.ramp(20.0, 0.7).wait(60.0).ramp(0.0, 0.7).wait(60.0);
        assert_eq!(scene.found(), []);
    }
}
