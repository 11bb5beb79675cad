//! Whose usage, and when.

use clap::Args as ClapArgs;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use wire::api::v1;

use crate::command::now;
use crate::failure::{Exit, Failure};

/// Days that are asked for if nothing is given.
const DAYS: i64 = 28;

/// Whose usage, and when: dates of the gym's own calendar.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(in crate::command) struct AskedArgs {
    /// Only of machines while they stood at these sites
    #[arg(long = "site", value_name = "SITE")]
    sites: Vec<String>,
    /// Only of these machines
    #[arg(long = "machine", value_name = "MACHINE")]
    machines: Vec<String>,
    /// Only of machines of these models
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<String>,
    /// From this date on, such as 2026-11-01; 28 days back if nothing is given
    #[arg(long, value_name = "DATE", conflicts_with = "last")]
    from: Option<Date>,
    /// Up to and with this date; today if not given
    #[arg(long, value_name = "DATE", conflicts_with = "last")]
    to: Option<Date>,
    /// The last so many days, today with them, such as 7d
    #[arg(long, value_name = "DAYS")]
    last: Option<String>,
    /// Zone in which all dates are meant, such as Europe/Berlin; each site's own if not given
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
}

impl AskedArgs {
    /// Whose.
    pub(in crate::command) fn scope(&self) -> v1::UsageScope {
        v1::UsageScope {
            site_ids: self.sites.clone(),
            machine_ids: self.machines.clone(),
            models: self.models.clone(),
        }
    }

    /// When. What is the last day without a date is the server's business: its sites have their own today.
    pub(in crate::command) fn range(&self) -> Result<v1::DateRange, Failure> {
        let zone = self.time_zone.as_deref().map_or(TimeZone::system(), crate::words::zone);
        let today = now().to_zoned(zone).date();
        let days = self.last.as_deref().map(days).transpose()?.unwrap_or(DAYS);
        let later = |date: Date, span: Span| {
            date.checked_add(span).map_err(|error| Failure::new(Exit::Usage, error.to_string()))
        };
        let last = self.to.unwrap_or(today);
        let start = self.from.map_or_else(|| later(last, (1 - days).days()), Ok)?;
        let end_date = match self.to {
            Some(date) => later(date, 1.day())?.to_string(),
            None => String::new(),
        };
        let time_zone = self.time_zone.clone().unwrap_or_default();
        Ok(v1::DateRange { start_date: start.to_string(), end_date, time_zone })
    }
}

/// So many days.
fn days(text: &str) -> Result<i64, Failure> {
    let days = text.strip_suffix('d').unwrap_or(text).parse().ok().filter(|days| (1..=3_660).contains(days));
    days.ok_or_else(|| {
        Failure::new(Exit::Usage, format!("--last is \"{text}\"; 1d to 3660d are allowed, such as 28d"))
    })
}
