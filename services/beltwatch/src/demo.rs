//! The demo: server, broker and simulated machines in one process, with some weeks of history before it, and a report of
//! what became of every record.

mod floor;
mod history;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::store::telemetry::Counts;
use agent::run::{Agent, AgentHandle, AgentSettings, Progress};
use anyhow::Context;
use domain::units::UnixMicros;
use serde::Serialize;
use wire::credential::Credential;

use crate::config::Config;
use crate::serve::Server;

use self::floor::Spot;

/// How long agents may take to deliver what they have when the demo ends.
const DRAIN: Duration = Duration::from_secs(15);

/// What a demo can be told.
#[derive(Debug, Clone)]
pub struct DemoSettings {
    /// How many machines, at least 2.
    pub machines: usize,
    /// Seed of the belts.
    pub seed: u64,
    /// How much faster than in life sessions follow each other.
    pub speed: f64,
    /// Where everything is kept; `None`: in a folder that is gone when the demo ends.
    pub folder: Option<PathBuf>,
    /// Where pages and API listen; `None`: port 8080 of loopback, or a free one if that is taken.
    pub listen: Option<SocketAddr>,
    /// A capture to replay in the place of the one that comes with the program.
    pub replay: Option<PathBuf>,
}

/// A running demo.
#[derive(Debug)]
pub struct Demo {
    server: Server,
    agents: Vec<AgentHandle>,
    before: Counts,
    url: String,
    link: String,
    // Dropped last: the folder must outlive what writes into it.
    _folder: Option<tempfile::TempDir>,
}

/// What a demo did.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Sites.
    pub sites: usize,
    /// Machines.
    pub machines: usize,
    /// Readings that the agents made.
    pub readings_made: u64,
    /// Events that the agents made.
    pub events_made: u64,
    /// Readings in the history.
    pub readings_stored: u64,
    /// Events in the history.
    pub events_stored: u64,
    /// Records that were made and are not in the history.
    pub messages_lost: u64,
    /// Records that were counted twice.
    pub duplicates_applied: u64,
    /// Envelopes that came again and were recognised.
    pub duplicates_refused: u64,
    /// Messages that were refused.
    pub refused: u64,
    /// Groups that were brought to disk.
    pub commits: u64,
    /// Where the pages were.
    pub url: String,
}

impl Demo {
    /// Starts everything.
    ///
    /// # Errors
    /// A port, the folder or the capture cannot be used.
    pub async fn start(settings: &DemoSettings) -> anyhow::Result<Demo> {
        let temporary = match &settings.folder {
            Some(_) => None,
            None => Some(tempfile::Builder::new().prefix("beltwatch-demo-").tempdir()?),
        };
        let folder: &Path = match (&settings.folder, &temporary) {
            (Some(folder), _) => folder,
            (None, Some(temporary)) => temporary.path(),
            (None, None) => Path::new("."),
        };
        let now = unix_now();
        let spots = floor::spots(settings)?;
        history::put(&folder.join("server"), &spots, settings.seed, now).await?;
        let server = start_server(folder, settings.listen).await?;
        let before = server.stores().telemetry.counts(None).await?;
        let url = server.url().to_owned();
        let link = format!("{url}{}", server.demo_link().await?);
        let credentials = floor::register(&url, server.operator_secret(), &spots).await?;
        let mut agents = Vec::new();
        for (spot, credential) in spots.into_iter().zip(credentials) {
            agents.push(start_agent(folder, spot, credential).await?);
        }
        Ok(Demo { server, agents, before, url, link, _folder: temporary })
    }

    /// Where the pages are.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A link that opens the pages, signed in.
    pub fn link(&self) -> &str {
        &self.link
    }

    /// The server.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Lets the agents deliver what they have, ends everything, and holds what is stored against what was made.
    ///
    /// # Errors
    /// A part did not end well.
    pub async fn stop(self) -> anyhow::Result<Report> {
        let stores = self.server.stores().clone();
        let (machines, sites) = (self.agents.len(), floor::SITES.len());
        let stops = self.agents.into_iter().map(|agent| agent.stop(DRAIN));
        let ended: Vec<Progress> =
            futures::future::try_join_all(stops).await.context("an agent did not end")?;
        let counters = self.server.stop().await?;
        let after = stores.telemetry.counts(None).await?;
        let made = |lane: usize| ended.iter().map(|progress| progress.appended[lane]).sum::<u64>();
        // Pieces of recordings are kept with incidents, not in the history.
        let pieces = ended.iter().map(|progress| progress.pieces).sum::<u64>();
        let (events_made, readings_made) = (made(0) - pieces, made(1));
        let events_stored = after.events - self.before.events;
        let readings_stored = after.readings - self.before.readings;
        Ok(Report {
            sites,
            machines,
            readings_made,
            events_made,
            readings_stored,
            events_stored,
            messages_lost: (readings_made + events_made).saturating_sub(readings_stored + events_stored),
            duplicates_applied: counters.duplicates_applied,
            duplicates_refused: counters.envelopes_duplicate,
            refused: counters.refused_total(),
            commits: counters.commits,
            url: self.url,
        })
    }
}

/// By the clock that agents use, too.
fn unix_now() -> UnixMicros {
    let monotonic = i64::try_from(agent::clock::monotonic().0).unwrap_or(i64::MAX);
    UnixMicros(monotonic.saturating_add(agent::clock::system().offset_us))
}

async fn start_server(folder: &Path, listen: Option<SocketAddr>) -> anyhow::Result<Server> {
    let mut config = Config { folder: folder.join("server"), ..Config::default() };
    config.broker.listen.set_port(0);
    config.api.listen = listen.unwrap_or(config.api.listen);
    match Server::start(&config).await {
        Err(_) if listen.is_none() => {
            // The usual port is taken by somebody; a demo may have any.
            config.api.listen.set_port(0);
            Server::start(&config).await
        }
        started => started,
    }
}

async fn start_agent(folder: &Path, spot: Spot, credential: Credential) -> anyhow::Result<AgentHandle> {
    let spool = folder.join("agents").join(credential.machine.as_str());
    let settings = AgentSettings::new(credential, spool, spot.script);
    Agent::start(settings).await.with_context(|| format!("starting the agent of {}", spot.id))
}
