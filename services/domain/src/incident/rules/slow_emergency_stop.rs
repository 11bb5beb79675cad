//! R03: the belt kept moving after an emergency stop or a pull of the key.
//!
//! Memory: `since` is the edge of the stop that is followed, `value` the speed that the belt must not exceed any more in
//! mm/s, `marks` has the edge of a stop that is not judged: it was part of a proof test, or readings broke off.

use crate::belt::STANDSTILL;
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::settings::{CommissionedStop, MachineSettings};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::{Step, StopEpisode};
use crate::incident::{Rule, Severity};
use crate::record::EventKind;
use crate::signal::Capabilities;
use crate::stop::StopContact;
use crate::units::{Speed, UnixMicros};

const HIGH: Threshold = Threshold {
    name: "slow-emergency-stop.high",
    unit: Unit::Percent,
    default: 150,
    min: 110,
    max: 300,
    reason: "Part of the stop that was measured at commissioning. No standard gives a figure that is public.",
};
const CRITICAL: Threshold = Threshold {
    name: "slow-emergency-stop.critical",
    unit: Unit::Percent,
    default: 300,
    min: 150,
    max: 1_000,
    reason: "Part of the stop that was measured at commissioning: the belt runs on as if nobody had stopped it.",
};
const REACTION: Threshold = Threshold {
    name: "slow-emergency-stop.reaction",
    unit: Unit::Milliseconds,
    default: 2_000,
    min: 500,
    max: 10_000,
    reason: "Where no stop was measured: time before the belt must slow down, with what sources tell late.",
};
const USUAL: Threshold = Threshold {
    name: "slow-emergency-stop.usual",
    unit: Unit::MillimetresPerSecondSquared,
    default: 500,
    min: 140,
    max: 5_000,
    reason: "Where no stop was measured: a belt that slows down less is worth a measurement.",
};
const SLOWEST: Threshold = Threshold {
    name: "slow-emergency-stop.slowest",
    unit: Unit::MillimetresPerSecondSquared,
    default: 140,
    min: 50,
    max: 500,
    reason: "Where no stop was measured: the slowest normal stop that was measured on any machine has 0.14 m/s².",
};
const RISE: Threshold = Threshold {
    name: "slow-emergency-stop.rise",
    unit: Unit::MillimetresPerSecond,
    default: 83,
    min: 56,
    max: 1_000,
    reason: "0.3 km/h: a belt that becomes faster after its stop is not being stopped.",
};

/// Speeds of so long after the edge may have been measured before it, in microseconds.
const LATE_US: i64 = 1_000_000;
/// Means over less are too restless to be compared, in milliseconds.
const MEAN_SPAN_MS: u32 = 500;
/// Time without readings after which the belt may have been started anew, in microseconds.
const BREAK_US: i64 = 500_000;

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::SlowEmergencyStop,
    version: 1,
    title: "Slow emergency stop",
    meaning: "After an emergency stop or a pull of the key the belt moved for longer than it may. With a stop of this \
              control measured at commissioning: high after 1.5 times, critical after 3 times that stop. Without one: \
              info when it slows down by less than 0.5 m/s², critical by less than 0.14 m/s², each after 2 s. Always \
              critical if the belt becomes faster by more than 0.3 km/h.",
    reason: "The stop is the last protection of a person who has fallen. A stop from a higher speed than the measured one \
             may take longer in proportion.",
    rearm: "With the next stop.",
    card: "Switch the machine off at its mains switch and go to the person. Do not let anybody use the machine before its \
           stop was repaired and measured.",
    severities: &[Severity::Critical, Severity::High, Severity::Info],
    judged: Judged::Merged,
    needs: &[
        Capabilities::SPEED.and(Capabilities::EMERGENCY_STOP),
        Capabilities::SPEED.and(Capabilities::SAFETY_KEY),
    ],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: true,
    thresholds: &[HIGH, CRITICAL, REACTION, USUAL, SLOWEST, RISE],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    let Some(stop) = step.track.stop else { return Verdict::Clear };
    if memory.since != Some(stop.time) {
        (memory.since, memory.value) = (Some(stop.time), None);
        memory.marks.retain(|mark| *mark == stop.time);
    }
    if step.settings.drill.is_some() || is_cut(step, &stop) {
        memory.marks = vec![stop.time];
    }
    let is_resumed = step.track.user_started.is_some_and(|started| started > stop.time);
    let is_over = stop.standstill.is_some() || stop.released.is_some() || is_resumed;
    if is_over || memory.marks.contains(&stop.time) {
        return Verdict::Clear;
    }
    let Some(from) = stop.speed else { return Verdict::Open };
    if from <= STANDSTILL {
        return Verdict::Clear;
    }
    if let Some(finding) = rise(memory, step, &stop, from) {
        return Verdict::Holds(finding);
    }
    let Some(until) = moved_until(step) else { return Verdict::Open };
    too_slow(step, &stop, from, until).map_or(Verdict::Open, Verdict::Holds)
}

