//! What happened about an incident, by time: what the machine did and what people did.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use wire::api::v1;
use wire::api::v1::incident_step::What;

use super::dealt::{cause_name, hurt_words, person, time};
use crate::texts::Texts;
use crate::words;

/// Digits of a hash that are shown in a line.
const DIGITS: usize = 16;

/// One thing that happened.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// Number of the step; 0: it is none.
    pub(super) number: u64,
    pub(super) time: String,
    /// Who did it; empty: the machine.
    pub(super) who: String,
    pub(super) words: String,
    /// The text of a note, with its own lines.
    pub(super) note: String,
    /// What is to be said of a note whose text is not here.
    pub(super) note_missing: &'static str,
}

/// All of it, oldest first.
pub(super) fn moments(
    incident: &v1::Incident,
    steps: &[v1::IncidentStep],
    zone: &TimeZone,
    t: Texts,
) -> Vec<Moment> {
    let of_machine = [
        (incident.time, t.step_happened()),
        (incident.detect_time, t.step_found()),
        (incident.clear_time, t.step_over()),
    ];
    let of_machine = of_machine.into_iter().filter_map(|(at, words)| {
        let moment = Moment {
            number: 0,
            time: time(at, zone),
            who: String::new(),
            words: words.to_owned(),
            note: String::new(),
            note_missing: "",
        };
        Some((words::moment(at)?, moment))
    });
    let mut is_closed = false;
    let of_people = steps.iter().map(|step| {
        let moment = moment(step, is_closed, zone, t);
        is_closed |= matches!(step.what, Some(What::Closed(_)));
        (words::moment(step.time).unwrap_or_default(), moment)
    });
    let mut all: Vec<(Timestamp, Moment)> = of_machine.chain(of_people).collect();
    // Steps of one moment stay in their own order.
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, moment)| moment).collect()
}

fn moment(step: &v1::IncidentStep, is_closed: bool, zone: &TimeZone, t: Texts) -> Moment {
    let note_missing = match (step.has_note && step.note.is_empty(), step.is_note_erased) {
        (_, true) => t.note_erased(),
        (true, false) => t.note_hidden(),
        (false, false) => "",
    };
    Moment {
        number: step.number,
        time: time(step.time, zone),
        who: person(&step.author, t),
        words: step
            .what
            .as_ref()
            .map_or(t.step_unknown().to_owned(), |what| words_of(what, (is_closed, &step.author), zone, t)),
        note: step.note.clone(),
        note_missing,
    }
}

fn words_of(what: &What, (is_closed, author): (bool, &str), zone: &TimeZone, t: Texts) -> String {
    let words = match what {
        What::Acknowledged(_) => t.step_acknowledged(),
        What::Assigned(to) if to.user.is_empty() => t.step_assigned_nobody(),
        What::Assigned(to) if author.strip_prefix("user:") == Some(&to.user) => t.step_took(),
        What::Assigned(to) => return t.step_assigned(&to.user),
        What::Noted(_) => t.step_noted(),
        What::Shelved(shelved) if shelved.until_time.is_some() => {
            return t.step_shelved(time(shelved.until_time, zone));
        }
        What::Shelved(_) => t.step_taken_up(),
        What::Closed(closed) => return closing(closed, is_closed, t),
        What::Held(held) if held.on => t.step_held(),
        What::Held(_) => t.step_released(),
        What::NoteErased(_) => t.step_erased(),
        What::Joined(_) => t.step_joined(),
        What::Sealed(sealed) => {
            let hash: String = sealed.evidence.chars().take(DIGITS).collect();
            return t.step_sealed(sealed.revision, hash + "…");
        }
    };
    words.to_owned()
}

fn closing(closed: &v1::Closed, is_closed: bool, t: Texts) -> String {
    let what = if is_closed { t.step_corrected() } else { t.step_closed() };
    let (cause, hurt) = (cause_name(closed.cause(), t), hurt_words(closed.hurt(), t));
    match (cause.is_empty(), hurt.is_empty()) {
        (true, true) => what.to_owned(),
        (false, true) => format!("{what}: {cause}."),
        (true, false) => format!("{what}: {hurt}"),
        (false, false) => format!("{what}: {cause}. {hurt}"),
    }
}
