//! What requests about incidents ask for, checked.

use std::collections::BTreeSet;

use domain::handling::{Cause, HandlingState, Hurt, NOTE_CHARACTERS_MAX, SHELVED_US_MAX};
use domain::ids::{IncidentId, UserName};
use domain::limits::INCIDENTS_STEPPED_MAX;
use domain::units::UnixMicros;
use prost_types::Timestamp;
use store::registry::Registry;
use wire::api::v1;

use crate::access::{Caller, Who};
use crate::check::{Check, quoted};

/// How a caller names themselves.
const ME: &str = "me";

impl Check {
    /// 1 to 100 incidents, each once.
    pub(super) fn incidents(&mut self, ids: &[String]) -> Vec<IncidentId> {
        const FIELD: &str = "incident_ids";
        let count = ids.len();
        if !(1..=INCIDENTS_STEPPED_MAX).contains(&count) {
            self.wrong(FIELD, format!("has {count} entries; 1 to {INCIDENTS_STEPPED_MAX} are allowed"));
            return Vec::new();
        }
        let ids: Vec<IncidentId> = ids.iter().filter_map(|id| self.id(FIELD, id)).collect();
        let mut seen = BTreeSet::new();
        if let Some(twice) = ids.iter().find(|id| !seen.insert(**id)) {
            self.wrong(FIELD, format!("names {twice} more than once; each is allowed once"));
        }
        ids
    }

    /// What somebody wrote; lines are allowed.
    pub(super) fn note(&mut self, value: &str) -> Option<String> {
        let text = value.replace("\r\n", "\n");
        let text = text.trim();
        let length = text.chars().count();
        if length > NOTE_CHARACTERS_MAX {
            self.wrong("note", format!("has {length} characters; at most {NOTE_CHARACTERS_MAX} are allowed"));
        }
        if let Some(control) = text.chars().find(|c| c.is_control() && *c != '\n') {
            self.wrong(
                "note",
                format!("has the control character {control:?}; only line breaks are allowed"),
            );
        }
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A user who exists and may sign in, or "me"; empty: nobody.
    pub(super) fn assignee(
        &mut self,
        value: &str,
        caller: &Caller,
        registry: &Registry,
        now: UnixMicros,
    ) -> Option<UserName> {
        let name = self.user_or_me("user", value, caller)?;
        let is_there = registry.users().get(&name).is_some_and(|user| user.is_active(now));
        if !is_there {
            self.wrong("user", format!("is {}, whom there is not, or who may not sign in", quoted(value)));
        }
        Some(name)
    }

    /// The name of a user, or "me"; empty: nobody.
    pub(crate) fn user_or_me(
        &mut self,
        field: &'static str,
        value: &str,
        caller: &Caller,
    ) -> Option<UserName> {
        match (value, &caller.who) {
            ("", _) => None,
            (ME, Who::User(name, _)) => Some(name.clone()),
            (ME, Who::Nobody | Who::Operator(_) | Who::Program(..)) => {
                self.wrong(field, "is \"me\", which only users who have signed in can say; name a user");
                None
            }
            (name, _) => match UserName::new(name) {
                Ok(name) => Some(name),
                Err(_) => {
                    let allowed = "\"me\" or 1 to 64 of a-z, 0-9, `.`, `_` and `-` are allowed";
                    self.wrong(field, format!("is {}; {allowed}", quoted(name)));
                    None
                }
            },
        }
    }

    /// Until when something is laid aside; `None`: it is taken up again.
    pub(super) fn shelve_until(&mut self, until: Option<&Timestamp>, now: UnixMicros) -> Option<UnixMicros> {
        let until = self.time("until_time", until?)?;
        if !(1..=SHELVED_US_MAX).contains(&until.since(now)) {
            let lies = if until <= now { "not ahead of now" } else { "more than 30 days ahead" };
            self.wrong("until_time", format!("is {lies}; a time from now to 30 days ahead is allowed"));
        }
        Some(until)
    }

    /// Why it happened; `None`: not told.
    pub(super) fn cause(&mut self, value: i32) -> Option<Cause> {
        match v1::Cause::try_from(value) {
            Ok(v1::Cause::Unspecified) => None,
            Ok(v1::Cause::DeliberateStop) => Some(Cause::DeliberateStop),
            Ok(v1::Cause::Discomfort) => Some(Cause::Discomfort),
            Ok(v1::Cause::Misuse) => Some(Cause::Misuse),
            Ok(v1::Cause::MachineFault) => Some(Cause::MachineFault),
            Ok(v1::Cause::SensorFault) => Some(Cause::SensorFault),
            Ok(v1::Cause::Drill) => Some(Cause::Drill),
            Ok(v1::Cause::Unknown) => Some(Cause::Unknown),
            Err(_) => {
                self.wrong("cause", format!("is {value}; 0 to 7 are known"));
                None
            }
        }
    }

    /// Whether anybody was hurt; `None`: not told.
    pub(super) fn hurt(&mut self, value: i32) -> Option<Hurt> {
        match v1::Hurt::try_from(value) {
            Ok(v1::Hurt::Unspecified) => None,
            Ok(v1::Hurt::No) => Some(Hurt::No),
            Ok(v1::Hurt::Unknown) => Some(Hurt::Unknown),
            Ok(v1::Hurt::Yes) => Some(Hurt::Yes),
            Err(_) => {
                self.wrong("hurt", format!("is {value}; 0 to 3 are known"));
                None
            }
        }
    }

    /// How far people are.
    pub(crate) fn handling_state(&mut self, field: &'static str, value: i32) -> Option<HandlingState> {
        match v1::HandlingState::try_from(value) {
            Ok(v1::HandlingState::Open) => Some(HandlingState::Open),
            Ok(v1::HandlingState::Acknowledged) => Some(HandlingState::Acknowledged),
            Ok(v1::HandlingState::InProgress) => Some(HandlingState::InProgress),
            Ok(v1::HandlingState::Closed) => Some(HandlingState::Closed),
            Ok(v1::HandlingState::Unspecified) | Err(_) => {
                self.wrong(field, format!("has {value}; 1 to 4 are known"));
                None
            }
        }
    }
}
