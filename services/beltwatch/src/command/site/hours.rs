//! Hours with staff, as people write them: `mon-fri=06:00-22:00`.

use clap::Args as ClapArgs;
use wire::api::v1;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

#[derive(Debug, ClapArgs)]
pub(super) struct Hours {
    /// Its id
    id: String,
    /// Days and the hours of each, in the site's own time, such as mon-fri=06:00-22:00 or sun=08:00-24:00
    #[arg(value_name = "DAYS=FROM-UNTIL", value_parser = spans, required_unless_present = "none")]
    spans: Vec<Spans>,
    /// Nobody says any more
    #[arg(long, conflicts_with = "spans")]
    none: bool,
}

/// The same hours on some days.
#[derive(Debug, Clone, PartialEq)]
struct Spans(Vec<v1::StaffedSpan>);

impl Hours {
    pub(super) fn request(self, request_id: String) -> v1::SetStaffedHoursRequest {
        let spans = self.spans.into_iter().flat_map(|spans| spans.0).collect();
        v1::SetStaffedHoursRequest { site_id: self.id, spans, request_id }
    }
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
}
