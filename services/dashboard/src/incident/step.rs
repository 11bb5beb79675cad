//! What people do about incidents: read from a form, sent to the API, and what became of it.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use wire::api::v1;

use crate::call::{Failure, answer};
use crate::form::Fields;
use crate::router::Dashboard;
use crate::texts::Texts;
use crate::visitor::Visitor;

/// The hour of the morning until which something is laid aside.
const MORNING: i8 = 8;

/// For how long something is laid aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shelf {
    Hour,
    Tomorrow,
    Week,
}

impl Shelf {
    /// Until when; of a zone without that moment the next that it has.
    fn until(self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        let after = |hours| now.saturating_add(SignedDuration::from_hours(hours)).unwrap_or(now);
        match self {
            Shelf::Hour => after(1),
            Shelf::Week => after(7 * 24),
            Shelf::Tomorrow => {
                let day = now.to_zoned(zone.clone()).date().tomorrow();
                let morning =
                    day.map(|day| day.at(MORNING, 0, 0, 0)).and_then(|at| at.to_zoned(zone.clone()));
                morning.map_or(after(24), |at| at.timestamp())
            }
        }
    }
}

/// One thing to do about incidents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    Acknowledge,
    /// "I am on it": who takes it on knows of it, too.
    Take,
    /// Whom to; empty: nobody.
    Assign(String),
    Note,
    Shelve(Shelf),
    TakeUp,
    Close(v1::Cause, v1::Hurt),
    /// A normal stop, in one tap.
    CloseNormal,
    Hold(bool),
    /// The note that the step of this number had brought.
    Erase(u64),
}

pub(crate) const CAUSES: [(&str, v1::Cause); 7] = [
    ("deliberate_stop", v1::Cause::DeliberateStop),
    ("discomfort", v1::Cause::Discomfort),
    ("misuse", v1::Cause::Misuse),
    ("machine_fault", v1::Cause::MachineFault),
    ("sensor_fault", v1::Cause::SensorFault),
    ("drill", v1::Cause::Drill),
    ("unknown", v1::Cause::Unknown),
];
pub(crate) const HURTS: [(&str, v1::Hurt); 3] =
    [("no", v1::Hurt::No), ("unknown", v1::Hurt::Unknown), ("yes", v1::Hurt::Yes)];
const SHELVES: [(&str, Shelf); 3] =
    [("hour", Shelf::Hour), ("tomorrow", Shelf::Tomorrow), ("week", Shelf::Week)];

impl Act {
    /// What a form asks for; none: it is no form of ours.
    pub(crate) fn read(fields: &Fields) -> Option<Act> {
        let act = match fields.get("step") {
            "acknowledge" => Act::Acknowledge,
            "take" => Act::Take,
            "assign" => match fields.get("to") {
                "me" => Act::Assign("me".to_owned()),
                "nobody" => Act::Assign(String::new()),
                // "me" has a button of its own; a user may be called so.
                _ => Act::Assign(fields.trimmed("user").to_owned()),
            },
            "note" => Act::Note,
            "shelve" => Act::Shelve(one_of(fields.get("until"), &SHELVES)?),
            "take-up" => Act::TakeUp,
            "close" => Act::Close(
                answered(fields.get("cause"), &CAUSES, v1::Cause::Unspecified)?,
                answered(fields.get("hurt"), &HURTS, v1::Hurt::Unspecified)?,
            ),
            "close-normal" => Act::CloseNormal,
            "hold" => Act::Hold(true),
            "release" => Act::Hold(false),
            "erase" => Act::Erase(fields.get("number").parse().ok()?),
            _ => return None,
        };
        Some(act)
    }

    /// Whether the zone of the site matters.
    pub(crate) fn needs_zone(&self) -> bool {
        *self == Act::Shelve(Shelf::Tomorrow)
    }

    /// Its word in addresses.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Act::Acknowledge => "acknowledge",
            Act::Take => "take",
            Act::Assign(_) => "assign",
            Act::Note => "note",
            Act::Shelve(_) => "shelve",
            Act::TakeUp => "take-up",
            Act::Close(..) | Act::CloseNormal => "close",
            Act::Hold(true) => "hold",
            Act::Hold(false) => "release",
            Act::Erase(_) => "erase",
        }
    }
}

