//! A server as a process of its own, with a folder on disk and the embedded broker, and machines with agents.

use std::path::{Path, PathBuf};
use std::time::Duration;

use agent::run::{Agent, AgentHandle, AgentSettings};
use anyhow::{Context, bail, ensure};
use beltwatch::client::{Client, Options};
use domain::units::MonotonicMicros;
use prost_types::FieldMask;
use tempfile::TempDir;
use wire::api::v1;
use wire::credential::Credential;

use super::belt::{Belt, Button};
use super::program::{Plan, Program, free_ports};
use crate::processes::{PATIENCE, program};
use crate::report;

/// Id and name of the only site.
pub(super) const SITE: (&str, &str) = ("north", "Northside Gym");
/// How often it is looked whether something has come about.
pub(super) const LOOK: Duration = Duration::from_millis(20);
/// A page of a list.
const PAGE: i32 = 999;

/// How mail gets out.
#[derive(Debug, Clone)]
pub(super) struct MailPlan {
    /// host:port.
    pub(super) server: String,
    pub(super) from: String,
    /// File with the authority that signed the mail server's certificate.
    pub(super) authority: PathBuf,
}

/// A machine, its emergency stop, and its agent.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) name: String,
    pub(super) button: Button,
    credential: Credential,
    agent: Option<AgentHandle>,
}

/// A server with machines.
#[derive(Debug)]
pub(super) struct Gym {
    api_port: u16,
    folder: PathBuf,
    server: Program,
    pub(super) machines: Vec<Machine>,
    /// Dropped last: agents and server write into it.
    temporary: Option<TempDir>,
}

impl Gym {
    /// Starts a server with one site, in a new folder that goes with the gym.
    pub(super) async fn start(mail: Option<&MailPlan>) -> anyhow::Result<Gym> {
        let temporary = tempfile::Builder::new().prefix("beltwatch-notify-").tempdir()?;
        let folder = temporary.path().to_owned();
        let [api_port, broker_port] = free_ports()?;
        let settings = folder.join("beltwatch.toml");
        std::fs::write(&settings, settings_of(&folder, api_port, broker_port, mail))?;
        let server = Program::start(Plan {
            program: program("beltwatch")?,
            arguments: vec!["serve".into(), "--config".into(), settings.into()],
            environment: mail
                .map(|mail| ("SSL_CERT_FILE", mail.authority.clone().into()))
                .into_iter()
                .collect(),
            log: folder.join("server.log"),
        })?;
        let mut gym = Gym { api_port, folder, server, machines: Vec::new(), temporary: Some(temporary) };
        gym.ready().await?;
        let request = v1::CreateSiteRequest {
            site_id: SITE.0.to_owned(),
            display_name: SITE.1.to_owned(),
            time_zone: "Europe/Vienna".to_owned(),
            ..Default::default()
        };
        gym.client().await?.admin.create_site(request).await.context("adding the site")?;
        Ok(gym)
    }

