//! R20: the belt moved when its sources fell silent.
//!
//! Memory: `value` is the last speed in mm/s if the belt moved, `since` when it was known last. `marks` is empty until
//! that speed is lost, and then holds since when records tell so: speeds of intervals from before are still the old one.

use crate::belt::{Direction, STANDSTILL};
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::{MOVING, Step};
use crate::incident::{Rule, Severity};
use crate::record::{EventKind, Reading};
use crate::signal::Capabilities;
use crate::units::{Speed, UnixMicros};

const SILENCE: Threshold = Threshold {
    name: "telemetry-lost-while-moving.silence",
    unit: Unit::Milliseconds,
    default: 5_000,
    min: 2_000,
    max: 120_000,
    reason: "Radio links drop for a second or two; none that works for five.",
};
const FAST: Threshold = Threshold {
    name: "telemetry-lost-while-moving.fast",
    unit: Unit::MillimetresPerSecond,
    default: 2_222,
    min: 278,
    max: 8_333,
    reason: "8 km/h: people run, and nobody sees any more whether the belt does.",
};

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::TelemetryLostWhileMoving,
    version: 1,
    title: "Telemetry lost while moving",
    meaning: "The belt moved faster than 0.3 km/h when the last source of its speed fell silent, and no speed was known for \
              longer than the limit. High at 8 km/h or more, in reverse, or while a stop by button or key was under way. On \
              models that fall silent when they stop it counts during such a stop only.",
    reason: "Silence is not standstill: nobody can say what the belt does. Some machines lose their power with an emergency \
             stop. A machine that stands at the next word, its elapsed time where it was, explains it.",
    rearm: "After 3 s with a known speed.",
    card: "Go and look whether the belt runs and whether the person is well. Then check the machine's power and its link to \
           the agent.",
    severities: &[Severity::High, Severity::Medium],
    judged: Judged::Merged,
    needs: &[Capabilities::SPEED],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: false,
    thresholds: &[SILENCE, FAST],
    judge,
};

const EXPLANATION: &str = "The belt stood when it was heard again, and its elapsed time had not advanced.";

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    match step.reading() {
        Some((reading, began)) => judge_reading(memory, step, reading, began),
        None => judge_event(memory, step),
    }
}

fn judge_event(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    let Some(event) = step.event().filter(|_| memory.marks.is_empty()) else { return Verdict::Open };
    if event.kind == EventKind::AgentStarted {
        let Some(since) = memory.since else { return Verdict::Open };
        memory.marks = vec![since];
        return silent(memory, step);
    }
    if let Some(speed) = event.belt.speed {
        see(memory, speed, step.time);
    }
    if event.kind == EventKind::SourceStale && memory.value.is_some() {
        // Whether this was the source of the speed, the reading behind this event's tells.
        memory.marks = vec![step.time];
        memory.since = step.track.silent.or(memory.since);
    }
    Verdict::Open
}

fn judge_reading(memory: &mut Memory, step: &Step<'_>, reading: &Reading, began: UnixMicros) -> Verdict {
    let told = memory.marks.first().copied();
    let Some(speed) = reading.speed else {
        if told.is_none() {
            memory.marks.extend(memory.since);
        }
        return silent(memory, step);
    };
    if told.is_some_and(|told| began < told) {
        return Verdict::Open;
    }
    // The agent itself was away: nothing has told of the silence before it ended.
    let was_away = told.is_none_or(|told| Some(told) == memory.since);
    let stands = speed.max <= STANDSTILL;
    let explains = stands && memory.since.is_some() && has_not_advanced(step, told.or(memory.since));
    let long_us = memory.since.map_or(0, |since| began.since(since));
    let finding = (was_away && long_us > step.limit_us(&SILENCE)).then(|| finding(memory, step)).flatten();
    *memory = Memory::default();
    see(memory, speed.min, step.time);
    match finding {
        _ if explains && told.is_some() => Verdict::Explained(EXPLANATION),
        Some(finding) if !explains => Verdict::Holds(finding),
        Some(_) | None => Verdict::Clear,
    }
}

fn see(memory: &mut Memory, speed: Speed, time: UnixMicros) {
    (memory.value, memory.since) =
        if speed > MOVING { (Some(i64::from(speed.0)), Some(time)) } else { (None, None) };
}

/// How late a console may tell a stop, in microseconds.
const LATE_US: i64 = 1_000_000;

/// No speed is known at this step.
fn silent(memory: &Memory, step: &Step<'_>) -> Verdict {
    let Some(since) = memory.since else { return Verdict::Clear };
    if step.time.since(since) <= step.limit_us(&SILENCE) {
        return Verdict::Open;
    }
    finding(memory, step).map_or(Verdict::Open, Verdict::Holds)
}

/// `None`: such a silence is no incident on this model.
fn finding(memory: &Memory, step: &Step<'_>) -> Option<Finding> {
    let (since, speed) = (memory.since?, memory.value?);
    let stop = step.track.stop.filter(|stop| stop.standstill.is_none());
    // Whoever pulls the key of a console that has fallen silent ends a session; the belt had stopped before.
    let was_stopped_moving = stop.is_some_and(|stop| stop.time <= since.plus(LATE_US));
    if step.settings.silent_on_stop && !was_stopped_moving {
        return None;
    }
    let direction = step.last_direction();
    let is_high = stop.is_some() || speed >= step.limit(&FAST) || direction.0 == Direction::Reverse;
    let severity = if is_high { Severity::High } else { Severity::Medium };
    let mut finding = Finding::new(step, since, severity)
        .measuring("silent_ms", step.time.since(since) / 1_000)
        .measuring("speed_before_mm_s", speed);
    (finding.speed, finding.direction) = (Some(Speed(u32::try_from(speed).unwrap_or(u32::MAX))), direction);
    if stop.is_some() {
        finding = finding.saying("It fell silent while it was stopping; its power may have been removed.");
    }
    Some(finding)
}

