//! R17: the belt stopped abruptly and nobody had stopped it.
//!
//! Memory, as [`follow`] keeps it: `value` is the speed in mm/s before the fall; `held_us` is by how much the belt has
//! fallen behind that speed since, in mm/s times microseconds; `since` is when an abrupt fall began.

use crate::belt::{Contact, STANDSTILL};
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::record::{EventKind, SpeedSummary};
use crate::signal::Capabilities;
use crate::units::{Speed, UnixMicros};

const FALL: Threshold = Threshold {
    name: "abrupt-stop.fall",
    unit: Unit::MillimetresPerSecondSquared,
    default: 1_000,
    min: 400,
    max: 5_000,
    reason: "3.6 km/h each second: 3.7 times the steepest ordinary stop that was measured.",
};
const SPEED: Threshold = Threshold {
    name: "abrupt-stop.speed",
    unit: Unit::MillimetresPerSecond,
    default: 833,
    min: 500,
    max: 5_000,
    reason: "3 km/h: a slower belt stops within a step whatever stops it.",
};
const AROUND: Threshold = Threshold {
    name: "abrupt-stop.around",
    unit: Unit::Milliseconds,
    default: 2_000,
    min: 500,
    max: 10_000,
    reason: "A stop, a pause, an emergency stop, a pulled key or a loss of power so near before or after explains it: \
             consoles tell up to 1 s late.",
};
/// Two steps of a speed told in 0.1 km/h: what a belt that came to rest may seem to keep, in mm/s.
const KEPT_MM_S: u32 = 56;

/// How long after its beginning a fall may pause, in microseconds: a console tells a speed a second.
const UNDER_WAY_US: i64 = 2_500_000;

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::AbruptStop,
    version: 1,
    title: "Abrupt stop",
    meaning: "The belt lost its speed faster than the limit, from 3 km/h or more to standstill, and no stop, pause, \
              emergency stop, pulled key or loss of power was seen around it.",
    reason: "A blocked belt, a drive that tripped, or a person who fell on the belt.",
    rearm: "After 3 s.",
    card: "Go to the person and ask whether they are hurt. Look for what blocks the belt before it runs again.",
    severities: &[Severity::High],
    judged: Judged::Merged,
    needs: &[Capabilities::SPEED],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: true,
    thresholds: &[FALL, SPEED, AROUND],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    match follow(memory, step) {
        Followed::Nothing => Verdict::Clear,
        Followed::Forming => Verdict::Open,
        Followed::Stopped { time, speed } => {
            let mut finding =
                Finding::new(step, time, Severity::High).measuring("speed_before_mm_s", i64::from(speed.0));
            (finding.speed, finding.direction) = (Some(speed), step.last_direction());
            Verdict::Holds(finding)
        }
    }
}

/// What the speeds have shown.
pub(super) enum Followed {
    /// No abrupt stop.
    Nothing,
    /// It may become one, or somebody may still be seen to have stopped it.
    Forming,
    /// The belt stopped abruptly from this speed, and nobody had stopped it.
    Stopped {
        /// When it began to.
        time: UnixMicros,
        /// From which speed.
        speed: Speed,
    },
}

/// Follows the speed through one step.
pub(super) fn follow(memory: &mut Memory, step: &Step<'_>) -> Followed {
    if step.event_of(EventKind::AgentStarted).is_some() {
        forget(memory);
    }
    if let Some((reading, began)) = step.reading() {
        match reading.speed {
            None => forget(memory),
            Some(speed) if speed.max > STANDSTILL => take(memory, step, speed, began),
            // A fall within one signal lies in the reading of the standstill.
            Some(speed) if memory.value.is_some() && is_steep_fall(step, speed) => {
                take(memory, step, speed, began)
            }
            Some(_) => {}
        }
    }
    let (Some(began), Some(before)) = (memory.since, memory.value) else { return Followed::Nothing };
    let Some(standstill) = step.track.standing else { return Followed::Forming };
    let around_us = step.limit_us(&AROUND);
    if step.time.since(standstill) < around_us {
        return Followed::Forming;
    }
    // A belt that lost its speed evenly from `before` has fallen behind by before² / (2 × fall).
    let is_steep = |behind: i64| 2 * step.limit(&FALL) * (behind / 1_000) <= before * before * 1_000;
    let is_abrupt = 2 * before >= 3 * step.limit(&FALL) || is_steep(memory.held_us);
    forget(memory);
    if !is_abrupt || was_stopped(step, began.plus(-around_us), standstill.plus(around_us)) {
        return Followed::Nothing;
    }
    Followed::Stopped { time: began, speed: Speed(u32::try_from(before).unwrap_or(u32::MAX)) }
}

