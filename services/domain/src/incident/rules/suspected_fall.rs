//! R18: two independent signs of a fall.
//!
//! Memory: `value`, `held_us` and `since` follow an abrupt stop, as [`super::abrupt_stop`] says. `marks` has a place for
//! each sign, as numbered below: when it was seen, 0 if it was not.

use crate::belt::{Contact, STANDSTILL};
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::rules::abrupt_stop::{Followed, follow};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::record::{Event, EventKind, Reading};
use crate::signal::Capabilities;
use crate::units::{Speed, UnixMicros};

const WITHIN: Threshold = Threshold {
    name: "suspected-fall.within",
    unit: Unit::Milliseconds,
    default: 10_000,
    min: 2_000,
    max: 30_000,
    reason: "The signs of one fall come within seconds; a person who slides off and is pulled up takes up to 10.",
};
const FLOOR: Threshold = Threshold {
    name: "suspected-fall.floor",
    unit: Unit::MillimetresPerSecond,
    default: 556,
    min: 222,
    max: 2_778,
    reason: "2 km/h: below it a fall cannot be told from a person who steps off.",
};
const FLOOR_PRESENT: Threshold = Threshold {
    name: "suspected-fall.floor-with-presence",
    unit: Unit::MillimetresPerSecond,
    default: 222,
    min: 83,
    max: 2_778,
    reason: "0.8 km/h, where a sensor sees whether a person is on the belt.",
};
const QUIET: Threshold = Threshold {
    name: "suspected-fall.quiet",
    unit: Unit::Milliseconds,
    default: 3_000,
    min: 1_500,
    max: 10_000,
    reason: "Steps that are missing for so long on a moving belt: the slowest walk has one in 1.5 s.",
};
const BEFORE: Threshold = Threshold {
    name: "suspected-fall.before",
    unit: Unit::Milliseconds,
    default: 3_000,
    min: 500,
    max: 10_000,
    reason: "How long before a stop its load or presence must have been lost: the tether pulls the key as the person slides.",
};
/// From this on a force on the belt is a person's, in newtons.
const LOADED_N: i32 = 50;
/// A load that goes within this time goes abruptly, in microseconds.
const ABRUPT_US: i64 = 2_000_000;
/// Signs older than this are forgotten, in microseconds: longer than two signs may lie apart and a belt at rest is silent.
const FORGET_US: i64 = 62_000_000;
/// The slowest ordinary way to standstill, in mm/s², and the time before it begins, in microseconds.
const SLOWEST_STOP: i64 = 140;
const REACTION_US: i64 = 2_000_000;

const BELT: usize = 0;
const HAND: usize = 1;
const PRESENCE: usize = 2;
const STEPS: usize = 3;
const STOP: usize = 4;
/// When there was a load last; no sign.
const LOADED: usize = 5;
const UNLOADED: usize = 6;
const PLACES: usize = 7;
const NEVER: UnixMicros = UnixMicros(0);

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::SuspectedFall,
    version: 1,
    title: "Suspected fall",
    meaning: "Two independent signs of a fall within 10 s, on a belt faster than 2 km/h, or than 0.8 km/h where presence is \
              measured. Signs are: the belt stopped abruptly and nobody had stopped it, or did not stop when it was \
              stopped; hand, steps or presence were lost while it moved; the key or the emergency stop went after load or \
              presence was lost. What was lost counts once: a pull followed by quiet is one sign. Below these speeds it \
              cannot tell.",
    reason: "Falls cause most injuries on treadmills. Each sign alone is ordinary: people let go, step off and pull keys.",
    rearm: "After 3 s without two signs.",
    card: "Go to the person at once. Ask whether they are hurt, and do not move them if they are. Do not reset the machine \
           until you have seen why it was stopped.",
    severities: &[Severity::Critical],
    judged: Judged::Merged,
    needs: &[
        Capabilities::SPEED.and(Capabilities::HAND_RAIL),
        Capabilities::SPEED.and(Capabilities::USER_PRESENCE),
        Capabilities::SPEED.and(Capabilities::STEPS),
    ],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: false,
    thresholds: &[WITHIN, FLOOR, FLOOR_PRESENT, QUIET, BEFORE],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    memory.marks.resize(PLACES, NEVER);
    if let Followed::Stopped { time, speed } = follow(memory, step) {
        if speed > floor(step) {
            memory.marks[BELT] = time;
        }
    }
    let marks = &mut memory.marks;
    match (step.event(), step.reading()) {
        (Some(event), _) => take_event(marks, step, event),
        (None, Some((reading, _))) => take_reading(marks, step, reading),
        (None, None) => {}
    }
    take_stop(marks, step);
    marks.iter_mut().filter(|mark| step.time.since(**mark) > FORGET_US).for_each(|mark| *mark = NEVER);
    let found = pair(marks, step.limit_us(&WITHIN));
    if marks.iter().all(|mark| *mark == NEVER) {
        memory.marks.clear();
    }
    let Some((time, detail)) = found else { return Verdict::Clear };
    let mut finding = Finding::new(step, time, Severity::Critical).saying(detail);
    (finding.speed, finding.direction) =
        (step.track.motion.map(|(_, speed, _)| speed), step.last_direction());
    Verdict::Holds(finding)
}

