//! R30: the machine was used while no staff were there.
//!
//! Memory: `since` and `held_us` follow the motion.

use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::{Step, above_us};
use crate::incident::{Rule, Severity};
use crate::signal::Capabilities;

const ON: Threshold = Threshold {
    name: "use-outside-staffed-hours.on",
    unit: Unit::YesNo,
    default: 0,
    min: 0,
    max: 1,
    reason: "Off: many sites are open without staff on purpose.",
};
const SPEED: Threshold = Threshold {
    name: "use-outside-staffed-hours.speed",
    unit: Unit::MillimetresPerSecond,
    default: 83,
    min: 28,
    max: 1_389,
    reason: "0.3 km/h: slower than the lowest speed of any belt that was measured.",
};
const HOLD: Threshold = Threshold {
    name: "use-outside-staffed-hours.hold",
    unit: Unit::Milliseconds,
    default: 3_000,
    min: 1_000,
    max: 600_000,
    reason: "Whoever cleans a machine may push its belt by hand for a moment.",
};

/// A rest that ends a use, as long as the one that ends a session, in microseconds.
const REST_US: i64 = 180_000_000;

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::UseOutsideStaffedHours,
    version: 1,
    title: "Used without staff",
    meaning: "The belt ran faster than 0.3 km/h for the holding time outside the site's staffed hours, by the site's own \
              clock. It cannot be told where nobody has entered the hours.",
    reason: "A person who falls is not found, and a child may have started it.",
    rearm: "After three minutes at rest, or when staff are there again.",
    card: "Find out who used the machine. If it should not run at that time, switch it off and take the key away.",
    severities: &[Severity::Medium],
    judged: Judged::Merged,
    needs: &[Capabilities::SPEED],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: false,
    thresholds: &[ON, SPEED, HOLD],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    let Some((reading, began)) = step.reading() else { return Verdict::Open };
    let has_staff = step.settings.staffed.as_ref().and_then(|staffed| staffed.has(step.time));
    if has_staff != Some(false) {
        memory.let_go();
        return if has_staff == Some(true) { Verdict::Clear } else { Verdict::Open };
    }
    let Some(above_us) = above_us(reading, step.time.since(began), step.speed_limit(&SPEED)) else {
        memory.let_go();
        return Verdict::Open;
    };
    let since = memory.since;
    let held_us = memory.hold(step, above_us);
    if above_us > 0 && held_us >= step.limit_us(&HOLD) {
        return Verdict::Holds(Finding::new(
            step,
            since.or(memory.since).unwrap_or(step.time),
            Severity::Medium,
        ));
    }
    // A rest between two stretches does not end the use.
    let rested = step.track.standing.is_some_and(|standing| step.time.since(standing) >= REST_US);
    if rested { Verdict::Clear } else { Verdict::Open }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, FTMS, Scene};
    use crate::incident::settings::StaffedHours;

    /// The stage begins on a Monday at noon UTC. Staff are there on Mondays, between these minutes of the zone's day.
    fn staffed(capabilities: Capabilities, zone: &str, from: u16, until: u16) -> Scene {
        let mut days: [Vec<(u16, u16)>; 7] = Default::default();
        days[0] = vec![(from, until)];
        let staffed = StaffedHours { zone: zone.to_owned(), days };
        Scene::new(capabilities).set(ON.name, 1).with(|settings| settings.staffed = Some(staffed))
    }

    #[track_caller]
    fn check(mut scene: Scene, kmh: f64, seconds: f64, expected: &[Severity]) {
        scene.wait(5.0).speed(kmh).wait(seconds).speed(0.0).wait(60.0);
        assert_eq!(scene.of(Rule::UseOutsideStaffedHours), expected);
    }

    #[test]
    fn it_is_told_only_while_no_staff_are_there() {
        let (noon, one) = (720, 780);
        check(staffed(ENCODER, "UTC", 480, noon), 3.0, 10.0, &[Severity::Medium]);
        check(staffed(ENCODER, "UTC", noon, one), 3.0, 10.0, &[]);
        check(staffed(FTMS, "UTC", 480, noon), 3.0, 10.0, &[Severity::Medium]);
        // In Berlin it is one o'clock.
        check(staffed(ENCODER, "Europe/Berlin", noon, one), 3.0, 10.0, &[Severity::Medium]);
        check(staffed(ENCODER, "Europe/Berlin", one, 840), 3.0, 10.0, &[]);
    }

    #[test]
    fn it_takes_some_speed_for_some_seconds() {
        let away = || staffed(ENCODER, "UTC", 0, 60);
        check(away(), 0.5, 3.5, &[Severity::Medium]);
        check(away(), 0.5, 2.5, &[]);
        check(away(), 0.25, 60.0, &[]);
        check(away().set(SPEED.name, 1_000), 3.0, 60.0, &[]);
        check(away().set(HOLD.name, 30_000), 3.0, 20.0, &[]);
    }

    #[test]
    fn it_is_off_until_the_site_asks_and_needs_hours_and_a_speed() {
        check(staffed(ENCODER, "UTC", 0, 60).set(ON.name, 0), 3.0, 60.0, &[]);
        check(Scene::new(ENCODER).set(ON.name, 1), 3.0, 60.0, &[]);
        check(staffed(ENCODER, "Nowhere/Else", 0, 60), 3.0, 60.0, &[]);
        check(staffed(Capabilities::SAFETY_KEY, "UTC", 0, 60), 3.0, 60.0, &[]);
    }

    #[test]
    fn rests_do_not_make_it_two() {
        let mut scene = staffed(ENCODER, "UTC", 0, 60);
        scene.speed(3.0).wait(20.0).speed(0.0).wait(60.0).speed(3.0).wait(20.0);
        assert_eq!(scene.of(Rule::UseOutsideStaffedHours), [Severity::Medium]);
        scene.speed(0.0).wait(300.0).speed(3.0).wait(20.0);
        assert_eq!(scene.of(Rule::UseOutsideStaffedHours), [Severity::Medium; 2]);
    }
}
