//! The steps about an incident, oldest first.

use jiff::tz::TimeZone;
use wire::api::v1;
use wire::api::v1::incident_step::What;

use super::ids;
use super::outcome::{self, Outcome};
use crate::client::{Client, Options};
use crate::command::pages::Zones;
use crate::command::print;
use crate::failure::Failure;
use crate::table::{Column, Listing, Note, Value, people_text};
use crate::words;

/// A step, with what is needed to show it.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    step: v1::IncidentStep,
    zone: TimeZone,
}

impl Shown {
    pub(super) fn new(step: v1::IncidentStep, zone: &TimeZone) -> Shown {
        Shown { step, zone: zone.clone() }
    }

    fn time(&self, time: Option<prost_types::Timestamp>) -> Value {
        Value::Time(words::time(time), self.zone.clone())
    }

    /// Its name in programs' words.
    fn name(&self) -> &'static str {
        match &self.step.what {
            Some(What::Acknowledged(_)) => "acknowledged",
            Some(What::Assigned(_)) => "assigned",
            Some(What::Noted(_)) => "noted",
            Some(What::Shelved(_)) => "shelved",
            Some(What::Closed(_)) => "closed",
            Some(What::Held(_)) => "held",
            Some(What::NoteErased(_)) => "note_erased",
            Some(What::Joined(_)) => "joined",
            Some(What::Sealed(_)) => "sealed",
            None => "unknown",
        }
    }

    /// What was done, in words.
    fn what(&self) -> String {
        match &self.step.what {
            Some(What::Acknowledged(_)) => "acknowledged".to_owned(),
            Some(What::Assigned(one)) if one.user.is_empty() => "assigned to nobody".to_owned(),
            Some(What::Assigned(one)) => format!("assigned to {}", one.user),
            Some(What::Noted(_)) => "noted".to_owned(),
            Some(What::Shelved(one)) => match one.until_time {
                Some(until) => format!("shelved until {}", people_text(&self.time(Some(until)))),
                None => "taken up again".to_owned(),
            },
            Some(What::Closed(one)) => closed(words::cause(one.cause), words::hurt(one.hurt)),
            Some(What::Held(one)) if one.on => "kept against retention".to_owned(),
            Some(What::Held(_)) => "kept against retention no longer".to_owned(),
            Some(What::NoteErased(one)) => format!("the note of step {} was erased", one.number),
            Some(What::Joined(one)) => format!("part of the outage {}", one.lead_incident_id),
            Some(What::Sealed(one)) => {
                format!("evidence of version {}: SHA-256 {}", one.revision, one.evidence)
            }
            None => "a step that this program does not know".to_owned(),
        }
    }

    /// What was written with it, or why that is not shown.
    fn note(&self) -> String {
        match &self.step {
            step if step.is_note_erased => "(erased)".to_owned(),
            step if step.has_note && step.note.is_empty() => "(not shown to you)".to_owned(),
            step => step.note.clone(),
        }
    }

    /// The step in a line.
    pub(super) fn line(&self) -> String {
        let (time, note) = (people_text(&self.time(self.step.time)), self.note());
        let note = if note.is_empty() { note } else { format!(": {note}") };
        format!("{time}  {}  {}{note}", self.step.author, self.what())
    }
}

/// How it was closed, such as `closed: deliberate stop, hurt: no`.
pub(super) fn closed(cause: &str, hurt: &str) -> String {
    let cause = cause.replace('_', " ");
    let told: Vec<String> = [("", cause.as_str()), ("hurt: ", hurt)]
        .into_iter()
        .filter(|(_, answer)| !answer.is_empty())
        .map(|(question, answer)| format!("{question}{answer}"))
        .collect();
    if told.is_empty() { "closed".to_owned() } else { format!("closed: {}", told.join(", ")) }
}

pub(super) const COLUMNS: &[Column<Shown>] = &[
    Column { name: "number", title: "step", value: |row| Value::Count(row.step.number) },
    Column { name: "time", title: "time", value: |row| row.time(row.step.time) },
    Column { name: "author", title: "who", value: |row| Value::Text(row.step.author.clone()) },
    Column { name: "step", title: "", value: |row| Value::Text(row.name().to_owned()) },
    Column { name: "what", title: "what", value: |row| Value::Text(row.what()) },
    Column { name: "note", title: "note", value: |row| Value::Text(row.note()) },
    Column { name: "has_note", title: "", value: |row| Value::Flag(row.step.has_note) },
    Column { name: "is_note_erased", title: "", value: |row| Value::Flag(row.step.is_note_erased) },
];

