//! Periods of places, put together by the date and hour that clocks show there.

use std::collections::BTreeMap;

use domain::limits::USAGE_PERIODS_MAX;
use domain::usage::calendar::{Period, QuarterSpan, Resolution, Zones, weekday};
use jiff::civil::{Date, Weekday};
use wire::api::v1;

use super::asked::{Dates, date_after};
use super::spread::{Layout, Layouts};
use super::whereabouts::{Whereabouts, out_of_calendar, quarter_begin};
use crate::status::{ApiError, Violation};

/// What makes periods of two places one: the date, the hour, and for which time on the date that hour comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    date: Date,
    hour: Option<u8>,
    time: usize,
}

/// A period of all places together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Together {
    /// Its first date.
    pub(crate) date: Date,
    /// Its hour; of hours only.
    pub(crate) hour: Option<u8>,
    /// Its first quarter, at the first place.
    pub(crate) begin: i64,
    /// How long it is there, in seconds.
    pub(crate) seconds: i64,
    /// Whether the span asked, or the present, cuts it off at any place.
    pub(crate) is_partial: bool,
}

/// Periods of all places, and to which of them their quarters belong.
#[derive(Debug, Clone)]
pub(crate) struct PeriodsTogether {
    /// By date and hour.
    pub(crate) list: Vec<Together>,
    /// A cell is a period's index in the list.
    pub(crate) layouts: Layouts,
}

/// Places whose clocks and dates are the same.
struct Alike<'a> {
    zones: &'a Zones,
    range: QuarterSpan,
    periods: Vec<(Key, Period)>,
}

impl PeriodsTogether {
    /// Of all places.
    ///
    /// # Errors
    /// More periods than a calendar gives.
    pub(crate) fn of(whereabouts: &Whereabouts, resolution: Resolution) -> Result<PeriodsTogether, ApiError> {
        let first_weekday = first_weekday(whereabouts);
        let mut alike: Vec<Alike<'_>> = Vec::new();
        let mut of_place = Vec::with_capacity(whereabouts.places.len());
        for place in &whereabouts.places {
            let known = alike.iter().position(|one| one.range == place.range && *one.zones == *place.zones);
            let index = match known {
                Some(index) => index,
                None => {
                    let periods = keyed(&place.zones, place.range, resolution, first_weekday)?;
                    alike.push(Alike { zones: &place.zones, range: place.range, periods });
                    alike.len() - 1
                }
            };
            of_place.push(index);
        }
        let mut by_key: BTreeMap<Key, Together> = BTreeMap::new();
        for (key, period) in alike.iter().flat_map(|one| &one.periods) {
            let here = together(*key, period, whereabouts);
            let all = by_key.entry(*key).or_insert(here);
            let is_partial = all.is_partial || here.is_partial;
            *all = Together { is_partial, ..if here.begin < all.begin { here } else { *all } };
        }
        let keys: Vec<Key> = by_key.keys().copied().collect();
        let layout = |one: &Alike<'_>| {
            let begins = one.periods.iter().flat_map(|(key, period)| {
                let cell = keys.binary_search(key).expect("every key is there");
                period.spans.iter().map(move |span| (span.from, cell))
            });
            Layout::of(begins.collect())
        };
        let layouts = Layouts { cells: keys.len(), list: alike.iter().map(layout).collect(), of_place };
        Ok(PeriodsTogether { list: by_key.into_values().collect(), layouts })
    }
}

/// The first day of weeks: Monday unless all sites have the same other one.
fn first_weekday(whereabouts: &Whereabouts) -> Weekday {
    let mut firsts = whereabouts.places.iter().map(|place| place.site.first_weekday());
    let first = firsts.next().filter(|first| firsts.all(|other| other == *first));
    first.and_then(weekday).unwrap_or(Weekday::Monday)
}

fn keyed(
    zones: &Zones,
    range: QuarterSpan,
    resolution: Resolution,
    first_weekday: Weekday,
) -> Result<Vec<(Key, Period)>, ApiError> {
    let calendar = zones.calendar(range.from, range.until).map_err(out_of_calendar)?;
    let periods = calendar.periods(resolution, first_weekday).map_err(out_of_calendar)?;
    let mut keyed: Vec<(Key, Period)> = Vec::with_capacity(periods.list().len());
    // An hour that clocks repeat comes right after itself, but a place that changes its zone may go back further.
    let mut times: BTreeMap<(Date, Option<u8>), usize> = BTreeMap::new();
    for period in periods.list() {
        let (date, hour) = (period.begin, period.hour.map(|hour| hour.hour));
        let count = times.entry((date, hour)).or_insert(0);
        keyed.push((Key { date, hour, time: *count }, period.clone()));
        *count += 1;
    }
    Ok(keyed)
}

fn together(key: Key, period: &Period, whereabouts: &Whereabouts) -> Together {
    let begin = period.spans.first().map_or(0, |span| span.from);
    let end = period.spans.last().map_or(0, |span| span.until);
    let is_partial = period.is_cut || quarter_begin(end) > whereabouts.now;
    Together { date: key.date, hour: key.hour, begin, seconds: period.seconds(), is_partial }
}

/// Periods of all groups that one answer may hold.
///
/// # Errors
/// More than that, with the nearest that is allowed.
pub(super) fn check_count(
    whereabouts: &Whereabouts,
    dates: &Dates,
    resolution: Resolution,
    periods: usize,
    groups: usize,
) -> Result<(), ApiError> {
    let max = USAGE_PERIODS_MAX;
    let count = periods.saturating_mul(groups);
    if count <= max {
        return Ok(());
    }
    let name = resolution.name();
    let mut allowed: Vec<String> = Vec::new();
    let mut coarser = resolution.coarser();
    while let Some(wider) = coarser.filter(|wider| *wider != Resolution::Total) {
        if PeriodsTogether::of(whereabouts, wider)?.list.len().saturating_mul(groups) <= max {
            allowed.push(format!("ask by {}", wider.name()));
            break;
        }
        coarser = wider.coarser();
    }
    let days = days_of(resolution, max / groups);
    if days > 0 {
        allowed.push(format!("ask until {}", date_after(dates.from, days)));
    }
    allowed.push(format!("name at most {} machines, models or sites", max / periods));
    let description = format!(
        "by {name} makes {periods} periods of {groups} groups, {count} together; at most {max} are allowed: {}",
        allowed.join(", or ")
    );
    Err(Violation { field: "resolution", description }.into())
}

/// So many days surely have no more than so many periods.
fn days_of(resolution: Resolution, periods: usize) -> i64 {
    let periods = i64::try_from(periods).unwrap_or(i64::MAX);
    match resolution {
        // The day on which clocks are put back has an hour more.
        Resolution::Hour => (periods - 1).max(0) / 24,
        Resolution::Day => periods,
        // The first and the last one may be cut.
        Resolution::Week => (periods - 1).max(0) * 7,
        Resolution::Month => (periods - 1).max(0) * 28,
        Resolution::Total => i64::MAX,
    }
}

/// A resolution as a message.
pub(super) fn show(resolution: Resolution) -> i32 {
    match resolution {
        Resolution::Hour => v1::Resolution::Hour,
        Resolution::Day => v1::Resolution::Day,
        Resolution::Week => v1::Resolution::Week,
        Resolution::Month => v1::Resolution::Month,
        Resolution::Total => v1::Resolution::Unspecified,
    }
    .into()
}
