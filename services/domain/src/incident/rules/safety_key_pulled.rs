//! R02: the safety key was pulled.
//!
//! Memory: `since` is when the belt last came to rest by a normal stop, `marks` has the last pull that a console told in
//! words, `value` counts the edges of the newest pull.

use crate::belt::{Contact, STANDSTILL};
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::record::{Event, EventKind};
use crate::signal::Capabilities;
use crate::units::UnixMicros;

const LEAVING: Threshold = Threshold {
    name: "safety-key-pulled.leaving",
    unit: Unit::Milliseconds,
    default: 10_000,
    min: 0,
    max: 600_000,
    reason: "Many users pull the key to switch the machine off: so soon after a normal stop a pull is only worth knowing.",
};
const RESET: Threshold = Threshold {
    name: "safety-key-pulled.reset",
    unit: Unit::Milliseconds,
    default: 50,
    min: 20,
    max: 1_000,
    reason: "The key must be in for so long to end a pull; a shorter closing is a bounce of the same one.",
};
/// A console tells a pull up to a second after the contact has, and its message is on its way for a moment, in
/// microseconds.
const SAME_PULL_US: i64 = 1_500_000;
/// A belt that comes to rest so soon after a stop by button or key did not stop normally, in microseconds.
const BY_STOP_US: i64 = 60_000_000;

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::SafetyKeyPulled,
    version: 1,
    title: "Safety key pulled",
    meaning: "The contact of the safety key opened, or the console said that the key stopped the machine; both within \
              1.5 s are one pull. Critical if the belt moved then or in the 2 s before, or if its motion was not known; \
              medium if it stood; info if it stood and had stopped normally a moment before.",
    reason: "Direct evidence that the key left the console. It cannot be seen whether its clip was on a person. A \
             console (FTMS) tells it up to 1 s late and does not tell when the key is back.",
    rearm: "At once: each pull is an incident of its own. A contact that chatters is one incident that counts.",
    card: "Go to the person. Ask whether they are hurt. Put the key back only when you have spoken to them and seen why \
           it was pulled.",
    severities: &[Severity::Critical, Severity::Medium, Severity::Info],
    judged: Judged::AtOnce,
    needs: &[Capabilities::SAFETY_KEY],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: false,
    thresholds: &[LEAVING, RESET],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    let Some(event) = step.event() else { return Verdict::Open };
    if event.kind == EventKind::BeltStopped {
        memory.since = (!is_by_stop(step)).then_some(step.time);
    }
    let told = memory.marks.last().copied();
    match told_as(event) {
        None => end(memory, step, event),
        Some(Told::Opened) => {
            memory.marks.clear();
            opened(memory, step, event, told)
        }
        Some(Told::InWords) => {
            memory.marks = vec![step.time];
            in_words(memory, step, event, told)
        }
        Some(Told::Chattering) => {
            let count = u32::try_from(memory.value.unwrap_or(0)).unwrap_or(0).saturating_add(event.count);
            memory.value = Some(i64::from(count));
            Verdict::Holds(finding(memory, step, event))
        }
    }
}

/// How an event tells of the key.
enum Told {
    Opened,
    InWords,
    Chattering,
}

