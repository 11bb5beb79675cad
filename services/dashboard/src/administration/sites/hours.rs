//! When a site is open and when staff are there: one line a day, such as `06:00-12:00, 14:00-22:00`.

use wire::api::v1;

use super::super::form_page::{Entry, Field, FormPage};
use crate::texts::Texts;

const FIRST_WEEKDAY: &str = "first_weekday";
/// Names of the fields of a week, from Monday on.
const OPEN: [&str; 7] = ["open.1", "open.2", "open.3", "open.4", "open.5", "open.6", "open.7"];
const STAFFED: [&str; 7] =
    ["staffed.1", "staffed.2", "staffed.3", "staffed.4", "staffed.5", "staffed.6", "staffed.7"];
/// Opening is told by whole quarters of an hour, as usage is.
const OPEN_MINUTES: u32 = 15;
const STAFFED_MINUTES: u32 = 1;
const DAY_MINUTES: u32 = 1_440;

/// What to ask for; `None`: it was not changed.
#[derive(Debug)]
pub(super) struct Changes {
    pub(super) opening: Option<v1::SetOpeningHoursRequest>,
    pub(super) staffed: Option<v1::SetStaffedHoursRequest>,
}

/// The fields with what a site has.
pub(super) fn fields(t: Texts, site: &v1::Site) -> Vec<Field> {
    let days = [t.monday(), t.tuesday(), t.wednesday(), t.thursday(), t.friday(), t.saturday(), t.sunday()];
    let days = (1..).zip(days).map(|(number, day): (u32, _)| (number.to_string(), day.to_owned()));
    let first = site.first_weekday.clamp(1, 7).to_string();
    let mut fields = vec![
        Field::new(FIRST_WEEKDAY, t.first_weekday(), t.first_weekday_hint(), t.choice_wrong())
            .entered(Entry::Choices(days.collect()))
            .of(first),
    ];
    fields.extend(week(OPEN, open_labels(t), t.hours_hint(), t.open_wrong(), &site.open_spans));
    fields.extend(week(STAFFED, staffed_labels(t), t.hours_hint(), t.staffed_wrong(), &site.staffed_spans));
    fields
}

fn open_labels(t: Texts) -> [&'static str; 7] {
    [
        t.open_monday(),
        t.open_tuesday(),
        t.open_wednesday(),
        t.open_thursday(),
        t.open_friday(),
        t.open_saturday(),
        t.open_sunday(),
    ]
}

fn staffed_labels(t: Texts) -> [&'static str; 7] {
    [
        t.staffed_monday(),
        t.staffed_tuesday(),
        t.staffed_wednesday(),
        t.staffed_thursday(),
        t.staffed_friday(),
        t.staffed_saturday(),
        t.staffed_sunday(),
    ]
}

