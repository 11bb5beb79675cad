//! Hours with staff and of opening, as people write them: `mon-fri=06:00-22:00`.

use clap::Args as ClapArgs;
use wire::api::v1;

use crate::client::Client;
use crate::command::request_id;
use crate::failure::Failure;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAYS_IN_FULL: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

#[derive(Debug, ClapArgs)]
pub(super) struct Hours {
    /// Its id
    id: String,
    /// Days and the hours of each with staff, in the site's own time, such as mon-fri=06:00-22:00 or sun=08:00-24:00
    #[arg(value_name = "DAYS=FROM-UNTIL", value_parser = spans)]
    #[arg(required_unless_present_any = ["none", "open", "open_none", "first_day"])]
    spans: Vec<Spans>,
    /// Nobody says any more when staff are there
    #[arg(long, conflicts_with = "spans")]
    none: bool,
    /// Days and the hours of each in which it is open, by whole quarters of an hour, such as mon-fri=06:00-22:00; may be
    /// given several times, in the place of all from before
    #[arg(long, value_name = "DAYS=FROM-UNTIL", value_parser = spans)]
    open: Vec<Spans>,
    /// Nobody says any more when it is open
    #[arg(long, conflicts_with = "open")]
    open_none: bool,
    /// The day on which its weeks begin, such as monday
    #[arg(long, value_name = "DAY", value_parser = weekday)]
    first_day: Option<u32>,
}

/// The same hours on some days.
#[derive(Debug, Clone, PartialEq)]
struct Spans(Vec<v1::StaffedSpan>);

fn together(spans: Vec<Spans>) -> Vec<v1::StaffedSpan> {
    spans.into_iter().flat_map(|spans| spans.0).collect()
}

impl Hours {
    /// Sets what was given, and gives the site as it is then.
    pub(super) async fn set(self, client: &mut Client) -> Result<Option<v1::Site>, Failure> {
        let (staffed, open) = self.requests(request_id()?, request_id()?);
        let mut site = None;
        // First the opening hours, of which more can be wrong: then nothing is set yet.
        if let Some(request) = open {
            site = client.admin.set_opening_hours(request).await?.into_inner().site;
        }
        if let Some(request) = staffed {
            let is_half = site.is_some();
            let answer = client.admin.set_staffed_hours(request).await.map_err(|status| {
                let failure = Failure::from(status);
                let done = if is_half { "what was said of opening is set, but " } else { "" };
                Failure::new(failure.exit, format!("{done}{failure}"))
            });
            site = answer?.into_inner().site;
        }
        Ok(site)
    }

    /// What to ask for: hours with staff, and opening.
    fn requests(
        self,
        of_staffed: String,
        of_open: String,
    ) -> (Option<v1::SetStaffedHoursRequest>, Option<v1::SetOpeningHoursRequest>) {
        let Hours { id, spans, none, open, open_none, first_day } = self;
        let staffed = (none || !spans.is_empty()).then(|| v1::SetStaffedHoursRequest {
            site_id: id.clone(),
            spans: together(spans),
            request_id: of_staffed,
        });
        let hours = (open_none || !open.is_empty()).then(|| v1::OpeningHours { spans: together(open) });
        let opening = (hours.is_some() || first_day.is_some()).then_some(v1::SetOpeningHoursRequest {
            site_id: id,
            hours,
            first_weekday: first_day,
            request_id: of_open,
        });
        (staffed, opening)
    }
}

fn weekday(name: &str) -> Result<u32, String> {
    let numbered = (1..).zip(DAYS_IN_FULL.into_iter().zip(DAYS));
    let mut found = numbered.filter(|(_, (full, short))| [*full, *short].contains(&name));
    found.next().map(|(number, _)| number).ok_or_else(|| "monday to sunday are allowed".to_owned())
}

/// A day of the week by its number from 1, Monday, on; empty: it has no such number.
pub(super) fn day_name(day: u32) -> &'static str {
    DAYS_IN_FULL.get(day.wrapping_sub(1) as usize).copied().unwrap_or_default()
}

