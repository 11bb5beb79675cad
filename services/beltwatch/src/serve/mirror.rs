//! Mirrors what is derived to InfluxDB, as points for Flux and Grafana: usage, coverage, incidents, machines.
//!
//! One task follows the numbers of changes of the ledger, and the registry. It owns nothing that others wait for: an
//! InfluxDB that is slow or away only makes it later. Each point is a whole value at a place of its own, so that what is
//! written again changes nothing; where it stands lies in a file of the folder, and losing that means writing again.

mod follow;
mod metrics;
mod points;
mod quarters;
mod service;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::ids::MachineId;
use ingest::IngestHandle;
use store::StoreError;
use store::influx::{InfluxPoints, InfluxSettings};
use store::ledger::Ledger;
use store::registry::Machine;
use store::sqlite::{MirrorFile, MirrorStand};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::points::Points;
use self::quarters::QuartersKnown;
use self::service::ServicePoints;
use super::Stores;

/// Pause between two turns, so that what changes together is written together.
const GATHERING: Duration = Duration::from_millis(500);
/// How often the registry is looked at although nothing else has changed.
const TICK: Duration = Duration::from_secs(2);
/// Pauses after failures, the first and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Follows the ledger and writes points.
#[derive(Debug)]
struct Mirror {
    ledger: Arc<dyn Ledger>,
    points: Arc<dyn Points>,
    file: MirrorFile,
    /// Into which bucket of which InfluxDB.
    target: String,
    /// How far it is; `None`: the file was not asked yet.
    stand: Option<MirrorStand>,
    /// The registry's last fact whose machines are written.
    fact: Option<u64>,
    /// Machines as they were written.
    machines: HashMap<MachineId, Arc<Machine>>,
    /// Quarters as they were written.
    quarters: QuartersKnown,
    /// Changes that are not written yet, for others to see.
    behind: Arc<AtomicU64>,
}

/// Starts to mirror, and to write every ten seconds how the server is.
///
/// # Errors
/// The settings can never work, or the file in the folder cannot be used.
pub(super) fn start(
    settings: &InfluxSettings,
    folder: &Path,
    stores: &Stores,
    ingest: Arc<IngestHandle>,
    stopping: &CancellationToken,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    metrics::describe();
    let points: Arc<dyn Points> = Arc::new(InfluxPoints::new(settings)?);
    // Nothing secret that a URL may hold goes into the file.
    let url = settings.url.origin().ascii_serialization();
    let target = format!("{url}{} {}/{}", settings.url.path(), settings.organisation, settings.bucket);
    let mirror = Mirror::new(stores.ledger.clone(), points.clone(), MirrorFile::open(folder)?, target);
    let service = ServicePoints::new(stores.clone(), ingest, points, mirror.behind.clone());
    Ok(vec![tokio::spawn(mirror.run(stopping.clone())), tokio::spawn(service.run(stopping.clone()))])
}

impl Mirror {
    fn new(ledger: Arc<dyn Ledger>, points: Arc<dyn Points>, file: MirrorFile, target: String) -> Mirror {
        Mirror {
            ledger,
            points,
            file,
            target,
            stand: None,
            fact: None,
            machines: HashMap::new(),
            quarters: QuartersKnown::default(),
            behind: Arc::default(),
        }
    }

    /// Until it is told to stop. What is under way then is written again after the next start.
    async fn run(mut self, stopping: CancellationToken) {
        let mut incidents = self.ledger.incident_change();
        let mut usage = self.ledger.usage_change();
        let mut failures = 0_u32;
        loop {
            let turned = tokio::select! {
                () = stopping.cancelled() => return,
                turned = self.turn() => turned,
            };
            let (pause, waits) = match turned {
                Ok(more) => {
                    if failures > 0 {
                        tracing::info!("what is derived is mirrored to InfluxDB again");
                    }
                    failures = 0;
                    (if more { Duration::ZERO } else { GATHERING }, !more)
                }
                Err(error) => {
                    metrics::failed(&error, failures == 0);
                    failures = failures.saturating_add(1);
                    (pause_after(failures), false)
                }
            };
            let next = async {
                tokio::time::sleep(pause).await;
                if waits {
                    tokio::select! {
                        Ok(()) = incidents.changed() => {}
                        Ok(()) = usage.changed() => {}
                        () = tokio::time::sleep(TICK) => {}
                    }
                }
            };
            tokio::select! {
                () = stopping.cancelled() => return,
                () = next => {}
            }
        }
    }

    /// Writes some of what has changed; whether there is more.
    async fn turn(&mut self) -> Result<bool, StoreError> {
        let turned = self.follow().await;
        let behind = self.behind(&self.stand.clone().unwrap_or_default());
        self.behind.store(behind, Ordering::Relaxed);
        metrics::behind(behind);
        turned
    }

    async fn follow(&mut self) -> Result<bool, StoreError> {
        self.find_stand().await?;
        self.write_machines().await?;
        let more_incidents = self.write_incidents().await?;
        let more_usage = self.write_usage().await?;
        Ok(more_incidents || more_usage)
    }

    fn behind(&self, stand: &MirrorStand) -> u64 {
        let (incident, usage) =
            (*self.ledger.incident_change().borrow(), *self.ledger.usage_change().borrow());
        incident.saturating_sub(stand.incident) + usage.saturating_sub(stand.usage)
    }
}

/// Twice as long after each failure.
fn pause_after(failures: u32) -> Duration {
    let (first, longest) = PAUSES;
    first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(longest)
}
