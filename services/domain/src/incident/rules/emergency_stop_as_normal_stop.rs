//! R28: the emergency stop or the key is used to end ordinary use.
//!
//! Memory: `marks` are the stops of the last days that count; `since` is the newest stop of a belt that stood or crept
//! and has not run since, and `value` the bit of its contact, or of the newest one that counts.

use crate::belt::{Contact, Direction, Origin};
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::limits;
use crate::record::{Event, EventKind};
use crate::signal::Capabilities;
use crate::units::Speed;

const STOPS: Threshold = Threshold {
    name: "emergency-stop-as-normal-stop.stops",
    unit: Unit::Count,
    default: 3,
    min: 2,
    max: limits::RULE_MARKS_MAX as i64,
    reason: "Once is a slip, twice may be a visitor; three times is a habit.",
};
const DAYS: Threshold = Threshold {
    name: "emergency-stop-as-normal-stop.days",
    unit: Unit::Days,
    default: 7,
    min: 1,
    max: 31,
    reason: "A week of a site's life.",
};
const SLOW: Threshold = Threshold {
    name: "emergency-stop-as-normal-stop.slow",
    unit: Unit::MillimetresPerSecond,
    default: 278,
    min: 28,
    max: 1_389,
    reason: "Below 1 km/h nobody needs an emergency stop: it is about the lowest speed of most belts.",
};
const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::EmergencyStopAsNormalStop,
    version: 1,
    title: "Emergency stop used as a normal stop",
    meaning: "Within 7 days the emergency stop was pressed or the key pulled at least three times while the belt stood \
              or ran slower than 1 km/h, and it ran again afterwards. Stops in a drill and machines that are switched \
              off do not count; nor does a stop at a speed that is not known.",
    reason: "A habit that hides the real ones, and wears out the button.",
    rearm: "When the last such stop is a week old, or fewer than three lie within a week.",
    card: "Show the users how to stop the belt with its own button, and what the emergency stop is for.",
    severities: &[Severity::Info],
    judged: Judged::AtOnce,
    needs: &[
        Capabilities::SPEED.and(Capabilities::EMERGENCY_STOP),
        Capabilities::SPEED.and(Capabilities::SAFETY_KEY),
    ],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: false,
    thresholds: &[STOPS, DAYS, SLOW],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    let Some(event) = step.event() else { return Verdict::Open };
    if let Some(contact) = stopped_by(event) {
        let is_slow = event.before.speed.max(event.belt.speed).is_some_and(|speed| speed < slow(step));
        let switched_off = event.belt.contacts.is_open(Contact::MachinePower) == Some(true);
        memory.since = (is_slow && !switched_off && step.settings.drill.is_none()).then_some(step.time);
        if memory.since.is_some() {
            memory.value = Some(i64::from(contact.bit()));
        }
    }
    if event.kind == EventKind::BeltStarted {
        if let Some(stop) = memory.since.take() {
            memory.mark(stop);
        }
    }
    let Some(newest) = memory.marks.last().copied() else { return Verdict::Clear };
    let window_us = step.limit(&DAYS).saturating_mul(DAY_US);
    memory.marks.retain(|mark| newest.since(*mark) <= window_us);
    let stops = u32::try_from(memory.marks.len()).unwrap_or(u32::MAX);
    if i64::from(stops) < step.limit(&STOPS) || step.time.since(newest) > window_us {
        return Verdict::Clear;
    }
    let mut finding = Finding::new(step, newest, Severity::Info);
    finding.count = stops;
    finding.contact = Contact::ALL.into_iter().find(|contact| Some(i64::from(contact.bit())) == memory.value);
    // The record that shows it is the next start; the stops themselves were at rest or close to it.
    (finding.speed, finding.direction) = (None, (Direction::Unknown, Origin::Unknown));
    Verdict::Holds(finding)
}

fn slow(step: &Step<'_>) -> Speed {
    step.speed_limit(&SLOW)
}

