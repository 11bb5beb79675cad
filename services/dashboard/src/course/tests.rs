use super::prescribed::{lines, seconds_words, speed_words};
use super::weeks::Chart;
use super::*;
use crate::texts::Language;
use crate::words::{Reader, Unit};

const ENGLISH: Reader = Reader { t: Texts { language: Language::English }, unit: Unit::KilometresPerHour };
const GERMAN: Reader = Reader { t: Texts { language: Language::German }, unit: Unit::MilesPerHour };

#[test]
fn every_word_in_an_address_is_read_again() {
    for done in Done::ALL {
        assert_eq!(Done::read(done.word(), ENGLISH.t), done.words(ENGLISH.t));
    }
    assert_eq!(Done::read("<b>", ENGLISH.t), "");
}

#[test]
fn speeds_and_seconds_are_told_as_exactly_as_they_are_compared() {
    let check = |speed, reader, words: &str| assert_eq!(speed_words(speed, reader), words);
    check(1.0, ENGLISH, "3.6\u{a0}km/h");
    check(0.905, ENGLISH, "3.26\u{a0}km/h");
    check(0.9, ENGLISH, "3.24\u{a0}km/h");
    check(1.0, GERMAN, "2,24\u{a0}mph");
    check(10.0 / 3.6, ENGLISH, "10\u{a0}km/h");
    assert_eq!(seconds_words(36.4, ENGLISH), "36 s");
    assert_eq!(seconds_words(119.0, ENGLISH), "119 s");
    assert_eq!(seconds_words(180.0, GERMAN), "3,0 min");
}

#[test]
fn only_what_is_prescribed_is_told() {
    let some = v1::Prescription { reverse_s: Some(450), weeks: Some(6), ..v1::Prescription::default() };
    assert_eq!(lines(Some(&some), ENGLISH), ["7.5 min in reverse a session", "for 6 weeks"]);
    assert_eq!(lines(None, ENGLISH).len(), 0);
}

#[test]
fn weeks_without_motion_are_not_drawn() {
    let still = vec![v1::CourseWeek::default(); 3];
    assert!(Chart::new(&still, ENGLISH).is_none() && Chart::new(&[], ENGLISH).is_none());
    let unknown = Some(prost_types::Duration { seconds: 60, nanos: 0 });
    let moved = vec![v1::CourseWeek::default(), v1::CourseWeek { unknown, ..v1::CourseWeek::default() }];
    let chart = Chart::new(&moved, ENGLISH).unwrap();
    assert_eq!(chart.bars[0].reverse, ("100.00%".to_owned(), "0.00%".to_owned()));
    assert_eq!(chart.bars[1].unknown, ("0.00%".to_owned(), "100.00%".to_owned()));
    assert_eq!(chart.bars[1].begin, "55.00%");
}
