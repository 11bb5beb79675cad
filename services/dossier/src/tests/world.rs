//! An incident with everything, in a server with other facts besides.

use domain::belt::{Contact, Contacts, Direction, Origin};
use domain::ids::{IncidentId, MachineId, RecordingId, SiteId};
use domain::incident::{Incident, MeasuredStop, Rule, Severity, TracePoint};
use domain::signal::Capabilities;
use domain::units::{Incline, Speed, UnixMicros};
use serde_json::{Value, json};

use crate::file::{AnchorRow, EntryRow, Manifest, NoteRow, Outer, PARTS, PartHash, SignatureText};
use crate::*;

pub(super) const START: UnixMicros = UnixMicros(1_795_272_611_250_000);
pub(super) const SERVER: [u8; 32] = [42; 32];

pub(super) fn key() -> SigningKey {
    SigningKey::from_seed(SERVER)
}

pub(super) fn ours() -> Expect {
    Expect { fingerprint: Some(key().fingerprint()), heads: Vec::new() }
}

fn contacts(open: bool) -> Contacts {
    let mut contacts = Contacts::default();
    contacts.see(Contact::EmergencyStop, open);
    contacts.see(Contact::SafetyKey, false);
    contacts
}

pub(super) fn incident() -> Incident {
    let point = |seconds: i64, speed: u32| TracePoint {
        time: START.plus(seconds * 1_000_000),
        span_ms: 1_000,
        direction: Direction::Reverse,
        origin: Origin::Measured,
        speeds: (speed > 0).then(|| (Speed(speed), Speed(speed - 1), Speed(speed + 1))),
        incline: Some(Incline(-5)),
        contacts: contacts(seconds >= 0),
    };
    Incident {
        id: IncidentId([0xab; 16]),
        machine: MachineId::new("tm-04").unwrap(),
        rule: Rule::EmergencyStop,
        rule_version: 1,
        severity: Severity::Critical,
        time: START,
        noticed: START,
        drill: None,
        cleared: Some(START.plus(5_000_000)),
        direction: Direction::Reverse,
        origin: Origin::Measured,
        speed: Some(Speed(834)),
        incline: Some(Incline(-5)),
        contact: Some(Contact::EmergencyStop),
        count: 1,
        measured: vec![("speed_mm_s".to_owned(), 834)],
        thresholds: vec![("emergency-stop.moving_mm_s".to_owned(), 28)],
        detail: "pressed, \"twice\"".to_owned(),
        explained: String::new(),
        capabilities: Capabilities(Capabilities::SPEED.0 | Capabilities::DIRECTION.0),
        stop: Some(MeasuredStop { time_ms: 1_200, distance_mm: 510 }),
        recording: Some(RecordingId([0xcd; 16])),
        trace: vec![point(-1, 834), point(0, 420), point(1, 0)],
        trace_complete: true,
        revision: 3,
    }
}

pub(super) fn recording() -> Recording {
    let point = |millis: i64, speed: u32| RecordedPoint {
        time: START.plus(millis * 1_000),
        direction: Direction::Reverse,
        origin: Origin::Measured,
        speed: Some(Speed(speed)),
        incline: None,
        contacts: contacts(millis >= 0),
    };
    Recording { is_complete: true, points: vec![point(-100, 834), point(0, 834), point(100, 700)] }
}

pub(super) fn context() -> Context {
    Context {
        rule: RuleText::of(Rule::EmergencyStop),
        machine: MachineText {
            id: MachineId::new("tm-04").unwrap(),
            display_name: "Four".to_owned(),
            model: String::new(),
            belt: "two_way".to_owned(),
            drive: "motor".to_owned(),
        },
        site: SiteText {
            id: SiteId::new("north").unwrap(),
            display_name: "North".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
        },
        detected: START.plus(40_000),
        unconfirmed_by_version: None,
        agent: Some(AgentText { version: "0.1.0".to_owned(), sources: vec!["encoder".to_owned()] }),
        clock: Some(ClockText::of(domain::clock::ClockQuality::Synchronised, 5_000)),
        coverage: Some(CoverageText { start: START, end: START.plus(20_000_000), covered_us: 20_000_000 }),
        settings: vec![SettingText { name: "in_service".to_owned(), value: "yes".to_owned() }],
    }
}

