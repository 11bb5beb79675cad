//! From a press of the emergency stop to its incident in `WatchIncidents`, while the receiver answers, hangs or refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::task::JoinHandle;
use wire::api::v1::{IncidentFilter, WatchIncidentsRequest};

use super::clock;
use super::gym::{Gym, LOOK};
use super::verdict::Press;
use crate::processes::PATIENCE;

/// Stops in each of the receiver's manners. All that wait then fit into one message.
pub(super) const STOPS: usize = 25;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(450);

/// Machines and moments, in milliseconds since 1970.
type Moments = Vec<(String, f64)>;

/// Incidents of emergency stops as they are told, each once.
struct Watch {
    found: Arc<Mutex<BTreeMap<String, (String, f64)>>>,
    watching: JoinHandle<anyhow::Result<()>>,
}

impl Watch {
    /// Watches for incidents that are not in the ledger yet; those that are may still change.
    async fn start(gym: &Gym) -> anyhow::Result<Watch> {
        let known: BTreeSet<String> = gym.critical().await?.into_iter().map(|incident| incident.id).collect();
        let filter = IncidentFilter { rules: vec!["emergency-stop".to_owned()], ..IncidentFilter::default() };
        let request = WatchIncidentsRequest { filter: Some(filter), cursor: String::new() };
        let mut client = gym.client().await?.incidents;
        let mut stream = client.watch_incidents(request).await.context("watching incidents")?.into_inner();
        let found: Arc<Mutex<BTreeMap<String, (String, f64)>>> = Arc::default();
        let shared = found.clone();
        let watching = tokio::spawn(async move {
            while let Some(told) = stream.message().await? {
                let now_ms = clock::now_ms();
                if let Some(incident) = told.incident.filter(|incident| !known.contains(&incident.id)) {
                    let mut found = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    found.entry(incident.id).or_insert((incident.machine_id, now_ms));
                }
            }
            Ok(())
        });
        Ok(Watch { found, watching })
    }

    fn found(&self) -> Moments {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

/// Presses stops one after another and gives the times in milliseconds, sorted. Every one arrives, and none more.
pub(super) async fn measure(gym: &Gym, presses: &mut Vec<Press>) -> anyhow::Result<Vec<f64>> {
    let before: Vec<usize> = gym.machines.iter().map(|machine| machine.edges_ms().len()).collect();
    let watch = Watch::start(gym).await?;
    for number in 0..STOPS {
        let machine = &gym.machines[number % gym.machines.len()];
        machine.runs().await?;
        machine.press();
        presses.push(Press { machine: machine.name.clone(), strike: None });
        tokio::time::sleep(PAUSE).await;
    }
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while watch.found().len() < STOPS && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(LOOK).await;
    }
    let found = watch.found();
    ensure!(found.len() == STOPS, "{STOPS} stops were pressed, {} were told", found.len());
    let mut times = Vec::new();
    for (machine, before) in gym.machines.iter().zip(before) {
        let mut told: Vec<f64> =
            found.iter().filter(|(name, _)| *name == machine.name).map(|(_, at)| *at).collect();
        told.sort_by(f64::total_cmp);
        let edges = &machine.edges_ms()[before..];
        ensure!(edges.len() == told.len(), "{}: {} stops, {} told", machine.name, edges.len(), told.len());
        times.extend(told.iter().zip(edges).map(|(told, edge)| told - edge));
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// The time that so many of a hundred do not exceed.
pub(super) fn percentile(times: &[f64], percent: usize) -> f64 {
    let place = (times.len() * percent).div_ceil(100).max(1) - 1;
    times.get(place).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let check = |times: &[f64], percent: usize, expected: f64| {
            assert_eq!(percentile(times, percent).to_bits(), expected.to_bits(), "{times:?}");
        };
        check(&[1.0, 2.0, 3.0], 50, 2.0);
        check(&[1.0, 2.0, 3.0], 99, 3.0);
        check(&[4.0], 50, 4.0);
    }
}
