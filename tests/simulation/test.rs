//! Two hundred worlds in the test run; `cargo sim --seeds N` runs any number.

use harness::simulation;

fn check(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        if let Err(error) = simulation::run(seed) {
            panic!("seed {seed}: {error:#}");
        }
    }
}

#[test]
fn worlds_0_to_99_keep_the_promises() {
    check(0..100);
}

#[test]
fn worlds_100_to_199_keep_the_promises() {
    check(100..200);
}

#[test]
fn revoked_credentials_are_met() {
    let refused = |seed| simulation::run(seed).expect("it keeps the promises").revoked_refused();
    assert!((0..10).map(refused).sum::<u64>() > 0, "no world has a revoked credential that is still used");
}

#[test]
fn incidents_arise() {
    let incidents = |seed| simulation::run(seed).expect("it keeps the promises").incidents();
    assert!((0..10).map(incidents).sum::<u64>() > 20, "hardly any world has an incident");
}

#[test]
fn recordings_arrive() {
    let pieces = |seed| simulation::run(seed).expect("it keeps the promises").pieces_stored();
    assert!((0..4).map(pieces).sum::<u64>() > 0, "no world has a recording");
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
