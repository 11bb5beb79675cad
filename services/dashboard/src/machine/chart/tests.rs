use super::*;

fn reading(at: i64, direction: v1::Direction, speed: Option<f64>) -> v1::Reading {
    let seconds = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
    v1::Reading {
        time: Some(prost_types::Timestamp { seconds: at, nanos: 0 }),
        span: seconds(1),
        holds_for: seconds(3),
        direction: direction.into(),
        speed_mean_mps: speed,
        ..v1::Reading::default()
    }
}

#[test]
fn reverse_is_below_zero_and_unknown_has_its_own_line() {
    let chart = draw(
        &[
            reading(1, v1::Direction::Forward, Some(1.0)),
            reading(2, v1::Direction::Stopped, None),
            reading(3, v1::Direction::Reverse, Some(2.0)),
            reading(4, v1::Direction::Unknown, Some(1.0)),
            reading(5, v1::Direction::Forward, None),
        ],
        Unit::KilometresPerHour,
    );
    assert_eq!(chart.signed, [Some(3.6), Some(0.0), Some(-7.2), None, None]);
    assert_eq!(chart.unknown, [None, None, None, Some(3.6), None]);
}

#[test]
fn where_no_reading_stands_there_is_a_hole() {
    let forward = |at| reading(at, v1::Direction::Forward, Some(1.0));
    let chart = draw(&[forward(1), forward(5), forward(10)], Unit::KilometresPerHour);
    // The reading of 1 s stands until 4 s, where that of 5 s begins; that of 5 s stands until 8 s only.
    assert_eq!(chart.times, [1.0, 5.0, 8.0, 10.0]);
    assert_eq!(chart.signed, [Some(3.6), Some(3.6), None, Some(3.6)]);
}
