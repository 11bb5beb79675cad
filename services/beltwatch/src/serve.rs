//! The service: one process with its stores, ingest, API, and usually its broker.

mod access;
mod brokers;
mod mirror;
mod people;
mod surroundings;
mod telling;
mod weekly;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::store::feed::Feed;
use ::store::influx::InfluxTelemetry;
use ::store::journal::Journal;
use ::store::ledger::Ledger;
use ::store::memory::{MemoryJournal, MemoryLedger, MemoryTelemetry};
use ::store::registry::Registry;
use ::store::sqlite::{self, FolderLock, SqliteJournal, SqliteLedger, SqliteTelemetry};
use ::store::telemetry::Telemetry;
use anyhow::{Context, ensure};
use api::{Api, Surroundings};
use dashboard::Dashboard;
use ingest::counters::Counters;
use ingest::{Ingest, IngestHandle, IngestSettings};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wire::keys::MasterKey;

use crate::broker::Broker;
use crate::command::restore::RESTORING;
use crate::config::Config;
use crate::keeping::Keeper;
use crate::keys;
use crate::operator::{self, Operator};
use crate::tls::Tls;

use self::access::Access;
use self::brokers::Brokers;
use self::surroundings::{Around, unix_now};
use self::weekly::WeeklyReport;

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
    url: String,
    broker_address: String,
    master: MasterKey,
    operator: Operator,
    first_link: Option<String>,
    stores: Stores,
    ingest: Arc<IngestHandle>,
    broker: Option<Broker>,
    stopping: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    drain: Duration,
    /// Dropped last: nobody else may open the folder while anything here still writes.
    _lock: Option<FolderLock>,
}

impl Server {
    /// Starts the service. When this returns, broker and API listen.
    ///
    /// # Errors
    /// The folder or a store cannot be used, or a port is taken; the message says what to do.
    pub async fn start(config: &Config) -> anyhow::Result<Server> {
        let metrics = surroundings::keep_metrics()?;
        let listener = listen(config.api.listen).await?;
        let api_address = listener.local_addr()?;
        let (stores, master, lock) = open_stores(config)?;
        let registry = stores.ledger.registry();
        check_administrator(config, &registry)?;
        let access = Arc::new(Access::new(master.clone(), stores.ledger.clone()));
        let listening = [api_address, config.broker.listen];
        let tls = Tls::start(config, &listening, unix_now())?.map(Arc::new);
        let brokers = Brokers::start(config, tls.as_ref(), &access).await?;
        let settings = IngestSettings {
            broker: brokers.inside,
            master: master.clone(),
            journal_folder: (!config.memory).then(|| config.folder.clone()),
        };
        let Stores { journal, ledger, telemetry, feed } = stores.clone();
        let ingest = Ingest::start(settings, journal, ledger, telemetry, feed).await?;
        let ingest = Arc::new(ingest);
        let url = config.url(api_address);
        let around = Arc::new(Around {
            url: url.clone(),
            ingest: ingest.clone(),
            metrics,
            broker: brokers.advertised.clone(),
            master: master.clone(),
            tls: brokers.tls,
            authority: tls.as_deref().and_then(Tls::enrols_by),
        });
        let stopping = CancellationToken::new();
        let pages = dashboard::OpenPages::default();
        let open_pages = pages.clone();
        let first_link = people::first_administrator_link(&*stores.ledger, unix_now()).await?;
        let operator = Operator::publish(&operator_file(config, api_address))?;
        let settings = dashboard::Settings { secure: config.has_tls(), url: url.clone(), open_pages: pages };
        let api = make_api(&stores, &master, &operator, around, stopping.clone());
        let report = WeeklyReport::new(&api, stores.ledger.clone(), &operator);
        let telling = telling::start(&config.mail, &url, &master, open_pages, report, &stopping)?;
        let mut tasks = serve_api(listener, api, settings, tls.as_deref(), stopping.clone());
        tasks.extend(telling);
        tasks.extend(start_keeping(config, &stores, &stopping));
        tasks.extend(tls.map(|tls| tokio::spawn(tls.keep(stopping.clone()))));
        tasks.extend(start_mirror(config, &stores, &ingest, &stopping)?);
        tasks.extend(brokers.mosquitto.map(|mosquitto| {
            let (ledger, ingest) = (stores.ledger.clone(), ingest.clone());
            tokio::spawn(mosquitto.keep(ledger, ingest, unix_now, stopping.clone()))
        }));
        let drain = Duration::from_secs(config.drain_seconds);
        Ok(Server {
            api_address,
            url,
            broker_address: brokers.advertised,
            master,
            operator,
            first_link,
            stores,
            ingest,
            broker: brokers.embedded,
            stopping,
            tasks,
            drain,
            _lock: lock,
        })
    }

