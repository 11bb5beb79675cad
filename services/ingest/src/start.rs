//! Starting and stopping the ingest: what was there is loaded, then the parts are put together.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use domain::limits;
use domain::units::UnixMicros;
use store::StoreError;
use store::feed::Feed;
use store::journal::{Journal, Sequence};
use store::ledger::Ledger;
use store::telemetry::Telemetry;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wire::keys::MasterKey;

use crate::body_clock::BodyClock;
use crate::counters::Counters;
use crate::follow::Follower;
use crate::ingest::Renewed;
use crate::metrics;
use crate::pipeline::held::Held;
use crate::pipeline::{Inlets, Outlets, Pipeline, Shared};
use crate::readiness::Readiness;
use crate::recover::{Recovered, recover};
use crate::refusals::Refused;
use crate::subscriber::{BrokerAddress, Subscriber};
use crate::trim::{trim, watch_room};
use crate::write::ledger::{LedgerWriter, Reports};
use crate::write::telemetry::TelemetryWriter;

/// Batches that wait for a writer. More: the ledger's are held back, the telemetry's are read from the journal.
const BATCHES_WAITING: usize = 16;
/// Changes of the registry that wait for the pipeline. More: the next one tells of all since.
const REGISTERED_WAITING: usize = 4;
/// Longest time that a stop waits for the stores.
const STOP_MAX: Duration = Duration::from_secs(15);

/// What the ingest needs to know.
#[derive(Debug, Clone)]
pub struct IngestSettings {
    /// Where the broker is.
    pub broker: BrokerAddress,
    /// The key from which the machines' keys follow.
    pub master: MasterKey,
    /// The folder of the journal, to see how much room its disk has; `None`: it is in memory.
    pub journal_folder: Option<PathBuf>,
}

/// Why the ingest did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A machine's checkpoint could not be read.
    #[error(
        "the checkpoint of machine {machine} cannot be read: {reason}; start the version that wrote it, or restore a backup"
    )]
    Checkpoint {
        /// Whose.
        machine: domain::ids::MachineId,
        /// What is wrong with it.
        reason: String,
    },
    /// The stores are not of one time.
    #[error(
        "the journal ends at slice {journal}, but {store} has everything up to slice {other}: they are not of one backup; restore all three stores from the same one"
    )]
    Apart {
        /// The journal's last slice.
        journal: Sequence,
        /// Which store is ahead.
        store: &'static str,
        /// How far it is.
        other: Sequence,
    },
}

/// The ingest.
#[derive(Debug)]
pub struct Ingest;

/// The running ingest.
#[derive(Debug)]
pub struct IngestHandle {
    shared: Shared,
    stop: CancellationToken,
    give_up: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Ingest {
    /// Loads what was there, folds what the checkpoints do not hold, and begins to serve.
    pub async fn start(
        settings: IngestSettings,
        journal: Arc<dyn Journal>,
        ledger: Arc<dyn Ledger>,
        telemetry: Arc<dyn Telemetry>,
        feed: Feed,
    ) -> Result<IngestHandle, StartError> {
        metrics::describe();
        let clock = BodyClock::start();
        let shared = Shared::default();
        let follower = Follower::new(ledger.clone());
        let recovered =
            recover(settings.master.clone(), &*journal, &*ledger, &*telemetry, clock.now()).await?;
        recovered.states.iter().cloned().for_each(|state| feed.put(state));
        shared.tell_renewed(&recovered.mind);
        let give_up = CancellationToken::new();
        let stop = CancellationToken::new();
        let (saved, saved_seen) = watch::channel(0);
        let (watermark, watermark_seen) = watch::channel(recovered.watermark);
        let (ledger_work, ledger_waiting) = mpsc::channel(BATCHES_WAITING);
        let (telemetry_work, telemetry_waiting) = mpsc::channel(BATCHES_WAITING);
        let (registered, registered_inlet) = mpsc::channel(REGISTERED_WAITING);
        let ledger_writer = LedgerWriter {
            ledger,
            work: ledger_waiting,
            saved,
            reports: Reports::default(),
            readiness: shared.readiness.clone(),
            give_up: give_up.clone(),
        };
        let telemetry_writer = TelemetryWriter {
            telemetry,
            journal: journal.clone(),
            work: telemetry_waiting,
            held: None,
            watermark,
            readiness: shared.readiness.clone(),
            give_up: give_up.clone(),
        };
        let (nearly_full, journal_nearly_full) = watch::channel(false);
        let outlets = Outlets {
            journal: journal.clone(),
            ledger: ledger_work,
            telemetry: telemetry_work,
            watermark: watermark_seen.clone(),
            feed,
        };
        let pipeline = connect(&settings.broker, &shared, recovered, clock, outlets, |urgent, readings| {
            Inlets { urgent, readings, registered: registered_inlet, journal_nearly_full }
        });
        let mut tasks = vec![
            tokio::spawn(pipeline.run(stop.clone())),
            tokio::spawn(ledger_writer.run()),
            tokio::spawn(follower.run(registered, stop.clone())),
            tokio::spawn(telemetry_writer.run()),
            tokio::spawn(trim(journal, saved_seen, watermark_seen, stop.clone())),
        ];
        if let Some(folder) = settings.journal_folder {
            let readiness = shared.readiness.clone();
            tasks.push(tokio::spawn(watch_room(folder, nearly_full, readiness, stop.clone())));
        }
        Ok(IngestHandle { shared, stop, give_up, tasks })
    }
}

fn connect(
    broker: &BrokerAddress,
    shared: &Shared,
    recovered: Recovered,
    clock: BodyClock,
    outlets: Outlets,
    inlets: impl FnOnce(
        mpsc::Receiver<crate::subscriber::Message>,
        mpsc::Receiver<crate::subscriber::Message>,
    ) -> Inlets,
) -> Pipeline {
    let (urgent, urgent_inlet) = mpsc::channel(limits::INGEST_QUEUE_MESSAGES);
    let (readings, readings_inlet) = mpsc::channel(limits::INGEST_QUEUE_MESSAGES);
    let subscriber = Subscriber::start(broker, urgent, readings, &shared.readiness);
    // What the telemetry has not got yet it reads from the journal.
    let held = Held::new(recovered.derived, recovered.folded, recovered.reads);
    Pipeline::new(
        recovered.mind,
        clock,
        subscriber,
        inlets(urgent_inlet, readings_inlet),
        outlets,
        shared.clone(),
        held,
    )
}

impl IngestHandle {
    /// What was counted since the start.
    pub fn counters(&self) -> Counters {
        *self.shared.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last refused messages of every reason, by reason, oldest first.
    pub fn refusals(&self) -> Vec<Refused> {
        let refusals = self.shared.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.all().cloned().collect()
    }

    /// Whether the ingest can do its work, and if not, why.
    pub fn readiness(&self) -> Readiness {
        self.shared.readiness.clone()
    }

    /// Everything committed before this moment can be read from the stores; `None`: not known yet.
    pub fn settled(&self) -> Option<UnixMicros> {
        *self.shared.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which machines were heard with a renewed key: the ingest refuses what their older keys sealed. At most a second
    /// old.
    pub fn renewed(&self) -> Renewed {
        self.shared.renewed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops taking messages, finishes what is under way, writes what is unsaved, and ends. Takes at most 20 s.
    pub async fn stop(self) -> Counters {
        self.stop.cancel();
        let give_up = self.give_up.clone();
        let patience = tokio::spawn(async move {
            tokio::time::sleep(STOP_MAX).await;
            give_up.cancel();
        });
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(error = %error, "a part of the ingest ended badly");
            }
        }
        patience.abort();
        *self.shared.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