/// Prints the steps of one.
pub(super) async fn show(mut client: Client, id: String, options: &Options) -> Result<(), Failure> {
    let id = ids::resolve_one(&mut client, id).await?;
    let request = v1::GetIncidentRequest { incident_id: id.clone() };
    let incident = client.incidents.get_incident(request).await?.into_inner().incident.unwrap_or_default();
    let zone = Zones::fetch(&mut client).await?.of(&incident.site_id);
    let request = v1::ListIncidentStepsRequest { incident_id: id };
    let answer = client.handling.list_incident_steps(request).await?.into_inner();
    let rows: Vec<Shown> = answer.steps.into_iter().map(|step| Shown::new(step, &zone)).collect();
    let mut notes = Vec::new();
    if !answer.members.is_empty() {
        notes.push(Note { name: "members", value: Value::Count(answer.members.len() as u64) });
    }
    print(&Listing { name: "steps", columns: COLUMNS, rows: &rows, notes }, options)
}

/// Erases the text of one note.
pub(super) async fn erase_note(
    mut client: Client,
    id: String,
    number: u64,
    options: &Options,
) -> Result<(), Failure> {
    let incident_id = ids::resolve_one(&mut client, id).await?;
    let request = v1::EraseNoteRequest { incident_id: incident_id.clone(), number };
    let incident = client.handling.erase_note(request).await?.into_inner().incident;
    let zones = Zones::fetch(&mut client).await?;
    let result = v1::StepResult { incident_id, incident, ..v1::StepResult::default() };
    outcome::print_all(&[Outcome::new(result, &zones)], options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Format;

    fn step(number: u64, what: What) -> v1::IncidentStep {
        let time = Some(prost_types::Timestamp { seconds: 1_795_176_000, nanos: 0 });
        v1::IncidentStep {
            number,
            time,
            author: "user:anna".to_owned(),
            what: Some(what),
            ..Default::default()
        }
    }

    #[test]
    fn each_step_is_told_in_words() {
        let until_time = Some(prost_types::Timestamp { seconds: 1_795_183_200, nanos: 0 });
        let user = |user: &str| What::Assigned(v1::Assigned { user: user.to_owned() });
        let close = |cause: v1::Cause, hurt: v1::Hurt| {
            What::Closed(v1::Closed { cause: cause.into(), hurt: hurt.into() })
        };
        let lead_incident_id = "aa".to_owned();
        let cases = [
            (What::Acknowledged(v1::Acknowledged {}), "acknowledged", "acknowledged"),
            (user("ben"), "assigned", "assigned to ben"),
            (user(""), "assigned", "assigned to nobody"),
            (What::Noted(v1::Noted {}), "noted", "noted"),
            (What::Shelved(v1::Shelved { until_time }), "shelved", "shelved until 2026-11-20 15:00:00+01:00"),
            (What::Shelved(v1::Shelved { until_time: None }), "shelved", "taken up again"),
            (close(v1::Cause::DeliberateStop, v1::Hurt::No), "closed", "closed: deliberate stop, hurt: no"),
            (close(v1::Cause::Unspecified, v1::Hurt::Yes), "closed", "closed: hurt: yes"),
            (close(v1::Cause::Unspecified, v1::Hurt::Unspecified), "closed", "closed"),
            (What::Held(v1::Held { on: true }), "held", "kept against retention"),
            (What::Held(v1::Held { on: false }), "held", "kept against retention no longer"),
            (What::NoteErased(v1::NoteErased { number: 7 }), "note_erased", "the note of step 7 was erased"),
            (What::Joined(v1::Joined { lead_incident_id }), "joined", "part of the outage aa"),
            (
                What::Sealed(v1::Sealed { revision: 2, evidence: "ee".to_owned() }),
                "sealed",
                "evidence of version 2: SHA-256 ee",
            ),
        ];
        let zone = TimeZone::get("Europe/Vienna").unwrap();
        for (what, name, words) in cases {
            let row = Shown::new(step(1, what), &zone);
            assert_eq!((row.name(), row.what().as_str()), (name, words));
            assert_eq!(row.line(), format!("2026-11-20 13:00:00+01:00  user:anna  {words}"));
        }
    }

    #[test]
    fn a_note_is_shown_or_said_to_be_hidden() {
        let noted = |note: &str, has_note, is_note_erased| {
            let step = step(3, What::Noted(v1::Noted {}));
            Shown::new(
                v1::IncidentStep { note: note.to_owned(), has_note, is_note_erased, ..step },
                &TimeZone::UTC,
            )
        };
        let rows = [noted("all well", true, false), noted("", true, false), noted("", true, true)];
        assert!(rows[0].line().ends_with("  noted: all well"), "{}", rows[0].line());
        let (listing, mut out) =
            (Listing { name: "steps", columns: COLUMNS, rows: &rows, notes: Vec::new() }, Vec::new());
        listing.print(Format::Csv, &mut out, &mut Vec::new()).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "number,time,author,step,what,note,has_note,is_note_erased\n\
             3,2026-11-20T12:00:00Z,user:anna,noted,noted,all well,true,false\n\
             3,2026-11-20T12:00:00Z,user:anna,noted,noted,(not shown to you),true,false\n\
             3,2026-11-20T12:00:00Z,user:anna,noted,noted,(erased),true,true\n"
        );
    }
}
