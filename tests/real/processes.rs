//! The processes of the suite: a Mosquitto without memory, a server, some agents. Each is ended by its own id.

use std::ffi::OsString;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::report;

/// How long a program may take to come up, to go down or to catch up before the suite calls it stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A program that runs, and all that is needed to run it again.
#[derive(Debug)]
pub(crate) struct Process {
    program: PathBuf,
    arguments: Vec<OsString>,
    log: PathBuf,
    child: Child,
}

impl Process {
    /// Starts a program that dies with this one and writes to a log of its own.
    pub(crate) fn start(program: PathBuf, arguments: Vec<OsString>, log: PathBuf) -> anyhow::Result<Process> {
        let child = spawn(&program, &arguments, &log)?;
        Ok(Process { program, arguments, log, child })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> anyhow::Result<u32> {
        self.child.id().with_context(|| format!("{} has ended", self.program.display()))
    }

    /// SIGKILL. Whoever ended before was not killed: that is a failure of its own.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        self.check_running()?;
        self.child.kill().await.context("SIGKILL")
    }

    /// The same program again, in the same folder.
    pub(crate) fn start_again(&mut self) -> anyhow::Result<()> {
        self.child = spawn(&self.program, &self.arguments, &self.log)?;
        Ok(())
    }

    /// SIGTERM, and a wait with an end.
    pub(crate) async fn terminate(&mut self) -> anyhow::Result<()> {
        self.end_by("-TERM").await
    }

    /// SIGINT, for programs that end in good order only so, and a wait with an end.
    pub(crate) async fn interrupt(&mut self) -> anyhow::Result<()> {
        self.end_by("-INT").await
    }

    async fn end_by(&mut self, signal: &str) -> anyhow::Result<()> {
        self.check_running()?;
        let name = self.program.display();
        let id = self.child.id().with_context(|| format!("{name} has ended"))?;
        let status = Command::new("kill").args([signal, &id.to_string()]).status().await?;
        ensure!(status.success(), "cannot signal {name}, process {id}");
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = ended.with_context(|| format!("{name} does not end"))??;
        ensure!(status.success(), "{name} ended with {status}; its log is {}", self.log.display());
        Ok(())
    }

    /// Waits until it has ended by itself, and well.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<()> {
        let name = self.program.display();
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = ended.with_context(|| format!("{name} does not end"))??;
        ensure!(status.success(), "{name} ended with {status}; its log:\n{}", self.last_words());
        Ok(())
    }

    pub(crate) fn check_running(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!(
                "{} ended by itself with {status}; its log:\n{}",
                self.program.display(),
                self.last_words()
            );
        }
        Ok(())
    }

    /// The end of its log.
    pub(crate) fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// A program may be killed; it may never panic.
    pub(crate) fn check_log(&self) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(&self.log)?;
        let panicked = text.lines().find(|line| line.contains("panicked at"));
        ensure!(panicked.is_none(), "{}: {}", self.log.display(), panicked.unwrap_or_default());
        Ok(())
    }
}

/// How an agent's belt is simulated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AgentPlan {
    /// The same seed gives the same belt.
    pub(crate) seed: u64,
    /// How many times faster than in life sessions follow each other.
    pub(crate) pace: u32,
}

impl AgentPlan {
    fn arguments(self, machine: &str, folder: &Path) -> Vec<OsString> {
        let at = |ending: &str| OsString::from(folder.join(format!("{machine}.{ending}")));
        let values = [
            ("--credential", at("json")),
            ("--spool", at("spool")),
            ("--truth", at("truth")),
            ("--seed", self.seed.to_string().into()),
            ("--pace", self.pace.to_string().into()),
            ("--drain", (PATIENCE.as_secs() - 10).to_string().into()),
        ];
        let values = values.into_iter().flat_map(|(name, value)| [name.into(), value]);
        std::iter::once("simulate".into()).chain(values).collect()
    }
}