    /// Leaves the folder with logs and databases behind.
    pub(super) fn keep(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            report(&format!("logs and databases are in {}", temporary.keep().display()));
        }
    }

    /// Where people reach the pages.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.api_port)
    }

    /// A client that holds the operator's secret of the running server.
    pub(super) async fn client(&self) -> anyhow::Result<Client> {
        let options = Options {
            server: self.url(),
            token: None,
            operator: Some(operator_file(&self.folder)),
            authority: None,
            json: false,
            csv: false,
        };
        Client::connect(&options).await.map_err(|failure| anyhow::anyhow!("{failure:?}"))
    }

    /// Registers machines and starts their agents.
    pub(super) async fn add_machines(&mut self, count: usize) -> anyhow::Result<()> {
        let mut client = self.client().await?;
        for number in 1..=count {
            let name = format!("north-{number:02}");
            let request = v1::CreateMachineRequest {
                machine_id: name.clone(),
                site_id: SITE.0.to_owned(),
                display_name: display_name(number),
                model: "With encoder".to_owned(),
                belt: v1::BeltKind::Reversible.into(),
                ..Default::default()
            };
            let reply = client.admin.create_machine(request).await;
            let reply = reply.with_context(|| format!("adding machine {name}"))?.into_inner();
            let credential = Credential::from_json(&reply.credential)?;
            self.machines.push(Machine { name, button: Button::default(), credential, agent: None });
            self.boot(self.machines.len() - 1).await?;
        }
        Ok(())
    }

    /// Begins a new boot of a machine's agent on its spool. One that has given up connecting for a while would not be
    /// there in time.
    pub(super) async fn boot(&mut self, number: usize) -> anyhow::Result<()> {
        self.rest(number).await?;
        let spool = self.folder.join("agents").join(&self.machines[number].name);
        let machine = &mut self.machines[number];
        let belt = Box::new(Belt::new(machine.button.clone()));
        let agent = Agent::start(AgentSettings::new(machine.credential.clone(), spool, belt)).await;
        machine.agent = Some(agent.with_context(|| format!("starting the agent of {}", machine.name))?);
        Ok(())
    }

    /// Ends a machine's agent; what it has not delivered stays in its spool.
    pub(super) async fn rest(&mut self, number: usize) -> anyhow::Result<()> {
        if let Some(agent) = self.machines[number].agent.take() {
            agent.stop(Duration::ZERO).await.context("an agent did not end")?;
        }
        Ok(())
    }

    /// Waits until the server has every event that a machine's agent has seen so far.
    pub(super) async fn delivered(&mut self, number: usize) -> anyhow::Result<()> {
        let machine = &mut self.machines[number];
        let agent = machine.agent.as_mut().context("its agent does not run")?;
        let is_so = |progress: &agent::run::Progress| {
            progress.is_connected
                && progress.appended[0] > 0
                && progress.unacknowledged[0] == 0
                && progress.counted == 0
        };
        let waited = tokio::time::timeout(PATIENCE, agent.wait_until(is_so)).await;
        waited.with_context(|| format!("{} has not delivered its events", machine.name))?;
        Ok(())
    }

    /// SIGKILL to the server.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        self.server.kill().await
    }

    /// The server again on its folder and ports; ready when this returns.
    pub(super) async fn start_again(&mut self) -> anyhow::Result<()> {
        self.server.start_again()?;
        self.ready().await
    }

    /// Ends agents and server as an operator would, and looks into the server's log.
    pub(super) async fn stop(&mut self) -> anyhow::Result<()> {
        for number in 0..self.machines.len() {
            self.rest(number).await?;
        }
        self.server.terminate().await?;
        self.server.check_log()
    }

    /// Tells a contact of everything at least high, at once.
    pub(super) async fn tell(&self, contact: &str) -> anyhow::Result<()> {
        let step = v1::ChainStep {
            contact: contact.to_owned(),
            least_severity: v1::Severity::High.into(),
            after_seconds: 0,
            staffing: v1::Staffing::Always.into(),
        };
        let request = v1::UpdatePolicyRequest {
            policy: Some(v1::Policy { chain: vec![step], ..Default::default() }),
            update_mask: Some(FieldMask { paths: vec!["chain".to_owned()] }),
            ..v1::UpdatePolicyRequest::default()
        };
        self.client().await?.notifications.update_policy(request).await.context("setting the chain")?;
        Ok(())
    }

    /// Makes a contact; gives its secret if it is a webhook.
    pub(super) async fn set_contact(&self, contact: v1::Contact) -> anyhow::Result<String> {
        let name = contact.name.clone();
        let request = v1::SetContactRequest { contact: Some(contact), ..Default::default() };
        let reply = self.client().await?.notifications.set_contact(request).await;
        Ok(reply.with_context(|| format!("setting contact {name}"))?.into_inner().secret)
    }

    /// Tests a contact, waits until it is known what became of it, and gives that.
    pub(super) async fn test_contact(&self, name: &str) -> anyhow::Result<v1::Notice> {
        let request = v1::TestContactRequest { name: name.to_owned(), request_id: String::new() };
        let reply = self.client().await?.notifications.test_contact(request).await;
        let notice = reply.with_context(|| format!("testing contact {name}"))?.into_inner().notice;
        let id = notice.context("a test has a notice")?.id;
        let what = format!("what became of the test of {name}");
        let notice = self
            .notice(&what, name, |notice| notice.id == id && notice.state() != v1::NoticeState::Waiting)
            .await?;
        ensure!(notice.is_test && notice.incident_id.is_empty(), "it is a test: {notice:?}");
        Ok(notice)
    }

    /// Waits for a notice to a contact.
    pub(super) async fn notice(
        &self,
        what: &str,
        contact: &str,
        is_so: impl Fn(&v1::Notice) -> bool,
    ) -> anyhow::Result<v1::Notice> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let notices = self.notices(contact).await?;
            if let Some(notice) = notices.iter().find(|notice| is_so(notice)) {
                return Ok(notice.clone());
            }
            if tokio::time::Instant::now() >= deadline {
                bail!("not within {PATIENCE:?}: {what}; there are {notices:?}");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// All notices to a contact, newest first.
    pub(super) async fn notices(&self, contact: &str) -> anyhow::Result<Vec<v1::Notice>> {
        let mut client = self.client().await?.notifications;
        let mut request =
            v1::ListNoticesRequest { contact: contact.to_owned(), page_size: PAGE, ..Default::default() };
        let mut notices = Vec::new();
        loop {
            let page = client.list_notices(request.clone()).await?.into_inner();
            notices.extend(page.notices);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return Ok(notices);
            }
        }
    }

    /// All critical incidents, oldest first.
    pub(super) async fn critical(&self) -> anyhow::Result<Vec<v1::Incident>> {
        let mut client = self.client().await?.incidents;
        let filter =
            v1::IncidentFilter { severities: vec![v1::Severity::Critical.into()], ..Default::default() };
        let mut request = v1::ListIncidentsRequest {
            filter: Some(filter),
            order: v1::IncidentOrder::OldestFirst.into(),
            page_size: PAGE,
            page_token: String::new(),
        };
        let mut incidents = Vec::new();
        loop {
            let page = client.list_incidents(request.clone()).await?.into_inner();
            incidents.extend(page.incidents);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return Ok(incidents);
            }
        }
    }

    /// Waits until the server answers whom it knows by its newest secret.
    async fn ready(&mut self) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            self.server.check_running()?;
            if let Ok(mut client) = self.client().await
                && client.notifications.list_contacts(v1::ListContactsRequest::default()).await.is_ok()
            {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("the server is not ready after {PATIENCE:?}; its log:\n{}", self.server.last_words())
    }
}