    /// Where the API and the pages listen.
    pub fn api_address(&self) -> SocketAddr {
        self.api_address
    }

    /// Where people reach the pages, and commands the API, such as `http://127.0.0.1:8080`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The broker as agents reach it, `host:port`.
    pub fn broker_address(&self) -> &str {
        &self.broker_address
    }

    /// The secret with which the operator may do everything, from this computer, as `authorization: Bearer SECRET`.
    pub fn operator_secret(&self) -> &str {
        self.operator.secret()
    }

    /// Path of the link with which the first administrator makes themselves, if there was none at the start. A secret.
    pub fn first_administrator_link(&self) -> Option<&str> {
        self.first_link.as_deref()
    }

    /// Path of a link that signs in to a demo, any number of times. A secret.
    pub(crate) async fn demo_link(&self) -> anyhow::Result<String> {
        people::demo_link(&*self.stores.ledger, unix_now()).await
    }

    /// The stores.
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    /// The key from which the machines' keys follow.
    pub fn master(&self) -> &MasterKey {
        &self.master
    }

    /// The running ingest.
    pub fn ingest(&self) -> &IngestHandle {
        &self.ingest
    }

    /// Takes no more requests, finishes what is under way, brings everything to disk, and ends.
    ///
    /// # Errors
    /// Something still uses the ingest.
    pub async fn stop(self) -> anyhow::Result<Counters> {
        self.stopping.cancel();
        let ended = futures::future::join_all(self.tasks);
        if tokio::time::timeout(self.drain, ended).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
        let ingest = Arc::into_inner(self.ingest).context("something still uses the ingest")?;
        let counters = ingest.stop().await;
        if let Some(broker) = self.broker {
            broker.stop().await;
        }
        tracing::info!(
            readings = counters.readings_committed,
            events = counters.events_committed,
            "everything is on disk; the service ends"
        );
        Ok(counters)
    }
}

fn check_administrator(config: &Config, registry: &Registry) -> anyhow::Result<()> {
    let is_safe = !config.listens_beyond_loopback() || config.open_without_administrator;
    ensure!(
        is_safe || registry.has_administrator(),
        "api.listen or broker.listen is no loopback address, and nobody administers the server yet: start it on \
         loopback first and open the link that it prints, or set open_without_administrator"
    );
    Ok(())
}

fn operator_file(config: &Config, api: SocketAddr) -> PathBuf {
    match config.operator_file.as_os_str().is_empty() {
        true => operator::usual_file(api.port()),
        false => config.operator_file.clone(),
    }
}

fn open_stores(config: &Config) -> anyhow::Result<(Stores, MasterKey, Option<FolderLock>)> {
    let feed = Feed::new();
    if config.memory {
        let stores = Stores {
            journal: Arc::new(MemoryJournal::new()),
            ledger: Arc::new(MemoryLedger::new()),
            telemetry: Arc::new(MemoryTelemetry::new()),
            feed,
        };
        return Ok((stores, MasterKey::generate()?, None));
    }
    let folder: &Path = &config.folder;
    let lock = sqlite::lock_folder(folder)?;
    ensure!(
        !folder.join(RESTORING).exists(),
        "a restore into {} was broken off: empty the folder and restore again",
        folder.display()
    );
    let stores = Stores {
        journal: Arc::new(SqliteJournal::open(folder)?),
        ledger: Arc::new(SqliteLedger::open(folder)?),
        telemetry: open_telemetry(config)?,
        feed,
    };
    Ok((stores, keys::master_key(folder)?, Some(lock)))
}

