//! R07: the belt started and nobody had started it.
//!
//! Memory: `value` is 0 while the belt stands or has just set off, 1 once its start was found to be unexpected; `since`
//! and `held_us` follow its motion.

use crate::belt::Contact;
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::{Step, above_us};
use crate::incident::{Rule, Severity};
use crate::record::EventKind;
use crate::signal::Capabilities;
use crate::units::UnixMicros;

const LEVEL: Threshold = Threshold {
    name: "unexpected-start.level",
    unit: Unit::MillimetresPerSecond,
    default: 83,
    min: 56,
    max: 1_000,
    reason: "0.3 km/h: no belt runs slower than 0.8 km/h, and a person who steps on it pushes it less.",
};
const HOLD: Threshold = Threshold {
    name: "unexpected-start.hold",
    unit: Unit::Milliseconds,
    default: 1_000,
    min: 500,
    max: 10_000,
    reason: "A step of the foot moves the belt for less than a second.",
};
const WINDOW: Threshold = Threshold {
    name: "unexpected-start.window",
    unit: Unit::Milliseconds,
    default: 10_000,
    min: 4_000,
    max: 120_000,
    reason: "So long before the start a command, or motion, explains it; a count-down takes about 3 s.",
};
/// A console tells the start command up to a second late, in microseconds.
const LATE_US: i64 = 1_500_000;
/// After a reset of the emergency stop its own rule judges the start, in microseconds.
const AFTER_RESET_US: i64 = 3_000_000;

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::UnexpectedStart,
    version: 1,
    title: "Unexpected start",
    meaning: "A standing belt ran faster than 0.3 km/h for at least 1 s. Nobody had given a start command and the belt \
              had not moved in the 10 s before. Starts with the emergency stop open or just reset have rules of their own.",
    reason: "A machine that is not in use must be secured against being started by others, children above all \
             (ISO 20957-6). It can be told only where the machine tells its start commands.",
    rearm: "After 3 s at rest.",
    card: "Press the emergency stop and see who is on the machine or near it. If nobody started it, take it out of \
           service.",
    severities: &[Severity::Critical],
    judged: Judged::Merged,
    needs: &[Capabilities::SPEED.and(Capabilities::USER_COMMANDS)],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: true,
    thresholds: &[LEVEL, HOLD, WINDOW],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    if step.track.standing.is_some() {
        *memory = Memory { value: Some(0), ..Memory::default() };
        return Verdict::Clear;
    }
    let started = step.track.moving.filter(|_| step.event_of(EventKind::AgentStarted).is_none());
    let Some(started) = started else {
        *memory = Memory::default();
        return Verdict::Open;
    };
    let Some(found) = memory.value else { return Verdict::Open };
    if found == 0 && (is_explained(step, started) || !is_heard(step, started)) {
        *memory = Memory::default();
        return Verdict::Open;
    }
    let Some((reading, began)) = step.reading() else { return Verdict::Open };
    let level = step.speed_limit(&LEVEL);
    let Some(above) = above_us(reading, step.time.since(began), level) else { return Verdict::Open };
    let held_us = memory.hold(step, above);
    let is_due = held_us >= step.limit_us(&HOLD) && step.time.since(started) >= LATE_US;
    if found == 0 && !is_due {
        return Verdict::Open;
    }
    memory.value = Some(1);
    let mut finding = Finding::new(step, started, Severity::Critical).measuring("held_ms", held_us / 1_000);
    finding.speed = reading.speed.map(|speed| speed.max);
    Verdict::Holds(finding)
}

/// Whether somebody started the belt, or it was in use, or another rule judges the start.
fn is_explained(step: &Step<'_>, started: UnixMicros) -> bool {
    let track = step.track;
    let window_us = step.limit_us(&WINDOW);
    let within = |moment: Option<UnixMicros>, after_us: i64| {
        moment.is_some_and(|moment| (-after_us..=window_us).contains(&started.since(moment)))
    };
    let button = track.contact(Contact::EmergencyStop);
    let is_reset = button.closed.is_some_and(|closed| (0..=AFTER_RESET_US).contains(&started.since(closed)));
    within(track.user_started, LATE_US) || within(track.stopped, 0) || button.open == Some(true) || is_reset
}