impl Machine {
    /// Waits until the belt runs at its speed.
    pub(super) async fn runs(&self) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !self.button.is_ready() {
            ensure!(tokio::time::Instant::now() < deadline, "the belt of {} does not run", self.name);
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// When its stop was pressed, in milliseconds since 1970.
    pub(super) fn edges_ms(&self) -> Vec<f64> {
        self.button.edges().into_iter().map(super::clock::unix_ms).collect()
    }

    /// Presses its stop, and gives the moment at which that was asked for.
    pub(super) fn press(&self) -> MonotonicMicros {
        self.button.press();
        agent::clock::monotonic()
    }
}

/// What people call a machine.
pub(super) fn display_name(number: usize) -> String {
    format!("Treadmill {number}")
}

fn operator_file(folder: &Path) -> PathBuf {
    folder.join("operator")
}

fn settings_of(folder: &Path, api_port: u16, broker_port: u16, mail: Option<&MailPlan>) -> String {
    let mut settings = format!(
        "folder = \"{0}/server\"\noperator_file = \"{1}\"\n[api]\nlisten = \"127.0.0.1:{api_port}\"\n\
         [broker]\nlisten = \"127.0.0.1:{broker_port}\"\n",
        folder.display(),
        operator_file(folder).display()
    );
    if let Some(MailPlan { server, from, .. }) = mail {
        settings += &format!("[mail]\nserver = \"{server}\"\ntls = \"starttls\"\nfrom = \"{from}\"\n");
    }
    settings
}
