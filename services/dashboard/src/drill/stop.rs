//! A measured stop, and whether a contact is proven, in words. Pure.

use jiff::tz::TimeZone;
use wire::api::v1;

use crate::incidents::date_and_time;
use crate::texts::{Language, Texts};
use crate::words::{self, Reader};

/// The contacts whose stops are measured, the one to test first first.
pub(crate) const CONTACTS: [&str; 2] = ["emergency_stop", "safety_key"];

/// What a measured stop says of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    /// The machine was not commissioned: there is no limit to judge by.
    NoLimit,
}

impl Verdict {
    fn of(stop: &v1::Stop) -> Verdict {
        match (&stop.stop_time, &stop.limit) {
            (None, _) => Verdict::Failed,
            (Some(_), None) => Verdict::NoLimit,
            (Some(_), Some(_)) if stop.passed => Verdict::Passed,
            (Some(_), Some(_)) => Verdict::Failed,
        }
    }

    /// Its shape and colour.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Verdict::Passed => "v-passed",
            Verdict::Failed => "v-failed",
            Verdict::NoLimit => "v-no-limit",
        }
    }

    pub(crate) fn words(self, t: Texts) -> &'static str {
        match self {
            Verdict::Passed => t.stop_passed(),
            Verdict::Failed => t.stop_failed(),
            Verdict::NoLimit => t.stop_no_limit(),
        }
    }
}

/// One measured stop.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StopLine {
    pub(crate) at: String,
    /// The API's name of the contact, and the one for people.
    pub(crate) contact: String,
    pub(crate) contact_words: String,
    pub(crate) speed: String,
    /// From the edge to standstill. Empty: it did not come to rest, or that was not seen.
    pub(crate) took: String,
    pub(crate) distance: String,
    /// Empty: there is none.
    pub(crate) limit: String,
    pub(crate) verdict: Verdict,
    pub(crate) verdict_words: &'static str,
    /// Number of the proof test; 0: it was none.
    pub(crate) drill: u64,
    /// The incident that tells of it. Empty: it is part of a proof test.
    pub(crate) incident: String,
}

impl StopLine {
    pub(crate) fn new(stop: &v1::Stop, zone: &TimeZone, reader: Reader) -> StopLine {
        let t = reader.t;
        let at = words::moment(stop.time).map(|at| date_and_time(at, zone));
        let direction = if stop.direction() == v1::Direction::Reverse { t.stop_in_reverse() } else { "" };
        let speed = stop.speed_mps.map(|speed| format!("{}{direction}", reader.speed(speed)));
        let took = stop.stop_time.as_ref().map(|took| seconds_words(words::seconds(took), t));
        let limit = stop.limit.as_ref().map(|limit| seconds_words(words::seconds(limit), t));
        let distance = stop.distance_m.filter(|_| took.is_some());
        StopLine {
            at: at.unwrap_or_else(|| t.not_known().to_owned()),
            contact_words: contact_name(&stop.contact, t),
            contact: stop.contact.clone(),
            speed: speed.unwrap_or_else(|| t.not_known().to_owned()),
            took: took.unwrap_or_default(),
            distance: distance.map(|way| t.metres(hundredths(way, t))).unwrap_or_default(),
            limit: limit.unwrap_or_default(),
            verdict: Verdict::of(stop),
            verdict_words: Verdict::of(stop).words(t),
            drill: stop.drill,
            incident: if stop.drill == 0 { stop.incident_id.clone() } else { String::new() },
        }
    }
}

/// A contact for people; one that is not known as it is.
pub(crate) fn contact_name(contact: &str, t: Texts) -> String {
    match contact {
        "emergency_stop" => t.emergency_stop().to_owned(),
        "safety_key" => t.safety_key().to_owned(),
        other => other.to_owned(),
    }
}

/// Whether a contact is proven: shape and words.
pub(crate) fn proof_state(state: v1::ProofState, t: Texts) -> (&'static str, &'static str) {
    match state {
        v1::ProofState::Proven => ("v-passed", t.proof_proven()),
        v1::ProofState::Due => ("v-due", t.proof_due()),
        v1::ProofState::Overdue => ("v-failed", t.proof_overdue()),
        v1::ProofState::Never => ("v-never", t.proof_never()),
        v1::ProofState::Blind => ("v-blind", t.proof_blind()),
        v1::ProofState::Unspecified => ("v-blind", t.not_known()),
    }
}

/// Seconds with two decimals.
pub(crate) fn seconds_words(seconds: f64, t: Texts) -> String {
    t.age_seconds(hundredths(seconds, t))
}

/// With two decimals and the language's own sign for it.
fn hundredths(value: f64, t: Texts) -> String {
    let text = format!("{value:.2}");
    match t.language {
        Language::English => text,
        Language::German => text.replace('.', ","),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Unit;

    fn stop(time: Option<i64>, limit: Option<i64>, passed: bool) -> v1::Stop {
        let span = |ms: i64| prost_types::Duration {
            seconds: ms / 1_000,
            nanos: i32::try_from(ms % 1_000).unwrap() * 1_000_000,
        };
        v1::Stop {
            contact: "emergency_stop".to_owned(),
            speed_mps: Some(0.85),
            stop_time: time.map(span),
            distance_m: Some(0.4),
            limit: limit.map(span),
            passed,
            drill: 7,
            incident_id: "f".repeat(32),
            ..v1::Stop::default()
        }
    }

    #[test]
    fn a_stop_is_in_order_only_within_a_limit_that_there_is() {
        let check = |time, limit, passed, expected| {
            assert_eq!(Verdict::of(&stop(time, limit, passed)), expected);
        };
        check(Some(950), Some(1_500), true, Verdict::Passed);
        check(Some(1_950), Some(1_500), false, Verdict::Failed);
        check(Some(950), None, true, Verdict::NoLimit);
        check(Some(950), None, false, Verdict::NoLimit);
        check(None, Some(1_500), false, Verdict::Failed);
        check(None, None, true, Verdict::Failed);
    }

    #[test]
    fn figures_are_in_the_reader_s_own_words() {
        let line = |language, unit| {
            let reader = Reader { t: Texts { language }, unit };
            StopLine::new(&stop(Some(950), Some(1_500), true), &TimeZone::UTC, reader)
        };
        let english = line(Language::English, Unit::KilometresPerHour);
        assert_eq!(english.speed, "3.1\u{a0}km/h");
        assert_eq!((english.took.as_str(), english.limit.as_str()), ("0.95 s", "1.50 s"));
        assert_eq!(english.incident, "", "what is found in a test is no incident");
        let german = line(Language::German, Unit::MilesPerHour);
        assert_eq!((german.speed.as_str(), german.took.as_str()), ("1,9\u{a0}mph", "0,95 s"));
        assert_eq!(german.contact_words, "Not-Halt");
        let reader = Reader { t: Texts { language: Language::English }, unit: Unit::KilometresPerHour };
        let never = StopLine::new(&stop(None, None, false), &TimeZone::UTC, reader);
        assert_eq!((never.took.as_str(), never.distance.as_str()), ("", ""));
    }
}