fn floor(step: &Step<'_>) -> Speed {
    step.speed_limit(if step.can(Capabilities::USER_PRESENCE) { &FLOOR_PRESENT } else { &FLOOR })
}

fn take_event(marks: &mut [UnixMicros], step: &Step<'_>, event: &Event) {
    let place = match event.contact {
        Some(Contact::HandRail) => HAND,
        Some(Contact::UserPresence) => PRESENCE,
        Some(Contact::EmergencyStop | Contact::SafetyKey | Contact::MachinePower) | None => return,
    };
    if event.kind == EventKind::ContactClosed {
        // Hand or person are back.
        marks[place] = NEVER;
    }
    let is_fast = event.belt.speed.max(event.before.speed).is_some_and(|speed| speed > floor(step));
    if event.kind == EventKind::ContactOpened && is_fast {
        marks[place] = step.time;
    }
}

fn take_reading(marks: &mut [UnixMicros], step: &Step<'_>, reading: &Reading) {
    let is_fast = reading.speed.is_some_and(|speed| speed.min > floor(step));
    if let Some(steps) = &step.track.steps {
        let has_walked = step.track.moving.is_some_and(|moving| steps.since > moving);
        let is_told = reading.extra.steps.is_some();
        if steps.since > marks[STEPS] {
            marks[STEPS] = NEVER;
        }
        if is_fast && is_told && has_walked && step.time.since(steps.since) >= step.limit_us(&QUIET) {
            marks[STEPS] = steps.since;
        }
    }
    let Some(force) = reading.extra.belt_force_n else { return };
    if force.abs() >= LOADED_N {
        (marks[LOADED], marks[UNLOADED]) = (step.time, NEVER);
    } else if is_fast && marks[UNLOADED] == NEVER && step.within_us(Some(marks[LOADED]), ABRUPT_US) {
        marks[UNLOADED] = step.time;
    }
}

/// A stop counts if load or presence was lost before it; and a belt that does not follow it is a sign of its own.
fn take_stop(marks: &mut [UnixMicros], step: &Step<'_>) {
    let Some(stop) = step.track.stop else { return };
    let Some(speed) = stop.speed.filter(|speed| *speed > floor(step)) else { return };
    let before_us = step.limit_us(&BEFORE);
    let was_before = |lost: UnixMicros| (0..=before_us).contains(&stop.time.since(lost));
    if was_before(marks[UNLOADED]) || was_before(marks[PRESENCE]) {
        marks[STOP] = stop.time;
    }
    let allowed_us = REACTION_US + i64::from(speed.0) * 1_000_000 / SLOWEST_STOP;
    let is_moving = step.picture().speed.is_some_and(|speed| speed > STANDSTILL);
    if stop.standstill.is_none() && is_moving && step.time.since(stop.time) > allowed_us {
        marks[BELT] = stop.time.plus(allowed_us);
    }
}

