//! The notes: each the text that was written with its entry, or erased by another entry.

use std::collections::{BTreeMap, BTreeSet};

use domain::handling::NOTE_CHARACTERS_MAX;

use super::entries::Chain;
use super::report::{Finding, Report, Statement};
use crate::file::NoteRow;
use crate::note_hash;
use crate::words::octets;

/// Notes among which a text without its salt is looked for. More: it is told as changed only.
const SWAPPED_AMONG_MAX: usize = 200;

/// Judges the notes.
pub(super) fn judge(chain: &Chain<'_>, notes: &[NoteRow], report: &mut Report) {
    let before = report.findings.len();
    let hashes = chain.notes();
    let erased = chain.erased();
    let by_hash: BTreeMap<&str, u64> = hashes.iter().map(|(number, hash)| (*hash, *number)).collect();
    let (mut written, mut without) = (0, 0);
    for pair in notes.windows(2) {
        let [before, note] = pair else { continue };
        if note.number <= before.number {
            report.find(Finding::NoteOrder { number: note.number });
        }
    }
    for note in notes {
        let number = note.number;
        let Some(hash) = hashes.get(&number) else {
            report.find(Finding::NoteForeign { number });
            continue;
        };
        match (&note.salt, &note.text) {
            (Some(salt), Some(text)) if !note.erased => {
                written += 1;
                let Some(found) = hash_of(salt, text).filter(|found| found != hash) else {
                    if octets::<16>(salt).is_none() {
                        report.find(Finding::NoteChanged { number });
                    }
                    continue;
                };
                let of = by_hash.get(found.as_str()).copied().or_else(|| other(number, text, notes, &hashes));
                report.find(match of {
                    Some(of) => Finding::NoteSwapped { number, of },
                    None => Finding::NoteChanged { number },
                });
            }
            (None, None) if note.erased => {
                without += 1;
                if !erased.contains(&number) {
                    report.find(Finding::NoteNotErased { number });
                }
            }
            // Half a note.
            (Some(_) | None, Some(_) | None) => report.find(Finding::NoteChanged { number }),
        }
    }
    let there: BTreeSet<u64> = notes.iter().map(|note| note.number).collect();
    for number in hashes.keys().filter(|number| !there.contains(number)) {
        report.find(Finding::NoteMissing { number: *number });
    }
    if report.findings.len() == before {
        report.hold(Statement::Notes { written, erased: without });
    }
}

fn hash_of(salt: &str, text: &str) -> Option<String> {
    Some(hex::encode(note_hash(&octets::<16>(salt)?, text)))
}

/// The entry that this text was written with, if its salt stands there still.
fn other(number: u64, text: &str, notes: &[NoteRow], hashes: &BTreeMap<u64, &str>) -> Option<u64> {
    // A character has at most four octets.
    if notes.len() > SWAPPED_AMONG_MAX || text.len() > 4 * NOTE_CHARACTERS_MAX {
        return None;
    }
    let others = notes.iter().filter(|other| other.number != number);
    let mut fits = others.filter(|other| {
        let found = other.salt.as_deref().and_then(|salt| hash_of(salt, text));
        found.is_some_and(|found| hashes.get(&other.number) == Some(&found.as_str()))
    });
    fits.next().map(|other| other.number)
}