/// One field a day; the hint stands at the first.
fn week(
    names: [&'static str; 7],
    labels: [&'static str; 7],
    hint: &'static str,
    wrong: &'static str,
    spans: &[v1::StaffedSpan],
) -> Vec<Field> {
    let days = (1..).zip(names.into_iter().zip(labels));
    let field = |(day, (name, label)): (u32, _)| {
        let hint = if day == 1 { hint } else { "" };
        Field::new(name, label, hint, wrong).of(shown(spans.iter().filter(|span| span.day == day)))
    };
    days.map(field).collect()
}

/// What was typed, as it is asked for; what cannot be read is refused beside its field.
pub(super) fn read(page: &mut FormPage, site: &str) -> Changes {
    let changed = page.changed();
    let is_changed = |names: &[&str]| changed.iter().any(|path| names.contains(&path.as_str()));
    let hours = is_changed(&OPEN).then(|| v1::OpeningHours { spans: spans(page, OPEN, OPEN_MINUTES) });
    let staffed = is_changed(&STAFFED).then(|| v1::SetStaffedHoursRequest {
        site_id: site.to_owned(),
        spans: spans(page, STAFFED, STAFFED_MINUTES),
        request_id: String::new(),
    });
    let first_weekday = if is_changed(&[FIRST_WEEKDAY]) { first_weekday(page) } else { None };
    let opening = (hours.is_some() || first_weekday.is_some()).then(|| v1::SetOpeningHoursRequest {
        site_id: site.to_owned(),
        hours,
        first_weekday,
        request_id: String::new(),
    });
    Changes { opening, staffed }
}

fn first_weekday(page: &mut FormPage) -> Option<u32> {
    let day = page.value(FIRST_WEEKDAY).parse().ok().filter(|day| (1..=7).contains(day));
    if day.is_none() {
        page.refuse(FIRST_WEEKDAY);
    }
    day
}

fn spans(page: &mut FormPage, names: [&'static str; 7], step: u32) -> Vec<v1::StaffedSpan> {
    let mut all = Vec::new();
    for (day, name) in (1..).zip(names) {
        match of_day(page.value(name), step) {
            Some(spans) => all.extend(spans.into_iter().map(|(start_minute, end_minute)| v1::StaffedSpan {
                day,
                start_minute,
                end_minute,
            })),
            None => page.refuse(name),
        }
    }
    all
}

/// Spans of one day in minutes after midnight; `None`: they cannot be.
fn of_day(text: &str, step: u32) -> Option<Vec<(u32, u32)>> {
    let mut spans: Vec<(u32, u32)> = Vec::new();
    for part in text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()) {
        let (from, until) = part.split_once(['-', '–'])?;
        let (from, until) = (minute(from.trim())?, minute(until.trim())?);
        let is_apart = spans.last().is_none_or(|(_, last)| *last <= from);
        let is_whole = from.is_multiple_of(step) && until.is_multiple_of(step);
        if from >= until || !is_apart || !is_whole {
            return None;
        }
        spans.push((from, until));
    }
    Some(spans)
}

/// Minutes after midnight of a time such as `6:00` or `24:00`.
fn minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str, digits: &[usize]| {
        let is_number = digits.contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
        text.parse::<u32>().ok().filter(|_| is_number)
    };
    let (hour, minute) = (number(hour, &[1, 2])?, number(minute, &[2])?);
    let minutes = hour * 60 + minute;
    (minute < 60 && minutes <= DAY_MINUTES).then_some(minutes)
}

fn shown<'a>(spans: impl Iterator<Item = &'a v1::StaffedSpan>) -> String {
    let clock = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
    let spans = spans.map(|span| format!("{}-{}", clock(span.start_minute), clock(span.end_minute)));
    spans.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_a_day() {
        let check = |text: &str, step, expected: Option<&[(u32, u32)]>| {
            assert_eq!(of_day(text, step).as_deref(), expected, "{text}");
        };
        check("", 15, Some(&[]));
        check("06:00-22:00", 15, Some(&[(360, 1_320)]));
        check(" 6:00 – 12:00 ; 12:00-24:00,", 15, Some(&[(360, 720), (720, 1_440)]));
        check("06:10-22:00", 1, Some(&[(370, 1_320)]));
        for wrong in ["06:10-22:00", "6-22", "22:00-06:00", "06:00-06:00", "06:00-24:15", "06:60-07:00"] {
            check(wrong, 15, None);
        }
        for wrong in ["06:00-10:00, 09:00-12:00", "10:00-12:00, 06:00-08:00", "06:00", "+6:00-07:00", "open"]
        {
            check(wrong, 1, None);
        }
    }

    #[test]
    fn what_is_shown_can_be_read() {
        let span = |start_minute, end_minute| v1::StaffedSpan { day: 1, start_minute, end_minute };
        let text = shown([span(360, 725), span(840, 1_440)].iter());
        assert_eq!(text, "06:00-12:05, 14:00-24:00");
        assert_eq!(of_day(&text, 1), Some(vec![(360, 725), (840, 1_440)]));
    }
}
