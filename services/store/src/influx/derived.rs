//! What is derived, as points: usage, coverage, incidents and machines, with the values that the API tells.
//!
//! Each is a whole value at a place of its own, so writing it again changes nothing.

mod incident;
mod machine;
mod service;
#[cfg(test)]
mod tests;
mod usage;

pub use self::incident::{IncidentPlace, incident_line, incident_place};
pub use self::machine::machine_lines;
pub use self::service::{ServiceFigures, service_line};
pub use self::usage::{QuarterPlace, usage_lines};
use super::fields::{direction_name, origin_name};
use super::put::TIMES;

/// Motion in a quarter of an hour, by machine, direction, origin and grade.
pub const USAGE: &str = "usage";
/// For how much of a quarter of an hour is known what a machine did.
pub const COVERAGE: &str = "coverage";
/// Incidents, those of proof tests apart.
pub const INCIDENT: &str = "incident";
/// What machines are and where they stand, from when on.
pub const MACHINE: &str = "machine";
/// How the server is.
pub const SERVICE: &str = "service";

/// The tag of a machine.
pub const MACHINE_TAG: &str = "machine";
/// The tag of a site.
pub const SITE_TAG: &str = "site";
/// The tag of a rule.
pub const RULE_TAG: &str = "rule";

/// A moment in nanoseconds; `None`: InfluxDB cannot keep it.
fn nanoseconds(micros: i64, slot: i64) -> Option<i64> {
    (TIMES.first..=TIMES.last).contains(&micros).then(|| micros * 1_000 + slot)
}

/// The greatest number that InfluxDB can keep stands for those above it.
fn number(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}
