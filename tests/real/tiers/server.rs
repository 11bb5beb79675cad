//! One tier: a server in this process with its own folder, brokers and history as its configuration says.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use beltwatch::client::Identity;
use beltwatch::config::Config;
use beltwatch::serve::Server;
use domain::ids::{MachineId, SiteId};
use domain::registry::DriveKind;
use domain::units::UnixMicros;
use store::fact::{Fact, FactKind};
use store::ledger::Ledger;
use store::registry::{History, Machine, Site};
use store::sqlite::SqliteLedger;
use tonic::transport::Channel;
use wire::keys::MasterKey;

use super::feed::MACHINES;

/// The site of all machines.
pub(super) const SITE: &str = "north";

/// A server that can be stopped and started again.
#[derive(Debug)]
pub(super) struct Tier {
    pub(super) name: &'static str,
    config: Config,
    server: Option<Server>,
    /// Where the machines publish.
    broker: Option<SocketAddr>,
}

impl Tier {
    /// Registers the machines in a new folder as of `created`, the same for both tiers, and starts the server.
    /// `broker`: where machines publish if the server has no broker of its own.
    pub(super) async fn start(
        name: &'static str,
        config: Config,
        broker: Option<SocketAddr>,
        created: UnixMicros,
    ) -> anyhow::Result<Tier> {
        register(&config, created).await.context("registering the machines")?;
        let mut tier = Tier { name, config, server: None, broker };
        tier.start_again().await?;
        if tier.broker.is_none() {
            let address: SocketAddr =
                tier.server()?.broker_address().parse().context("the broker's address")?;
            tier.config.broker.listen = address;
            tier.broker = Some(address);
        }
        Ok(tier)
    }

    pub(super) async fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(server) = self.server.take() {
            server.stop().await?;
        }
        Ok(())
    }

    pub(super) async fn start_again(&mut self) -> anyhow::Result<()> {
        let server = Server::start(&self.config).await;
        self.server = Some(server.with_context(|| format!("starting the {} tier", self.name))?);
        Ok(())
    }

    /// Where the machines publish.
    pub(super) fn broker(&self) -> anyhow::Result<SocketAddr> {
        self.broker.context("no broker")
    }

    pub(super) fn master(&self) -> anyhow::Result<&MasterKey> {
        Ok(self.server()?.master())
    }

    /// What a client needs to call it.
    pub(super) async fn reach(&self) -> anyhow::Result<Reach> {
        let server = self.server()?;
        let url = format!("http://{}", server.api_address());
        let channel = Channel::from_shared(url)?.connect().await.context("the API does not answer")?;
        Ok(Reach { channel, identity: Identity::bearer(server.operator_secret(), Some("test"))? })
    }

    fn server(&self) -> anyhow::Result<&Server> {
        self.server.as_ref().with_context(|| format!("the {} tier does not run", self.name))
    }
}

/// A connection and who calls.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    channel: Channel,
    identity: Identity,
}

impl Reach {
    /// A client of one service.
    pub(super) fn client<C>(&self, make: fn(Channel, Identity) -> C) -> C {
        make(self.channel.clone(), self.identity.clone())
    }
}

/// The settings of a server in a folder of its own.
pub(super) fn config(folder: PathBuf) -> Config {
    let mut config = Config { folder, ..Config::default() };
    config.api.listen.set_port(0);
    config.broker.listen.set_port(0);
    config
}

/// Facts with a time of their own: a registration that differs by a second would differ in what it holds for.
async fn register(config: &Config, created: UnixMicros) -> anyhow::Result<()> {
    let ledger = SqliteLedger::open(&config.folder)?;
    let add = async |kind| {
        let fact = Fact { time: created, author: "user:test".to_owned(), request_id: None, kind };
        ledger.add_fact(fact).await
    };
    let site = SiteId::new(SITE)?;
    let time_zone = "Europe/Berlin".to_owned();
    let (id, display_name) = (site.clone(), "North".to_owned());
    add(FactKind::SiteCreated(Site { id, display_name, time_zone, created, history: History::default() }))
        .await?;
    for (id, belt) in MACHINES {
        let machine = Machine {
            id: MachineId::new(id)?,
            site: site.clone(),
            display_name: format!("Treadmill {id}"),
            model: format!("Model {belt:?}"),
            belt,
            drive: DriveKind::Motor,
            key_generation: 1,
            created,
            place: None,
            revoked_generation: 0,
            revoked: None,
            acknowledged: None,
            history: History::default(),
            drills: Vec::new(),
            maintained: None,
        };
        add(FactKind::MachineCreated(machine)).await?;
    }
    Ok(())
}