/// The button or key that the event says was used.
fn stopped_by(event: &Event) -> Option<Contact> {
    match event.kind {
        EventKind::SafetyKeyStop => Some(Contact::SafetyKey),
        EventKind::ContactOpened => {
            event.contact.filter(|contact| matches!(contact, Contact::EmergencyStop | Contact::SafetyKey))
        }
        EventKind::BeltStarted
        | EventKind::BeltStopped
        | EventKind::DirectionChanged
        | EventKind::ContactClosed
        | EventKind::ContactChattering
        | EventKind::SourceStale
        | EventKind::SourceFresh
        | EventKind::UserStarted
        | EventKind::UserStopped
        | EventKind::UserPaused
        | EventKind::AgentStarted
        | EventKind::SpoolFailing
        | EventKind::SpoolRecovered
        | EventKind::ValueImplausible
        | EventKind::DirectionDisagreed
        | EventKind::ContactDisagreed
        | EventKind::FaultReported
        | EventKind::SpeedJumped => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, FTMS, Scene};
    use crate::signal::SignalValue;

    /// Uses a machine so many times, ends each use by a contact at a speed, and waits so many hours.
    #[track_caller]
    fn check(mut scene: Scene, contact: Contact, kmh: f64, uses: usize, hours: f64, expected: &[Severity]) {
        for _ in 0..uses {
            scene.ramp(3.0, 0.5).wait(5.0).ramp(kmh, 0.5).wait(5.0);
            scene.contact(contact, true).wait(0.5).ramp(0.0, 0.5).wait(5.0).contact(contact, false).wait(5.0);
            scene.vanish(hours * 3_600.0).wait(2.0);
        }
        scene.ramp(3.0, 0.5).wait(5.0);
        assert_eq!(scene.of(Rule::EmergencyStopAsNormalStop), expected);
    }

    #[test]
    fn three_in_a_week_at_rest_or_nearly_are_a_habit() {
        let (button, key) = (Contact::EmergencyStop, Contact::SafetyKey);
        let info = [Severity::Info];
        check(Scene::new(ENCODER), button, 0.0, 3, 1.0, &info);
        check(Scene::new(ENCODER), button, 0.0, 2, 1.0, &[]);
        check(Scene::new(ENCODER), key, 0.9, 3, 24.0, &info);
        check(Scene::new(ENCODER), key, 1.1, 9, 24.0, &[]);
        check(Scene::new(ENCODER), key, 0.0, 9, 80.0, &info);
        check(Scene::new(ENCODER), key, 0.0, 9, 90.0, &[]);
        check(Scene::new(ENCODER).set(STOPS.name, 5), button, 0.0, 4, 1.0, &[]);
        check(Scene::new(ENCODER).set(DAYS.name, 1), button, 0.0, 9, 13.0, &[]);
        check(Scene::new(ENCODER).set(SLOW.name, 400), key, 1.1, 3, 1.0, &info);
        check(Scene::new(ENCODER).with(|settings| settings.drill = Some(1)), button, 0.0, 9, 1.0, &[]);
    }

    #[test]
    fn a_belt_that_did_not_run_again_had_no_normal_stop() {
        let mut scene = Scene::new(ENCODER);
        for _ in 0..5 {
            scene
                .contact(Contact::EmergencyStop, true)
                .wait(5.0)
                .contact(Contact::EmergencyStop, false)
                .wait(5.0);
        }
        assert_eq!(scene.of(Rule::EmergencyStopAsNormalStop), []);
        scene.ramp(3.0, 0.5).wait(5.0);
        assert_eq!(scene.of(Rule::EmergencyStopAsNormalStop), [], "it was one stop, tried five times");
    }

    #[test]
    fn it_is_one_incident_that_counts_until_a_week_has_passed() {
        let mut scene = Scene::new(ENCODER);
        for round in 0..2 {
            for _ in 0..5 {
                scene.ramp(3.0, 0.5).ramp(0.0, 0.5).wait(5.0);
                scene
                    .contact(Contact::SafetyKey, true)
                    .wait(5.0)
                    .contact(Contact::SafetyKey, false)
                    .wait(5.0);
            }
            scene.ramp(3.0, 0.5).ramp(0.0, 0.5).wait(5.0);
            let found = scene.incidents();
            let habits: Vec<_> =
                found.iter().filter(|incident| incident.rule == Rule::EmergencyStopAsNormalStop).collect();
            assert_eq!((habits.len(), habits[round].count), (round + 1, 5));
            assert_eq!(habits[round].contact, Some(Contact::SafetyKey));
            scene.vanish(8.0 * 86_400.0).wait(60.0).ramp(3.0, 0.5).ramp(0.0, 0.5).wait(60.0);
        }
    }

    #[test]
    fn a_console_that_tells_the_key_in_words_counts_and_one_without_speed_does_not() {
        for (capabilities, expected) in [(FTMS, vec![Severity::Info]), (Capabilities::SAFETY_KEY, Vec::new())]
        {
            let mut scene = Scene::new(capabilities);
            for _ in 0..4 {
                scene.tell(SignalValue::SafetyKeyStop).wait(5.0).ramp(3.0, 0.5).ramp(0.0, 0.5).wait(5.0);
            }
            assert_eq!(scene.of(Rule::EmergencyStopAsNormalStop), expected);
        }
    }
}
