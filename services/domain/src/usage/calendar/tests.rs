//! Days and hours of places, worked out by hand.

mod against_clocks;
mod every_zone;
mod refusals;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday, date};

use super::{LocalQuarter, Period, QuarterSpan, Resolution, Zones, month_begin, week_begin, weekday};
use crate::units::UnixMicros;

/// The quarter that begins then.
fn quarter(time: &str) -> i64 {
    let seconds = time.parse::<Timestamp>().unwrap().as_second();
    assert_eq!(seconds % 900, 0, "{time} begins no quarter");
    seconds / 900
}

fn day(date: &str) -> Date {
    date.parse().unwrap()
}

fn micros(time: &str) -> UnixMicros {
    UnixMicros(time.parse::<Timestamp>().unwrap().as_microsecond())
}

/// One zone, or several: `Europe/London, 2026-05-05T10:00:00Z Europe/Berlin`.
fn zones(text: &str) -> Zones {
    let mut parts = text.split(", ");
    let before = parts.next().unwrap();
    let change =
        |part: &str| part.split_once(' ').map(|(time, zone)| (micros(time), zone.to_owned())).unwrap();
    Zones::new(before, parts.map(change).collect()).unwrap()
}

fn periods(zones: &Zones, range: QuarterSpan, resolution: Resolution) -> Vec<Period> {
    let calendar = zones.calendar(range.from, range.until).unwrap();
    calendar.periods(resolution, Weekday::Monday).unwrap().list().to_vec()
}

/// `04-05 01 +11:00 x4`: hour 1 of the 5th of April, 11 hours from UTC, four quarters long; `..` if it is cut.
fn text_of(period: &Period) -> String {
    let mut text = period.begin.strftime("%m-%d").to_string();
    if let Some(hour) = period.hour {
        let (sign, minutes) =
            (if hour.offset_seconds < 0 { '-' } else { '+' }, hour.offset_seconds.abs() / 60);
        text += &format!(" {:02} {sign}{:02}:{:02}", hour.hour, minutes / 60, minutes % 60);
    }
    let spans: Vec<String> = period.spans.iter().map(|span| span.quarters().to_string()).collect();
    let cut = if period.is_cut { ".." } else { "" };
    format!("{text} x{}{cut}", spans.join("+"))
}

/// A date is this long, and begins then.
#[track_caller]
fn check_day(zone: &str, date: &str, begin: &str, minutes: i64) {
    let zones = zones(zone);
    let range = zones.quarters(day(date), day(date).tomorrow().unwrap()).unwrap();
    assert_eq!(range.from, quarter(begin));
    assert_eq!(range.seconds(), minutes * 60);
    let days = periods(&zones, range, Resolution::Day);
    assert_eq!(days.len(), 1);
    assert_eq!((days[0].begin, days[0].is_cut, days[0].seconds()), (day(date), false, minutes * 60));
}

#[test]
fn days_are_as_long_as_clocks_make_them() {
    let berlin = "Europe/Berlin";
    check_day(berlin, "2026-03-28", "2026-03-27T23:00:00Z", 1_440);
    check_day(berlin, "2026-03-29", "2026-03-28T23:00:00Z", 1_380);
    check_day(berlin, "2026-03-30", "2026-03-29T22:00:00Z", 1_440);
    check_day(berlin, "2026-10-25", "2026-10-24T22:00:00Z", 1_500);
    check_day(berlin, "2026-10-26", "2026-10-25T23:00:00Z", 1_440);
    let lord_howe = "Australia/Lord_Howe";
    check_day(lord_howe, "2026-04-05", "2026-04-04T13:00:00Z", 1_470);
    check_day(lord_howe, "2026-04-06", "2026-04-05T13:30:00Z", 1_440);
    check_day(lord_howe, "2026-10-04", "2026-10-03T13:30:00Z", 1_410);
    check_day(lord_howe, "2026-10-05", "2026-10-04T13:00:00Z", 1_440);
    check_day("Asia/Kathmandu", "2026-07-01", "2026-06-30T18:15:00Z", 1_440);
    let st_johns = "America/St_Johns";
    check_day(st_johns, "2026-01-15", "2026-01-15T03:30:00Z", 1_440);
    check_day(st_johns, "2026-03-08", "2026-03-08T03:30:00Z", 1_380);
    check_day(st_johns, "2026-07-15", "2026-07-15T02:30:00Z", 1_440);
    check_day(st_johns, "2026-11-01", "2026-11-01T02:30:00Z", 1_500);
    let apia = "Pacific/Apia";
    check_day(apia, "2011-12-29", "2011-12-29T10:00:00Z", 1_440);
    check_day(apia, "2011-12-31", "2011-12-30T10:00:00Z", 1_440);
    // Clocks went from 00:01 to 01:01: the quarter of midnight began before, the next one at 01:15.
    check_day(st_johns, "2011-03-13", "2011-03-13T03:30:00Z", 1_380);
}

