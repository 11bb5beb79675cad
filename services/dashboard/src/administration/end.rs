//! The last day of a user or token, as forms show and send it.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::words;

/// The moment after a day that was typed, UTC. None: no day was typed.
///
/// # Errors
///
/// What was typed is no day.
pub(super) fn read(text: &str) -> Result<Option<prost_types::Timestamp>, ()> {
    if text.is_empty() {
        return Ok(None);
    }
    let after = text.parse::<Date>().and_then(Date::tomorrow);
    let moment = after.and_then(|day| day.to_zoned(TimeZone::UTC)).map_err(|_| ())?.timestamp();
    Ok(Some(prost_types::Timestamp { seconds: moment.as_second(), nanos: 0 }))
}

/// The last whole or begun day before an end, UTC. Empty: there is no end.
pub(super) fn day(end: Option<prost_types::Timestamp>) -> String {
    let last = words::moment(end).and_then(|end| end.checked_sub(Span::new().nanoseconds(1)).ok());
    last.map(|last| last.to_zoned(TimeZone::UTC).date().to_string()).unwrap_or_default()
}

/// Date and time of day, UTC.
pub(super) fn moment_words(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Whether an end has passed.
pub(super) fn has_passed(end: Option<prost_types::Timestamp>, now: Timestamp) -> bool {
    words::moment(end).is_some_and(|end| end <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_day_is_whole() {
        let check = |text: &str, seconds: i64| {
            let end = read(text).unwrap().unwrap();
            assert_eq!((end.seconds, end.nanos), (seconds, 0), "{text}");
            assert_eq!(day(Some(end)), text);
        };
        check("2026-11-21", 1_795_305_600);
        check("2024-02-28", 1_709_164_800);
        check("2024-02-29", 1_709_251_200);
        assert_eq!(read(""), Ok(None));
        assert_eq!(day(None), "");
        for wrong in ["tomorrow", "2026-02-30", "21.11.2026", "9999-12-31", "2026-11-21; x"] {
            assert_eq!(read(wrong), Err(()), "{wrong}");
        }
    }

    #[test]
    fn an_end_within_a_day_names_that_day() {
        let end = prost_types::Timestamp { seconds: 1_795_305_600 - 3_600, nanos: 0 };
        assert_eq!(day(Some(end)), "2026-11-21");
    }
}
