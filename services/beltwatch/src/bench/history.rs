//! Measuring the history: octets of a stored reading by what made it, before and after compaction, and what it costs to
//! list a day of readings.
//!
//! Readings are those of a generated fleet, as their agents' watchers would have made them. Each kind of machine has a
//! history of its own on disk. A tenth of the days is put, compacted and listed first, then all.

mod fill;
mod report;

use std::path::Path;

use anyhow::{Context, ensure};
use domain::log::Position;
use domain::units::UnixMicros;
use hdrhistogram::Histogram;
use store::sqlite::SqliteTelemetry;
use store::telemetry::{RangeQuery, Telemetry};

use super::{cost, fleet, tally};
use crate::year::{Kind, Year};

pub use self::report::{HistoryCase, HistoryReport, Listed, Stored};

/// Fewest and most machines: ten are of all kinds.
const MACHINES: std::ops::RangeInclusive<usize> = 10..=1_000;
/// Fewest and most days.
const DAYS: std::ops::RangeInclusive<usize> = 2..=366;
/// Most times that a day is listed.
const TIMES_MAX: usize = 10_000;
/// Most that readings are late: their order stays.
const LATE_US_MAX: u64 = 100_000;
/// Readings of a page, the most that the store gives.
const PAGE: usize = 10_000;
const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// What is measured.
#[derive(Debug, Clone)]
pub struct HistorySettings {
    /// Machines of all kinds together.
    pub machines: usize,
    /// Days of readings.
    pub days: usize,
    /// How often a day is listed.
    pub times: usize,
    /// How much later than a whole second readings end at most, by chance, in microseconds.
    pub late_us: u64,
    /// Folder in which the histories are made and removed again; `None`: the system's folder for temporary files.
    pub folder: Option<std::path::PathBuf>,
}

impl HistorySettings {
    /// Whether this can be measured.
    ///
    /// # Errors
    /// A value is not allowed; the message says which are.
    pub fn check(&self) -> anyhow::Result<()> {
        for (name, value, allowed) in [
            ("--machines", self.machines, MACHINES),
            ("--days", self.days, DAYS),
            ("--times", self.times, 1..=TIMES_MAX),
        ] {
            let (least, most) = (allowed.start(), allowed.end());
            ensure!(allowed.contains(&value), "{name} is {value}: {least} to {most} is allowed");
        }
        let late_us = self.late_us;
        ensure!(late_us <= LATE_US_MAX, "--late-us is {late_us}: 0 to {LATE_US_MAX} is allowed");
        Ok(())
    }
}

/// Measures each kind of machine. `progress` is told what begins.
///
/// # Errors
/// The settings are not allowed, the folder cannot be used, or a history does not give what was put into it.
pub async fn history(settings: &HistorySettings, progress: &dyn Fn(String)) -> anyhow::Result<HistoryReport> {
    settings.check()?;
    let folder = super::temporary(settings.folder.as_deref())?;
    let year = super::usage::year(settings.machines, settings.days)?;
    let mut cases = Vec::new();
    for kind in Kind::ALL {
        let place = folder.path().join(format!("history-{kind:?}").to_lowercase());
        let case = measure(settings, &year, kind, &place, progress).await;
        cases.push(case.with_context(|| kind.model())?);
        std::fs::remove_dir_all(&place).context("the history cannot be removed")?;
    }
    Ok(HistoryReport::new(settings, cases))
}