#[test]
fn apia_has_no_30th_of_december_2011() {
    let apia = zones("Pacific/Apia");
    let missing = apia.quarters(day("2011-12-30"), day("2011-12-31")).unwrap();
    assert!(missing.is_empty());
    let around = apia.quarters(day("2011-12-29"), day("2012-01-01")).unwrap();
    let days: Vec<String> = periods(&apia, around, Resolution::Day).iter().map(text_of).collect();
    assert_eq!(days, ["12-29 x96", "12-31 x96"]);
    for resolution in Resolution::ALL {
        assert_eq!(periods(&apia, missing, resolution), [], "{}", resolution.name());
    }
}

/// The hours of a span are these.
#[track_caller]
fn check_hours(zone: &str, from: &str, until: &str, expected: &[&str]) {
    let range = QuarterSpan { from: quarter(from), until: quarter(until) };
    let hours: Vec<String> = periods(&zones(zone), range, Resolution::Hour).iter().map(text_of).collect();
    assert_eq!(hours, expected);
}

#[test]
fn hours_are_told_apart_by_their_offset() {
    check_hours(
        "Europe/Berlin",
        "2026-10-24T23:00:00Z",
        "2026-10-25T03:00:00Z",
        &["10-25 01 +02:00 x4", "10-25 02 +02:00 x4", "10-25 02 +01:00 x4", "10-25 03 +01:00 x4"],
    );
    check_hours(
        "Europe/Berlin",
        "2026-03-29T00:00:00Z",
        "2026-03-29T02:00:00Z",
        &["03-29 01 +01:00 x4", "03-29 03 +02:00 x4"],
    );
    // From 02:00 back to 01:30.
    check_hours(
        "Australia/Lord_Howe",
        "2026-04-04T14:00:00Z",
        "2026-04-04T16:30:00Z",
        &["04-05 01 +11:00 x4", "04-05 01 +10:30 x2", "04-05 02 +10:30 x4"],
    );
    // From 02:00 on to 02:30.
    check_hours(
        "Australia/Lord_Howe",
        "2026-10-03T14:30:00Z",
        "2026-10-03T17:00:00Z",
        &["10-04 01 +10:30 x4", "10-04 02 +11:00 x2", "10-04 03 +11:00 x4"],
    );
    check_hours(
        "Asia/Kathmandu",
        "2026-07-01T00:15:00Z",
        "2026-07-01T02:45:00Z",
        &["07-01 06 +05:45 x4", "07-01 07 +05:45 x4", "07-01 08 +05:45 x2.."],
    );
    check_hours(
        "America/St_Johns",
        "2026-11-01T03:30:00Z",
        "2026-11-01T05:30:00Z",
        &["11-01 01 -02:30 x4", "11-01 01 -03:30 x4"],
    );
    check_hours("UTC", "2026-11-01T03:30:00Z", "2026-11-01T03:30:00Z", &[]);
}