/// What was done, by the word of an act; empty: no such word.
pub(crate) fn done_words(word: &str, t: Texts) -> &'static str {
    match word {
        "acknowledge" => t.done_acknowledge(),
        "take" => t.done_take(),
        "assign" => t.done_assign(),
        "note" => t.done_note(),
        "shelve" => t.done_shelve(),
        "take-up" => t.done_take_up(),
        "close" => t.done_close(),
        "hold" => t.done_hold(),
        "release" => t.done_release(),
        "erase" => t.done_erase(),
        _ => "",
    }
}

fn one_of<T: Copy>(value: &str, known: &[(&str, T)]) -> Option<T> {
    known.iter().find(|(name, _)| *name == value).map(|(_, one)| *one)
}

/// An answer that may be left out.
fn answered<T: Copy>(value: &str, known: &[(&str, T)], none: T) -> Option<T> {
    if value.is_empty() { Some(none) } else { one_of(value, known) }
}

/// A text as it was typed: browsers end lines with two characters.
pub(crate) fn note(fields: &Fields) -> String {
    fields.get("note").replace("\r\n", "\n").trim().to_owned()
}

/// The same for the same form of the same page, so that a double click is one step.
fn request_id(fields: &Fields) -> String {
    let mut digest = Sha256::new();
    for (name, value) in fields.beginning("") {
        digest = digest.chain_update(name).chain_update([0]).chain_update(value).chain_update([0]);
    }
    hex::encode(&digest.finalize()[..16])
}

/// Takes a step about incidents, each by itself; `zone` is that of their site.
pub(crate) async fn take(
    dashboard: &Dashboard,
    visitor: &Visitor,
    incident_ids: Vec<String>,
    act: &Act,
    fields: &Fields,
    (now, zone): (Timestamp, &TimeZone),
) -> Result<Vec<v1::StepResult>, Failure> {
    let mut client = dashboard.clients().handling();
    let (note, request_id) = (note(fields), request_id(fields));
    macro_rules! step {
        ($method:ident, $message:expr) => {
            answer(client.$method(visitor.caller.request($message))).await.map(|answer| answer.results)
        };
    }
    match act {
        Act::Acknowledge => {
            step!(acknowledge_incidents, v1::AcknowledgeIncidentsRequest { incident_ids, note, request_id })
        }
        Act::Take | Act::Assign(_) => {
            let user = if let Act::Assign(user) = act { user.clone() } else { "me".to_owned() };
            step!(assign_incidents, v1::AssignIncidentsRequest { incident_ids, user, note, request_id })
        }
        Act::Note => step!(note_incidents, v1::NoteIncidentsRequest { incident_ids, note, request_id }),
        Act::Shelve(_) | Act::TakeUp => {
            let until = if let Act::Shelve(shelf) = act { Some(shelf.until(now, zone)) } else { None };
            let until_time =
                until.map(|until| prost_types::Timestamp { seconds: until.as_second(), nanos: 0 });
            step!(shelve_incidents, v1::ShelveIncidentsRequest { incident_ids, until_time, note, request_id })
        }
        Act::Close(cause, hurt) => {
            let (cause, hurt) = ((*cause).into(), (*hurt).into());
            step!(close_incidents, v1::CloseIncidentsRequest { incident_ids, cause, hurt, note, request_id })
        }
        Act::CloseNormal => {
            let note = visitor.t().note_normal().to_owned();
            let (cause, hurt) = (v1::Cause::DeliberateStop.into(), v1::Hurt::No.into());
            step!(close_incidents, v1::CloseIncidentsRequest { incident_ids, cause, hurt, note, request_id })
        }
        Act::Hold(on) => {
            step!(hold_incidents, v1::HoldIncidentsRequest { incident_ids, on: *on, note, request_id })
        }
        Act::Erase(number) => {
            let incident_id = incident_ids.into_iter().next().unwrap_or_default();
            let message = v1::EraseNoteRequest { incident_id: incident_id.clone(), number: *number };
            let asked = answer(client.erase_note(visitor.caller.request(message))).await?;
            Ok(vec![v1::StepResult { incident_id, incident: asked.incident, ..v1::StepResult::default() }])
        }
    }
}

#[cfg(test)]
mod tests;
