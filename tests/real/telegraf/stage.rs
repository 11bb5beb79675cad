//! What both stand on: one Mosquitto, one InfluxDB, a server and a Telegraf beside it, and the loads.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use agent::source::simulate::Profile;
use anyhow::{Context, ensure};
use beltwatch::bench::fleet::{Fleet, LoadSettings};
use beltwatch::bench::tape::Tape;
use beltwatch::client::Identity;
use domain::clock::Clock;
use domain::ids::MachineId;
use domain::log::Lane;
use http::Method;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tonic::transport::Channel;
use wire::api::v1::admin_service_client::AdminServiceClient;
use wire::api::v1::{BeltKind, CreateMachineRequest, CreateSiteRequest};

use super::Arguments;
use super::cost::{self, Spent};
use super::lines::Script;
use super::load::{Load, Speakers};
use super::publisher::Publisher;
use crate::influxd::{Influxd, NAME};
use crate::processes::{PATIENCE, Process, free_port, program};
use crate::report;
use crate::stored::operator_secret;

/// After so long without a new point nothing more is expected.
pub(super) const QUIET: Duration = Duration::from_secs(20);
/// The log that Telegraf's machines name: as long as a real one.
pub(super) const LOG: &str = "00112233445566778899aabbccddeeff";
/// How often it is looked whether something has come to pass.
const POLL: Duration = Duration::from_millis(20);
/// Different tapes; machines share them.
const TAPES: u64 = 4;
/// How long ago the machines' tapes began, in microseconds.
const AGE_US: i64 = 30 * 24 * 3_600 * 1_000_000;
/// Site of the machines.
const SITE: &str = "north";

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Beltwatch,
    Telegraf,
}

impl Target {
    pub(super) const BOTH: [Target; 2] = [Target::Beltwatch, Target::Telegraf];

    pub(super) fn name(self) -> &'static str {
        match self {
            Target::Beltwatch => "Beltwatch",
            Target::Telegraf => "Telegraf",
        }
    }

    pub(super) fn index(self) -> usize {
        match self {
            Target::Beltwatch => 0,
            Target::Telegraf => 1,
        }
    }

    /// Where it puts a lane's points.
    pub(super) fn bucket(self, lane: Lane) -> String {
        match self {
            Target::Beltwatch => format!("{NAME}-{}", lane.name()),
            Target::Telegraf => "telegraf".to_owned(),
        }
    }
}

/// All that runs.
#[derive(Debug)]
pub(super) struct Stage {
    influxd: Influxd,
    broker: Process,
    broker_address: SocketAddr,
    server: Process,
    url: String,
    telegraf: Process,
    tapes: Vec<Arc<Tape>>,
    folder: PathBuf,
    /// Dropped last, with everything in it.
    temporary: Option<TempDir>,
}

impl Stage {
    pub(super) async fn start(arguments: &Arguments) -> anyhow::Result<Stage> {
        let temporary = tempfile::Builder::new().prefix("beltwatch-telegraf-").tempdir()?;
        let folder = temporary.path().to_owned();
        let influxd = Influxd::start(&arguments.influxd).await?;
        add_bucket(&influxd, &Target::Telegraf.bucket(Lane::Readings)).await?;
        let (broker_port, api_port) = (free_port()?, free_port()?);
        write_settings(&folder, broker_port, api_port, &influxd)?;
        std::fs::write(folder.join("telegraf.conf"), telegraf_settings(arguments, broker_port, &influxd))?;
        let start = |program: PathBuf, arguments: [&str; 2], first: Option<&str>, name: &str| {
            let file = folder.join(arguments[1]).into();
            let given = first.into_iter().map(Into::into).chain([arguments[0].into(), file]).collect();
            Process::start(program, given, folder.join(name))
        };
        let broker = start(PathBuf::from("mosquitto"), ["-c", "mosquitto.conf"], None, "mosquitto.log")?;
        let broker_address = SocketAddr::from(([127, 0, 0, 1], broker_port));
        // Telegraf ends if nobody listens there when it starts.
        listening(broker_address).await?;
        let server = ["--config", "beltwatch.toml"];
        let server = start(program("beltwatch")?, server, Some("serve"), "server.log")?;
        let telegraf = ["--config", "telegraf.conf"];
        let telegraf = start(arguments.telegraf.clone(), telegraf, None, "telegraf.log")?;
        let tape = |seed| {
            let profile = if seed % 2 == 0 { Profile::encoder() } else { Profile::ftms() };
            Arc::new(Tape::make(profile, seed))
        };
        let mut stage = Stage {
            influxd,
            broker,
            broker_address,
            server,
            url: format!("http://127.0.0.1:{api_port}"),
            telegraf,
            tapes: (0..TAPES).map(tape).collect(),
            folder,
            temporary: Some(temporary),
        };
        stage.ready().await?;
        Ok(stage)
    }

