//! Courses: what sessions are labelled with. A course says what somebody is to do on a belt, never who that is.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use domain::ids::SiteId;
use domain::units::UnixMicros;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Registry, json};

/// Longest code of a course, in characters.
const CODE_CHARS_MAX: usize = 16;
/// Longest text that an error repeats, in characters.
const REPEATED_CHARS_MAX: usize = 80;

/// Names a course: the number of the fact that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CourseId(pub u64);

impl fmt::Display for CourseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The opaque code of a course: 1 to 16 of A-Z, a-z, 0-9 and hyphen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CourseCode(String);

/// A text is no code of a course.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no code of a course: 1 to 16 letters, digits and hyphens; do not write names")]
pub struct CourseCodeError {
    /// The text, at most its first 80 characters.
    pub text: String,
}

impl CourseCode {
    /// A code of this text.
    ///
    /// # Errors
    /// If it is empty, too long, or has another character.
    pub fn new(text: &str) -> Result<CourseCode, CourseCodeError> {
        let is_allowed = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
        if (1..=CODE_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_allowed) {
            Ok(CourseCode(text.to_owned()))
        } else {
            Err(CourseCodeError { text: text.chars().take(REPEATED_CHARS_MAX).collect() })
        }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CourseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for CourseCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for CourseCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CourseCode, D::Error> {
        CourseCode::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// What somebody is to do on a belt. What is `None` is not prescribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Prescription {
    /// Sessions in a week, 1 to 14.
    pub sessions_a_week: Option<u8>,
    /// Time in reverse in each session, in seconds, 30 to 7 200.
    pub reverse_seconds: Option<u32>,
    /// Greatest speed, in mm/s, 100 to 3 000.
    pub speed_mm_s: Option<u32>,
    /// Length of an interval, in seconds, 5 to 1 800.
    pub interval_seconds: Option<u32>,
    /// For how many weeks, 1 to 52.
    pub weeks: Option<u8>,
}

impl Prescription {
    /// Whether all of it can be prescribed.
    ///
    /// # Errors
    /// The first field that cannot, its value, and what is allowed.
    pub fn check(&self) -> Result<(), String> {
        let Prescription { sessions_a_week, reverse_seconds, speed_mm_s, interval_seconds, weeks } = *self;
        within("sessions_a_week", sessions_a_week.map(u32::from), 1..=14)?;
        within("reverse_seconds", reverse_seconds, 30..=7_200)?;
        within("speed_mm_s", speed_mm_s, 100..=3_000)?;
        within("interval_seconds", interval_seconds, 5..=1_800)?;
        within("weeks", weeks.map(u32::from), 1..=52)
    }
}

pub(super) fn within(field: &str, value: Option<u32>, allowed: RangeInclusive<u32>) -> Result<(), String> {
    match value {
        Some(value) if !allowed.contains(&value) => {
            Err(format!("{field} is {value}; {} to {} are allowed", allowed.start(), allowed.end()))
        }
        _ => Ok(()),
    }
}

/// A course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    /// Identity.
    pub id: CourseId,
    /// At which site.
    pub site: SiteId,
    /// Its code; no other course of the site that has not ended has it.
    pub code: CourseCode,
    /// Whose it is, as facts name people, such as `user:anna`.
    pub owner: String,
    /// When it was made.
    #[serde(rename = "created_us", with = "json::micros")]
    pub created: UnixMicros,
    /// What is prescribed; `None`: nothing.
    #[serde(default)]
    pub prescription: Option<Prescription>,
    /// When it was ended; `None`: it has not ended.
    #[serde(rename = "ended_us", with = "json::maybe_micros", default)]
    pub ended: Option<UnixMicros>,
}

impl Registry {
    /// A course, also one that has ended.
    pub fn course(&self, id: CourseId) -> Option<&Arc<Course>> {
        self.courses.get(&id)
    }

    /// Courses of a site, also those that have ended, the oldest first.
    pub fn courses_of(&self, site: &SiteId) -> impl Iterator<Item = &Arc<Course>> {
        self.courses.values().filter(move |course| course.site == *site)
    }
}
