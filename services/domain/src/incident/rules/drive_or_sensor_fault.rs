//! R24: a drive, a console or a sensor reported a fault.
//!
//! Memory: `since` is when a fault was told last; `value` counts those of the episode.

use crate::belt::STANDSTILL;
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::record::EventKind;
use crate::signal::Capabilities;

const QUIET: Threshold = Threshold {
    name: "drive-or-sensor-fault.quiet",
    unit: Unit::Milliseconds,
    default: 60_000,
    min: 15_000,
    max: 86_400_000,
    reason: "Agents tell a fault that stays at most every 10 s; after a minute without one it has gone.",
};

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::DriveOrSensorFault,
    version: 1,
    title: "Fault reported",
    meaning: "A drive, console or sensor reported a fault in its own words. High if the belt moved then or in the 2 s \
              before; else medium. Faults within a minute of each other are one incident that counts them.",
    reason: "The maker's own check found something. A drive that faults under way stops the belt in a way of its own.",
    rearm: "After a minute without a fault.",
    card: "Look up the fault in the machine's manual. If the belt was moving, ask the person whether they are hurt, and \
           take the machine out of service until the cause is known.",
    severities: &[Severity::High, Severity::Medium],
    judged: Judged::AtOnce,
    // No capability says whether a source can report faults.
    needs: &[Capabilities(0)],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: false,
    thresholds: &[QUIET],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    let follows = step.within_us(memory.since, step.limit_us(&QUIET));
    let Some(event) = step.event_of(EventKind::FaultReported) else {
        return if follows { Verdict::Open } else { Verdict::Clear };
    };
    memory.since = Some(step.time);
    let earlier = memory.value.filter(|_| follows).unwrap_or(0);
    let count = earlier.saturating_add(i64::from(event.count));
    memory.value = Some(count);
    let moved = event.before.speed.max(event.belt.speed).is_some_and(|speed| speed > STANDSTILL);
    let severity = if moved { Severity::High } else { Severity::Medium };
    let mut finding =
        Finding::new(step, step.time, severity).saying(format!("{}: {}.", event.source, event.detail));
    finding.is_another = !follows;
    finding.count = u32::try_from(count).unwrap_or(u32::MAX);
    Verdict::Holds(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, Scene};
    use crate::signal::SignalValue;

    fn fault() -> SignalValue {
        SignalValue::Fault("fault 14, motor overload".to_owned())
    }

    #[test]
    fn at_standstill_it_is_medium_and_moving_it_is_high() {
        let mut scene = Scene::new(ENCODER);
        scene.wait(10.0).tell(fault()).wait(1.0);
        assert_eq!(scene.found(), [(Rule::DriveOrSensorFault, Severity::Medium)]);
        assert_eq!(scene.incidents()[0].detail, "stage: fault 14, motor overload.");
        let mut scene = Scene::new(ENCODER);
        scene.ramp(3.0, 0.5).wait(10.0).tell(fault()).wait(1.0);
        assert_eq!(scene.of(Rule::DriveOrSensorFault), [Severity::High]);
        // A belt that the fault has brought to rest within the last 2 s moved.
        let mut scene = Scene::new(ENCODER);
        scene.ramp(3.0, 0.5).wait(10.0).speed(0.0).wait(1.5).tell(fault()).wait(1.0);
        assert_eq!(scene.of(Rule::DriveOrSensorFault), [Severity::High]);
        let mut scene = Scene::new(ENCODER);
        scene.ramp(3.0, 0.5).wait(10.0).speed(0.0).wait(2.5).tell(fault()).wait(1.0);
        assert_eq!(scene.of(Rule::DriveOrSensorFault), [Severity::Medium]);
    }

    #[test]
    fn a_fault_that_stays_is_one_incident_that_counts() {
        let mut scene = Scene::new(ENCODER);
        for _ in 0..5 {
            scene.tell(fault()).wait(20.0);
        }
        assert_eq!(scene.found(), [(Rule::DriveOrSensorFault, Severity::Medium)]);
        assert_eq!(scene.incidents()[0].count, 5);
        scene.wait(60.0).tell(fault()).wait(1.0);
        assert_eq!(scene.of(Rule::DriveOrSensorFault).len(), 2);
    }

    #[test]
    fn the_quiet_time_can_be_set() {
        let mut scene = Scene::new(ENCODER).set(QUIET.name, 15_000);
        scene.tell(fault()).wait(14.0).tell(fault()).wait(16.0).tell(fault()).wait(1.0);
        assert_eq!(scene.of(Rule::DriveOrSensorFault).len(), 2);
    }

    #[test]
    fn a_machine_that_reports_no_fault_has_none() {
        let mut scene = Scene::new(ENCODER);
        scene.ramp(3.0, 0.5).wait(60.0).ramp(0.0, 0.5).wait(60.0);
        assert_eq!(scene.found(), []);
    }
}