    /// Leaves the folders with logs and databases behind.
    pub(super) fn keep(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            report(&format!("logs and databases are in {}", temporary.keep().display()));
        }
        self.influxd.keep();
    }

    pub(super) fn influxd(&self) -> &Influxd {
        &self.influxd
    }

    /// SIGKILL, and the same program again at once.
    pub(super) async fn kill(&mut self, target: Target) -> anyhow::Result<()> {
        let process = self.process_mut(target);
        process.kill().await?;
        process.start_again()
    }

    pub(super) fn process_id(&self, target: Target) -> anyhow::Result<u32> {
        self.process(target).id()
    }

    /// The end of its log.
    pub(super) fn last_words(&self, target: Target) -> String {
        self.process(target).last_words()
    }

    /// What was spent until now.
    pub(super) fn spent(&self, target: Target) -> anyhow::Result<Spent> {
        Spent::of(self.process_id(target)?, self.influxd.id()?, self.broker.id()?)
    }

    /// Anonymous memory of the target now, in KiB.
    pub(super) fn anonymous_kib(&self, target: Target) -> anyhow::Result<u64> {
        cost::anonymous_kib(self.process_id(target)?)
    }

    /// Machines whose names begin with `prefix`, connected and waiting.
    pub(super) async fn load(
        &self,
        arguments: &Arguments,
        target: Target,
        prefix: &str,
    ) -> anyhow::Result<Load> {
        let names = (1..=arguments.machines).map(|number| format!("{prefix}-{number:03}"));
        let names: Vec<String> = names.collect();
        let speakers = match target {
            Target::Beltwatch => Speakers::Sealed(self.sealed(arguments, &names).await?),
            Target::Telegraf => Speakers::Lines(self.lines(arguments, &names).await?),
        };
        Ok(Load { speakers, machines: arguments.machines as u64, readings: arguments.readings })
    }

    async fn sealed(&self, arguments: &Arguments, names: &[String]) -> anyhow::Result<Fleet> {
        let mut admin = self.admin().await?;
        let mut machines = Vec::new();
        for name in names {
            let request = CreateMachineRequest {
                machine_id: name.clone(),
                site_id: SITE.to_owned(),
                belt: BeltKind::Reversible.into(),
                ..CreateMachineRequest::default()
            };
            admin.create_machine(request).await?;
            machines.push(MachineId::new(name)?);
        }
        Fleet::start(LoadSettings {
            machines,
            readings_per_envelope: arguments.readings_per_message,
            broker: self.broker_address,
            master: beltwatch::keys::master_key(&self.folder.join("server"))?,
        })
        .await
    }

    async fn lines(
        &self,
        arguments: &Arguments,
        names: &[String],
    ) -> anyhow::Result<Vec<(Publisher, Script)>> {
        let system = agent::clock::system();
        let clock = Clock { offset_us: system.offset_us - AGE_US, ..system };
        let (readings, per_message) = (arguments.readings, arguments.readings_per_message);
        let mut speakers = Vec::new();
        for (name, tape) in names.iter().zip(self.tapes.iter().cycle()) {
            let script = Script::write(name, tape, clock, readings, per_message)?;
            speakers.push((Publisher::connect(self.broker_address, name).await?, script));
        }
        Ok(speakers)
    }

    /// Ends both and the broker, and looks into the logs.
    pub(super) async fn stop(&mut self) -> anyhow::Result<()> {
        self.server.terminate().await?;
        self.telegraf.terminate().await?;
        self.broker.terminate().await?;
        self.influxd.kill().await?;
        self.server.check_log()?;
        self.influxd.check_log()
    }

    fn process(&self, target: Target) -> &Process {
        match target {
            Target::Beltwatch => &self.server,
            Target::Telegraf => &self.telegraf,
        }
    }

    fn process_mut(&mut self, target: Target) -> &mut Process {
        match target {
            Target::Beltwatch => &mut self.server,
            Target::Telegraf => &mut self.telegraf,
        }
    }

    async fn admin(&self) -> anyhow::Result<AdminServiceClient<beltwatch::client::Service>> {
        let channel =
            Channel::from_shared(self.url.clone())?.connect().await.context("the API does not answer")?;
        let identity = Identity::bearer(&operator_secret(&self.url)?, None)?;
        Ok(AdminServiceClient::with_interceptor(channel, identity))
    }

    /// Waits until the server answers and Telegraf has subscribed; what was published before would not be meant for it.
    async fn ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let log = self.folder.join("mosquitto.log");
        let (mut has_site, mut has_subscribed) = (false, false);
        while !(has_site && has_subscribed) {
            for process in [&mut self.broker, &mut self.server, &mut self.telegraf] {
                process.check_running()?;
            }
            ensure!(
                Instant::now() < deadline,
                "not ready after {PATIENCE:?}: {}\n{}",
                self.server.last_words(),
                self.telegraf.last_words()
            );
            has_site = has_site || self.add_site().await.is_ok();
            has_subscribed = std::fs::read_to_string(&log)?.contains("telegraf/#");
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    async fn add_site(&self) -> anyhow::Result<()> {
        let site = CreateSiteRequest {
            site_id: SITE.to_owned(),
            time_zone: "Etc/UTC".to_owned(),
            ..CreateSiteRequest::default()
        };
        self.admin().await?.create_site(site).await?;
        Ok(())
    }
}

