//! Whether a backup is whole, and what is in it.

use std::io::ErrorKind;
use std::path::Path;

use domain::log::Lane;
use store::sqlite::backup::{self, Depth, HISTORY_FOLDER, Overview, StoreName};

use crate::command::backup::manifest::{Entry, MANIFEST, Manifest};
use crate::command::finding::{Finding, Level};
use crate::command::folder::{Meter, damage_words, time_words};
use crate::failure::{Exit, Failure};
use crate::keeping::lane_word;

/// Machines whose losses are listed. More: their number.
const LOSSES_SHOWN_MAX: usize = 50;

/// A backup that was looked at.
#[derive(Debug)]
pub struct Verified {
    /// What it says of itself.
    pub manifest: Manifest,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl Verified {
    /// Whether nothing is wrong with it.
    pub fn is_whole(&self) -> bool {
        self.findings.iter().all(|finding| finding.level != Level::Bad)
    }
}

/// Looks at every octet of a backup.
///
/// # Errors
/// It is no backup, or of a newer program.
pub fn verify(from: &Path, meter: &mut Meter) -> Result<Verified, Failure> {
    let manifest = Manifest::read(from).map_err(|error| Failure::new(Exit::Data, format!("{error:#}")))?;
    meter.begin("checking", manifest.bytes());
    let mut findings = files(from, &manifest, meter);
    meter.end();
    findings.extend(others(from, &manifest)?);
    for name in StoreName::of(from) {
        findings.push(store(from, name));
    }
    findings.extend(chunks(from));
    match backup::overview(from) {
        Ok(overview) => findings.extend(contents(&manifest, &overview)),
        Err(error) => findings.push(Finding::bad("contents", error.to_string())),
    }
    Ok(Verified { manifest, findings })
}

fn files(from: &Path, manifest: &Manifest, meter: &mut Meter) -> Vec<Finding> {
    let mut found = Vec::new();
    for entry in &manifest.files {
        let path = &entry.path;
        match Entry::of(from, path, meter) {
            Ok(now) if now == *entry => {}
            Ok(now) if now.bytes != entry.bytes => found.push(Finding::bad(
                "file",
                format!("{path} has {} octets instead of {}", now.bytes, entry.bytes),
            )),
            Ok(_) => found.push(Finding::bad("file", format!("{path} is not what was written (SHA-256)"))),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                found.push(Finding::bad("file", format!("{path} is missing")));
            }
            Err(error) => found.push(Finding::bad("file", format!("{path} cannot be read: {error}"))),
        }
    }
    if found.is_empty() {
        let (count, mib) = (manifest.files.len(), manifest.bytes() >> 20);
        found.push(Finding::ok("files", format!("{count} files, {mib} MiB, are what was written")));
    }
    found
}

/// Files that the manifest does not name are not restored.
fn others(from: &Path, manifest: &Manifest) -> Result<Vec<Finding>, Failure> {
    let mut found = Vec::new();
    for folder in ["", HISTORY_FOLDER] {
        let Ok(entries) = std::fs::read_dir(from.join(folder)) else { continue };
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            let is_named = manifest.files.iter().any(|entry| entry.path == path);
            if !is_named && path != MANIFEST && path != HISTORY_FOLDER {
                found.push(Finding::warn("file", format!("{path} is not of this backup and is left out")));
            }
        }
    }
    Ok(found)
}

/// One store: can this program read it, and is it whole?
fn store(from: &Path, name: StoreName) -> Finding {
    match backup::look_at(from, name, Depth::Whole) {
        Ok(state) if state.problems.is_empty() => {
            let (file, version) = (name.file(), state.version);
            Finding::ok("store", format!("{file} is whole, format {version}"))
        }
        Ok(state) => {
            let problems = state.problems.join("; ").replace('\n', " ");
            Finding::bad("store", format!("{} is damaged: {problems}", name.file()))
        }
        Err(error) => Finding::bad("store", error.to_string()),
    }
}

/// Every chunk of the history.
pub(in crate::command) fn chunks(folder: &Path) -> Vec<Finding> {
    let (mut found, mut count) = (Vec::new(), 0);
    let checked = backup::check_chunks(folder, &mut |step| {
        count += step.chunks;
        found.extend(step.damages.iter().map(|damage| Finding::bad("history", damage_words(damage))));
    });
    if let Err(error) = checked {
        found.push(Finding::bad("history", error.to_string()));
    }
    if found.is_empty() {
        found.push(Finding::ok("history", format!("all {count} chunks are what was written")));
    }
    found
}

fn contents(manifest: &Manifest, overview: &Overview) -> Vec<Finding> {
    let Overview { span, watermark, checkpointed, machines, .. } = overview;
    let waiting = span.last.saturating_sub(span.trimmed);
    let mut found = Vec::new();
    let is_of_one_time = span.trimmed <= *watermark && *watermark <= span.last && *checkpointed <= span.last;
    let is_told = (span.trimmed, span.last) == (manifest.journal.trimmed, manifest.journal.last)
        && *watermark == manifest.watermark;
    found.push(match is_of_one_time && is_told {
        true => Finding::ok("journal", format!("{waiting} slices wait in it; all before them are derived")),
        false => Finding::bad("journal", "the stores are not of one time; use another backup"),
    });
    let oldest = |lane| {
        let oldest = overview.stock.as_ref().and_then(|stock| stock.lane(lane).oldest);
        oldest.map_or_else(|| "none".to_owned(), |time| format!("since {}", time_words(time.0)))
    };
    let (events, readings) = (oldest(Lane::Events), oldest(Lane::Readings));
    found.push(Finding::ok(
        "contents",
        format!("{machines} machines were heard; dated events {events}; dated readings {readings}"),
    ));
    found.push(Finding::ok(
        "complete",
        format!("everything that was acknowledged before {} is in it", manifest.complete_through),
    ));
    found.extend(losses(overview));
    found
}

/// The holes that were recorded.
pub(in crate::command) fn losses(overview: &Overview) -> Vec<Finding> {
    if overview.lost.is_empty() {
        return vec![Finding::ok("losses", "no record is known to be lost")];
    }
    let line = |lost: &backup::LostOf| {
        let (machine, lane) = (&lost.machine, lane_word(lost.lane));
        let words = format!("{machine}: at least {} {lane} are lost, in {} holes", lost.records, lost.holes);
        Finding::warn("losses", words)
    };
    let mut found: Vec<Finding> = overview.lost.iter().take(LOSSES_SHOWN_MAX).map(line).collect();
    if let Some(more) = overview.lost.len().checked_sub(LOSSES_SHOWN_MAX).filter(|more| *more > 0) {
        found.push(Finding::warn("losses", format!("and in {more} more lanes of machines")));
    }
    found
}
