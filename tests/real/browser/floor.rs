//! A server with people and machines, for a browser to look at.

use std::path::PathBuf;
use std::time::Duration;

use agent::run::{Agent, AgentHandle, AgentSettings};
use anyhow::{Context, bail, ensure};
use beltwatch::client::{Identity, Service};
use beltwatch::config::Config;
use beltwatch::serve::Server;
use domain::belt::{Contact, Direction};
use harness::service::prove_direction;
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};
use wire::api::v1::account_service_client::AccountServiceClient;
use wire::api::v1::admin_service_client::AdminServiceClient;
use wire::api::v1::course_service_client::CourseServiceClient;
use wire::api::v1::drill_service_client::DrillServiceClient;
use wire::api::v1::fleet_service_client::FleetServiceClient;
use wire::api::v1::handling_service_client::HandlingServiceClient;
use wire::api::v1::incident_service_client::IncidentServiceClient;
use wire::api::v1::notification_service_client::NotificationServiceClient;
use wire::api::v1::{BeltKind, CreateMachineRequest, CreateSiteRequest, MachineState, Status};
use wire::api::v1::{ListMachinesRequest, RedeemLinkRequest};
use wire::credential::Credential;

use super::belt::{Act, Belt, Edges};
use super::driver::Browser;
use crate::processes::PATIENCE;

/// Name and password of the administrator of every floor.
pub(super) const USER: &str = "anna";
pub(super) const PASSWORD: &str = "seven quiet treadmills";
/// How long an agent may take to deliver what it has.
const DRAIN: Duration = Duration::from_secs(20);

/// A server in a folder of its own, with agents.
#[derive(Debug)]
pub(super) struct Floor {
    config: Config,
    server: Option<Server>,
    agents: Vec<AgentHandle>,
    /// Dropped last: agents and server write into it.
    folder: TempDir,
}

impl Floor {
    /// Starts a server that has an administrator and nothing else. It keeps its ports over restarts.
    pub(super) async fn start() -> anyhow::Result<Floor> {
        let folder = tempfile::Builder::new().prefix("beltwatch-browser-").tempdir()?;
        let mut config = Config { folder: folder.path().join("server"), ..Config::default() };
        config.api.listen.set_port(0);
        config.broker.listen.set_port(0);
        let server = Server::start(&config).await?;
        config.api.listen = server.api_address();
        config.broker.listen = server.broker_address().parse().context("the broker's address")?;
        let link = server.first_administrator_link().context("a new server has a first link")?;
        let code = link.trim_start_matches("/link/").to_owned();
        let mut account = AccountServiceClient::new(channel(&server).await?);
        let request = RedeemLinkRequest { code, user_name: USER.to_owned(), password: PASSWORD.to_owned() };
        account.redeem_link(request).await.context("making the administrator")?;
        Ok(Floor { config, server: Some(server), agents: Vec::new(), folder })
    }

    pub(super) fn server(&self) -> anyhow::Result<&Server> {
        self.server.as_ref().context("the server is stopped")
    }