fn spans(text: &str) -> Result<Spans, String> {
    let read = || {
        let (days, hours) = text.split_once('=')?;
        let (first, last) = days.split_once('-').unwrap_or((days, days));
        let (first, last) = (day(first)?, day(last)?);
        let (from, until) = hours.split_once('-')?;
        let (start_minute, end_minute) = (minute(from)?, minute(until)?);
        (first <= last).then(|| {
            Spans((first..=last).map(|day| v1::StaffedSpan { day, start_minute, end_minute }).collect())
        })
    };
    read().ok_or_else(|| "such as mon-fri=06:00-22:00 is allowed; days run from mon to sun".to_owned())
}

fn day(name: &str) -> Option<u32> {
    (1..).zip(DAYS).find(|(_, day)| *day == name).map(|(number, _)| number)
}

/// Minutes after midnight, up to 24:00.
fn minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| text.parse::<u32>().ok().filter(|_| text.len() == 2);
    let (hour, minute) = (number(hour)?, number(minute)?);
    (minute < 60 && hour * 60 + minute <= 1_440).then_some(hour * 60 + minute)
}

/// Spans as they are given, day by day; empty if there are none.
pub(super) fn shown(spans: &[v1::StaffedSpan]) -> String {
    let clock = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
    let one = |span: &v1::StaffedSpan| {
        let day = DAYS.get(span.day.wrapping_sub(1) as usize).copied().unwrap_or("?");
        format!("{day}={}-{}", clock(span.start_minute), clock(span.end_minute))
    };
    spans.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_and_shown() {
        let text = |given: &str| spans(given).map(|spans| shown(&spans.0));
        for (given, expected) in [
            ("mon=06:00-22:00", "mon=06:00-22:00"),
            ("sat-sun=08:30-24:00", "sat=08:30-24:00 sun=08:30-24:00"),
        ] {
            assert_eq!(text(given).as_deref(), Ok(expected));
        }
        for bad in [
            "mon",
            "mon=6-22",
            "mon=06:00",
            "fri-mon=06:00-07:00",
            "day=06:00-07:00",
            "mon=06:60-07:00",
            "mon=06:00-24:01",
        ] {
            assert!(text(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn days_have_names() {
        for (name, number) in [("monday", 1), ("mon", 1), ("sunday", 7)] {
            assert_eq!(weekday(name), Ok(number));
        }
        assert!(weekday("someday").is_err());
        assert_eq!([0, 1, 7, 8].map(day_name), ["", "monday", "sunday", ""]);
    }

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        hours: Hours,
    }

    /// How many spans are asked for, and the first day.
    type Opening = (Option<usize>, Option<u32>);

    /// How many spans with staff, and what of opening, is asked for; `None`: it is not asked for.
    #[track_caller]
    fn check(line: &str, expected: (Option<usize>, Option<Opening>)) {
        let words = ["hours", "north"].into_iter().chain(line.split_whitespace());
        let Line { hours } = clap::Parser::try_parse_from(words).unwrap();
        let (staffed, opening) = hours.requests("1".to_owned(), "2".to_owned());
        let opening = opening.map(|one| (one.hours.map(|hours| hours.spans.len()), one.first_weekday));
        assert_eq!((staffed.map(|one| one.spans.len()), opening), expected, "{line}");
    }

    #[test]
    fn what_is_not_given_is_not_asked_for() {
        check("mon-fri=06:00-22:00", (Some(5), None));
        check("--none", (Some(0), None));
        check("--open mon=06:00-22:00 --open sun=08:00-12:00", (None, Some((Some(2), None))));
        check("--open-none", (None, Some((Some(0), None))));
        check("--first-day sunday", (None, Some((None, Some(7)))));
        check("tue=08:00-10:00 --open-none --first-day mon", (Some(1), Some((Some(0), Some(1)))));
        let alone = <Line as clap::Parser>::try_parse_from(["hours", "north"]);
        assert!(alone.is_err(), "something has to be said");
    }
}
