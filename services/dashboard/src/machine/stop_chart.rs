//! Stop times against their dates as a drawing made by the server: no script, no style within the page.

use jiff::tz::TimeZone;
use wire::api::v1;

use crate::drill::seconds_words;
use crate::texts::Texts;
use crate::words;

/// Size of the drawing, in its own units.
pub(super) const WIDTH: f64 = 360.0;
pub(super) const HEIGHT: f64 = 120.0;
/// Space at its edges, so that marks are whole.
const EDGE: f64 = 8.0;
/// Half the side of a mark.
const MARK: f64 = 4.0;

/// A drawing of measured stops.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) marks: Vec<Mark>,
    /// Time at the upper edge, in words; the lower edge is zero.
    pub(super) top: String,
    /// First and last day.
    pub(super) first: String,
    pub(super) last: String,
}

/// One stop: the path of its mark, its class, and the path of its limit; empty: it has none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) class: &'static str,
    pub(super) path: String,
    pub(super) limit: String,
}

impl Chart {
    /// None: fewer than two stops came to rest.
    pub(super) fn of(stops: &[v1::Stop], zone: &TimeZone, t: Texts) -> Option<Chart> {
        let timed: Vec<(i64, f64, &v1::Stop)> = stops
            .iter()
            .filter_map(|stop| {
                let took = stop.stop_time.as_ref().map(words::seconds)?;
                Some((words::millis(stop.time)?, took, stop))
            })
            .collect();
        let (first, last) = (timed.iter().map(|one| one.0).min()?, timed.iter().map(|one| one.0).max()?);
        if timed.len() < 2 {
            return None;
        }
        let limit = |stop: &v1::Stop| stop.limit.as_ref().map(words::seconds);
        let highest = timed.iter().map(|(_, took, stop)| took.max(limit(stop).unwrap_or(0.0)));
        let top = (highest.fold(0.1, f64::max) * 2.0).ceil() / 2.0;
        let x = |at: i64| {
            #[expect(clippy::cast_precision_loss, reason = "ten years in milliseconds are far below 2^52")]
            let share = (at - first) as f64 / (last - first).max(1) as f64;
            EDGE + share * (WIDTH - 2.0 * EDGE)
        };
        let y = |seconds: f64| HEIGHT - EDGE - seconds / top * (HEIGHT - 2.0 * EDGE);
        let mark = |(at, took, stop): &(i64, f64, &v1::Stop)| {
            let (class, path) = shape(stop, x(*at), y(*took));
            let limit = limit(stop).map(|limit| bar(x(*at), y(limit)));
            Mark { class, path, limit: limit.unwrap_or_default() }
        };
        let day = |ms: i64| {
            let at = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
            at.to_zoned(zone.clone()).date().to_string()
        };
        Some(Chart {
            marks: timed.iter().map(mark).collect(),
            top: t.stops_up_to(seconds_words(top, t)),
            first: day(first),
            last: day(last),
        })
    }
}

/// A mark says by its shape what stopped the belt and whether that failed.
fn shape(stop: &v1::Stop, x: f64, y: f64) -> (&'static str, String) {
    let (left, right, up, down) = (x - MARK, x + MARK, y - MARK, y + MARK);
    let failed = stop.limit.is_some() && !stop.passed;
    if failed {
        ("failed", format!("M{left:.1} {up:.1}L{right:.1} {down:.1}M{left:.1} {down:.1}L{right:.1} {up:.1}"))
    } else if stop.contact == "safety_key" {
        ("key", format!("M{x:.1} {up:.1}L{right:.1} {y:.1}L{x:.1} {down:.1}L{left:.1} {y:.1}Z"))
    } else {
        let turn = MARK * 2.0;
        ("button", format!("M{left:.1} {y:.1}a{MARK} {MARK} 0 1 0 {turn} 0a{MARK} {MARK} 0 1 0 -{turn} 0Z"))
    }
}

fn bar(x: f64, y: f64) -> String {
    format!("M{:.1} {y:.1}h{}", x - 2.0 * MARK, 4.0 * MARK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;

    fn stop(day: i64, ms: i32, limit_ms: i32, passed: bool, contact: &str) -> v1::Stop {
        let span = |ms: i32| {
            Some(prost_types::Duration { seconds: i64::from(ms / 1_000), nanos: ms % 1_000 * 1_000_000 })
        };
        v1::Stop {
            time: Some(prost_types::Timestamp { seconds: 1_800_000_000 + day * 86_400, nanos: 0 }),
            contact: contact.to_owned(),
            stop_time: span(ms).filter(|_| ms > 0),
            limit: span(limit_ms).filter(|_| limit_ms > 0),
            passed,
            ..v1::Stop::default()
        }
    }

    #[test]
    fn time_goes_to_the_right_and_up() {
        let t = Texts { language: Language::English };
        let stops = [
            stop(30, 1_900, 1_500, false, "emergency_stop"),
            stop(15, 1_000, 1_500, true, "safety_key"),
            stop(0, 500, 0, true, "emergency_stop"),
            stop(3, 0, 1_500, false, "emergency_stop"),
        ];
        let chart = Chart::of(&stops, &TimeZone::UTC, t).unwrap();
        assert_eq!((chart.first.as_str(), chart.last.as_str()), ("2027-01-15", "2027-02-14"));
        assert_eq!(chart.top, "Top: 2.00 s");
        let classes: Vec<_> = chart.marks.iter().map(|mark| mark.class).collect();
        assert_eq!(classes, ["failed", "key", "button"], "one that did not come to rest has no place");
        assert_eq!(chart.marks[0].path, "M348.0 9.2L356.0 17.2M348.0 17.2L356.0 9.2");
        assert_eq!(chart.marks[0].limit, "M344.0 34.0h16");
        assert_eq!(chart.marks[1].path, "M180.0 56.0L184.0 60.0L180.0 64.0L176.0 60.0Z");
        assert_eq!(chart.marks[2].path, "M4.0 86.0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z");
        assert_eq!(chart.marks[2].limit, "");
    }

    #[test]
    fn a_drawing_of_one_stop_says_nothing() {
        let t = Texts { language: Language::English };
        let one = stop(0, 500, 0, true, "emergency_stop");
        assert!(Chart::of(&[], &TimeZone::UTC, t).is_none());
        assert!(Chart::of(std::slice::from_ref(&one), &TimeZone::UTC, t).is_none());
        assert!(Chart::of(&[one.clone(), one], &TimeZone::UTC, t).is_some(), "at the same moment");
    }
}