/// What a server has.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) entries: Vec<Entry>,
    pub(super) notes: Vec<NoteText>,
    pub(super) anchors: Vec<AnchorTaken>,
    pub(super) leaves: Vec<Hash>,
    pub(super) incident: Incident,
}

impl World {
    /// A server with 3 other facts before the first about the incident.
    pub(super) fn new() -> World {
        let mut world = World {
            entries: Vec::new(),
            notes: Vec::new(),
            anchors: Vec::new(),
            leaves: Vec::new(),
            incident: incident(),
        };
        world.others(3);
        world
    }

    /// Acknowledged, two notes, sealed, closed with a note, one note erased; two heads, the second covers everything.
    pub(super) fn full() -> World {
        let mut world = World::new();
        world.step("user:anna", json!({"step": "acknowledge"}), None);
        world.others(2);
        world.step("user:anna", json!({"step": "note"}), Some("she sat down, \"fine\"\nno pain"));
        world.step("user:ben", json!({"step": "note"}), Some("=HYPERLINK(\"x\")"));
        world.seal();
        world.anchor("owner");
        world.others(5);
        world.step(
            "user:ben",
            json!({"step": "close", "cause": "misuse", "hurt": "no"}),
            Some("talked to her"),
        );
        let erased = world.entries[2].number;
        world.step("user:chief", json!({"step": "erase_note", "number": erased}), None);
        world.notes[1].written = None;
        world.others(7);
        world.anchor("insurer");
        world
    }

    pub(super) fn others(&mut self, count: u64) {
        for _ in 0..count {
            let number = self.leaves.len() as u64 + 1;
            self.leaves.push(leaf(number, START, "user:other", "{}"));
        }
    }

    pub(super) fn step(&mut self, author: &str, step: Value, note: Option<&str>) -> u64 {
        let number = self.leaves.len() as u64 + 1;
        let time = START.plus(i64::try_from(number).unwrap() * 60_000_000);
        let mut body = json!({"v": 2, "kind": "incident_stepped", "incident": self.incident.id.to_string()});
        let fields = body.as_object_mut().unwrap();
        fields.extend(step.as_object().unwrap().clone());
        if let Some(text) = note {
            let salt = [u8::try_from(number).unwrap(); 16];
            fields.insert("note".to_owned(), json!({"hash": hex::encode(note_hash(&salt, text))}));
            self.notes.push(NoteText { number, written: Some((salt, text.to_owned())) });
        }
        if let Some(before) = self.entries.last() {
            fields.insert("previous".to_owned(), Value::String(hex::encode(before.leaf)));
        }
        let body = body.to_string();
        let leaf = leaf(number, time, author, &body);
        self.leaves.push(leaf);
        self.entries.push(Entry { number, time, author: author.to_owned(), body, leaf });
        number
    }

    pub(super) fn seal(&mut self) -> u64 {
        let evidence = evidence(&self.incident, &recording());
        let step = json!({"step": "seal", "revision": self.incident.revision, "evidence": evidence.hex()});
        self.step("server", step, None)
    }

    pub(super) fn anchor(&mut self, contact: &str) {
        let head = head(self.leaves.iter().copied());
        let taken = START.plus(86_400_000_000);
        self.anchors.push(AnchorTaken { head, contact: contact.to_owned(), taken });
    }

