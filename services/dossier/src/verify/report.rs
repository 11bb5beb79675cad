//! What was found and what holds, in plain English.

use std::fmt;

use domain::ids::{IncidentId, MachineId};
use domain::limits::{DOSSIER_BYTES_MAX, DOSSIER_FINDINGS_MAX};
use domain::units::UnixMicros;

use crate::words::{quoted, utc};

/// Numbers of entries that a sentence names. More: counted.
const NUMBERS_NAMED_MAX: usize = 20;

/// What a dossier is worth.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// What it says of itself; `None`: that cannot be read. True only if it is whole.
    pub summary: Option<Summary>,
    /// What is wrong; none: the dossier is whole.
    pub findings: Vec<Finding>,
    /// What holds, in spite of the findings.
    pub holds: Vec<Statement>,
}

impl Report {
    /// Whether nothing is wrong with it. Whether it is anchored is told among what holds.
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether each entry is covered by a head that somebody outside took.
    pub fn is_anchored(&self) -> bool {
        let is_open =
            |statement: &Statement| matches!(statement, Statement::Unanchored | Statement::NotCovered { .. });
        let is_anchored = |statement: &Statement| matches!(statement, Statement::Anchored { .. });
        self.holds.iter().any(is_anchored) && !self.holds.iter().any(is_open)
    }

    pub(crate) fn find(&mut self, finding: Finding) {
        if self.findings.len() < DOSSIER_FINDINGS_MAX {
            self.findings.push(finding);
        } else if let Some(Finding::More { count }) = self.findings.last_mut() {
            *count += 1;
        } else {
            self.findings.push(Finding::More { count: 1 });
        }
    }

    pub(crate) fn hold(&mut self, statement: Statement) {
        self.holds.push(statement);
    }
}

/// What a dossier says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Of which incident it is.
    pub incident: IncidentId,
    /// When it was made, by the server's clock.
    pub made: UnixMicros,
    /// Name of the server.
    pub server: String,
    /// Version of its program.
    pub version: String,
    /// Fingerprint of its key.
    pub fingerprint: String,
}

