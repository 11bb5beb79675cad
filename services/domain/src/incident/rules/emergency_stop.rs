//! R01: the emergency-stop circuit opened.
//!
//! Memory: `value` is 1 while the circuit is known to be open by an edge.

use crate::belt::{Contact, STANDSTILL};
use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::record::EventKind;
use crate::signal::Capabilities;

const RESET: Threshold = Threshold {
    name: "emergency-stop.reset",
    unit: Unit::Milliseconds,
    default: 50,
    min: 20,
    max: 1_000,
    reason: "The circuit must stay closed for so long to end a stop; a shorter closing is a bounce of the same one.",
};

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::EmergencyStop,
    version: 1,
    title: "Emergency stop",
    meaning: "The emergency-stop circuit went from closed to open and stayed open for the contact's debouncing time. \
              Critical if the belt moved at the edge or in the 2 s before it, or if its motion was not known; \
              medium if it stood.",
    reason: "Direct evidence that somebody pressed the button. The first level that an agent sees is no edge. A circuit \
             that falls with the power of a standing machine is a machine that was switched off.",
    rearm: "At once: each emergency stop is an incident of its own. A contact that chatters is one incident that counts.",
    card: "Go to the person. Ask whether they are hurt. Do not reset the machine until you have spoken to them and seen \
           why it was stopped.",
    severities: &[Severity::Critical, Severity::Medium],
    judged: Judged::AtOnce,
    needs: &[Capabilities::EMERGENCY_STOP],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: false,
    thresholds: &[RESET],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    if let Some(event) = step.edge(EventKind::ContactChattering, Contact::EmergencyStop) {
        // The edges before it were told one by one; these are more of the same.
        let count = u32::try_from(memory.value.unwrap_or(0)).unwrap_or(0).saturating_add(event.count);
        memory.value = Some(i64::from(count));
        let mut finding = Finding::new(step, step.time, severity(step)).about(Contact::EmergencyStop);
        (finding.count, finding.speed) = (count, event.before.speed.max(event.belt.speed));
        return Verdict::Holds(finding);
    }
    if step.edge(EventKind::ContactClosed, Contact::EmergencyStop).is_some() {
        memory.since = Some(step.time);
    }
    let Some(event) = step.edge(EventKind::ContactOpened, Contact::EmergencyStop) else {
        let is_open = step.track.contact(Contact::EmergencyStop).open == Some(true);
        return if is_open { Verdict::Open } else { Verdict::Clear };
    };
    let switched_off = event.belt.contacts.is_open(Contact::MachinePower) == Some(true);
    if switched_off && moved(step) == Some(false) {
        return Verdict::Open;
    }
    let bounce = memory.since.is_some_and(|closed| step.time.since(closed) < step.limit_us(&RESET));
    if !bounce {
        memory.value = Some(0);
    }
    let edges = memory.value.unwrap_or(0) + 1;
    memory.value = Some(edges);
    let mut finding = Finding::new(step, step.time, severity(step)).about(Contact::EmergencyStop);
    finding.is_another = !bounce;
    finding.count = u32::try_from(edges).unwrap_or(u32::MAX);
    let faster = if event.belt.speed > event.before.speed { &event.belt } else { &event.before };
    (finding.speed, finding.direction) = (faster.speed, step.direction_of(faster));
    Verdict::Holds(finding)
}

/// Whether the belt moved at the edge or in the 2 s before it; `None`: not known.
fn moved(step: &Step<'_>) -> Option<bool> {
    let event = step.event()?;
    event.before.speed.max(event.belt.speed).map(|speed| speed > STANDSTILL)
}

/// Unknown is not standstill.
fn severity(step: &Step<'_>) -> Severity {
    if moved(step) == Some(false) { Severity::Medium } else { Severity::Critical }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::belt::Direction;
    use crate::incident::rules::scene::{ENCODER, Scene, mm_s};

    #[test]
    fn a_stop_of_a_moving_belt_is_critical_with_its_speed_and_way() {
        let mut scene = Scene::new(ENCODER);
        scene.ramp(-3.2, 0.5).wait(20.0).contact(Contact::EmergencyStop, true).ramp(0.0, 1.6).wait(40.0);
        assert_eq!(scene.found(), [(Rule::EmergencyStop, Severity::Critical)]);
        let incident = scene.incidents()[0];
        assert_eq!(
            (incident.direction, incident.speed.map(|speed| speed.0)),
            (Direction::Reverse, Some(mm_s(3.2)))
        );
        let stop = incident.stop.expect("it came to rest");
        assert!((1_800..2_300).contains(&stop.time_ms), "{stop:?}");
        assert!((700..1_300).contains(&stop.distance_mm), "3.2 km/h over 2 s on a ramp are 0.9 m: {stop:?}");
        assert!(incident.trace_complete && incident.trace.len() > 10, "{}", incident.trace.len());
        assert_eq!(incident.cleared, None, "nobody has reset it");
        scene.contact(Contact::EmergencyStop, false).wait(20.0);
        assert!(scene.incidents()[0].cleared.is_some());
    }

    #[test]
    fn pressed_at_standstill_it_is_medium() {
        let mut scene = Scene::new(ENCODER);
        scene.wait(5.0).contact(Contact::EmergencyStop, true).wait(5.0);
        assert_eq!(scene.found(), [(Rule::EmergencyStop, Severity::Medium)]);
    }

    #[test]
    fn each_stop_is_an_incident_of_its_own() {
        let mut scene = Scene::new(ENCODER);
        for _ in 0..2 {
            scene
                .contact(Contact::EmergencyStop, true)
                .wait(1.0)
                .contact(Contact::EmergencyStop, false)
                .wait(1.0);
        }
        assert_eq!(scene.of(Rule::EmergencyStop).len(), 2);
    }

    #[test]
    fn a_contact_that_bounces_within_8_ms_is_one_stop_at_its_first_edge() {
        let mut scene = Scene::new(ENCODER);
        scene.wait(1.0);
        for bounce in 0..10 {
            scene.contact(Contact::EmergencyStop, bounce % 2 == 0).wait_ms(1);
        }
        scene.contact(Contact::EmergencyStop, true);
        for _ in 0..20 {
            scene.wait_ms(1);
        }
        scene.wait(3.0);
        assert_eq!(scene.found(), [(Rule::EmergencyStop, Severity::Medium)]);
        assert_eq!((Scene::seconds(scene.incidents()[0].time) * 1e3).round(), 3_001.0);
    }

    #[test]
    fn in_a_proof_test_it_is_measured_and_marked() {
        let mut scene = Scene::new(ENCODER).with(|settings| settings.drill = Some(7));
        scene.ramp(3.0, 0.5).contact(Contact::EmergencyStop, true).ramp(0.0, 1.6).wait(5.0);
        scene.contact(Contact::EmergencyStop, false).wait(5.0);
        scene.settings.drill = None;
        scene.contact(Contact::EmergencyStop, true).wait(5.0);
        let found = scene.incidents();
        assert_eq!(found.iter().map(|one| one.drill).collect::<Vec<_>>(), [Some(7), None]);
        assert!(
            found[0].stop.is_some_and(|stop| (1_400..=2_200).contains(&stop.time_ms)),
            "{:?}",
            found[0].stop
        );
    }

    #[test]
    fn the_first_level_is_no_edge() {
        let mut scene = Scene::new(ENCODER);
        scene.vanish(5.0).contact(Contact::EmergencyStop, true).wait(5.0);
        assert_eq!(scene.of(Rule::EmergencyStop), []);
    }
}
