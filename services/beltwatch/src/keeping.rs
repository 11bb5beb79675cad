//! Upkeep of the history while the server runs: it is compacted, and what was kept for long enough goes.

mod decision;
mod metrics;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::ids::MachineId;
use domain::log::Lane;
use domain::units::UnixMicros;
use store::StoreError;
use store::ledger::Ledger;
use store::telemetry::{Compaction, Telemetry};
use tokio_util::sync::CancellationToken;

use crate::config::RetentionConfig;

pub use self::decision::{Reason, Removal, Seen, by_age, by_room, is_short};

/// Pause before the first turn: a start has other things to do.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// Pause between turns.
const PAUSE: Duration = Duration::from_secs(300);
/// Turns from one look at ages to the next: an hour.
const TURNS_TO_AGES: u32 = 12;
/// Steps of one kind in one turn. More: the next turn.
const STEPS_MAX: usize = 1_000;
/// Days of readings that go for room in one turn. More: the next turn.
const DAYS_FOR_ROOM_MAX: usize = 31;
/// Machines that the ledger is asked for at once.
const MACHINES_AT_ONCE: usize = 1_000;

/// What upkeep works on.
#[derive(Debug)]
pub struct Keeper {
    /// The history.
    pub telemetry: Arc<dyn Telemetry>,
    /// Tells until when usage is counted.
    pub ledger: Arc<dyn Ledger>,
    /// The folder whose disk must keep some room.
    pub folder: PathBuf,
    /// How long what is kept.
    pub retention: RetentionConfig,
    /// The server's clock.
    pub clock: fn() -> UnixMicros,
}

impl Keeper {
    /// Works until it is told to stop. A step under way is finished first; it takes seconds at most.
    pub async fn keep(self, stopping: CancellationToken) {
        metrics::describe();
        let (mut pause, mut turn) = (FIRST_PAUSE, 0_u32);
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            if let Err(error) = self.turn(turn.is_multiple_of(TURNS_TO_AGES), &stopping).await {
                tracing::warn!(%error, "the upkeep of the history was broken off; it is tried again");
            }
            pause = PAUSE;
            turn = turn.wrapping_add(1);
        }
    }

    /// One turn: ages if it is time for them, then compaction, then room. What fails does not keep the rest from being done:
    /// a full disk must not stop what makes room on it.
    async fn turn(&self, looks_at_ages: bool, stopping: &CancellationToken) -> Result<(), StoreError> {
        let aged = if looks_at_ages { self.remove_aged(stopping).await } else { Ok(()) };
        let compacted = self.compact(stopping).await;
        let roomy = self.make_room(stopping).await;
        aged.and(compacted).and(roomy)
    }

    async fn remove_aged(&self, stopping: &CancellationToken) -> Result<(), StoreError> {
        for removal in by_age(&self.seen().await?, &self.retention) {
            self.remove(removal, stopping).await?;
        }
        Ok(())
    }

    async fn make_room(&self, stopping: &CancellationToken) -> Result<(), StoreError> {
        for _ in 0..DAYS_FOR_ROOM_MAX {
            let seen = self.seen().await?;
            let Some(removal) = by_room(&seen, &self.retention) else {
                if is_short(seen.free_bytes, &self.retention) {
                    tracing::error!(
                        folder = %self.folder.display(),
                        free_bytes = seen.free_bytes,
                        "the disk is nearly full and no reading is old enough to go: make room, or get a greater disk"
                    );
                }
                return Ok(());
            };
            if stopping.is_cancelled() || self.remove(removal, stopping).await? == 0 {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Compacts what is old enough.
    async fn compact(&self, stopping: &CancellationToken) -> Result<(), StoreError> {
        let mut sum = Compaction::default();
        for _ in 0..STEPS_MAX {
            let step = self.telemetry.compact((self.clock)()).await?;
            metrics::compacted(&step);
            sum.records += step.records;
            sum.bytes_before += step.bytes_before;
            sum.bytes += step.bytes;
            sum.files_merged += step.files_merged;
            if !step.more || stopping.is_cancelled() {
                break;
            }
        }
        if sum.records > 0 || sum.files_merged > 0 {
            let Compaction { records, bytes_before, bytes, files_merged, .. } = sum;
            tracing::info!(records, bytes_before, bytes, files_merged, "the history was compacted");
        }
        Ok(())
    }

    /// Removes, and says how many records went.
    async fn remove(&self, removal: Removal, stopping: &CancellationToken) -> Result<u64, StoreError> {
        let (mut records, mut files) = (0, 0);
        for _ in 0..STEPS_MAX {
            let step = self.telemetry.forget(removal.lane, removal.before).await?;
            records += step.records;
            files += step.files;
            if !step.more || stopping.is_cancelled() {
                break;
            }
        }
        let (lane, reason) = (lane_word(removal.lane), removal.reason.word());
        metrics::removed(lane, reason, records);
        if records > 0 {
            let before_us = removal.before.0;
            tracing::info!(
                records,
                files,
                lane,
                reason,
                before_us,
                "old records were removed from the history"
            );
        }
        Ok(records)
    }

    async fn seen(&self) -> Result<Seen, StoreError> {
        let machines: Vec<MachineId> = self.ledger.registry().machines().keys().cloned().collect();
        let now = (self.clock)();
        let mut newest = None;
        for page in machines.chunks(MACHINES_AT_ONCE) {
            let through = self.ledger.usage_through(page).await?;
            // A time that is still to come is no witness: a clock was wrong.
            let past = through.into_iter().map(|(_, time)| time).filter(|time| *time <= now);
            newest = past.chain(newest).max();
        }
        let stock = self.telemetry.stock().await?;
        metrics::stocked(&stock);
        let free_bytes = free_bytes(&self.folder);
        Ok(Seen { now, newest, oldest_reading: stock.readings.oldest, free_bytes })
    }
}

/// A lane's word in logs, metrics and listings.
pub fn lane_word(lane: Lane) -> &'static str {
    match lane {
        Lane::Events => "events",
        Lane::Readings => "readings",
    }
}

/// Octets that the disk of a folder has left for this user; `None`: the system does not say.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let room = rustix::fs::statvfs(folder).ok()?;
    Some(room.f_bavail.saturating_mul(room.f_frsize))
}

#[cfg(test)]
mod tests;
