//! Stops as `WatchIncidents` tells them, and when.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use beltwatch::client::Service;
use tokio::task::JoinHandle;
use wire::api::v1::incident_service_client::IncidentServiceClient;
use wire::api::v1::{IncidentFilter, WatchIncidentsRequest};

/// A stop that was told.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) machine: String,
    /// The incident's time, in milliseconds since 1970.
    pub(super) stop_ms: f64,
    /// When it was told first, in milliseconds since 1970.
    pub(super) at_ms: f64,
}

/// A watch of emergency stops that runs beside a test.
#[derive(Debug)]
pub(super) struct Watch {
    found: Arc<Mutex<Vec<(String, Found)>>>,
    watching: JoinHandle<anyhow::Result<()>>,
}

impl Watch {
    /// Watches from now on.
    pub(super) async fn start(mut client: IncidentServiceClient<Service>) -> anyhow::Result<Watch> {
        let filter = IncidentFilter { rules: vec!["emergency-stop".to_owned()], ..IncidentFilter::default() };
        let request = WatchIncidentsRequest { filter: Some(filter), cursor: String::new() };
        let mut stream = client.watch_incidents(request).await.context("watching incidents")?.into_inner();
        let found: Arc<Mutex<Vec<(String, Found)>>> = Arc::default();
        let shared = found.clone();
        let watching = tokio::spawn(async move {
            while let Some(told) = stream.message().await? {
                let at_ms = now_ms();
                let Some(incident) = told.incident else { continue };
                let time = incident.time.context("an incident has a time")?;
                let stop_ms = millis(time.seconds * 1_000_000 + i64::from(time.nanos / 1_000));
                let mut found = shared.lock().unwrap_or_else(PoisonError::into_inner);
                if found.iter().all(|(id, _)| *id != incident.id) {
                    found.push((incident.id, Found { machine: incident.machine_id, stop_ms, at_ms }));
                }
            }
            Ok(())
        });
        Ok(Watch { found, watching })
    }

    /// Ends the watch; the stops in the order in which they were told.
    pub(super) async fn end(self) -> anyhow::Result<Vec<Found>> {
        if self.watching.is_finished() {
            self.watching.await?.context("the watch of incidents ended by itself")?;
        } else {
            self.watching.abort();
        }
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(found.iter().map(|(_, found)| found.clone()).collect())
    }
}

/// The system's clock, in milliseconds since 1970.
fn now_ms() -> f64 {
    millis(now_us())
}

/// The same in microseconds.
pub(super) fn now_us() -> i64 {
    let monotonic = i64::try_from(agent::clock::monotonic().0).unwrap_or(i64::MAX);
    monotonic.saturating_add(agent::clock::system().offset_us)
}

#[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 fit a double for centuries")]
fn millis(micros: i64) -> f64 {
    micros as f64 / 1e3
}
