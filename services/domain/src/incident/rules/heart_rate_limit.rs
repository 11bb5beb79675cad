//! R26: the heart rate was above its limit.
//!
//! Memory: `since` and `held_us` follow the excess.

use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::signal::Capabilities;

const ON: Threshold = Threshold {
    name: "heart-rate-limit.on",
    unit: Unit::YesNo,
    default: 0,
    min: 0,
    max: 1,
    reason: "Off: for medical use only, where somebody has set the limit for the person. Not for sensors in hand grips.",
};
const LIMIT: Threshold = Threshold {
    name: "heart-rate-limit.limit",
    unit: Unit::BeatsPerMinute,
    default: 200,
    min: 60,
    max: 240,
    reason: "No limit fits everybody: whoever turns the rule on sets it. The default only keeps a forgotten one high.",
};
const HOLD: Threshold = Threshold {
    name: "heart-rate-limit.hold",
    unit: Unit::Milliseconds,
    default: 10_000,
    min: 5_000,
    max: 300_000,
    reason: "Sensors tell single wrong values; a true excess lasts.",
};
/// A heart rate that was told so long ago is not known any more, in microseconds.
const TOLD_US: i64 = 5_000_000;

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::HeartRateLimit,
    version: 1,
    title: "Heart rate above its limit",
    meaning: "While the belt moved, the heart rate was above the limit that was set, without a break for the holding \
              time. A heart rate that is not known counts as neither.",
    reason: "A therapist's limit for a person. It is a sign for staff and no medical alarm.",
    rearm: "After 3 s at or below the limit, or at rest.",
    card: "Go to the person. Slow the belt down and have them rest. Follow your site's medical plan.",
    severities: &[Severity::High],
    judged: Judged::Merged,
    needs: &[Capabilities::SPEED.and(Capabilities::HEART_RATE_CONTACT)],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: false,
    thresholds: &[ON, LIMIT, HOLD],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    let Some((_, began)) = step.reading() else { return Verdict::Open };
    if step.track.standing.is_some() {
        memory.let_go();
        return Verdict::Clear;
    }
    let has_contact = step.track.heart_rate_contact.is_none_or(|contact| contact.value);
    let rate = step.track.heart_rate.filter(|rate| has_contact && step.within_us(Some(rate.time), TOLD_US));
    let Some(rate) = rate.filter(|_| step.track.moving.is_some()) else {
        memory.let_go();
        return Verdict::Open;
    };
    let rate = i64::from(rate.value);
    let above_us = if rate > step.limit(&LIMIT) { step.time.since(began) } else { 0 };
    let held_us = memory.hold(step, above_us);
    if above_us == 0 {
        return Verdict::Clear;
    }
    if held_us < step.limit_us(&HOLD) {
        return Verdict::Open;
    }
    let since = memory.since.unwrap_or(step.time);
    Verdict::Holds(Finding::new(step, since, Severity::High).measuring("heart_rate_bpm", rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, Scene};
    use crate::signal::SignalValue;

    fn beats(rate: u32) -> Vec<SignalValue> {
        vec![SignalValue::HeartRateContact(rate != 0), SignalValue::HeartRate(rate)]
    }

    fn medical() -> Scene {
        Scene::new(ENCODER.and(Capabilities::HEART_RATE_CONTACT)).set(ON.name, 1).set(LIMIT.name, 120)
    }

    /// A stretch at a heart rate, on a moving belt.
    #[track_caller]
    fn check(mut scene: Scene, kmh: f64, rate: u32, seconds: f64, expected: &[Severity]) {
        scene.always = beats(100);
        scene.ramp(kmh, 0.5).wait(10.0);
        scene.always = beats(rate);
        scene.wait(seconds);
        scene.always = beats(100);
        scene.wait(10.0);
        assert_eq!(scene.of(Rule::HeartRateLimit), expected);
    }

    #[test]
    fn it_takes_ten_seconds_above_the_limit_on_a_moving_belt() {
        check(medical(), 3.0, 121, 12.0, &[Severity::High]);
        check(medical(), 3.0, 121, 8.5, &[]);
        check(medical(), 3.0, 120, 60.0, &[]);
        check(medical(), 0.0, 150, 60.0, &[]);
        check(medical().set(HOLD.name, 30_000), 3.0, 121, 20.0, &[]);
        check(medical().set(LIMIT.name, 150), 3.0, 121, 60.0, &[]);
        check(medical().set(LIMIT.name, 150), 3.0, 151, 60.0, &[Severity::High]);
    }

    #[test]
    fn it_is_off_until_somebody_turns_it_on() {
        check(medical().set(ON.name, 0), 3.0, 200, 60.0, &[]);
    }

    #[test]
    fn a_heart_rate_that_is_not_known_or_not_reported_raises_nothing() {
        check(Scene::new(ENCODER).set(ON.name, 1).set(LIMIT.name, 120), 3.0, 150, 60.0, &[]);
        let mut scene = medical();
        scene.always = beats(150);
        scene.ramp(3.0, 0.5).wait(1.0);
        scene.always = vec![SignalValue::HeartRateContact(false)];
        scene.wait(60.0);
        assert_eq!(scene.of(Rule::HeartRateLimit), []);
    }

    #[test]
    fn it_fires_again_after_the_rate_was_below() {
        let mut scene = medical();
        scene.ramp(3.0, 0.5);
        for _ in 0..2 {
            scene.always = beats(150);
            scene.wait(20.0);
            scene.always = beats(110);
            scene.wait(10.0);
        }
        assert_eq!(scene.of(Rule::HeartRateLimit), [Severity::High; 2]);
    }
}
