//! R08: the belt changed its direction without coming to rest.
//!
//! Memory: `since` is when it changed last, `value` counts the changes of the episode, `held_us` is the
//! speed just after the change, in mm/s.

use crate::belt::Origin;
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::record::{Event, EventKind};
use crate::signal::Capabilities;

const LEVEL: Threshold = Threshold {
    name: "direction-change-while-moving.level",
    unit: Unit::MillimetresPerSecond,
    default: 83,
    min: 56,
    max: 1_000,
    reason: "0.3 km/h: slower than this a belt that comes to rest may roll back.",
};
/// Changes that follow each other sooner are one, in microseconds.
const REARM_US: i64 = 3_000_000;
/// A belt that rolls back when it stops does so slowly and for less than this, in microseconds.
const ROLL_US: i64 = 500_000;

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::DirectionChangeWhileMoving,
    version: 1,
    title: "Direction changed while moving",
    meaning: "The belt ran one way faster than 0.3 km/h and within 2 s the other way, with less than 1 s of standstill \
              between. A belt that only rolls back when it comes to rest is explained afterwards.",
    reason: "A person cannot follow a belt that turns round under them. Machines with a reverse belt stop fully first; a \
             patent locks the motor for it.",
    rearm: "After 3 s without another change; changes that follow sooner are counted in one incident.",
    card: "Go to the person. Take the machine out of service: a machine that changes direction without stopping has a \
           fault in its drive or its settings.",
    severities: &[Severity::Critical],
    judged: Judged::AtOnce,
    needs: &[Capabilities::SPEED.and(Capabilities::DIRECTION)],
    is_about_direction: true,
    is_about_reverse: false,
    is_for_motors: true,
    thresholds: &[LEVEL],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    if let Some(changed) = memory.since {
        let was_slow = memory.held_us <= step.limit(&LEVEL);
        let came_to_rest = step.event_of(EventKind::BeltStopped).is_some();
        if came_to_rest && was_slow && step.time.since(changed) <= ROLL_US {
            *memory = Memory::default();
            return Verdict::Explained("The belt rolled back for a moment when it came to rest.");
        }
    }
    let Some(event) = changed_suddenly(step) else { return Verdict::Clear };
    let is_another = !step.within_us(memory.since, REARM_US);
    let count = if is_another { 1 } else { memory.value.unwrap_or(0) + 1 };
    (memory.since, memory.value) = (Some(step.time), Some(count));
    memory.held_us = i64::from(event.belt.speed.map_or(0, |speed| speed.0));
    let mut finding = Finding::new(step, step.time, Severity::Critical);
    if let Some(before) = event.before.speed {
        finding = finding.measuring("before_mm_s", i64::from(before.0));
    }
    finding.is_another = is_another;
    finding.count = u32::try_from(count).unwrap_or(u32::MAX);
    finding.speed = event.before.speed.max(event.belt.speed);
    Verdict::Holds(finding)
}

/// The record, if it tells a measured change of direction of a belt that was not slow.
pub(super) fn changed_suddenly<'a>(step: &Step<'a>) -> Option<&'a Event> {
    let event = step.event_of(EventKind::DirectionChanged)?;
    let was_fast = event.before.speed > Some(step.speed_limit(&LEVEL));
    (was_fast && event.belt.origin == Origin::Measured).then_some(event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, FTMS, Scene};

    /// From one speed to another with so long a standstill between; a sign below 0 is reverse.
    #[track_caller]
    fn check(mut scene: Scene, from: f64, rest: f64, to: f64, expected: &[Severity]) {
        scene.ramp(from, 0.5).wait(10.0).speed(0.0).wait(rest).speed(to).wait(10.0);
        assert_eq!(
            scene.of(Rule::DirectionChangeWhileMoving),
            expected,
            "{from} to {to} with {rest} s between"
        );
    }

    #[test]
    fn it_takes_less_than_a_second_of_standstill() {
        check(Scene::new(ENCODER), 2.0, 0.8, -1.0, &[Severity::Critical]);
        check(Scene::new(ENCODER), 2.0, 0.0, -1.0, &[Severity::Critical]);
        check(Scene::new(ENCODER), -2.0, 0.5, 1.0, &[Severity::Critical]);
        check(Scene::new(ENCODER), 2.0, 1.5, -1.0, &[]);
        check(Scene::new(ENCODER), 2.0, 0.8, 1.0, &[]);
        check(Scene::new(ENCODER).set(LEVEL.name, 600), 2.0, 0.8, -1.0, &[]);
    }

    #[test]
    fn a_change_on_a_ramp_is_one() {
        let mut scene = Scene::new(ENCODER);
        scene.ramp(2.0, 0.5).wait(10.0).ramp(0.0, 1.0).ramp(-2.0, 1.0).wait(10.0);
        assert_eq!(scene.of(Rule::DirectionChangeWhileMoving), [Severity::Critical]);
    }

    #[test]
    fn a_belt_that_rolls_back_when_it_stops_is_explained() {
        let mut scene = Scene::new(ENCODER);
        scene.ramp(2.0, 0.5).wait(10.0).ramp(0.2, 1.0).speed(-0.2).wait(0.4).speed(0.0).wait(10.0);
        let explained: Vec<bool> =
            scene.incidents().iter().map(|incident| !incident.explained.is_empty()).collect();
        assert_eq!(explained, [true]);
    }

    #[test]
    fn a_slow_belt_that_shivers_is_none() {
        let mut scene = Scene::new(ENCODER);
        scene.wait(10.0);
        for _ in 0..50 {
            scene.speed(0.2).wait(0.3).speed(-0.2).wait(0.3);
        }
        assert_eq!(scene.of(Rule::DirectionChangeWhileMoving), []);
    }

    #[test]
    fn changes_that_follow_each_other_are_one_incident() {
        let mut scene = Scene::new(ENCODER);
        scene.ramp(2.0, 0.5).wait(10.0).speed(-2.0).wait(2.0).speed(2.0).wait(10.0).speed(-2.0).wait(10.0);
        assert_eq!(scene.of(Rule::DirectionChangeWhileMoving), [Severity::Critical; 2]);
        assert_eq!(scene.incidents()[0].count, 2);
    }

    #[test]
    fn what_is_not_known_or_not_proven_is_not_told() {
        check(Scene::new(FTMS), 2.0, 0.0, -1.0, &[]);
        check(Scene::new(ENCODER).with(|settings| settings.direction_proven = false), 2.0, 0.0, -1.0, &[]);
    }
}
