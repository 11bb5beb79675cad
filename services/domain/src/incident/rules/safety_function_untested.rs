//! R29: nobody has tried whether the button, or the key, stops the moving belt.
//!
//! Memory: `value` holds two counts, the days of use since the last test of the button and 10 000 times those of the
//! key; `since` is the beginning of the last day that was counted; the one mark is the edge of the last stop that was
//! taken for a test.

use crate::belt::STANDSTILL;
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::signal::Capabilities;
use crate::stop::StopContact;
use crate::units::{Speed, UnixMicros};

/// Days of use after which a stop has to be tried again.
pub const DAYS: Threshold = Threshold {
    name: "safety-function-untested.days",
    unit: Unit::Days,
    default: 30,
    min: 1,
    max: 1_000,
    reason: "A month of use. Makers ask for a check each day or week; this one is about a stop that was measured.",
};
/// A belt that is faster than this is in use: 0.3 km/h.
const IN_USE: Speed = Speed(83);
const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// What separates both counts in the memory's number; neither grows beyond it.
const SECOND_COUNT: i64 = 10_000;

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::SafetyFunctionUntested,
    version: 1,
    title: "Stop not tested",
    meaning: "The belt was used on more than 30 days since the emergency stop, or the safety key, last brought it from \
              motion to rest. Each of both counts for itself, and only where the machine can report it. A drill counts \
              as a test, and so does a real stop. Days before the server knew the machine are not known and not \
              counted; a day goes from midnight to midnight UTC.",
    reason: "A pull at standstill proves a switch and not a stop, and a key does not prove the button.",
    rearm: "Once until it is tested.",
    card: "Start a drill: run the empty belt at 3 km/h, press the button, and do it again with the key.",
    severities: &[Severity::Low],
    judged: Judged::Merged,
    needs: &[
        Capabilities::SPEED.and(Capabilities::EMERGENCY_STOP),
        Capabilities::SPEED.and(Capabilities::SAFETY_KEY),
    ],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: false,
    thresholds: &[DAYS],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    let counted = memory.value.unwrap_or(0);
    let (mut button, mut key) = (counted % SECOND_COUNT, counted / SECOND_COUNT);
    if let Some(day) = day_of_use(step).filter(|day| memory.since.is_none_or(|last| last < *day)) {
        memory.since = Some(day);
        (button, key) = ((button + 1).min(SECOND_COUNT - 1), (key + 1).min(SECOND_COUNT - 1));
    }
    if let Some((contact, edge)) = tested(step).filter(|(_, edge)| memory.marks.last() != Some(edge)) {
        memory.marks = vec![edge];
        match contact {
            StopContact::EmergencyStop => button = 0,
            StopContact::SafetyKey => key = 0,
            StopContact::MachinePower => {}
        }
    }
    memory.value = Some(key * SECOND_COUNT + button);
    let overdue = |days: i64, needed: Capabilities| days > step.limit(&DAYS) && step.can(needed);
    let button_is = overdue(button, Capabilities::EMERGENCY_STOP);
    let key_is = overdue(key, Capabilities::SAFETY_KEY);
    let finding = Finding::new(step, step.time, Severity::Low);
    let detail = match (button_is, key_is) {
        (false, false) => return Verdict::Clear,
        (true, false) => {
            format!("The emergency stop has not stopped the moving belt on {button} days of use.")
        }
        (false, true) => format!("The safety key has not stopped the moving belt on {key} days of use."),
        (true, true) => {
            format!(
                "Neither the emergency stop ({button} days of use) nor the safety key ({key}) has stopped it."
            )
        }
    };
    let finding = finding.measuring("button_days", button).measuring("key_days", key).saying(detail);
    let about = if button_is { StopContact::EmergencyStop } else { StopContact::SafetyKey };
    let mut finding = finding.about(about.contact());
    finding.count = u32::from(button_is) + u32::from(key_is);
    Verdict::Holds(finding)
}

/// The day, by its beginning, if the record shows the belt in use.
fn day_of_use(step: &Step<'_>) -> Option<UnixMicros> {
    let speed = step.reading()?.0.speed?;
    (speed.max > IN_USE).then(|| UnixMicros(step.time.0.div_euclid(DAY_US) * DAY_US))
}

