//! Steps and deadlines as people give them.

use clap::ValueEnum;
use wire::api::v1;

use crate::command::incident::filter::Severity;
use crate::words;

/// Longest time of a step, in seconds (24 h); the server refuses longer ones.
const AFTER_S_MAX: i64 = 86_400;

/// Such as `desk:high:0s` or `manager:critical:5m:unstaffed`.
pub(super) fn step(text: &str) -> Result<v1::ChainStep, String> {
    let read = || {
        let mut parts = text.split(':');
        let (contact, severity, after) = (parts.next()?, severity(parts.next()?)?, after(parts.next()?)?);
        let staffing = parts.next().map_or(Some(v1::Staffing::Always), staffing)?;
        let is_whole = parts.next().is_none() && !contact.is_empty();
        is_whole.then(|| v1::ChainStep {
            contact: contact.to_owned(),
            least_severity: severity.into(),
            after_seconds: after,
            staffing: staffing.into(),
        })
    };
    read().ok_or_else(|| {
        "such as desk:high:0s or manager:critical:5m:unstaffed is allowed; severities are critical, high, medium, low and \
         info, a time is at most 24h"
            .to_owned()
    })
}

/// Such as `report to the insurer:high:72:closed`. The name may have colons.
pub(super) fn deadline(text: &str) -> Result<v1::Deadline, String> {
    let read = || {
        let mut parts = text.rsplitn(4, ':');
        let (until, hours) = (until(parts.next()?)?, parts.next()?);
        let (severity, name) = (severity(parts.next()?)?, parts.next()?);
        let hours = hours.strip_suffix('h').unwrap_or(hours).parse().ok()?;
        (!name.is_empty()).then(|| v1::Deadline {
            name: name.to_owned(),
            least_severity: severity.into(),
            hours,
            until: until.into(),
        })
    };
    read().ok_or_else(|| {
        "such as \"report to the insurer:high:72:closed\" is allowed: hours, and acknowledged or closed"
            .to_owned()
    })
}

fn severity(word: &str) -> Option<v1::Severity> {
    Severity::from_str(word, false).ok().map(Severity::value)
}

/// Whole seconds.
fn after(text: &str) -> Option<u32> {
    if matches!(text, "0" | "0s" | "0m" | "0h") {
        return Some(0);
    }
    let length = words::length(text).filter(|length| length.subsec_nanos() == 0)?;
    u32::try_from(length.as_secs()).ok().filter(|seconds| i64::from(*seconds) <= AFTER_S_MAX)
}

fn staffing(word: &str) -> Option<v1::Staffing> {
    match word {
        "always" => Some(v1::Staffing::Always),
        "staffed" => Some(v1::Staffing::Staffed),
        "unstaffed" => Some(v1::Staffing::Unstaffed),
        _ => None,
    }
}

fn until(word: &str) -> Option<v1::HandlingState> {
    match word {
        "acknowledged" => Some(v1::HandlingState::Acknowledged),
        "closed" => Some(v1::HandlingState::Closed),
        _ => None,
    }
}

/// A time for people, as it is given.
pub(super) fn shown(seconds: u32) -> String {
    let parts = [(seconds / 3_600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let told: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if told.is_empty() { "0s".to_owned() } else { told.join(" ") }
}
