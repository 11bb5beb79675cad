//! A running agent: one task asks the source, keeps spool and uplink, and publishes; another holds the connection.

mod feed;
mod observer;
mod task;
#[cfg(test)]
mod tests;
mod truth;

use std::path::PathBuf;
use std::time::Duration;

use domain::commissioning::CommissioningReport;
use domain::ids::ConfigurationHash;
use domain::ids::MachineId;
use domain::record::Payload;
use domain::watcher::WatcherSettings;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use wire::credential::Credential;

pub use self::feed::Feed;
use self::task::AgentTask;
use crate::clock::{self, NoRandomness};
use crate::outbox::{Input, Outbox};
use crate::spool::sqlite::{OpenError, SqliteDisk};
use crate::spool::{Bounds, DiskError, Spool};
use crate::uplink::message::Speaker;
use crate::uplink::mqtt::{Connector, InvalidAddress};
use crate::uplink::tls::{self, InvalidTls};

/// What an agent needs to run.
pub struct AgentSettings {
    /// For which machine it speaks, with which key, to which broker.
    pub credential: Credential,
    /// Where its spool is. Made if it is not there.
    pub spool_folder: PathBuf,
    /// What it observes.
    pub feed: Feed,
    /// How signals become readings and events.
    pub watcher: WatcherSettings,
    /// How much the spool may hold.
    pub bounds: Bounds,
    /// Whether the system's clock is right. Otherwise the time is learnt from the server.
    pub trust_system_clock: bool,
    /// How the sources are set, told with the first event; `None`: they are none that somebody sets.
    pub configuration: Option<ConfigurationHash>,
    /// What a commissioning has shown, to be delivered.
    pub commissioning: Option<Box<CommissioningReport>>,
    /// Where every record is written down that was brought to the disk, a JSON object a line.
    pub truth: Option<PathBuf>,
}

impl std::fmt::Debug for AgentSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AgentSettings")
            .field("credential", &self.credential)
            .field("spool_folder", &self.spool_folder)
            .field("feed", &self.feed)
            .finish_non_exhaustive()
    }
}

impl AgentSettings {
    /// Settings with all defaults.
    pub fn new(credential: Credential, spool_folder: PathBuf, feed: impl Into<Feed>) -> AgentSettings {
        AgentSettings {
            credential,
            spool_folder,
            feed: feed.into(),
            watcher: WatcherSettings::default(),
            bounds: Bounds::default(),
            trust_system_clock: false,
            configuration: None,
            commissioning: None,
            truth: None,
        }
    }
}

