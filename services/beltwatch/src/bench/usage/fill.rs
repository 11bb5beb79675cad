//! Filling a ledger with a year.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use domain::units::UnixMicros;
use futures::StreamExt;
use store::ledger::{Derived, Ledger};
use store::sqlite::SqliteLedger;

use crate::bench::fleet;
use crate::year::{self, Author, Year};

/// Machines whose history is made at the same time.
const MADE_AT_ONCE: usize = 2;
/// Only so many last days have their sessions in the ledger: no question here reads others, and they are many.
pub(super) const SESSION_DAYS: i64 = 31;
const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// What was put.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Filled {
    /// Parts of days.
    pub(super) rows: usize,
    /// Sessions.
    pub(super) sessions: usize,
    /// How long all of it took.
    pub(super) seconds: f64,
    /// Processor time of the generator within it, in seconds.
    pub(super) made_seconds: f64,
}

/// Registers the fleet and puts its history.
pub(super) async fn fill(folder: &Path, year: &Year) -> anyhow::Result<Filled> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let ledger = SqliteLedger::open(folder)?;
    let began = fleet::now();
    for fact in year::registration(year, Author { name: "bench", request: None }) {
        ledger.add_fact(fact).await?;
    }
    let mut filled = Filled::default();
    let recent = year.until().plus(-SESSION_DAYS * DAY_US);
    let year = Arc::new(year.clone());
    let make = |number: usize| {
        let year = year.clone();
        tokio::task::spawn_blocking(move || {
            let began = fleet::now();
            let history = year.history(number);
            (history, fleet::now().since(began))
        })
    };
    let mut made = futures::stream::iter(0..year.machines().len()).map(make).buffered(MADE_AT_ONCE);
    while let Some(history) = made.next().await {
        let (history, micros) = history.context("making a history failed")?;
        filled.made_seconds += Duration::from_micros(micros).as_secs_f64();
        let is_recent = |started: UnixMicros| started >= recent;
        let mut sessions = history.sessions;
        sessions.retain(|session| is_recent(session.started));
        filled.rows += history.usage.len();
        filled.sessions += sessions.len();
        ledger.put(Derived { usage: history.usage, sessions, ..Derived::default() }).await?;
    }
    filled.seconds = Duration::from_micros(fleet::now().since(began)).as_secs_f64();
    Ok(filled)
}