/// The stop that has brought the moving belt to rest: by what, and its edge.
fn tested(step: &Step<'_>) -> Option<(StopContact, UnixMicros)> {
    let stop = step.track.stop.as_ref()?;
    let standstill = stop.standstill?;
    let moved = stop.speed? > STANDSTILL && standstill > stop.time;
    moved.then_some((stop.contact, stop.time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::belt::Contact;
    use crate::incident::rules::scene::{ENCODER, Scene};

    /// Uses the machine a little on each of so many days.
    fn days(scene: &mut Scene, days: usize) {
        for _ in 0..days {
            scene.ramp(3.0, 0.5).wait(3.0).ramp(0.0, 0.5).wait(3.0);
            scene.vanish(86_400.0 - 20.0);
        }
    }

    /// Stops the belt with a contact, from this speed.
    fn stop(scene: &mut Scene, contact: Contact, kmh: f64) {
        scene
            .ramp(kmh, 0.5)
            .wait(3.0)
            .contact(contact, true)
            .ramp(0.0, 1.6)
            .wait(3.0)
            .contact(contact, false)
            .wait(3.0);
    }

    fn untested(scene: &Scene) -> Vec<(Option<Contact>, u32)> {
        let found = scene.incidents();
        let found = found.iter().filter(|incident| incident.rule == Rule::SafetyFunctionUntested);
        found.map(|incident| (incident.contact, incident.count)).collect()
    }

    #[test]
    fn thirty_days_of_use_without_a_test_are_too_many() {
        let mut scene = Scene::new(ENCODER);
        days(&mut scene, 30);
        assert_eq!(untested(&scene), []);
        days(&mut scene, 5);
        assert_eq!(untested(&scene), [(Some(Contact::EmergencyStop), 2)], "once for both");
        assert_eq!(scene.of(Rule::SafetyFunctionUntested), [Severity::Low]);
    }

    #[test]
    fn each_of_both_is_tested_for_itself() {
        let mut scene = Scene::new(ENCODER).set(DAYS.name, 5);
        days(&mut scene, 3);
        stop(&mut scene, Contact::EmergencyStop, 3.0);
        days(&mut scene, 4);
        assert_eq!(untested(&scene), [(Some(Contact::SafetyKey), 1)]);
        let mut scene = Scene::new(ENCODER).set(DAYS.name, 5);
        days(&mut scene, 3);
        stop(&mut scene, Contact::SafetyKey, 3.0);
        days(&mut scene, 4);
        assert_eq!(untested(&scene), [(Some(Contact::EmergencyStop), 1)]);
    }

    #[test]
    fn tests_end_it_and_it_comes_again_when_they_are_old() {
        let mut scene = Scene::new(ENCODER).set(DAYS.name, 5).with(|settings| settings.drill = Some(1));
        days(&mut scene, 8);
        stop(&mut scene, Contact::EmergencyStop, 3.0);
        let cleared = |scene: &Scene| {
            let found = scene.incidents();
            let found = found.iter().filter(|incident| incident.rule == Rule::SafetyFunctionUntested);
            found.map(|incident| incident.cleared.is_some()).collect::<Vec<bool>>()
        };
        assert_eq!(cleared(&scene), [false], "the key is untested");
        stop(&mut scene, Contact::SafetyKey, 3.0);
        scene.wait(40.0);
        assert_eq!(cleared(&scene), [true]);
        days(&mut scene, 8);
        assert_eq!(cleared(&scene), [true, false]);
    }

    #[test]
    fn a_pull_at_standstill_is_no_test() {
        let mut scene = Scene::new(ENCODER).set(DAYS.name, 5);
        for _ in 0..7 {
            days(&mut scene, 1);
            for contact in [Contact::EmergencyStop, Contact::SafetyKey] {
                scene.contact(contact, true).wait(3.0).contact(contact, false).wait(3.0);
            }
        }
        assert_eq!(untested(&scene), [(Some(Contact::EmergencyStop), 2)]);
    }

    #[test]
    fn what_a_machine_cannot_report_is_not_asked_for() {
        for (capabilities, expected) in [
            (Capabilities::SPEED, vec![]),
            (Capabilities::SPEED.and(Capabilities::SAFETY_KEY), vec![(Some(Contact::SafetyKey), 1)]),
        ] {
            let mut scene = Scene::new(capabilities).set(DAYS.name, 5);
            days(&mut scene, 8);
            assert_eq!(untested(&scene), expected);
        }
    }

    #[test]
    fn a_machine_that_nobody_used_needs_no_test() {
        let mut scene = Scene::new(ENCODER).set(DAYS.name, 5);
        for _ in 0..20 {
            scene.wait(5.0).vanish(86_400.0);
        }
        assert_eq!(untested(&scene), []);
    }
}
