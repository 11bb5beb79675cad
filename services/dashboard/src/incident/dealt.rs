//! What people did about an incident, in words.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::incidents::date_and_time;
use crate::texts::Texts;
use crate::words::{self, Reader};

/// How far people are, in words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dealt {
    pub(crate) class: &'static str,
    pub(crate) state: &'static str,
    /// In sentences.
    pub(crate) told: Vec<String>,
    pub(crate) deadlines: Vec<Due>,
    pub(crate) is_closed: bool,
    pub(crate) is_shelved: bool,
    pub(crate) is_held: bool,
    pub(crate) is_normal_stop: bool,
    /// Who closed it first; empty: nobody.
    pub(crate) closed_by: String,
    /// The incident that stands for the outage of which this is part; empty: none.
    pub(crate) lead: String,
}

/// By when something has to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) name: String,
    pub(crate) time: String,
    /// In milliseconds since 1970; none: it counts down no more.
    pub(crate) at_ms: Option<i64>,
    pub(crate) class: &'static str,
    pub(crate) words: String,
}

impl Dealt {
    pub(crate) fn new(handling: &v1::Handling, zone: &TimeZone, reader: Reader, now: Timestamp) -> Dealt {
        let t = reader.t;
        let (class, state) = state_name(handling, t);
        let deadline = |one: &v1::DeadlineState| due(one, zone, reader, now);
        Dealt {
            class,
            state,
            told: told(handling, zone, t, now),
            deadlines: handling.deadlines.iter().filter_map(deadline).collect(),
            is_closed: handling.state() == v1::HandlingState::Closed,
            is_shelved: is_shelved(handling, now),
            is_held: handling.legal_hold,
            is_normal_stop: handling.is_normal_stop,
            closed_by: handling.closed.as_ref().map(|deed| person(&deed.author, t)).unwrap_or_default(),
            lead: handling.lead_incident_id.clone(),
        }
    }
}

impl Dealt {
    /// The word of the act that sets or ends the legal hold.
    pub(super) fn hold_step(&self) -> &'static str {
        if self.is_held { "release" } else { "hold" }
    }
}

fn is_shelved(handling: &v1::Handling, now: Timestamp) -> bool {
    handling.state() != v1::HandlingState::Closed
        && words::moment(handling.shelve_until_time).is_some_and(|until| now < until)
}

/// A state as a class and in words.
pub(crate) fn state_name(handling: &v1::Handling, t: Texts) -> (&'static str, &'static str) {
    match handling.state() {
        v1::HandlingState::Open | v1::HandlingState::Unspecified => ("h-open", t.handling_open()),
        v1::HandlingState::Acknowledged => ("h-acknowledged", t.handling_acknowledged()),
        v1::HandlingState::InProgress => ("h-progress", t.handling_in_progress()),
        v1::HandlingState::Closed => ("h-closed", t.handling_closed()),
    }
}

/// The person whom a state is about; empty: nobody.
pub(crate) fn who(handling: &v1::Handling, t: Texts) -> String {
    let by = |deed: &Option<v1::Deed>| deed.as_ref().map(|deed| person(&deed.author, t)).unwrap_or_default();
    match handling.state() {
        v1::HandlingState::Open | v1::HandlingState::Unspecified => String::new(),
        v1::HandlingState::Acknowledged => by(&handling.acknowledged),
        v1::HandlingState::InProgress => handling.assignee.clone(),
        v1::HandlingState::Closed => by(&handling.closed),
    }
}

/// An author for people.
pub(crate) fn person(author: &str, t: Texts) -> String {
    if let Some(id) = author.strip_prefix("token:") {
        return t.by_token(id);
    }
    if author == "server" {
        return t.by_server().to_owned();
    }
    author.strip_prefix("user:").unwrap_or(author).to_owned()
}