async fn measure(
    settings: &HistorySettings,
    year: &Year,
    kind: Kind,
    place: &Path,
    progress: &dyn Fn(String),
) -> anyhow::Result<HistoryCase> {
    let machines: Vec<usize> =
        (0..settings.machines).filter(|number| year.machines()[*number].kind == kind).collect();
    std::fs::create_dir_all(place).with_context(|| format!("cannot make {}", place.display()))?;
    let telemetry = SqliteTelemetry::open(place)?;
    let days = |days: usize| year.from().plus(i64::try_from(days).unwrap_or(i64::MAX).saturating_mul(DAY_US));
    let part = (settings.days / 10).max(1);
    let name = kind.model();
    progress(format!("{name}: {part} days of {} machines", machines.len()));
    fill::fill(&telemetry, year, &machines, (year.from(), days(part)), settings.late_us).await?;
    compact(&telemetry, days(part)).await?;
    let few = list(&telemetry, year, &machines, part, settings.times).await?;
    progress(format!("{name}: {} days of {} machines", settings.days, machines.len()));
    let readings =
        fill::fill(&telemetry, year, &machines, (days(part), year.until()), settings.late_us).await?;
    ensure!(readings > 0, "there are no readings");
    let stored_before = stored(&telemetry, place).await?;
    let fresh = list(&telemetry, year, &machines, settings.days, settings.times).await?;
    progress(format!("{name}: compacting"));
    let began = fleet::now();
    let compaction = compact(&telemetry, year.until()).await?;
    let compacting_seconds = std::time::Duration::from_micros(fleet::now().since(began)).as_secs_f64();
    let all = list(&telemetry, year, &machines, settings.days, settings.times).await?;
    let stored_after = stored(&telemetry, place).await?;
    Ok(HistoryCase {
        kind: name,
        machines: machines.len(),
        fresh_bytes: compaction.0,
        compacted_bytes: compaction.1,
        compacted_readings: compaction.2,
        compacting_seconds,
        stored_before,
        stored_after,
        listed_few: few,
        listed_fresh: fresh,
        listed_all: all,
    })
}

/// Step by step, until nothing is left. Gives octets of chunks before and after, and readings in them.
async fn compact(telemetry: &dyn Telemetry, until: UnixMicros) -> anyhow::Result<(u64, u64, u64)> {
    // Old enough, all of it.
    let now = until.plus(3 * DAY_US);
    let mut sum = (0, 0, 0);
    loop {
        let step = telemetry.compact(now).await?;
        sum = (sum.0 + step.bytes_before, sum.1 + step.bytes, sum.2 + step.records);
        if !step.more && step.records == 0 {
            return Ok(sum);
        }
    }
}

async fn stored(telemetry: &dyn Telemetry, place: &Path) -> anyhow::Result<Stored> {
    let readings = telemetry.counts(None).await?.readings;
    let stock = telemetry.stock().await?;
    Ok(Stored {
        readings,
        database_bytes: cost::file_bytes(place, "telemetry.db")?,
        files: stock.files,
        file_bytes: stock.readings.bytes,
    })
}

/// Lists whole days of one machine each, page after page.
async fn list(
    telemetry: &dyn Telemetry,
    year: &Year,
    machines: &[usize],
    days: usize,
    times: usize,
) -> anyhow::Result<Listed> {
    let mut took = tally::times();
    let mut readings = 0;
    for turn in 0..times {
        let machine = &year.machines()[machines[turn * 7 % machines.len()]];
        let day = i64::try_from(turn * 3 % days)?;
        let from = year.from().plus(day * DAY_US);
        let mut query = RangeQuery {
            machine: machine.id.clone(),
            from,
            until: from.plus(DAY_US),
            after: None,
            max: PAGE,
        };
        let began = fleet::now();
        readings += walk(telemetry, &mut query).await?;
        took.saturating_record(fleet::now().since(began));
    }
    ensure!(readings > 0, "no day has readings");
    Ok(Listed::new(readings / times as u64, &took))
}

async fn walk(telemetry: &dyn Telemetry, query: &mut RangeQuery) -> anyhow::Result<u64> {
    let mut readings = 0;
    let mut last = (UnixMicros(0), Position::default());
    loop {
        let page = telemetry.readings(query).await?;
        readings += page.len() as u64;
        for stored in &page {
            ensure!(
                last < (stored.time, stored.position),
                "readings are out of order at {}",
                stored.position
            );
            last = (stored.time, stored.position);
        }
        let Some(stored) = page.last().filter(|_| page.len() == query.max) else { return Ok(readings) };
        query.after = Some((stored.time, stored.log, stored.position));
    }
}

/// Octets for each of so many.
fn each(octets: u64, count: u64) -> f64 {
    super::case::count(octets) / super::case::count(count).max(1.0)
}

/// Percentiles of a histogram, for the report.
fn percentiles(took: &Histogram<u64>) -> super::Percentiles {
    super::Percentiles::of(took)
}
