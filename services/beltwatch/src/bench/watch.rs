//! Measuring watchers: how many look at once, what that costs, and what one that stops reading does to the others.
//!
//! Everything runs in this process on loopback. States are put into the server's feed, where the ingest puts them after
//! a commit, so the figures are of API and pages alone. Half of the watchers call `WatchFleet`, half read the stream of
//! a page; each has a connection of its own. They run on a thread whose cost is told apart.

mod feeder;
mod report;
mod viewers;

use std::time::Duration;

use anyhow::{Context, ensure};
use domain::ids::{MachineId, SiteId};
use domain::registry::{BeltKind, DriveKind};
use domain::units::UnixMicros;
use store::fact::{Fact, FactKind};
use store::ledger::Ledger;
use store::registry::{Machine, Site};

use self::feeder::Feeder;
use self::viewers::Viewers;
use super::cost::{self, Spent};
use crate::config::Config;
use crate::serve::Server;

pub use self::report::{WatchFigures, WatchReport};

/// Most watchers: what the API takes at once, less the few that stop reading.
const WATCHERS_MAX: usize = 1_900;
const MACHINES_MAX: usize = 1_000;
const SECONDS_MAX: u64 = 300;
/// Id of the only site.
const SITE: &str = "bench";
/// Name of the cookie that holds a session.
const SESSION_COOKIE: &str = "beltwatch_session";

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub struct WatchSettings {
    /// Watchers, half of them of the API, half of a page.
    pub watchers: usize,
    /// Machines; each changes once a second.
    pub machines: usize,
    /// How long each measurement takes.
    pub time: Duration,
    /// How long all watch before it is measured.
    pub warm_up: Duration,
}

impl WatchSettings {
    /// Whether this can be measured.
    ///
    /// # Errors
    /// A value is not allowed; the message says which are.
    pub fn check(&self) -> anyhow::Result<()> {
        let (watchers, machines) = (self.watchers, self.machines);
        let is_allowed = (2..=WATCHERS_MAX).contains(&watchers);
        ensure!(is_allowed, "--watchers is {watchers}: 2 to {WATCHERS_MAX} is allowed");
        let is_allowed = (1..=MACHINES_MAX).contains(&machines);
        ensure!(is_allowed, "--machines is {machines}: 1 to {MACHINES_MAX} is allowed");
        cost::check_files(watchers)?;
        for (name, time) in [("--seconds", self.time), ("--warm-up", self.warm_up)] {
            let seconds = time.as_secs();
            let is_allowed = (1..=SECONDS_MAX).contains(&seconds);
            ensure!(is_allowed, "{name} is {seconds}: 1 to {SECONDS_MAX} is allowed");
        }
        Ok(())
    }
}

/// Measures the watchers twice: alone, and with one of each kind beside them that stops reading. `progress` is told
/// what begins.
///
/// # Errors
/// The settings are not allowed, or a watcher lost its stream.
pub async fn watch(settings: &WatchSettings, progress: &dyn Fn(String)) -> anyhow::Result<WatchReport> {
    settings.check()?;
    let mut figures = Vec::new();
    for has_stalled in [false, true] {
        let beside = if has_stalled { "beside two that stop reading" } else { "alone" };
        progress(format!("{} watchers {beside}, {} s", settings.watchers, settings.time.as_secs()));
        let server = Server::start(&config()).await?;
        let measured = measure(settings, &server, has_stalled).await;
        server.stop().await?;
        figures.push(measured.with_context(|| format!("watchers {beside}"))?);
    }
    Ok(WatchReport::new(settings, figures))
}

async fn measure(
    settings: &WatchSettings,
    server: &Server,
    has_stalled: bool,
) -> anyhow::Result<WatchFigures> {
    let machines = super::machine_ids(settings.machines);
    register(&*server.stores().ledger, &machines).await?;
    let feeder = Feeder::start(server.stores().feed.clone(), machines);
    let access = viewers::Access::of(server).await?;
    cost::forget_memory();
    let memory_before_mib = cost::memory_mib();
    let viewers = Viewers::start(access, settings.watchers, has_stalled).await?;
    tokio::time::sleep(settings.warm_up).await;
    viewers.take()?;
    let before = Spent::now();
    tokio::time::sleep(settings.time).await;
    let after = Spent::now();
    let seen = viewers.take()?;
    // For a million of a million: as it is.
    let spent = after.per_million(&before, 1e6);
    let snapshots = viewers.stop().await?;
    let changes = feeder.stop().await?;
    Ok(WatchFigures {
        rpc: seen.rpc,
        page: seen.page,
        page_stops: seen.page_stops,
        rpc_messages: seen.rpc_messages,
        page_bytes: seen.page_bytes,
        server_cpu_seconds: spent.total - spent.load,
        watchers_cpu_seconds: spent.load,
        processors_used: after.used(&before),
        memory_before_mib,
        memory_max_mib: cost::memory_mib(),
        stalled_snapshots: has_stalled.then_some(snapshots),
        changes,
    })
}

fn config() -> Config {
    let mut config = Config { memory: true, ..Config::default() };
    config.api.listen.set_port(0);
    config.broker.listen.set_port(0);
    config
}

async fn register(ledger: &dyn Ledger, machines: &[MachineId]) -> anyhow::Result<()> {
    let created = UnixMicros(0);
    let add = async |kind| {
        let fact = Fact { time: created, author: "bench".to_owned(), request_id: None, kind };
        ledger.add_fact(fact).await
    };
    let site = SiteId::new(SITE).expect("it is an id");
    let (display_name, time_zone) = ("Bench".to_owned(), "Etc/UTC".to_owned());
    let place = Site { id: site.clone(), display_name, time_zone, created, history: Default::default() };
    add(FactKind::SiteCreated(place)).await?;
    for id in machines {
        let machine = Machine {
            id: id.clone(),
            site: site.clone(),
            display_name: id.to_string(),
            model: String::new(),
            belt: BeltKind::Reversible,
            drive: DriveKind::Motor,
            key_generation: 1,
            created,
            place: None,
            revoked_generation: 0,
            revoked: None,
            acknowledged: None,
            history: Default::default(),
            drills: Vec::new(),
            maintained: None,
        };
        add(FactKind::MachineCreated(machine)).await?;
    }
    Ok(())
}
