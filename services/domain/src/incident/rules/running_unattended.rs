//! R19: the belt ran and nobody was on it.
//!
//! Memory: `since` and `held_us` follow the motion without a person.

use crate::belt::Contact;
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::{MOVING, Step, Told, above_us};
use crate::incident::{Rule, Severity};
use crate::record::Reading;
use crate::signal::Capabilities;
use crate::units::UnixMicros;

const HOLD: Threshold = Threshold {
    name: "running-unattended.hold",
    unit: Unit::Milliseconds,
    default: 60_000,
    min: 10_000,
    max: 600_000,
    reason: "A person who stands on the side rails for a drink comes back within a minute.",
};
const SIGNS: Threshold = Threshold {
    name: "running-unattended.signs",
    unit: Unit::Count,
    default: 2,
    min: 2,
    max: 5,
    reason: "A person who lets go of the rail, or wears no heart-rate sensor, gives one sign. Two are an absence.",
};
/// A value that was told longer ago than this is not known any more, in microseconds.
const KNOWN_US: i64 = 5_000_000;
/// Less force than this on the belt is nobody's, in newtons.
const NO_FORCE_N: i32 = 20;

const RAIL: Capabilities = Capabilities::HAND_RAIL.and(Capabilities::SPEED);
const PRESENCE: Capabilities = Capabilities::USER_PRESENCE.and(Capabilities::SPEED);
const HEART: Capabilities = Capabilities::HEART_RATE_CONTACT.and(Capabilities::SPEED);
const FORCE: Capabilities = Capabilities::BELT_FORCE.and(Capabilities::SPEED);

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::RunningUnattended,
    version: 1,
    title: "Running unattended",
    meaning: "The belt ran faster than 0.3 km/h for the holding time while at least two signs told that nobody was there: \
              no hand on the rail, no person on the belt, no heart-rate contact, steps or elapsed time that stand still, \
              no force on the belt. What a machine does not tell is no sign.",
    reason: "A belt that runs for nobody hurts whoever steps on it next, above all children.",
    rearm: "After 3 s at rest or with somebody there.",
    card: "Go to the machine and stop it. Pull its key.",
    severities: &[Severity::High],
    judged: Judged::Merged,
    needs: &[
        RAIL.and(Capabilities::USER_PRESENCE),
        RAIL.and(Capabilities::HEART_RATE_CONTACT),
        RAIL.and(Capabilities::STEPS),
        RAIL.and(Capabilities::ELAPSED),
        RAIL.and(Capabilities::BELT_FORCE),
        PRESENCE.and(Capabilities::HEART_RATE_CONTACT),
        PRESENCE.and(Capabilities::STEPS),
        PRESENCE.and(Capabilities::ELAPSED),
        PRESENCE.and(Capabilities::BELT_FORCE),
        HEART.and(Capabilities::STEPS),
        HEART.and(Capabilities::ELAPSED),
        HEART.and(Capabilities::BELT_FORCE),
        FORCE.and(Capabilities::STEPS),
        FORCE.and(Capabilities::ELAPSED),
    ],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: true,
    thresholds: &[HOLD, SIGNS],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    let Some((reading, began)) = step.reading() else { return Verdict::Open };
    let Some(moves_us) = above_us(reading, step.time.since(began), MOVING) else {
        memory.let_go();
        return Verdict::Open;
    };
    let signs = signs(step, reading, began);
    let enough = usize::try_from(step.limit(&SIGNS)).unwrap_or(usize::MAX);
    let holds_us = if signs.len() >= enough { moves_us } else { 0 };
    let since = memory.since;
    let held_us = memory.hold(step, holds_us);
    if held_us >= step.limit_us(&HOLD) {
        let finding = Finding::new(step, since.or(memory.since).unwrap_or(step.time), Severity::High)
            .measuring("held_ms", held_us / 1_000)
            .saying(format!("Nobody was there: {}.", signs.join(", ")));
        return Verdict::Holds(finding);
    }
    if holds_us == 0 { Verdict::Clear } else { Verdict::Open }
}

