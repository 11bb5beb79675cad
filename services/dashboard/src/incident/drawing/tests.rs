use wire::api::v1;

use super::*;
use crate::texts::{Language, Texts};
use crate::words::Unit;

const READER: Reader = Reader { t: Texts { language: Language::English }, unit: Unit::KilometresPerHour };

fn point(millis: i32, direction: v1::Direction, speed: Option<f64>) -> v1::RecordingPoint {
    v1::RecordingPoint {
        time: Some(prost_types::Timestamp { seconds: 100, nanos: millis * 1_000_000 }),
        direction: direction.into(),
        speed_mps: speed,
        ..v1::RecordingPoint::default()
    }
}

fn drawing(points: Vec<v1::RecordingPoint>) -> Option<Drawing> {
    let time = Some(prost_types::Timestamp { seconds: 100, nanos: 0 });
    let incident = v1::Incident { time, ..v1::Incident::default() };
    let found = v1::GetIncidentResponse { incident: Some(incident), recording: points, ..Default::default() };
    Drawing::new(&Trace::new(&found, READER), Some(100.0), READER)
}

#[test]
fn reverse_lies_below_zero_and_what_is_not_known_breaks_the_line() {
    let (forward, reverse, unknown) =
        (v1::Direction::Forward, v1::Direction::Reverse, v1::Direction::Unknown);
    let drawn = drawing(vec![
        point(0, forward, Some(1.0)),
        point(100, forward, None),
        point(200, reverse, Some(2.0)),
        point(300, unknown, Some(1.0)),
    ])
    .unwrap();
    assert_eq!(drawn.signed.matches('M').count(), 2, "{}", drawn.signed);
    assert!(drawn.has_reverse && drawn.has_unknown);
    let zero: f64 = drawn.zero.parse().unwrap();
    let heights: Vec<f64> = drawn
        .signed
        .split(['M', 'L'])
        .skip(1)
        .map(|at| at.split_once(' ').unwrap().1.parse().unwrap())
        .collect();
    assert!(heights[0] < zero && heights[1] > zero, "{heights:?} around {zero}");
    let unknown: f64 = drawn.unknown.split_once(' ').unwrap().1.parse().unwrap();
    assert!(unknown < zero, "a speed without direction is drawn upward");
}

#[test]
fn nothing_is_drawn_of_nothing() {
    assert_eq!(drawing(Vec::new()), None);
    assert_eq!(drawing(vec![point(0, v1::Direction::Unknown, None)]), None);
}

#[test]
fn axes_have_round_numbers_and_zero() {
    let drawn = drawing(vec![point(0, v1::Direction::Forward, Some(3.0))]).unwrap();
    let words = |labels: &[Label]| labels.iter().map(|label| label.words.clone()).collect::<Vec<_>>();
    assert_eq!(words(&drawn.times), ["−4", "−2", "0", "+2", "+4"]);
    assert_eq!(words(&drawn.speeds), ["0", "2", "4", "6", "8", "10", "12", "14"]);
    for (span, expected) in [(0.1, 0.1), (8.0, 1.0), (8.1, 2.0), (20.0, 5.0), (60.0, 10.0), (0.0, 0.1)] {
        assert!((step(span) - expected).abs() < 1e-9, "{span}: {}", step(span));
    }
}