/// Two signs of different kinds that are near enough: when the later was seen, and both in words.
fn pair(marks: &[UnixMicros], within_us: i64) -> Option<(UnixMicros, String)> {
    // Presence that makes a stop a sign is no second one, unless the load makes it one too.
    let is_spent = marks[STOP] != NEVER && marks[UNLOADED] == NEVER;
    let lost = [
        (marks[HAND], "the hand left the rail"),
        (marks[STEPS], "the steps ended"),
        (if is_spent { NEVER } else { marks[PRESENCE] }, "the person left the belt"),
    ];
    let belt = [(marks[BELT], "the belt stopped abruptly or did not stop when it should")];
    let stop = [(marks[STOP], "a stop followed a loss of load or presence")];
    let kinds: [&[(UnixMicros, &str)]; 3] = [&lost, &belt, &stop];
    for (number, kind) in kinds.iter().enumerate() {
        for (first, what) in kind.iter().filter(|(mark, _)| *mark != NEVER) {
            let mut others = kinds[number + 1..].iter().flat_map(|kind| kind.iter());
            let near =
                |(mark, _): &&(UnixMicros, &str)| *mark != NEVER && mark.since(*first).abs() <= within_us;
            if let Some((second, also)) = others.find(near) {
                return Some(((*first).max(*second), format!("Suspected only: {what}, and {also}.")));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, FTMS, Scene};
    use crate::signal::SignalValue;

    const RAIL: Capabilities = ENCODER.and(Capabilities::HAND_RAIL);
    const PRESENT: Capabilities = RAIL.and(Capabilities::USER_PRESENCE);

    fn walking(capabilities: Capabilities, kmh: f64) -> Scene {
        let mut scene = Scene::new(capabilities);
        scene.contact(Contact::HandRail, false);
        if capabilities.has(Capabilities::USER_PRESENCE) {
            scene.contact(Contact::UserPresence, false);
        }
        scene.ramp(kmh, 0.5).wait(10.0);
        scene
    }

    /// A hand leaves the rail, and so much later the belt stops abruptly.
    #[track_caller]
    fn check(mut scene: Scene, seconds: f64, expected: usize) {
        scene.contact(Contact::HandRail, true).wait(seconds).speed(0.0).wait(60.0);
        assert_eq!(scene.of(Rule::SuspectedFall), vec![Severity::Critical; expected], "{seconds} s");
    }

    #[test]
    fn a_lost_hand_and_an_abrupt_stop_are_two_signs_within_ten_seconds() {
        check(walking(RAIL, 6.0), 0.5, 1);
        check(walking(RAIL, -6.0), 8.5, 1);
        check(walking(RAIL, 6.0), 11.5, 0);
        check(walking(RAIL, 6.0).set(WITHIN.name, 5_000), 8.5, 0);
        check(walking(RAIL, 6.0).set(FLOOR.name, 2_000), 0.5, 0);
        check(walking(ENCODER, 6.0), 0.5, 0);
    }

    #[test]
    fn either_alone_is_none() {
        let mut scene = walking(RAIL, 6.0);
        scene.contact(Contact::HandRail, true).wait(20.0).ramp(0.0, 0.9).wait(60.0);
        assert_eq!(scene.of(Rule::SuspectedFall), []);
        let mut scene = walking(RAIL, 6.0);
        scene.speed(0.0).wait(60.0);
        assert_eq!(scene.of(Rule::SuspectedFall), []);
    }

    #[test]
    fn a_hand_that_comes_back_is_no_loss() {
        let mut scene = walking(RAIL, 6.0);
        scene.contact(Contact::HandRail, true).wait(1.0).contact(Contact::HandRail, false).wait(1.0);
        scene.speed(0.0).wait(60.0);
        assert_eq!(scene.of(Rule::SuspectedFall), []);
    }

    #[test]
    fn a_pull_followed_by_quiet_is_one_sign() {
        let mut scene = walking(PRESENT, 6.0);
        scene.contact(Contact::SafetyKey, true).ramp(0.0, 1.0).wait(2.5);
        scene.contact(Contact::HandRail, true).contact(Contact::UserPresence, true).wait(60.0);
        assert_eq!(scene.of(Rule::SuspectedFall), []);
    }

    /// Presence goes at a speed, then the hand, then the key.
    #[track_caller]
    fn check_pull(mut scene: Scene, hand: bool, between_s: f64, expected: usize) {
        scene.contact(Contact::UserPresence, true).wait(between_s);
        scene.contact(Contact::HandRail, hand).wait(0.3);
        scene.contact(Contact::SafetyKey, true).ramp(0.0, 1.0).wait(60.0);
        assert_eq!(
            scene.of(Rule::SuspectedFall),
            vec![Severity::Critical; expected],
            "{hand}, {between_s} s"
        );
    }

    #[test]
    fn a_key_that_goes_after_the_person_needs_one_sign_more() {
        check_pull(walking(PRESENT, 3.0), true, 1.0, 1);
        check_pull(walking(PRESENT, 3.0), false, 1.0, 0);
        check_pull(walking(PRESENT, 3.0), true, 4.0, 0);
        check_pull(walking(PRESENT, 3.0).set(BEFORE.name, 6_000), true, 4.0, 1);
        check_pull(walking(PRESENT, 1.0), true, 1.0, 1);
        check_pull(walking(PRESENT, 0.7), true, 1.0, 0);
        check_pull(walking(PRESENT, 1.0).set(FLOOR_PRESENT.name, 300), true, 1.0, 0);
    }

    #[test]
    fn steps_that_end_on_a_moving_belt_are_a_loss() {
        for (quiet_s, expected) in [(5.0, 1), (2.0, 0)] {
            let mut scene = Scene::new(FTMS.and(Capabilities::STEPS));
            scene.always.push(SignalValue::Steps(0));
            scene.ramp(6.0, 0.5);
            for count in 0..20 {
                scene.always[0] = SignalValue::Steps(count);
                scene.wait(0.5);
            }
            scene.wait(quiet_s).speed(0.0).wait(60.0);
            assert_eq!(scene.of(Rule::SuspectedFall).len(), expected, "{quiet_s} s");
        }
    }

    #[test]
    fn a_load_that_goes_before_a_stop_makes_it_a_sign() {
        for (force, expected) in [(5, 1), (80, 0)] {
            let mut scene = walking(RAIL.and(Capabilities::BELT_FORCE), 6.0);
            scene.always.push(SignalValue::BeltForce(-120));
            scene.wait(10.0).contact(Contact::HandRail, true).wait(0.2);
            scene.always[0] = SignalValue::BeltForce(force);
            scene.wait(1.6).contact(Contact::EmergencyStop, true).ramp(0.0, 1.0).wait(60.0);
            assert_eq!(scene.of(Rule::SuspectedFall).len(), expected, "{force} N");
        }
    }

    #[test]
    fn each_fall_is_one() {
        let mut scene = walking(RAIL, 6.0);
        for _ in 0..2 {
            scene.contact(Contact::HandRail, true).wait(0.5).speed(0.0).wait(90.0);
            scene.contact(Contact::HandRail, false).ramp(6.0, 0.5).wait(10.0);
        }
        assert_eq!(scene.of(Rule::SuspectedFall), [Severity::Critical; 2]);
    }
}
