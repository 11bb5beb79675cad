//! The service: one process with its stores, ingest, API, and usually its broker.

mod access;
mod surroundings;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use ingest::{Ingest, IngestSettings};
use store::feed::Feed;
use store::journal::Journal;
use store::ledger::Ledger;
use store::memory::{MemoryJournal, MemoryLedger, MemoryTelemetry};
use store::sqlite::{FolderLock, SqliteJournal, SqliteLedger, SqliteTelemetry};
use store::telemetry::Telemetry;
use tokio_util::sync::CancellationToken;
use wire::keys::MasterKey;

use crate::broker::{Broker, BrokerSettings};
use crate::config::Config;
use crate::keys;

pub use surroundings::install_metrics;

/// The three stores and the feed. Clones are the same stores.
#[derive(Debug, Clone)]
pub struct Stores {
    /// Records as they arrived.
    pub journal: Arc<dyn Journal>,
    /// Registry, facts and what is derived.
    pub ledger: Arc<dyn Ledger>,
    /// The long history.
    pub telemetry: Arc<dyn Telemetry>,
    /// The live view.
    pub feed: Feed,
}

/// A running service.
#[derive(Debug)]
pub struct Server {
    api_address: SocketAddr,
    broker_address: Option<SocketAddr>,
    stores: Stores,
    ingest: Ingest,
    broker: Option<Broker>,
    stop_api: CancellationToken,
    api: tokio::task::JoinHandle<()>,
    drain: Duration,
    // Dropped last: nobody else may open the folder while anything here still writes.
    _lock: Option<FolderLock>,
}
