//! Measuring: the whole path from publish to ack, beside a floor that nothing which uses this broker can beat.
//!
//! Everything runs in this process on loopback: machines with the agent's own uplink, broker, ingest, stores, API. The
//! machines work off a backlog, each with its window full, from a thread whose cost is told apart.

mod case;
mod cost;
pub mod fleet;
mod floor;
mod history;
mod incidents;
mod machine;
pub mod mqtt;
mod report;
pub mod tally;
pub mod tape;
mod usage;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use domain::ids::MachineId;

pub use self::cost::{Disk, Processor, Used};
pub use self::history::{HistoryCase, HistoryReport, HistorySettings, Listed, Stored, history};
pub use self::incidents::{IncidentCase, IncidentFigures, IncidentReport, IncidentSettings, incidents};
pub use self::report::{Case, Figures, HalfLoad, Ingest, Percentiles, Report};
pub use self::usage::{UsageCase, UsageFigures, UsageReport, UsageSettings, usage};
pub use self::watch::{WatchFigures, WatchReport, WatchSettings, watch};

/// Most machines of a load.
const MACHINES_MAX: usize = 5_000;
/// Most loads of different size in one run.
const LOADS_MAX: usize = 5;
/// Most readings in an envelope: more may not fit its octets.
const READINGS_PER_ENVELOPE_MAX: usize = 200;
/// Longest measurement.
const SECONDS_MAX: u64 = 300;

/// What is measured.
#[derive(Debug, Clone)]
pub struct IngestSettings {
    /// Loads, each of so many machines.
    pub machines: Vec<usize>,
    /// How long each measurement takes.
    pub time: Duration,
    /// How long each load runs before it is measured.
    pub warm_up: Duration,
    /// Readings in an envelope.
    pub readings_per_envelope: usize,
    /// Folder in which the stores are made and removed again; `None`: the system's folder for temporary files.
    pub folder: Option<PathBuf>,
}

impl IngestSettings {
    /// Whether this can be measured.
    ///
    /// # Errors
    /// A value is not allowed; the message says which are.
    pub fn check(&self) -> anyhow::Result<()> {
        let loads = self.machines.len();
        ensure!(
            (1..=LOADS_MAX).contains(&loads),
            "--machines has {loads} numbers: 1 to {LOADS_MAX} are allowed"
        );
        for machines in &self.machines {
            let is_allowed = (1..=MACHINES_MAX).contains(machines);
            ensure!(is_allowed, "--machines has {machines}: 1 to {MACHINES_MAX} is allowed");
            cost::check_files(*machines)?;
        }
        let readings = self.readings_per_envelope;
        let is_allowed = (1..=READINGS_PER_ENVELOPE_MAX).contains(&readings);
        ensure!(
            is_allowed,
            "--readings-per-envelope is {readings}: 1 to {READINGS_PER_ENVELOPE_MAX} is allowed"
        );
        for (name, time) in [("--seconds", self.time), ("--warm-up", self.warm_up)] {
            let seconds = time.as_secs();
            let is_allowed = (1..=SECONDS_MAX).contains(&seconds);
            ensure!(is_allowed, "{name} is {seconds}: 1 to {SECONDS_MAX} is allowed");
        }
        Ok(())
    }
}

/// Measures ingest and floor for each load. `progress` is told what begins.
///
/// # Errors
/// The settings are not allowed, the folder cannot be used, or a load did not go through.
pub async fn ingest(settings: &IngestSettings, progress: &dyn Fn(String)) -> anyhow::Result<Report> {
    settings.check()?;
    let folder = temporary(settings.folder.as_deref())?;
    progress("asking the disk".to_owned());
    let disk = cost::ask_disk(folder.path()).await?;
    let mut cases = Vec::new();
    for count in settings.machines.iter().copied() {
        let machines = machine_ids(count);
        let seconds = settings.time.as_secs();
        progress(format!("{count} machines, floor, {seconds} s"));
        let floor =
            case::floor(settings, &machines).await.with_context(|| format!("{count} machines, floor"))?;
        progress(format!("{count} machines, ingest, {seconds} s full and {seconds} s half"));
        let place = folder.path().join(format!("machines-{count}"));
        let ingest = case::ingest(settings, &machines, &place).await;
        let ingest = ingest.with_context(|| format!("{count} machines, ingest"))?;
        std::fs::remove_dir_all(&place).context("the stores cannot be removed")?;
        cases.push(Case::new(count, floor, ingest));
    }
    Ok(Report::new(settings, disk, cases))
}

/// A folder that is gone when the measurement ends, in `within` or where temporary files are.
fn temporary(within: Option<&Path>) -> anyhow::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("beltwatch-bench-");
    match within {
        Some(folder) => {
            builder.tempdir_in(folder).with_context(|| format!("cannot use {}", folder.display()))
        }
        None => builder.tempdir().context("cannot make a temporary folder"),
    }
}

fn machine_ids(count: usize) -> Vec<MachineId> {
    let id = |number: usize| MachineId::new(&format!("bench-{number:05}")).expect("it is an id");
    (1..=count).map(id).collect()
}
