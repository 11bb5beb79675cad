//! The civil calendar of a place: which quarters of an hour are its hours, days, weeks and months.
//!
//! A quarter has the number floor(unix seconds / 900) and belongs where its beginning belongs: to the date and hour that
//! clocks of the place show then, in the zone that the place has then. Since 2000 every zone has been whole quarters from
//! UTC, so periods are sums of quarters. A clock that was put on or back within a quarter counts from the next quarter on:
//! that was so in Moncton until 2006, in St John's, Goose Bay, Gaza and Hebron until 2011 and at Casey until 2022, all at a
//! minute past the hour, and nowhere since.

mod periods;
#[cfg(test)]
mod tests;
mod zones;

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday, date};
use jiff::tz::Offset;

pub use self::periods::{HourOfDay, Period, Periods};
pub use self::zones::{UnknownZone, Zones, check_zone};
use super::{QUARTER_US, QUARTERS_A_DAY};

/// Seconds of a quarter of an hour.
pub const QUARTER_SECONDS: i64 = QUARTER_US / 1_000_000;
/// The first quarter of which a calendar speaks, 2000-01-01T00:00:00Z.
pub const QUARTER_EARLIEST: i64 = 946_684_800 / QUARTER_SECONDS;
/// Behind the last quarter of which a calendar speaks, 2100-01-01T00:00:00Z.
pub const QUARTER_LATEST: i64 = 4_102_444_800 / QUARTER_SECONDS;
/// The first date that can be asked for.
pub const DATE_EARLIEST: Date = date(2000, 1, 1);
/// The last date that can be asked for, as an end.
pub const DATE_LATEST: Date = date(2100, 1, 1);

const DAY_SECONDS: i64 = QUARTERS_A_DAY * QUARTER_SECONDS;
const HOUR_SECONDS: i64 = 3_600;
/// How far a calendar looks around its range to find periods that the range cuts. A place that moves over the date line
/// comes back to a date after 26 hours at most, the most that clocks of two places differ, and that date is a day long.
const REACH_QUARTERS: i64 = 3 * QUARTERS_A_DAY;

/// Why a calendar cannot say it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The range reaches out of the years of which a calendar speaks.
    #[error(
        "the range is {} until {}; {} until {} is allowed",
        moment(.0.from), moment(.0.until), moment(QUARTER_EARLIEST), moment(QUARTER_LATEST)
    )]
    RangeOutside(QuarterSpan),
    /// The range ends before it begins.
    #[error("the range begins at {}, after its end at {}", moment(.0.from), moment(.0.until))]
    RangeReversed(QuarterSpan),
    /// The date is out of the years of which a calendar speaks.
    #[error("the date is {0}; {DATE_EARLIEST} to {DATE_LATEST} are allowed")]
    DateOutside(Date),
    /// The first date is not before the end.
    #[error("the first date is {from}; it must be before the end, {until}")]
    DatesReversed {
        /// First date.
        from: Date,
        /// The date behind the last one.
        until: Date,
    },
    /// The range has more periods than one answer holds.
    #[error(
        "the range has more than {max} periods of one {}: ask until {} at the latest{}",
        resolution.name(), moment(*until), coarser_text(*resolution)
    )]
    TooManyPeriods {
        /// What was asked.
        resolution: Resolution,
        /// How many are allowed.
        max: usize,
        /// The latest end with which the same range is allowed: a quarter.
        until: i64,
    },
}

/// The beginning of a quarter, for people.
fn moment(quarter: i64) -> String {
    match Timestamp::from_second(quarter.saturating_mul(QUARTER_SECONDS)) {
        Ok(time) => time.to_string(),
        Err(_) => format!("quarter {quarter}"),
    }
}

fn coarser_text(resolution: Resolution) -> String {
    resolution.coarser().map_or_else(String::new, |coarser| format!(", or by {}", coarser.name()))
}

/// Quarters without a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuarterSpan {
    /// The first one.
    pub from: i64,
    /// The one behind the last.
    pub until: i64,
}

impl QuarterSpan {
    /// How many they are.
    pub fn quarters(self) -> i64 {
        self.until.saturating_sub(self.from).max(0)
    }

    /// How long they are, in seconds.
    pub fn seconds(self) -> i64 {
        self.quarters().saturating_mul(QUARTER_SECONDS)
    }

    /// Whether it has none.
    pub fn is_empty(self) -> bool {
        self.from >= self.until
    }

    /// Whether a quarter is among them.
    pub fn contains(self, quarter: i64) -> bool {
        (self.from..self.until).contains(&quarter)
    }

    fn checked(from: i64, until: i64) -> Result<QuarterSpan, CalendarError> {
        let span = QuarterSpan { from, until };
        if from > until {
            return Err(CalendarError::RangeReversed(span));
        }
        if from < QUARTER_EARLIEST || until > QUARTER_LATEST {
            return Err(CalendarError::RangeOutside(span));
        }
        Ok(span)
    }
}

/// Quarters in which clocks of a place are equally far from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetSpan {
    /// Which.
    pub span: QuarterSpan,
    /// Local time minus UTC, in seconds.
    pub offset_seconds: i32,
}

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    /// An hour of the clock.
    Hour,
    /// A date.
    Day,
    /// Seven dates from the place's first weekday on.
    Week,
    /// A month of the calendar.
    Month,
    /// All that was asked.
    Total,
}

impl Resolution {
    /// All, finest first.
    pub const ALL: [Resolution; 5] =
        [Resolution::Hour, Resolution::Day, Resolution::Week, Resolution::Month, Resolution::Total];

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Resolution::Hour => "hour",
            Resolution::Day => "day",
            Resolution::Week => "week",
            Resolution::Month => "month",
            Resolution::Total => "total",
        }
    }

    /// The next coarser one.
    pub fn coarser(self) -> Option<Resolution> {
        match self {
            Resolution::Hour => Some(Resolution::Day),
            Resolution::Day => Some(Resolution::Week),
            Resolution::Week => Some(Resolution::Month),
            Resolution::Month => Some(Resolution::Total),
            Resolution::Total => None,
        }
    }
}