/// Whether the belt may have been started anew where nobody looked. A contact that is seen open still says that it was
/// not.
fn is_cut(step: &Step<'_>, stop: &StopEpisode) -> bool {
    if step.event_of(EventKind::AgentStarted).is_some() {
        return true;
    }
    let Some((reading, _)) = step.reading() else { return false };
    let is_held = reading.contacts.is_open(stop.contact.contact()) == Some(true);
    step.track.gap_us > BREAK_US && !is_held
}

/// Up to when the record shows that the belt moved; `None`: it does not.
fn moved_until(step: &Step<'_>) -> Option<UnixMicros> {
    let Some((reading, began)) = step.reading() else {
        return (step.picture().is_moving() == Some(true)).then_some(step.time);
    };
    let speed = reading.speed?;
    if speed.min > STANDSTILL {
        return Some(step.time);
    }
    // It came to rest within the interval, which a change of motion has begun.
    (speed.max > STANDSTILL).then_some(began)
}

fn too_slow(step: &Step<'_>, stop: &StopEpisode, from: Speed, until: UnixMicros) -> Option<Finding> {
    let limits = Allowed::of(step, stop, from);
    let took_us = until.since(stop.time);
    let (severity, allowed_us) = match limits {
        Allowed { critical_us, .. } if took_us > critical_us => (Severity::Critical, critical_us),
        Allowed { first: (severity, first_us), .. } if took_us > first_us => (severity, first_us),
        Allowed { .. } => return None,
    };
    let finding = Finding::new(step, stop.time.plus(allowed_us), severity)
        .about(stop.contact.contact())
        .measuring("moved_ms", took_us / 1_000)
        .measuring("allowed_ms", allowed_us / 1_000)
        .measuring("from_mm_s", i64::from(from.0));
    let is_guess = limits.measured.is_none();
    Some(if is_guess {
        finding.saying("No stop of this machine by this control was measured.")
    } else {
        finding
    })
}

/// The belt becomes faster although it was stopped.
fn rise(memory: &mut Memory, step: &Step<'_>, stop: &StopEpisode, from: Speed) -> Option<Finding> {
    let (reading, began) = step.reading()?;
    let speeds = reading.speed?;
    let mean = i64::from(speeds.mean.0);
    if reading.span_ms < MEAN_SPAN_MS || step.time <= stop.time {
        return None;
    }
    let least = memory.value.unwrap_or(i64::from(from.0));
    if began < stop.time.plus(LATE_US) {
        let is_early = step.time <= stop.time.plus(LATE_US);
        memory.value = Some(least.max(if is_early { mean } else { i64::from(speeds.min.0) }));
        return None;
    }
    memory.value = Some(least.min(mean));
    (mean - least > step.limit(&RISE)).then(|| {
        Finding::new(step, step.time, Severity::Critical)
            .about(stop.contact.contact())
            .measuring("rise_mm_s", mean - least)
            .saying("The belt became faster after it was stopped.")
    })
}

/// The longest time, in microseconds, that a stop by a contact from a speed may take before this rule is about it; `None`:
/// no stop by this contact was measured at commissioning. For contacts that a console tells in words it is a second more.
pub fn commissioned_limit_us(settings: &MachineSettings, contact: StopContact, from: Speed) -> Option<i64> {
    let scaled_us = scaled_us(&measured(settings, contact, from)?, from);
    Some(scaled_us * settings.limits.get(&HIGH) / 100)
}

/// The time of a measured stop as it may be from a speed: from a higher one in proportion more.
fn scaled_us(measured: &CommissionedStop, from: Speed) -> i64 {
    let faster = from.0.max(measured.speed.0);
    i64::from(measured.time_ms) * 1_000 * i64::from(faster) / i64::from(measured.speed.0.max(1))
}

