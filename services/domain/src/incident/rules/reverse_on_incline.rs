//! R11: the belt ran in reverse on a raised deck where the site forbids it.
//!
//! Memory: `since` and `held_us` follow the reverse motion on a raised deck.

use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::signal::Capabilities;

const ON: Threshold = Threshold {
    name: "reverse-on-incline.on",
    unit: Unit::YesNo,
    default: 0,
    min: 0,
    max: 1,
    reason: "Off: trained people use grade in reverse on purpose. A site that forbids it turns the rule on.",
};
const INCLINE: Threshold = Threshold {
    name: "reverse-on-incline.incline",
    unit: Unit::TenthsOfPercent,
    default: 10,
    min: 0,
    max: 150,
    reason: "1 %: a deck that stands level reads up to 0.5 % off. Up and down count alike.",
};
const HOLD: Threshold = Threshold {
    name: "reverse-on-incline.hold",
    unit: Unit::Milliseconds,
    default: 3_000,
    min: 500,
    max: 60_000,
    reason: "A deck on its way to level while the belt starts is no use of the grade.",
};
/// The declared mode in which a reversed belt on a raised deck is meant.
const DOWNHILL: u32 = 3;

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::ReverseOnIncline,
    version: 1,
    title: "Reverse on a raised deck",
    meaning: "The belt ran in reverse faster than 0.3 km/h for the holding time while the deck was steeper than the limit. \
              Not in the declared mode downhill.",
    reason: "On a reversed belt a raised deck is downhill for the person. Only a site that forbids this asks for the rule.",
    rearm: "After 3 s on a level deck, forward or at rest.",
    card: "Ask the person to stop and lower the deck. Tell them that the site allows reverse on a level deck only.",
    severities: &[Severity::Medium],
    judged: Judged::Merged,
    needs: &[Capabilities::SPEED.and(Capabilities::DIRECTION).and(Capabilities::INCLINE)],
    is_about_direction: true,
    is_about_reverse: true,
    is_for_motors: false,
    thresholds: &[ON, INCLINE, HOLD],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    let Some((reading, _)) = step.reading() else { return Verdict::Open };
    let is_downhill = step.track.declared_mode.is_some_and(|mode| mode.value == DOWNHILL);
    let (Some(reverse_us), Some(incline)) = (step.reverse_us(), reading.incline) else {
        memory.let_go();
        return Verdict::Open;
    };
    let is_raised = i64::from(incline.0).abs() > step.limit(&INCLINE);
    let holds_us = if is_raised && !is_downhill { reverse_us } else { 0 };
    let since = memory.since;
    let held_us = memory.hold(step, holds_us);
    if held_us >= step.limit_us(&HOLD) {
        let since = since.or(memory.since).unwrap_or(step.time);
        let finding = Finding::new(step, since, Severity::Medium)
            .measuring("held_ms", held_us / 1_000)
            .measuring("incline_tenths_of_percent", i64::from(incline.0));
        return Verdict::Holds(finding);
    }
    if holds_us == 0 { Verdict::Clear } else { Verdict::Open }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, FTMS, Scene};
    use crate::signal::SignalValue;
    use crate::units::Incline;

    fn scene() -> Scene {
        Scene::new(ENCODER).set(ON.name, 1)
    }

    /// Reverse at 1.5 km/h on a deck that has this incline for so long, level before and after.
    #[track_caller]
    fn check(mut scene: Scene, kmh: f64, tenths: i32, seconds: f64, expected: &[Severity]) {
        scene.always.insert(0, SignalValue::Incline(Incline(0)));
        scene.ramp(kmh, 0.5).wait(5.05);
        scene.always[0] = SignalValue::Incline(Incline(tenths));
        scene.wait(seconds);
        scene.always[0] = SignalValue::Incline(Incline(0));
        scene.wait(10.0);
        assert_eq!(scene.of(Rule::ReverseOnIncline), expected, "{kmh} km/h, {tenths}, {seconds} s");
    }

    #[test]
    fn it_takes_three_seconds_of_grade_in_reverse_where_the_site_forbids_it() {
        check(scene(), -1.5, 12, 4.0, &[Severity::Medium]);
        check(scene(), -1.5, -12, 4.0, &[Severity::Medium]);
        check(scene(), -1.5, 12, 1.9, &[]);
        check(scene(), -1.5, 9, 60.0, &[]);
        check(scene(), -1.5, 10, 60.0, &[]);
        check(scene(), -0.3, 12, 60.0, &[]);
        check(scene(), 1.5, 12, 60.0, &[]);
        check(scene().set(HOLD.name, 20_000), -1.5, 12, 15.0, &[]);
        check(scene().set(INCLINE.name, 20), -1.5, 12, 15.0, &[]);
        check(Scene::new(ENCODER), -1.5, 12, 60.0, &[]);
    }

    #[test]
    fn a_declared_downhill_is_meant_so() {
        for (mode, expected) in [(1, [Severity::Medium].as_slice()), (3, &[])] {
            let mut scene = scene();
            scene.declare(mode);
            check(scene, -1.5, 12, 60.0, expected);
        }
    }

    #[test]
    fn a_machine_that_does_not_tell_its_direction_is_not_judged() {
        check(Scene::new(FTMS).set(ON.name, 1), -1.5, 12, 60.0, &[]);
    }

    #[test]
    fn three_seconds_on_a_level_deck_make_it_another() {
        let mut scene = scene();
        scene.always.push(SignalValue::Incline(Incline(12)));
        scene.ramp(-1.5, 0.5).wait(10.0);
        for (level_s, expected) in [(1.0, 1), (6.0, 2)] {
            scene.always[0] = SignalValue::Incline(Incline(0));
            scene.wait(level_s);
            scene.always[0] = SignalValue::Incline(Incline(12));
            scene.wait(10.0);
            assert_eq!(scene.of(Rule::ReverseOnIncline).len(), expected, "{level_s} s level");
        }
    }
}
