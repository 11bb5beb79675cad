//! Facts of what people did about incidents, and of proof tests.

use domain::handling::Step;
use domain::ids::{IncidentId, MachineId};
use domain::units::UnixMicros;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::registry::json;

/// The author of facts that the server adds by itself.
pub const SERVER: &str = "server";

/// One step that was taken about an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentStepped {
    /// Which incident.
    pub incident: IncidentId,
    /// What was done.
    #[serde(flatten)]
    pub step: Step,
    /// What was written with it: the text of a note, or what was done at the closing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// The leaf of the fact before it of the same incident, in 64 hexadecimal digits; `None`: there is none. The ledger
    /// sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
}

/// A text that somebody wrote. The fact holds only its salted hash, so that the text can be erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// SHA-256 over the salt and the text, in 64 hexadecimal digits.
    pub hash: String,
    /// The text; `None`: it was erased, or is not read here. Kept beside the fact.
    #[serde(skip)]
    pub text: Option<NoteText>,
}

/// The text of a note with its salt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteText {
    /// Random octets, so that a short text cannot be guessed from its hash.
    pub salt: [u8; 16],
    /// The text, 1 to `domain::handling::NOTE_CHARACTERS_MAX` characters.
    pub text: String,
}

impl Note {
    /// A note of this text.
    pub fn new(salt: [u8; 16], text: String) -> Note {
        let text = NoteText { salt, text };
        Note { hash: text.hash(), text: Some(text) }
    }
}

impl NoteText {
    /// SHA-256 over the salt and the text, in 64 hexadecimal digits.
    pub fn hash(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(self.salt);
        digest.update(self.text.as_bytes());
        hex::encode(digest.finalize())
    }
}

/// A proof test was begun. What is found in it is no incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewDrill {
    /// On which machine.
    #[serde(with = "json::machine")]
    pub machine: MachineId,
    /// When it ends by itself.
    #[serde(rename = "until_us", with = "json::micros")]
    pub until: UnixMicros,
}

/// A proof test was ended before its time, or somebody wrote down how it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillEnd {
    /// On which machine.
    #[serde(with = "json::machine")]
    pub machine: MachineId,
    /// Number of the fact that began it.
    pub drill: u64,
    /// What was seen, at most 200 characters; empty: nothing was written.
    pub note: String,
}