/// How long a stop may take, in microseconds.
struct Allowed {
    measured: Option<CommissionedStop>,
    first: (Severity, i64),
    critical_us: i64,
}

impl Allowed {
    fn of(step: &Step<'_>, stop: &StopEpisode, from: Speed) -> Allowed {
        // A console tells everything up to a second late, the stop as well as the speed.
        let is_in_words = step.track.contact(stop.contact.contact()).opened != Some(stop.time);
        let late_us = if is_in_words { LATE_US } else { 0 };
        let measured = measured(step.settings, stop.contact, from);
        if let Some(measured) = measured {
            let scaled_us = scaled_us(&measured, from);
            let part = |threshold| late_us + scaled_us * step.limit(threshold) / 100;
            return Allowed {
                measured: Some(measured),
                first: (Severity::High, part(&HIGH)),
                critical_us: part(&CRITICAL),
            };
        }
        let within = |threshold| {
            let slowing_us = i64::from(from.0) * 1_000_000 / step.limit(threshold).max(1);
            late_us + step.limit_us(&REACTION) + slowing_us
        };
        Allowed { measured: None, first: (Severity::Info, within(&USUAL)), critical_us: within(&SLOWEST) }
    }
}

/// The commissioned stop to compare with: from the next speed that is not lower, else the fastest.
fn measured(settings: &MachineSettings, contact: StopContact, from: Speed) -> Option<CommissionedStop> {
    let by_this = || settings.measured_stops.iter().filter(|measured| measured.contact == contact);
    let not_lower = by_this().filter(|measured| measured.speed >= from);
    not_lower
        .min_by_key(|measured| measured.speed)
        .or_else(|| by_this().max_by_key(|measured| measured.speed))
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::belt::Contact;
    use crate::incident::rules::scene::{ENCODER, Scene, mm_s};

    const BUTTON: Contact = Contact::EmergencyStop;

    /// A machine whose stops from 3.2 km/h took 2.8 s, by the button.
    fn commissioned() -> Scene {
        let stop =
            CommissionedStop { contact: StopContact::EmergencyStop, speed: Speed(mm_s(3.2)), time_ms: 2_800 };
        Scene::new(ENCODER).with(|settings| settings.measured_stops = vec![stop])
    }

    /// A stop by this contact from a speed, on a ramp that takes so long.
    #[track_caller]
    fn check(mut scene: Scene, contact: Contact, kmh: f64, seconds: f64, expected: &[Severity]) {
        scene.ramp(kmh, 0.5).wait(20.0).contact(contact, true).ramp(0.0, kmh / seconds).wait(20.0);
        assert_eq!(scene.of(Rule::SlowEmergencyStop), expected, "{kmh} km/h, {seconds} s");
    }

    #[test]
    fn with_a_measured_stop_it_is_high_and_then_critical() {
        check(commissioned(), BUTTON, 3.2, 3.5, &[]);
        check(commissioned(), BUTTON, 3.2, 4.0, &[]);
        check(commissioned(), BUTTON, 3.2, 5.0, &[Severity::High]);
        check(commissioned(), BUTTON, 3.2, 8.2, &[Severity::High]);
        check(commissioned(), BUTTON, 3.2, 9.5, &[Severity::Critical]);
        check(commissioned().set(HIGH.name, 200), BUTTON, 3.2, 5.0, &[]);
        check(commissioned().set(CRITICAL.name, 150), BUTTON, 3.2, 5.0, &[Severity::Critical]);
    }

    #[test]
    fn a_held_speed_that_ends_at_once_is_judged_by_its_end() {
        for (seconds, expected) in [(3.5, &[][..]), (4.5, &[Severity::High]), (9.0, &[Severity::Critical])] {
            let mut scene = commissioned();
            scene.ramp(3.2, 0.5).wait(20.0).contact(BUTTON, true).wait(seconds).speed(0.0).wait(20.0);
            assert_eq!(scene.of(Rule::SlowEmergencyStop), expected, "{seconds} s");
        }
    }

    #[test]
    fn from_a_higher_speed_it_may_take_longer() {
        check(commissioned(), BUTTON, 6.4, 7.9, &[]);
        check(commissioned(), BUTTON, 6.4, 9.4, &[Severity::High]);
    }

    #[test]
    fn the_limit_of_a_stop_is_the_one_that_the_rule_has() {
        let scene = commissioned();
        let limit = |kmh: f64, contact| commissioned_limit_us(&scene.settings, contact, Speed(mm_s(kmh)));
        assert_eq!(limit(3.2, StopContact::EmergencyStop), Some(4_200_000));
        assert_eq!(limit(1.0, StopContact::EmergencyStop), Some(4_200_000));
        assert_eq!(limit(6.4, StopContact::EmergencyStop).map(|limit| limit / 10_000), Some(840));
        assert_eq!(limit(3.2, StopContact::SafetyKey), None);
        let wider = commissioned().set(HIGH.name, 200);
        let limit = commissioned_limit_us(&wider.settings, StopContact::EmergencyStop, Speed(mm_s(3.2)));
        assert_eq!(limit, Some(5_600_000));
    }

    #[test]
    fn without_a_measured_stop_only_the_slowest_is_critical() {
        for scene in [|| Scene::new(ENCODER), commissioned] {
            // The key's stop was not measured, either.
            check(scene(), Contact::SafetyKey, 3.2, 3.5, &[]);
            check(scene(), Contact::SafetyKey, 3.2, 5.0, &[Severity::Info]);
            check(scene(), Contact::SafetyKey, 3.2, 8.0, &[Severity::Info]);
            check(scene(), Contact::SafetyKey, 3.2, 9.5, &[Severity::Critical]);
        }
        check(Scene::new(ENCODER).set(USUAL.name, 200), BUTTON, 3.2, 5.0, &[]);
        check(Scene::new(ENCODER).set(REACTION.name, 5_000), BUTTON, 3.2, 6.0, &[]);
        check(Scene::new(ENCODER).set(SLOWEST.name, 500), BUTTON, 3.2, 5.0, &[Severity::Critical]);
    }

    #[test]
    fn a_belt_that_becomes_faster_is_critical() {
        for (to, expected) in [(3.7, &[Severity::Critical][..]), (3.25, &[])] {
            let mut scene = commissioned();
            scene
                .ramp(3.2, 0.5)
                .wait(20.0)
                .contact(BUTTON, true)
                .wait(1.2)
                .speed(to)
                .wait(2.0)
                .speed(0.0)
                .wait(5.0);
            assert_eq!(scene.of(Rule::SlowEmergencyStop), expected, "{to} km/h");
        }
    }

    #[test]
    fn a_stop_in_the_run_up_does_not_rise() {
        let mut scene = commissioned();
        scene.ramp(3.0, 0.75).contact(BUTTON, true).ramp(3.5, 0.75).ramp(0.0, 1.6).wait(20.0);
        assert_eq!(scene.of(Rule::SlowEmergencyStop), []);
    }

    #[test]
    fn it_ends_with_the_reset_and_the_next_stop_is_another() {
        let mut scene = commissioned();
        scene.ramp(3.2, 0.5).contact(BUTTON, true).wait(2.0).contact(BUTTON, false).wait(20.0);
        assert_eq!(scene.of(Rule::SlowEmergencyStop), [], "somebody has reset it and the belt goes on");
        for _ in 0..2 {
            scene
                .contact(BUTTON, true)
                .ramp(0.0, 0.5)
                .wait(5.0)
                .contact(BUTTON, false)
                .wait(5.0)
                .ramp(3.2, 0.5);
        }
        assert_eq!(scene.of(Rule::SlowEmergencyStop).len(), 2);
    }

    #[test]
    fn what_was_not_seen_is_not_told() {
        let mut scene = commissioned();
        scene.ramp(3.2, 0.5).contact(BUTTON, true).wait(1.0);
        scene.is_heard = false;
        scene.wait(60.0);
        assert_eq!(scene.of(Rule::SlowEmergencyStop), []);
        let blind = Scene::new(Capabilities::EMERGENCY_STOP);
        check(blind, BUTTON, 3.2, 20.0, &[]);
    }

    #[test]
    fn in_a_proof_test_nothing_is_raised_even_if_it_ends_before_the_belt_stands() {
        let mut scene = commissioned().with(|settings| settings.drill = Some(1));
        scene.ramp(3.2, 0.5).contact(BUTTON, true).wait(2.0);
        scene.settings.drill = None;
        scene.wait(20.0);
        assert_eq!(scene.of(Rule::SlowEmergencyStop), []);
    }
}
