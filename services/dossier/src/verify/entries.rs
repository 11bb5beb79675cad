//! The entries: each as it was hashed, all in one chain, and what they sealed.

use std::collections::{BTreeMap, BTreeSet};

use super::report::{Finding, Report, Statement};
use super::told;
use crate::Hash;
use crate::file::{Body, EntryRow, Manifest};
use crate::words::{octets, quoted};

/// The entries as they were read.
pub(super) struct Chain<'a> {
    pub(super) links: Vec<Link<'a>>,
    /// Findings before the entries were looked at.
    found_before: usize,
}

/// An entry, what it says, and the leaf that it gives.
pub(super) struct Link<'a> {
    pub(super) row: &'a EntryRow,
    pub(super) body: Option<Body>,
    pub(super) leaf: Hash,
}

impl Link<'_> {
    /// Whether a hash in hexadecimal digits is its leaf: the one that it gives, or the one that it states.
    fn is(&self, leaf: &str) -> bool {
        self.row.leaf == leaf || octets(leaf) == Some(self.leaf)
    }

    fn step(&self) -> Option<&str> {
        self.body.as_ref()?.step.as_deref()
    }
}

impl<'a> Chain<'a> {
    /// Reads the bodies of the entries.
    pub(super) fn of(rows: &'a [EntryRow], report: &mut Report) -> Chain<'a> {
        let found_before = report.findings.len();
        let link = |row: &'a EntryRow| {
            let leaf = crate::leaf(row.number, row.time_us, &row.author, &row.body);
            if octets(&row.leaf) != Some(leaf) {
                report.find(Finding::EntryChanged { number: row.number });
            }
            let body = match serde_json::from_str::<Body>(&row.body) {
                Ok(body) => Some(body),
                Err(error) => {
                    report.find(Finding::EntryUnreadable { number: row.number, why: told(&error) });
                    None
                }
            };
            Link { row, body, leaf }
        };
        Chain { links: rows.iter().map(link).collect(), found_before }
    }

    /// Judges their order, their predecessors and their end.
    pub(super) fn judge(&self, manifest: Option<&Manifest>, report: &mut Report) {
        for pair in self.links.windows(2) {
            let [before, link] = pair else { continue };
            if link.row.number <= before.row.number {
                report.find(Finding::EntryOrder { number: link.row.number, after: before.row.number });
            }
        }
        self.predecessors(report);
        let Some(manifest) = manifest else { return };
        self.subject(manifest, report);
        let found = self.links.len() as u64;
        if manifest.entry_count != found {
            report.find(Finding::EntriesCounted { counted: manifest.entry_count, found });
        }
        let last = self.links.last();
        let is_end = match (&manifest.last_leaf, last) {
            (Some(leaf), Some(link)) => link.is(leaf),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !is_end {
            let leaf = manifest.last_leaf.as_deref().unwrap_or("none");
            report.find(Finding::LastEntry { found: last.map(|link| link.row.number), leaf: short(leaf) });
        }
        if report.findings.len() == self.found_before {
            report.hold(Statement::Chained { entries: found });
        }
    }

    fn predecessors(&self, report: &mut Report) {
        let mut numbers: BTreeMap<String, u64> = BTreeMap::new();
        for link in &self.links {
            numbers.insert(link.row.leaf.clone(), link.row.number);
            numbers.insert(hex::encode(link.leaf), link.row.number);
        }
        let mut before: Option<&Link<'_>> = None;
        for link in &self.links {
            let last = before.replace(link);
            let Some(body) = &link.body else { continue };
            let number = link.row.number;
            match (&body.previous, last) {
                (None, None) => {}
                (None, Some(last)) => {
                    report.find(Finding::Beginning { number, before: last.row.number });
                }
                (Some(previous), Some(last)) if last.is(previous) => {}
                (Some(previous), last) => report.find(match numbers.get(previous) {
                    Some(predecessor) => Finding::EntryMoved { number, predecessor: *predecessor },
                    None => {
                        let before = last.map(|last| last.row.number);
                        Finding::PredecessorMissing { number, leaf: short(previous), before }
                    }
                }),
            }
        }
    }

    /// Whether all are about this incident.
    fn subject(&self, manifest: &Manifest, report: &mut Report) {
        let incident = manifest.incident_id.to_string();
        for link in &self.links {
            let Some(body) = &link.body else { continue };
            let is_step = body.kind == "incident_stepped" && body.step.is_some();
            if !is_step || body.incident.as_ref() != Some(&incident) {
                report.find(Finding::EntryForeign { number: link.row.number });
            }
        }
    }

    /// Whether the evidence is what the newest seal holds.
    pub(super) fn seal(&self, revision: u64, hash: &str, report: &mut Report) {
        let seals = self.links.iter().filter_map(|link| {
            let body = link.body.as_ref().filter(|_| link.step() == Some("seal"))?;
            Some((body.revision?, link, body.evidence.as_deref()?))
        });
        let seals: Vec<(u64, &Link<'_>, &str)> = seals.collect();
        let newest = seals.iter().max_by_key(|(revision, link, _)| (*revision, link.row.number));
        let Some((sealed, link, evidence)) = newest.copied() else {
            report.hold(Statement::NotSealed);
            return;
        };
        let number = link.row.number;
        if sealed < revision {
            report.hold(Statement::SealedBefore { found: revision, number, revision: sealed });
        } else if sealed > revision {
            report.find(Finding::EvidenceOlder { number, revision: sealed, found: revision });
        } else if evidence != hash {
            report.find(Finding::Evidence { number, revision });
        } else if octets(&link.row.leaf) == Some(link.leaf) {
            // An entry that was changed seals nothing; that was told already.
            report.hold(Statement::Sealed { number, time: link.row.time_us, revision });
            let others = seals.iter().filter(|(of, _, other)| *of == revision && *other != evidence);
            for (_, other, _) in others {
                report.hold(Statement::SealedAgain { number: other.row.number, revision });
            }
        }
    }

    /// The notes' hashes by the numbers of their entries.
    pub(super) fn notes(&self) -> BTreeMap<u64, &str> {
        self.links
            .iter()
            .filter_map(|link| Some((link.row.number, link.body.as_ref()?.note.as_ref()?.hash.as_str())))
            .collect()
    }

    /// Numbers of the entries whose notes were erased.
    pub(super) fn erased(&self) -> BTreeSet<u64> {
        let erasing = self.links.iter().filter(|link| link.step() == Some("erase_note"));
        erasing.filter_map(|link| link.body.as_ref()?.number).collect()
    }
}

fn short(leaf: &str) -> String {
    quoted(leaf).trim_matches('"').to_owned()
}