/// What tells throughout the reading that nobody was there.
fn signs(step: &Step<'_>, reading: &Reading, began: UnixMicros) -> Vec<&'static str> {
    let track = step.track;
    let is_open = |contact| reading.contacts.is_open(contact) == Some(true);
    let stands = |told: &Option<Told<u32>>| known(step, told).is_some_and(|told| told.since <= began);
    [
        (is_open(Contact::HandRail), "no hand on the rail"),
        (is_open(Contact::UserPresence), "no person on the belt"),
        (known(step, &track.heart_rate_contact).is_some_and(|told| !told.value), "no heart-rate contact"),
        (stands(&track.steps) || stands(&track.elapsed), "steps or elapsed time stood still"),
        (
            known(step, &track.belt_force).is_some_and(|told| told.value.abs() < NO_FORCE_N),
            "no force on the belt",
        ),
    ]
    .into_iter()
    .filter_map(|(is_so, sign)| is_so.then_some(sign))
    .collect()
}

/// A value, if it was told of late.
fn known<T: Copy>(step: &Step<'_>, told: &Option<Told<T>>) -> Option<Told<T>> {
    told.filter(|told| step.within_us(Some(told.time), KNOWN_US))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, FTMS, Scene};
    use crate::registry::DriveKind;
    use crate::signal::SignalValue;

    const MACHINE: Capabilities = FTMS.and(Capabilities::HEART_RATE_CONTACT);

    /// The belt runs for so long while the machine tells these.
    #[track_caller]
    fn check(mut scene: Scene, signs: &[SignalValue], kmh: f64, seconds: f64, expected: &[Severity]) {
        scene.always = signs.to_vec();
        scene.wait(5.0).speed(kmh).wait(seconds).speed(0.0).wait(10.0);
        assert_eq!(scene.of(Rule::RunningUnattended), expected, "{signs:?}, {kmh} km/h, {seconds} s");
    }

    const NO_HEART: SignalValue = SignalValue::HeartRateContact(false);
    const FROZEN: SignalValue = SignalValue::Elapsed(42);

    #[test]
    fn it_takes_two_signs_for_a_minute() {
        let scene = || Scene::new(MACHINE);
        check(scene(), &[NO_HEART, FROZEN], 3.0, 62.0, &[Severity::High]);
        check(scene(), &[NO_HEART, FROZEN], 3.0, 59.0, &[]);
        check(scene(), &[NO_HEART, FROZEN], 0.3, 90.0, &[]);
        check(scene(), &[NO_HEART], 3.0, 90.0, &[]);
        check(scene(), &[FROZEN], 3.0, 90.0, &[]);
        check(scene(), &[SignalValue::HeartRateContact(true), FROZEN], 3.0, 90.0, &[]);
        check(scene().set(HOLD.name, 20_000), &[NO_HEART, FROZEN], 3.0, 22.0, &[Severity::High]);
        check(scene().set(SIGNS.name, 3), &[NO_HEART, FROZEN], 3.0, 90.0, &[]);
        check(
            scene().with(|settings| settings.drive = DriveKind::Manual),
            &[NO_HEART, FROZEN],
            3.0,
            90.0,
            &[],
        );
        check(Scene::new(ENCODER), &[NO_HEART, FROZEN], 3.0, 90.0, &[]);
    }

    #[test]
    fn each_sign_counts() {
        let all = MACHINE.and(Capabilities::STEPS).and(Capabilities::BELT_FORCE).and(Capabilities::HAND_RAIL);
        let open = |contact| SignalValue::ContactLevel { contact, open: true };
        let signs = [
            open(Contact::HandRail),
            open(Contact::UserPresence),
            SignalValue::Steps(7),
            SignalValue::BeltForce(-3),
        ];
        for sign in signs {
            check(Scene::new(all), &[NO_HEART, sign], 3.0, 62.0, &[Severity::High]);
        }
        check(Scene::new(all), &[NO_HEART, SignalValue::BeltForce(-30)], 3.0, 90.0, &[]);
        check(Scene::new(all), &[SignalValue::Steps(7), FROZEN], 3.0, 90.0, &[]);
    }

    #[test]
    fn steps_that_go_on_and_values_that_are_old_are_no_signs() {
        let mut scene = Scene::new(MACHINE);
        scene.always = vec![NO_HEART, FROZEN];
        scene.ramp(3.0, 0.5);
        for second in 0..90 {
            scene.always[1] = SignalValue::Elapsed(second);
            scene.wait(1.0);
        }
        scene.always.remove(1);
        scene.wait(90.0);
        assert_eq!(scene.of(Rule::RunningUnattended), []);
    }

    #[test]
    fn it_fires_once_an_episode() {
        let mut scene = Scene::new(MACHINE);
        scene.always = vec![NO_HEART, FROZEN];
        scene.ramp(3.0, 0.5).wait(200.0);
        assert_eq!(scene.of(Rule::RunningUnattended), [Severity::High]);
        scene.always[0] = SignalValue::HeartRateContact(true);
        scene.wait(10.0);
        scene.always[0] = NO_HEART;
        scene.wait(70.0);
        assert_eq!(scene.of(Rule::RunningUnattended), [Severity::High; 2]);
    }
}
