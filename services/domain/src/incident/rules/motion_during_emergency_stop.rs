//! R04: the belt moved while its emergency stop was open.
//!
//! Memory: `value` is 1 once the belt was seen standing with the stop open, `since` and `held_us` follow the motion.

use crate::belt::{Contact, STANDSTILL};
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::{Step, above_us};
use crate::incident::{Rule, Severity};
use crate::record::EventKind;
use crate::signal::Capabilities;

const HOLD: Threshold = Threshold {
    name: "motion-during-emergency-stop.hold",
    unit: Unit::Milliseconds,
    default: 500,
    min: 200,
    max: 10_000,
    reason: "A step on a standing belt moves it for less than half a second.",
};
/// A belt that sets off so soon after the stop was opened was started before it: speeds are told late. In microseconds.
const LATE_US: i64 = 2_000_000;

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::MotionDuringEmergencyStop,
    version: 1,
    title: "Belt moved during emergency stop",
    meaning: "The belt stood with its emergency stop open, and then moved faster than 0.1 km/h for the holding time \
              before the stop was reset.",
    reason: "What an emergency stop has cut must not come back before somebody resets it by hand (ISO 13850, EN 957-6).",
    rearm: "After 3 s at rest, or after the reset.",
    card: "Switch the machine off at its mains switch and go to the person. Do not let anybody use the machine before \
           its emergency stop was repaired.",
    severities: &[Severity::Critical],
    judged: Judged::Merged,
    needs: &[Capabilities::SPEED.and(Capabilities::EMERGENCY_STOP)],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: true,
    thresholds: &[HOLD],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    if let Some(event) = step.edge(EventKind::ContactClosed, Contact::EmergencyStop) {
        // The readings of the last second will show both levels: what was begun before the reset is judged here.
        let was_armed = memory.value == Some(1);
        let told = step.track.reading.filter(|_| event.belt.is_moving() == Some(true));
        let rest_us = told.map_or(0, |reading| step.time.since(reading.max(moving_since(step))).max(0));
        let held_us = memory.held_us + rest_us;
        let verdict = if was_armed && rest_us > 0 { holds(memory, step, held_us) } else { Verdict::Clear };
        *memory = Memory::default();
        return verdict;
    }
    if step.event_of(EventKind::AgentStarted).is_some() {
        *memory = Memory::default();
        return Verdict::Open;
    }
    match step.picture().contacts.is_open(Contact::EmergencyStop) {
        Some(false) => {
            *memory = Memory::default();
            return Verdict::Clear;
        }
        // Not known, or opened within this interval.
        None => {
            *memory = Memory::default();
            return Verdict::Open;
        }
        Some(true) => {}
    }
    if step.track.standing.is_some() {
        *memory = Memory { value: Some(1), ..Memory::default() };
        return Verdict::Clear;
    }
    let opened = step.track.contact(Contact::EmergencyStop).opened;
    let was_on_its_way = opened.is_some_and(|opened| moving_since(step).since(opened) < LATE_US);
    if memory.value != Some(1) || step.track.moving.is_none() || was_on_its_way {
        return Verdict::Open;
    }
    let Some((reading, began)) = step.reading() else { return Verdict::Open };
    let Some(above) = above_us(reading, step.time.since(began), STANDSTILL) else {
        memory.let_go();
        return Verdict::Open;
    };
    let held_us = memory.hold(step, above);
    holds(memory, step, held_us)
}

fn moving_since(step: &Step<'_>) -> crate::units::UnixMicros {
    step.track.moving.unwrap_or(step.time)
}

