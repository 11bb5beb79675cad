//! Verifies a dossier: finds everything that is wrong, and says what holds.

mod entries;
mod heads;
mod notes;
mod report;

use domain::limits::DOSSIER_BYTES_MAX;
use serde::Deserialize;

use self::entries::Chain;
pub use self::report::{Finding, Report, Statement, Summary};
use crate::evidence::{self, Found, ReadingRow, RecordingRows};
use crate::file::{self, AnchorRow, Context, EntryRow, Manifest, NoteRow, Outer, PARTS, Tables};
use crate::key::{fingerprint, is_signed};
use crate::words::{octets as hex_octets, plain, quoted, sha256};

/// What somebody knows from elsewhere. Without it a dossier proves only that it was not changed since some server signed it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expect {
    /// Fingerprint of the server's key, in hexadecimal digits; `None`: not compared.
    pub fingerprint: Option<String>,
    /// Heads that somebody outside holds. Each must be one of the dossier's.
    pub heads: Vec<ExpectedHead>,
}

/// A head that somebody outside holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedHead {
    /// How many facts it covers; `None`: not known.
    pub facts: Option<u64>,
    /// Its root, in hexadecimal digits.
    pub root: String,
}

/// Judges the octets of a file. It tells all findings up to `limits::DOSSIER_FINDINGS_MAX`, and what holds in spite of them.
pub fn verify(octets: &[u8], expect: &Expect) -> Report {
    let mut report = Report::default();
    if octets.len() > DOSSIER_BYTES_MAX {
        report.find(Finding::TooLarge { octets: octets.len() });
        return report;
    }
    let text = match std::str::from_utf8(octets) {
        Ok(text) => text,
        Err(error) => {
            report.find(Finding::NoText { octet: error.valid_up_to() });
            return report;
        }
    };
    match serde_json::from_str::<Outer<'_>>(text) {
        Ok(outer) => judge(&outer, text, expect, &mut report),
        Err(error) => {
            let octet = place(text, &error);
            report.find(Finding::Damaged { part: part_at(text, octet), octet, why: told(&error) });
        }
    }
    report
}

fn judge(outer: &Outer<'_>, text: &str, expect: &Expect, report: &mut Report) {
    if outer.format != file::FORMAT {
        report.find(Finding::Format { found: quoted(&outer.format) });
    }
    let parts = outer.parts.texts();
    let written = file::text(outer.manifest.get(), &outer.signature, &parts);
    if written != text {
        let same = written.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
        report.find(Finding::NotAsWritten { octet: same });
    }
    let mut reading = Reading { text, report };
    let manifest: Option<Manifest> = reading.part("manifest", outer.manifest.get());
    let [context, found, readings, recording, entries, notes, anchors, tables] = parts;
    let context: Option<Context> = reading.part("incident", context);
    let found_read: Option<Found> = reading.part("evidence", found);
    let rows: Option<Vec<ReadingRow>> = reading.part("readings", readings);
    let points: Option<RecordingRows> = reading.part("recording", recording);
    let entries: Option<Vec<EntryRow>> = reading.part("entries", entries);
    let notes: Option<Vec<NoteRow>> = reading.part("notes", notes);
    let anchors: Option<Vec<AnchorRow>> = reading.part("anchors", anchors);
    let tables: Option<Tables> = reading.part("tables", tables);

    signature(outer, manifest.as_ref(), expect, report);
    if let Some(manifest) = &manifest {
        listed(manifest, &parts, report);
        same_incident(manifest, found_read.as_ref(), context.as_ref(), report);
        report.summary = Some(Summary {
            incident: manifest.incident_id,
            made: manifest.made_us,
            server: manifest.server.clone(),
            version: manifest.version.clone(),
            fingerprint: manifest.fingerprint.clone(),
        });
    }
    if let Some(entries) = &entries {
        let chain = Chain::of(entries, report);
        chain.judge(manifest.as_ref(), report);
        if let Some(found) = &found_read {
            let hash = sha256(evidence::octets(parts[1], readings, recording).as_bytes());
            chain.seal(found.revision, &hex::encode(hash), report);
        }
        if let Some(notes) = &notes {
            notes::judge(&chain, notes, report);
        }
        if let Some(anchors) = &anchors {
            heads::judge(&chain, anchors, expect, report);
        }
    }
    if let (Some(rows), Some(points), Some(entries), Some(notes), Some(tables)) =
        (rows, points, entries, notes, tables)
    {
        same_tables(&crate::table::tables(&rows, &points.points, &entries, &notes), &tables, report);
    }
}

/// Reads parts, with the place in the file of what cannot be read.
struct Reading<'a> {
    text: &'a str,
    report: &'a mut Report,
}

