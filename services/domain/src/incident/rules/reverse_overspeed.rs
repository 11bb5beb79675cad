//! R10: the belt ran in reverse faster than allowed.
//!
//! Memory: `since` and `held_us` follow the excess.

use crate::belt::Direction;
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::{Step, above_us};
use crate::incident::{Rule, Severity};
use crate::signal::Capabilities;
use crate::units::Speed;

/// The limit.
pub const LIMIT: Threshold = Threshold {
    name: "reverse-overspeed.limit",
    unit: Unit::MillimetresPerSecond,
    default: 1_639,
    min: 447,
    max: 4_000,
    reason: "5.9 km/h: untrained people begin to run backwards at 1.63 m/s (Hreljac 2005). The beginners' 1 to 2 mph are \
             advice, not a limit.",
};
const HOLD: Threshold = Threshold {
    name: "reverse-overspeed.hold",
    unit: Unit::Milliseconds,
    default: 2_000,
    min: 500,
    max: 60_000,
    reason: "A step of the foot moves the belt for less than a second.",
};

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::ReverseOverspeed,
    version: 1,
    title: "Too fast in reverse",
    meaning: "The belt ran in reverse faster than the limit, and 3 % and 0.1 km/h above it, without a break for the \
              holding time. A belt at the limit never raises it.",
    reason: "Above this speed people have to run backwards, and fall. A site or machine may set a lower limit.",
    rearm: "After 3 s at or below the limit.",
    card: "Go to the person and have them slow the belt down. Show them how to hold the rails.",
    severities: &[Severity::High],
    judged: Judged::Merged,
    needs: &[Capabilities::SPEED.and(Capabilities::DIRECTION)],
    is_about_direction: true,
    is_about_reverse: true,
    is_for_motors: false,
    thresholds: &[LIMIT, HOLD],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    let Some((reading, began)) = step.reading() else { return Verdict::Open };
    let level = over(step.speed_limit(&LIMIT));
    let above = match step.direction().0 {
        Direction::Reverse => above_us(reading, step.time.since(began), level),
        Direction::Forward | Direction::Stopped => Some(0),
        Direction::Unknown => None,
    };
    let Some(above) = above else {
        memory.let_go();
        return Verdict::Open;
    };
    let since = memory.since;
    let held_us = memory.hold(step, above);
    if held_us >= step.limit_us(&HOLD) {
        let since = since.or(memory.since).unwrap_or(step.time);
        let speed = reading.speed.map(|speed| speed.max);
        let mut finding = Finding::new(step, since, Severity::High).measuring("held_ms", held_us / 1_000);
        finding.speed = speed;
        return Verdict::Holds(finding);
    }
    if above == 0 { Verdict::Clear } else { Verdict::Open }
}

/// A belt at a limit never fires: 3 % and 0.1 km/h above it.
pub(super) fn over(limit: Speed) -> Speed {
    Speed(limit.0.saturating_add(limit.0 * 3 / 100).saturating_add(28))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, FTMS, Scene};

    /// A stretch at a speed, from 5.5 km/h in reverse.
    #[track_caller]
    fn check(mut scene: Scene, kmh: f64, seconds: f64, expected: &[Severity]) {
        scene.ramp(-5.5, 0.5).wait(10.0).speed(kmh).wait(seconds).speed(-5.5).wait(10.0);
        assert_eq!(scene.of(Rule::ReverseOverspeed), expected);
    }

    #[test]
    fn it_takes_two_seconds_above_the_limit() {
        check(Scene::new(ENCODER), -6.3, 2.1, &[Severity::High]);
        check(Scene::new(ENCODER), -6.3, 1.9, &[]);
        check(Scene::new(ENCODER), -6.3, 60.0, &[Severity::High]);
        check(Scene::new(ENCODER), 6.3, 60.0, &[]);
        check(Scene::new(ENCODER), -5.9, 600.0, &[]);
        check(Scene::new(ENCODER).set(LIMIT.name, 2_000), -6.3, 60.0, &[]);
    }

    #[test]
    fn beginners_speeds_never_raise_it() {
        for mph in [1.0, 2.0] {
            let mut scene = Scene::new(ENCODER);
            scene.ramp(-mph * 1.609_344, 0.5).wait(600.0);
            assert_eq!(scene.found(), []);
        }
    }

    #[test]
    fn a_direction_that_is_not_known_or_not_proven_raises_nothing() {
        check(Scene::new(FTMS), -6.3, 60.0, &[]);
        check(Scene::new(ENCODER).with(|settings| settings.direction_proven = false), -6.3, 60.0, &[]);
    }

    #[test]
    fn it_fires_once_an_episode() {
        let mut scene = Scene::new(ENCODER);
        scene.ramp(-6.5, 0.5).wait(10.0).speed(-5.5).wait(2.0).speed(-6.5).wait(10.0);
        assert_eq!(scene.of(Rule::ReverseOverspeed), [Severity::High], "2 s below do not end it");
        scene.speed(-5.5).wait(6.0).speed(-6.5).wait(10.0);
        assert_eq!(scene.of(Rule::ReverseOverspeed), [Severity::High; 2]);
    }
}