fn holds(memory: &Memory, step: &Step<'_>, held_us: i64) -> Verdict {
    if held_us < step.limit_us(&HOLD) {
        return Verdict::Open;
    }
    let since = memory.since.unwrap_or_else(|| moving_since(step));
    let mut finding = Finding::new(step, since, Severity::Critical)
        .about(Contact::EmergencyStop)
        .measuring("moved_ms", held_us / 1_000);
    if let Some((reading, _)) = step.reading() {
        finding.speed = reading.speed.map(|speed| speed.max);
    }
    Verdict::Holds(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, FTMS, Scene};

    const BUTTON: Contact = Contact::EmergencyStop;

    /// A standing belt with its stop open moves for so long.
    #[track_caller]
    fn check(mut scene: Scene, seconds: f64, expected: &[Severity]) {
        scene.wait(20.0).contact(BUTTON, true).wait(10.0).speed(1.0).wait(seconds).speed(0.0).wait(10.0);
        assert_eq!(scene.of(Rule::MotionDuringEmergencyStop), expected, "{seconds} s");
    }

    #[test]
    fn it_takes_half_a_second() {
        check(Scene::new(ENCODER), 0.6, &[Severity::Critical]);
        check(Scene::new(ENCODER), 0.4, &[]);
        check(Scene::new(ENCODER), 20.0, &[Severity::Critical]);
        check(Scene::new(ENCODER).set(HOLD.name, 2_000), 1.5, &[]);
    }

    #[test]
    fn what_goes_on_when_the_proof_test_is_over_is_an_incident() {
        let mut scene = Scene::new(ENCODER).with(|settings| settings.drill = Some(7));
        scene.wait(20.0).contact(BUTTON, true).wait(10.0).speed(1.0).wait(20.0);
        scene.settings.drill = None;
        scene.wait(20.0).speed(0.0).wait(10.0);
        let found = scene.incidents();
        let found = found.iter().filter(|one| one.rule == Rule::MotionDuringEmergencyStop);
        let told: Vec<_> = found.map(|one| (one.drill, one.cleared > Some(one.time))).collect();
        assert_eq!(told, [(Some(7), true), (None, true)]);
    }

    #[test]
    fn it_is_told_if_the_reset_comes_within_the_same_second() {
        for (seconds, expected) in [(0.7, &[Severity::Critical][..]), (0.3, &[])] {
            let mut scene = Scene::new(ENCODER);
            scene.wait(20.0).contact(BUTTON, true).wait(10.0).speed(1.0).wait(seconds);
            scene.contact(BUTTON, false).wait(10.0);
            assert_eq!(scene.of(Rule::MotionDuringEmergencyStop), expected, "{seconds} s");
        }
    }

    #[test]
    fn a_belt_that_has_not_come_to_rest_or_was_reset_is_none() {
        let mut scene = Scene::new(ENCODER);
        scene.ramp(3.0, 0.5).contact(BUTTON, true).ramp(0.0, 0.5).wait(10.0);
        scene.contact(BUTTON, false).wait(1.0).ramp(3.0, 0.5).wait(20.0);
        assert_eq!(scene.of(Rule::MotionDuringEmergencyStop), []);
    }

    #[test]
    fn a_start_that_was_told_late_is_none() {
        let mut scene = Scene::new(ENCODER);
        scene.wait(20.0).contact(BUTTON, true).wait(0.9).speed(1.0).wait(1.5).speed(0.0).wait(10.0);
        assert_eq!(scene.of(Rule::MotionDuringEmergencyStop), []);
    }

    #[test]
    fn it_fires_after_the_stop_of_a_moving_belt_and_once_an_episode() {
        let mut scene = Scene::new(ENCODER);
        scene.ramp(3.0, 0.5).contact(BUTTON, true).ramp(0.0, 1.6).wait(2.0);
        scene.speed(1.0).wait(2.0).speed(0.0).wait(1.5).speed(1.0).wait(2.0).speed(0.0).wait(40.0);
        assert_eq!(scene.of(Rule::MotionDuringEmergencyStop), [Severity::Critical]);
        scene.speed(1.0).wait(2.0).speed(0.0).wait(2.0);
        assert_eq!(scene.of(Rule::MotionDuringEmergencyStop), [Severity::Critical; 2]);
    }

    #[test]
    fn without_a_contact_it_is_not_told() {
        check(Scene::new(FTMS), 20.0, &[]);
    }
}
