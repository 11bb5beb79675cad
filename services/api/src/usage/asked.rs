//! Whose usage and when: what a request asks for, checked.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::ids::{MachineId, SiteId};
use domain::limits::{MACHINES_NAMED_MAX, USAGE_MODELS_NAMED_MAX, USAGE_SITES_NAMED_MAX};
use domain::usage::calendar::{DATE_EARLIEST, DATE_LATEST, Resolution, Zones};
use jiff::Span;
use jiff::civil::Date;
use store::registry::Machine;
use wire::api::v1;

use crate::check::{Check, NAME_CHARACTERS_MAX, quoted};
use crate::registry::Visible;
use crate::status::{ApiError, Violation};

const DAY_SECONDS: i64 = 24 * 3_600;

/// Whose usage. What is empty cuts nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct UsageScope {
    /// Of machines while they stood at these sites.
    pub(crate) sites: BTreeSet<SiteId>,
    /// Of these machines.
    pub(crate) machines: BTreeSet<MachineId>,
    /// Of machines of these models.
    pub(crate) models: BTreeSet<String>,
}

impl UsageScope {
    /// Whether a machine is named, or of a model that is named; where it stood is another question.
    pub(crate) fn has(&self, machine: &Machine) -> bool {
        (self.machines.is_empty() || self.machines.contains(&machine.id))
            && (self.models.is_empty() || self.models.contains(&machine.model))
    }

    /// The machines that stand now where the caller may look, by id.
    ///
    /// # Errors
    /// `NotFound` of a site, machine or model that the caller cannot see.
    pub(crate) fn standing_now<'a>(&self, visible: &'a Visible) -> Result<Vec<&'a Machine>, ApiError> {
        self.sites.iter().try_for_each(|site| visible.site(site).map(drop))?;
        self.machines.iter().try_for_each(|machine| visible.machine(machine).map(drop))?;
        for model in &self.models {
            if visible.machines(None).all(|machine| machine.model != *model) {
                return Err(no_model(model));
            }
        }
        let here = |machine: &&Machine| self.sites.is_empty() || self.sites.contains(&machine.site);
        let machines = visible.machines(None).map(AsRef::as_ref);
        Ok(machines.filter(|machine| self.has(machine)).filter(here).collect())
    }
}

pub(crate) fn no_model(model: &str) -> ApiError {
    ApiError::NotFound { what: "model", id: model.to_owned() }
}

/// A span of civil dates.
#[derive(Debug, Clone)]
pub(crate) struct Dates {
    /// The first one.
    pub(crate) from: Date,
    /// The one after the last; `None`: tomorrow.
    pub(crate) until: Option<Date>,
    /// In which zone they are meant; `None`: each site's own.
    pub(crate) zone: Option<Arc<Zones>>,
    /// At most this many are allowed.
    pub(crate) days_max: i64,
}

impl Dates {
    /// Whether they end after they begin, and soon enough; `is_tomorrow`: the caller has not said when they end.
    ///
    /// # Errors
    /// What is wrong, with the nearest span that is allowed.
    pub(crate) fn check_until(&self, until: Date, is_tomorrow: bool) -> Result<(), Violation> {
        let Dates { from, days_max, .. } = self;
        if *from >= until {
            let end = if is_tomorrow { "tomorrow" } else { "range.end_date" };
            let nearest = date_before(until, 1);
            let description = format!("is {from}; it must be before {end}, {until}: ask from {nearest}");
            return Err(Violation { field: "range.start_date", description });
        }
        let days = days_between(*from, until);
        if days > *days_max {
            let nearest = date_before(until, *days_max);
            let description = format!(
                "is {days} days long; at most {days_max} are allowed: ask from {nearest} until {until}"
            );
            return Err(Violation { field: "range", description });
        }
        Ok(())
    }
}

/// How many days there are from one date to another.
pub(crate) fn days_between(from: Date, until: Date) -> i64 {
    from.duration_until(until).as_secs() / DAY_SECONDS
}

/// The date that many days earlier.
pub(crate) fn date_before(date: Date, days: i64) -> Date {
    date.saturating_sub(Span::new().days(days))
}

/// The date that many days later.
pub(crate) fn date_after(date: Date, days: i64) -> Date {
    date.saturating_add(Span::new().days(days))
}

impl Check {
    /// Whose usage is asked for.
    pub(crate) fn usage_scope(&mut self, scope: Option<&v1::UsageScope>) -> UsageScope {
        let none = v1::UsageScope::default();
        let scope = scope.unwrap_or(&none);
        let mut wanted = UsageScope::default();
        for site in self.few("scope.site_ids", &scope.site_ids, USAGE_SITES_NAMED_MAX) {
            wanted.sites.extend(self.id::<SiteId>("scope.site_ids", site));
        }
        for machine in self.few("scope.machine_ids", &scope.machine_ids, MACHINES_NAMED_MAX) {
            wanted.machines.extend(self.id::<MachineId>("scope.machine_ids", machine));
        }
        for model in self.few("scope.models", &scope.models, USAGE_MODELS_NAMED_MAX) {
            wanted.models.insert(self.text("scope.models", model, NAME_CHARACTERS_MAX));
        }
        wanted
    }