fn forget(memory: &mut Memory) {
    memory.let_go();
    memory.value = None;
}

/// Whether the speed fell by half of what an abrupt stop takes.
fn is_steep_fall(step: &Step<'_>, speed: SpeedSummary) -> bool {
    speed.fall.is_some_and(|fall| 4 * i64::from(fall) >= 3 * step.limit(&FALL))
}

fn take(memory: &mut Memory, step: &Step<'_>, speed: SpeedSummary, began: UnixMicros) {
    let window = 3 * step.limit(&FALL) / 2;
    let is_steep = is_steep_fall(step, speed);
    // A reading that a standstill cut short may hold nothing but the value that was told last.
    let is_held = speed.min == speed.max;
    let is_under_way = memory.since.is_some_and(|since| step.time.since(since) <= UNDER_WAY_US);
    let goes_on = is_held && is_under_way;
    if !(is_steep || goes_on) {
        forget(memory);
    }
    let before = memory.value.unwrap_or(0).max(i64::from(speed.max.0));
    memory.value = Some(before);
    // The agent's event on a standstill comes before the reading in which the belt came to rest.
    let until = step.track.standing.map_or(step.time, |standing| standing.clamp(began, step.time));
    let run = i64::from(speed.mean.0).saturating_mul(step.time.since(began));
    memory.held_us += (before.saturating_mul(until.since(began)) - run).max(0);
    let enough = window.min(before - i64::from(KEPT_MM_S));
    if is_steep && i64::from(speed.fall.unwrap_or(0)) >= enough && before >= step.limit(&SPEED) {
        memory.since.get_or_insert(began);
    }
}

