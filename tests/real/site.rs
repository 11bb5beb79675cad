//! A site's agents from nothing: one code for all of them over TLS, approval, an upgrade in stages, an upgrade that is
//! taken back; and every record of each is stored once.

mod computers;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::{Duration, Instant, sleep};
use tonic::transport::{Certificate, Channel, ClientTlsConfig};

use self::computers::Computers;
use crate::processes::{PATIENCE, Process, free_ports, program};
use crate::report;
use crate::stored;
use crate::truth::Truth;
use crate::verdict::Verdict;

/// How often something is looked at again.
const POLL: Duration = Duration::from_millis(200);
/// How long a site may take to enrol or to upgrade.
const LONG: Duration = Duration::from_secs(600);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many agents
    #[arg(long, default_value_t = 50)]
    machines: usize,
    /// Keep the folder with logs and databases even if all is well
    #[arg(long)]
    keep: bool,
}

/// A server with TLS and its embedded broker.
#[derive(Debug)]
struct Stage {
    folder: PathBuf,
    api_port: u16,
    server: Process,
    temporary: Option<TempDir>,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut stage = Stage::start().await?;
    let outcome = site(&mut stage, arguments.machines).await;
    if outcome.is_err() || arguments.keep {
        stage.keep();
    }
    outcome
}

async fn site(stage: &mut Stage, machines: usize) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut computers = Computers::new(&stage.folder.join("computers"), machines)?;
    let made = stage.json(&["site", "enrol-code", "north", "--machines", &machines.to_string()]).await?;
    let code = made["codes"][0]["code"].as_str().context("no code was made")?.to_owned();
    computers.enrol(&stage.url(), &code)?;
    approve(stage, machines).await?;
    computers.enrolled().await?;
    report(&format!("{machines} agents enrolled with one code in {} s", began.elapsed().as_secs()));
    computers.start_agents()?;
    stage.all_online(machines, "0.1.0").await?;
    let began = Instant::now();
    upgrade(stage, &computers, machines).await?;
    report(&format!("upgraded in stages in {} s", began.elapsed().as_secs()));
    take_back(stage, &computers, machines).await?;
    report("an upgrade that does not start was taken back; nobody else was touched");
    computers.stop_agents().await?;
    let verdict = judge(stage, &computers).await?;
    report(&verdict.to_string());
    stage.server.terminate().await?;
    stage.server.check_log()?;
    ensure!(verdict.is_clean(), "records are missing, twice or wrong");
    Ok(())
}

/// Staff approve who waits, each as a machine of its own.
async fn approve(stage: &Stage, machines: usize) -> anyhow::Result<()> {
    let (deadline, mut approved) = (Instant::now() + LONG, 0);
    while approved < machines {
        ensure!(Instant::now() < deadline, "{approved} of {machines} agents have come after {LONG:?}");
        let waiting = stage.json(&["enrolment", "list"]).await?;
        for one in waiting["enrolments"].as_array().into_iter().flatten() {
            let number = one["id"].as_str().context("an agent that waits has no number")?;
            let machine = one["name"].as_str().context("an agent that waits has no name")?;
            stage.command(&["enrolment", "approve", number, machine, "--belt", "reversible"]).await?;
            stage.command(&["machine", "commission", machine, "--direction-proven"]).await?;
            approved += 1;
        }
        sleep(POLL).await;
    }
    Ok(())
}

/// All get a newer version.
async fn upgrade(stage: &Stage, computers: &Computers, machines: usize) -> anyhow::Result<()> {
    let (new, old) = (computers.package("0.1.1")?, computers.package("0.1.0")?);
    stage.upgrade(&new, "0.1.1", &old, &computers.installer()?).await?;
    stage.all_online(machines, "0.1.1").await
}

/// The first machine of the next version does not come back: it gets the one before, and the others keep theirs.
async fn take_back(stage: &Stage, computers: &Computers, machines: usize) -> anyhow::Result<()> {
    let (broken, old) = (computers.broken_package()?, computers.package("0.1.1")?);
    let refused = stage.upgrade(&broken, "0.1.2", &old, &computers.installer()?).await;
    let said = refused.err().context("an upgrade that does not start passed for a good one")?.to_string();
    ensure!(said.contains("stage 1 was taken back"), "{said}");
    stage.all_online(machines, "0.1.1").await
}

