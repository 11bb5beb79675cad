//! A range of quarters in civil periods.

use std::collections::HashMap;

use jiff::civil::{Date, Weekday};

use super::{
    CalendarError, DAY_SECONDS, HOUR_SECONDS, LocalQuarter, OffsetSpan, QuarterSpan, REACH_QUARTERS,
    Resolution, date_of, days_of, local_seconds, push_joined, quarter_from, week_begin_days,
};
use crate::limits::CALENDAR_PERIODS_MAX;

/// An hour of the clock. The hour that clocks repeat when they are put back is there twice, with two offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HourOfDay {
    /// 0 to 23.
    pub hour: u8,
    /// Local time minus UTC in it, in seconds.
    pub offset_seconds: i32,
}

/// A civil period, as far as it is in the range asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// The date on which it begins by the calendar, even if the range, or the place's first day in it, begins later. Of a
    /// total: the date on which the range begins.
    pub begin: Date,
    /// Of hours: which one of the date.
    pub hour: Option<HourOfDay>,
    /// Its quarters, ascending. Mostly one span; more if the place changed its zone and had a date again.
    pub spans: Vec<QuarterSpan>,
    /// Whether the period has quarters that are not in the range.
    pub is_cut: bool,
}

impl Period {
    /// How long it is in the range, in seconds.
    pub fn seconds(&self) -> i64 {
        self.spans.iter().map(|span| span.seconds()).sum()
    }
}

/// The periods of a range: every quarter of the range is in exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Periods {
    range: QuarterSpan,
    list: Vec<Period>,
    /// Beginnings of all spans, ascending, with the index of their period. The spans leave no hole.
    begins: Vec<(i64, usize)>,
}

impl Periods {
    /// All of them: hours as they came, all others by date. Periods that the place left out are not there.
    pub fn list(&self) -> &[Period] {
        &self.list
    }

    /// The index in the list of the period that a quarter is in; `None`: it is not in the range.
    pub fn index_of(&self, quarter: i64) -> Option<usize> {
        if !self.range.contains(quarter) {
            return None;
        }
        let after = self.begins.partition_point(|(from, _)| *from <= quarter);
        after.checked_sub(1).map(|last| self.begins[last].1)
    }
}

/// What makes two quarters belong to the same period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    /// Where the period begins, in seconds of the clock since 1970.
    begin: i64,
    /// Local time minus UTC; of hours only.
    offset_seconds: Option<i32>,
}

impl Key {
    fn period(self) -> Period {
        let hour = LocalQuarter { local_seconds: self.begin }.hour();
        Period {
            begin: date_of(self.begin),
            hour: self.offset_seconds.map(|offset_seconds| HourOfDay { hour, offset_seconds }),
            spans: Vec::new(),
            is_cut: false,
        }
    }
}

/// The periods of a range, of which `offsets` tell it and [`REACH_QUARTERS`] around it.
pub(super) fn of(
    offsets: &[OffsetSpan],
    range: QuarterSpan,
    resolution: Resolution,
    first_weekday: Weekday,
) -> Result<Periods, CalendarError> {
    let rules = Rules { resolution, first_weekday, range_begin: range_begin(offsets, range) };
    let mut list: Vec<Period> = Vec::new();
    let mut indexes: HashMap<Key, usize> = HashMap::new();
    for (key, span) in rules.pieces(offsets, range) {
        let index = *indexes.entry(key).or_insert(list.len());
        if index == CALENDAR_PERIODS_MAX {
            let (max, until) = (CALENDAR_PERIODS_MAX, span.from);
            return Err(CalendarError::TooManyPeriods { resolution, max, until });
        }
        if index == list.len() {
            list.push(key.period());
        }
        push_joined(&mut list[index].spans, span);
    }
    for around in [
        QuarterSpan { from: range.from - REACH_QUARTERS, until: range.from },
        QuarterSpan { from: range.until, until: range.until + REACH_QUARTERS },
    ] {
        // Nothing around the range belongs to its total.
        for (key, _) in rules.pieces(offsets, around).filter(|_| resolution != Resolution::Total) {
            if let Some(index) = indexes.get(&key) {
                list[*index].is_cut = true;
            }
        }
    }
    if resolution != Resolution::Hour {
        // A place that went back over the date line comes to the date before after the date.
        list.sort_by_key(|period| period.begin);
    }
    let mut begins: Vec<(i64, usize)> = Vec::with_capacity(list.len());
    for (index, period) in list.iter().enumerate() {
        begins.extend(period.spans.iter().map(|span| (span.from, index)));
    }
    begins.sort_unstable();
    Ok(Periods { range, list, begins })
}

/// Midnight of the date on which a range begins, in seconds of the clock since 1970.
fn range_begin(offsets: &[OffsetSpan], range: QuarterSpan) -> i64 {
    let after = offsets.partition_point(|offset| offset.span.from <= range.from);
    let offset_seconds = after.checked_sub(1).map_or(0, |last| offsets[last].offset_seconds);
    local_seconds(range.from, offset_seconds).div_euclid(DAY_SECONDS) * DAY_SECONDS
}

/// How periods are told apart.
#[derive(Debug, Clone, Copy)]
struct Rules {
    resolution: Resolution,
    first_weekday: Weekday,
    range_begin: i64,
}

impl Rules {
    /// Beginning and end of the period in which a clock shows this, both in seconds of the clock since 1970.
    fn period_at(self, local_seconds: i64) -> (i64, i64) {
        let day = local_seconds.div_euclid(DAY_SECONDS);
        let days = |from: i64, until: i64| (from * DAY_SECONDS, until * DAY_SECONDS);
        match self.resolution {
            Resolution::Hour => {
                let begin = local_seconds.div_euclid(HOUR_SECONDS) * HOUR_SECONDS;
                (begin, begin + HOUR_SECONDS)
            }
            Resolution::Day => days(day, day + 1),
            Resolution::Week => {
                let begin = week_begin_days(day, self.first_weekday);
                days(begin, begin + 7)
            }
            Resolution::Month => {
                let date = date_of(local_seconds);
                days(days_of(date.first_of_month()), days_of(date.last_of_month()) + 1)
            }
            Resolution::Total => (self.range_begin, i64::MAX),
        }
    }

    /// A range cut where a period ends or clocks change, ascending.
    fn pieces(self, offsets: &[OffsetSpan], range: QuarterSpan) -> impl Iterator<Item = (Key, QuarterSpan)> {
        let first = offsets.partition_point(|offset| offset.span.until <= range.from);
        offsets[first..].iter().take_while(move |offset| offset.span.from < range.until).flat_map(
            move |offset| {
                let end = offset.span.until.min(range.until);
                let mut from = offset.span.from.max(range.from);
                std::iter::from_fn(move || {
                    if from >= end {
                        return None;
                    }
                    let (begin, period_end) = self.period_at(local_seconds(from, offset.offset_seconds));
                    let until =
                        quarter_from(period_end.saturating_sub(i64::from(offset.offset_seconds))).min(end);
                    let of_hour = self.resolution == Resolution::Hour;
                    let key = Key { begin, offset_seconds: of_hour.then_some(offset.offset_seconds) };
                    let piece = QuarterSpan { from, until };
                    from = until;
                    Some((key, piece))
                })
            },
        )
    }
}