/// Why an agent does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The spool's folder cannot be used.
    #[error(transparent)]
    Spool(#[from] OpenError),
    /// The spool's disk fails.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The broker's address is none.
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    /// The credential cannot be used for TLS.
    #[error(transparent)]
    Tls(#[from] InvalidTls),
    /// The truth cannot be written.
    #[error("the truth cannot be written to {file}: {source}")]
    Truth {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system has no random numbers.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// A task of the agent failed.
    #[error("the agent's task failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// What an agent has done. Pairs are in the order events, readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// The boot's number.
    pub boot_count: u32,
    /// Whether the broker is there.
    pub is_connected: bool,
    /// Number of the newest connection, 0 before the first.
    pub connection: u32,
    /// Records taken in this boot.
    pub appended: [u64; 2],
    /// Pieces of recordings among those of the events lane.
    pub pieces: u64,
    /// Records in the spool that are not acknowledged, of this boot and earlier ones.
    pub unacknowledged: [u64; 2],
    /// Records dropped for want of room since the spool was made.
    pub dropped: [u64; 2],
    /// Events counted for want of room and not yet told.
    pub counted: u64,
    /// Envelopes sent.
    pub envelopes_sent: u64,
    /// Envelopes sent again.
    pub envelopes_resent: u64,
    /// Whether the spool's disk works.
    pub is_spool_healthy: bool,
    /// Whether the source has ended.
    pub has_source_ended: bool,
}

impl Progress {
    /// Whether the ingest has everything that the agent has seen.
    pub fn is_delivered(&self) -> bool {
        self.unacknowledged == [0; 2] && self.counted == 0
    }
}

/// An agent.
#[derive(Debug)]
pub struct Agent;

/// A running agent. Dropped, it goes on until its runtime ends; [`AgentHandle::stop`] ends it well.
#[derive(Debug)]
pub struct AgentHandle {
    machine: MachineId,
    stop: watch::Sender<Option<Duration>>,
    progress: watch::Receiver<Progress>,
    task: JoinHandle<Progress>,
}

impl Agent {
    /// Opens the spool, begins a boot and runs until it is stopped.
    ///
    /// # Errors
    ///
    /// If spool, truth or broker address cannot be used; nothing has been sent then.
    pub async fn start(settings: AgentSettings) -> Result<AgentHandle, StartError> {
        let ids = clock::boot_ids()?;
        let seed = clock::seed()?;
        let folder = settings.spool_folder.clone();
        let bounds = settings.bounds;
        let opened = tokio::task::spawn_blocking(move || -> Result<Spool<SqliteDisk>, StartError> {
            Ok(Spool::open(SqliteDisk::open(&folder)?, ids, bounds, clock::monotonic())?)
        });
        let spool = opened.await??;
        let boot_count = spool.boot().boot_count;
        let truth = settings.truth.as_deref().map(truth::Truth::open).transpose()?;
        let speaker = Speaker {
            configuration: settings.configuration,
            ..Speaker::new(&settings.credential, ids.boot, settings.feed.capabilities())
        };
        let password = settings.credential.broker_password();
        let tls = settings.credential.tls.as_ref().map(tls::client).transpose()?;
        let broker = &settings.credential.broker;
        let connector = Connector::start(broker, tls, speaker.clone(), password, boot_count, seed)?;
        let mut outbox = Outbox::new(spool, speaker, seed, clock::monotonic());
        if let Some(report) = settings.commissioning {
            let (at, payload) = (clock::monotonic(), Payload::Commissioning(report));
            // Nobody is connected yet: what follows from it comes with the first acknowledgement.
            drop(outbox.apply(Input::Record { at, payload }, at));
        }
        let (stop, stop_receiver) = watch::channel(None);
        let (progress_sender, progress) = watch::channel(Progress { boot_count, ..Progress::default() });
        let machine = settings.credential.machine.clone();
        tracing::info!(machine.id = %machine, boot.id = %ids.boot, boot.count = boot_count, "the agent runs");
        let observer = observer::Observer::new(settings.feed, settings.watcher, clock::monotonic());
        let task = AgentTask {
            machine: machine.clone(),
            observer,
            outbox,
            truth,
            connector,
            trust_system_clock: settings.trust_system_clock,
            stop: stop_receiver,
            progress: progress_sender,
        };
        Ok(AgentHandle { machine, stop, progress, task: tokio::spawn(task.run()) })
    }
}

impl AgentHandle {
    /// For which machine it speaks.
    pub fn machine(&self) -> &MachineId {
        &self.machine
    }

    /// What it has done so far.
    pub fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    /// Waits until something is so, and says how far the agent is then; also returns when the agent has ended.
    pub async fn wait_until(&mut self, is_so: impl FnMut(&Progress) -> bool) -> Progress {
        // The agent's task is gone if this fails: what it said last stands.
        let waited = self.progress.wait_for(is_so).await.map(|progress| *progress);
        waited.unwrap_or_else(|_| *self.progress.borrow())
    }

    /// Observes no more, gives what is unsent at most `drain` to be acknowledged, and ends. What is not
    /// acknowledged by then stays in the spool.
    ///
    /// # Errors
    ///
    /// If the agent's task failed.
    pub async fn stop(self, drain: Duration) -> Result<Progress, StartError> {
        self.stop.send_replace(Some(drain));
        Ok(self.task.await?)
    }
}