/// Whether the machine's elapsed time is known to be where it was.
fn has_not_advanced(step: &Step<'_>, since: Option<UnixMicros>) -> bool {
    let told = step.track.elapsed.filter(|told| told.time == step.time);
    told.zip(since).is_some_and(|(told, since)| told.since <= since)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::belt::Contact;
    use crate::incident::rules::scene::{ENCODER, FTMS, Scene};
    use crate::signal::SignalValue;

    /// The source falls silent at a speed for so long and is heard again at the same.
    #[track_caller]
    fn check(mut scene: Scene, kmh: f64, seconds: f64, expected: &[Severity]) {
        scene.ramp(kmh, 0.5).wait(10.0);
        scene.is_heard = false;
        scene.wait(seconds);
        scene.is_heard = true;
        scene.wait(10.0);
        assert_eq!(scene.of(Rule::TelemetryLostWhileMoving), expected, "{kmh} km/h, {seconds} s");
    }

    #[test]
    fn it_takes_five_seconds_of_silence() {
        check(Scene::new(ENCODER), 4.0, 6.2, &[Severity::Medium]);
        check(Scene::new(ENCODER), 4.0, 4.8, &[]);
        check(Scene::new(FTMS), 8.0, 6.2, &[Severity::High]);
        check(Scene::new(FTMS), 7.9, 600.0, &[Severity::Medium]);
        check(Scene::new(ENCODER), -1.6, 6.2, &[Severity::High]);
        check(
            Scene::new(ENCODER).with(|settings| settings.direction_proven = false),
            -1.6,
            6.2,
            &[Severity::Medium],
        );
        check(Scene::new(ENCODER), 0.3, 60.0, &[]);
        check(Scene::new(ENCODER).set(SILENCE.name, 20_000), 4.0, 9.0, &[]);
        check(Scene::new(ENCODER).set(FAST.name, 1_000), 4.0, 6.2, &[Severity::High]);
        check(Scene::new(Capabilities::EMERGENCY_STOP), 8.0, 60.0, &[]);
    }

    #[test]
    fn a_belt_at_rest_may_fall_silent() {
        let mut scene = Scene::new(ENCODER);
        scene.ramp(4.0, 0.5).wait(10.0).ramp(0.0, 0.9).wait(1.5);
        scene.is_heard = false;
        scene.wait(600.0);
        assert_eq!(scene.found(), []);
    }

    #[test]
    fn a_model_that_is_silent_on_stop_counts_only_while_it_is_stopped_by_force() {
        let scene = || Scene::new(ENCODER).with(|settings| settings.silent_on_stop = true);
        check(scene(), 8.0, 60.0, &[]);
        let mut scene = scene();
        scene.ramp(4.0, 0.5).wait(10.0).contact(Contact::EmergencyStop, true).wait(0.5);
        scene.is_heard = false;
        scene.wait(10.0);
        assert_eq!(scene.of(Rule::TelemetryLostWhileMoving), [Severity::High]);
        let found = scene.incidents();
        assert!(
            found.iter().any(|incident| incident.detail.contains("power may have been removed")),
            "{found:?}"
        );
    }

    #[test]
    fn a_belt_that_stands_at_the_next_word_explains_it_if_its_time_stood_too() {
        for (elapsed, is_explained) in [(Some(40), true), (Some(48), false), (None, false)] {
            let mut scene = Scene::new(FTMS);
            scene.always.push(SignalValue::Elapsed(40));
            scene.ramp(8.0, 0.5).wait(10.0);
            scene.is_heard = false;
            scene.wait(7.0);
            assert_eq!(scene.of(Rule::TelemetryLostWhileMoving), [Severity::High]);
            scene.always = elapsed.map(SignalValue::Elapsed).into_iter().collect();
            scene.is_heard = true;
            scene.speed(0.0).wait(70.0);
            let found = scene.incidents();
            let incident = found.iter().find(|incident| incident.rule == Rule::TelemetryLostWhileMoving);
            let incident = incident.expect("it was raised");
            assert_eq!(!incident.explained.is_empty(), is_explained, "{elapsed:?}");
            assert!(incident.cleared.is_some(), "{elapsed:?}");
        }
    }

    #[test]
    fn an_agent_that_was_away_has_lost_the_belt_too() {
        for (seconds, expected) in [(8.0, [Severity::Medium].as_slice()), (4.0, &[])] {
            let mut scene = Scene::new(ENCODER);
            scene.ramp(4.0, 0.5).wait(10.0).vanish(seconds).wait(30.0);
            assert_eq!(scene.of(Rule::TelemetryLostWhileMoving), expected, "{seconds} s");
        }
        let mut scene = Scene::new(ENCODER);
        scene.wait(10.0).vanish(600.0).wait(10.0);
        assert_eq!(scene.of(Rule::TelemetryLostWhileMoving), []);
    }

    #[test]
    fn each_silence_is_one() {
        let mut scene = Scene::new(ENCODER);
        scene.ramp(4.0, 0.5).wait(10.0);
        for _ in 0..2 {
            scene.is_heard = false;
            scene.wait(20.0);
            scene.is_heard = true;
            scene.wait(20.0);
        }
        assert_eq!(scene.of(Rule::TelemetryLostWhileMoving), [Severity::Medium; 2]);
    }
}