async fn judge(stage: &Stage, computers: &Computers) -> anyhow::Result<Verdict> {
    let deadline = Instant::now() + PATIENCE;
    let channel = stage.channel().await?;
    let secret = stored::operator_secret(&stage.url())?;
    loop {
        let mut verdict = Verdict::default();
        for (machine, folder) in computers.all() {
            let truth = Truth::read(&folder.join("truth"))?;
            let listing = stored::list_through(channel.clone(), &secret, machine).await;
            let listing = listing.with_context(|| format!("listing what is stored of {machine}"))?;
            verdict.add(Verdict::of(machine, &truth, &listing, agent::clock::system().offset_us));
        }
        if verdict.is_complete() || Instant::now() >= deadline {
            return Ok(verdict);
        }
        sleep(POLL).await;
    }
}

impl Stage {
    async fn start() -> anyhow::Result<Stage> {
        let temporary = tempfile::Builder::new().prefix("beltwatch-site-").tempdir()?;
        let folder = temporary.path().to_owned();
        let [api_port, broker_port] = free_ports()?;
        let settings = format!(
            "folder = \"{}/server\"\n[api]\nlisten = \"127.0.0.1:{api_port}\"\n[tls]\nmode = \"own\"\n\
             [broker]\nlisten = \"127.0.0.1:{broker_port}\"\n",
            folder.display()
        );
        std::fs::write(folder.join("beltwatch.toml"), settings)?;
        let given = vec!["serve".into(), "--config".into(), folder.join("beltwatch.toml").into()];
        let server = Process::start(program("beltwatch")?, given, folder.join("server.log"))?;
        let mut stage = Stage { folder, api_port, server, temporary: Some(temporary) };
        let deadline = Instant::now() + PATIENCE;
        while stage.command(&["site", "add", "north"]).await.is_err() {
            stage.server.check_running()?;
            ensure!(Instant::now() < deadline, "the server is not ready: {}", stage.server.last_words());
            sleep(POLL).await;
        }
        Ok(stage)
    }

    fn keep(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            report(&format!("logs and files are in {}", temporary.keep().display()));
        }
    }

    fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.api_port)
    }

    fn authority(&self) -> PathBuf {
        self.folder.join("server/authority.pem")
    }

    async fn channel(&self) -> anyhow::Result<Channel> {
        let authority = Certificate::from_pem(std::fs::read(self.authority())?);
        let tls = ClientTlsConfig::new().ca_certificate(authority);
        Ok(Channel::from_shared(self.url())?.tls_config(tls)?.connect().await?)
    }

    async fn upgrade(&self, new: &Path, version: &str, old: &Path, installer: &Path) -> anyhow::Result<()> {
        let path = |path: &Path| path.display().to_string();
        let (new, old, installer) = (path(new), path(old), path(installer));
        let arguments = [
            "upgrade",
            "north",
            "--package",
            &new,
            "--version",
            version,
            "--back",
            &old,
            "--with",
            &installer,
            "--patience",
            "60",
        ];
        self.command(&arguments).await.map(drop)
    }

    /// Waits until so many machines are online with this version.
    async fn all_online(&self, machines: usize, version: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + LONG;
        loop {
            let fleet = self.json(&["machine", "list", "--site", "north"]).await?;
            let is_so = |one: &&Value| one["presence"] == "online" && one["agent_version"] == version;
            let online = fleet["machines"].as_array().into_iter().flatten().filter(is_so).count();
            if online == machines {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "{online} of {machines} are online with version {version}");
            sleep(POLL).await;
        }
    }

    async fn json(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let given: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let said = self.command(&given).await?;
        serde_json::from_str(&said).with_context(|| format!("beltwatch {} says no JSON", arguments.join(" ")))
    }

    async fn command(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(program("beltwatch")?)
            .args(["--server", &self.url()])
            .args(arguments)
            .env("BELTWATCH_AUTHORITY", self.authority())
            .stdin(Stdio::null())
            .output()
            .await?;
        let said = String::from_utf8_lossy(&output.stderr);
        let (line, status) = (arguments.join(" "), output.status);
        ensure!(status.success(), "beltwatch {line} ended with {status}: {said}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