/// What clocks of a place show when a quarter begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalQuarter {
    /// Seconds since 1970-01-01T00:00:00 on the clock of the place.
    local_seconds: i64,
}

impl LocalQuarter {
    /// Date.
    pub fn date(self) -> Date {
        date_of(self.local_seconds)
    }

    /// Day of the week: 0 is Monday, 6 is Sunday.
    pub fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        small((self.local_seconds.div_euclid(DAY_SECONDS) + 3).rem_euclid(7))
    }

    /// Hour of the clock, 0 to 23.
    pub fn hour(self) -> u8 {
        small(self.local_seconds.rem_euclid(DAY_SECONDS) / HOUR_SECONDS)
    }

    /// Minutes of the clock after midnight, 0 to 1 439.
    pub fn minute(self) -> u16 {
        u16::try_from(self.local_seconds.rem_euclid(DAY_SECONDS) / 60).expect("a day has 1 440 minutes")
    }

    /// Whether it is in one of a week's spans: of each day from Monday on, in minutes after midnight, beginning and end,
    /// up to 1 440.
    pub fn is_within(self, days: &[Vec<(u16, u16)>; 7]) -> bool {
        let minute = self.minute();
        days[usize::from(self.weekday())].iter().any(|(from, until)| (*from..*until).contains(&minute))
    }
}

/// What clocks of a place show in a range of quarters. Made by [`Zones::calendar`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    range: QuarterSpan,
    /// Of the range and [`REACH_QUARTERS`] around it, ascending and without a hole.
    offsets: Vec<OffsetSpan>,
}

impl Calendar {
    /// The range of which it speaks.
    pub fn range(&self) -> QuarterSpan {
        self.range
    }

    /// The range in periods. Weeks begin on `first_weekday`; nothing else depends on it.
    ///
    /// # Errors
    /// More than `limits::CALENDAR_PERIODS_MAX` periods.
    pub fn periods(&self, resolution: Resolution, first_weekday: Weekday) -> Result<Periods, CalendarError> {
        periods::of(&self.offsets, self.range, resolution, first_weekday)
    }

    /// What clocks show when a quarter begins; `None`: it is not in the range.
    pub fn local(&self, quarter: i64) -> Option<LocalQuarter> {
        if !self.range.contains(quarter) {
            return None;
        }
        let after = self.offsets.partition_point(|offset| offset.span.from <= quarter);
        let offset = &self.offsets[after.checked_sub(1)?];
        Some(LocalQuarter { local_seconds: local_seconds(quarter, offset.offset_seconds) })
    }

    /// The quarters of the range whose beginnings are in a week's spans, as [`LocalQuarter::is_within`] has them;
    /// ascending, neighbours joined.
    pub fn within(&self, days: &[Vec<(u16, u16)>; 7]) -> Vec<QuarterSpan> {
        let mut spans: Vec<QuarterSpan> = Vec::new();
        for offset in &self.offsets {
            for quarter in offset.span.from.max(self.range.from)..offset.span.until.min(self.range.until) {
                let local = LocalQuarter { local_seconds: local_seconds(quarter, offset.offset_seconds) };
                if local.is_within(days) {
                    push_joined(&mut spans, QuarterSpan { from: quarter, until: quarter + 1 });
                }
            }
        }
        spans
    }
}

/// A day of the week by its number: 0 is Monday, 6 is Sunday.
pub fn weekday(number: u8) -> Option<Weekday> {
    Weekday::from_monday_zero_offset(i8::try_from(number).ok()?).ok()
}

/// The date on which a date's week begins.
pub fn week_begin(date: Date, first_weekday: Weekday) -> Date {
    date_of(week_begin_days(days_of(date), first_weekday) * DAY_SECONDS)
}

/// The first date of a date's month.
pub fn month_begin(date: Date) -> Date {
    date.first_of_month()
}

fn week_begin_days(days: i64, first_weekday: Weekday) -> i64 {
    // 1970-01-01 was a Thursday, three days after a Monday.
    days - (days + 3 - i64::from(first_weekday.to_monday_zero_offset())).rem_euclid(7)
}

fn local_seconds(quarter: i64, offset_seconds: i32) -> i64 {
    quarter * QUARTER_SECONDS + i64::from(offset_seconds)
}

/// The first quarter that begins at or after this, in seconds since 1970.
fn quarter_from(seconds: i64) -> i64 {
    -(-seconds).div_euclid(QUARTER_SECONDS)
}

/// Days since 1970-01-01.
fn days_of(date: Date) -> i64 {
    let midnight = Offset::UTC.to_timestamp(date.to_datetime(Time::midnight()));
    midnight.expect("the midnight of a date in UTC is a moment").as_second().div_euclid(DAY_SECONDS)
}

/// The date of a clock that shows this many seconds since 1970.
fn date_of(local_seconds: i64) -> Date {
    let shown = Timestamp::from_second(local_seconds).expect("calendars speak of 1999 to 2100 only");
    Offset::UTC.to_datetime(shown).date()
}

/// Appends a span; one that begins where the last one ends makes that one longer.
fn push_joined(spans: &mut Vec<QuarterSpan>, span: QuarterSpan) {
    match spans.last_mut() {
        Some(last) if last.until == span.from => last.until = span.until,
        Some(_) | None => spans.push(span),
    }
}

fn small(value: i64) -> u8 {
    u8::try_from(value).expect("weekdays and hours are below 24")
}
