//! R23: two sources measure opposite directions.
//!
//! Memory: `since` is when they were last told to differ; forgotten when the belt stands or the agent starts.

use crate::belt::{Direction, Origin};
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::record::EventKind;
use crate::registry::BeltKind;
use crate::signal::Capabilities;

/// A change of direction so shortly before or at the disagreement is the worse finding, in microseconds.
const SAME_SECOND_US: i64 = 1_000_000;

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::DirectionSourcesDisagree,
    version: 1,
    title: "Directions disagree",
    meaning: "Two sources measured opposite directions for a second while the belt ran faster than 0.5 km/h. Which way \
              it ran is not known. The agent finds this itself and tells it once, until both have agreed for 3 s. It is \
              not raised with a direction change while moving or an unintended reverse of the same second.",
    reason: "The wires of one source are swapped, or it is broken. Every rule about a reverse belt depends on it.",
    rearm: "After both sources have agreed for 3 s.",
    card: "Do not let anybody use the machine in reverse until a technician has checked the wiring of both sources and \
           commissioned the direction again.",
    severities: &[Severity::High],
    judged: Judged::AtOnce,
    needs: &[Capabilities::SPEED.and(Capabilities::DIRECTION)],
    is_about_direction: true,
    is_about_reverse: false,
    is_for_motors: false,
    thresholds: &[],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    if step.event_of(EventKind::BeltStopped).is_some() || step.event_of(EventKind::AgentStarted).is_some() {
        memory.since = None;
    }
    let Some(event) = step.event_of(EventKind::DirectionDisagreed) else {
        // Until the belt stands they may differ all the time; the agent does not tell how long.
        return if memory.since.is_some() { Verdict::Open } else { Verdict::Clear };
    };
    let has_changed = step.within_us(step.track.direction_changed, SAME_SECOND_US);
    let is_unintended = step.settings.belt == BeltKind::OneWay && step.is_reverse();
    if has_changed || is_unintended {
        return Verdict::Open;
    }
    memory.since = Some(step.time);
    let mut finding = Finding::new(step, step.time, Severity::High).saying(format!("{}.", event.detail));
    finding.direction = (Direction::Unknown, Origin::Unknown);
    finding.is_another = true;
    Verdict::Holds(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, FTMS, Scene};
    use crate::signal::SignalValue;

    fn tells(direction: Direction) -> Vec<SignalValue> {
        vec![SignalValue::MeasuredDirection(direction)]
    }

    /// A belt that runs forward, while a second source tells its direction.
    #[track_caller]
    fn check(mut scene: Scene, second: Direction, kmh: f64, seconds: f64, expected: &[Severity]) {
        scene.second = tells(Direction::Forward);
        scene.ramp(kmh, 0.5).wait(10.0);
        scene.second = tells(second);
        scene.wait(seconds);
        scene.second = tells(Direction::Forward);
        scene.wait(10.0);
        assert_eq!(scene.of(Rule::DirectionSourcesDisagree), expected);
    }

    fn two() -> Scene {
        Scene::new(ENCODER).with_second_source()
    }

    #[test]
    fn opposite_for_a_second_is_high_and_the_direction_not_known() {
        check(two(), Direction::Reverse, 3.0, 5.0, &[Severity::High]);
        check(two(), Direction::Reverse, 3.0, 0.5, &[]);
        check(two(), Direction::Reverse, 0.4, 5.0, &[]);
        check(two(), Direction::Unknown, 3.0, 5.0, &[]);
        let mut scene = two();
        scene.second = tells(Direction::Reverse);
        scene.ramp(3.0, 0.5).wait(10.0);
        assert_eq!(scene.found(), [(Rule::DirectionSourcesDisagree, Severity::High)]);
        let incident = scene.incidents()[0];
        assert_eq!((incident.direction, incident.origin), (Direction::Unknown, Origin::Unknown));
        assert_eq!(incident.detail, "stage measures forward, second measures reverse.");
    }

    #[test]
    fn a_direction_that_is_not_known_or_not_proven_is_not_judged() {
        check(Scene::new(FTMS).with_second_source(), Direction::Reverse, 3.0, 5.0, &[]);
        check(two().with(|settings| settings.direction_proven = false), Direction::Reverse, 3.0, 5.0, &[]);
    }

    #[test]
    fn a_direction_change_of_the_same_second_goes_before_it() {
        let mut scene = two();
        scene.second = tells(Direction::Forward);
        scene.ramp(3.0, 0.5).wait(10.0).speed(-3.0).wait(10.0);
        assert_eq!(scene.of(Rule::DirectionSourcesDisagree), []);
    }

    #[test]
    fn a_one_way_belt_in_reverse_goes_before_it() {
        let mut scene = two().with(|settings| settings.belt = BeltKind::OneWay);
        scene.second = tells(Direction::Forward);
        scene.ramp(-3.0, 0.5).wait(10.0);
        assert_eq!(scene.of(Rule::DirectionSourcesDisagree), []);
    }

    #[test]
    fn it_is_told_again_after_they_have_agreed() {
        let mut scene = two();
        for _ in 0..2 {
            scene.second = tells(Direction::Reverse);
            scene.ramp(3.0, 0.5).wait(10.0);
            scene.second = tells(Direction::Forward);
            scene.wait(10.0).ramp(0.0, 0.5).wait(60.0);
        }
        assert_eq!(scene.of(Rule::DirectionSourcesDisagree), [Severity::High; 2]);
    }
}
