//! What holds for all rules, and scenes in which none of them may say a word.

use std::collections::BTreeSet;

use super::scene::{ALL, ENCODER, FTMS, Scene};
use crate::belt::{Contact, Direction};
use crate::incident::settings::MachineSettings;
use crate::incident::threshold::{self, Unit};
use crate::incident::{Rule, Severity};
use crate::registry::BeltKind;
use crate::signal::{Capabilities, SignalValue};

const MPH: f64 = 1.609_344;

fn is_kebab_case(name: &str) -> bool {
    name.split('-').all(|word| !word.is_empty() && word.chars().all(|letter| letter.is_ascii_lowercase()))
}

#[track_caller]
fn check_sentences(rule: Rule, what: &str, text: &str) {
    let begins = text.chars().next().is_some_and(|first| first.is_uppercase() || first.is_ascii_digit());
    assert!(begins && text.ends_with('.'), "{}: {what} is {text:?}", rule.name());
    assert!(!text.contains("  "), "{}: {what} has two spaces in a row: {text:?}", rule.name());
}

#[test]
fn rules_are_numbered_and_named_once() {
    let numbers: Vec<u8> = Rule::ALL.into_iter().map(Rule::number).collect();
    assert_eq!(numbers, (1..=30).collect::<Vec<u8>>());
    let names: BTreeSet<&str> = Rule::ALL.into_iter().map(Rule::name).collect();
    assert_eq!(names.len(), Rule::ALL.len());
    for rule in Rule::ALL {
        assert!(is_kebab_case(rule.name()), "{}", rule.name());
        assert_eq!(Rule::of_name(rule.name()), Some(rule));
        assert_eq!(rule.definition().rule, rule, "{} has another's definition", rule.name());
        assert_eq!(serde_json::to_value(rule).expect("it has a name"), rule.name());
    }
}

#[test]
fn every_rule_explains_itself() {
    for rule in Rule::ALL {
        let definition = rule.definition();
        assert!(definition.version >= 1, "{}", rule.name());
        assert!(
            !definition.title.is_empty() && !definition.title.ends_with('.'),
            "{}: its title",
            rule.name()
        );
        check_sentences(rule, "the meaning", definition.meaning);
        check_sentences(rule, "the reason", definition.reason);
        check_sentences(rule, "the re-arming", definition.rearm);
        check_sentences(rule, "the card", definition.card);
    }
    let titles: BTreeSet<&str> = Rule::ALL.into_iter().map(|rule| rule.definition().title).collect();
    assert_eq!(titles.len(), Rule::ALL.len(), "titles are told apart");
}

#[test]
fn severities_are_the_worst_first_and_each_once() {
    for rule in Rule::ALL {
        let severities = rule.definition().severities;
        assert!(!severities.is_empty(), "{}", rule.name());
        assert!(severities.windows(2).all(|pair| pair[0] > pair[1]), "{}: {severities:?}", rule.name());
    }
}

#[test]
fn thresholds_are_named_after_their_rule_and_lie_within_their_range() {
    let names: BTreeSet<&str> = threshold::all().map(|threshold| threshold.name).collect();
    assert_eq!(names.len(), threshold::all().count(), "names are unique");
    for rule in Rule::ALL {
        for threshold in rule.definition().thresholds {
            let name = threshold.name;
            let word = name.strip_prefix(rule.name()).and_then(|rest| rest.strip_prefix('.'));
            assert!(word.is_some_and(is_kebab_case), "{name} is of {}", rule.name());
            assert!(threshold.min < threshold.max, "{name}");
            assert!((threshold.min..=threshold.max).contains(&threshold.default), "{name}");
            assert!(threshold.min >= 0, "{name}: nothing that is compared is negative");
            check_sentences(rule, name, threshold.reason);
            let switch = (word == Some("on"), threshold.unit == Unit::YesNo && threshold.default == 0);
            assert!(switch.0 <= switch.1, "{name} turns a rule on that is off at first");
            if threshold.unit == Unit::YesNo {
                assert_eq!((threshold.min, threshold.max), (0, 1), "{name}");
            }
            assert_eq!(threshold::find(name), Some(threshold));
        }
    }
}

#[test]
fn what_a_rule_needs_says_what_machines_it_cannot_judge() {
    let settings =
        MachineSettings { belt: BeltKind::Reversible, direction_proven: true, ..Default::default() };
    let told = |capabilities: Capabilities| -> Vec<u8> {
        let told = Rule::ALL.into_iter().filter(|rule| rule.can_be_told(capabilities, &settings).is_ok());
        told.map(Rule::number).collect()
    };
    assert_eq!(told(Capabilities::default()), [21, 24, 25], "these need no signal");
    for rule in Rule::ALL {
        let definition = rule.definition();
        assert!(!definition.needs.is_empty(), "{}: a rule without needs could never be judged", rule.name());
        assert!(definition.is_about_direction || !definition.is_about_reverse, "{}", rule.name());
        let is_off = definition.thresholds.iter().any(|threshold| threshold.name.ends_with(".on"));
        let by_all = rule.can_be_told(ALL, &settings);
        assert_eq!(by_all.is_err(), is_off, "{}: {by_all:?}", rule.name());
        let blind = rule.can_be_told(FTMS, &settings);
        assert!(blind.is_err() || !definition.is_about_direction, "{}: FTMS tells no direction", rule.name());
    }
}