    /// Where the pages are; also while the server is stopped.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.config.api.listen)
    }

    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(super) async fn account(&self) -> anyhow::Result<AccountServiceClient<Channel>> {
        Ok(AccountServiceClient::new(channel(self.server()?).await?))
    }

    pub(super) async fn admin(&self) -> anyhow::Result<AdminServiceClient<Service>> {
        let (channel, identity) = self.operator().await?;
        Ok(AdminServiceClient::with_interceptor(channel, identity))
    }

    pub(super) async fn incidents(&self) -> anyhow::Result<IncidentServiceClient<Service>> {
        let (channel, identity) = self.operator().await?;
        Ok(IncidentServiceClient::with_interceptor(channel, identity))
    }

    pub(super) async fn handling(&self) -> anyhow::Result<HandlingServiceClient<Service>> {
        let (channel, identity) = self.operator().await?;
        Ok(HandlingServiceClient::with_interceptor(channel, identity))
    }

    pub(super) async fn drills(&self) -> anyhow::Result<DrillServiceClient<Service>> {
        let (channel, identity) = self.operator().await?;
        Ok(DrillServiceClient::with_interceptor(channel, identity))
    }

    pub(super) async fn courses(&self) -> anyhow::Result<CourseServiceClient<Service>> {
        let (channel, identity) = self.operator().await?;
        Ok(CourseServiceClient::with_interceptor(channel, identity))
    }

    pub(super) async fn notification(&self) -> anyhow::Result<NotificationServiceClient<Service>> {
        let (channel, identity) = self.operator().await?;
        Ok(NotificationServiceClient::with_interceptor(channel, identity))
    }

    async fn operator(&self) -> anyhow::Result<(Channel, Identity)> {
        let server = self.server()?;
        let identity = Identity::bearer(server.operator_secret(), Some("browser"))?;
        Ok((channel(server).await?, identity))
    }

    /// Each machine's state, as the API tells it.
    pub(super) async fn states(&self) -> anyhow::Result<Vec<MachineState>> {
        let (channel, identity) = self.operator().await?;
        let mut fleet = FleetServiceClient::with_interceptor(channel, identity);
        let request = ListMachinesRequest { page_size: 1_000, ..ListMachinesRequest::default() };
        Ok(fleet.list_machines(request).await?.into_inner().machines)
    }

    pub(super) async fn add_site(&self, id: &str, name: &str) -> anyhow::Result<()> {
        let request = CreateSiteRequest {
            site_id: id.to_owned(),
            display_name: name.to_owned(),
            time_zone: "Europe/Vienna".to_owned(),
            ..CreateSiteRequest::default()
        };
        self.admin().await?.create_site(request).await.with_context(|| format!("adding site {id}"))?;
        Ok(())
    }

    pub(super) async fn add_machine(&self, site: &str, id: &str, name: &str) -> anyhow::Result<Credential> {
        let request = CreateMachineRequest {
            machine_id: id.to_owned(),
            site_id: site.to_owned(),
            display_name: name.to_owned(),
            model: "Reversible with encoder".to_owned(),
            belt: BeltKind::Reversible.into(),
            ..CreateMachineRequest::default()
        };
        let reply = self.admin().await?.create_machine(request).await;
        let reply = reply.with_context(|| format!("adding machine {id}"))?.into_inner();
        prove_direction(self.server()?, self.admin().await?, id).await?;
        Ok(Credential::from_json(&reply.credential)?)
    }

    /// Starts a machine's agent beside a belt.
    pub(super) async fn play(&mut self, credential: Credential, belt: Belt) -> anyhow::Result<()> {
        let handle = start_agent(self.folder.path().join("agents"), credential, belt).await?;
        self.agents.push(handle);
        Ok(())
    }

    /// Ends the server; folder, ports and agents stay.
    pub(super) async fn stop_server(&mut self) -> anyhow::Result<()> {
        if let Some(server) = self.server.take() {
            server.stop().await?;
        }
        Ok(())
    }

    /// Starts the server again in its folder, on its ports.
    pub(super) async fn start_server(&mut self) -> anyhow::Result<()> {
        self.server = Some(Server::start(&self.config).await?);
        Ok(())
    }

    /// Ends agents and server.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        let stops = self.agents.drain(..).map(|agent| agent.stop(DRAIN));
        futures::future::try_join_all(stops).await.context("an agent did not end")?;
        self.stop_server().await
    }

    /// Signs in by the form, as a person would.
    pub(super) async fn sign_in(&self, browser: &Browser) -> anyhow::Result<()> {
        Floor::sign_in_at(browser, &self.url("/sign-in")).await
    }

    /// The same, at this address.
    pub(super) async fn sign_in_at(browser: &Browser, address: &str) -> anyhow::Result<()> {
        Floor::sign_in_as(browser, address, USER).await
    }

    /// The same, as somebody else. All have the same password.
    pub(super) async fn sign_in_as(browser: &Browser, address: &str, name: &str) -> anyhow::Result<()> {
        browser.open(address).await?;
        let script = include_str!("scripts/sign_in.js");
        browser.run(script, vec![name.into(), PASSWORD.into()]).await?;
        browser.wait_until("location.pathname !== '/sign-in' && document.readyState === 'complete'").await
    }

    /// Signs in whatever the browser holds already.
    pub(super) async fn sign_in_again(&self, browser: &Browser) -> anyhow::Result<()> {
        browser.open(&self.url("/sign-in")).await?;
        let is_form = "return Boolean(document.querySelector('input[type=password]'))";
        ensure!(browser.run(is_form, Vec::new()).await? == true, "the form to sign in is not there");
        self.sign_in(browser).await
    }

    /// A server with two sites; at the first a machine in every status there is.
    pub(super) async fn in_every_status() -> anyhow::Result<Floor> {
        let mut floor = Floor::start().await?;
        floor.fill().await?;
        Ok(floor)
    }

    /// Two sites; at the first a machine in every status there is.
    pub(super) async fn fill(&mut self) -> anyhow::Result<()> {
        let floor = self;
        floor.add_site("north", "Northside Gym").await?;
        floor.add_site("harbour", "Harbour Rehabilitation").await?;
        let edges = Edges::default();
        let mut offline = None;
        for (number, (status, acts)) in EVERY_STATUS.iter().enumerate() {
            let id = format!("north-{:02}", number + 1);
            let credential = floor.add_machine("north", &id, &format!("Treadmill {}", number + 1)).await?;
            if *status == Status::NeverSeen {
                continue;
            }
            let belt = Belt::new(&id, acts, 1, 0, &edges);
            floor.play(credential, belt).await?;
            if *status == Status::Offline {
                offline = floor.agents.pop();
            }
        }
        let credential = floor.add_machine("harbour", "harbour-01", "Treadmill 1").await?;
        let belt = Belt::new("harbour-01", &[Act::runs(Direction::Forward, 2_000, 1_000)], 1, 0, &edges);
        floor.play(credential, belt).await?;
        let offline = offline.context("one machine goes offline")?;
        floor
            .wait_for("something of the machine that goes offline", |states| {
                states.iter().any(|state| {
                    state.machine.as_ref().is_some_and(|machine| machine.id == offline.machine().as_str())
                        && state.status() == Status::Forward
                })
            })
            .await?;
        offline.stop(DRAIN).await?;
        let all = EVERY_STATUS.map(|(status, _)| status);
        let is_reached = |states: &[MachineState]| {
            all.iter().all(|status| states.iter().any(|state| state.status() == *status))
        };
        floor.wait_for("a machine in every status", is_reached).await
    }

    /// Waits until the API tells what is hoped for.
    pub(super) async fn wait_for(
        &self,
        what: &str,
        is_so: impl Fn(&[MachineState]) -> bool,
    ) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut states = Vec::new();
        while tokio::time::Instant::now() < deadline {
            states = self.states().await?;
            if is_so(&states) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let told: Vec<String> = states
            .iter()
            .map(|state| format!("{} {:?}", state.machine.clone().unwrap_or_default().id, state.status()))
            .collect();
        bail!("not within {PATIENCE:?}: {what}; there are {}", told.join(", "))
    }
}

