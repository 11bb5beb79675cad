//! R27: the heart rate was lost while it controlled the belt.
//!
//! Memory: `since` is when a heart rate was told last on this moving belt.

use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::signal::Capabilities;

const ON: Threshold = Threshold {
    name: "heart-rate-lost.on",
    unit: Unit::YesNo,
    default: 0,
    min: 0,
    max: 1,
    reason: "Off: only for machines whose belt is controlled by the heart rate.",
};
const WARNING: Threshold = Threshold {
    name: "heart-rate-lost.warning",
    unit: Unit::Milliseconds,
    default: 30_000,
    min: 5_000,
    max: 600_000,
    reason: "A maker of medical treadmills warns after 30 s without a heart rate.",
};
const END: Threshold = Threshold {
    name: "heart-rate-lost.end",
    unit: Unit::Milliseconds,
    default: 60_000,
    min: 5_000,
    max: 600_000,
    reason: "The same maker ends the exercise after 60 s; a belt that still moves then has not been stopped.",
};
/// Time without readings after which it is not known what the sensor told, in microseconds.
const BREAK_US: i64 = 2_000_000;

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::HeartRateLost,
    version: 1,
    title: "Heart rate lost",
    meaning: "The belt kept moving and no heart rate was told any more for the warning time (low), or for the end time \
              (medium), after one had been told since the belt started.",
    reason: "A belt that is controlled by a heart rate must not go on without one.",
    rearm: "After a heart rate is told for 3 s, or the belt stands.",
    card: "Check the person's chest strap. Slow the belt down by hand until the heart rate is back.",
    severities: &[Severity::Medium, Severity::Low],
    judged: Judged::Merged,
    needs: &[Capabilities::SPEED.and(Capabilities::HEART_RATE_CONTACT)],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: false,
    thresholds: &[ON, WARNING, END],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    let Some((reading, _)) = step.reading() else { return Verdict::Open };
    if step.track.standing.is_some() {
        memory.since = None;
        return Verdict::Clear;
    }
    if step.track.gap_us > BREAK_US || step.track.moving.is_none() {
        memory.since = None;
    }
    if step.track.moving.is_none() {
        return Verdict::Open;
    }
    if reading.extra.heart_rate_bpm.is_some_and(|rate| rate > 0) {
        memory.since = Some(step.time);
        return Verdict::Clear;
    }
    let Some(since) = memory.since else { return Verdict::Open };
    let lost_us = step.time.since(since);
    let severity = if lost_us >= step.limit_us(&END) {
        Severity::Medium
    } else if lost_us >= step.limit_us(&WARNING) {
        Severity::Low
    } else {
        return Verdict::Open;
    };
    Verdict::Holds(Finding::new(step, since, severity).measuring("lost_s", lost_us / 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, Scene};
    use crate::signal::SignalValue;

    fn beats() -> Vec<SignalValue> {
        vec![SignalValue::HeartRateContact(true), SignalValue::HeartRate(110)]
    }

    fn controlled() -> Scene {
        Scene::new(ENCODER.and(Capabilities::HEART_RATE_CONTACT)).set(ON.name, 1)
    }

    /// A moving belt whose heart rate is lost for so long.
    #[track_caller]
    fn check(mut scene: Scene, seconds: f64, expected: &[Severity]) {
        scene.always = beats();
        scene.ramp(3.0, 0.5).wait(20.0);
        scene.always = vec![SignalValue::HeartRateContact(false)];
        scene.wait(seconds);
        scene.always = beats();
        scene.wait(10.0);
        assert_eq!(scene.of(Rule::HeartRateLost), expected);
    }

    #[test]
    fn half_a_minute_is_low_and_a_minute_medium() {
        check(controlled(), 28.0, &[]);
        check(controlled(), 32.0, &[Severity::Low]);
        check(controlled(), 58.0, &[Severity::Low]);
        check(controlled(), 62.0, &[Severity::Medium]);
        check(controlled().set(WARNING.name, 50_000), 40.0, &[]);
        check(controlled().set(END.name, 120_000), 100.0, &[Severity::Low]);
    }

    #[test]
    fn it_is_off_until_somebody_turns_it_on_and_needs_a_sensor() {
        check(controlled().set(ON.name, 0), 200.0, &[]);
        check(Scene::new(ENCODER).set(ON.name, 1), 200.0, &[]);
    }

    #[test]
    fn a_heart_rate_that_was_never_there_is_not_lost() {
        let mut scene = controlled();
        scene.always = vec![SignalValue::HeartRateContact(false)];
        scene.ramp(3.0, 0.5).wait(200.0);
        assert_eq!(scene.of(Rule::HeartRateLost), []);
    }

    #[test]
    fn at_rest_it_is_not_missed_and_it_fires_once_a_loss() {
        let mut scene = controlled();
        scene.always = beats();
        scene.ramp(3.0, 0.5).wait(20.0).ramp(0.0, 0.5).wait(5.0);
        scene.always = Vec::new();
        scene.wait(200.0);
        assert_eq!(scene.of(Rule::HeartRateLost), []);
        scene.ramp(3.0, 0.5);
        for _ in 0..2 {
            scene.always = beats();
            scene.wait(20.0);
            scene.always = Vec::new();
            scene.wait(50.0);
        }
        assert_eq!(scene.of(Rule::HeartRateLost), [Severity::Low; 2]);
    }
}
