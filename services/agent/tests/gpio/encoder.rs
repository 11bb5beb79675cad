//! Edge files of encoders, and what is told of them.

use agent::source::encoder::{self, Mind, Odometer, Settings};
use agent::source::gpio::{Edge, LineMind, Told};
use agent::source::{Source, encoder::Counters};
use domain::belt::Direction::{self, Forward, Reverse, Stopped, Unknown};
use domain::record::EventKind;
use domain::units::MonotonicMicros;

use super::captures::{COARSE_UM, ENCODER, FINE_UM, text};
use super::play::{directions, events, faults, numbered, play, read, speeds};

const SECOND: u64 = 1_000_000;

pub(super) fn settings(um_per_count: f64) -> Settings {
    Settings { um_per_count: Some(um_per_count), ..encoder::example() }
}

fn mind(settings: &Settings) -> Mind {
    Mind::new(settings, Odometer::default(), MonotonicMicros(0))
}

struct Played {
    told: Vec<Told>,
    counters: Counters,
    counts: i64,
}

fn played_edges(settings: &Settings, edges: &[Edge], until: u64) -> Played {
    let odometer = Odometer::default();
    let mut mind = Mind::new(settings, odometer.clone(), MonotonicMicros(0));
    let told = play(&mut mind, edges, until);
    Played { told, counters: mind.counters(), counts: odometer.shown().counts }
}

fn played(settings: &Settings, name: &str, seconds: u64) -> Played {
    played_edges(settings, &numbered(&read(&text(name), &ENCODER)), seconds * SECOND)
}

/// Plays a file; which directions are told one after another, and the speed at a moment in mm/s.
fn check(settings: &Settings, name: &str, seconds: u64, expected: &[Direction], at: u64, mm_s: u32) {
    let played = played(settings, name, seconds);
    assert_eq!(directions(&played.told), expected, "{name}");
    let (then, speed) = *speeds(&played.told).iter().rfind(|(then, _)| *then <= at).expect("a speed by then");
    assert!(at - then <= 600_000, "{name}: nothing was told between {then} and {at}");
    let most = mm_s / 50;
    assert!(speed.abs_diff(mm_s) <= most, "{name}: {speed} mm/s at {then}, expected {mm_s} ± {most}");
}

#[test]
fn a_belt_is_told_as_it_runs() {
    let fine = settings(FINE_UM);
    check(&fine, "forward_walk", 4, &[Stopped, Forward], 3_900_000, 833);
    check(&fine, "reverse_walk", 4, &[Stopped, Reverse], 3_900_000, 417);
    check(&fine, "stop", 4, &[Forward, Stopped], 900_000, 1_389);
    check(&fine, "stop", 4, &[Forward, Stopped], 3_900_000, 0);
    check(&fine, "fast", 1, &[Forward], 990_000, 5_556);
    check(&fine, "rocking", 6, &[Stopped], 5_900_000, 0);
    check(&settings(COARSE_UM), "slow_coarse", 6, &[Stopped, Forward], 5_900_000, 222);
}

#[test]
fn swapped_wires_or_invert_change_forward_and_reverse() {
    let fine = settings(FINE_UM);
    let inverted = Settings { invert: true, ..fine.clone() };
    check(&inverted, "forward_walk", 4, &[Stopped, Reverse], 3_900_000, 833);
    let mut swapped = read(&text("forward_walk"), &ENCODER);
    for line in &mut swapped {
        line.line = 1 - line.line;
    }
    let both = played_edges(&inverted, &numbered(&swapped), 4 * SECOND);
    assert_eq!(directions(&both.told), [Stopped, Forward]);
    let swapped = played_edges(&fine, &numbered(&swapped), 4 * SECOND);
    assert_eq!(directions(&swapped.told), [Stopped, Reverse]);
    assert_eq!(swapped.counts, -played(&fine, "forward_walk", 4).counts);
}

#[test]
fn a_direction_changes_through_unknown_and_no_speed_is_made_up() {
    let played = played(&settings(FINE_UM), "direction_change", 6);
    let told = directions(&played.told);
    assert_eq!((told.first(), told.last()), (Some(&Forward), Some(&Reverse)));
    let is_jump = |pair: &[Direction]| pair == [Forward, Reverse] || pair == [Reverse, Forward];
    assert!(!told.windows(2).any(is_jump), "{told:?}");
    assert!(speeds(&played.told).iter().all(|(_, speed)| *speed < 430));
    let changes = events(encoder::source(&settings(FINE_UM)).spec(), &played.told, 6 * SECOND)
        .into_iter()
        .filter(|(_, event)| event.kind == EventKind::DirectionChanged)
        .count();
    assert!(changes <= 1, "{changes} changes of direction");
}

#[test]
fn a_slow_belt_with_few_pulses_never_seems_to_stand() {
    let played = played(&settings(COARSE_UM), "slow_coarse", 6);
    let first = speeds(&played.told).iter().position(|(_, speed)| *speed > 0).expect("it moves");
    assert!(speeds(&played.told)[first..].iter().all(|(_, speed)| *speed > 150));
    assert!(speeds(&played.told)[first].0 < 1_500_000);
}

#[test]
fn a_belt_that_rocks_neither_starts_nor_changes_direction() {
    let settings = settings(FINE_UM);
    let played = played(&settings, "rocking", 6);
    assert!(played.counters.edges > 60, "it does rock: {:?}", played.counters);
    assert!(speeds(&played.told).iter().all(|(_, speed)| *speed == 0));
    let events = events(encoder::source(&settings).spec(), &played.told, 6 * SECOND);
    assert!(events.is_empty(), "{events:?}");
}