/// Whether somebody or a loss of power stopped the belt between these moments, or a stop was under way.
fn was_stopped(step: &Step<'_>, from: UnixMicros, until: UnixMicros) -> bool {
    let track = step.track;
    let moments = [track.user_stopped, track.contact(Contact::MachinePower).opened];
    let is_near = moments.into_iter().flatten().any(|moment| (from..=until).contains(&moment));
    let is_in_stop = |stop: &crate::incident::track::StopEpisode| {
        stop.time <= until && stop.standstill.is_none_or(|standstill| standstill >= from)
    };
    is_near || track.stop.as_ref().is_some_and(is_in_stop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, FTMS, Scene};
    use crate::registry::DriveKind;
    use crate::signal::SignalValue;

    /// The belt comes to rest from a speed at so many km/h each second.
    #[track_caller]
    fn check(mut scene: Scene, kmh: f64, kmh_per_s: f64, expected: &[Severity]) {
        scene.ramp(kmh, 0.5).wait(10.4).ramp(0.0, kmh_per_s).wait(60.0);
        assert_eq!(scene.of(Rule::AbruptStop), expected, "{kmh} km/h, {kmh_per_s} km/h each second");
    }

    #[test]
    fn it_takes_a_steep_fall_from_three_kmh_to_standstill() {
        for sign in [1.0, -1.0] {
            check(Scene::new(ENCODER), 8.0 * sign, 4.5, &[Severity::High]);
            check(Scene::new(ENCODER), 8.0 * sign, 3.0, &[]);
            check(Scene::new(ENCODER), 4.0 * sign, 5.0, &[Severity::High]);
            check(Scene::new(ENCODER), 4.0 * sign, 2.8, &[]);
            check(Scene::new(ENCODER), 3.1 * sign, 40.0, &[Severity::High]);
            check(Scene::new(ENCODER), 2.9 * sign, 40.0, &[]);
            check(Scene::new(ENCODER), 12.0 * sign, 0.97, &[]);
        }
        check(Scene::new(FTMS), 8.0, 40.0, &[Severity::High]);
        check(Scene::new(ENCODER).set(FALL.name, 2_000), 8.0, 4.5, &[]);
        check(Scene::new(ENCODER).set(SPEED.name, 2_500), 8.0, 40.0, &[]);
    }

    #[test]
    fn it_has_the_speed_and_way_from_before() {
        let mut scene = Scene::new(ENCODER);
        scene.ramp(-4.0, 0.5).wait(10.0).speed(0.0).wait(60.0);
        let found = scene.incidents();
        let incident = found.iter().find(|incident| incident.rule == Rule::AbruptStop).expect("it stopped");
        assert_eq!(incident.direction, crate::belt::Direction::Reverse);
        assert_eq!(incident.speed, Some(Speed(1_111)));
    }

    #[test]
    fn a_fall_that_ends_above_standstill_is_no_stop() {
        let mut scene = Scene::new(ENCODER);
        scene.ramp(12.0, 0.5).wait(10.0).ramp(4.0, 5.0).wait(10.0).ramp(0.0, 0.9).wait(60.0);
        assert_eq!(scene.of(Rule::AbruptStop), []);
    }

    #[test]
    fn whoever_stops_it_within_two_seconds_explains_it() {
        for value in [SignalValue::UserStopped, SignalValue::UserPaused, SignalValue::SafetyKeyStop] {
            for (before_s, after_s, expected) in [(1.5, 0.0, 0), (0.0, 1.5, 0), (0.0, 2.5, 1), (0.0, 60.0, 1)]
            {
                let mut scene = Scene::new(FTMS);
                scene.ramp(8.0, 0.5).wait(10.0);
                if before_s > 0.0 {
                    scene.tell(value.clone()).wait(before_s);
                }
                scene.speed(0.0).wait(0.1 + after_s);
                if before_s == 0.0 {
                    scene.tell(value.clone());
                }
                scene.wait(60.0);
                assert_eq!(scene.of(Rule::AbruptStop).len(), expected, "{value:?}, {before_s}, {after_s}");
            }
        }
    }

    #[test]
    fn a_contact_or_a_loss_of_power_explains_it() {
        for contact in [Contact::EmergencyStop, Contact::SafetyKey, Contact::MachinePower] {
            let mut scene = Scene::new(ENCODER.and(Capabilities::MACHINE_POWER));
            scene.contact(contact, false).ramp(8.0, 0.5).wait(10.0);
            scene.contact(contact, true).wait(0.2).speed(0.0).wait(60.0);
            assert_eq!(scene.of(Rule::AbruptStop), [], "{contact:?}");
        }
        let mut scene = Scene::new(ENCODER);
        scene.ramp(8.0, 0.5).wait(10.0).contact(Contact::EmergencyStop, true).ramp(6.0, 0.5).wait(4.0);
        scene.speed(0.0).wait(60.0);
        assert_eq!(scene.of(Rule::AbruptStop), [], "the stop was under way");
    }

    #[test]
    fn a_belt_without_a_motor_or_speed_is_not_judged() {
        check(Scene::new(ENCODER).with(|settings| settings.drive = DriveKind::Manual), 8.0, 40.0, &[]);
        check(Scene::new(Capabilities::EMERGENCY_STOP), 8.0, 40.0, &[]);
    }

    #[test]
    fn each_stop_is_one() {
        let mut scene = Scene::new(ENCODER);
        for _ in 0..2 {
            scene.ramp(8.0, 0.5).wait(5.0).speed(0.0).wait(60.0);
        }
        assert_eq!(scene.of(Rule::AbruptStop), [Severity::High; 2]);
    }
}
