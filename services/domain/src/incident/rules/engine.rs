//! What the bench and the mind around the rules promise: nothing stays open by mistake, nothing is swallowed, and it does
//! not matter whether events or readings come first.

use super::scene::{ALL, ENCODER, Scene};
use crate::belt::Contact;
use crate::incident::Rule;

#[test]
fn what_cannot_be_told_any_more_does_not_stay_active() {
    let mut scene = Scene::new(ALL);
    scene.speed(-7.0).wait(10.0);
    let mut scene = scene.with(|settings| settings.direction_proven = false);
    scene.wait(5.0);
    scene.speed(0.0).wait(30.0);
    let incidents = scene.incidents();
    let over = incidents.iter().find(|i| i.rule == Rule::ReverseOverspeed).expect("found");
    assert!(over.cleared.is_some(), "active for ever: {:?}", (over.time, over.cleared));
}

#[test]
fn what_can_be_told_again_is_an_incident_of_its_own() {
    let mut scene = Scene::new(ALL);
    scene.speed(-7.0).wait(10.0);
    let mut scene = scene.with(|settings| settings.direction_proven = false);
    scene.speed(0.0).wait(3600.0);
    let mut scene = scene.with(|settings| settings.direction_proven = true);
    scene.speed(-7.0).wait(10.0);
    scene.speed(0.0).wait(30.0);
    assert_eq!(scene.of(Rule::ReverseOverspeed).len(), 2, "{:#?}", scene.found());
}

#[test]
fn a_stop_is_measured_wherever_it_lies_in_a_reading() {
    let mut missing = Vec::new();
    for ms in (1..1000).step_by(7) {
        let mut scene = Scene::new(ENCODER);
        scene.speed(5.0).wait(20.0);
        scene.wait_ms(ms);
        // the edge, 100 times a second from here on
        scene.contact(Contact::EmergencyStop, true);
        for _ in 0..20 {
            scene.wait_ms(10);
        }
        scene.ramp(0.0, 2.0).wait(20.0);
        let incidents = scene.incidents();
        let stop = incidents.iter().find(|i| i.rule == Rule::EmergencyStop).expect("found");
        if stop.stop.is_none() {
            missing.push(ms);
        }
    }
    assert!(missing.is_empty(), "no measured stop at phases {missing:?}");
}

#[test]
fn a_reset_while_the_agent_was_away_ends_the_stop() {
    let mut scene = Scene::new(ENCODER);
    scene.speed(5.0).wait(5.0);
    scene.contact(Contact::EmergencyStop, true).speed(0.0).wait(5.0);
    scene.contact(Contact::EmergencyStop, false);
    scene.vanish(60.0);
    scene.wait(20.0);
    scene.speed(5.0).wait(60.0);
    let incidents = scene.incidents();
    let stop = incidents.iter().find(|i| i.rule == Rule::EmergencyStop).expect("found");
    assert!(stop.cleared.is_some(), "button is in, belt runs, incident active");
}

#[test]
fn what_had_to_last_has_a_trace() {
    let mut scene = Scene::new(ALL);
    scene.speed(3.0).wait(2.0);
    scene.contact(Contact::HandRail, true).contact(Contact::UserPresence, true).wait(100.0);
    scene.speed(0.0).wait(60.0);
    let incidents = scene.incidents();
    let found = incidents.iter().find(|i| i.rule == Rule::RunningUnattended).expect("found");
    assert!(!found.trace.is_empty() || !found.trace_complete);
}

#[test]
fn a_contact_that_chatters_makes_nothing_else_forgotten() {
    // A loose wire of the key: does chatter wipe what the merged bench knows?
    let mut quiet = Scene::new(ENCODER);
    let mut loud = Scene::new(ENCODER);
    let mut found = Vec::new();
    for (is_loud, scene) in [(false, &mut quiet), (true, &mut loud)] {
        scene.speed(3.0).wait(3.0);
        if is_loud {
            // 21 edges: 20 told one by one, the others as a sum 10 s later.
            for _ in 0..13 {
                scene.contact(Contact::HandRail, true).wait(0.1);
                scene.contact(Contact::HandRail, false).wait(0.1);
            }
        } else {
            scene.wait(2.6);
        }
        // The stop lies in the 10 s before the sum is told; the belt creeps on for long.
        scene.wait(4.0);
        scene.contact(Contact::EmergencyStop, true).wait(20.0);
        scene.speed(0.0).wait(30.0);
        found.push(scene.found());
    }
    assert_eq!(found[0], found[1]);
}

mod order;
