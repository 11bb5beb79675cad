//! A gym that fills an InfluxDB: a real broker, a real server, simulated agents; and what its API says of them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use beltwatch::client::Identity;
use domain::ids::MachineId;
use tokio::process::Command;
use tokio::time::Instant;
use tonic::transport::Channel;
use wire::api::v1;
use wire::api::v1::incident_service_client::IncidentServiceClient;
use wire::api::v1::usage_service_client::UsageServiceClient;
use wire::topics::{Kind, Topic};

use crate::influxd::{Influxd, NAME};
use crate::processes::{AgentPlan, Fleet, PATIENCE, Process, Victim, program};
use crate::reverse_run::reverse_run_with_stop;
use crate::stored::operator_secret;

/// Runs in reverse and is stopped by the emergency stop.
pub(crate) const STOPPED: &str = "tm-01";
/// Only its console is heard: it tells no direction.
pub(crate) const CONSOLE: &str = "tm-02";
/// Registered on another site, and never heard.
pub(crate) const UNHEARD: &str = "tm-03";
/// Nobody knows it; what it sends is refused.
const NOBODY: &str = "nobody";
/// How long the broker is away: the server complains of that, and its next point says so.
const BROKER_AWAY: Duration = Duration::from_secs(12);
/// How often the server's answers are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// The processes.
#[derive(Debug)]
pub(crate) struct Gym {
    pub(crate) influxd: Influxd,
    fleet: Fleet,
    console: Process,
    seed: u64,
    /// Reads, and nothing else.
    pub(crate) reading_token: String,
}

/// Microseconds in motion of one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Moved {
    pub(crate) forward_us: i64,
    pub(crate) reverse_us: i64,
    pub(crate) unknown_us: i64,
}

/// An InfluxDB with buckets and tokens that `beltwatch influxdb setup` made, without a server.
pub(crate) async fn set_up(influxd: &Path) -> anyhow::Result<(Influxd, String)> {
    let mut influxd = Influxd::start_fresh(influxd).await?;
    let config = influxd.folder().join("setup.toml");
    let at = |name: &str| influxd.folder().join(name);
    std::fs::write(&config, influxd.config_section(&influxd.url()))?;
    let files = ["token", "grafana.token", "admin.token"].map(at);
    let mut command = Command::new(program("beltwatch")?);
    command.args(["influxdb", "setup", "--config"]).arg(&config);
    for (name, file) in ["--token-file", "--grafana-token-file", "--admin-token-file"].iter().zip(&files) {
        command.arg(name).arg(file);
    }
    let output = command.stdin(Stdio::null()).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "beltwatch influxdb setup ended with {}: {said}", output.status);
    let [token, reading, admin] =
        files.map(|file| std::fs::read_to_string(&file).with_context(|| file.display().to_string()));
    influxd.know(admin?.trim(), token?.trim())?;
    Ok((influxd, reading?.trim().to_owned()))
}

impl Gym {
    /// Starts broker, server and agents.
    pub(crate) async fn start(influxd: Influxd, reading_token: String) -> anyhow::Result<Gym> {
        let mut fleet = Fleet::start_with(&influxd.config_section(&influxd.url())).await?;
        let (seed, _) =
            reverse_run_with_stop().context("no seed gives a reverse run with an emergency stop")?;
        fleet.add_machine(STOPPED).await?;
        let url = fleet.api_url();
        // What was proven holds some seconds later: the stop comes later still.
        fleet.start_agent(STOPPED, AgentPlan { seed, pace: 20 })?;
        let credential = fleet.add_machine(CONSOLE).await?;
        let console = Process::start(
            program("beltwatch-agent")?,
            console_arguments(&credential),
            credential.with_extension("log"),
        )?;
        command(&url, &["site", "add", "south", "--time-zone", "UTC"]).await?;
        let unheard = credential.with_file_name("unheard.json").display().to_string();
        let add = ["machine", "add", UNHEARD, "--site", "south", "--belt", "one-way", "--out", &unheard];
        command(&url, &add).await?;
        Ok(Gym { influxd, fleet, console, seed, reading_token })
    }

    /// The seed of the belt that is stopped.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Has a message refused, and takes the broker away for a while.
    pub(crate) async fn make_trouble(&mut self) -> anyhow::Result<()> {
        let topic = Topic { machine: MachineId::new(NOBODY)?, kind: Kind::Readings }.to_string();
        let port = self.fleet.broker_port().to_string();
        let arguments =
            ["-h", "127.0.0.1", "-p", &port, "-q", "1", "-t", &topic, "-m", "nothing that we read"];
        let status = Command::new("mosquitto_pub").args(arguments).status().await?;
        ensure!(status.success(), "mosquitto_pub ended with {status}");
        self.fleet.kill(Victim::Broker, BROKER_AWAY).await
    }

