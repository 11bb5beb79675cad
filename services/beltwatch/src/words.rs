//! Values of the API in the product's words, and times as people give them.

mod handling;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, SpanRelativeTo, Timestamp};
use wire::api::v1;

pub use self::handling::{cause, handling, hurt, notice_state, proof_state, staffing};
use crate::failure::{Exit, Failure};

/// A direction's word.
pub fn direction(value: i32) -> &'static str {
    match v1::Direction::try_from(value) {
        Ok(v1::Direction::Forward) => "forward",
        Ok(v1::Direction::Reverse) => "reverse",
        Ok(v1::Direction::Stopped) => "stopped",
        Ok(v1::Direction::Unknown | v1::Direction::Unspecified) | Err(_) => "unknown",
    }
}

/// A direction's origin in a word.
pub fn origin(value: i32) -> &'static str {
    match v1::DirectionOrigin::try_from(value) {
        Ok(v1::DirectionOrigin::Measured) => "measured",
        Ok(v1::DirectionOrigin::Declared) => "declared",
        Ok(v1::DirectionOrigin::Unknown | v1::DirectionOrigin::Unspecified) | Err(_) => "unknown",
    }
}

/// Why a moving belt has no direction, in words; empty: it has, or it is declared.
pub fn direction_unknown(value: i32) -> &'static str {
    match v1::DirectionUnknown::try_from(value) {
        Ok(v1::DirectionUnknown::NotMeasured) => "not measured",
        Ok(v1::DirectionUnknown::NotCommissioned) => "not commissioned",
        Ok(v1::DirectionUnknown::ConfigurationChanged) => "configuration changed",
        Ok(v1::DirectionUnknown::Unspecified) | Err(_) => "",
    }
}

/// A contact's state in a word.
pub fn contact(value: i32) -> &'static str {
    match v1::ContactState::try_from(value) {
        Ok(v1::ContactState::Closed) => "closed",
        Ok(v1::ContactState::Open) => "open",
        Ok(v1::ContactState::Both) => "both",
        Ok(v1::ContactState::Unknown | v1::ContactState::Unspecified) | Err(_) => "unknown",
    }
}

/// Presence in words.
pub fn presence(value: i32) -> &'static str {
    match v1::Presence::try_from(value) {
        Ok(v1::Presence::Online) => "online",
        Ok(v1::Presence::Late) => "late",
        Ok(v1::Presence::Offline) => "offline",
        Ok(v1::Presence::NeverSeen) => "never_seen",
        Ok(v1::Presence::Unspecified) | Err(_) => "unknown",
    }
}

/// The one thing to say of a machine, in words.
pub fn status(value: i32) -> &'static str {
    match v1::Status::try_from(value) {
        Ok(v1::Status::EmergencyStop) => "emergency stop",
        Ok(v1::Status::KeyPulled) => "key pulled",
        Ok(v1::Status::PowerLost) => "power lost",
        Ok(v1::Status::Reverse) => "reverse",
        Ok(v1::Status::MovingUnknown) => "moving, direction unknown",
        Ok(v1::Status::Offline) => "offline",
        Ok(v1::Status::Silent) => "silent",
        Ok(v1::Status::Forward) => "forward",
        Ok(v1::Status::Resting) => "resting",
        Ok(v1::Status::OutOfUse) => "out of use",
        Ok(v1::Status::Free) => "free",
        Ok(v1::Status::NeverSeen) => "never seen",
        Ok(v1::Status::Unspecified) | Err(_) => "unknown",
    }
}

/// What a belt can do, in words.
pub fn belt_kind(value: i32) -> &'static str {
    match v1::BeltKind::try_from(value) {
        Ok(v1::BeltKind::OneWay) => "one_way",
        Ok(v1::BeltKind::Reversible) => "reversible",
        Ok(v1::BeltKind::Unknown | v1::BeltKind::Unspecified) | Err(_) => "unknown",
    }
}

/// What drives a belt, in a word.
pub fn drive_kind(value: i32) -> &'static str {
    match v1::DriveKind::try_from(value) {
        Ok(v1::DriveKind::Manual) => "manual",
        Ok(v1::DriveKind::Motor | v1::DriveKind::Unspecified) | Err(_) => "motor",
    }
}

/// A severity's word.
pub fn severity(value: i32) -> &'static str {
    match v1::Severity::try_from(value) {
        Ok(v1::Severity::Critical) => "critical",
        Ok(v1::Severity::High) => "high",
        Ok(v1::Severity::Medium) => "medium",
        Ok(v1::Severity::Low) => "low",
        Ok(v1::Severity::Info) => "info",
        Ok(v1::Severity::Unspecified) | Err(_) => "unknown",
    }
}

