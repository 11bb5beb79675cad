//! What is prescribed: in words, and as fields of a form. People write minutes and their own unit of speed.

use std::ops::RangeInclusive;

use wire::api::v1;

use super::form::{Entry, Field, FormPage};
use crate::texts::Language;
use crate::usage::figures::length;
use crate::words::Reader;

const SESSIONS: RangeInclusive<u32> = 1..=14;
const REVERSE_S: RangeInclusive<u32> = 30..=7_200;
const SPEED_MM_S: RangeInclusive<u32> = 100..=3_000;
const INTERVAL_S: RangeInclusive<u32> = 5..=1_800;
const WEEKS: RangeInclusive<u32> = 1..=52;

/// What is prescribed, piece by piece; empty: nothing.
pub(super) fn lines(prescription: Option<&v1::Prescription>, reader: Reader) -> Vec<String> {
    let t = reader.t;
    let Some(told) = prescription else { return Vec::new() };
    let lines = [
        told.sessions_a_week.map(|n| t.prescribed_sessions_are(n)),
        told.reverse_s.map(|seconds| t.prescribed_reverse_is(length(f64::from(seconds), reader))),
        told.speed_max_mps.map(|speed| t.prescribed_speed_is(speed_words(speed, reader))),
        told.interval_s.map(|seconds| t.prescribed_interval_is(seconds_words(f64::from(seconds), reader))),
        told.weeks.map(|n| t.prescribed_weeks_are(n)),
    ];
    lines.into_iter().flatten().collect()
}

/// A speed with two decimals at most, as two of them are compared.
pub(super) fn speed_words(metres_per_second: f64, reader: Reader) -> String {
    let number = decimal(metres_per_second * reader.unit.per_metre_per_second(), reader);
    format!("{number}\u{a0}{}", reader.unit.name())
}

/// Seconds up to two minutes, as intervals are spoken of.
pub(super) fn seconds_words(seconds: f64, reader: Reader) -> String {
    if seconds < 120.0 { reader.t.age_seconds(format!("{seconds:.0}")) } else { length(seconds, reader) }
}

/// A number with two decimals at most, and the language's own sign for them.
fn decimal(value: f64, reader: Reader) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match reader.t.language {
        Language::English => text.to_owned(),
        Language::German => text.replace('.', ","),
    }
}

/// A number as people type it.
fn typed(text: &str) -> Option<f64> {
    let is_plain =
        text.len() <= 12 && text.bytes().all(|octet| octet.is_ascii_digit() || b".,".contains(&octet));
    text.replace(',', ".").parse().ok().filter(|_| is_plain)
}

/// The nearest whole number, if it is in the range.
fn rounded(value: f64, allowed: &RangeInclusive<u32>) -> Option<u32> {
    format!("{value:.0}").parse().ok().filter(|number| allowed.contains(number))
}

fn reverse_text(seconds: u32, reader: Reader) -> String {
    decimal(f64::from(seconds) / 60.0, reader)
}

fn speed_text(metres_per_second: f64, reader: Reader) -> String {
    decimal(metres_per_second * reader.unit.per_metre_per_second(), reader)
}

/// The slowest and the fastest speed that may be typed, rounded so that both are allowed.
fn speeds(reader: Reader) -> (String, String) {
    let hundredths = |mm_s: &u32| f64::from(*mm_s) / 10.0 * reader.unit.per_metre_per_second();
    let (from, to) = (hundredths(SPEED_MM_S.start()), hundredths(SPEED_MM_S.end()));
    (decimal((from - 1e-6).ceil() / 100.0, reader), decimal((to + 1e-6).floor() / 100.0, reader))
}

/// The fields, filled with what is prescribed now.
pub(super) fn fields(told: &v1::Prescription, reader: Reader) -> Vec<Field> {
    let t = reader.t;
    let whole = |value: Option<u32>| value.map(|value| value.to_string()).unwrap_or_default();
    let (from, to) = speeds(reader);
    vec![
        Field::new("sessions_a_week", Entry::Whole, t.prescribed_sessions())
            .told(t.prescribed_sessions_hint(), t.prescribed_sessions_wrong())
            .of(whole(told.sessions_a_week)),
        Field::new("reverse_s", Entry::Decimal, t.prescribed_reverse())
            .told(t.prescribed_reverse_hint(), t.prescribed_reverse_wrong())
            .of(told.reverse_s.map(|seconds| reverse_text(seconds, reader)).unwrap_or_default()),
        Field::new("speed_max_mps", Entry::Decimal, t.prescribed_speed(reader.unit.name()))
            .told(t.prescribed_speed_hint(&from, &to), t.prescribed_speed_wrong(&from, &to))
            .of(told.speed_max_mps.map(|speed| speed_text(speed, reader)).unwrap_or_default()),
        Field::new("interval_s", Entry::Whole, t.prescribed_interval())
            .told(t.prescribed_interval_hint(), t.prescribed_interval_wrong())
            .of(whole(told.interval_s)),
        Field::new("weeks", Entry::Whole, t.prescribed_weeks())
            .told(t.prescribed_weeks_hint(), t.prescribed_weeks_wrong())
            .of(whole(told.weeks)),
    ]
}

/// What was typed into the fields. `was` is what they were filled with: a value that nobody touched stays exactly as it
/// is, whatever its digits on the page.
pub(super) fn read(page: &mut FormPage, was: &v1::Prescription, reader: Reader) -> v1::Prescription {
    let mut number =
        |name: &str, known: Option<(String, f64)>, allowed: &RangeInclusive<u32>, factor: f64| {
            let text = page.value(name).to_owned();
            if let Some((_, exact)) = known.filter(|(shown, _)| *shown == text) {
                return Some(exact);
            }
            let value = typed(&text).and_then(|value| rounded(value * factor, allowed));
            if value.is_none() && !text.is_empty() {
                page.refuse(name);
            }
            value.map(f64::from)
        };
    let known = |value: Option<u32>| value.map(|value| (value.to_string(), f64::from(value)));
    let reverse = was.reverse_s.map(|seconds| (reverse_text(seconds, reader), f64::from(seconds)));
    let speed = was.speed_max_mps.map(|speed| (speed_text(speed, reader), speed * 1_000.0));
    let mm_s = 1_000.0 / reader.unit.per_metre_per_second();
    let whole = |value: Option<f64>| value.and_then(|value| rounded(value, &(0..=u32::MAX)));
    v1::Prescription {
        sessions_a_week: whole(number("sessions_a_week", known(was.sessions_a_week), &SESSIONS, 1.0)),
        reverse_s: whole(number("reverse_s", reverse, &REVERSE_S, 60.0)),
        speed_max_mps: number("speed_max_mps", speed, &SPEED_MM_S, mm_s).map(|mm_s| mm_s / 1_000.0),
        interval_s: whole(number("interval_s", known(was.interval_s), &INTERVAL_S, 1.0)),
        weeks: whole(number("weeks", known(was.weeks), &WEEKS, 1.0)),
    }
}
