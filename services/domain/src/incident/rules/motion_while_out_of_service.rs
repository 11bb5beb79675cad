//! R14: a machine that is out of service ran.
//!
//! Memory: `since` and `held_us` follow the motion.

use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::{MOVING, Step, above_us};
use crate::incident::{Rule, Severity};
use crate::signal::Capabilities;

const HOLD: Threshold = Threshold {
    name: "motion-while-out-of-service.hold",
    unit: Unit::Milliseconds,
    default: 1_000,
    min: 200,
    max: 600_000,
    reason: "A belt that is pushed by hand or foot moves for a moment. Where technicians test without saying so, make it \
             longer.",
};

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::MotionWhileOutOfService,
    version: 1,
    title: "Running while out of service",
    meaning: "A machine that is tagged out of service ran faster than 0.3 km/h for the holding time, outside a drill.",
    reason: "The tag does not stop the belt. Whoever uses the machine does not know what is wrong with it.",
    rearm: "After 3 s at rest, or with the end of the tag.",
    card: "Stop the machine and unplug it or lock it. Tell the person why. Put a sign on it.",
    severities: &[Severity::High],
    judged: Judged::Merged,
    needs: &[Capabilities::SPEED],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: false,
    thresholds: &[HOLD],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    let Some((reading, began)) = step.reading() else { return Verdict::Open };
    if !step.settings.out_of_service || step.settings.drill.is_some() {
        memory.let_go();
        return Verdict::Clear;
    }
    let Some(moves_us) = above_us(reading, step.time.since(began), MOVING) else {
        memory.let_go();
        return Verdict::Open;
    };
    let since = memory.since;
    let held_us = memory.hold(step, moves_us);
    if held_us >= step.limit_us(&HOLD) {
        let since = since.or(memory.since).unwrap_or(step.time);
        let finding = Finding::new(step, since, Severity::High);
        return Verdict::Holds(finding.measuring("held_ms", held_us / 1_000));
    }
    if moves_us == 0 { Verdict::Clear } else { Verdict::Open }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, FTMS, Scene};

    /// A machine that is tagged runs for so long.
    #[track_caller]
    fn check(scene: Scene, kmh: f64, seconds: f64, expected: &[Severity]) {
        let mut scene = scene.with(|settings| settings.out_of_service = true);
        scene.wait(5.0).speed(kmh).wait(seconds).speed(0.0).wait(10.0);
        assert_eq!(scene.of(Rule::MotionWhileOutOfService), expected, "{kmh} km/h, {seconds} s");
    }

    #[test]
    fn it_takes_a_second_of_motion() {
        check(Scene::new(ENCODER), 1.6, 1.2, &[Severity::High]);
        check(Scene::new(ENCODER), -1.6, 1.2, &[Severity::High]);
        check(Scene::new(FTMS), 1.6, 60.0, &[Severity::High]);
        check(Scene::new(ENCODER), 1.6, 0.8, &[]);
        check(Scene::new(ENCODER), 0.3, 60.0, &[]);
        check(Scene::new(ENCODER).set(HOLD.name, 10_000), 1.6, 9.0, &[]);
    }

    #[test]
    fn a_drill_and_a_machine_in_service_may_run() {
        check(Scene::new(ENCODER).with(|settings| settings.drill = Some(1)), 1.6, 60.0, &[]);
        let mut scene = Scene::new(ENCODER);
        scene.ramp(1.6, 0.5).wait(60.0);
        assert_eq!(scene.found(), []);
    }

    #[test]
    fn a_machine_that_does_not_tell_its_speed_is_not_judged() {
        check(Scene::new(Capabilities::EMERGENCY_STOP), 1.6, 60.0, &[]);
    }

    #[test]
    fn it_fires_once_an_episode() {
        let mut scene = Scene::new(ENCODER).with(|settings| settings.out_of_service = true);
        scene.ramp(1.6, 0.5).wait(20.0);
        assert_eq!(scene.of(Rule::MotionWhileOutOfService), [Severity::High]);
        scene.ramp(0.0, 0.5).wait(10.0).ramp(1.6, 0.5).wait(20.0);
        assert_eq!(scene.of(Rule::MotionWhileOutOfService), [Severity::High; 2]);
    }
}