impl<'a> Reading<'a> {
    fn part<T: Deserialize<'a>>(&mut self, part: &'static str, of: &'a str) -> Option<T> {
        match serde_json::from_str(of) {
            Ok(value) => Some(value),
            Err(error) => {
                // The part is a piece of the text, so its place is the distance between the two.
                let begin = (of.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
                let octet = begin + place(of, &error);
                self.report.find(Finding::Damaged { part, octet, why: told(&error) });
                None
            }
        }
    }
}

/// The octet at which reading failed, from 0.
fn place(text: &str, error: &serde_json::Error) -> usize {
    let before = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    (before + error.column().saturating_sub(1)).min(text.len())
}

/// What is wrong, without the place by line and column: a file is one line.
fn told(error: &serde_json::Error) -> String {
    let told = error.to_string();
    let short = told.rsplit_once(" at line ").map_or(told.as_str(), |(why, _)| why);
    quoted(short).trim_matches('"').to_owned()
}

/// The part that an octet of a damaged file lies in, as far as can be told: no key within a part has the name of a part.
fn part_at(text: &str, octet: usize) -> &'static str {
    let names = ["manifest", "signature"].into_iter().chain(PARTS);
    let begun = names.filter_map(|name| Some((text.find(&format!("\"{name}\":"))?, name)));
    let before = begun.filter(|(begin, _)| *begin <= octet).max_by_key(|(begin, _)| *begin);
    before.map_or("the outer form", |(_, name)| name)
}

fn signature(outer: &Outer<'_>, manifest: Option<&Manifest>, expect: &Expect, report: &mut Report) {
    let key = hex_octets::<32>(&outer.signature.key);
    let value = hex_octets::<64>(&outer.signature.value);
    let Some(key) = key else {
        report.find(Finding::KeyUnreadable);
        return;
    };
    let found = fingerprint(&key);
    if let Some(manifest) = manifest.filter(|manifest| manifest.fingerprint != found) {
        report.find(Finding::OtherKeyNamed { named: quoted(&manifest.fingerprint), found: found.clone() });
    }
    let signed = file::signed(outer.manifest.get());
    let is_signed = value.is_some_and(|value| is_signed(&key, &value, &signed));
    if !is_signed {
        report.find(Finding::Signature { fingerprint: found.clone() });
    }
    let expected = expect.fingerprint.as_deref().map(plain);
    let is_compared = expected.is_some();
    match expected.filter(|expected| *expected != found) {
        Some(expected) => report.find(Finding::OtherServer { found, expected: quoted(&expected) }),
        None if is_signed => report.hold(Statement::Signed { fingerprint: found, is_compared }),
        None => {}
    }
}

/// Whether each part is the one that the manifest lists.
fn listed(manifest: &Manifest, parts: &[&str; 8], report: &mut Report) {
    let names = manifest.parts.iter().map(|part| part.name.as_str());
    if !names.eq(PARTS) {
        report.find(Finding::PartsListed);
    }
    let mut is_whole = true;
    for (name, part) in PARTS.into_iter().zip(parts) {
        let listed = manifest.parts.iter().find(|listed| listed.name == name);
        let hash = hex::encode(sha256(part.as_bytes()));
        let is_same = listed.is_some_and(|l| l.sha256 == hash && l.octets == part.len() as u64);
        if !is_same {
            is_whole = false;
            report.find(Finding::PartChanged { part: name });
        }
    }
    if is_whole {
        report.hold(Statement::Parts);
    }
}

fn same_incident(manifest: &Manifest, found: Option<&Found>, context: Option<&Context>, report: &mut Report) {
    let Some(found) = found else { return };
    if found.incident_id != manifest.incident_id {
        report.find(Finding::OtherIncident { found: found.incident_id, expected: manifest.incident_id });
    }
    if let Some(context) = context.filter(|context| context.machine.id != found.machine_id) {
        let (told, found) = (context.machine.id.clone(), found.machine_id.clone());
        report.find(Finding::OtherMachine { told, found });
    }
}

fn same_tables(expected: &Tables, found: &Tables, report: &mut Report) {
    let pairs = [
        ("readings", &expected.readings_csv, &found.readings_csv),
        ("recording", &expected.recording_csv, &found.recording_csv),
        ("entries", &expected.entries_csv, &found.entries_csv),
    ];
    for (table, expected, found) in pairs {
        if expected == found {
            continue;
        }
        let (mut expected, mut found) = (expected.split("\r\n"), found.split("\r\n"));
        for line in 1.. {
            let (parts, says) = (expected.next(), found.next());
            if parts != says {
                let told = |line: Option<&str>| line.map_or_else(|| "nothing".to_owned(), quoted);
                report.find(Finding::Table { table, line, says: told(says), parts: told(parts) });
            }
            if parts.is_none() || says.is_none() {
                break;
            }
        }
    }
}
