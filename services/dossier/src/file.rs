//! The file: its outer form, its manifest and its parts. `docs/dossier.md` describes them.

use domain::clock::ClockQuality;
use domain::ids::{IncidentId, MachineId, SiteId};
use domain::incident::Rule;
use domain::units::UnixMicros;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Format of the file, and the first line of what is signed.
pub const FORMAT: &str = "beltwatch-dossier/1";

/// The parts in their order.
pub(crate) const PARTS: [&str; 8] =
    ["incident", "evidence", "readings", "recording", "entries", "notes", "anchors", "tables"];

/// The outer form. What is hashed or signed is kept as it stands.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outer<'a> {
    pub(crate) format: String,
    #[serde(borrow)]
    pub(crate) manifest: &'a RawValue,
    pub(crate) signature: SignatureText,
    #[serde(borrow)]
    pub(crate) parts: Parts<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignatureText {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// The parts as they stand.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parts<'a> {
    #[serde(borrow)]
    pub(crate) incident: &'a RawValue,
    #[serde(borrow)]
    pub(crate) evidence: &'a RawValue,
    #[serde(borrow)]
    pub(crate) readings: &'a RawValue,
    #[serde(borrow)]
    pub(crate) recording: &'a RawValue,
    #[serde(borrow)]
    pub(crate) entries: &'a RawValue,
    #[serde(borrow)]
    pub(crate) notes: &'a RawValue,
    #[serde(borrow)]
    pub(crate) anchors: &'a RawValue,
    #[serde(borrow)]
    pub(crate) tables: &'a RawValue,
}

impl<'a> Parts<'a> {
    /// Their texts, in their order.
    pub(crate) fn texts(&self) -> [&'a str; 8] {
        let Parts { incident, evidence, readings, recording, entries, notes, anchors, tables } = self;
        [incident, evidence, readings, recording, entries, notes, anchors, tables].map(|part| part.get())
    }
}

/// The file as it is written: compact, in this order, nothing behind it.
pub(crate) fn text(manifest: &str, signature: &SignatureText, parts: &[&str; 8]) -> String {
    let signature = serde_json::to_string(signature).expect("two texts become JSON");
    let parts: Vec<String> =
        PARTS.iter().zip(parts).map(|(name, part)| format!("\"{name}\":{part}")).collect();
    let parts = parts.join(",");
    format!(
        "{{\"format\":\"{FORMAT}\",\"manifest\":{manifest},\"signature\":{signature},\"parts\":{{{parts}}}}}"
    )
}

/// The octets that are signed.
pub(crate) fn signed(manifest: &str) -> Vec<u8> {
    format!("{FORMAT}\n{manifest}").into_bytes()
}

/// What the signature speaks for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// When the dossier was made.
    pub(crate) made_us: UnixMicros,
    /// Name of the server.
    pub(crate) server: String,
    /// Version of the server's program.
    pub(crate) version: String,
    pub(crate) incident_id: IncidentId,
    /// Fingerprint of the key.
    pub(crate) fingerprint: String,
    /// How many entries there are.
    pub(crate) entry_count: u64,
    /// Leaf of the last one; `None`: there is none.
    pub(crate) last_leaf: Option<String>,
    /// The parts in their order.
    pub(crate) parts: Vec<PartHash>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartHash {
    pub(crate) name: String,
    /// Its length in octets.
    pub(crate) octets: u64,
    /// SHA-256 over the octets as they stand in the file.
    pub(crate) sha256: String,
}

/// Part `incident`: what is needed to understand the evidence, as it was when the dossier was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// The rule in words.
    pub rule: RuleText,
    /// The machine.
    pub machine: MachineText,
    /// The site.
    pub site: SiteText,
    /// When the server found the incident first.
    #[serde(rename = "detected_us")]
    pub detected: UnixMicros,
    /// The version of the rule that did not find it any more; `None`: nothing speaks against it.
    pub unconfirmed_by_version: Option<u32>,
    /// The agent then; `None`: not known.
    pub agent: Option<AgentText>,
    /// The agent's clock then; `None`: not known.
    pub clock: Option<ClockText>,
    /// How much of the time around it the machine could report; `None`: not worked out.
    pub coverage: Option<CoverageText>,
    /// What was set for the machine and its site then.
    pub settings: Vec<SettingText>,
}