    fn few<'a>(&mut self, field: &'static str, named: &'a [String], max: usize) -> &'a [String] {
        let count = named.len();
        if count > max {
            self.wrong(field, format!("has {count} entries; at most {max} are allowed"));
        }
        &named[..count.min(max)]
    }

    /// A span of at most `days_max` dates. Without an end its length shows when it is known what day it is there.
    pub(crate) fn dates(&mut self, range: Option<&v1::DateRange>, days_max: i64) -> Option<Dates> {
        let Some(range) = range else {
            self.wrong("range", "is missing; range.start_date is needed, such as \"2026-11-01\"");
            return None;
        };
        let from = self.date("range.start_date", &range.start_date);
        let until = match range.end_date.as_str() {
            "" => Some(None),
            end => self.date("range.end_date", end).map(Some),
        };
        let zone = match range.time_zone.as_str() {
            "" => Some(None),
            name => match Zones::always(name) {
                Ok(zones) => Some(Some(Arc::new(zones))),
                Err(error) => {
                    self.wrong("range.time_zone", format!("is not valid: {error}"));
                    None
                }
            },
        };
        let dates = Dates { from: from?, until: until?, zone: zone?, days_max };
        let checked = dates.until.map_or(Ok(()), |until| dates.check_until(until, false));
        match checked {
            Ok(()) => Some(dates),
            Err(Violation { field, description }) => {
                self.wrong(field, description);
                None
            }
        }
    }

    /// A date that calendars know.
    fn date(&mut self, field: &'static str, value: &str) -> Option<Date> {
        let example = "a date such as \"2026-11-01\" is allowed";
        let date = match read_date(value) {
            Ok(date) => date,
            Err(nearest) => {
                let nearest = nearest.map_or_else(String::new, |date| format!("; the nearest is {date}"));
                self.wrong(field, format!("is {}, which is no date; {example}{nearest}", quoted(value)));
                return None;
            }
        };
        // A span ends with the last one that can be asked for, and cannot begin there.
        let latest = if field == "range.start_date" { date_before(DATE_LATEST, 1) } else { DATE_LATEST };
        if (DATE_EARLIEST..=latest).contains(&date) {
            return Some(date);
        }
        self.wrong(field, format!("is {date}; {DATE_EARLIEST} to {latest} are allowed"));
        None
    }

    /// By what usage is told apart.
    pub(crate) fn group_by(&mut self, value: i32) -> v1::GroupBy {
        self.known("group_by", value, 3)
    }

    /// In what order groups come.
    pub(crate) fn usage_order(&mut self, value: i32) -> v1::UsageOrder {
        self.known("order", value, 4)
    }

    /// How long periods are.
    pub(crate) fn resolution(&mut self, value: i32) -> Resolution {
        match self.known("resolution", value, 4) {
            v1::Resolution::Hour => Resolution::Hour,
            v1::Resolution::Unspecified | v1::Resolution::Day => Resolution::Day,
            v1::Resolution::Week => Resolution::Week,
            v1::Resolution::Month => Resolution::Month,
        }
    }

    /// A number that stands for a choice, of those from 0 to `last`.
    pub(crate) fn known<T: TryFrom<i32> + Default>(
        &mut self,
        field: &'static str,
        value: i32,
        last: i32,
    ) -> T {
        T::try_from(value).unwrap_or_else(|_| {
            self.wrong(field, format!("is {value}; 0 to {last} are known"));
            T::default()
        })
    }
}

/// A date as it is written; if there is no such one in the month, the nearest of it.
fn read_date(value: &str) -> Result<Date, Option<Date>> {
    let parts: Vec<&str> = value.split('-').collect();
    let [year, month, day] = parts[..] else { return Err(None) };
    let number = |part: &str, length: usize| -> Option<i16> {
        let is_number = part.len() == length && part.bytes().all(|octet| octet.is_ascii_digit());
        if is_number { part.parse().ok() } else { None }
    };
    let numbers = (number(year, 4), number(month, 2), number(day, 2));
    let (Some(year), Some(month), Some(day)) = numbers else { return Err(None) };
    let small = |number: i16| i8::try_from(number).map_err(|_| None);
    let first = Date::new(year, small(month)?, 1).map_err(|_| None)?;
    let nearest = if day == 0 { first } else { first.last_of_month() };
    Date::new(year, first.month(), small(day)?).map_err(|_| Some(nearest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_they_are_written_and_nothing_else_is() {
        #[track_caller]
        fn check(value: &str, expected: Result<&str, Option<&str>>) {
            let date = |text: &str| text.parse::<Date>().unwrap();
            assert_eq!(read_date(value), expected.map(date).map_err(|nearest| nearest.map(date)), "{value}");
        }
        check("2026-11-01", Ok("2026-11-01"));
        check("2024-02-29", Ok("2024-02-29"));
        check("2026-02-30", Err(Some("2026-02-28")));
        check("2026-04-31", Err(Some("2026-04-30")));
        check("2026-04-00", Err(Some("2026-04-01")));
        for value in ["", "2026", "2026-13-01", "2026-00-10", "26-11-01", "2026-1-1", "20261101", "today"] {
            check(value, Err(None));
        }
        for value in ["2026-11-01T00:00", "2026-11-01-02", "+026-11-01", "2026-11-0x", " 2026-11-01"] {
            check(value, Err(None));
        }
    }
}
