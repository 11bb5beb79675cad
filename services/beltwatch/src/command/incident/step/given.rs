//! What a step was given, looked up and sent, in requests of as many incidents as the server takes at once.

use std::io::{self, Read};

use domain::limits::INCIDENTS_STEPPED_MAX;
use jiff::tz::TimeZone;
use wire::api::v1;

use super::{Step, StepArgs};
use crate::client::{Client, Options};
use crate::command::incident::ids;
use crate::command::incident::outcome::{self, Outcome};
use crate::command::pages::Zones;
use crate::command::repeat::twice;
use crate::failure::{Exit, Failure};

/// Octets of a note from standard input. More: refused here, so that the command ends.
const NOTE_OCTETS_MAX: u64 = 64 * 1024;

/// What a command was given, read and looked up.
pub(super) struct Given {
    client: Client,
    ids: Vec<String>,
    note: String,
    request_id: String,
    /// Refused here, before the server was asked.
    refused: Vec<v1::StepResult>,
}

impl Given {
    pub(super) async fn read(args: StepArgs, options: &Options) -> Result<Given, Failure> {
        if args.note == "-" && args.ids.ids.iter().any(|id| id == "-") {
            let message = "ids and note cannot both be read from standard input";
            return Err(Failure::new(Exit::Usage, message));
        }
        let note = if args.note == "-" { note_of(io::stdin().lock())? } else { args.note };
        let mut client = Client::connect(options).await?;
        let ids = ids::resolve(&mut client, args.ids.ids).await?;
        Ok(Given { client, ids, note, request_id: args.repeat.id()?, refused: Vec::new() })
    }

    /// Leaves out what is no stop that came to rest as it should: closing those in one go says what nobody has looked at.
    pub(super) async fn keep_normal_stops(&mut self) -> Result<(), Failure> {
        let mut kept = Vec::new();
        for id in std::mem::take(&mut self.ids) {
            let request = v1::GetIncidentRequest { incident_id: id.clone() };
            match self.client.incidents.get_incident(request).await {
                Ok(answer) => {
                    let handling = answer.into_inner().incident.and_then(|incident| incident.handling);
                    if handling.is_some_and(|handling| handling.is_normal_stop) {
                        kept.push(id);
                    } else {
                        self.refused.push(outcome::no_normal_stop(id));
                    }
                }
                Err(status) if status.code() == tonic::Code::NotFound => {
                    self.refused.push(outcome::not_found(id, status.message()));
                }
                Err(status) => return Err(status.into()),
            }
        }
        self.ids = kept;
        Ok(())
    }

    /// The zone of the site where all of them are.
    pub(super) async fn zone(&mut self) -> Result<TimeZone, Failure> {
        let zones = Zones::fetch(&mut self.client).await?;
        let mut found: Option<TimeZone> = None;
        for id in &self.ids {
            let request = v1::GetIncidentRequest { incident_id: id.clone() };
            let answer = self.client.incidents.get_incident(request).await?.into_inner();
            let zone = zones.of(&answer.incident.unwrap_or_default().site_id);
            if found.as_ref().is_some_and(|found| *found != zone) {
                let message = "--until has no offset, and the incidents are of sites with different time zones; a time \
                               such as 2026-11-20T09:00+01:00 is allowed";
                return Err(Failure::new(Exit::Usage, message));
            }
            found = Some(zone);
        }
        Ok(found.unwrap_or(TimeZone::UTC))
    }

    /// Takes the step, and prints what became of it.
    pub(super) async fn take(self, step: Step, options: &Options) -> Result<(), Failure> {
        let Given { mut client, ids, note, request_id, refused } = self;
        let (mut results, mut failure) = (refused, None);
        for (number, part) in ids.chunks(INCIDENTS_STEPPED_MAX).enumerate() {
            // Each part is a request of its own; the same command repeated makes the same parts.
            let request_id = if number == 0 { request_id.clone() } else { format!("{request_id}.{number}") };
            match request(&mut client, &step, part.to_vec(), note.clone(), request_id).await {
                Ok(part) => results.extend(part),
                Err(refused) => {
                    failure = Some(refused);
                    break;
                }
            }
        }
        // What was done is told even if the rest was not.
        if failure.is_none() || !results.is_empty() {
            let zones = Zones::fetch(&mut client).await?;
            let outcomes: Vec<Outcome> =
                results.into_iter().map(|result| Outcome::new(result, &zones)).collect();
            let printed = outcome::print_all(&outcomes, options);
            return failure.map_or(printed, Err);
        }
        failure.map_or(Ok(()), Err)
    }
}

/// The note, without the end of its last line.
fn note_of(input: impl Read) -> Result<String, Failure> {
    let mut text = String::new();
    input.take(NOTE_OCTETS_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > NOTE_OCTETS_MAX {
        return Err(Failure::new(Exit::Usage, "the note has more than 2000 characters"));
    }
    Ok(text.trim_end().to_owned())
}

async fn request(
    client: &mut Client,
    step: &Step,
    incident_ids: Vec<String>,
    note: String,
    request_id: String,
) -> Result<Vec<v1::StepResult>, Failure> {
    let (id, handling) = (request_id.clone(), &mut client.handling);
    match step {
        Step::Acknowledge => {
            let request = v1::AcknowledgeIncidentsRequest { incident_ids, note, request_id };
            let answer = twice(&id, async || handling.acknowledge_incidents(request.clone()).await).await?;
            Ok(answer.results)
        }
        Step::Assign(user) => {
            let request = v1::AssignIncidentsRequest { incident_ids, user: user.clone(), note, request_id };
            Ok(twice(&id, async || handling.assign_incidents(request.clone()).await).await?.results)
        }
        Step::Note => {
            let request = v1::NoteIncidentsRequest { incident_ids, note, request_id };
            Ok(twice(&id, async || handling.note_incidents(request.clone()).await).await?.results)
        }
        Step::Shelve(until_time) => {
            let until_time = *until_time;
            let request = v1::ShelveIncidentsRequest { incident_ids, until_time, note, request_id };
            Ok(twice(&id, async || handling.shelve_incidents(request.clone()).await).await?.results)
        }
        Step::Close(cause, hurt) => {
            let (cause, hurt) = ((*cause).into(), (*hurt).into());
            let request = v1::CloseIncidentsRequest { incident_ids, cause, hurt, note, request_id };
            Ok(twice(&id, async || handling.close_incidents(request.clone()).await).await?.results)
        }
        Step::Hold(on) => {
            let request = v1::HoldIncidentsRequest { incident_ids, on: *on, note, request_id };
            Ok(twice(&id, async || handling.hold_incidents(request.clone()).await).await?.results)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read_whole_or_not_at_all() {
        let read = |octets: &[u8]| note_of(octets).map_err(|failure| failure.exit);
        assert_eq!(read(b"two\nlines\n\n"), Ok("two\nlines".to_owned()));
        assert_eq!(read(b""), Ok(String::new()));
        assert_eq!(read(&vec![b'x'; 64 * 1024 + 1]), Err(Exit::Usage));
        assert_eq!(read(&[0xff]), Err(Exit::InputOutput), "it is no text");
    }
}
