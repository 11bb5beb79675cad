use super::*;
use crate::texts::Language;
use crate::words::Unit;

const READER: Reader = Reader { t: Texts { language: Language::English }, unit: Unit::KilometresPerHour };

fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

fn segment(direction: v1::Direction, start: i64, end: i64) -> v1::Segment {
    v1::Segment {
        direction: direction.into(),
        start_time: at(start),
        end_time: at(end),
        distance_m: 50.0,
        speed_max_mps: 2.0,
        ..v1::Segment::default()
    }
}

#[test]
fn a_session_is_told_in_the_zone_of_its_site() {
    let session = v1::Session {
        start_time: at(0),
        last_motion_time: at(100),
        segments: vec![
            segment(v1::Direction::Forward, 0, 50),
            segment(v1::Direction::Stopped, 50, 75),
            segment(v1::Direction::Reverse, 75, 100),
        ],
        ..v1::Session::default()
    };
    let line = session_line(&session, READER, &words::zone("Europe/Vienna"));
    assert_eq!(
        (line.start.as_str(), line.length.as_str(), line.distance.as_str()),
        ("01:00", "1 min", "150 m")
    );
    let strip: Vec<_> = line.segments.iter().map(|one| (one.words, one.begin, one.width)).collect();
    assert_eq!(strip, [("forward", 0, 500), ("rest", 500, 250), ("reverse", 750, 250)]);
    assert_eq!(line.segments[1].speed, "");
    assert_eq!(line.segments[2].speed, "up to 7.2\u{a0}km/h");
}

#[test]
fn almost_all_is_not_all() {
    let check = |covered_ms: i32, asked: i64, lost, expected: &str| {
        let covered = prost_types::Duration { seconds: 0, nanos: covered_ms * 1_000_000 };
        let asked = prost_types::Duration { seconds: asked, nanos: 0 };
        let coverage = v1::Coverage { covered: Some(covered), asked: Some(asked), records_lost: lost };
        assert_eq!(coverage_words(Some(&coverage), READER), expected);
    };
    check(1_000, 1, 0, "100.0 % of the time is covered by readings.");
    check(999, 1, 0, "99.9 % of the time is covered by readings.");
    check(500, 1, 3, "50.0 % of the time is covered by readings. Records lost: 3.");
    check(0, 0, 0, "Coverage is not known.");
    assert_eq!(coverage_words(None, READER), "Coverage is not known.");
}

#[test]
fn events_are_told_in_words_and_unknown_ones_are_not_hidden() {
    let check = |kind: &str, contact: &str, what: &str, alarm: bool| {
        let event = v1::Event { kind: kind.to_owned(), contact: contact.to_owned(), ..v1::Event::default() };
        let line = event_line(&event, READER, &TimeZone::UTC);
        assert_eq!((line.what, line.alarm), (what, alarm));
    };
    check("contact_opened", "emergency_stop", "Emergency stop pressed", true);
    check("contact_closed", "safety_key", "Safety key put back", false);
    check("contact_opened", "hand_rail", "Contact opened", false);
    check("belt_started", "", "Belt started", false);
    check("direction_disagreed", "", "Two sources disagree on the direction", false);
    check("contact_disagreed", "emergency_stop", "Two sources disagree on a contact", false);
    check("fault_reported", "", "Machine reports a fault", false);
    check("speed_jumped", "", "Speed jumped", false);
    check("of_the_future", "", "Unknown", false);
}