fn told_as(event: &Event) -> Option<Told> {
    let is_key = event.contact == Some(Contact::SafetyKey);
    match event.kind {
        EventKind::ContactOpened if is_key => Some(Told::Opened),
        EventKind::ContactChattering if is_key => Some(Told::Chattering),
        EventKind::SafetyKeyStop => Some(Told::InWords),
        EventKind::ContactOpened
        | EventKind::ContactChattering
        | EventKind::BeltStarted
        | EventKind::BeltStopped
        | EventKind::DirectionChanged
        | EventKind::ContactClosed
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

fn opened(memory: &mut Memory, step: &Step<'_>, event: &Event, told: Option<UnixMicros>) -> Verdict {
    let is_switched_off = event.belt.contacts.is_open(Contact::MachinePower) == Some(true);
    if is_switched_off && moved(event) == Some(false) {
        return Verdict::Open;
    }
    let closed = step.track.contact(Contact::SafetyKey).closed;
    let is_bounce =
        memory.value.is_some() && closed.is_some_and(|at| step.time.since(at) < step.limit_us(&RESET));
    let is_same = is_bounce || step.within_us(told, SAME_PULL_US);
    memory.value = Some(if is_bounce { memory.value.unwrap_or(0) + 1 } else { 1 });
    let mut finding = finding(memory, step, event);
    finding.is_another = !is_same;
    Verdict::Holds(finding)
}

fn in_words(memory: &mut Memory, step: &Step<'_>, event: &Event, told: Option<UnixMicros>) -> Verdict {
    let opened = step.track.contact(Contact::SafetyKey).opened;
    let is_same = step.within_us(opened, SAME_PULL_US) || step.within_us(told, SAME_PULL_US);
    if !is_same && event.belt.contacts.is_open(Contact::SafetyKey) == Some(true) {
        // A key that is out cannot be pulled again: the console repeats itself.
        return Verdict::Open;
    }
    if !is_same {
        memory.value = Some(1);
    }
    let mut finding = finding(memory, step, event);
    finding.is_another = !is_same;
    Verdict::Holds(finding)
}

/// Every other event: whether the key is back. A console does not tell; then the next start says so.
fn end(memory: &Memory, step: &Step<'_>, event: &Event) -> Verdict {
    let is_out = event.belt.contacts.is_open(Contact::SafetyKey).unwrap_or_else(|| {
        let told = memory.marks.last().copied();
        let started = step.track.user_started.max(step.track.moving);
        told.is_some() && started <= told
    });
    if is_out { Verdict::Open } else { Verdict::Clear }
}

fn finding(memory: &Memory, step: &Step<'_>, event: &Event) -> Finding {
    let mut finding = Finding::new(step, step.time, severity(memory, step, event)).about(Contact::SafetyKey);
    let faster = if event.belt.speed > event.before.speed { &event.belt } else { &event.before };
    (finding.speed, finding.direction) = (faster.speed, step.direction_of(faster));
    finding.count = u32::try_from(memory.value.unwrap_or(1)).unwrap_or(u32::MAX).max(1);
    finding
}

/// Unknown is not standstill, but for a model that falls silent when it stands.
fn severity(memory: &Memory, step: &Step<'_>, event: &Event) -> Severity {
    let leaving_us = step.limit_us(&LEAVING);
    let user_stopped = step.track.user_stopped.filter(|_| step.track.user_stopped >= step.track.user_started);
    let has_stopped = step.within_us(memory.since, leaving_us) || step.within_us(user_stopped, leaving_us);
    if has_stopped && event.belt.is_moving() != Some(true) {
        return Severity::Info;
    }
    match moved(event) {
        Some(false) => Severity::Medium,
        None if step.settings.silent_on_stop => Severity::Medium,
        None | Some(true) => Severity::Critical,
    }
}

/// Whether the belt moved at the edge or in the 2 s before it; `None`: not known.
fn moved(event: &Event) -> Option<bool> {
    event.before.speed.max(event.belt.speed).map(|speed| speed > STANDSTILL)
}

/// Whether button or key have just brought the belt to rest.
fn is_by_stop(step: &Step<'_>) -> bool {
    step.track
        .stop
        .is_some_and(|stop| stop.standstill == Some(step.time) && step.time.since(stop.time) <= BY_STOP_US)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ALL, ENCODER, FTMS, Scene};
    use crate::signal::SignalValue;

    const KEY: Contact = Contact::SafetyKey;

    /// A belt that stops in the usual way, and a pull so many seconds after it stood.
    #[track_caller]
    fn check_after_stop(mut scene: Scene, seconds: f64, expected: &[Severity]) {
        scene.ramp(3.0, 0.5).wait(20.0).ramp(0.0, 0.5).wait(seconds).contact(KEY, true).wait(5.0);
        assert_eq!(scene.of(Rule::SafetyKeyPulled), expected);
    }

    /// A console without a contact of its key.
    fn console() -> Scene {
        let mut scene = Scene::new(FTMS);
        scene.forget_contacts().vanish(1.0).wait(2.0);
        scene
    }

    #[test]
    fn a_pull_from_a_moving_belt_is_critical() {
        let mut scene = Scene::new(ENCODER);
        scene.ramp(3.0, 0.5).wait(20.0).contact(KEY, true).ramp(0.0, 1.6).wait(20.0);
        assert_eq!(scene.of(Rule::SafetyKeyPulled), [Severity::Critical]);
        let incident = scene.incidents()[0];
        assert_eq!(incident.contact, Some(KEY));
        assert!(incident.stop.is_some(), "its stop is measured");
    }

    #[test]
    fn users_leave_with_the_key_after_a_normal_stop() {
        check_after_stop(Scene::new(ENCODER), 5.0, &[Severity::Info]);
        check_after_stop(Scene::new(ENCODER), 9.5, &[Severity::Info]);
        check_after_stop(Scene::new(ENCODER), 11.0, &[Severity::Medium]);
        check_after_stop(Scene::new(ENCODER).set(LEAVING.name, 60_000), 50.0, &[Severity::Info]);
    }

    #[test]
    fn a_stop_by_the_button_is_not_a_normal_one() {
        let mut scene = Scene::new(ENCODER);
        scene.ramp(3.0, 0.5).contact(Contact::EmergencyStop, true).ramp(0.0, 1.6).wait(4.0);
        scene.contact(KEY, true).wait(5.0);
        assert_eq!(scene.of(Rule::SafetyKeyPulled), [Severity::Medium]);
    }

    #[test]
    fn contact_and_console_tell_one_pull() {
        for contact_first in [true, false] {
            for (later, expected) in [(0.9, 1), (4.0, 2)] {
                let mut scene = Scene::new(ALL);
                scene.ramp(3.0, 0.5).wait(20.0);
                if contact_first {
                    // The key is back before the console repeats itself late.
                    scene.contact(KEY, true).wait(0.5).contact(KEY, false).wait(later - 0.5);
                    scene.tell(SignalValue::SafetyKeyStop).wait(5.0);
                } else {
                    scene.tell(SignalValue::SafetyKeyStop).wait(later).contact(KEY, true).wait(5.0);
                }
                let found = scene.of(Rule::SafetyKeyPulled);
                assert_eq!(found.len(), expected, "contact first: {contact_first}, {later} s");
                assert_eq!(found[0], Severity::Critical);
            }
        }
    }

    #[test]
    fn a_key_that_is_out_cannot_be_pulled_again() {
        let mut scene = Scene::new(ALL);
        scene.ramp(3.0, 0.5).contact(KEY, true).wait(10.0).tell(SignalValue::SafetyKeyStop).wait(2.0);
        assert_eq!(scene.of(Rule::SafetyKeyPulled).len(), 1);
    }

    #[test]
    fn a_console_tells_each_pull_and_the_next_start_ends_it() {
        let mut scene = console();
        scene.tell(SignalValue::UserStarted).wait(1.0).ramp(3.0, 0.5).wait(20.0);
        scene.tell(SignalValue::SafetyKeyStop).ramp(0.0, 1.6).wait(30.0);
        assert_eq!(scene.of(Rule::SafetyKeyPulled), [Severity::Critical]);
        assert_eq!(scene.incidents()[0].cleared, None, "a console does not tell that the key is back");
        scene.tell(SignalValue::UserStarted).wait(4.0).ramp(3.0, 0.5).wait(20.0);
        assert!(scene.incidents()[0].cleared.is_some());
        scene.tell(SignalValue::SafetyKeyStop).ramp(0.0, 1.6).wait(5.0);
        assert_eq!(scene.of(Rule::SafetyKeyPulled), [Severity::Critical; 2]);
    }

    #[test]
    fn silence_is_standstill_only_for_models_that_fall_silent() {
        for (silent_on_stop, expected) in [(true, Severity::Medium), (false, Severity::Critical)] {
            let mut scene = console().with(|settings| settings.silent_on_stop = silent_on_stop);
            scene.ramp(3.0, 0.5).wait(20.0);
            scene.is_heard = false;
            scene.wait(30.0).tell(SignalValue::SafetyKeyStop);
            assert_eq!(scene.of(Rule::SafetyKeyPulled), [expected], "silent on stop: {silent_on_stop}");
        }
    }

    #[test]
    fn each_pull_is_one_and_a_bounce_is_none() {
        let mut scene = Scene::new(ENCODER);
        scene.wait(30.0);
        for (closed_ms, expected) in [(30, 1), (60, 2)] {
            scene.contact(KEY, true).wait_ms(20).wait_ms(20).contact(KEY, false).wait_ms(closed_ms / 2);
            scene
                .wait_ms(closed_ms / 2)
                .contact(KEY, true)
                .wait_ms(20)
                .wait_ms(20)
                .contact(KEY, false)
                .wait(5.0);
            let found = scene.of(Rule::SafetyKeyPulled).len();
            assert_eq!(found, if expected == 1 { 1 } else { 3 }, "closed for {closed_ms} ms");
        }
        assert_eq!(scene.incidents()[0].count, 2);
    }

    #[test]
    fn a_machine_without_a_key_raises_nothing() {
        let blind = Capabilities::SPEED.and(Capabilities::EMERGENCY_STOP);
        check_after_stop(Scene::new(blind), 5.0, &[]);
    }

    #[test]
    fn a_standing_machine_that_is_switched_off_raises_nothing() {
        let mut scene = Scene::new(ALL);
        scene.contact(Contact::MachinePower, false).wait(30.0);
        scene.contact(Contact::MachinePower, true).contact(KEY, true).wait(5.0);
        assert_eq!(scene.of(Rule::SafetyKeyPulled), []);
    }
}