/// An agent beside a simulated treadmill.
#[derive(Debug)]
pub(crate) struct AgentProcess {
    machine: String,
    plan: AgentPlan,
    folder: PathBuf,
    process: Process,
}

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

impl AgentProcess {
    /// Starts the agent of a machine whose credential, `MACHINE.json`, is in the folder.
    pub(crate) fn start(machine: &str, plan: AgentPlan, folder: &Path) -> anyhow::Result<AgentProcess> {
        let at = |ending: &str| folder.join(format!("{machine}.{ending}"));
        let process =
            Process::start(program("beltwatch-agent")?, plan.arguments(machine, folder), at("log"))?;
        Ok(AgentProcess { machine: machine.to_owned(), plan, folder: folder.to_owned(), process })
    }

    /// Its machine.
    pub(crate) fn machine(&self) -> &str {
        &self.machine
    }

    /// Asks it to end; it sends what it has first.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        self.process.terminate().await?;
        self.process.check_log()
    }

    /// Where it writes what it saw.
    pub(crate) fn truth_file(&self) -> PathBuf {
        self.folder.join(format!("{}.truth", self.machine))
    }
}

/// A broker, a server and some agents.
#[derive(Debug)]
pub(crate) struct Fleet {
    folder: PathBuf,
    api_port: u16,
    broker_port: u16,
    broker: Process,
    server: Process,
    agents: Vec<AgentProcess>,
    /// Dropped last, with everything in it.
    temporary: Option<TempDir>,
}

impl Fleet {
    /// Starts a broker and a server with one site, in a new folder that goes with the fleet.
    pub(crate) async fn start() -> anyhow::Result<Fleet> {
        Fleet::start_with("").await
    }

    /// The same with more sections in the server's configuration.
    pub(crate) async fn start_with(sections: &str) -> anyhow::Result<Fleet> {
        let temporary = tempfile::Builder::new().prefix("beltwatch-real-").tempdir()?;
        let folder = temporary.path().to_owned();
        let [api_port, broker_port] = free_ports()?;
        write_settings(&folder, api_port, broker_port, sections)?;
        let at = |name: &str| folder.join(name);
        let broker = Process::start(
            PathBuf::from("mosquitto"),
            vec!["-c".into(), at("mosquitto.conf").into()],
            at("mosquitto.log"),
        )?;
        let server = Process::start(
            program("beltwatch")?,
            vec!["serve".into(), "--config".into(), at("beltwatch.toml").into()],
            at("server.log"),
        )?;
        let mut fleet = Fleet {
            folder,
            api_port,
            broker_port,
            broker,
            server,
            agents: Vec::new(),
            temporary: Some(temporary),
        };
        fleet.ready().await?;
        fleet.command(&["site", "add", "north", "--time-zone", "Europe/Vienna"]).await?;
        Ok(fleet)
    }

