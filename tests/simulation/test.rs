//! Two hundred worlds in the test run; `cargo sim --seeds N` runs any number.

use harness::simulation::{self, Met, OfflineDay, Seeds};

fn check(from: u64) {
    let seeds = Seeds { from, count: 100, keep_going: false };
    simulation::run_all(seeds, |seed, outcome| {
        if let Err(error) = outcome {
            panic!("seed {seed}: {error}");
        }
    });
}

#[test]
fn worlds_0_to_99_keep_the_promises() {
    check(0);
}

#[test]
fn worlds_100_to_199_keep_the_promises() {
    check(100);
}

#[test]
fn every_fault_is_met() {
    let mut times = [0; Met::ALL.len()];
    simulation::run_all(Seeds { from: 0, count: 60, keep_going: false }, |seed, outcome| {
        let outcome = outcome.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        times.iter_mut().zip(Met::ALL).for_each(|(times, met)| *times += outcome.met(met));
    });
    // What follows from a copied card has a test of its own.
    let rare = [Met::Renewed, Met::CloneAlarms];
    for (times, met) in times.into_iter().zip(Met::ALL).filter(|(_, met)| !rare.contains(met)) {
        assert!(times > 0, "no world has met this: {}", met.name());
    }
}

#[test]
fn incidents_arise() {
    let incidents = |seed| simulation::run(seed).expect("it keeps the promises").incidents();
    assert!((0..10).map(incidents).sum::<u64>() > 20, "hardly any world has an incident");
}

#[test]
fn recordings_arrive() {
    let pieces = |seed| simulation::run(seed).expect("it keeps the promises").pieces_stored();
    assert!((0..10).map(pieces).sum::<u64>() > 0, "no world has a recording");
}

#[test]
fn the_same_seed_gives_the_same_world() {
    for seed in [3, 17, 42] {
        let (first, second) = (simulation::run(seed), simulation::run(seed));
        assert_eq!(
            first.expect("it keeps the promises"),
            second.expect("it keeps the promises"),
            "seed {seed}"
        );
    }
}

#[test]
fn a_copied_card_raises_an_alarm_and_loses_nothing() {
    for seed in 0..4 {
        let outcome = simulation::run_copied(seed).unwrap_or_else(|error| panic!("seed {seed}: {error:#}"));
        assert!(outcome.met(Met::Clones) > 0, "seed {seed}: no card was copied");
        assert!(outcome.met(Met::CloneAlarms) > 0, "seed {seed}: nobody was told of the copy");
        assert!(outcome.met(Met::Renewed) > 0, "seed {seed}: nobody goes on in a log of its own");
    }
}

#[test]
fn after_two_hours_offline_all_is_there_and_live_is_right_soon() {
    let day = OfflineDay { machines: 10, hours: 2, messages_a_second: 17_000, readings_a_second: 166_000 };
    let report = simulation::offline_day(day).expect("everything is there");
    assert!(report.live_us < 2_000_000, "{report}");
    assert!(report.backlog.iter().all(|records| *records > 1_000), "{report}");
    assert_eq!((report.readings_first, report.dropped, report.deferred), (0, 0, 0), "{report}");
}
