//! R12: the belt ran in reverse and nobody held the rail.
//!
//! Memory: `since` and `held_us` follow the reverse motion without hands.

use crate::belt::Contact;
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::signal::Capabilities;

const ON: Threshold = Threshold {
    name: "reverse-hands-off.on",
    unit: Unit::YesNo,
    default: 0,
    min: 0,
    max: 1,
    reason: "Off: coaches disagree whether hands stay on the rail. A site that wants hands on it turns the rule on.",
};
const HOLD: Threshold = Threshold {
    name: "reverse-hands-off.hold",
    unit: Unit::Milliseconds,
    default: 5_000,
    min: 1_000,
    max: 60_000,
    reason: "Long enough to wipe a face or to press a key of the console.",
};

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::ReverseHandsOff,
    version: 1,
    title: "Reverse without hands on the rail",
    meaning: "The belt ran in reverse faster than 0.3 km/h and the rail's sensor saw no hand for the holding time without \
              a break. A rail that is not known raises nothing.",
    reason: "A person who walks backwards cannot see the end of the belt; a hand on the rail tells where they are.",
    rearm: "After 3 s with a hand on the rail, forward or at rest.",
    card: "Go to the person and ask them to hold the rail. Stay until they walk safely.",
    severities: &[Severity::Medium],
    judged: Judged::Merged,
    needs: &[Capabilities::SPEED.and(Capabilities::DIRECTION).and(Capabilities::HAND_RAIL)],
    is_about_direction: true,
    is_about_reverse: true,
    is_for_motors: false,
    thresholds: &[ON, HOLD],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    if step.reading().is_none() {
        return Verdict::Open;
    }
    let Some(reverse_us) = step.reverse_us() else {
        memory.let_go();
        return Verdict::Open;
    };
    let since = memory.since;
    let Some(held_us) = memory.hold_while_open(step, Contact::HandRail, reverse_us) else {
        return Verdict::Open;
    };
    if held_us >= step.limit_us(&HOLD) {
        let since = since.or(memory.since).unwrap_or(step.time);
        let finding = Finding::new(step, since, Severity::Medium).about(Contact::HandRail);
        return Verdict::Holds(finding.measuring("held_ms", held_us / 1_000));
    }
    if held_us == 0 { Verdict::Clear } else { Verdict::Open }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, Scene};

    const RAIL: Capabilities = ENCODER.and(Capabilities::HAND_RAIL);

    /// Hands leave the rail for so long while the belt runs.
    #[track_caller]
    fn check(mut scene: Scene, kmh: f64, seconds: f64, expected: &[Severity]) {
        scene.contact(Contact::HandRail, false).ramp(kmh, 0.5).wait(5.0);
        scene.contact(Contact::HandRail, true).wait(seconds).contact(Contact::HandRail, false).wait(10.0);
        assert_eq!(scene.of(Rule::ReverseHandsOff), expected, "{kmh} km/h, {seconds} s");
    }

    fn scene() -> Scene {
        Scene::new(RAIL).set(ON.name, 1)
    }

    #[test]
    fn it_takes_five_seconds_without_a_hand_in_reverse() {
        check(scene(), -1.6, 5.2, &[Severity::Medium]);
        check(scene(), -1.6, 4.8, &[]);
        check(scene(), 1.6, 60.0, &[]);
        check(scene(), -0.3, 60.0, &[]);
        check(scene().set(HOLD.name, 10_000), -1.6, 9.0, &[]);
        check(Scene::new(RAIL), -1.6, 60.0, &[]);
    }

    #[test]
    fn a_hand_that_comes_for_a_moment_begins_the_time_anew() {
        let mut scene = scene();
        scene.contact(Contact::HandRail, false).ramp(-1.6, 0.5).wait(5.0);
        for _ in 0..4 {
            scene.contact(Contact::HandRail, true).wait(4.5).contact(Contact::HandRail, false).wait(0.3);
        }
        assert_eq!(scene.of(Rule::ReverseHandsOff), []);
    }

    #[test]
    fn a_rail_that_is_not_known_raises_nothing() {
        let mut scene = scene();
        scene.ramp(-1.6, 0.5).wait(60.0);
        assert_eq!(scene.of(Rule::ReverseHandsOff), []);
        check(Scene::new(ENCODER).set(ON.name, 1), -1.6, 60.0, &[]);
    }

    #[test]
    fn it_fires_once_an_episode() {
        let mut scene = scene();
        scene.contact(Contact::HandRail, true).ramp(-1.6, 0.5).wait(30.0);
        assert_eq!(scene.of(Rule::ReverseHandsOff), [Severity::Medium]);
        scene.contact(Contact::HandRail, false).wait(6.0).contact(Contact::HandRail, true).wait(10.0);
        assert_eq!(scene.of(Rule::ReverseHandsOff), [Severity::Medium; 2]);
    }
}