pub(crate) fn cause_name(cause: v1::Cause, t: Texts) -> &'static str {
    match cause {
        v1::Cause::Unspecified => "",
        v1::Cause::DeliberateStop => t.cause_deliberate_stop(),
        v1::Cause::Discomfort => t.cause_discomfort(),
        v1::Cause::Misuse => t.cause_misuse(),
        v1::Cause::MachineFault => t.cause_machine_fault(),
        v1::Cause::SensorFault => t.cause_sensor_fault(),
        v1::Cause::Drill => t.cause_drill(),
        v1::Cause::Unknown => t.cause_unknown(),
    }
}

/// Whether anybody was hurt, in a sentence; empty: not told.
pub(crate) fn hurt_words(hurt: v1::Hurt, t: Texts) -> &'static str {
    match hurt {
        v1::Hurt::Unspecified => "",
        v1::Hurt::No => t.hurt_no(),
        v1::Hurt::Unknown => t.hurt_unknown(),
        v1::Hurt::Yes => t.hurt_yes(),
    }
}

/// A moment in words; empty: it is none.
pub(crate) fn time(time: Option<prost_types::Timestamp>, zone: &TimeZone) -> String {
    words::moment(time).map(|at| date_and_time(at, zone)).unwrap_or_default()
}

fn told(handling: &v1::Handling, zone: &TimeZone, t: Texts, now: Timestamp) -> Vec<String> {
    let mut all = Vec::new();
    let mut deed = |deed: &Option<v1::Deed>, worded: &dyn Fn(String, String) -> String| {
        all.extend(deed.as_ref().map(|deed| worded(person(&deed.author, t), time(deed.time, zone))));
    };
    let is_closed = handling.state() == v1::HandlingState::Closed;
    if !is_closed {
        deed(&handling.acknowledged, &|who, time| t.handled_acknowledged(who, time));
    }
    deed(&handling.closed, &|who, time| t.handled_closed(who, time));
    deed(&handling.corrected, &|who, time| t.handled_corrected(who, time));
    if handling.acknowledged.is_none() && !is_closed {
        all.push(t.handling_nobody().to_owned());
    }
    if !handling.assignee.is_empty() && !is_closed {
        all.push(t.handled_by(&handling.assignee));
    }
    let cause = cause_name(handling.cause(), t);
    if !cause.is_empty() {
        all.push(t.handled_cause(cause));
    }
    let hurt = hurt_words(handling.hurt(), t);
    if !hurt.is_empty() {
        all.push(hurt.to_owned());
    }
    if is_shelved(handling, now) {
        all.push(t.handled_shelved(time(handling.shelve_until_time, zone)));
    }
    if handling.legal_hold {
        all.push(t.handling_held().to_owned());
    }
    all
}

fn due(one: &v1::DeadlineState, zone: &TimeZone, reader: Reader, now: Timestamp) -> Option<Due> {
    let t = reader.t;
    let end = words::moment(one.due_time)?;
    let left = end.duration_since(now).as_secs();
    let (class, at_ms, words) = match words::moment(one.met_time) {
        Some(met) if met <= end => ("met", None, t.deadline_met().to_owned()),
        Some(_) => ("missed", None, t.deadline_met_late().to_owned()),
        None if left > 0 => ("waits", Some(end), t.deadline_left(two_units(left, t))),
        None => ("missed", Some(end), t.deadline_over(two_units(-left, t))),
    };
    let at_ms = at_ms.map(Timestamp::as_millisecond);
    Some(Due { name: one.name.clone(), time: date_and_time(end, zone), at_ms, class, words })
}

/// A length of time in the two greatest units that it has: days and hours, hours and minutes, or minutes.
fn two_units(seconds: i64, t: Texts) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => t.age_seconds(seconds),
        (0, 0, minutes) => t.age_minutes(minutes),
        (0, hours, minutes) => format!("{} {}", t.age_hours(hours), t.age_minutes(minutes)),
        (days, hours, _) => format!("{} {}", t.age_days(days), t.age_hours(hours)),
    }
}

#[cfg(test)]
mod tests;
