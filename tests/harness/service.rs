//! A whole service on free ports of loopback, with its stores in a folder that goes with it.

use std::path::Path;
use std::time::Duration;

use agent::run::{Agent, AgentHandle, AgentSettings};
use anyhow::Context;
use beltwatch::client::{self, Identity};
use beltwatch::config::{Config, TlsMode};
use beltwatch::serve::Server;
use domain::ids::MachineId;
use domain::signal::Script;
use domain::units::UnixMicros;
use store::fact::{Fact, FactKind, NewCommissioning};
use tonic::transport::{Certificate, Channel, ClientTlsConfig};
use wire::api::v1::account_service_client::AccountServiceClient;
use wire::api::v1::admin_service_client::AdminServiceClient;
use wire::api::v1::drill_service_client::DrillServiceClient;
use wire::api::v1::enrolment_service_client::EnrolmentServiceClient;
use wire::api::v1::fleet_service_client::FleetServiceClient;
use wire::api::v1::handling_service_client::HandlingServiceClient;
use wire::api::v1::incident_service_client::IncidentServiceClient;
use wire::api::v1::notification_service_client::NotificationServiceClient;
use wire::api::v1::telemetry_service_client::TelemetryServiceClient;
use wire::api::v1::usage_service_client::UsageServiceClient;
use wire::api::v1::{
    BeltKind, CreateMachineRequest, CreateSiteRequest, Event, ListEventsRequest, RecordCommissioningRequest,
};
use wire::api::v1::{ListReadingsRequest, Reading};
use wire::credential::Credential;

/// How long an agent may take to deliver what it has when a test ends it.
const DRAIN: Duration = Duration::from_secs(20);

/// A service under test. It can be stopped and started again on the same folder.
#[derive(Debug)]
pub struct Service {
    folder: tempfile::TempDir,
    config: Config,
    server: Option<Server>,
}

impl Service {
    /// Starts a service with one site, `north`.
    pub async fn start() -> anyhow::Result<Service> {
        Service::start_as(TlsMode::Off).await
    }

    /// The same with TLS, by certificates of its own authority.
    pub async fn start_with_tls() -> anyhow::Result<Service> {
        Service::start_as(TlsMode::Own).await
    }

    async fn start_as(mode: TlsMode) -> anyhow::Result<Service> {
        let folder = tempfile::tempdir()?;
        let mut config = Config { folder: folder.path().join("server"), ..Config::default() };
        config.api.listen.set_port(0);
        config.broker.listen.set_port(0);
        config.tls.mode = mode;
        let server = Server::start(&config).await?;
        // Agents keep the broker's address over restarts.
        let port = server.broker_address().rsplit_once(':').context("an address")?.1.parse()?;
        config.broker.listen.set_port(port);
        let service = Service { folder, config, server: Some(server) };
        let site = CreateSiteRequest {
            site_id: "north".to_owned(),
            time_zone: "Europe/Vienna".to_owned(),
            ..CreateSiteRequest::default()
        };
        service.admin().await?.create_site(site).await?;
        Ok(service)
    }

