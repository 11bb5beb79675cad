//! Fields of requests to checked values. What is wrong is collected, so that one answer names all of it.

use std::str::FromStr;

use domain::ids::SessionId;
use domain::registry::{BeltKind, DriveKind};
use domain::units::UnixMicros;
use domain::usage::calendar::check_zone;
use prost_types::Timestamp;
use wire::api::v1;

use crate::status::{ApiError, Violation};

/// Microseconds in a day.
const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// Most violations that one answer names.
const VIOLATIONS_MAX: usize = 10;
/// Longest name and model, in characters.
pub(crate) const NAME_CHARACTERS_MAX: usize = 120;
/// Longest identity of a request, in characters.
const REQUEST_ID_CHARACTERS_MAX: usize = 64;
/// 0001-01-01 and the end of 9999-12-31, in seconds, as a `Timestamp` may hold.
const TIMESTAMP_SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// A span of event time: from, until.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: UnixMicros,
    pub(crate) until: UnixMicros,
}

/// Collects what is wrong with a request.
#[derive(Debug, Default)]
pub(crate) struct Check {
    violations: Vec<Violation>,
}

impl Check {
    /// Notes that a field is not what it should be. Beyond the first few nothing is noted: a status has little room.
    pub(crate) fn wrong(&mut self, field: &'static str, description: impl Into<String>) {
        if self.violations.len() == VIOLATIONS_MAX {
            return;
        }
        self.violations.push(Violation { field, description: description.into() });
    }

