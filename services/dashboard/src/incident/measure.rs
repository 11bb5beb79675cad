//! Numbers with a name that says their unit, in the visitor's words.

use crate::texts::{Language, Texts};
use crate::words::Reader;

/// What a number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Speed,
    Acceleration,
    Milliseconds,
    Seconds,
    Percent,
    Tenths,
    Days,
    Beats,
    YesNo,
    Plain,
}

/// Endings of names, the longer ones of those that end alike first.
const ENDINGS: [(&str, Measure); 8] = [
    ("_mm_s2", Measure::Acceleration),
    ("_mm_s", Measure::Speed),
    ("_ms", Measure::Milliseconds),
    ("_s", Measure::Seconds),
    ("_tenths_of_percent", Measure::Tenths),
    ("_tenths", Measure::Tenths),
    ("_days", Measure::Days),
    ("_bpm", Measure::Beats),
];
/// Units of thresholds.
const UNITS: [(&str, Measure); 8] = [
    ("mm/s", Measure::Speed),
    ("mm/s²", Measure::Acceleration),
    ("ms", Measure::Milliseconds),
    ("%", Measure::Percent),
    ("0.1 %", Measure::Tenths),
    ("days", Measure::Days),
    ("bpm", Measure::Beats),
    ("0 or 1", Measure::YesNo),
];

type Words = fn(Texts) -> &'static str;

/// What rules measure. A name that is not known is shown as it is.
const MEASURED: [(&str, Words); 22] = [
    ("speed_mm_s", Texts::measured_speed),
    ("before_mm_s", Texts::measured_speed_before),
    ("speed_before_mm_s", Texts::measured_speed_before),
    ("speed_max_mm_s", Texts::measured_speed_max),
    ("second_speed_mm_s", Texts::measured_second_speed),
    ("commanded_mm_s", Texts::measured_commanded),
    ("from_mm_s", Texts::measured_from),
    ("over_mm_s", Texts::measured_over),
    ("rise_mm_s", Texts::measured_rise),
    ("held_ms", Texts::measured_held),
    ("moved_ms", Texts::measured_moved),
    ("silent_ms", Texts::measured_silent),
    ("allowed_ms", Texts::measured_allowed),
    ("after_reset_ms", Texts::measured_after_reset),
    ("incline_tenths_of_percent", Texts::measured_incline),
    ("before_tenths", Texts::measured_incline_before),
    ("after_tenths", Texts::measured_incline_after),
    ("heart_rate_bpm", Texts::measured_heart_rate),
    ("gap_s", Texts::measured_gap),
    ("lost_s", Texts::measured_lost),
    ("button_days", Texts::measured_button_days),
    ("key_days", Texts::measured_key_days),
];

/// What was measured, in words.
pub(super) fn name(name: &str, t: Texts) -> String {
    MEASURED
        .iter()
        .find(|(known, _)| *known == name)
        .map_or_else(|| name.to_owned(), |(_, words)| words(t).to_owned())
}

/// A number that was measured, with the unit that its name says.
pub(super) fn measured(name: &str, value: i64, reader: Reader) -> String {
    let found = ENDINGS.iter().find(|(ending, _)| name.ends_with(ending));
    worded(found.map_or(Measure::Plain, |(_, measure)| *measure), value, reader)
}

/// A threshold's number with its unit; one that is not known is shown as it is.
pub(super) fn threshold(unit: &str, value: i64, reader: Reader) -> String {
    match UNITS.iter().find(|(known, _)| *known == unit) {
        Some((_, measure)) => worded(*measure, value, reader),
        None => format!("{value} {unit}").trim_end().to_owned(),
    }
}

fn worded(measure: Measure, value: i64, reader: Reader) -> String {
    let t = reader.t;
    #[expect(clippy::cast_precision_loss, reason = "figures of a treadmill are far below 2^52")]
    let number = value as f64;
    match measure {
        Measure::Speed => reader.speed(number / 1_000.0),
        Measure::Acceleration => t.per_second(reader.speed(number / 1_000.0)),
        Measure::Milliseconds if value.abs() < 1_000 => t.milliseconds(value),
        Measure::Milliseconds if value % 60_000 == 0 => t.age_minutes(value / 60_000),
        Measure::Milliseconds => t.age_seconds(decimals(number / 1_000.0, 3, t)),
        Measure::Seconds if value >= 120 => reader.age(value),
        Measure::Seconds => t.age_seconds(value),
        Measure::Percent => format!("{value}\u{a0}%"),
        Measure::Tenths => reader.incline(number / 10.0),
        Measure::Days => t.days(value),
        Measure::Beats => t.beats(value),
        Measure::YesNo => if value == 0 { t.no() } else { t.yes() }.to_owned(),
        Measure::Plain => value.to_string(),
    }
}

/// With at most so many decimals and the language's own sign for it, without zeros at the end.
pub(super) fn decimals(value: f64, most: usize, t: Texts) -> String {
    let text = format!("{value:.most$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    match t.language {
        Language::English => text.to_owned(),
        Language::German => text.replace('.', ","),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Unit;

    const ENGLISH: Reader =
        Reader { t: Texts { language: Language::English }, unit: Unit::KilometresPerHour };
    const GERMAN: Reader = Reader { t: Texts { language: Language::German }, unit: Unit::MilesPerHour };

    #[test]
    fn names_say_units() {
        let check = |name: &str, value: i64, english: &str, german: &str| {
            assert_eq!(measured(name, value, ENGLISH), english, "{name}");
            assert_eq!(measured(name, value, GERMAN), german, "{name}");
        };
        check("speed_mm_s", 1_000, "3.6\u{a0}km/h", "2,2\u{a0}mph");
        check("rise_mm_s2", 1_000, "3.6\u{a0}km/h per second", "2,2\u{a0}mph je Sekunde");
        check("held_ms", 999, "999 ms", "999 ms");
        check("held_ms", 2_500, "2.5 s", "2,5 s");
        check("held_ms", 10_000, "10 s", "10 s");
        check("silent_ms", 900_000, "15 min", "15 min");
        check("gap_s", 30, "30 s", "30 s");
        check("gap_s", 7_200, "2 h", "2 Std.");
        check("incline_tenths_of_percent", 35, "+3.5\u{a0}%", "+3,5\u{a0}%");
        check("before_tenths", -10, "-1.0\u{a0}%", "-1,0\u{a0}%");
        check("key_days", 31, "31 d", "31 Tage");
        check("heart_rate_bpm", 181, "181 beats a minute", "181 Schläge je Minute");
        check("of_the_future", 7, "7", "7");
    }

    #[test]
    fn thresholds_are_told_in_their_unit() {
        let check = |unit: &str, value: i64, expected: &str| {
            assert_eq!(threshold(unit, value, ENGLISH), expected, "{unit}");
        };
        check("mm/s", 1_500, "5.4\u{a0}km/h");
        check("mm/s²", 500, "1.8\u{a0}km/h per second");
        check("ms", 50, "50 ms");
        check("0.1 %", 5, "+0.5\u{a0}%");
        check("%", 130, "130\u{a0}%");
        check("0 or 1", 1, "yes");
        check("", 3, "3");
        check("furlongs", 3, "3 furlongs");
    }
}