/// One thing that is wrong. Octets are counted from 0. Texts from the file are quoted, so that they can be shown anywhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// Larger than any dossier.
    #[error("the file has {octets} octets; a dossier has at most {DOSSIER_BYTES_MAX}")]
    TooLarge { octets: usize },
    /// No UTF-8.
    #[error("the file is damaged at octet {octet}: it is no UTF-8 text there")]
    NoText { octet: usize },
    /// No JSON of the right form.
    #[error("{part} is damaged at octet {octet}: {why}")]
    Damaged { part: &'static str, octet: usize, why: String },
    /// Something else, or of a newer program.
    #[error("the format is {found}; this program verifies \"beltwatch-dossier/1\"")]
    Format { found: String },
    /// The same, written another way.
    #[error(
        "the file is not as it was written, from octet {octet} on: something was inserted, left out or written another way"
    )]
    NotAsWritten { octet: usize },
    /// No key.
    #[error("the signature's key cannot be read; 64 of 0-9 and a-f are required")]
    KeyUnreadable,
    /// The manifest is another server's.
    #[error("the manifest names the key with fingerprint {named}, the signature's key has {found}")]
    OtherKeyNamed { named: String, found: String },
    /// Not signed.
    #[error(
        "the signature is not of this manifest by the key with fingerprint {fingerprint}: manifest, key or signature was changed"
    )]
    Signature { fingerprint: String },
    /// Signed by somebody else.
    #[error("another server signed it: fingerprint {found}, expected {expected}")]
    OtherServer { found: String, expected: String },
    /// Parts are missing in the manifest, or foreign.
    #[error("the manifest does not list the parts of a dossier in their order")]
    PartsListed,
    /// A part's hash is another.
    #[error("part \"{part}\" was changed: it is not the one that the manifest lists")]
    PartChanged { part: &'static str },
    /// Evidence of another incident.
    #[error("the evidence is of incident {found}, the manifest of incident {expected}")]
    OtherIncident { found: IncidentId, expected: IncidentId },
    /// Words about another machine.
    #[error("part \"incident\" tells of machine {told}, the evidence is of machine {found}")]
    OtherMachine { told: MachineId, found: MachineId },
    /// Entries were left out or added.
    #[error("the manifest counts {counted} entries, {found} are there")]
    EntriesCounted { counted: u64, found: u64 },
    /// What an entry says is not what was hashed.
    #[error("entry {number} was changed: its number, time, author and body do not give its leaf")]
    EntryChanged { number: u64 },
    /// No fact.
    #[error("the body of entry {number} cannot be read: {why}")]
    EntryUnreadable { number: u64, why: String },
    /// About something else.
    #[error("entry {number} is not about this incident")]
    EntryForeign { number: u64 },
    /// Numbers do not rise.
    #[error("entry {number} stands after entry {after}; entries stand in the order of their numbers")]
    EntryOrder { number: u64, after: u64 },
    /// Its predecessor stands elsewhere.
    #[error(
        "entry {number} follows entry {predecessor}, which does not stand before it: entries were reordered, or one between was inserted"
    )]
    EntryMoved { number: u64, predecessor: u64 },
    /// Its predecessor is not there.
    #[error("entry {number} names a predecessor (leaf {leaf}) that is not there: {}", predecessor(*before))]
    PredecessorMissing { number: u64, leaf: String, before: Option<u64> },
    /// It should be the first.
    #[error("entry {number} names no predecessor, but entry {before} stands before it")]
    Beginning { number: u64, before: u64 },
    /// The end is another.
    #[error("the last entry ({}) is not the one that the manifest names (leaf {leaf}): the last one is missing or was changed", numbered(*found))]
    LastEntry { found: Option<u64>, leaf: String },
    /// The evidence is another than the sealed one.
    #[error(
        "the evidence is not what entry {number} sealed as version {revision}: evidence, readings or recording was changed"
    )]
    Evidence { number: u64, revision: u64 },
    /// The evidence is older than the sealed one.
    #[error(
        "the evidence is of version {found}, but entry {number} sealed version {revision}: it was put back to an older one"
    )]
    EvidenceOlder { number: u64, revision: u64, found: u64 },
    /// The text is missing.
    #[error("the note of entry {number} is missing")]
    NoteMissing { number: u64 },
    /// The entry is missing.
    #[error("there is a note of entry {number}, but no such entry has a note")]
    NoteForeign { number: u64 },
    /// Twice, or out of order.
    #[error("the note of entry {number} stands twice or not in the order of numbers")]
    NoteOrder { number: u64 },
    /// The text of another.
    #[error("the note of entry {number} was swapped: this text was written with entry {of}")]
    NoteSwapped { number: u64, of: u64 },
    /// Another text.
    #[error("the note of entry {number} was changed: it is not the text that was written")]
    NoteChanged { number: u64 },
    /// Nobody erased it.
    #[error("the note of entry {number} is left out as erased, but no entry says that it was erased")]
    NoteNotErased { number: u64 },
    /// A root that is no hash.
    #[error("the anchor at {facts} facts cannot be read: its root or a hash of a proof is none")]
    HeadUnreadable { facts: u64 },
    /// Facts were taken away since.
    #[error("no proof leads to the anchor at {facts} facts: the server's facts do not give it any more")]
    HeadWithoutProof { facts: u64 },
    /// Of an entry that is not there.
    #[error("the anchor at {facts} facts has a proof for entry {number}, which is not there")]
    ProofForeign { number: u64, facts: u64 },
    /// It leads elsewhere.
    #[error(
        "the proof of entry {number} does not lead to the root of the anchor at {facts} facts: the entry, the proof or the root was changed"
    )]
    Proof { number: u64, facts: u64 },
    /// Somebody outside holds another head.
    #[error(
        "the anchor at {facts} facts has the root {found}, expected {expected}: the facts were changed since, or it is another server's"
    )]
    OtherRoot { facts: u64, found: String, expected: String },
    /// Somebody outside holds a head that is not among them.
    #[error("no anchor that a proof leads to has the expected root {expected}")]
    RootMissing { expected: String },
    /// A table differs.
    #[error(
        "line {line} of the table of {table} is not what the parts say: it says {says}, the parts say {parts}"
    )]
    Table { table: &'static str, line: u64, says: String, parts: String },
    /// Too much to tell.
    #[error("{count} more findings")]
    More { count: u64 },
}

fn predecessor(before: Option<u64>) -> String {
    match before {
        Some(before) => format!("an entry before it is missing, or entry {before} was changed"),
        None => "the first entry is missing".to_owned(),
    }
}

