//! Builds a dossier.

use std::collections::BTreeMap;

use domain::ids::IncidentId;
use domain::limits::{DOSSIER_BYTES_MAX, DOSSIER_HEADS_MAX};
use domain::units::UnixMicros;

use crate::Hash;
use crate::evidence::{Evidence, ReadingRow, RecordingRows, json};
use crate::file::{
    self, AnchorRow, Context, EntryRow, Manifest, NoteRow, PARTS, PartHash, ProofRow, SignatureText, TakenRow,
};
use crate::key::SigningKey;
use crate::merkle::{Head, Tree};
use crate::table::tables;
use crate::words::sha256;

/// A fact about the incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub number: u64,
    /// When, by the server's clock.
    pub time: UnixMicros,
    /// Who.
    pub author: String,
    /// What it says, as it is stored: JSON.
    pub body: String,
    /// Its leaf, as it is stored.
    pub leaf: Hash,
}

/// A note that was written with a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteText {
    /// Number of the fact.
    pub number: u64,
    /// Salt and text; `None`: it was erased.
    pub written: Option<([u8; 16], String)>,
}

/// A head that somebody outside took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorTaken {
    /// The head as it was sent.
    pub head: Head,
    /// By whom.
    pub contact: String,
    /// When.
    pub taken: UnixMicros,
}

/// What a dossier is made of.
#[derive(Debug)]
pub struct Input<'a> {
    /// Now, by the server's clock.
    pub made: UnixMicros,
    /// Name of the server.
    pub server: &'a str,
    /// Version of its program.
    pub version: &'a str,
    /// Which incident.
    pub incident: IncidentId,
    /// What is needed to understand the evidence.
    pub context: &'a Context,
    /// The evidence.
    pub evidence: &'a Evidence,
    /// All facts about the incident, in the order of their numbers.
    pub entries: &'a [Entry],
    /// All notes, in the order of their facts' numbers.
    pub notes: &'a [NoteText],
    /// All heads that were taken outside, in the order in which they were taken. Of those that cover an entry the newest is
    /// told, and for each entry the first that covers it, at most `limits::DOSSIER_HEADS_MAX`.
    pub anchors: &'a [AnchorTaken],
    /// The tree over the leaves of all facts, at least up to the greatest head.
    pub tree: &'a Tree,
}

/// Why a dossier cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// It would be larger than is verified.
    #[error("the dossier has {octets} octets; at most {DOSSIER_BYTES_MAX} are allowed")]
    TooLarge {
        /// How large.
        octets: usize,
    },
    /// The evidence is none that this crate made.
    #[error("the evidence cannot be read: {0}")]
    Evidence(String),
}

/// The dossier: the text of its file.
///
/// # Errors
/// It would be too large, or the evidence is not of `evidence`.
pub fn build(input: &Input<'_>, key: &SigningKey) -> Result<String, BuildError> {
    let evidence = input.evidence;
    let unread = |error: serde_json::Error| BuildError::Evidence(error.to_string());
    let readings: Vec<ReadingRow> = serde_json::from_str(&evidence.readings).map_err(unread)?;
    let recording: RecordingRows = serde_json::from_str(&evidence.recording).map_err(unread)?;
    let entries: Vec<EntryRow> = input.entries.iter().map(entry_row).collect();
    let notes: Vec<NoteRow> = input.notes.iter().map(note_row).collect();
    let tables = tables(&readings, &recording.points, &entries, &notes);
    let parts = [
        &json(input.context),
        &evidence.found,
        &evidence.readings,
        &evidence.recording,
        &json(&entries),
        &json(&notes),
        &json(&anchor_rows(input)),
        &json(&tables),
    ];
    let parts = parts.map(String::as_str);
    let manifest = json(&Manifest {
        made_us: input.made,
        server: input.server.to_owned(),
        version: input.version.to_owned(),
        incident_id: input.incident,
        fingerprint: key.fingerprint(),
        entry_count: entries.len() as u64,
        last_leaf: entries.last().map(|entry| entry.leaf.clone()),
        parts: PARTS.iter().zip(parts).map(part_hash).collect(),
    });
    let value = hex::encode(key.sign(&file::signed(&manifest)));
    let signature = SignatureText { key: hex::encode(key.public()), value };
    let text = file::text(&manifest, &signature, &parts);
    if text.len() > DOSSIER_BYTES_MAX {
        return Err(BuildError::TooLarge { octets: text.len() });
    }
    Ok(text)
}

fn part_hash((name, part): (&&str, &str)) -> PartHash {
    let sha256 = hex::encode(sha256(part.as_bytes()));
    PartHash { name: (*name).to_owned(), octets: part.len() as u64, sha256 }
}

fn entry_row(entry: &Entry) -> EntryRow {
    EntryRow {
        number: entry.number,
        time_us: entry.time,
        author: entry.author.clone(),
        body: entry.body.clone(),
        leaf: hex::encode(entry.leaf),
    }
}

fn note_row(note: &NoteText) -> NoteRow {
    let (salt, text) = note.written.as_ref().map(|(salt, text)| (hex::encode(salt), text.clone())).unzip();
    NoteRow { number: note.number, erased: text.is_none(), salt, text }
}

/// The heads that are told. One that the tree does not lead to is told all the same, and so are two of the same number of
/// facts with different roots: hiding that is not ours.
fn anchor_rows(input: &Input<'_>) -> Vec<AnchorRow> {
    let numbers: Vec<u64> = input.entries.iter().map(|entry| entry.number).collect();
    let Some(first) = numbers.first() else { return Vec::new() };
    let mut heads: Vec<Head> = input.anchors.iter().map(|anchor| anchor.head).collect();
    heads.retain(|head| head.facts >= *first);
    heads.sort_by_key(|head| (head.facts, head.root));
    heads.dedup();
    let Some(newest) = heads.last().map(|head| head.facts) else { return Vec::new() };
    // Sizes of the heads that are the first to cover an entry, with the size before.
    let mut sizes: BTreeMap<u64, u64> = BTreeMap::new();
    for number in &numbers {
        let covering = heads.get(heads.partition_point(|head| head.facts < *number)).map(|head| head.facts);
        if let Some(facts) = covering.filter(|_| sizes.len() + 1 < DOSSIER_HEADS_MAX) {
            let before = sizes.range(..facts).next_back().map_or(0, |(before, _)| *before);
            sizes.entry(facts).or_insert(before);
        }
    }
    sizes.insert(newest, 0);
    let told = heads.into_iter().filter_map(|head| Some((head, *sizes.get(&head.facts)?)));
    let told: Vec<(Head, u64)> = told.collect();
    // The newest covers most.
    let surplus = told.len().saturating_sub(DOSSIER_HEADS_MAX);
    let row = |(head, after): (Head, u64)| {
        let covered = numbers.iter().copied().filter(|number| (after + 1..=head.facts).contains(number));
        anchor_row(input, head, covered)
    };
    told.into_iter().skip(surplus).map(row).collect()
}

fn anchor_row(input: &Input<'_>, head: Head, covered: impl Iterator<Item = u64>) -> AnchorRow {
    let proof = |number| {
        let path = input.tree.proof(number, head.facts)?;
        Some(ProofRow { number, path: path.iter().map(hex::encode).collect() })
    };
    let taken = input.anchors.iter().filter(|anchor| anchor.head == head);
    AnchorRow {
        facts: head.facts,
        root: hex::encode(head.root),
        taken: taken.map(|t| TakenRow { contact: t.contact.clone(), taken_us: t.taken }).collect(),
        proofs: covered.filter_map(proof).collect(),
    }
}