/// What a machine does, in a word.
pub fn incident_state(value: i32) -> &'static str {
    match v1::IncidentState::try_from(value) {
        Ok(v1::IncidentState::Active) => "active",
        Ok(v1::IncidentState::Cleared) => "cleared",
        Ok(v1::IncidentState::Unspecified) | Err(_) => "unknown",
    }
}

/// Whether something can be seen, in a word.
pub fn sight(value: i32) -> &'static str {
    match v1::Sight::try_from(value) {
        Ok(v1::Sight::Seen) => "seen",
        Ok(v1::Sight::Untested) => "untested",
        Ok(v1::Sight::Blind) => "blind",
        Ok(v1::Sight::Unknown | v1::Sight::Unspecified) | Err(_) => "unknown",
    }
}

/// How steep a belt was for the person; empty: not known.
pub fn grade(value: i32) -> &'static str {
    match v1::Grade::try_from(value).unwrap_or_default() {
        v1::Grade::Unspecified => "",
        v1::Grade::Level => "level",
        v1::Grade::Uphill => "uphill",
        v1::Grade::Downhill => "downhill",
    }
}

/// A moment of the API; `None` if it is absent or none.
pub fn time(value: Option<prost_types::Timestamp>) -> Option<Timestamp> {
    value.and_then(|value| Timestamp::new(value.seconds, value.nanos).ok())
}

/// A length of time in seconds.
pub fn seconds(value: Option<prost_types::Duration>) -> Option<f64> {
    value.map(|value| value.seconds as f64 + f64::from(value.nanos) / 1e9)
}

/// A zone by its name; UTC if it is not known here.
pub fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// Which span of time a command is about.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct RangeArgs {
    /// From this time on: with offset, or in the site's zone, such as 2026-11-20T09:00
    #[arg(long, value_name = "TIME", conflicts_with = "last")]
    pub from: Option<String>,
    /// Until before this time; now if not given
    #[arg(long, value_name = "TIME", conflicts_with = "last")]
    pub until: Option<String>,
    /// The last so long, such as 90m, 1h or 2d; 24 hours if nothing is given
    #[arg(long, value_name = "DURATION")]
    pub last: Option<String>,
}

impl RangeArgs {
    /// The span for a request. Times without an offset are of `zone`.
    ///
    /// # Errors
    /// A time or duration cannot be read.
    pub fn range(&self, zone: &TimeZone, now: Timestamp) -> Result<v1::TimeRange, Failure> {
        let from = self.from.as_deref().map(|text| moment("--from", text, zone)).transpose()?;
        let until = self.until.as_deref().map(|text| moment("--until", text, zone)).transpose()?;
        let last = self.last.as_deref().map(|text| before("--last", text, now)).transpose()?;
        Ok(v1::TimeRange { start_time: from.or(last).map(timestamp), end_time: until.map(timestamp) })
    }
}

/// A moment as the API takes it.
pub fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    // Before 1970 jiff's fraction is negative; a `Timestamp`'s never is.
    let mut time = prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() };
    time.normalize();
    time
}

/// A moment given to `--expires`, in UTC if it has no offset.
///
/// # Errors
/// It is no time.
pub fn expiry(text: &str) -> Result<prost_types::Timestamp, Failure> {
    Ok(timestamp(moment("--expires", text, &TimeZone::UTC)?))
}

/// A moment with an offset, or one of `zone`.
///
/// # Errors
/// It is no time.
pub fn moment(option: &str, text: &str, zone: &TimeZone) -> Result<Timestamp, Failure> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let civil = text.parse::<DateTime>().ok();
    let time = civil.and_then(|civil| civil.to_zoned(zone.clone()).ok()).map(|zoned| zoned.timestamp());
    time.ok_or_else(|| {
        let allowed = "a time such as 2026-11-20T09:00 or 2026-11-20T08:00Z is allowed";
        Failure::new(Exit::Usage, format!("{option} is \"{text}\"; {allowed}"))
    })
}

fn before(option: &str, text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    length(text).and_then(|length| now.checked_sub(length).ok()).ok_or_else(|| no_length(option, text))
}

/// The moment that lies so long after `now`.
///
/// # Errors
/// It is no duration, or it leads nowhere.
pub fn after(option: &str, text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    length(text).and_then(|length| now.checked_add(length).ok()).ok_or_else(|| no_length(option, text))
}

/// A duration of more than nothing, such as `90m`; a day has 24 hours.
pub fn length(text: &str) -> Option<SignedDuration> {
    let span = text.parse::<jiff::Span>().ok().filter(|span| span.is_positive())?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()
}

fn no_length(option: &str, text: &str) -> Failure {
    Failure::new(Exit::Usage, format!("{option} is \"{text}\"; a duration such as 90m, 1h or 2d is allowed"))
}