/// The history, in InfluxDB if one is configured. It need not be there yet.
fn open_telemetry(config: &Config) -> anyhow::Result<Arc<dyn Telemetry>> {
    let folder: &Path = &config.folder;
    let embedded = SqliteTelemetry::open(folder)?;
    let Some(settings) = config.influxdb.settings()? else {
        if folder.join(sqlite::INFLUX_FILE).exists() {
            tracing::warn!(
                folder = %folder.display(),
                "a history is in the InfluxDB that was in use before: it stays there and is not shown as long as \
                 influxdb.url is empty"
            );
        }
        return Ok(Arc::new(embedded));
    };
    if SqliteTelemetry::has_records(folder)? {
        tracing::warn!(
            folder = %folder.display(),
            "the folder holds a history from before influxdb.url was set: it stays there and is not shown as long as \
             influxdb.url is set"
        );
    }
    tracing::info!(url = %settings.url.origin().ascii_serialization(), bucket = settings.bucket, "the history is in InfluxDB");
    Ok(Arc::new(InfluxTelemetry::open(&settings, folder)?))
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("api.listen: cannot listen on {address}; stop who uses it, or choose another address")
    })
}

fn make_api(
    stores: &Stores,
    master: &MasterKey,
    operator: &Operator,
    around: Arc<dyn Surroundings>,
    stopping: CancellationToken,
) -> Api {
    let stores = api::Stores {
        ledger: stores.ledger.clone(),
        telemetry: stores.telemetry.clone(),
        feed: stores.feed.clone(),
    };
    let operator = api::secret_hash(operator.secret());
    Api::new(stores, master, operator, around, stopping)
}

/// The API and the pages on one port. The pages ask the API within this process.
fn serve_api(
    listener: TcpListener,
    api: Api,
    settings: dashboard::Settings,
    tls: Option<&Tls>,
    stopping: CancellationToken,
) -> Vec<JoinHandle<()>> {
    let pages = dashboard::router(Dashboard::new(dashboard::in_process(api.for_pages()), settings));
    let router = api.router(pages);
    let tls = tls.and_then(Tls::api);
    let serving = tokio::spawn(async move {
        if let Err(error) = api::serve(listener, router, tls, stopping).await {
            tracing::error!(%error, "the api ended");
        }
    });
    let running = tokio::spawn(async move { api.run().await });
    vec![serving, running]
}

/// Upkeep of the history. What is kept in memory goes with the process.
fn start_keeping(config: &Config, stores: &Stores, stopping: &CancellationToken) -> Option<JoinHandle<()>> {
    let mut retention = config.retention.clone();
    if !config.influxdb.url.is_empty() {
        // Readings in an InfluxDB take no room on this disk: to remove them would make none.
        retention.free_mib_min = 0;
    }
    let keeper = Keeper {
        telemetry: stores.telemetry.clone(),
        ledger: stores.ledger.clone(),
        folder: config.folder.clone(),
        retention,
        clock: unix_now,
    };
    (!config.memory).then(|| tokio::spawn(keeper.keep(stopping.clone())))
}

/// Points of what is derived, if there is an InfluxDB. What is kept in memory goes with the process.
fn start_mirror(
    config: &Config,
    stores: &Stores,
    ingest: &Arc<IngestHandle>,
    stopping: &CancellationToken,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    match config.influxdb.settings()?.filter(|_| !config.memory) {
        Some(settings) => mirror::start(&settings, &config.folder, stores, ingest.clone(), stopping),
        None => Ok(Vec::new()),
    }
}
