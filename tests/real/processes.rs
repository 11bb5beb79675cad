//! The processes of the suite: a Mosquitto without memory, a server, some agents. Each is ended by its own id.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::process::{Child, Command};

/// How long a program may take to come up or go down before the suite calls it stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who is killed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Victim {
    /// The agent with this number.
    Agent(usize),
    /// The server: ingest, stores and API.
    Server,
    /// The broker, with all it remembers.
    Broker,
}

/// A broker, a server and some agents.
pub(crate) struct Fleet {
    folder: PathBuf,
    api_port: u16,
    broker: Child,
    server: Child,
    agents: Vec<Child>,
}

impl Fleet {
    /// Starts a broker and a server, registers the machines, starts their agents.
    pub(crate) async fn start(folder: &Path, machines: u32) -> anyhow::Result<Fleet> {
        let (api_port, broker_port) = (free_port()?, free_port()?);
        let mosquitto = format!(
            "listener {broker_port} 127.0.0.1\nallow_anonymous true\npersistence false\n\
             max_queued_messages 0\nmax_inflight_messages 1000\n"
        );
        std::fs::write(folder.join("mosquitto.conf"), mosquitto)?;
        std::fs::write(folder.join("password"), "not checked by this broker\n")?;
        let config = format!(
            "folder = \"{0}/server\"\n[api]\nlisten = \"127.0.0.1:{api_port}\"\n\
             [broker]\nembedded = false\naddress = \"127.0.0.1:{broker_port}\"\npassword_file = \"{0}/password\"\n",
            folder.display()
        );
        std::fs::write(folder.join("beltwatch.toml"), config)?;
        let broker = start_broker(folder)?;
        let server = start_server(folder)?;
        let mut fleet = Fleet { folder: folder.to_owned(), api_port, broker, server, agents: Vec::new() };
        fleet.ready().await?;
        fleet.command(&["site", "add", "north", "--time-zone", "Europe/Vienna"]).await?;
        for number in 0..machines {
            let (id, file) = (machine_id(number), folder.join(format!("{}.json", machine_id(number))));
            let file = file.display().to_string();
            fleet.command(&["machine", "add", &id, "--site", "north", "--out", &file]).await?;
            fleet.agents.push(start_agent(folder, number)?);
        }
        Ok(fleet)
    }

    /// How many agents there are.
    pub(crate) fn machines(&self) -> usize {
        self.agents.len()
    }

    /// Where the API listens.
    pub(crate) fn api_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.api_port)
    }

    /// SIGKILL, then a new process in the same folder.
    pub(crate) async fn kill_and_restart(&mut self, victim: &Victim) -> anyhow::Result<()> {
        match *victim {
            Victim::Agent(number) => {
                let agent = &mut self.agents[number];
                kill(agent).await?;
                *agent = start_agent(&self.folder, u32::try_from(number)?)?;
            }
            Victim::Server => {
                kill(&mut self.server).await?;
                self.server = start_server(&self.folder)?;
            }
            Victim::Broker => {
                kill(&mut self.broker).await?;
                self.broker = start_broker(&self.folder)?;
            }
        }
        Ok(())
    }

    /// Asks the agents to end; they send what they have first.
    pub(crate) async fn stop_agents(&mut self) -> anyhow::Result<()> {
        self.ready().await?;
        for agent in &mut self.agents {
            terminate(agent).await.context("an agent did not end")?;
        }
        Ok(())
    }

    /// Ends the server, then the broker.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        terminate(&mut self.server).await.context("the server did not end")?;
        terminate(&mut self.broker).await.context("the broker did not end")
    }

    /// Waits until the server says that it is ready.
    async fn ready(&mut self) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            if let Some(status) = self.server.try_wait()? {
                bail!("the server ended with {status}; its log is server.log");
            }
            if self.command(&["machine", "list", "--json"]).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("the server is not ready after {PATIENCE:?}")
    }

    async fn command(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let output = Command::new(program("beltwatch")?)
            .args(["--server", &self.api_url()])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "beltwatch {} ended with {}: {said}", arguments.join(" "), output.status);
        Ok(())
    }
}

/// The machine with this number.
pub(crate) fn machine_id(number: u32) -> String {
    format!("tm-{:02}", number + 1)
}

fn start_broker(folder: &Path) -> anyhow::Result<Child> {
    spawn(folder, "mosquitto.log", Command::new("mosquitto").arg("-c").arg(folder.join("mosquitto.conf")))
}

fn start_server(folder: &Path) -> anyhow::Result<Child> {
    let config = folder.join("beltwatch.toml");
    spawn(folder, "server.log", Command::new(program("beltwatch")?).arg("serve").arg("--config").arg(config))
}

fn start_agent(folder: &Path, number: u32) -> anyhow::Result<Child> {
    let id = machine_id(number);
    let at = |ending: &str| folder.join(format!("{id}{ending}"));
    let mut command = Command::new(program("beltwatch-agent")?);
    command.arg("simulate").arg("--credential").arg(at(".json")).arg("--spool").arg(at(".spool"));
    command.arg("--truth").arg(at(".truth")).args(["--pace", "20", "--seed", &number.to_string()]);
    spawn(folder, &format!("{id}.log"), &mut command)
}

/// Starts a program that dies with this one and writes to a log of its own.
fn spawn(folder: &Path, log: &str, command: &mut Command) -> anyhow::Result<Child> {
    let log = File::options().create(true).append(true).open(folder.join(log))?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
    command.spawn().with_context(|| format!("cannot start {:?}", command.as_std().get_program()))
}

async fn kill(child: &mut Child) -> anyhow::Result<()> {
    child.kill().await.context("SIGKILL")
}

/// SIGTERM, and a wait with an end.
async fn terminate(child: &mut Child) -> anyhow::Result<()> {
    if let Some(id) = child.id() {
        let status = Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        ensure!(status.success(), "cannot signal process {id}");
    }
    let status = tokio::time::timeout(PATIENCE, child.wait()).await.context("it does not end")??;
    ensure!(status.success(), "it ended with {status}");
    Ok(())
}

/// A program of ours, beside this one.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    ensure!(path.exists(), "{} is not there; build it first", path.display());
    Ok(path)
}

/// A port that was free a moment ago. It is kept over restarts, so it cannot be chosen by the listener.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
