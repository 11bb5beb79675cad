//! Numbers, speeds, ages and times as people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::texts::{Language, Texts};

/// Unit in which speeds are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    KilometresPerHour,
    MilesPerHour,
}

impl Unit {
    /// The unit that a user prefers.
    pub(crate) fn of(preferred: v1::SpeedUnit) -> Unit {
        match preferred {
            v1::SpeedUnit::MilesPerHour => Unit::MilesPerHour,
            v1::SpeedUnit::Unspecified | v1::SpeedUnit::KilometresPerHour => Unit::KilometresPerHour,
        }
    }

    /// As it stands behind a number.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Unit::KilometresPerHour => "km/h",
            Unit::MilesPerHour => "mph",
        }
    }

    /// How many of it are one metre per second.
    pub(crate) fn per_metre_per_second(self) -> f64 {
        match self {
            Unit::KilometresPerHour => 3.6,
            Unit::MilesPerHour => 2.236_936_292_054_402,
        }
    }
}

/// How a visitor reads: language and unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reader {
    pub(crate) t: Texts,
    pub(crate) unit: Unit,
}

impl Reader {
    /// With one decimal and the language's own sign for it; never "-0.0".
    pub(crate) fn number(self, value: f64) -> String {
        let text = format!("{value:.1}");
        let text = if text == "-0.0" { "0.0".to_owned() } else { text };
        match self.t.language {
            Language::English => text,
            Language::German => text.replace('.', ","),
        }
    }

    /// The number of a speed, without its unit.
    pub(crate) fn speed_number(self, metres_per_second: f64) -> String {
        self.number(metres_per_second * self.unit.per_metre_per_second())
    }

    /// A speed with its unit.
    pub(crate) fn speed(self, metres_per_second: f64) -> String {
        format!("{}\u{a0}{}", self.speed_number(metres_per_second), self.unit.name())
    }

    /// An incline with its sign.
    pub(crate) fn incline(self, percent: f64) -> String {
        let sign = if percent >= 0.05 { "+" } else { "" };
        format!("{sign}{}\u{a0}%", self.number(percent))
    }

    /// A way, in metres or beyond a kilometre in the unit's own longer measure.
    pub(crate) fn distance(self, metres: f64) -> String {
        match self.unit {
            Unit::KilometresPerHour if metres < 1_000.0 => self.t.metres(format!("{metres:.0}")),
            Unit::KilometresPerHour => self.t.kilometres(self.number(metres / 1_000.0)),
            Unit::MilesPerHour => self.t.miles(self.number(metres / 1_609.344)),
        }
    }

    /// A length of time in one unit: seconds, minutes, hours or days.
    pub(crate) fn age(self, seconds: i64) -> String {
        match seconds.max(0) {
            seconds @ ..60 => self.t.age_seconds(seconds),
            seconds @ 60..3_600 => self.t.age_minutes(seconds / 60),
            seconds @ 3_600..86_400 => self.t.age_hours(seconds / 3_600),
            seconds => self.t.age_days(seconds / 86_400),
        }
    }

    /// A sentence in which `{ago}` or `{for}` stands for the age of a moment, as of now.
    pub(crate) fn aged(self, sentence: &str, since_ms: Option<i64>, now_ms: i64) -> String {
        let age = |worded: fn(Texts, String) -> String| match since_ms {
            Some(since) => worded(self.t, self.age((now_ms - since) / 1_000)),
            None => self.t.not_known().to_owned(),
        };
        if sentence.contains("{ago}") {
            sentence.replace("{ago}", &age(|t, age| t.ago(age)))
        } else {
            sentence.replace("{for}", &age(|t, age| t.since(age)))
        }
    }
}

/// A moment of the API, if it is one.
pub(crate) fn moment(time: Option<prost_types::Timestamp>) -> Option<Timestamp> {
    time.and_then(|time| Timestamp::new(time.seconds, time.nanos).ok())
}

/// A moment of the API in milliseconds since 1970, as scripts count.
pub(crate) fn millis(time: Option<prost_types::Timestamp>) -> Option<i64> {
    moment(time).map(Timestamp::as_millisecond)
}

/// A moment of the API, exactly, as seconds since 1970 with nine decimals.
pub(crate) fn exact(time: Option<prost_types::Timestamp>) -> String {
    time.map(|time| format!("{}.{:09}", time.seconds, time.nanos)).unwrap_or_default()
}

/// The moment that [`exact`] wrote.
pub(crate) fn from_exact(text: &str) -> Option<prost_types::Timestamp> {
    let (seconds, nanos) = text.split_once('.')?;
    let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    if nanos.len() != 9 || !digits(nanos) || !digits(seconds) {
        return None;
    }
    Some(prost_types::Timestamp { seconds: seconds.parse().ok()?, nanos: nanos.parse().ok()? })
}

/// A length of time of the API in seconds.
pub(crate) fn seconds(duration: &prost_types::Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "spans are far below 2^52 s")]
    let whole = duration.seconds as f64;
    whole + f64::from(duration.nanos) / 1e9
}

/// A site's zone; UTC if its name is not known.
pub(crate) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// Hours and minutes in a zone.
pub(crate) fn clock(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%H:%M").to_string()
}

/// Hours, minutes and seconds in a zone.
pub(crate) fn clock_seconds(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests;