    /// The running server.
    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("it runs")
    }

    /// Stops the server; its folder stays.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(server) = self.server.take() {
            server.stop().await?;
        }
        Ok(())
    }

    /// Starts the server again on its folder.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        self.server = Some(Server::start(&self.config).await?);
        Ok(())
    }

    /// Starts the server on another folder from now on; agents and their spools stay.
    pub async fn start_on(&mut self, folder: &Path) -> anyhow::Result<()> {
        self.config.folder = folder.to_owned();
        self.start_again().await
    }

    /// The server's folder.
    pub fn folder(&self) -> &Path {
        &self.config.folder
    }

    /// Registers a reversible machine whose direction is proven and gives its credential.
    pub async fn add_machine(&self, id: &str) -> anyhow::Result<Credential> {
        let request = CreateMachineRequest {
            machine_id: id.to_owned(),
            site_id: "north".to_owned(),
            belt: BeltKind::Reversible.into(),
            ..CreateMachineRequest::default()
        };
        let reply = self.admin().await?.create_machine(request).await?.into_inner();
        prove_direction(self.server(), self.admin().await?, id).await?;
        Ok(Credential::from_json(&reply.credential)?)
    }

    /// Starts an agent with a spool of its own beside the server's folder.
    pub async fn start_agent(
        &self,
        credential: Credential,
        script: Box<dyn Script>,
    ) -> anyhow::Result<AgentHandle> {
        let spool = self.spool(credential.machine.as_str());
        Ok(Agent::start(AgentSettings::new(credential, spool, script)).await?)
    }

    /// Plays a script to its end on a machine, and returns when everything seen is acknowledged.
    pub async fn play(&self, credential: Credential, script: Box<dyn Script>) -> anyhow::Result<()> {
        let mut agent = self.start_agent(credential, script).await?;
        agent.wait_until(|progress| progress.has_source_ended).await;
        let end = agent.stop(DRAIN).await?;
        anyhow::ensure!(end.is_delivered(), "the agent could not deliver: {end:?}");
        Ok(())
    }

    /// Where the API is.
    pub fn url(&self) -> String {
        let scheme = if self.config.tls.mode == TlsMode::Off { "http" } else { "https" };
        format!("{scheme}://{}", self.server().api_address())
    }

    /// A folder for an agent's own files, beside the server's.
    pub fn agent_folder(&self, name: &str) -> anyhow::Result<std::path::PathBuf> {
        let folder = self.spool(name);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    fn spool(&self, machine: &str) -> std::path::PathBuf {
        Path::new(self.folder.path()).join("agents").join(machine)
    }

    /// A client of the registry.
    pub async fn admin(&self) -> anyhow::Result<AdminServiceClient<client::Service>> {
        Ok(AdminServiceClient::with_interceptor(self.channel().await?, self.operator()?))
    }

    /// A client of enrolment.
    pub async fn enrolment(&self) -> anyhow::Result<EnrolmentServiceClient<client::Service>> {
        Ok(EnrolmentServiceClient::with_interceptor(self.channel().await?, self.operator()?))
    }

    /// A client of somebody's account, who is not known yet.
    pub async fn account(&self) -> anyhow::Result<AccountServiceClient<Channel>> {
        Ok(AccountServiceClient::new(self.channel().await?))
    }

    /// A client of the live state.
    pub async fn fleet(&self) -> anyhow::Result<FleetServiceClient<client::Service>> {
        Ok(FleetServiceClient::with_interceptor(self.channel().await?, self.operator()?))
    }

    /// A client of the history.
    pub async fn telemetry(&self) -> anyhow::Result<TelemetryServiceClient<client::Service>> {
        Ok(TelemetryServiceClient::with_interceptor(self.channel().await?, self.operator()?))
    }

    /// A client of incidents.
    pub async fn incidents(&self) -> anyhow::Result<IncidentServiceClient<client::Service>> {
        Ok(IncidentServiceClient::with_interceptor(self.channel().await?, self.operator()?))
    }

    /// A client of what people do about incidents.
    pub async fn handling(&self) -> anyhow::Result<HandlingServiceClient<client::Service>> {
        Ok(HandlingServiceClient::with_interceptor(self.channel().await?, self.operator()?))
    }

    /// A client of proof tests.
    pub async fn drills(&self) -> anyhow::Result<DrillServiceClient<client::Service>> {
        Ok(DrillServiceClient::with_interceptor(self.channel().await?, self.operator()?))
    }

    /// A client of who is told.
    pub async fn notification(&self) -> anyhow::Result<NotificationServiceClient<client::Service>> {
        Ok(NotificationServiceClient::with_interceptor(self.channel().await?, self.operator()?))
    }

    /// A client of usage.
    pub async fn usage(&self) -> anyhow::Result<UsageServiceClient<client::Service>> {
        Ok(UsageServiceClient::with_interceptor(self.channel().await?, self.operator()?))
    }

    /// All events of the last day.
    pub async fn events(&self, machine: &str) -> anyhow::Result<Vec<Event>> {
        let request = ListEventsRequest { machine_id: machine.to_owned(), ..ListEventsRequest::default() };
        Ok(self.telemetry().await?.list_events(request).await?.into_inner().events)
    }

    /// All readings of the last day.
    pub async fn readings(&self, machine: &str) -> anyhow::Result<Vec<Reading>> {
        let request =
            ListReadingsRequest { machine_id: machine.to_owned(), ..ListReadingsRequest::default() };
        Ok(self.telemetry().await?.list_readings(request).await?.into_inner().readings)
    }

    async fn channel(&self) -> anyhow::Result<Channel> {
        let endpoint = Channel::from_shared(self.url())?;
        if self.config.tls.mode == TlsMode::Off {
            return Ok(endpoint.connect().await?);
        }
        let authority = Certificate::from_pem(std::fs::read(self.config.folder.join("authority.pem"))?);
        let tls = ClientTlsConfig::new().domain_name("127.0.0.1").ca_certificate(authority);
        Ok(endpoint.tls_config(tls)?.connect().await?)
    }

    fn operator(&self) -> anyhow::Result<Identity> {
        Identity::bearer(self.server().operator_secret(), Some("test"))
    }
}

/// Proves the direction of a machine, long ago: what is set holds only some seconds later.
///
/// # Errors
///
/// If the server refuses.
pub async fn prove_direction(
    server: &Server,
    mut admin: AdminServiceClient<client::Service>,
    machine: &str,
) -> anyhow::Result<()> {
    let new = NewCommissioning {
        machine: MachineId::new(machine)?,
        direction_proven: true,
        stops: Vec::new(),
        silent_on_stop: false,
        incline_is_target: false,
        note: String::new(),
        seen: None,
    };
    let (time, author) = (UnixMicros(0), "user:test".to_owned());
    let fact = Fact { time, author, request_id: None, kind: FactKind::Commissioned(new) };
    server.stores().ledger.add_fact(fact).await?;
    // The same through the API, which tells the ingest.
    let request = RecordCommissioningRequest {
        machine_id: machine.to_owned(),
        direction_proven: true,
        ..RecordCommissioningRequest::default()
    };
    admin.record_commissioning(request).await?;
    Ok(())
}