#[test]
fn a_stop_is_told_while_it_happens() {
    let played = played(&settings(FINE_UM), "stop", 4);
    let slow = speeds(&played.told).into_iter().find(|(_, speed)| *speed <= 28).expect("it stands");
    assert!((1_700_000..=2_000_000).contains(&slow.0), "slow at {}", slow.0);
    let zero = speeds(&played.told).into_iter().find(|(_, speed)| *speed == 0).expect("it stands");
    assert!((1_800_000..2_600_000).contains(&zero.0), "zero at {}", zero.0);
}

#[test]
fn disturbed_edges_are_counted_and_told_and_turn_nothing_round() {
    for name in ["missing_pulses", "noise"] {
        let played = played(&settings(FINE_UM), name, 4);
        assert!(directions(&played.told).iter().all(|told| *told == Forward), "{name}");
        let faults = faults(&played.told);
        match name {
            "noise" => assert!(faults.is_empty(), "steps to and fro are valid: {faults:?}"),
            _ => {
                assert!(played.counters.invalid > 20, "{:?}", played.counters);
                assert_eq!(faults.len(), 1, "{faults:?}");
                assert!(faults[0].contains("missed or are noise"), "{}", faults[0]);
            }
        }
    }
    let noise = played(&settings(FINE_UM), "noise", 4);
    assert!(speeds(&noise.told).iter().all(|(_, speed)| speed.abs_diff(833) < 20));
}

#[test]
fn with_one_wire_off_nothing_is_told_but_the_fault() {
    let played = played(&settings(FINE_UM), "broken_wire", 6);
    assert!(directions(&played.told).iter().all(|told| *told == Forward));
    assert!(speeds(&played.told).iter().all(|(at, speed)| *at < 2_600_000 && *speed > 0));
    let faults = faults(&played.told);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains("line B has not"), "{}", faults[0]);
}

#[test]
fn one_line_tells_speed_and_never_a_direction() {
    let single = Settings { line_b: None, um_per_count: Some(157_080.0), ..settings(FINE_UM) };
    let played = played(&single, "single_channel", 6);
    assert_eq!(directions(&played.told), []);
    assert!(played.counters.invalid >= 4, "bounces are counted: {:?}", played.counters);
    let moving: Vec<u32> = speeds(&played.told)
        .into_iter()
        .filter(|(at, _)| (1_500_000..4_000_000).contains(at))
        .map(|(_, s)| s)
        .collect();
    assert!(moving.iter().all(|speed| speed.abs_diff(556) < 10), "{moving:?}");
    assert_eq!(speeds(&played.told).last().map(|(_, speed)| *speed), Some(0));
}

#[test]
fn lost_edges_are_counted_and_neither_stop_nor_turn_the_belt() {
    let settings = settings(FINE_UM);
    let edges = numbered(&read(&text("fast"), &ENCODER));
    let mut mind = mind(&settings);
    let mut told = play(&mut mind, &edges[..800], 353_000);
    // The agent does not run for a while. The kernel keeps the newest 1024 edges.
    for edge in &edges[1_650..2_674] {
        mind.edge(edge, &mut told);
    }
    told.extend(play(&mut mind, &edges[2_674..], 1_490_000));
    assert_eq!((mind.counters().lost, mind.lost()), (850, 850));
    assert_eq!(directions(&told), [Forward]);
    assert!(speeds(&told).iter().all(|(_, speed)| speed.abs_diff(5_556) < 60), "{:?}", speeds(&told));
    assert_eq!(faults(&told).len(), 1);
}

#[test]
fn what_is_lost_in_the_middle_of_a_window_makes_no_belt_slower() {
    let mut edges = numbered(&read(&text("fast"), &ENCODER));
    edges.retain(|edge| edge.number % 100 >= 10);
    let played = played_edges(&settings(FINE_UM), &edges, 1_490_000);
    assert!(played.counters.lost >= 300, "{:?}", played.counters);
    assert_eq!(directions(&played.told), [Forward]);
    assert!(
        speeds(&played.told).iter().all(|(_, speed)| speed.abs_diff(5_556) < 100),
        "{:?}",
        speeds(&played.told)
    );
}

#[test]
fn edges_the_wrong_way_round_are_put_right() {
    let mut edges = numbered(&read(&text("fast"), &ENCODER));
    let straight = played_edges(&settings(FINE_UM), &edges, SECOND);
    for place in (10..1_000).step_by(7) {
        edges.swap(place, place + 1);
    }
    let swapped = played_edges(&settings(FINE_UM), &edges, SECOND);
    assert_eq!(swapped.counters, straight.counters);
    assert_eq!(swapped.counts, straight.counts);
    assert_eq!(directions(&swapped.told), [Forward]);
}

#[test]
fn a_speed_beyond_all_belts_is_told_as_such() {
    let played = played(&settings(FINE_UM * 3.0), "fast", 1);
    let is_implausible = |told: &Told| matches!(&told.value, domain::signal::SignalValue::Implausible(_));
    assert!(played.told.iter().any(is_implausible));
    assert_eq!(speeds(&played.told), []);
}

#[test]
fn without_any_edge_a_belt_stands_after_half_a_second() {
    let mut mind = mind(&settings(FINE_UM));
    let told = play(&mut mind, &[], 3 * SECOND);
    assert_eq!(directions(&told), [Stopped]);
    assert!((500_000..=600_000).contains(&told[0].at.0));
    assert!(!directions(&told).contains(&Unknown));
    assert!(mind.due() > MonotonicMicros(3 * SECOND));
}