    pub(super) fn dossier(&self) -> String {
        let (context, evidence) = (context(), evidence(&self.incident, &recording()));
        let input = Input {
            made: START.plus(90_000_000_000),
            server: "gym",
            version: "0.1.0",
            incident: self.incident.id,
            context: &context,
            evidence: &evidence,
            entries: &self.entries,
            notes: &self.notes,
            anchors: &self.anchors,
            tree: &self.leaves.iter().copied().collect(),
        };
        build(&input, &key()).unwrap()
    }
}

/// A dossier taken to pieces, to be put together in another way.
#[derive(Debug)]
pub(super) struct Pieces {
    pub(super) manifest: Manifest,
    pub(super) signature: SignatureText,
    pub(super) parts: [String; 8],
}

impl Pieces {
    pub(super) fn of(dossier: &str) -> Pieces {
        let outer: Outer<'_> = serde_json::from_str(dossier).unwrap();
        Pieces {
            manifest: serde_json::from_str(outer.manifest.get()).unwrap(),
            parts: outer.parts.texts().map(str::to_owned),
            signature: outer.signature,
        }
    }

    fn change<T>(&mut self, part: &str, change: impl FnOnce(&mut T))
    where
        T: serde::de::DeserializeOwned + serde::Serialize,
    {
        let place = PARTS.iter().position(|name| *name == part).unwrap();
        let mut rows: T = serde_json::from_str(&self.parts[place]).unwrap();
        change(&mut rows);
        self.parts[place] = serde_json::to_string(&rows).unwrap();
    }

    pub(super) fn entries(mut self, change: impl FnOnce(&mut Vec<EntryRow>)) -> Pieces {
        self.change("entries", change);
        self
    }

    pub(super) fn notes(mut self, change: impl FnOnce(&mut Vec<NoteRow>)) -> Pieces {
        self.change("notes", change);
        self
    }

    pub(super) fn anchors(mut self, change: impl FnOnce(&mut Vec<AnchorRow>)) -> Pieces {
        self.change("anchors", change);
        self
    }

    /// Replaces a text in a part; it has to be there.
    pub(super) fn replaced(mut self, part: &str, from: &str, to: &str) -> Pieces {
        let place = PARTS.iter().position(|name| *name == part).unwrap();
        assert!(self.parts[place].contains(from), "{part} has {from}: {}", self.parts[place]);
        self.parts[place] = self.parts[place].replacen(from, to, 1);
        self
    }

    /// Lists the parts as they are now, and signs that.
    pub(super) fn signed(mut self, key: &SigningKey) -> Pieces {
        let hash = |(name, part): (&&str, &String)| PartHash {
            name: (*name).to_owned(),
            octets: part.len() as u64,
            sha256: hex::encode(crate::words::sha256(part.as_bytes())),
        };
        self.manifest.parts = PARTS.iter().zip(&self.parts).map(hash).collect();
        self.manifest.fingerprint = key.fingerprint();
        let manifest = serde_json::to_string(&self.manifest).unwrap();
        self.signature.key = hex::encode(key.public());
        self.signature.value = hex::encode(key.sign(&crate::file::signed(&manifest)));
        self
    }

    pub(super) fn text(&self) -> String {
        let manifest = serde_json::to_string(&self.manifest).unwrap();
        let parts: Vec<&str> = self.parts.iter().map(String::as_str).collect();
        crate::file::text(&manifest, &self.signature, &parts.try_into().unwrap())
    }
}

/// What a report says, one sentence a line.
pub(super) fn told(report: &Report) -> String {
    let findings = report.findings.iter().map(ToString::to_string);
    let holds = report.holds.iter().map(|statement| format!("holds: {statement}"));
    findings.chain(holds).collect::<Vec<_>>().join("\n")
}

/// Verifies a text, which has these findings and no statements but those that are listed.
pub(super) fn check(text: &str, expect: &Expect, sentences: &[&str]) -> Report {
    let report = verify(text.as_bytes(), expect);
    let told = told(&report);
    for sentence in sentences {
        assert!(told.contains(sentence), "no \"{sentence}\" in:\n{told}");
    }
    report
}
