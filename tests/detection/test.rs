//! A short run of all rules: what is clear-cut is found, and nothing else is raised.

use detection::run::{Plan, run};
use detection::tally::Tally;
use domain::incident::{Rule, Severity};

fn short() -> Tally {
    run(&Plan { seed: 7, hours: 200, episodes: 5, threads: 2, only: Vec::new() }, &mut |_, _| {})
}

/// What the worst of the rule's severities is.
fn worst(rule: Rule) -> Severity {
    rule.definition().severities.iter().copied().max().expect("a rule has a severity")
}

#[test]
fn critical_and_high_rules_find_what_is_planted_and_nothing_else() {
    let tally = short();
    let mut wrong = Vec::new();
    for ((rule, sight), row) in tally.rows.iter().filter(|((rule, _), _)| worst(*rule) >= Severity::High) {
        // Nobody plants faults into octets that have no word for them.
        let is_planted = row.told_us == 0 || row.near_misses > 0;
        assert!(is_planted, "{} is not tried by {}", rule.name(), sight.name());
        if row.found < row.episodes || row.extra > 0 || row.other_severity > 0 {
            wrong.push(rule.name());
        }
    }
    let told = tally.differences.join("\n");
    assert!(wrong.is_empty(), "{wrong:?}\n{told}");
}

#[test]
fn machines_that_cannot_tell_raise_nothing() {
    let tally = short();
    let blind: u64 = tally.rows.values().map(|row| row.blind_incidents).sum();
    assert_eq!(blind, 0);
    let tried = tally.rows.values().filter(|row| row.told_us == 0 && row.blind_episodes >= 5).count();
    assert!(tried > 10, "{tried} pairs of rule and source cannot tell and were tried");
}

#[test]
fn the_same_seed_finds_the_same() {
    let plan = |threads| Plan {
        seed: 3,
        hours: 1,
        episodes: 1,
        threads,
        only: vec![Rule::EmergencyStop, Rule::AbruptStop],
    };
    let (one, two) = (run(&plan(1), &mut |_, _| {}), run(&plan(2), &mut |_, _| {}));
    assert_eq!(one.total_us, two.total_us);
    assert_eq!(format!("{:?}", one.rows), format!("{:?}", two.rows));
}