/// Whether a start command would have been heard.
fn is_heard(step: &Step<'_>, started: UnixMicros) -> bool {
    step.track.has_heard_commands_since(started.plus(-step.limit_us(&WINDOW)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ALL, ENCODER, FTMS, Scene};
    use crate::registry::DriveKind;
    use crate::signal::SignalValue;

    /// A machine that was at rest for long, what happens, and what is found.
    #[track_caller]
    fn check(mut scene: Scene, story: impl FnOnce(&mut Scene), expected: &[Severity]) {
        scene.wait(60.0);
        story(&mut scene);
        scene.wait(10.0);
        assert_eq!(scene.of(Rule::UnexpectedStart), expected);
    }

    /// The belt runs at a speed for a time.
    fn runs(kmh: f64, seconds: f64) -> impl FnOnce(&mut Scene) {
        move |scene: &mut Scene| {
            scene.speed(kmh).wait(seconds).speed(0.0);
        }
    }

    #[test]
    fn it_takes_a_second_above_the_level() {
        check(Scene::new(FTMS), runs(1.0, 20.0), &[Severity::Critical]);
        check(Scene::new(FTMS), runs(1.0, 1.6), &[Severity::Critical]);
        check(Scene::new(FTMS), runs(1.0, 0.8), &[]);
        check(Scene::new(FTMS), runs(0.25, 20.0), &[]);
        check(Scene::new(FTMS).set(LEVEL.name, 400), runs(1.0, 20.0), &[]);
        check(Scene::new(FTMS).set(HOLD.name, 5_000), runs(1.0, 4.0), &[]);
    }

    #[test]
    fn a_start_command_in_the_ten_seconds_before_explains_it() {
        for (before, expected) in [(3.0, &[][..]), (9.5, &[]), (11.0, &[Severity::Critical])] {
            let story = |scene: &mut Scene| {
                scene.tell(SignalValue::UserStarted).wait(before).ramp(3.0, 0.5);
            };
            check(Scene::new(FTMS), story, expected);
        }
        let told_late = |scene: &mut Scene| {
            scene.speed(0.8).wait(1.2).tell(SignalValue::UserStarted).ramp(3.0, 0.5);
        };
        check(Scene::new(FTMS), told_late, &[]);
    }

    #[test]
    fn a_belt_that_was_just_in_use_explains_it() {
        for (rest, expected) in [(5.0, &[][..]), (12.0, &[Severity::Critical])] {
            let story = |scene: &mut Scene| {
                scene.tell(SignalValue::UserStarted).ramp(3.0, 0.5).ramp(0.0, 0.5).wait(rest).ramp(3.0, 0.5);
            };
            check(Scene::new(FTMS), story, expected);
        }
    }

    #[test]
    fn starts_with_the_emergency_stop_have_rules_of_their_own() {
        let story = |scene: &mut Scene| {
            scene.contact(Contact::EmergencyStop, true).wait(20.0).ramp(3.0, 0.5).ramp(0.0, 0.5).wait(20.0);
            scene.contact(Contact::EmergencyStop, false).wait(2.0).ramp(3.0, 0.5);
        };
        check(Scene::new(ALL), story, &[]);
    }

    #[test]
    fn machines_that_tell_no_starts_raise_nothing_in_a_hundred() {
        let mut scene = Scene::new(ENCODER);
        for _ in 0..100 {
            scene.wait(15.0).ramp(3.0, 1.0).ramp(0.0, 1.0);
        }
        assert_eq!(scene.found(), []);
        check(Scene::new(FTMS).with(|settings| settings.drive = DriveKind::Manual), runs(1.0, 20.0), &[]);
    }

    #[test]
    fn a_command_that_could_not_be_heard_may_have_been_given() {
        let silent = |scene: &mut Scene| {
            scene.is_heard = false;
            scene.wait(10.0);
            scene.is_heard = true;
            scene.wait(3.0).speed(1.0).wait(20.0);
        };
        check(Scene::new(FTMS), silent, &[]);
        let found_running = |scene: &mut Scene| {
            scene.vanish(20.0).speed(1.0).wait(20.0);
        };
        check(Scene::new(FTMS), found_running, &[]);
    }

    #[test]
    fn it_fires_once_an_episode() {
        let story = |scene: &mut Scene| {
            scene.speed(1.0).wait(20.0).speed(0.0).wait(60.0).speed(1.0).wait(20.0);
        };
        check(Scene::new(FTMS), story, &[Severity::Critical; 2]);
    }
}
