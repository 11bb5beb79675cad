//! Hashes and times as text.

use domain::units::UnixMicros;
use sha2::{Digest, Sha256};

use crate::Hash;

/// Characters of something foreign that a finding quotes. More: cut.
const QUOTED_CHARACTERS_MAX: usize = 80;

/// SHA-256.
pub(crate) fn sha256(octets: &[u8]) -> Hash {
    Sha256::digest(octets).into()
}

/// Octets from hexadecimal digits; only the lower-case ones that this crate writes.
pub(crate) fn octets<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut octets = [0; N];
    hex::decode_to_slice(digits, &mut octets).ok()?;
    (!digits.bytes().any(|digit| digit.is_ascii_uppercase())).then_some(octets)
}

/// What a person has copied, as it is compared: without blanks and colons, in small letters.
pub(crate) fn plain(digits: &str) -> String {
    digits.chars().filter(|c| !c.is_whitespace() && *c != ':').map(|c| c.to_ascii_lowercase()).collect()
}

/// A text from a file that may be forged, so that it can be shown anywhere: cut, without control characters.
pub(crate) fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(QUOTED_CHARACTERS_MAX).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("\"{}{more}\"", cut.escape_debug())
}

/// A time for people, such as `2026-11-21 14:50:11.250000 UTC`.
pub(crate) fn utc(time: UnixMicros) -> String {
    const DAY_US: i64 = 86_400_000_000;
    let (days, rest) = (time.0.div_euclid(DAY_US), time.0.rem_euclid(DAY_US));
    // Days since 1970 to a date of the Gregorian calendar, counted in eras of 400 years that begin in March.
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    let seconds = rest / 1_000_000;
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}.{:06} UTC",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        rest % 1_000_000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_for_people() {
        let check = |micros, text: &str| assert_eq!(utc(UnixMicros(micros)), text);
        check(0, "1970-01-01 00:00:00.000000 UTC");
        check(-1, "1969-12-31 23:59:59.999999 UTC");
        check(951_782_400_000_000, "2000-02-29 00:00:00.000000 UTC");
        check(951_868_800_000_000, "2000-03-01 00:00:00.000000 UTC");
        check(1_795_272_611_250_000, "2026-11-21 14:50:11.250000 UTC");
        // The ends of what a time can be are told, too.
        assert!(utc(UnixMicros(i64::MIN)).ends_with("UTC"));
        assert!(utc(UnixMicros(i64::MAX)).ends_with("UTC"));
    }

    #[test]
    fn only_small_digits_are_octets() {
        assert_eq!(octets::<2>("0aff"), Some([10, 255]));
        for bad in ["0aFF", "0af", "0aff0", "0ag0", "", "0x12"] {
            assert_eq!(octets::<2>(bad), None, "{bad}");
        }
        assert_eq!(plain(" 0A:ff\n"), "0aff");
    }

    #[test]
    fn what_is_quoted_cannot_steer_a_terminal() {
        assert_eq!(quoted("a\u{1b}[2J\n"), "\"a\\u{1b}[2J\\n\"");
        assert!(quoted(&"ä".repeat(1_000)).chars().count() < 90);
    }
}
