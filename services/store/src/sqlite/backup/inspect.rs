//! Looking at the stores of a folder: formats, integrity, chunks, and what there is.

use std::path::Path;

use domain::ids::MachineId;
use domain::log::Lane;

use super::snapshot::hold_influxdb;
use super::{StoreName, has_files, watermark};
use crate::StoreError;
use crate::journal::{JournalSpan, Sequence};
use crate::sqlite::failure::Failure;
use crate::sqlite::history::{self, History};
use crate::sqlite::influx;
use crate::sqlite::journal::span;
use crate::sqlite::values::{first_row, rows};
use crate::telemetry::{CheckPlace, CheckStep, Stock};

/// Problems of one file that SQLite is asked for.
const PROBLEMS_MAX: u32 = 20;

/// How deep to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Pages and rows, not whether indices agree with their tables.
    Quick,
    /// Everything.
    Whole,
}

/// What one file is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreState {
    /// Its format.
    pub version: i32,
    /// The newest format that this program reads.
    pub version_newest: i32,
    /// What is wrong in it, in SQLite's words; at most the first 20.
    pub problems: Vec<String>,
}

/// What the stores of a folder hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// What the journal holds.
    pub span: JournalSpan,
    /// Everything up to this slice is in the history, here or in InfluxDB.
    pub watermark: Sequence,
    /// The greatest slice of which a checkpoint in the ledger speaks; 0: there is none.
    pub checkpointed: Sequence,
    /// Machines of which anything was ever derived.
    pub machines: u64,
    /// Records known to be lost, by machine and lane.
    pub lost: Vec<LostOf>,
    /// How much history there is; of an old format, which has no files, `None`.
    pub stock: Option<Stock>,
}

/// Losses of one lane of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostOf {
    /// The machine.
    pub machine: MachineId,
    /// The lane.
    pub lane: Lane,
    /// Holes.
    pub holes: u64,
    /// Records in them, at least.
    pub records: u64,
}

/// Points that InfluxDB refused for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedPoints {
    /// How many of them are kept in the folder.
    pub kept: u64,
    /// How many older ones were dropped for these.
    pub dropped: u64,
    /// What InfluxDB said about the newest.
    pub reason: String,
}

/// The points that InfluxDB refused for good; `None`: no InfluxDB was in use, or it refused none.
///
/// # Errors
/// The file cannot be read.
pub fn refused_points(folder: &Path) -> Result<Option<RefusedPoints>, StoreError> {
    let Some((connection, _)) = hold_influxdb(folder)? else { return Ok(None) };
    StoreName::Influxdb.explained(folder, "looking into", influx::refused(&connection))
}

/// Looks at one file.
///
/// # Errors
/// It is not there, is none of Beltwatch, is of a newer format, or is too broken to be looked at.
pub fn look_at(folder: &Path, name: StoreName, depth: Depth) -> Result<StoreState, StoreError> {
    let (connection, version) = name.open(folder)?;
    let pragma = match depth {
        Depth::Quick => format!("PRAGMA quick_check({PROBLEMS_MAX})"),
        Depth::Whole => format!("PRAGMA integrity_check({PROBLEMS_MAX})"),
    };
    let found = |pragma: &str| -> Result<Vec<String>, Failure> {
        rows(&mut connection.prepare(pragma)?, [], |columns| columns.get::<String>())
    };
    let mut problems = name.explained(folder, "checking", found(&pragma))?;
    problems.retain(|line| line != "ok");
    Ok(StoreState { version, version_newest: name.format().version, problems })
}

/// What there is.
///
/// # Errors
/// As for [`look_at`].
pub fn overview(folder: &Path) -> Result<Overview, StoreError> {
    let doing = "reading";
    let (ledger, _) = StoreName::Ledger.open(folder)?;
    let (telemetry, version) = StoreName::Telemetry.open(folder)?;
    let (journal, _) = StoreName::Journal.open(folder)?;
    let derived = || -> Result<(Sequence, u64, Vec<LostOf>), Failure> {
        let mut statement = ledger.prepare("SELECT coalesce(max(sequence), 0), count(*) FROM checkpoint")?;
        let counted = first_row(&mut statement, [], |columns| Ok((columns.get()?, columns.get()?)))?;
        let (checkpointed, machines) = counted.unwrap_or_default();
        let mut statement = ledger.prepare(
            "SELECT machine, lane, count(*), sum(records_at_least) FROM loss GROUP BY machine, lane
             ORDER BY machine, lane",
        )?;
        let lost = rows(&mut statement, [], |columns| {
            let (machine, lane) = (columns.machine()?, columns.lane()?);
            Ok(LostOf { machine, lane, holes: columns.get()?, records: columns.get()? })
        })?;
        Ok((checkpointed, machines, lost))
    };
    // In the order in which a snapshot is taken, so that a running server does not seem to be apart from itself.
    let (checkpointed, machines, lost) = StoreName::Ledger.explained(folder, doing, derived())?;
    let stored = || -> Result<(Sequence, Option<Stock>), Failure> {
        let stock = if has_files(version) { Some(history::stock(&telemetry)?) } else { None };
        Ok((watermark(&telemetry)?, stock))
    };
    let (watermark, stock) = StoreName::Telemetry.explained(folder, doing, stored())?;
    let influxdb = hold_influxdb(folder)?;
    let watermark = watermark.max(influxdb.map_or(0, |(_, watermark)| watermark));
    let span = StoreName::Journal.explained(folder, doing, span(&journal))?;
    Ok(Overview { span, watermark, checkpointed, machines, lost, stock })
}

/// Looks at every chunk of the history, in steps that `found` is told of. A telemetry of an old format, which has no
/// files, is not looked at; its first start with this program makes it new.
///
/// # Errors
/// The telemetry cannot be read.
pub fn check_chunks(folder: &Path, found: &mut dyn FnMut(&CheckStep)) -> Result<(), StoreError> {
    let (connection, version) = StoreName::Telemetry.open(folder)?;
    if !has_files(version) {
        return Ok(());
    }
    let history = History::new(folder);
    let step = |after: Option<CheckPlace>| {
        let checked = connection
            .unchecked_transaction()
            .map_err(Failure::from)
            .and_then(|transaction| history::check(&transaction, &history, after));
        StoreName::Telemetry.explained(folder, "checking", checked)
    };
    let mut after = None;
    loop {
        let mut checked = step(after.clone())?;
        if !checked.damages.is_empty() {
            // A running server may have removed a file after the index was read: then the index has changed by now.
            let again = step(after)?;
            checked.damages.retain(|damage| again.damages.contains(damage));
        }
        found(&checked);
        let Some(next) = checked.next else { return Ok(()) };
        after = Some(next);
    }
}
