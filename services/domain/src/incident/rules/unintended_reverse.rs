//! R09: a belt that has to run forward ran in reverse.
//!
//! Memory: `since` and `held_us` follow the motion in reverse, `marks` has the change of direction that another rule
//! tells.

use crate::belt::{Direction, Origin};
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::rules::direction_change_while_moving::changed_suddenly;
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::{Step, above_us};
use crate::incident::{Rule, Severity};
use crate::registry::BeltKind;
use crate::signal::Capabilities;

const LEVEL: Threshold = Threshold {
    name: "unintended-reverse.level",
    unit: Unit::MillimetresPerSecond,
    default: 83,
    min: 56,
    max: 1_000,
    reason: "0.3 km/h: slower than this a belt that comes to rest may roll back.",
};
const HOLD: Threshold = Threshold {
    name: "unintended-reverse.hold",
    unit: Unit::Milliseconds,
    default: 500,
    min: 200,
    max: 10_000,
    reason: "A person who steps on a standing belt moves it for less than half a second.",
};
/// A change of direction so near to the beginning of the reverse motion is the same one, in microseconds.
const SAME_US: i64 = 1_000_000;

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::UnintendedReverse,
    version: 1,
    title: "Unintended reverse",
    meaning: "A belt that is registered as one-way was measured to run in reverse faster than 0.3 km/h for at least \
              0.5 s. If it changed its direction while it moved, only that is told.",
    reason: "A fault of wiring or drive; it throws the person off to the front. Only a direction that commissioning has \
             proven says so.",
    rearm: "After 3 s without reverse motion.",
    card: "Press the emergency stop and go to the person. Take the machine out of service and have its drive checked.",
    severities: &[Severity::Critical],
    judged: Judged::Merged,
    needs: &[Capabilities::SPEED.and(Capabilities::DIRECTION)],
    is_about_direction: true,
    is_about_reverse: true,
    is_for_motors: true,
    thresholds: &[LEVEL, HOLD],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    match step.settings.belt {
        BeltKind::OneWay => {}
        BeltKind::Reversible | BeltKind::Unknown => return Verdict::Clear,
    }
    if changed_suddenly(step).is_some() {
        memory.marks = vec![step.time];
    }
    let Some((reading, began)) = step.reading() else { return Verdict::Open };
    let level = step.speed_limit(&LEVEL);
    let above = match step.direction() {
        (Direction::Reverse, Origin::Measured) => above_us(reading, step.time.since(began), level),
        (Direction::Forward | Direction::Stopped, _) => Some(0),
        (Direction::Reverse | Direction::Unknown, _) => None,
    };
    let Some(above) = above else {
        memory.let_go();
        return Verdict::Open;
    };
    let since = memory.since;
    let held_us = memory.hold(step, above);
    let since = since.or(memory.since).unwrap_or(step.time);
    if above == 0 {
        return Verdict::Clear;
    }
    let is_told = memory.marks.last().is_some_and(|changed| since.since(*changed).abs() <= SAME_US);
    if held_us < step.limit_us(&HOLD) || is_told {
        return Verdict::Open;
    }
    let mut finding = Finding::new(step, since, Severity::Critical).measuring("held_ms", held_us / 1_000);
    finding.speed = reading.speed.map(|speed| speed.max);
    Verdict::Holds(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, FTMS, Scene};
    use crate::incident::settings::MachineSettings;

    fn one_way(capabilities: Capabilities) -> Scene {
        Scene::new(capabilities).with(|settings| settings.belt = BeltKind::OneWay)
    }

    /// From standstill the belt runs at a speed for so long.
    #[track_caller]
    fn check(mut scene: Scene, kmh: f64, seconds: f64, expected: &[Severity]) {
        scene.wait(10.0).speed(kmh).wait(seconds).speed(0.0).wait(10.0);
        assert_eq!(scene.of(Rule::UnintendedReverse), expected, "{kmh} km/h for {seconds} s");
    }

    #[test]
    fn a_one_way_belt_must_not_run_in_reverse() {
        check(one_way(ENCODER), -1.0, 0.6, &[Severity::Critical]);
        check(one_way(ENCODER), -1.0, 0.4, &[]);
        check(one_way(ENCODER), -0.25, 20.0, &[]);
        check(one_way(ENCODER), 1.0, 20.0, &[]);
        check(one_way(ENCODER).set(LEVEL.name, 400), -1.0, 20.0, &[]);
        check(one_way(ENCODER).set(HOLD.name, 5_000), -1.0, 4.0, &[]);
    }

    #[test]
    fn other_belts_may() {
        check(Scene::new(ENCODER), -1.0, 20.0, &[]);
        check(Scene::new(ENCODER).with(|settings| settings.belt = BeltKind::Unknown), -1.0, 20.0, &[]);
    }

    #[test]
    fn what_is_not_known_or_not_proven_is_not_told() {
        check(one_way(FTMS), -1.0, 20.0, &[]);
        let unproven = |settings: &mut MachineSettings| settings.direction_proven = false;
        check(one_way(ENCODER).with(unproven), -1.0, 20.0, &[]);
    }

    #[test]
    fn a_change_of_direction_while_moving_goes_before_it() {
        let mut scene = one_way(ENCODER);
        scene.ramp(2.0, 0.5).wait(10.0).speed(-2.0).wait(10.0);
        assert_eq!(scene.found(), [(Rule::DirectionChangeWhileMoving, Severity::Critical)]);
        scene.speed(0.0).wait(20.0).speed(-2.0).wait(10.0);
        assert_eq!(scene.of(Rule::UnintendedReverse), [Severity::Critical], "from rest it is one");
    }

    #[test]
    fn it_fires_once_an_episode() {
        let mut scene = one_way(ENCODER);
        for (rest, expected) in [(2.0, 1), (40.0, 2)] {
            scene.wait(10.0).speed(-1.0).wait(5.0).speed(0.0).wait(rest).speed(-1.0).wait(5.0).speed(0.0);
            scene.wait(60.0);
            assert_eq!(
                scene.of(Rule::UnintendedReverse).len(),
                if expected == 1 { 1 } else { 3 },
                "{rest} s"
            );
        }
    }
}