    /// Waits until the API lists an emergency stop of a belt that ran in reverse.
    pub(crate) async fn stopped_in_reverse(&self) -> anyhow::Result<()> {
        let is_it = |one: &v1::Incident| {
            one.rule == "emergency-stop"
                && one.direction() == v1::Direction::Reverse
                && one.severity() == v1::Severity::Critical
        };
        let deadline = Instant::now() + 2 * PATIENCE;
        while Instant::now() < deadline {
            if self.incidents().await?.iter().any(is_it) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("no emergency stop in reverse within {:?}", 2 * PATIENCE)
    }

    /// Ends the agents; they deliver what they have.
    pub(crate) async fn stop_agents(&mut self) -> anyhow::Result<()> {
        self.console.terminate().await?;
        self.fleet.stop_agents().await
    }

    /// Ends everything and looks into the logs.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        self.fleet.stop().await?;
        self.console.check_log()?;
        self.influxd.terminate().await?;
        self.influxd.check_log()
    }

    /// Leaves the folders behind.
    pub(crate) fn keep(&mut self) {
        self.fleet.keep();
        self.influxd.keep();
    }

    /// All incidents that the API lists.
    pub(crate) async fn incidents(&self) -> anyhow::Result<Vec<v1::Incident>> {
        let (channel, identity) = self.connect().await?;
        let mut client = IncidentServiceClient::with_interceptor(channel, identity);
        let request = v1::ListIncidentsRequest { page_size: 1_000, ..Default::default() };
        let page = client.list_incidents(request).await?.into_inner();
        ensure!(page.next_page_token.is_empty(), "more incidents than a page takes");
        Ok(page.incidents)
    }

    /// Motion of each machine since yesterday, by the API.
    pub(crate) async fn usage(&self) -> anyhow::Result<BTreeMap<String, Moved>> {
        let (channel, identity) = self.connect().await?;
        let mut client = UsageServiceClient::with_interceptor(channel, identity);
        let yesterday = jiff::Zoned::now().yesterday()?.date().yesterday()?;
        let range = v1::DateRange { start_date: yesterday.to_string(), ..Default::default() };
        let request = v1::GetUsageRequest {
            range: Some(range),
            group_by: v1::GroupBy::Machine.into(),
            ..Default::default()
        };
        let groups = client.get_usage(request).await?.into_inner().groups;
        let micros = |motion: Option<v1::Motion>| {
            let observed = motion.and_then(|motion| motion.observed).unwrap_or_default();
            observed.seconds * 1_000_000 + i64::from(observed.nanos) / 1_000
        };
        let moved = groups.into_iter().map(|group| {
            let usage = group.usage.unwrap_or_default();
            let moved = Moved {
                forward_us: micros(usage.forward),
                reverse_us: micros(usage.reverse),
                unknown_us: micros(usage.unknown),
            };
            (group.key, moved)
        });
        Ok(moved.filter(|(_, moved)| *moved != Moved::default()).collect())
    }

    async fn connect(&self) -> anyhow::Result<(Channel, Identity)> {
        let url = self.fleet.api_url();
        let identity = Identity::bearer(&operator_secret(&url)?, None)?;
        let channel = Channel::from_shared(url)?.connect().await.context("the API does not answer")?;
        Ok((channel, identity))
    }
}

/// Runs the operator's command.
async fn command(url: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new(program("beltwatch")?);
    command.args(["--server", url]).args(arguments).stdin(Stdio::null());
    let output = command.output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "beltwatch {} failed: {said}", arguments.join(" "));
    Ok(())
}

fn console_arguments(credential: &Path) -> Vec<OsString> {
    let spool: PathBuf = credential.with_extension("spool");
    let drain = (PATIENCE.as_secs() - 10).to_string();
    let values = ["--profile", "ftms", "--seed", "2", "--pace", "20", "--drain", &drain].map(OsString::from);
    let files = ["--credential".into(), credential.into(), "--spool".into(), spool.into()];
    std::iter::once("simulate".into()).chain(files).chain(values).collect()
}

/// The bucket of what is derived.
pub(crate) const BUCKET: &str = NAME;
