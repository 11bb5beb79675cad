//! Evidence: what the rule found, the readings and the recording, as they are sealed. Its text is a format of its own, so
//! that a later program writes the same octets of the same incident: a change here needs another version.

use domain::belt::{Contact, Contacts, Direction, Origin};
use domain::ids::{IncidentId, MachineId, RecordingId};
use domain::incident::{Incident, Rule, Severity, TracePoint};
use domain::units::{Incline, Speed, UnixMicros};
use serde::{Deserialize, Serialize};

use crate::Hash;
use crate::words::sha256;

/// The first line of what is hashed.
const FORMAT: &str = "beltwatch-evidence/1";

/// The belt at one moment of a recording, in event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedPoint {
    /// When.
    pub time: UnixMicros,
    /// Which way the belt ran.
    pub direction: Direction,
    /// How that is known.
    pub origin: Origin,
    /// Speed without sign; `None`: not known, which is not zero.
    pub speed: Option<Speed>,
    /// Incline; `None`: not known.
    pub incline: Option<Incline>,
    /// Contacts.
    pub contacts: Contacts,
}

/// The agent's recording of an incident, as far as it is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recording {
    /// Whether its last piece and all before it are there.
    pub is_complete: bool,
    /// Points, oldest first; none: there is no recording.
    pub points: Vec<RecordedPoint>,
}

/// The evidence of an incident as text, and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What the rule found: compact JSON.
    pub found: String,
    /// The readings: compact JSON.
    pub readings: String,
    /// The recording: compact JSON.
    pub recording: String,
}

impl Evidence {
    /// What is sealed: SHA-256 over `octets`.
    pub fn hash(&self) -> Hash {
        sha256(octets(&self.found, &self.readings, &self.recording).as_bytes())
    }

    /// What is sealed, in 64 hexadecimal digits, as the step `seal` holds it.
    pub fn hex(&self) -> String {
        hex::encode(self.hash())
    }
}

/// The octets that are hashed: the format and the SHA-256 of each of the three texts, a line each.
pub(crate) fn octets(found: &str, readings: &str, recording: &str) -> String {
    let hash = |text: &str| hex::encode(sha256(text.as_bytes()));
    format!("{FORMAT}\n{}\n{}\n{}", hash(found), hash(readings), hash(recording))
}

/// The evidence of an incident. The same incident with the same recording gives the same octets for ever.
pub fn evidence(incident: &Incident, recording: &Recording) -> Evidence {
    let readings: Vec<ReadingRow> = incident.trace.iter().map(ReadingRow::of).collect();
    let points = recording.points.iter().map(PointRow::of).collect();
    let recording = RecordingRows { complete: recording.is_complete, points };
    Evidence { found: json(&Found::of(incident)), readings: json(&readings), recording: json(&recording) }
}

pub(crate) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("texts, numbers and lists become JSON")
}

/// What the rule found, as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Found {
    pub(crate) incident_id: IncidentId,
    pub(crate) machine_id: MachineId,
    rule: Rule,
    rule_version: u32,
    severity: Severity,
    time_us: UnixMicros,
    noticed_us: UnixMicros,
    drill: Option<u64>,
    cleared_us: Option<UnixMicros>,
    direction: Direction,
    origin: Origin,
    speed_mm_s: Option<Speed>,
    incline_tenths_percent: Option<Incline>,
    contact: Option<Contact>,
    count: u32,
    measured: Vec<Named>,
    thresholds: Vec<Named>,
    detail: String,
    explained: String,
    capabilities: Vec<String>,
    stop: Option<StopText>,
    recording_id: Option<RecordingId>,
    readings_complete: bool,
    pub(crate) revision: u64,
}

/// A number with its name, which tells its unit.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
    value: i64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StopText {
    time_ms: u32,
    distance_mm: u32,
}

impl Found {
    /// Every field of an incident is named, so that a new one is not forgotten here.
    fn of(incident: &Incident) -> Found {
        let Incident {
            id,
            machine,
            rule,
            rule_version,
            severity,
            time,
            noticed,
            drill,
            cleared,
            direction,
            origin,
            speed,
            incline,
            contact,
            count,
            measured,
            thresholds,
            detail,
            explained,
            capabilities,
            stop,
            recording,
            trace: _,
            trace_complete,
            revision,
        } = incident;
        let named = |pairs: &[(String, i64)]| {
            pairs.iter().map(|(name, value)| Named { name: name.clone(), value: *value }).collect()
        };
        Found {
            incident_id: *id,
            machine_id: machine.clone(),
            rule: *rule,
            rule_version: *rule_version,
            severity: *severity,
            time_us: *time,
            noticed_us: *noticed,
            drill: *drill,
            cleared_us: *cleared,
            direction: *direction,
            origin: *origin,
            speed_mm_s: *speed,
            incline_tenths_percent: *incline,
            contact: *contact,
            count: *count,
            measured: named(measured),
            thresholds: named(thresholds),
            detail: detail.clone(),
            explained: explained.clone(),
            capabilities: capabilities.names().map(str::to_owned).collect(),
            stop: stop.map(|stop| StopText { time_ms: stop.time_ms, distance_mm: stop.distance_mm }),
            recording_id: *recording,
            readings_complete: *trace_complete,
            revision: *revision,
        }
    }
}

/// A reading, as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadingRow {
    pub(crate) time_us: UnixMicros,
    pub(crate) span_ms: u32,
    pub(crate) direction: Direction,
    pub(crate) origin: Origin,
    pub(crate) speed_mean_mm_s: Option<Speed>,
    pub(crate) speed_min_mm_s: Option<Speed>,
    pub(crate) speed_max_mm_s: Option<Speed>,
    pub(crate) incline_tenths_percent: Option<Incline>,
    pub(crate) closed: Vec<Contact>,
    pub(crate) open: Vec<Contact>,
}

impl ReadingRow {
    fn of(point: &TracePoint) -> ReadingRow {
        ReadingRow {
            time_us: point.time,
            span_ms: point.span_ms,
            direction: point.direction,
            origin: point.origin,
            speed_mean_mm_s: point.speeds.map(|(mean, _, _)| mean),
            speed_min_mm_s: point.speeds.map(|(_, min, _)| min),
            speed_max_mm_s: point.speeds.map(|(_, _, max)| max),
            incline_tenths_percent: point.incline,
            closed: named(point.contacts.closed),
            open: named(point.contacts.open),
        }
    }
}

/// The recording, as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordingRows {
    complete: bool,
    pub(crate) points: Vec<PointRow>,
}

/// A point of a recording, as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PointRow {
    pub(crate) time_us: UnixMicros,
    pub(crate) direction: Direction,
    pub(crate) origin: Origin,
    pub(crate) speed_mm_s: Option<Speed>,
    pub(crate) incline_tenths_percent: Option<Incline>,
    pub(crate) closed: Vec<Contact>,
    pub(crate) open: Vec<Contact>,
}

impl PointRow {
    fn of(point: &RecordedPoint) -> PointRow {
        PointRow {
            time_us: point.time,
            direction: point.direction,
            origin: point.origin,
            speed_mm_s: point.speed,
            incline_tenths_percent: point.incline,
            closed: named(point.contacts.closed),
            open: named(point.contacts.open),
        }
    }
}

/// The contacts of these bits.
fn named(bits: u32) -> Vec<Contact> {
    Contact::ALL.into_iter().filter(|contact| bits & contact.bit() != 0).collect()
}
