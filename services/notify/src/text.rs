//! Texts for people.

use domain::units::UnixMicros;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// At most so many characters; of a longer text the last one says that it goes on.
pub(crate) fn cut(text: &str, characters_max: usize) -> String {
    if text.chars().count() <= characters_max {
        return text.to_owned();
    }
    text.chars().take(characters_max - 1).chain(['…']).collect()
}

/// One line: control characters become blanks.
pub(crate) fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A moment in a time zone, such as `2026-11-21 14:05:09 CET`; in UTC if the zone is not known.
pub(crate) fn local(time: UnixMicros, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    zoned(time, zone).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// A moment as RFC 3339 writes it, in UTC, with milliseconds.
pub(crate) fn rfc_3339(time: UnixMicros) -> String {
    zoned(time, TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The day in UTC, such as `2026-11-21`.
pub(crate) fn day(time: UnixMicros) -> String {
    zoned(time, TimeZone::UTC).strftime("%Y-%m-%d").to_string()
}

/// What no calendar holds becomes 1970.
fn zoned(time: UnixMicros, zone: TimeZone) -> jiff::Zoned {
    Timestamp::from_microsecond(time.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_cuts() {
        let time = UnixMicros(1_800_000_000_123_456);
        assert_eq!(local(time, "Europe/Vienna"), "2027-01-15 09:00:00 CET");
        assert_eq!(local(time, "Nowhere/Else"), "2027-01-15 08:00:00 UTC");
        assert_eq!((rfc_3339(time).as_str(), day(time).as_str()), ("2027-01-15T08:00:00.123Z", "2027-01-15"));
        assert_eq!(rfc_3339(UnixMicros(i64::MAX)), "1970-01-01T00:00:00.000Z");
        assert_eq!((cut("abcdef", 6).as_str(), cut("äbcdef", 3).as_str()), ("abcdef", "äb…"));
        assert_eq!(line("a\r\nBcc: b"), "a  Bcc: b");
    }
}
