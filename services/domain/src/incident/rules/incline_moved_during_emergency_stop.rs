//! R06: the deck moved while the emergency stop was open.
//!
//! Memory: `marks` has the opening that is followed, `value` the incline it is compared with, in tenths of a per cent;
//! `held_us` is 1 once that incline was told late enough to be the one at which the deck came to rest.

use crate::belt::Contact;
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::record::EventKind;
use crate::signal::Capabilities;
use crate::units::Incline;

const CHANGE: Threshold = Threshold {
    name: "incline-moved-during-emergency-stop.change",
    unit: Unit::TenthsOfPercent,
    default: 3,
    min: 1,
    max: 50,
    reason: "Three steps of the signal: one is the unrest of the sensor.",
};
const SETTLE: Threshold = Threshold {
    name: "incline-moved-during-emergency-stop.settle",
    unit: Unit::Milliseconds,
    default: 1_000,
    min: 0,
    max: 10_000,
    reason: "The deck may come to rest within this time after the stop.",
};
/// An incline is told up to a second late, in microseconds.
const LATE_US: i64 = 1_000_000;
/// Where no incline was told soon after the deck had to be at rest: how far it may have gone until then, in tenths of a
/// per cent. No deck is faster than 2 % in a second.
const COAST_TENTHS: i64 = 20;

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::InclineMovedDuringEmergencyStop,
    version: 1,
    title: "Deck moved during emergency stop",
    meaning: "From 1 s after an emergency stop, and the second that signals may be late, until its reset the incline \
              changed by more than 0.3 %. Not told on models that report the incline they were told to take.",
    reason: "An emergency stop halts the deck as well (ASTM F2115, EN 957-6): a person who has fallen may lie under it.",
    rearm: "With the next emergency stop.",
    card: "Switch the machine off at its mains switch and look that nobody is caught under the deck. Do not let anybody \
           use the machine before it was repaired.",
    severities: &[Severity::High],
    judged: Judged::Merged,
    needs: &[Capabilities::EMERGENCY_STOP.and(Capabilities::INCLINE)],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: true,
    thresholds: &[CHANGE, SETTLE],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    let (contacts, incline) = match step.reading() {
        Some((reading, _)) => (reading.contacts, reading.incline),
        None => (step.picture().contacts, step.event().and_then(|event| event.belt.incline)),
    };
    let is_closed = contacts.is_open(Contact::EmergencyStop) == Some(false);
    let is_new = step.event_of(EventKind::AgentStarted).is_some();
    if is_closed || is_new || step.settings.incline_is_target {
        *memory = Memory::default();
        return Verdict::Clear;
    }
    let is_open = contacts.is_open(Contact::EmergencyStop) == Some(true);
    let opened = step.track.contact(Contact::EmergencyStop).opened.filter(|_| is_open);
    let (Some(opened), Some(Incline(now))) = (opened, incline) else { return Verdict::Open };
    let now = i64::from(now);
    if memory.marks.first() != Some(&opened) {
        *memory = Memory { marks: vec![opened], ..Memory::default() };
    }
    let is_settled = step.time.since(opened) >= step.limit_us(&SETTLE) + LATE_US;
    let Some(before) = memory.value.filter(|_| is_settled) else {
        // Not at rest yet, or the first that is known.
        (memory.value, memory.held_us) = (Some(now), i64::from(is_settled));
        return Verdict::Open;
    };
    let was_settled = memory.held_us == 1;
    let coast = if was_settled { 0 } else { COAST_TENTHS };
    let change = now - before;
    if change.abs() > step.limit(&CHANGE) + coast {
        let finding = Finding::new(step, step.time, Severity::High)
            .about(Contact::EmergencyStop)
            .measuring("before_tenths", before)
            .measuring("after_tenths", now);
        return Verdict::Holds(finding);
    }
    if !was_settled {
        (memory.value, memory.held_us) = (Some(now), 1);
    }
    Verdict::Open
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, Scene};
    use crate::signal::SignalValue;

    const BUTTON: Contact = Contact::EmergencyStop;

    fn at(scene: &mut Scene, tenths: i32) -> &mut Scene {
        scene.always = vec![SignalValue::Incline(Incline(tenths))];
        scene
    }

    /// The belt runs on at a slow ramp after the stop; so many seconds after it the deck has moved from 2 %.
    #[track_caller]
    fn check(mut scene: Scene, seconds: f64, tenths: i32, expected: &[Severity]) {
        at(&mut scene, 20).ramp(3.0, 0.5).wait(5.0).contact(BUTTON, true).wait(seconds);
        at(&mut scene, tenths).wait(3.0).ramp(0.0, 1.6).wait(40.0);
        assert_eq!(scene.of(Rule::InclineMovedDuringEmergencyStop), expected, "{seconds} s, {tenths}");
    }

    #[test]
    fn it_takes_more_than_three_tenths_after_the_deck_had_to_rest() {
        check(Scene::new(ENCODER), 3.5, 24, &[Severity::High]);
        check(Scene::new(ENCODER), 3.5, 16, &[Severity::High]);
        check(Scene::new(ENCODER), 3.5, 23, &[]);
        check(Scene::new(ENCODER), 0.5, 30, &[]);
        check(Scene::new(ENCODER).set(CHANGE.name, 5), 3.5, 24, &[]);
        check(Scene::new(ENCODER).set(SETTLE.name, 5_000), 3.5, 24, &[]);
    }

    #[test]
    fn a_deck_that_goes_on_is_one_incident_until_the_reset() {
        let mut scene = Scene::new(ENCODER);
        at(&mut scene, 20).ramp(3.0, 0.5).contact(BUTTON, true).ramp(0.0, 1.6);
        for tenths in 21..60 {
            at(&mut scene, tenths).wait(1.0);
        }
        assert_eq!(scene.of(Rule::InclineMovedDuringEmergencyStop), [Severity::High]);
        scene.contact(BUTTON, false).wait(100.0);
        let ours = |rule| rule == Rule::InclineMovedDuringEmergencyStop;
        assert!(scene.incidents().iter().any(|incident| ours(incident.rule) && incident.cleared.is_some()));
        at(&mut scene, 20).wait(60.0);
        assert_eq!(scene.of(Rule::InclineMovedDuringEmergencyStop).len(), 1, "nobody forbids it now");
    }

    #[test]
    fn at_standstill_with_few_readings_only_a_long_way_is_sure() {
        for (tenths, expected) in [(60, &[Severity::High][..]), (40, &[])] {
            let mut scene = Scene::new(ENCODER);
            at(&mut scene, 20).wait(60.0).contact(BUTTON, true).wait(2.0);
            at(&mut scene, tenths).wait(60.0);
            assert_eq!(scene.of(Rule::InclineMovedDuringEmergencyStop), expected, "{tenths}");
        }
    }

    #[test]
    fn a_model_that_tells_its_target_and_one_without_incline_are_blind() {
        check(Scene::new(ENCODER).with(|settings| settings.incline_is_target = true), 3.5, 60, &[]);
        check(Scene::new(Capabilities::SPEED.and(Capabilities::EMERGENCY_STOP)), 3.5, 60, &[]);
    }
}