#[test]
fn a_place_can_change_its_zone_in_the_middle_of_a_day() {
    // At noon of the 5th to the day before: the 4th goes on at 12:00, the 5th comes again.
    let back = "Pacific/Kiritimati, 2026-05-04T22:00:00Z Pacific/Honolulu";
    let range = QuarterSpan { from: quarter("2026-05-03T10:00:00Z"), until: quarter("2026-05-06T10:00:00Z") };
    let days: Vec<String> = periods(&zones(back), range, Resolution::Day).iter().map(text_of).collect();
    assert_eq!(days, ["05-04 x96+48", "05-05 x48+96"]);
    let calendar = zones(back).calendar(range.from, range.until).unwrap();
    let days = calendar.periods(Resolution::Day, Weekday::Monday).unwrap();
    let index_at = |time: &str| days.index_of(quarter(time));
    assert_eq!(index_at("2026-05-04T09:45:00Z"), Some(0));
    assert_eq!(index_at("2026-05-04T21:45:00Z"), Some(1));
    assert_eq!(index_at("2026-05-04T22:00:00Z"), Some(0));
    assert_eq!(index_at("2026-05-05T10:00:00Z"), Some(1));
    assert_eq!(index_at("2026-05-06T10:00:00Z"), None);
    assert_eq!(index_at("2026-05-03T09:45:00Z"), None);
    // The first 5th alone is a part of it.
    let first = QuarterSpan { from: quarter("2026-05-04T10:00:00Z"), until: quarter("2026-05-04T22:00:00Z") };
    let days: Vec<String> = periods(&zones(back), first, Resolution::Day).iter().map(text_of).collect();
    assert_eq!(days, ["05-05 x48.."]);
    // From the first 5th on the 4th comes later, and is listed before.
    let rest = QuarterSpan { from: quarter("2026-05-04T10:00:00Z"), until: quarter("2026-05-06T10:00:00Z") };
    let days: Vec<String> = periods(&zones(back), rest, Resolution::Day).iter().map(text_of).collect();
    assert_eq!(days, ["05-04 x48..", "05-05 x48+96"]);
    // The 5th is a quarter long, then for 25 h 45 min it is the 3rd and the 4th.
    let far = "Pacific/Kiritimati, 2026-05-04T10:15:00Z Etc/GMT+12";
    let first = QuarterSpan { from: quarter("2026-05-04T10:00:00Z"), until: quarter("2026-05-04T10:15:00Z") };
    let days: Vec<String> = periods(&zones(far), first, Resolution::Day).iter().map(text_of).collect();
    assert_eq!(days, ["05-05 x1.."]);

    // At noon of the 4th to noon of the 5th: of either date half.
    let ahead = zones("Pacific/Honolulu, 2026-05-04T22:00:00Z Pacific/Kiritimati");
    let range = ahead.quarters(day("2026-05-04"), day("2026-05-06")).unwrap();
    let days: Vec<String> = periods(&ahead, range, Resolution::Day).iter().map(text_of).collect();
    assert_eq!(days, ["05-04 x48", "05-05 x48"]);

    // Just before midnight to the day after the next: the 5th is missing.
    let over = zones("Pacific/Honolulu, 2026-05-05T10:00:00Z Pacific/Kiritimati");
    let range = over.quarters(day("2026-05-04"), day("2026-05-07")).unwrap();
    let days: Vec<String> = periods(&over, range, Resolution::Day).iter().map(text_of).collect();
    assert_eq!(days, ["05-04 x96", "05-06 x96"]);
    assert!(over.quarters(day("2026-05-05"), day("2026-05-06")).unwrap().is_empty());
}

#[test]
fn a_change_of_zone_holds_from_the_next_quarter_on() {
    #[track_caller]
    fn check(time: &str, from: &str) {
        let zones = zones(&format!("Europe/Berlin, {time} Asia/Kathmandu"));
        assert_eq!(zones.name_at(quarter(from) - 1), "Europe/Berlin");
        assert_eq!(zones.name_at(quarter(from)), "Asia/Kathmandu");
        let offsets = zones.offset_spans(quarter(from) - 1, quarter(from) + 1).unwrap();
        let offsets: Vec<i32> = offsets.iter().map(|offset| offset.offset_seconds).collect();
        assert_eq!(offsets, [7_200, 20_700]);
    }
    check("2026-05-05T10:00:00Z", "2026-05-05T10:00:00Z");
    check("2026-05-05T10:00:00.000001Z", "2026-05-05T10:15:00Z");
    check("2026-05-05T10:14:59.999999Z", "2026-05-05T10:15:00Z");
    // Two in one quarter: the later one counts, in whichever order they are told.
    check("2026-05-05T09:46:00Z America/Lima, 2026-05-05T09:47:00Z", "2026-05-05T10:00:00Z");
    let told_backwards =
        zones("Europe/Berlin, 2026-05-05T09:47:00Z Asia/Kathmandu, 2026-05-05T09:46:00Z America/Lima");
    assert_eq!(told_backwards.name_at(quarter("2026-05-05T10:00:00Z")), "Asia/Kathmandu");
}

#[test]
fn ranges_that_begin_or_end_within_a_period_say_so() {
    #[track_caller]
    fn check(resolution: Resolution, from: &str, until: &str, expected: &[&str]) {
        let range = QuarterSpan { from: quarter(from), until: quarter(until) };
        let found: Vec<String> =
            periods(&zones("Europe/Berlin"), range, resolution).iter().map(text_of).collect();
        assert_eq!(found, expected);
    }
    let monday = "2026-05-03T22:00:00Z";
    check(Resolution::Day, monday, "2026-05-05T22:00:00Z", &["05-04 x96", "05-05 x96"]);
    check(Resolution::Day, "2026-05-03T22:15:00Z", "2026-05-05T21:45:00Z", &["05-04 x95..", "05-05 x95.."]);
    check(Resolution::Week, monday, "2026-05-11T22:00:00Z", &["05-04 x672", "05-11 x96.."]);
    check(Resolution::Week, "2026-05-02T22:00:00Z", monday, &["04-27 x96.."]);
    check(
        Resolution::Month,
        "2026-02-28T23:00:00Z",
        "2026-04-30T22:15:00Z",
        &["03-01 x2972", "04-01 x2880", "05-01 x1.."],
    );
    check(Resolution::Month, "2026-03-31T21:45:00Z", "2026-03-31T22:00:00Z", &["03-01 x1.."]);
    check(Resolution::Total, "2026-05-03T22:15:00Z", "2026-05-05T21:45:00Z", &["05-04 x190"]);
}

