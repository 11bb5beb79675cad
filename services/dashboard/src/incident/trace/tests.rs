use super::*;
use crate::texts::Language;

const READER: Reader = Reader { t: Texts { language: Language::English }, unit: Unit::KilometresPerHour };
/// Thousandths of a second.
const MS: i32 = 1_000_000;

fn at(seconds: i64, nanos: i32) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos })
}

fn reading(seconds: i64, direction: v1::Direction, speed: Option<f64>) -> v1::Reading {
    v1::Reading {
        time: at(seconds, 0),
        span: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
        direction: direction.into(),
        speed_mean_mps: speed,
        ..v1::Reading::default()
    }
}

fn point(seconds: i64, nanos: i32, speed: f64, stop: v1::ContactState) -> v1::RecordingPoint {
    let contacts = v1::Contacts { emergency_stop: stop.into(), ..v1::Contacts::default() };
    v1::RecordingPoint {
        time: at(seconds, nanos),
        direction: v1::Direction::Reverse.into(),
        speed_mps: Some(speed),
        contacts: Some(contacts),
        ..v1::RecordingPoint::default()
    }
}

fn incident(seconds: i64) -> v1::Incident {
    v1::Incident { time: at(seconds, 0), ..v1::Incident::default() }
}

#[test]
fn readings_are_signed_and_have_holes_where_nothing_is_known() {
    let found = v1::GetIncidentResponse {
        incident: Some(incident(12)),
        readings: vec![
            reading(10, v1::Direction::Forward, Some(1.0)),
            reading(11, v1::Direction::Reverse, Some(2.0)),
            reading(12, v1::Direction::Unknown, Some(1.0)),
            reading(13, v1::Direction::Unknown, None),
            // From here nothing for five seconds.
            reading(19, v1::Direction::Stopped, None),
        ],
        ..v1::GetIncidentResponse::default()
    };
    let trace = Trace::new(&found, READER);
    assert_eq!(trace.times, [9.0, 10.0, 11.0, 12.0, 13.0, 13.001, 18.0, 19.0]);
    let none = None;
    assert_eq!(trace.signed, [Some(3.6), Some(3.6), Some(-7.2), none, none, none, Some(0.0), Some(0.0)]);
    assert_eq!(trace.unknown, [none, none, none, Some(3.6), none, none, none, none]);
    assert_eq!((trace.from, trace.until), (7.0, 19.0));
}

#[test]
fn a_recording_comes_before_readings() {
    let (closed, open) = (v1::ContactState::Closed, v1::ContactState::Open);
    let found = v1::GetIncidentResponse {
        incident: Some(incident(10)),
        readings: vec![reading(10, v1::Direction::Forward, Some(1.0))],
        recording: vec![
            point(10, 0, 1.0, closed),
            point(10, 100 * MS, 1.0, open),
            point(10, 200 * MS, 0.5, open),
            point(10, 300 * MS, 0.0, closed),
            // Of an agent that was silent in between the contact is not known.
            point(20, 0, 0.0, open),
            point(20, 100 * MS, 0.0, open),
        ],
        ..v1::GetIncidentResponse::default()
    };
    let trace = Trace::new(&found, READER);
    assert_eq!(trace.times, [10.0, 10.1, 10.2, 10.3, 10.301, 20.0, 20.1]);
    assert_eq!(trace.signed[1], Some(-3.6));
    let label = "Emergency stop";
    let first = Shade { from: 10.1, until: 10.3, label };
    assert_eq!(trace.shades, [first, Shade { from: 20.0, until: 20.1, label }]);
}

#[test]
fn marks_are_within_what_is_shown() {
    let stop = |seconds| v1::MeasuredStop {
        time: Some(prost_types::Duration { seconds, nanos: 500 * MS }),
        distance_m: 1.0,
    };
    let check = |stopped: i64, cleared: i64, expected: &[(&str, f64, bool)]| {
        let incident =
            v1::Incident { stop: Some(stop(stopped)), clear_time: at(cleared, 0), ..incident(100) };
        let found = v1::GetIncidentResponse { incident: Some(incident), ..Default::default() };
        let trace = Trace::new(&found, READER);
        let marks: Vec<_> = trace.marks.iter().map(|mark| (mark.label, mark.at, mark.main)).collect();
        assert_eq!(marks, expected);
    };
    let here = ("here", 100.0, true);
    check(1, 103, &[here, ("standstill", 101.5, false), ("over", 103.0, false)]);
    check(9, 103, &[here, ("over", 103.0, false)]);
    check(1, 4_000, &[here, ("standstill", 101.5, false)]);
}

#[test]
fn without_anything_there_is_nothing_to_draw() {
    assert_eq!(Trace::new(&v1::GetIncidentResponse::default(), READER), Trace::default());
}