/// How the belt's speed is told.
#[derive(Debug, Clone, Copy)]
enum Told {
    Exactly,
    /// 10 mm/s up and down.
    Noisy,
    /// In steps of 0.1 km/h, the last one flickering.
    Coarsely,
}

/// Runs a belt that somebody starts and stops at its console, with ramps of 0.5 km/h each second, and lets it stand.
fn run(scene: &mut Scene, kmh: f64, seconds: u32, told: Told) {
    let says = |scene: &mut Scene, value| {
        if scene.can_tell(Capabilities::USER_COMMANDS) {
            scene.tell(value);
        }
    };
    says(scene, SignalValue::UserStarted);
    scene.wait(1.0).ramp(kmh, 0.5);
    for step in 0..seconds * 10 {
        let shake = f64::from(step * 7 % 3) - 1.0;
        let shaken = match told {
            Told::Exactly => kmh,
            Told::Noisy => kmh + shake * 0.036,
            Told::Coarsely => ((kmh + shake * 0.04) * 10.0).round() / 10.0,
        };
        scene.speed(shaken).wait(0.1);
    }
    says(scene, SignalValue::UserStopped);
    scene.speed(kmh).ramp(0.0, 0.5).wait(5.0);
}

/// A machine of each kind that there is.
fn kinds() -> [(&'static str, Capabilities); 4] {
    let key = Capabilities::SPEED.and(Capabilities::SAFETY_KEY);
    [("encoder", ENCODER), ("console", FTMS), ("speed and key", key), ("everything", ALL)]
}

#[test]
fn what_beginners_are_advised_raises_nothing() {
    for (kind, capabilities) in kinds() {
        for told in [Told::Exactly, Told::Noisy, Told::Coarsely] {
            let mut scene = Scene::new(capabilities);
            for _ in 0..10 {
                run(&mut scene, -MPH, 30, told);
                run(&mut scene, 2.0 * MPH, 60, told);
            }
            run(&mut scene, -1.5 * MPH, 45, told);
            scene.wait(300.0);
            run(&mut scene, -2.0 * MPH, 600, told);
            scene.wait(60.0);
            assert_eq!(scene.found(), [], "{kind}, {told:?}");
        }
    }
}

#[test]
fn the_same_belt_above_a_lower_limit_raises_it() {
    let mut scene = Scene::new(ENCODER).set("reverse-overspeed.limit", 447);
    run(&mut scene, -MPH, 60, Told::Noisy);
    assert_eq!(scene.found(), []);
    run(&mut scene, -2.0 * MPH, 60, Told::Noisy);
    assert_eq!(scene.found(), [(Rule::ReverseOverspeed, Severity::High)]);
}

#[test]
fn a_hundred_starts_of_a_machine_that_tells_no_start_raise_nothing() {
    let mut scene = Scene::new(ENCODER);
    for _ in 0..100 {
        scene.ramp(6.0, 0.75).wait(20.0).ramp(0.0, 0.75).wait(30.0);
    }
    assert_eq!(scene.found(), []);
}

#[test]
fn a_key_that_is_pulled_after_use_is_worth_knowing_at_most() {
    let mut scene = Scene::new(ENCODER);
    for _ in 0..10 {
        run(&mut scene, 3.0, 60, Told::Noisy);
        scene.contact(Contact::SafetyKey, true).wait(120.0).contact(Contact::SafetyKey, false).wait(5.0);
    }
    let worse: Vec<_> =
        scene.found().into_iter().filter(|(_, severity)| *severity > Severity::Info).collect();
    assert_eq!(worse, []);
}

#[test]
fn a_reverse_belt_that_nobody_can_see_raises_no_rule_about_it() {
    let mut scene = Scene::new(FTMS);
    for kmh in [-2.0, -6.5, 3.0, -8.0] {
        run(&mut scene, kmh, 60, Told::Coarsely);
    }
    assert_eq!(scene.found(), []);
}

#[test]
fn a_model_that_falls_silent_when_it_stops_raises_nothing() {
    let mut scene = Scene::new(FTMS).with(|settings| settings.silent_on_stop = true);
    for _ in 0..10 {
        scene.tell(SignalValue::UserStarted).wait(1.0).ramp(6.0, 0.5).wait(60.0);
        scene.tell(SignalValue::UserStopped).ramp(2.0, 0.7);
        scene.is_heard = false;
        scene.speed(0.0).wait(200.0);
        scene.is_heard = true;
        scene.wait(5.0);
    }
    assert_eq!(scene.found(), []);
}

#[test]
fn an_emergency_stop_that_works_is_one_incident() {
    for kmh in [3.2, -3.2] {
        let mut scene = Scene::new(ENCODER);
        scene.ramp(kmh, 0.5).wait(20.0).contact(Contact::EmergencyStop, true).ramp(0.0, 3.2 / 3.5).wait(30.0);
        scene.contact(Contact::EmergencyStop, false).wait(60.0).ramp(kmh, 0.5).wait(20.0);
        assert_eq!(scene.found(), [(Rule::EmergencyStop, Severity::Critical)], "{kmh} km/h");
        let way = if kmh < 0.0 { Direction::Reverse } else { Direction::Forward };
        assert_eq!(scene.incidents()[0].direction, way);
    }
}
