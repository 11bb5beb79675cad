//! What is refused, in which words, and the most that is not.

use jiff::civil::Weekday;

use super::{day, periods, quarter, zones};
use crate::units::UnixMicros;
use crate::usage::calendar::{
    CalendarError, DATE_EARLIEST, DATE_LATEST, QUARTER_EARLIEST, QUARTER_LATEST, Resolution, Zones,
    check_zone,
};

#[test]
fn what_cannot_be_asked_is_named() {
    #[track_caller]
    fn check<T: std::fmt::Debug>(result: Result<T, CalendarError>, expected: &str) {
        assert_eq!(result.unwrap_err().to_string(), expected);
    }
    let berlin = zones("Europe/Berlin");
    let (first, last) = (QUARTER_EARLIEST, QUARTER_LATEST);
    let allowed = "2000-01-01T00:00:00Z until 2100-01-01T00:00:00Z is allowed";
    check(
        berlin.calendar(first - 1, first),
        &format!("the range is 1999-12-31T23:45:00Z until 2000-01-01T00:00:00Z; {allowed}"),
    );
    check(
        berlin.offset_spans(last, last + 1),
        &format!("the range is 2100-01-01T00:00:00Z until 2100-01-01T00:15:00Z; {allowed}"),
    );
    check(
        berlin.calendar(0, i64::MAX),
        &format!("the range is 1970-01-01T00:00:00Z until quarter {}; {allowed}", i64::MAX),
    );
    check(
        berlin.calendar(first + 1, first),
        "the range begins at 2000-01-01T00:15:00Z, after its end at 2000-01-01T00:00:00Z",
    );
    check(
        berlin.quarters(day("1999-12-31"), day("2026-01-01")),
        "the date is 1999-12-31; 2000-01-01 to 2100-01-01 are allowed",
    );
    check(
        berlin.quarters(day("2026-01-01"), day("2100-01-02")),
        "the date is 2100-01-02; 2000-01-01 to 2100-01-01 are allowed",
    );
    check(
        berlin.quarters(day("2026-01-01"), day("2026-01-01")),
        "the first date is 2026-01-01; it must be before the end, 2026-01-01",
    );
    let all = berlin.quarters(DATE_EARLIEST, DATE_LATEST).unwrap();
    let all = berlin.calendar(all.from, all.until).unwrap();
    check(
        all.periods(Resolution::Day, Weekday::Monday),
        "the range has more than 10000 periods of one day: ask until 2027-05-18T22:00:00Z at the latest, or by week",
    );
    let longest = berlin.calendar(all.range().from, quarter("2027-05-18T22:00:00Z")).unwrap();
    assert_eq!(longest.periods(Resolution::Day, Weekday::Monday).unwrap().list().len(), 10_000);
    assert_eq!(all.periods(Resolution::Month, Weekday::Monday).unwrap().list().len(), 1_200);
}

#[test]
fn all_years_can_be_asked_in_any_zone() {
    for zone in ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"] {
        let zones = zones(zone);
        let range = zones.quarters(DATE_EARLIEST, DATE_LATEST).unwrap();
        assert!(range.from >= QUARTER_EARLIEST && range.until <= QUARTER_LATEST, "{zone}: {range:?}");
        let found = periods(&zones, range, Resolution::Month);
        assert_eq!(found.len(), 1_200, "{zone}");
        assert_eq!((found[0].begin, found[1_199].begin), (day("2000-01-01"), day("2099-12-01")), "{zone}");
    }
}

#[test]
fn unknown_zones_are_named_with_what_reads_alike() {
    #[track_caller]
    fn check(name: &str, expected: &str) {
        let said = check_zone(name).unwrap_err().to_string();
        let expected = format!("time zone {expected}");
        assert_eq!(said, expected);
        assert_eq!(Zones::always(name).unwrap_err().to_string(), expected);
        assert_eq!(
            Zones::new("UTC", vec![(UnixMicros(0), name.to_owned())]).unwrap_err().to_string(),
            expected
        );
    }
    let allowed = "is not known; an IANA name such as \"Europe/Berlin\" is allowed";
    check("", &format!("\"\" {allowed}"));
    check("+02:00", &format!("\"+02:00\" {allowed}"));
    check("CET-1CEST", &format!("\"CET-1CEST\" {allowed}"));
    check("Etc/Unknown", &format!("\"Etc/Unknown\" {allowed}"));
    check("Berlin", &format!("\"Berlin\" {allowed}; did you mean \"Europe/Berlin\"?"));
    check(
        "Europe/Kathmandu",
        &format!("\"Europe/Kathmandu\" {allowed}; did you mean \"Asia/Kathmandu\" or \"Asia/Katmandu\"?"),
    );
    check(
        "Australia/lord howe",
        &format!("\"Australia/lord howe\" {allowed}; did you mean \"Australia/Lord_Howe\"?"),
    );
    check("Europe/Viena", &format!("\"Europe/Viena\" {allowed}; did you mean \"Europe/Vienna\"?"));
    check(&"x".repeat(100_000), &format!("{:?} {allowed}", "x".repeat(80)));
    for known in ["UTC", "Europe/Berlin", "europe/berlin", "America/Argentina/ComodRivadavia", "CET"] {
        assert_eq!(check_zone(known), Ok(()), "{known}");
    }
}
