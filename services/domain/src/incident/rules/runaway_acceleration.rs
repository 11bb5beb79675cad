//! R16: the belt became faster than it may.
//!
//! It remembers nothing.

use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::signal::Capabilities;

const RISE: Threshold = Threshold {
    name: "runaway-acceleration.rise",
    unit: Unit::MillimetresPerSecondSquared,
    default: 556,
    min: 100,
    max: 3_000,
    reason: "2.0 km/h each second, over 1.5 s: 2.4 times the steepest ordinary ramp that was measured. Sport machines are \
             faster: set it for the model.",
};

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::RunawayAcceleration,
    version: 1,
    title: "Runaway acceleration",
    meaning: "The belt gained speed over 1.5 s faster than the limit. Critical if it ran in reverse. Not while a stop by \
              button or key is under way.",
    reason: "A drive that jumps to a speed throws a person off. The agent measures the change with every signal.",
    rearm: "After 3 s without such a change.",
    card: "Go to the person. Stop the machine and take it out of service until the drive was checked.",
    severities: &[Severity::Critical, Severity::High],
    judged: Judged::Merged,
    needs: &[Capabilities::SPEED],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: true,
    thresholds: &[RISE],
    judge,
};

fn judge(_memory: &mut Memory, step: &Step<'_>) -> Verdict {
    let Some((reading, _)) = step.reading() else { return Verdict::Open };
    let Some((speed, rise)) = reading.speed.and_then(|speed| Some((speed, speed.rise?))) else {
        return Verdict::Open;
    };
    let is_runaway = 2 * i64::from(rise) > 3 * step.limit(&RISE);
    if !is_runaway || step.is_stopping() {
        return Verdict::Clear;
    }
    let severity = if step.is_reverse() { Severity::Critical } else { Severity::High };
    let mut finding = Finding::new(step, step.time, severity)
        .measuring("rise_in_1500_ms_mm_s", i64::from(rise))
        .measuring("speed_max_mm_s", i64::from(speed.max.0));
    finding.speed = Some(speed.max);
    Verdict::Holds(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::belt::Contact;
    use crate::incident::rules::scene::{ENCODER, FTMS, Scene};
    use crate::registry::DriveKind;

    /// From 3 km/h to 8 at so many km/h each second.
    #[track_caller]
    fn check(mut scene: Scene, sign: f64, kmh_per_s: f64, expected: &[Severity]) {
        scene.ramp(3.0 * sign, 0.5).wait(10.0).ramp(8.0 * sign, kmh_per_s).wait(10.0);
        assert_eq!(scene.of(Rule::RunawayAcceleration), expected, "{kmh_per_s} km/h each second");
    }

    #[test]
    fn it_takes_more_than_two_kmh_each_second() {
        check(Scene::new(ENCODER), 1.0, 2.2, &[Severity::High]);
        check(Scene::new(ENCODER), 1.0, 1.9, &[]);
        check(Scene::new(ENCODER), -1.0, 2.2, &[Severity::Critical]);
        check(Scene::new(ENCODER), -1.0, 1.9, &[]);
        check(Scene::new(FTMS), 1.0, 2.2, &[Severity::High]);
        check(Scene::new(ENCODER).set(RISE.name, 1_000), 1.0, 2.2, &[]);
        check(
            Scene::new(ENCODER).with(|settings| settings.direction_proven = false),
            -1.0,
            2.2,
            &[Severity::High],
        );
    }

    #[test]
    fn a_belt_without_a_motor_or_speed_is_not_judged() {
        check(Scene::new(ENCODER).with(|settings| settings.drive = DriveKind::Manual), 1.0, 5.0, &[]);
        check(Scene::new(Capabilities::EMERGENCY_STOP), 1.0, 5.0, &[]);
    }

    #[test]
    fn a_stop_under_way_is_judged_by_other_rules() {
        let mut scene = Scene::new(ENCODER);
        scene
            .ramp(3.0, 0.5)
            .wait(5.0)
            .contact(Contact::EmergencyStop, true)
            .wait(1.0)
            .ramp(8.0, 3.0)
            .wait(5.0);
        assert_eq!(scene.of(Rule::RunawayAcceleration), []);
        scene
            .ramp(0.0, 0.9)
            .wait(5.0)
            .contact(Contact::EmergencyStop, false)
            .wait(5.0)
            .ramp(8.0, 3.0)
            .wait(5.0);
        assert_eq!(scene.of(Rule::RunawayAcceleration), [Severity::High], "the stop was over");
    }

    #[test]
    fn each_is_one_after_three_seconds() {
        let mut scene = Scene::new(ENCODER);
        for _ in 0..2 {
            scene.ramp(8.0, 3.0).wait(10.0).ramp(1.0, 0.9).wait(5.0);
        }
        assert_eq!(scene.of(Rule::RunawayAcceleration), [Severity::High; 2]);
    }
}