    /// An error if anything was wrong.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        if self.violations.is_empty() { Ok(()) } else { Err(ApiError::Fields(self.violations)) }
    }

    /// An id of a site or machine.
    pub(crate) fn id<T: FromStr>(&mut self, field: &'static str, value: &str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        match value.parse() {
            Ok(id) => Some(id),
            Err(error) => {
                let error: T::Err = error;
                self.wrong(field, format!("is not valid: {error}"));
                None
            }
        }
    }

    /// An id that may be absent.
    pub(crate) fn optional_id<T: FromStr>(&mut self, field: &'static str, value: &str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        if value.is_empty() { None } else { self.id(field, value) }
    }

    /// A session's id.
    pub(crate) fn session_id(&mut self, field: &'static str, value: &str) -> Option<SessionId> {
        let mut octets = [0; 16];
        if hex::decode_to_slice(value, &mut octets).is_ok() {
            return Some(SessionId(octets));
        }
        self.wrong(field, format!("is {}; 32 hexadecimal digits are allowed", quoted(value)));
        None
    }

    /// A page size: 0 is the default, more than the greatest is the greatest.
    pub(crate) fn page_size(&mut self, value: i32, default: usize, max: usize) -> usize {
        match usize::try_from(value) {
            Ok(0) => default,
            Ok(size) => size.min(max),
            Err(_) => {
                self.wrong("page_size", format!("is {value}; 0 to {max} is allowed"));
                default
            }
        }
    }

    /// Text for people: no control characters, at most `max` characters.
    pub(crate) fn text(&mut self, field: &'static str, value: &str, max: usize) -> String {
        let length = value.chars().count();
        if length > max {
            self.wrong(field, format!("has {length} characters; at most {max} are allowed"));
        }
        if let Some(control) = value.chars().find(|c| c.is_control()) {
            self.wrong(field, format!("has the control character {control:?}; none is allowed"));
        }
        value.trim().to_owned()
    }

    /// An identity for safe retries.
    pub(crate) fn request_id(&mut self, value: &str) -> Option<String> {
        let allowed = |c: u8| c.is_ascii_graphic();
        if value.len() > REQUEST_ID_CHARACTERS_MAX || !value.bytes().all(allowed) {
            let max = REQUEST_ID_CHARACTERS_MAX;
            self.wrong(
                "request_id",
                format!("is {}; at most {max} visible ASCII characters are allowed", quoted(value)),
            );
        }
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// A time zone by its IANA name; UTC if empty.
    pub(crate) fn time_zone(&mut self, field: &'static str, value: &str) -> String {
        let name = if value.is_empty() { "UTC" } else { value };
        if let Err(error) = check_zone(name) {
            self.wrong(field, format!("is not valid: {error}"));
            return String::new();
        }
        let listed = jiff::tz::TimeZoneDatabase::bundled().get(name).ok();
        listed.as_ref().and_then(|zone| zone.iana_name()).unwrap_or(name).to_owned()
    }

    /// What a belt can do.
    pub(crate) fn belt(&mut self, field: &'static str, value: i32) -> BeltKind {
        match v1::BeltKind::try_from(value) {
            Ok(v1::BeltKind::OneWay) => BeltKind::OneWay,
            Ok(v1::BeltKind::Reversible) => BeltKind::Reversible,
            Ok(v1::BeltKind::Unknown | v1::BeltKind::Unspecified) => BeltKind::Unknown,
            Err(_) => {
                self.wrong(field, format!("is {value}; 0 to 3 are known"));
                BeltKind::Unknown
            }
        }
    }

    /// What drives a belt.
    pub(crate) fn drive(&mut self, field: &'static str, value: i32) -> DriveKind {
        match v1::DriveKind::try_from(value) {
            Ok(v1::DriveKind::Motor | v1::DriveKind::Unspecified) => DriveKind::Motor,
            Ok(v1::DriveKind::Manual) => DriveKind::Manual,
            Err(_) => {
                self.wrong(field, format!("is {value}; 0 to 2 are known"));
                DriveKind::Motor
            }
        }
    }

    /// A span of at most `days_max` days. Without an end: until `now`; without a beginning: 24 hours.
    pub(crate) fn span(
        &mut self,
        range: Option<&v1::TimeRange>,
        now: UnixMicros,
        days_max: i64,
    ) -> Option<Span> {
        let end = range.and_then(|range| range.end_time.as_ref());
        let start = range.and_then(|range| range.start_time.as_ref());
        let until = match end {
            Some(end) => self.time("range.end_time", end)?,
            None => now,
        };
        let from = match start {
            Some(start) => self.time("range.start_time", start)?,
            None => until.plus(-DAY_US),
        };
        if from >= until {
            let (from, until) = (text_of(from), text_of(until));
            self.wrong("range.start_time", format!("is {from}; it must be before range.end_time, {until}"));
            return None;
        }
        if until.since(from) > days_max * DAY_US {
            // Rounded up, so that a little over the limit does not read as the limit.
            let days = until.since(from).saturating_add(DAY_US - 1) / DAY_US;
            let nearest = text_of(until.plus(-days_max * DAY_US));
            self.wrong(
                "range",
                format!(
                    "is {days} days long; at most {days_max} are allowed: ask from {nearest} until {}",
                    text_of(until)
                ),
            );
            return None;
        }
        Some(Span { from, until })
    }

    /// A moment.
    pub(crate) fn time(&mut self, field: &'static str, time: &Timestamp) -> Option<UnixMicros> {
        if TIMESTAMP_SECONDS.contains(&time.seconds) && (0..1_000_000_000).contains(&time.nanos) {
            return Some(UnixMicros(time.seconds * 1_000_000 + i64::from(time.nanos) / 1_000));
        }
        let (seconds, nanos) = (time.seconds, time.nanos);
        self.wrong(
            field,
            format!("is {seconds} s and {nanos} ns; years 1 to 9999 and 0 to 999999999 ns are allowed"),
        );
        None
    }
}

/// A value for an error message: quoted, cut to 80 characters.
pub(crate) fn quoted(value: &str) -> String {
    let cut: String = value.chars().take(80).collect();
    format!("{cut:?}")
}

/// A moment in RFC 3339, UTC.
pub(crate) fn text_of(time: UnixMicros) -> String {
    match jiff::Timestamp::from_microsecond(time.0) {
        Ok(time) => time.to_string(),
        Err(_) => format!("{} µs", time.0),
    }
}
