//! The dossier of an incident: one JSON file that proves itself.
//!
//! It holds what the rule found, the readings, the recording, every fact about the incident with its leaf, the notes, and
//! the way from each fact to a head that somebody outside has taken. The server signs it; `verify` judges it without a
//! server. `docs/dossier.md` says which octets are hashed and signed, so that others can write a verifier.
//!
//! Nothing in here asks the time, waits or does I/O.

mod build;
mod evidence;
mod file;
mod head;
mod key;
mod merkle;
mod table;
mod verify;
mod words;

#[cfg(test)]
mod tests;

pub use self::build::{AnchorTaken, BuildError, Entry, Input, NoteText, build};
pub use self::evidence::{Evidence, RecordedPoint, Recording, evidence};
pub use self::file::{
    AgentText, ClockText, Context, CoverageText, FORMAT, MachineText, RuleText, SettingText, SiteText,
    ThresholdText,
};
pub use self::head::{HeadProblem, SignedHead};
pub use self::key::{SigningKey, fingerprint};
pub use self::merkle::{Head, Peaks, Tree, head, root_of};
pub use self::verify::{Expect, ExpectedHead, Finding, Report, Statement, Summary, verify};

/// SHA-256 of something.
pub type Hash = [u8; 32];

/// The leaf of a fact: SHA-256 over a zero octet and the lines `beltwatch-fact-1`, number, time in microseconds since
/// 1970, author and body, with one newline between them and none behind.
pub fn leaf(number: u64, time: domain::units::UnixMicros, author: &str, body: &str) -> Hash {
    words::sha256(format!("\0beltwatch-fact-1\n{number}\n{}\n{author}\n{body}", time.0).as_bytes())
}

/// The hash of a note, which its fact holds: SHA-256 over the salt and the text.
pub fn note_hash(salt: &[u8], text: &str) -> Hash {
    words::sha256(&[salt, text.as_bytes()].concat())
}
