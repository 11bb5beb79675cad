//! R05: the reset of the emergency stop started the belt.
//!
//! Memory: `since` is when the belt was started by a reset; it is forgotten when the belt comes to rest.

use crate::belt::Contact;
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::record::EventKind;
use crate::signal::Capabilities;

const WINDOW: Threshold = Threshold {
    name: "restart-by-reset.window",
    unit: Unit::Milliseconds,
    default: 3_000,
    min: 500,
    max: 10_000,
    reason: "A belt that the reset starts sets off within this time. A count-down is as long: it needs a start command.",
};
const LATE: Threshold = Threshold {
    name: "restart-by-reset.late",
    unit: Unit::Milliseconds,
    default: 1_500,
    min: 0,
    max: 5_000,
    reason: "A console tells the start command up to a second late; told within this time it explains the start.",
};
/// Shorter motion is a step on the belt, in microseconds.
const MOMENT_US: i64 = 500_000;

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::RestartByReset,
    version: 1,
    title: "Restart by reset",
    meaning: "The belt left standstill within 3 s after its emergency stop was reset, and nobody had given a start \
              command since the reset.",
    reason: "The reset of an emergency stop must not start anything; it only permits a start (ISO 13850). It can be told \
             only where the machine tells its start commands.",
    rearm: "At once: each reset is judged by itself.",
    card: "Press the emergency stop again and go to the person. Do not let anybody use the machine before it was \
           repaired.",
    severities: &[Severity::Critical],
    judged: Judged::AtOnce,
    needs: &[Capabilities::SPEED.and(Capabilities::EMERGENCY_STOP).and(Capabilities::USER_COMMANDS)],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: true,
    thresholds: &[WINDOW, LATE],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    if let Some(began) = memory.since {
        if step.event_of(EventKind::UserStarted).is_some()
            && step.within_us(Some(began), step.limit_us(&LATE))
        {
            memory.since = None;
            return Verdict::Explained("The start command was told a moment after the belt had set off.");
        }
        if step.event_of(EventKind::BeltStopped).is_some() {
            memory.since = None;
            if step.time.since(began) < MOMENT_US {
                return Verdict::Explained("The belt moved for a moment only, as by a step on it.");
            }
            return Verdict::Clear;
        }
    }
    if step.event_of(EventKind::BeltStarted).is_none() {
        return if memory.since.is_some() { Verdict::Open } else { Verdict::Clear };
    }
    let contact = step.track.contact(Contact::EmergencyStop);
    let is_reset = contact.open == Some(false) && step.within_us(contact.closed, step.limit_us(&WINDOW));
    let Some(reset) = contact.closed.filter(|_| is_reset) else { return Verdict::Clear };
    if step.track.user_started.is_some_and(|started| started >= reset) {
        return Verdict::Clear;
    }
    if !step.track.has_heard_commands_since(reset) {
        return Verdict::Open;
    }
    memory.since = Some(step.time);
    let mut finding = Finding::new(step, step.time, Severity::Critical)
        .about(Contact::EmergencyStop)
        .measuring("after_reset_ms", step.time.since(reset) / 1_000);
    finding.is_another = true;
    Verdict::Holds(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ALL, ENCODER, Scene};
    use crate::signal::SignalValue;

    const BUTTON: Contact = Contact::EmergencyStop;

    /// The stop of a standing machine is reset; what comes then.
    #[track_caller]
    fn check(mut scene: Scene, then: impl FnOnce(&mut Scene), expected: &[(Severity, bool)]) {
        scene.wait(20.0).contact(BUTTON, true).wait(10.0).contact(BUTTON, false);
        then(&mut scene);
        scene.wait(10.0);
        let found: Vec<(Severity, bool)> = scene
            .incidents()
            .into_iter()
            .filter(|incident| incident.rule == Rule::RestartByReset)
            .map(|incident| (incident.severity, !incident.explained.is_empty()))
            .collect();
        assert_eq!(found, expected);
    }

    const FIRES: &[(Severity, bool)] = &[(Severity::Critical, false)];
    const EXPLAINED: &[(Severity, bool)] = &[(Severity::Critical, true)];

    #[test]
    fn motion_within_three_seconds_is_one() {
        let after = |seconds: f64| {
            move |scene: &mut Scene| {
                scene.wait(seconds).ramp(3.0, 0.5);
            }
        };
        check(Scene::new(ALL), after(0.5), FIRES);
        check(Scene::new(ALL), after(2.8), FIRES);
        check(Scene::new(ALL), after(3.2), &[]);
        check(Scene::new(ALL).set(WINDOW.name, 1_000), after(1.5), &[]);
    }

    #[test]
    fn a_start_command_since_the_reset_explains_it() {
        let commanded = |scene: &mut Scene| {
            scene.wait(0.5).tell(SignalValue::UserStarted).wait(2.0).ramp(3.0, 0.5);
        };
        check(Scene::new(ALL), commanded, &[]);
        let told_late = |scene: &mut Scene| {
            scene.wait(1.0).speed(0.8).wait(1.0).tell(SignalValue::UserStarted).ramp(3.0, 0.5);
        };
        check(Scene::new(ALL), told_late, EXPLAINED);
        check(Scene::new(ALL).set(LATE.name, 500), told_late, FIRES);
        let too_early = |scene: &mut Scene| {
            scene.contact(BUTTON, true).wait(5.0).tell(SignalValue::UserStarted).wait(1.0);
            scene.contact(BUTTON, false).wait(1.0).ramp(3.0, 0.5);
        };
        check(Scene::new(ALL), too_early, FIRES);
    }

    #[test]
    fn a_step_on_the_belt_explains_itself() {
        let step = |scene: &mut Scene| {
            scene.wait(1.0).speed(0.5).wait(0.3).speed(0.0).wait(5.0);
        };
        check(Scene::new(ALL), step, EXPLAINED);
    }

    #[test]
    fn a_stop_that_is_open_again_is_no_reset() {
        let pressed = |scene: &mut Scene| {
            scene.wait(0.5).contact(BUTTON, true).wait(0.5).ramp(3.0, 0.5);
        };
        check(Scene::new(ALL), pressed, &[]);
    }

    #[test]
    fn where_commands_are_not_told_it_cannot_be_told() {
        let moves = |scene: &mut Scene| {
            scene.wait(0.5).ramp(3.0, 0.5);
        };
        check(Scene::new(ENCODER), moves, &[]);
        check(
            Scene::new(ALL).with(|settings| settings.drive = crate::registry::DriveKind::Manual),
            moves,
            &[],
        );
    }

    #[test]
    fn each_reset_is_judged_by_itself() {
        let twice = |scene: &mut Scene| {
            for _ in 0..2 {
                scene.wait(0.5).ramp(3.0, 0.5).contact(BUTTON, true).ramp(0.0, 1.6).wait(2.0);
                scene.contact(BUTTON, false);
            }
        };
        check(Scene::new(ALL), twice, &[(Severity::Critical, false); 2]);
    }
}
