//! Measuring incidents: what a page costs when there are many, beside the same with a tenth of them.
//!
//! Incidents are put into a ledger on disk, which is then read through the store's trait; API and pages are not in the
//! figures. Places where pages begin are found by walking the list before anything is measured.

mod found;
mod questions;
mod report;

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use store::ledger::{Derived, Ledger};
use store::sqlite::SqliteLedger;

use self::questions::Question;
use super::{cost, fleet, tally};

pub use self::report::{IncidentCase, IncidentFigures, IncidentReport};

/// Most incidents in the greater ledger.
const INCIDENTS_MAX: usize = 1_000_000;
/// Fewest: a tenth of them still fills a page of each kind.
const INCIDENTS_MIN: usize = 50_000;
/// Most times that each question is asked.
const PAGES_MAX: usize = 10_000;
/// Incidents put at once.
const PUT_AT_ONCE: usize = 1_000;
/// Incidents of a page.
const PAGE: usize = 100;

/// What is measured.
#[derive(Debug, Clone)]
pub struct IncidentSettings {
    /// Incidents in the greater ledger; the other one has a tenth.
    pub incidents: usize,
    /// How often each question is asked.
    pub pages: usize,
    /// Folder in which the ledgers are made and removed again; `None`: the system's folder for temporary files.
    pub folder: Option<PathBuf>,
}

impl IncidentSettings {
    /// Whether this can be measured.
    ///
    /// # Errors
    /// A value is not allowed; the message says which are.
    pub fn check(&self) -> anyhow::Result<()> {
        let (incidents, pages) = (self.incidents, self.pages);
        let is_allowed = (INCIDENTS_MIN..=INCIDENTS_MAX).contains(&incidents);
        ensure!(is_allowed, "--incidents is {incidents}: {INCIDENTS_MIN} to {INCIDENTS_MAX} is allowed");
        let is_allowed = (1..=PAGES_MAX).contains(&pages);
        ensure!(is_allowed, "--pages is {pages}: 1 to {PAGES_MAX} is allowed");
        Ok(())
    }
}

/// Measures a tenth of the incidents, then all. `progress` is told what begins.
///
/// # Errors
/// The settings are not allowed, the folder cannot be used, or a ledger does not give what was put into it.
pub async fn incidents(
    settings: &IncidentSettings,
    progress: &dyn Fn(String),
) -> anyhow::Result<IncidentReport> {
    settings.check()?;
    let folder = super::temporary(settings.folder.as_deref())?;
    let mut cases = Vec::new();
    for count in [settings.incidents / 10, settings.incidents] {
        let place = folder.path().join(format!("incidents-{count}"));
        let case = measure(settings, count, &place, progress).await;
        cases.push(case.with_context(|| format!("{count} incidents"))?);
    }
    IncidentReport::new(settings, cases)
}

async fn measure(
    settings: &IncidentSettings,
    count: usize,
    place: &Path,
    progress: &dyn Fn(String),
) -> anyhow::Result<IncidentCase> {
    progress(format!("{count} incidents: putting them"));
    std::fs::create_dir(place).context("no folder for the ledger")?;
    let began = fleet::now();
    fill(place, count).await?;
    let put_seconds = std::time::Duration::from_micros(fleet::now().since(began)).as_secs_f64();
    // The writer is gone: what it had written is in the file.
    let ledger = SqliteLedger::open(place)?;
    let file_bytes = cost::file_bytes(place, "ledger.db")?;
    progress(format!("{count} incidents: asking {} times each", settings.pages));
    let mut figures = Vec::new();
    for question in questions::all(&ledger, count).await? {
        figures.push(ask(&ledger, &question, settings.pages).await?);
    }
    Ok(IncidentCase { incidents: count, put_seconds, file_bytes, figures })
}

async fn fill(place: &Path, count: usize) -> anyhow::Result<()> {
    let ledger = SqliteLedger::open(place)?;
    let mut waiting = Vec::new();
    for number in 0..count {
        waiting.push(found::incident(number, count));
        if waiting.len() == PUT_AT_ONCE || number + 1 == count {
            let incidents = std::mem::take(&mut waiting);
            ledger.put(Derived { incidents, ..Derived::default() }).await?;
        }
    }
    let newest = *ledger.incident_change().borrow();
    ensure!(newest == count as u64, "{newest} of {count} incidents were taken");
    Ok(())
}

async fn ask(ledger: &dyn Ledger, question: &Question, times: usize) -> anyhow::Result<IncidentFigures> {
    let mut took = tally::times();
    let mut rows = 0;
    for turn in 0..times {
        let began = fleet::now();
        rows = question.ask(ledger, turn).await?;
        took.saturating_record(fleet::now().since(began));
        question.check(rows)?;
    }
    Ok(IncidentFigures::new(question, rows, &took))
}
