//! A server with TLS of its own authority and its embedded broker, and the command line beside it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::{Duration, Instant, sleep};
use tonic::transport::{Certificate, Channel, ClientTlsConfig};

use crate::processes::{PATIENCE, Process, free_ports, program};
use crate::report;

/// How often something is looked at again.
pub(crate) const POLL: Duration = Duration::from_millis(200);

/// A server with the site `north`, in a folder that goes with it.
#[derive(Debug)]
pub(crate) struct Secured {
    pub(crate) folder: PathBuf,
    api_port: u16,
    pub(crate) server: Process,
    temporary: Option<TempDir>,
}

impl Secured {
    pub(crate) async fn start() -> anyhow::Result<Secured> {
        Secured::start_before(None).await
    }

    /// The same with a clock that is two days behind, by this library (libfaketime) if one is given.
    pub(crate) async fn start_before(clock: Option<&Path>) -> anyhow::Result<Secured> {
        let temporary = tempfile::Builder::new().prefix("beltwatch-secured-").tempdir()?;
        let folder = temporary.path().to_owned();
        let [api_port, broker_port] = free_ports()?;
        let settings = format!(
            "folder = \"{}/server\"\n[api]\nlisten = \"127.0.0.1:{api_port}\"\n[tls]\nmode = \"own\"\n\
             [broker]\nlisten = \"127.0.0.1:{broker_port}\"\n",
            folder.display()
        );
        std::fs::write(folder.join("beltwatch.toml"), settings)?;
        let server = serve(&folder, clock)?;
        let mut secured = Secured { folder, api_port, server, temporary: Some(temporary) };
        secured.waits_for(&["site", "add", "north"]).await?;
        Ok(secured)
    }

    /// Ends the server in good order and starts it again, with the clock that this computer has.
    pub(crate) async fn restart(&mut self) -> anyhow::Result<()> {
        self.server.terminate().await?;
        self.server = serve(&self.folder, None)?;
        self.waits_for(&["site", "list"]).await
    }

    /// Waits until a command works.
    async fn waits_for(&mut self, arguments: &[&str]) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.command(arguments).await.is_err() {
            self.server.check_running()?;
            ensure!(Instant::now() < deadline, "the server is not ready: {}", self.server.last_words());
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Leaves the folder with logs and databases behind.
    pub(crate) fn keep(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            report(&format!("logs and files are in {}", temporary.keep().display()));
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.api_port)
    }

    fn authority(&self) -> PathBuf {
        self.folder.join("server/authority.pem")
    }

    pub(crate) async fn channel(&self) -> anyhow::Result<Channel> {
        let authority = Certificate::from_pem(std::fs::read(self.authority())?);
        let tls = ClientTlsConfig::new().ca_certificate(authority);
        Ok(Channel::from_shared(self.url())?.tls_config(tls)?.connect().await?)
    }

    /// What a command of the operator says, as JSON.
    pub(crate) async fn json(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let given: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let said = self.command(&given).await?;
        serde_json::from_str(&said).with_context(|| format!("beltwatch {} says no JSON", arguments.join(" ")))
    }

    /// What a command of the operator says; an error if it fails.
    pub(crate) async fn command(&self, arguments: &[&str]) -> anyhow::Result<String> {
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

fn serve(folder: &Path, clock: Option<&Path>) -> anyhow::Result<Process> {
    let (config, log) = (folder.join("beltwatch.toml"), folder.join("server.log"));
    let serve = ["serve".into(), "--config".into(), config.into()];
    let Some(library) = clock else {
        return Process::start(program("beltwatch")?, serve.into(), log);
    };
    // Time as it passes stays as it is, and so do the times of files.
    let shift = [format!("LD_PRELOAD={}", library.display()), "FAKETIME=-2d".to_owned()];
    let rest = ["DONT_FAKE_MONOTONIC=1".to_owned(), "NO_FAKE_STAT=1".to_owned()];
    let words = shift.into_iter().chain(rest).map(Into::into);
    let words = words.chain([program("beltwatch")?.into_os_string()]).chain(serve);
    Process::start("env".into(), words.collect(), log)
}
