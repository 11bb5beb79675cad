//! What clocks of a place show.

use domain::units::UnixMicros;
use domain::usage::QUARTER_US;
use domain::usage::calendar::{
    Calendar, LocalQuarter, QUARTER_EARLIEST, QUARTER_LATEST, QUARTER_SECONDS, Zones,
};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::Offset;

use super::super::asked::days_between;
use super::super::whereabouts::{Place, out_of_calendar};
use super::cell::Cell;
use crate::status::ApiError;

const EPOCH: Date = date(1970, 1, 1);
/// Sessions of the last date may end after it: quarters of two days.
const REACH_QUARTERS: i64 = 2 * 96;

/// The clocks of a place.
#[derive(Debug)]
pub(super) struct Clock {
    zones: std::sync::Arc<Zones>,
    calendar: Calendar,
}

impl Clock {
    /// Of a place, quick for the time asked and soon after.
    ///
    /// # Errors
    /// The calendar does not know these dates.
    pub(super) fn of(place: &Place) -> Result<Clock, ApiError> {
        let until = place.range.until.saturating_add(REACH_QUARTERS).min(QUARTER_LATEST);
        let calendar = place.zones.calendar(place.range.from, until).map_err(out_of_calendar)?;
        Ok(Clock { zones: place.zones.clone(), calendar })
    }

    /// Local time minus UTC at a moment, in seconds.
    pub(super) fn offset_seconds(&self, time: UnixMicros) -> i32 {
        let quarter = time.0.div_euclid(QUARTER_US).clamp(QUARTER_EARLIEST, QUARTER_LATEST - 1);
        let far = || self.zones.calendar(quarter, quarter + 1).ok().and_then(|one| one.local(quarter));
        let offset = |local: LocalQuarter| {
            let seconds = days_between(EPOCH, local.date()) * 86_400 + i64::from(local.minute()) * 60;
            seconds - quarter * QUARTER_SECONDS
        };
        let offset = self.calendar.local(quarter).or_else(far).map_or(0, offset);
        i32::try_from(offset).unwrap_or(0)
    }

    /// Date and time on the clock, to the second, and the hours that it is ahead of UTC.
    pub(super) fn local(&self, time: UnixMicros) -> [Cell; 2] {
        let seconds = self.offset_seconds(time);
        let offset = Offset::from_seconds(seconds).unwrap_or(Offset::UTC);
        let moment = Timestamp::from_microsecond(time.0).unwrap_or(Timestamp::UNIX_EPOCH);
        let local = offset.to_datetime(moment).strftime("%Y-%m-%dT%H:%M:%S").to_string();
        [Cell::Text(local), hours(seconds)]
    }

    /// The date on the clock.
    pub(super) fn date(&self, time: UnixMicros) -> Date {
        let offset = Offset::from_seconds(self.offset_seconds(time)).unwrap_or(Offset::UTC);
        offset.to_datetime(Timestamp::from_microsecond(time.0).unwrap_or(Timestamp::UNIX_EPOCH)).date()
    }
}

/// Seconds ahead of UTC as hours.
pub(super) fn hours(offset_seconds: i32) -> Cell {
    Cell::Number(f64::from(offset_seconds) / 3_600.0, 2)
}
