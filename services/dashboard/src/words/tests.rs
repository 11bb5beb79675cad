use super::*;

const ENGLISH: Reader = Reader { t: Texts { language: Language::English }, unit: Unit::KilometresPerHour };
const GERMAN: Reader = Reader { t: Texts { language: Language::German }, unit: Unit::MilesPerHour };

#[test]
fn speeds_have_their_unit_and_the_sign_of_the_language() {
    for (speed, english, german) in [
        (0.0, "0.0\u{a0}km/h", "0,0\u{a0}mph"),
        (1.0, "3.6\u{a0}km/h", "2,2\u{a0}mph"),
        (2.777_8, "10.0\u{a0}km/h", "6,2\u{a0}mph"),
        (-0.001, "0.0\u{a0}km/h", "0,0\u{a0}mph"),
    ] {
        assert_eq!((ENGLISH.speed(speed).as_str(), GERMAN.speed(speed).as_str()), (english, german));
    }
}

#[test]
fn inclines_have_a_sign_unless_level() {
    for (percent, words) in
        [(1.5, "+1.5\u{a0}%"), (-2.0, "-2.0\u{a0}%"), (0.0, "0.0\u{a0}%"), (-0.01, "0.0\u{a0}%")]
    {
        assert_eq!(ENGLISH.incline(percent), words);
    }
}

#[test]
fn ages_are_told_in_one_unit() {
    for (seconds, english, german) in [
        (-5, "0 s", "0 s"),
        (59, "59 s", "59 s"),
        (60, "1 min", "1 min"),
        (3_599, "59 min", "59 min"),
        (3_600, "1 h", "1 Std."),
        (86_399, "23 h", "23 Std."),
        (86_400, "1 d", "1 T."),
    ] {
        assert_eq!((ENGLISH.age(seconds).as_str(), GERMAN.age(seconds).as_str()), (english, german));
    }
}

#[test]
fn sentences_take_their_age_where_they_want_it() {
    let now = 1_000_000;
    assert_eq!(ENGLISH.aged("stopped, {ago}.", Some(988_000), now), "stopped, 12 s ago.");
    assert_eq!(GERMAN.aged("läuft {for}", Some(940_000), now), "läuft seit 1 min");
    assert_eq!(ENGLISH.aged("runs {for}", None, now), "runs not known");
    assert_eq!(ENGLISH.aged("nothing to say", Some(0), now), "nothing to say");
}

#[test]
fn exact_times_come_back_as_they_went() {
    for (seconds, nanos) in [(0, 0), (1_800_000_000, 1), (1_800_000_000, 999_999_999)] {
        let time = prost_types::Timestamp { seconds, nanos };
        assert_eq!(from_exact(&exact(Some(time))), Some(time));
    }
    for nonsense in ["", "1", "1.", "1.1", "-1.000000000", "1.+00000000", "99999999999999999999.000000000"] {
        assert_eq!(from_exact(nonsense), None, "{nonsense}");
    }
}

#[test]
fn distances_are_told_in_the_unit_of_the_speed() {
    assert_eq!(ENGLISH.distance(949.6), "950 m");
    assert_eq!(ENGLISH.distance(1_250.0), "1.2 km");
    assert_eq!(GERMAN.distance(1_609.344), "1,0 mi");
}
