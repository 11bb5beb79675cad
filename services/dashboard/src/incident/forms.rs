//! What was typed into a form that was refused, and why it was.

use wire::api::v1;

use super::dealt::person;
use super::step::{Act, note};
use crate::call::Failure;
use crate::form::Fields;
use crate::texts::Texts;

/// Longest note, in characters. The API decides; here it only chooses the words.
const NOTE_CHARACTERS_MAX: usize = 2_000;

/// Why a step was not taken.
#[derive(Debug)]
pub(super) enum Refused {
    /// The API says so of this incident.
    Result(Box<v1::StepResult>),
    /// The request was not good, or there is no answer.
    Request(Failure),
}

/// What stands in the forms again. Empty: nothing was refused.
#[derive(Debug, Default)]
pub(super) struct Typed {
    /// The word of the act whose form it was.
    form: &'static str,
    /// The field that is not what it should be; empty: it is none of the form.
    field: &'static str,
    /// What is wrong with that field, or with all.
    error: String,
    note: String,
    cause: String,
    hurt: String,
    user: String,
    /// Who closed it meanwhile; empty: nobody.
    pub(super) meanwhile: String,
}

impl Typed {
    pub(super) fn new(
        fields: &Fields,
        act: &Act,
        refused: &Refused,
        handling: &v1::Handling,
        t: Texts,
    ) -> Typed {
        let note = note(fields);
        let field = match refused {
            Refused::Result(result) => field_of(&result.error),
            Refused::Request(failure) => failure.fields.first().map_or("", |(field, _)| field_of(field)),
        };
        let closer = handling.closed.as_ref().map(|deed| person(&deed.author, t));
        let is_for_closed = matches!(act, Act::Close(..) | Act::CloseNormal | Act::Note | Act::Hold(_));
        Typed {
            error: match refused {
                Refused::Result(result) => refusal_words(result, &note, t),
                Refused::Request(failure) => {
                    field_words(field, &note, t).map_or_else(|| failure.words(t), str::to_owned)
                }
            },
            form: act.word(),
            field,
            cause: fields.get("cause").to_owned(),
            hurt: fields.get("hurt").to_owned(),
            user: if let Act::Assign(user) = act { user.clone() } else { String::new() },
            meanwhile: closer
                .filter(|_| !is_for_closed)
                .map(|who| t.closed_meanwhile(who))
                .unwrap_or_default(),
            note,
        }
    }

    /// Whether this form was refused.
    pub(super) fn is(&self, form: &str) -> bool {
        self.form == form
    }

    pub(super) fn is_refused(&self) -> bool {
        !self.form.is_empty()
    }

    /// What is wrong with a field of a form; empty: nothing.
    pub(super) fn error(&self, form: &str, field: &str) -> &str {
        if self.form == form && self.field == field { &self.error } else { "" }
    }

    /// What is said above all: why nothing was changed.
    pub(super) fn error_of_all(&self) -> &str {
        &self.error
    }

    pub(super) fn note(&self, form: &str) -> &str {
        if self.form == form { &self.note } else { "" }
    }

    pub(super) fn user(&self) -> &str {
        &self.user
    }

    pub(super) fn is_cause(&self, name: &str) -> bool {
        self.form == "close" && self.cause == name
    }

    pub(super) fn is_hurt(&self, name: &str) -> bool {
        self.form == "close" && self.hurt == name
    }
}

/// Nobody is named to whom it is passed on.
pub(super) fn no_user(id: &str) -> v1::StepResult {
    v1::StepResult {
        incident_id: id.to_owned(),
        error: "user is missing".to_owned(),
        reason: NO_USER.to_owned(),
        ..v1::StepResult::default()
    }
}

const NO_USER: &str = "NO_USER";
const FIELDS: [(&str, &str); 6] = [
    ("cause", "cause"),
    ("hurt", "hurt"),
    ("note", "note"),
    ("until_time", "until"),
    ("until", "until"),
    ("user", "user"),
];

/// The field that a reason is about: the API's reasons begin with its name. Empty: none of ours.
fn field_of(reason: &str) -> &'static str {
    let word = reason.split([' ', ':']).next().unwrap_or_default();
    FIELDS.iter().find(|(name, _)| *name == word).map_or("", |(_, field)| field)
}

/// Our own words for a field that is not what it should be.
fn field_words(field: &str, note: &str, t: Texts) -> Option<&'static str> {
    match field {
        "cause" => Some(t.wrong_cause()),
        "hurt" => Some(t.wrong_hurt()),
        "note" if note.chars().count() > NOTE_CHARACTERS_MAX => Some(t.wrong_note_long()),
        "note" => Some(t.wrong_note()),
        "until" => Some(t.wrong_until()),
        "user" => Some(t.wrong_user()),
        _ => None,
    }
}

/// Why the API did not take a step, in our own words where we have some.
pub(crate) fn refusal_words(result: &v1::StepResult, note: &str, t: Texts) -> String {
    let words = match result.reason.as_str() {
        NO_USER => Some(t.wrong_user_empty()),
        "CLOSED" => Some(t.wrong_closed()),
        "CRITICAL" => Some(t.wrong_critical()),
        "NOT_FOUND" => Some(t.wrong_gone()),
        "PERMISSION_DENIED" => Some(t.not_allowed()),
        _ => field_words(field_of(&result.error), note, t),
    };
    words.map_or_else(|| result.error.clone(), str::to_owned)
}
