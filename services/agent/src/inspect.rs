//! `decode-envelope`: MQTT payloads in, one JSON object out for each. For people who look at the wire.

mod render;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, Write};

use bytes::Bytes;
use domain::ids::MachineId;
use serde_json::{Map, Value, json};
use wire::ack::Ack;
use wire::credential::Credential;
use wire::envelope::Envelope;
use wire::keys::{MachineKey, MasterKey};
use wire::seal::Unopened;
use wire::status::Status;
use wire::topics::{Kind, Topic};

use crate::capture::{Line, next_line};

/// With what seals are checked.
#[derive(Debug, Clone)]
pub enum Keys {
    /// With nothing: whether a message is authentic stays open.
    None,
    /// One machine's key. Messages of other machines stay open.
    Machine(Box<Credential>),
    /// The server's key, from which all machines' follow.
    Master(Box<MasterKey>),
}

impl Keys {
    fn of(&self, machine: &MachineId, generation: u32) -> Option<MachineKey> {
        match self {
            Keys::None => None,
            Keys::Machine(credential) if credential.machine == *machine => Some(credential.key.clone()),
            Keys::Machine(_) => None,
            Keys::Master(master) => Some(master.machine_key(machine, generation)),
        }
    }

    /// The machine that a message without topic must be of.
    fn machine(&self) -> Option<&MachineId> {
        match self {
            Keys::Machine(credential) => Some(&credential.machine),
            Keys::None | Keys::Master(_) => None,
        }
    }
}

/// How many lines there were, and how many of them were no messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Inspected {
    /// Lines that were not blank.
    pub lines: u64,
    /// Of these, lines that are no message that can be read.
    pub unreadable: u64,
}

/// Why inspecting ended early.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The input could not be read on.
    #[error("cannot read the messages")]
    Read(#[source] io::Error),
    /// The result could not be written.
    #[error("cannot write the result")]
    Write(#[source] io::Error),
}

/// Reads lines and writes a JSON object for each; a line that is no message gets `error` and the next is read.
/// Each result is written out at once, so that a live stream can be followed.
///
/// # Errors
///
/// If reading or writing fails.
pub fn run(
    reader: &mut impl BufRead,
    writer: &mut impl Write,
    keys: &Keys,
) -> Result<Inspected, InspectError> {
    let mut inspected = Inspected::default();
    let mut buffer = Vec::new();
    loop {
        let value = match next_line(reader, &mut buffer).map_err(InspectError::Read)? {
            Line::End => return Ok(inspected),
            Line::TooLong => json!({ "error": "the line is longer than any message" }),
            Line::Whole if buffer.trim_ascii().is_empty() => continue,
            Line::Whole => inspect(&String::from_utf8_lossy(&buffer), keys),
        };
        inspected.lines += 1;
        inspected.unreadable += u64::from(value.get("error").is_some());
        writeln!(writer, "{value}").and_then(|()| writer.flush()).map_err(InspectError::Write)?;
    }
}

/// One line: a payload in hexadecimal digits, or a topic and such a payload with a space between.
pub fn inspect(line: &str, keys: &Keys) -> Value {
    let mut found = Map::new();
    if let Err(error) = read(line.trim(), keys, &mut found) {
        found.insert("error".to_owned(), json!(error));
    }
    Value::Object(found)
}

fn read(line: &str, keys: &Keys, found: &mut Map<String, Value>) -> Result<(), String> {
    let (topic, digits) = line.rsplit_once(' ').map_or((None, line), |(topic, digits)| (Some(topic), digits));
    let topic =
        topic.map(|topic| Topic::parse(topic.trim()).map_err(|error| error.to_string())).transpose()?;
    if let Some(topic) = &topic {
        found.insert("topic".to_owned(), json!(topic.to_string()));
        found.insert("machine".to_owned(), json!(topic.machine.as_str()));
    }
    let payload = hex::decode(digits).map_err(|error| format!("the payload is not hexadecimal: {error}"))?;
    let unopened = Unopened::read(payload.into()).map_err(|error| error.to_string())?;
    let generation = unopened.key_generation();
    let body = unopened.body().clone();
    let kind = topic.as_ref().map_or_else(|| guess(&body), |topic| Ok(topic.kind))?;
    found.insert("kind".to_owned(), json!(kind.name()));
    found.insert("key_generation".to_owned(), json!(generation));
    let topic = topic.or_else(|| Some(Topic::new(keys.machine()?.clone(), kind)));
    let authentic = topic.and_then(|topic| {
        let key = keys.of(&topic.machine, generation)?;
        Some(unopened.open(&key, &topic).is_ok())
    });
    found.insert("authentic".to_owned(), json!(authentic));
    let (name, value) = content(kind, body)?;
    found.insert(name.to_owned(), value);
    Ok(())
}

fn content(kind: Kind, body: Bytes) -> Result<(&'static str, Value), String> {
    let unreadable = |error: wire::Unreadable| error.to_string();
    match kind {
        Kind::Events | Kind::Readings => {
            let envelope = Envelope::decode(body).map_err(unreadable)?;
            Ok(("envelope", render::envelope(&envelope)))
        }
        Kind::Status => Ok(("status", render::status(&Status::decode(body).map_err(unreadable)?))),
        Kind::Ack => Ok(("ack", render::ack(&Ack::decode(body).map_err(unreadable)?))),
    }
}

/// What a body without topic is: only one of the three can be read from it.
fn guess(body: &Bytes) -> Result<Kind, String> {
    if let Ok(envelope) = Envelope::decode(body.clone()) {
        return Ok(match envelope.lane {
            domain::log::Lane::Events => Kind::Events,
            domain::log::Lane::Readings => Kind::Readings,
        });
    }
    if Status::decode(body.clone()).is_ok() {
        return Ok(Kind::Status);
    }
    if Ack::decode(body.clone()).is_ok() {
        return Ok(Kind::Ack);
    }
    Err("the body is no envelope, no status and no ack".to_owned())
}