    /// Leaves the folder with logs and databases behind.
    pub(crate) fn keep(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            report(&format!("logs and databases are in {}", temporary.keep().display()));
        }
    }

    /// Registers a machine whose belt runs both ways and whose direction is proven; gives its credential's file.
    pub(crate) async fn add_machine(&mut self, machine: &str) -> anyhow::Result<PathBuf> {
        let credential = self.folder.join(format!("{machine}.json"));
        let file = credential.display().to_string();
        self.command(&["machine", "add", machine, "--site", "north", "--belt", "reversible", "--out", &file])
            .await?;
        self.command(&["machine", "commission", machine, "--direction-proven"]).await?;
        Ok(credential)
    }

    /// Starts the agent of a machine that is registered.
    pub(crate) fn start_agent(&mut self, machine: &str, plan: AgentPlan) -> anyhow::Result<()> {
        self.agents.push(AgentProcess::start(machine, plan, &self.folder)?);
        Ok(())
    }

    /// Where the API listens.
    pub(crate) fn api_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.api_port)
    }

    /// The broker's port.
    pub(crate) fn broker_port(&self) -> u16 {
        self.broker_port
    }

    /// All agents.
    pub(crate) fn agents(&self) -> &[AgentProcess] {
        &self.agents
    }

    /// SIGKILL, a while without the victim, then a new process in its place. A machine is used in another way after
    /// its agent's death.
    pub(crate) async fn kill(&mut self, victim: Victim, down: Duration) -> anyhow::Result<()> {
        let process = match victim {
            Victim::Agent(number) => &mut self.agents[number].process,
            Victim::Server => &mut self.server,
            Victim::Broker => &mut self.broker,
        };
        process.kill().await?;
        tokio::time::sleep(down).await;
        if let Victim::Agent(number) = victim {
            let agent = &mut self.agents[number];
            agent.plan.seed += 1_000;
            agent.process.arguments = agent.plan.arguments(&agent.machine, &agent.folder);
            return agent.process.start_again();
        }
        process.start_again()
    }

    /// Asks the agents to end; they send what they have first.
    pub(crate) async fn stop_agents(&mut self) -> anyhow::Result<()> {
        self.ready().await?;
        for agent in &mut self.agents {
            agent.process.terminate().await?;
        }
        Ok(())
    }

    /// Ends the server as an operator would, and starts it again.
    pub(crate) async fn restart_server(&mut self) -> anyhow::Result<()> {
        self.server.terminate().await?;
        self.server.start_again()?;
        self.ready().await
    }

    /// Ends the server, then the broker, and looks into all logs.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        self.server.terminate().await?;
        self.broker.terminate().await?;
        self.server.check_log()?;
        self.agents.iter().try_for_each(|agent| agent.process.check_log())
    }

    /// Waits until the server answers.
    pub(crate) async fn ready(&mut self) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            self.broker.check_running()?;
            self.server.check_running()?;
            if self.command(&["machine", "list", "--json"]).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("the server is not ready after {PATIENCE:?}; its log:\n{}", self.server.last_words())
    }

    async fn command(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let output = Command::new(program("beltwatch")?)
            .args(["--server", &self.api_url()])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "beltwatch {} ended with {}: {said}",
            arguments.join(" "),
            output.status
        );
        Ok(())
    }
}

fn write_settings(folder: &Path, api_port: u16, broker_port: u16, sections: &str) -> anyhow::Result<()> {
    let broker = format!(
        "listener {broker_port} 127.0.0.1\nallow_anonymous true\npersistence false\n\
         max_queued_messages 0\nmax_inflight_messages 1000\n"
    );
    std::fs::write(folder.join("mosquitto.conf"), broker)?;
    std::fs::write(folder.join("password"), "not checked by this broker\n")?;
    let server = format!(
        "folder = \"{0}/server\"\n[api]\nlisten = \"127.0.0.1:{api_port}\"\n\
         [broker]\nembedded = false\naddress = \"127.0.0.1:{broker_port}\"\npassword_file = \"{0}/password\"\n\
         {sections}",
        folder.display()
    );
    std::fs::write(folder.join("beltwatch.toml"), server)?;
    Ok(())
}

fn spawn(program: &Path, arguments: &[OsString], log: &Path) -> anyhow::Result<Child> {
    let log = File::options().create(true).append(true).open(log)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
    command.spawn().with_context(|| format!("cannot start {}", program.display()))
}

/// A program of ours, beside this one.
pub(crate) fn program(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    ensure!(path.exists(), "{} is not there; build it first", path.display());
    Ok(path)
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    let [port, _] = free_ports()?;
    Ok(port)
}

/// Ports that were free a moment ago. They are kept over restarts, so they cannot be chosen by the listeners.
pub(crate) fn free_ports() -> anyhow::Result<[u16; 2]> {
    let listeners = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    Ok([listeners[0].local_addr()?.port(), listeners[1].local_addr()?.port()])
}