/// A rule in words, of the program that made the dossier. The evidence says which version found the incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleText {
    /// Its name.
    pub name: String,
    /// Version that these words are of.
    pub version: u32,
    /// Its title.
    pub title: String,
    /// When it holds.
    pub meaning: String,
    /// Why it exists, and why its thresholds are what they are.
    pub reason: String,
    /// When it may hold again.
    pub rearm: String,
    /// What staff do.
    pub card: String,
    /// Its thresholds; the evidence says which values were used.
    pub thresholds: Vec<ThresholdText>,
}

impl RuleText {
    /// The words of a rule.
    pub fn of(rule: Rule) -> RuleText {
        let definition = rule.definition();
        let thresholds = definition.thresholds.iter().map(|threshold| ThresholdText {
            name: threshold.name.to_owned(),
            unit: threshold.unit.symbol().to_owned(),
        });
        RuleText {
            name: rule.name().to_owned(),
            version: definition.version,
            title: definition.title.to_owned(),
            meaning: definition.meaning.to_owned(),
            reason: definition.reason.to_owned(),
            rearm: definition.rearm.to_owned(),
            card: definition.card.to_owned(),
            thresholds: thresholds.collect(),
        }
    }
}

/// A threshold and its unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdText {
    /// Its name.
    pub name: String,
    /// Its unit; empty: a count.
    pub unit: String,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineText {
    /// Identity.
    pub id: MachineId,
    /// Name for people.
    pub display_name: String,
    /// Maker and model; empty: not told.
    pub model: String,
    /// What the belt can do, in the product's words.
    pub belt: String,
    /// What drives it, in the product's words.
    pub drive: String,
}

/// A site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteText {
    /// Identity.
    pub id: SiteId,
    /// Name for people.
    pub display_name: String,
    /// Time zone by its IANA name.
    pub time_zone: String,
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentText {
    /// Version of its program.
    pub version: String,
    /// Its sources by name.
    pub sources: Vec<String>,
}

/// How sure times are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockText {
    /// `synchronised`, `estimated` or `undated`.
    pub quality: String,
    /// Half-width of the interval in which the true time lies, in microseconds.
    pub uncertainty_us: u64,
}

impl ClockText {
    /// The words of a clock's quality.
    pub fn of(quality: ClockQuality, uncertainty_us: u64) -> ClockText {
        let quality = match quality {
            ClockQuality::Synchronised => "synchronised",
            ClockQuality::Estimated => "estimated",
            ClockQuality::Undated => "undated",
        };
        ClockText { quality: quality.to_owned(), uncertainty_us }
    }
}

/// How much of a span the machine could report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverageText {
    /// Begin of the span.
    #[serde(rename = "start_us")]
    pub start: UnixMicros,
    /// End of the span.
    #[serde(rename = "end_us")]
    pub end: UnixMicros,
    /// Microseconds of it that readings speak of.
    pub covered_us: u64,
}

/// Something that was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingText {
    /// What, such as `staffed_hours`.
    pub name: String,
    /// To what, in words.
    pub value: String,
}

/// A row of part `entries`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryRow {
    pub(crate) number: u64,
    pub(crate) time_us: UnixMicros,
    pub(crate) author: String,
    /// What the fact says, as it is stored: JSON as a text.
    pub(crate) body: String,
    pub(crate) leaf: String,
}

/// What the body of an entry says, as far as it is verified.
#[derive(Debug, Deserialize)]
pub(crate) struct Body {
    pub(crate) kind: String,
    pub(crate) incident: Option<String>,
    pub(crate) step: Option<String>,
    pub(crate) previous: Option<String>,
    pub(crate) note: Option<NoteHash>,
    /// Of a step `erase_note`.
    pub(crate) number: Option<u64>,
    /// Of a step `seal`.
    pub(crate) revision: Option<u64>,
    /// Of a step `seal`.
    pub(crate) evidence: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct NoteHash {
    pub(crate) hash: String,
}

/// A row of part `notes`: text and salt, or that it was erased.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteRow {
    pub(crate) number: u64,
    pub(crate) salt: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) erased: bool,
}

/// A row of part `anchors`: a head, who took it, and ways that lead to it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnchorRow {
    pub(crate) facts: u64,
    pub(crate) root: String,
    pub(crate) taken: Vec<TakenRow>,
    pub(crate) proofs: Vec<ProofRow>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TakenRow {
    pub(crate) contact: String,
    pub(crate) taken_us: UnixMicros,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProofRow {
    pub(crate) number: u64,
    /// Hashes beside the way up, the lowest first.
    pub(crate) path: Vec<String>,
}

/// Part `tables`: the same once more, for spreadsheets.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tables {
    pub(crate) readings_csv: String,
    pub(crate) recording_csv: String,
    pub(crate) entries_csv: String,
}