#[test]
fn weeks_begin_on_any_weekday() {
    #[track_caller]
    fn check(first: Weekday, of: &str, expected: &str) {
        assert_eq!(week_begin(day(of), first), day(expected));
    }
    // The 21st of November 2026 is a Saturday.
    check(Weekday::Monday, "2026-11-21", "2026-11-16");
    check(Weekday::Saturday, "2026-11-21", "2026-11-21");
    check(Weekday::Sunday, "2026-11-21", "2026-11-15");
    check(Weekday::Sunday, "2026-11-22", "2026-11-22");
    check(Weekday::Monday, "2026-01-01", "2025-12-29");
    assert_eq!(month_begin(day("2024-02-29")), day("2024-02-01"));
    assert_eq!((weekday(0), weekday(6)), (Some(Weekday::Monday), Some(Weekday::Sunday)));
    assert_eq!((weekday(7), weekday(255)), (None, None));
}

#[test]
fn quarters_show_the_clock_of_the_place() {
    #[track_caller]
    fn check(zone: &str, time: &str, expected: (&str, u8, u8, u16)) {
        let at = quarter(time);
        let local = zones(zone).calendar(at, at + 1).unwrap().local(at).unwrap();
        let (date, weekday, hour, minute) = expected;
        assert_eq!(
            (local.date(), local.weekday(), local.hour(), local.minute()),
            (day(date), weekday, hour, minute)
        );
    }
    check("UTC", "2026-11-21T00:00:00Z", ("2026-11-21", 5, 0, 0));
    check("Asia/Kathmandu", "2026-11-20T18:15:00Z", ("2026-11-21", 5, 0, 0));
    check("Asia/Kathmandu", "2026-11-20T18:00:00Z", ("2026-11-20", 4, 23, 1_425));
    check("America/St_Johns", "2026-11-22T03:15:00Z", ("2026-11-21", 5, 23, 1_425));
    check("Pacific/Apia", "2011-12-30T10:00:00Z", ("2011-12-31", 5, 0, 0));
    let calendar =
        zones("UTC").calendar(quarter("2026-11-21T00:00:00Z"), quarter("2026-11-22T00:00:00Z")).unwrap();
    assert_eq!(calendar.local(calendar.range().from - 1), None);
    assert_eq!(calendar.local(calendar.range().until), None);
}

#[test]
fn opening_hours_take_the_quarters_that_begin_in_them() {
    #[track_caller]
    fn check(days: &[Vec<(u16, u16)>; 7], from: &str, until: &str, expected: &[(&str, &str)]) {
        let berlin = zones("Europe/Berlin");
        let range = berlin.quarters(day(from), day(until)).unwrap();
        let found = berlin.calendar(range.from, range.until).unwrap().within(days);
        let expected: Vec<QuarterSpan> = expected
            .iter()
            .map(|(from, until)| QuarterSpan { from: quarter(from), until: quarter(until) })
            .collect();
        assert_eq!(found, expected);
    }
    let on = |weekday: usize, spans: &[(u16, u16)]| {
        let mut days: [Vec<(u16, u16)>; 7] = Default::default();
        days[weekday] = spans.to_vec();
        days
    };
    // Sunday 01:00 to 04:00 when clocks are put on, and when they are put back.
    let night = on(6, &[(60, 240)]);
    check(&night, "2026-03-29", "2026-03-30", &[("2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z")]);
    check(&night, "2026-10-25", "2026-10-26", &[("2026-10-24T23:00:00Z", "2026-10-25T03:00:00Z")]);
    check(&night, "2026-10-26", "2026-11-01", &[]);
    // 08:05 to 12:10: from 08:15 until 12:15. Spans that meet are one.
    let morning = on(0, &[(485, 600), (600, 730)]);
    check(&morning, "2026-07-06", "2026-07-07", &[("2026-07-06T06:15:00Z", "2026-07-06T10:15:00Z")]);
    let two = on(0, &[(0, 15), (1_425, 1_440)]);
    check(
        &two,
        "2026-07-06",
        "2026-07-08",
        &[("2026-07-05T22:00:00Z", "2026-07-05T22:15:00Z"), ("2026-07-06T21:45:00Z", "2026-07-06T22:00:00Z")],
    );
}

#[test]
fn local_quarters_are_in_order() {
    let at = |local_seconds| LocalQuarter { local_seconds };
    assert!(at(0) < at(900));
    assert_eq!(at(-900).date(), date(1969, 12, 31));
    assert_eq!((at(-900).weekday(), at(-900).hour(), at(-900).minute()), (2, 23, 1_425));
}
