//! Belts and edges as they come.

use agent::source::encoder::{Mind, Odometer, Settings};
use agent::source::gpio::{Edge, LineMind, Told};
use domain::belt::Direction;
use domain::signal::SignalValue;
use domain::units::MonotonicMicros;
use proptest::prelude::*;

use super::belt::{Belt, steady};
use super::captures::FINE_UM;
use super::encoder::settings;
use super::play::{numbered, play};

/// How long a belt runs at one speed.
const STRETCH_S: f64 = 1.3;

fn last(told: &[Told]) -> (Option<Direction>, Option<u32>) {
    let mut last = (None, None);
    for told in told {
        if let SignalValue::MeasuredDirection(direction) = told.value {
            last.0 = Some(direction);
        } else if let SignalValue::Speed(speed) = told.value {
            last.1 = Some(speed.0);
        }
    }
    last
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn without_noise_the_direction_is_the_belts_and_no_count_is_missing(
        um_per_count in 1_000.0..20_000.0f64,
        invert in any::<bool>(),
        speeds in prop::collection::vec(
            prop_oneof![Just(0.0), 250.0..4_000.0f64, -2_000.0..-250.0f64], 1..8),
    ) {
        let settings = Settings { invert, ..settings(um_per_count) };
        let odometer = Odometer::default();
        let mut mind = Mind::new(&settings, odometer.clone(), MonotonicMicros(0));
        let (mut belt, mut edges_before) = (Belt::shown(um_per_count), 0);
        for mm_s in speeds {
            belt.run(&[steady(STRETCH_S, mm_s)]);
            let edges = numbered(&belt.lines);
            let told = play(&mut mind, &edges[edges_before..], belt.now_us);
            edges_before = edges.len();
            let sign = if invert { -1 } else { 1 };
            prop_assert_eq!(odometer.shown().counts, sign * belt.counts());
            prop_assert_eq!(mind.counters().invalid, 0);
            let (direction, speed) = last(&told);
            let expected = match (mm_s == 0.0, (mm_s > 0.0) != invert) {
                (true, _) => Direction::Stopped,
                (false, true) => Direction::Forward,
                (false, false) => Direction::Reverse,
            };
            prop_assert_eq!(direction, Some(expected), "at {} mm/s", mm_s);
            let speed = f64::from(speed.unwrap());
            // Ticks fall between counts, and a count may be a quarter of its length off its place.
            prop_assert!((speed - mm_s.abs()).abs() <= 3.0 + mm_s.abs() * 0.06, "{} at {} mm/s", speed, mm_s);
        }
    }

    #[test]
    fn any_edges_do_no_harm(
        has_b in any::<bool>(),
        edges in prop::collection::vec((0u64..300_000, 0usize..4, any::<bool>(), 0u32..6), 0..400),
    ) {
        let all = settings(FINE_UM);
        let line_b = if has_b { all.line_b.clone() } else { None };
        let mut mind = Mind::new(&Settings { line_b, ..all }, Odometer::default(), MonotonicMicros(0));
        let (mut at, mut number, mut came) = (0, 0u32, Vec::new());
        for (pause, line, is_high, ahead) in edges {
            at += pause;
            number = number.wrapping_add(ahead).wrapping_sub(1);
            came.push(Edge { at: MonotonicMicros(at), line, is_high, number });
        }
        let told = play(&mut mind, &came, at + 20_000_000);
        let is_direction = |told: &Told| matches!(told.value, SignalValue::MeasuredDirection(_));
        prop_assert!(has_b || !told.iter().any(is_direction), "one line has no direction");
        prop_assert!(told.len() < 4 + 3 * (usize::try_from(at).unwrap() + 20_000_000) / 100_000);
        prop_assert!(mind.due() > MonotonicMicros(at));
    }
}
