//! R13: the belt ran in reverse with the safety key out.
//!
//! Memory: `since` and `held_us` follow the reverse motion without the key.

use crate::belt::Contact;
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::signal::Capabilities;

const HOLD: Threshold = Threshold {
    name: "reverse-without-key.hold",
    unit: Unit::Milliseconds,
    default: 1_000,
    min: 200,
    max: 60_000,
    reason: "Longer than a key's contact bounces when somebody leans on it.",
};

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::ReverseWithoutKey,
    version: 1,
    title: "Reverse with the safety key out",
    meaning: "The belt ran in reverse faster than 0.3 km/h for the holding time while the safety key was known to be out of \
              the console. The time that the belt takes to stop after a pull does not count.",
    reason: "A machine without its key should not run at all: the key is bypassed or its circuit is broken, and the person \
             has no tether.",
    rearm: "After 3 s with the key in, forward or at rest.",
    card: "Stop the machine. Take it out of service until somebody has tested that the key stops the belt.",
    severities: &[Severity::High],
    judged: Judged::Merged,
    needs: &[Capabilities::SPEED.and(Capabilities::DIRECTION).and(Capabilities::SAFETY_KEY)],
    is_about_direction: true,
    is_about_reverse: true,
    is_for_motors: false,
    thresholds: &[HOLD],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    if step.reading().is_none() {
        return Verdict::Open;
    }
    let is_pull = step.track.stop.is_some_and(|stop| stop.standstill.is_none());
    let (false, Some(reverse_us)) = (is_pull, step.reverse_us()) else {
        memory.let_go();
        return Verdict::Open;
    };
    let since = memory.since;
    let Some(held_us) = memory.hold_while_open(step, Contact::SafetyKey, reverse_us) else {
        return Verdict::Open;
    };
    if held_us >= step.limit_us(&HOLD) {
        let since = since.or(memory.since).unwrap_or(step.time);
        let finding = Finding::new(step, since, Severity::High).about(Contact::SafetyKey);
        return Verdict::Holds(finding.measuring("held_ms", held_us / 1_000));
    }
    if held_us == 0 { Verdict::Clear } else { Verdict::Open }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, FTMS, Scene};

    /// The key is out from the beginning; the belt runs for so long.
    #[track_caller]
    fn check(mut scene: Scene, kmh: f64, seconds: f64, expected: &[Severity]) {
        scene.contact(Contact::SafetyKey, true).wait(5.0);
        scene.speed(kmh).wait(seconds).speed(0.0).wait(10.0);
        assert_eq!(scene.of(Rule::ReverseWithoutKey), expected, "{kmh} km/h, {seconds} s");
    }

    #[test]
    fn it_takes_a_second_in_reverse_without_the_key() {
        check(Scene::new(ENCODER), -1.6, 1.2, &[Severity::High]);
        check(Scene::new(ENCODER), -1.6, 0.8, &[]);
        check(Scene::new(ENCODER), 1.6, 60.0, &[]);
        check(Scene::new(ENCODER), -0.3, 60.0, &[]);
        check(Scene::new(ENCODER).set(HOLD.name, 10_000), -1.6, 9.0, &[]);
        check(Scene::new(FTMS), -1.6, 60.0, &[]);
        check(Scene::new(ENCODER).with(|settings| settings.direction_proven = false), -1.6, 60.0, &[]);
    }

    #[test]
    fn the_belt_may_come_to_rest_after_a_pull() {
        let mut scene = Scene::new(ENCODER);
        scene.ramp(-3.2, 0.5).wait(5.0).contact(Contact::SafetyKey, true).ramp(0.0, 0.5).wait(10.0);
        assert_eq!(scene.of(Rule::ReverseWithoutKey), []);
        scene.ramp(-1.6, 0.5).wait(5.0);
        assert_eq!(scene.of(Rule::ReverseWithoutKey), [Severity::High], "it set off again");
    }

    #[test]
    fn it_fires_once_an_episode() {
        let mut scene = Scene::new(ENCODER);
        scene.contact(Contact::SafetyKey, true).wait(5.0);
        for _ in 0..2 {
            scene.ramp(-1.6, 0.5).wait(10.0).ramp(0.0, 0.5).wait(10.0);
        }
        assert_eq!(scene.of(Rule::ReverseWithoutKey), [Severity::High; 2]);
    }
}
