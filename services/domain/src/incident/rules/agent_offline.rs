//! R21: a machine's records have a hole: its agent was not running, or had nowhere to keep them.
//!
//! Memory: nothing.

use crate::belt::{Direction, Origin};
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::signal::Capabilities;

const GAP: Threshold = Threshold {
    name: "agent-offline.gap",
    unit: Unit::Milliseconds,
    default: 90_000,
    min: 60_000,
    max: 86_400_000,
    reason: "Three status periods of 30 s. A machine at rest writes a reading every 30 s.",
};
const LONG: Threshold = Threshold {
    name: "agent-offline.long",
    unit: Unit::Milliseconds,
    default: 3_600_000,
    min: 60_000,
    max: 604_800_000,
    reason: "After an hour it is more than a restart: medium.",
};

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::AgentOffline,
    version: 1,
    title: "No records",
    meaning: "No record of any kind exists for longer than the limit: the agent was not running, or its records were \
              lost. Low; medium if it was longer than an hour. It is found when the next record comes, and its time is \
              the end of the last record before the hole. While an agent is away the live view shows it as offline. \
              An agent that only had no network sends its records later, and this rule then finds nothing.",
    reason: "What happened in that time is not known. Nobody may take it for a time without incidents.",
    rearm: "At once: each hole is an incident of its own.",
    card: "Check the power and the network of the agent. If the machine is switched off with its agent every night, \
           set a longer limit for it.",
    severities: &[Severity::Medium, Severity::Low],
    judged: Judged::Merged,
    // It looks at the records themselves, whatever they tell.
    needs: &[Capabilities(0)],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: false,
    thresholds: &[GAP, LONG],
    judge,
};

fn judge(_memory: &mut Memory, step: &Step<'_>) -> Verdict {
    let Some(last) = step.track.before else { return Verdict::Clear };
    let until = step.reading().map_or(step.time, |(_, began)| began);
    let gap_us = until.since(last);
    if gap_us <= step.limit_us(&GAP) {
        return Verdict::Clear;
    }
    let severity = if gap_us > step.limit_us(&LONG) { Severity::Medium } else { Severity::Low };
    let mut finding = Finding::new(step, last, severity).measuring("gap_s", gap_us / 1_000_000);
    // The record that shows the hole says nothing of the belt within it.
    finding.direction = (Direction::Unknown, Origin::Unknown);
    (finding.speed, finding.incline) = (None, None);
    finding.is_another = true;
    Verdict::Holds(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, FTMS, Scene};

    #[track_caller]
    fn check(mut scene: Scene, away: f64, expected: &[Severity]) {
        scene.wait(60.0).vanish(away).wait(60.0);
        assert_eq!(scene.of(Rule::AgentOffline), expected);
    }

    #[test]
    fn a_hole_of_more_than_three_status_periods_is_told_when_the_next_record_comes() {
        // The reading at rest that was under way when the agent vanished is lost with it: up to 30 s.
        check(Scene::new(ENCODER), 55.0, &[]);
        check(Scene::new(ENCODER), 95.0, &[Severity::Low]);
        check(Scene::new(FTMS), 3_500.0, &[Severity::Low]);
        check(Scene::new(ENCODER), 3_700.0, &[Severity::Medium]);
        check(Scene::new(ENCODER).set(GAP.name, 600_000), 500.0, &[]);
        check(Scene::new(ENCODER).set(LONG.name, 7_200_000), 3_700.0, &[Severity::Low]);
    }

    #[test]
    fn its_time_is_the_end_of_the_last_record_and_the_next_one_ends_it() {
        let mut scene = Scene::new(ENCODER);
        scene.ramp(3.0, 0.5).wait(10.0);
        let end = scene.incidents().len();
        scene.vanish(200.0).wait(10.0);
        assert_eq!((end, scene.of(Rule::AgentOffline)), (0, vec![Severity::Low]));
        let found = scene.incidents();
        let incident =
            found.iter().find(|incident| incident.rule == Rule::AgentOffline).expect("it was found");
        assert!((16.0..20.0).contains(&Scene::seconds(incident.time)), "{}", Scene::seconds(incident.time));
        assert_eq!((incident.speed, incident.direction), (None, Direction::Unknown));
        assert!(incident.cleared.is_some_and(|cleared| Scene::seconds(cleared) > 200.0));
    }

    #[test]
    fn a_machine_at_rest_is_no_hole_and_each_hole_counts() {
        let mut scene = Scene::new(ENCODER);
        scene.wait(1_200.0);
        assert_eq!(scene.of(Rule::AgentOffline), []);
        scene.vanish(200.0).vanish(200.0).wait(10.0);
        assert_eq!(scene.of(Rule::AgentOffline), [Severity::Low; 2]);
    }

    #[test]
    fn a_source_that_is_silent_is_no_hole() {
        let mut scene = Scene::new(ENCODER);
        scene.is_heard = false;
        scene.wait(600.0);
        assert_eq!(scene.of(Rule::AgentOffline), []);
    }
}