/// Every status, and how a belt comes to it.
const EVERY_STATUS: [(Status, &[Act]); 12] = [
    (
        Status::EmergencyStop,
        &[
            Act::runs(Direction::Forward, 2_400, 3_000),
            Act::runs(Direction::Forward, 900, 300).with_open(Contact::EmergencyStop),
            Act::stands(1_000).with_open(Contact::EmergencyStop),
        ],
    ),
    (
        Status::KeyPulled,
        &[
            Act::runs(Direction::Reverse, 900, 3_000),
            Act::runs(Direction::Reverse, 400, 300).with_open(Contact::SafetyKey),
            Act::stands(1_000).with_open(Contact::SafetyKey),
        ],
    ),
    (
        Status::PowerLost,
        &[
            Act::runs(Direction::Forward, 1_900, 3_000),
            Act::runs(Direction::Forward, 700, 300).with_open(Contact::MachinePower),
            Act::stands(1_000).with_open(Contact::MachinePower),
        ],
    ),
    (Status::Reverse, &[Act::runs(Direction::Reverse, 894, 1_000)]),
    (
        Status::MovingUnknown,
        &[Act { direction: None, mm_s: 1_300, open: None, is_silent: false, millis: 1_000 }],
    ),
    (Status::Offline, &[Act::runs(Direction::Forward, 1_500, 1_000)]),
    (
        Status::Silent,
        &[
            Act::runs(Direction::Forward, 1_200, 3_000),
            Act { direction: Some(Direction::Unknown), mm_s: 0, open: None, is_silent: true, millis: 1_000 },
        ],
    ),
    (Status::Forward, &[Act::runs(Direction::Forward, 2_778, 1_000)]),
    (Status::Resting, &[Act::runs(Direction::Forward, 1_500, 3_000), Act::stands(1_000)]),
    (Status::OutOfUse, &[Act::stands(1_000), Act::stands(1_000).with_open(Contact::SafetyKey)]),
    (Status::Free, &[Act::stands(1_000)]),
    (Status::NeverSeen, &[]),
];

async fn start_agent(folder: PathBuf, credential: Credential, belt: Belt) -> anyhow::Result<AgentHandle> {
    let spool = folder.join(credential.machine.as_str());
    let machine = credential.machine.to_string();
    let settings = AgentSettings::new(credential, spool, Box::new(belt));
    Agent::start(settings).await.with_context(|| format!("starting the agent of {machine}"))
}

async fn channel(server: &Server) -> anyhow::Result<Channel> {
    let url = format!("http://{}", server.api_address());
    let channel = Endpoint::from_shared(url)?.connect().await;
    let channel = channel.context("the API does not answer")?;
    ensure!(server.api_address().ip().is_loopback(), "the suite speaks to loopback only");
    Ok(channel)
}