fn numbered(number: Option<u64>) -> String {
    number.map_or_else(|| "there is none".to_owned(), |number| format!("entry {number}"))
}

/// One thing that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// The manifest was signed by this key.
    Signed {
        /// Fingerprint of the key.
        fingerprint: String,
        /// Whether it is the expected one; otherwise it was not compared.
        is_compared: bool,
    },
    /// All parts are those that the manifest lists.
    Parts,
    /// The entries are one chain that ends where the manifest says.
    Chained {
        /// How many.
        entries: u64,
    },
    /// The evidence is as it was sealed.
    Sealed {
        /// By which entry.
        number: u64,
        /// When.
        time: UnixMicros,
        /// As which version of the incident.
        revision: u64,
    },
    /// Another entry had sealed the same version as something else before.
    SealedAgain {
        /// By which entry.
        number: u64,
        /// As which version of the incident.
        revision: u64,
    },
    /// The evidence was never sealed.
    NotSealed,
    /// An older version was sealed; this one was not.
    SealedBefore {
        /// Version of the evidence.
        found: u64,
        /// By which entry the newest seal was set.
        number: u64,
        /// As which version.
        revision: u64,
    },
    /// Notes are what was written.
    Notes {
        /// How many with their text.
        written: u64,
        /// How many whose text was erased.
        erased: u64,
    },
    /// Somebody outside has taken a head that covers entries.
    Anchored {
        /// How many facts it covers.
        facts: u64,
        /// Its root.
        root: String,
        /// Who took it, and when, as the server says; as the file has it.
        taken: Vec<(String, UnixMicros)>,
        /// How many entries lead to it.
        entries: u64,
        /// Whether it was compared with what somebody outside holds.
        is_compared: bool,
    },
    /// These entries are covered by no head.
    NotCovered {
        /// Their numbers.
        numbers: Vec<u64>,
    },
    /// No entry is covered by any head.
    Unanchored,
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Statement::Signed { fingerprint, is_compared: true } => {
                write!(f, "signed by the expected server: fingerprint {fingerprint}")
            }
            Statement::Signed { fingerprint, is_compared: false } => {
                write!(f, "signed by the key with fingerprint {fingerprint}, which was not compared with the server's")
            }
            Statement::Parts => f.write_str("all parts are those that the manifest lists"),
            Statement::Chained { entries } => write!(f, "{entries} entries in one chain, up to the last one that the manifest names"),
            Statement::Sealed { number, time, revision } => {
                write!(f, "the evidence is as entry {number} sealed it at {} (version {revision})", utc(*time))
            }
            Statement::SealedAgain { number, revision } => write!(
                f,
                "sealed more than once: entry {number} had sealed version {revision} as something else before; the server \
                 says that the rest of the recording came later"
            ),
            Statement::NotSealed => f.write_str("not sealed: nothing says what the evidence was before this dossier was made"),
            Statement::SealedBefore { found, number, revision } => write!(
                f,
                "not sealed in this version: the evidence is of version {found}, entry {number} sealed version {revision}"
            ),
            Statement::Notes { written, erased } => {
                write!(f, "{written} notes are as they were written, {erased} were erased")
            }
            Statement::Anchored { facts, root, taken, entries, is_compared } => {
                let who = taken.iter().map(|(contact, time)| format!("{} at {}", quoted(contact), utc(*time)));
                let who = who.take(NUMBERS_NAMED_MAX).collect::<Vec<_>>().join(", ");
                let compared = if *is_compared {
                    "which was compared with what is held outside"
                } else {
                    "which was not compared with what they hold"
                };
                let who = if who.is_empty() { "nobody that is named".to_owned() } else { who };
                write!(f, "anchored: {entries} entries lead to the head of {facts} facts, root {root}, taken by {who}, {compared}")
            }
            Statement::NotCovered { numbers } => {
                let named = numbers.iter().take(NUMBERS_NAMED_MAX).map(u64::to_string).collect::<Vec<_>>();
                let more = numbers.len() - named.len();
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                write!(f, "unanchored in part: no anchor covers entries {}{more}", named.join(", "))
            }
            Statement::Unanchored => {
                f.write_str("unanchored: no head that covers an entry was taken outside, so only the server speaks for them")
            }
        }
    }
}