/// Waits until somebody takes connections there.
async fn listening(address: SocketAddr) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(address).await.is_err() {
        ensure!(Instant::now() < deadline, "nobody listens on {address} after {PATIENCE:?}");
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

async fn add_bucket(influxd: &Influxd, name: &str) -> anyhow::Result<()> {
    let token = influxd.admin_token();
    let path = format!("/api/v2/orgs?org={NAME}");
    let found = influxd.call(Method::GET, &path, token, None).await?.json()?;
    let organisation = found["orgs"][0]["id"].as_str().context("no organisation")?;
    let body = json!({ "orgID": organisation, "name": name, "retentionRules": [] });
    influxd.call(Method::POST, "/api/v2/buckets", token, Some(body)).await?.good()?;
    Ok(())
}

fn write_settings(folder: &Path, broker_port: u16, api_port: u16, influxd: &Influxd) -> anyhow::Result<()> {
    let broker = format!(
        "listener {broker_port} 127.0.0.1\nallow_anonymous true\npersistence false\n\
         max_queued_messages 0\nmax_inflight_messages 4000\nlog_dest stderr\nlog_type error\nlog_type subscribe\n"
    );
    std::fs::write(folder.join("mosquitto.conf"), broker)?;
    std::fs::write(folder.join("password"), "not checked by this broker\n")?;
    let server = format!(
        "folder = \"{0}/server\"\n[api]\nlisten = \"127.0.0.1:{api_port}\"\n\
         [broker]\nembedded = false\naddress = \"127.0.0.1:{broker_port}\"\npassword_file = \"{0}/password\"\n{1}",
        folder.display(),
        influxd.config_section(&influxd.url())
    );
    std::fs::write(folder.join("beltwatch.toml"), server)?;
    Ok(())
}

/// Telegraf as its documentation advises for many small messages that must not be lost: a session that lasts, batches
/// that are full several times before the broker waits for confirmations, room for more than is under way, two writes
/// at once, the faster parser, and no compression for a server on the same computer.
fn telegraf_settings(arguments: &Arguments, broker_port: u16, influxd: &Influxd) -> String {
    format!(
        r#"[agent]
interval = "1s"
flush_interval = "1s"
flush_jitter = "0s"
metric_batch_size = 5000
metric_buffer_limit = 200000
omit_hostname = true
skip_processors_after_aggregators = true

[[inputs.mqtt_consumer]]
servers = ["tcp://127.0.0.1:{broker_port}"]
topics = ["telegraf/#"]
topic_tag = ""
qos = 1
client_id = "telegraf"
persistent_session = {persistent}
max_undelivered_messages = 3000
data_format = "influx"
influx_parser_type = "upstream"

[[outputs.influxdb_v2]]
urls = ["{url}"]
token = "{token}"
organization = "{NAME}"
bucket = "{bucket}"
content_encoding = "identity"
concurrent_writes = 2
"#,
        persistent = !arguments.telegraf_clean_session,
        url = influxd.url(),
        token = influxd.admin_token(),
        bucket = Target::Telegraf.bucket(Lane::Readings),
    )
}
