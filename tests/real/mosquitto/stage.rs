//! A server and a Mosquitto that share a folder.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use beltwatch::tls::Authority;
use domain::units::UnixMicros;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::process::Command;
use wire::credential::Credential;

use super::client;
use crate::processes::{PATIENCE, Process, free_ports, program};
use crate::report;

/// Server, broker and their folder.
#[derive(Debug)]
pub(super) struct Stage {
    folder: PathBuf,
    api_port: u16,
    pub(super) broker_port: u16,
    server: Process,
    /// How long the server's log was when it was started last.
    log_before: usize,
    broker: Process,
    temporary: Option<TempDir>,
}

impl Stage {
    /// Starts both, with one site.
    pub(super) async fn start() -> anyhow::Result<Stage> {
        let temporary = tempfile::Builder::new().prefix("beltwatch-mosquitto-").tempdir()?;
        let folder = temporary.path().to_owned();
        let [api_port, broker_port] = free_ports()?;
        write_settings(&folder, api_port, broker_port)?;
        let at = |name: &str| folder.join(name);
        let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/mosquitto");
        let deploy = deploy.canonicalize().context("deploy/mosquitto")?;
        let broker = Process::start(
            deploy.join("start"),
            vec![at("mosquitto.conf").into(), at("broker").into()],
            at("mosquitto.log"),
        )?;
        let server = Process::start(
            program("beltwatch")?,
            vec!["serve".into(), "--config".into(), at("beltwatch.toml").into()],
            at("server.log"),
        )?;
        let temporary = Some(temporary);
        let mut stage = Stage { folder, api_port, broker_port, server, log_before: 0, broker, temporary };
        stage.ready().await?;
        stage.command(&["site", "add", "north", "--time-zone", "Europe/Vienna"]).await?;
        Ok(stage)
    }

    /// Leaves the folder behind.
    pub(super) fn keep(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            report(&format!("logs and files are in {}", temporary.keep().display()));
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn api_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.api_port)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) async fn add_machine(&self, machine: &str) -> anyhow::Result<()> {
        let file = self.path(&format!("{machine}.json")).display().to_string();
        let add = ["machine", "add", machine, "--site", "north", "--belt", "reversible", "--out", &file];
        self.command(&add).await?;
        self.command(&["machine", "commission", machine, "--direction-proven"]).await?;
        self.until_file("acl", &format!("user {machine}\n"), true).await
    }

    /// Waits until a file of the broker holds a text, or no longer does.
    pub(super) async fn until_file(&self, name: &str, text: &str, holds: bool) -> anyhow::Result<()> {
        let file = self.path("broker").join(name);
        self.until(&format!("{name} holds {text:?}: {holds}"), async || {
            Ok(std::fs::read_to_string(&file).is_ok_and(|found| found.contains(text) == holds))
        })
        .await
    }

    /// Asks until it is so.
    pub(super) async fn until(
        &self,
        what: &str,
        mut is_so: impl AsyncFnMut() -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !is_so().await? {
            ensure!(tokio::time::Instant::now() < deadline, "never: {what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// What a credential file shows, `tm-01` for `tm-01.json`.
    pub(super) fn credential(&self, file: &str) -> anyhow::Result<Arc<ClientConfig>> {
        let text = std::fs::read_to_string(self.path(&format!("{file}.json")))?;
        let credential = Credential::from_json(&text)?;
        ensure!(credential.broker == format!("localhost:{}", self.broker_port), "{}", credential.broker);
        let tls = credential.tls.context("the credential is without TLS")?;
        Ok(client::tls(&self.roots()?, Some(certified(&tls.certificate, &tls.private_key)?)))
    }

    /// What this server shows under one of its names, or somebody who has its authority's key.
    pub(super) fn signed(&self, name: &str, days_ago: i64) -> anyhow::Result<Arc<ClientConfig>> {
        let then = UnixMicros(now().0 - days_ago * 24 * 3_600 * 1_000_000);
        let authority = Authority::open(&self.path("server"), now())?;
        Ok(client::tls(&self.roots()?, Some(authority.client(name, then)?)))
    }

    /// The same name, signed by an authority of the same kind.
    pub(super) fn foreign(&self, name: &str) -> anyhow::Result<Arc<ClientConfig>> {
        let authority = Authority::make(now())?;
        Ok(client::tls(&self.roots()?, Some(authority.client(name, now())?)))
    }

    /// The broker's own certificate, shown by a client.
    pub(super) fn brokers_own(&self) -> anyhow::Result<Arc<ClientConfig>> {
        let read = |name: &str| std::fs::read_to_string(self.path("broker").join(name));
        let shown = certified(&read("broker.pem")?, &read("broker.key")?)?;
        Ok(client::tls(&self.roots()?, Some(shown)))
    }

    pub(super) fn roots(&self) -> anyhow::Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.path("broker").join("authority.pem"))?)?;
        Ok(roots)
    }

    pub(super) fn server_id(&self) -> anyhow::Result<u32> {
        self.server.id()
    }

    pub(super) async fn start_server(&mut self) -> anyhow::Result<()> {
        self.log_before = std::fs::read_to_string(self.path("server.log"))?.len();
        self.server.start_again()?;
        self.ready().await
    }

    pub(super) async fn stop_server(&mut self) -> anyhow::Result<()> {
        self.server.terminate().await
    }

    pub(super) async fn stop(&mut self) -> anyhow::Result<()> {
        self.server.terminate().await?;
        self.broker.terminate().await?;
        self.server.check_log()
    }

    /// After a failure: the script is killed with this program, but its Mosquitto would stay.
    pub(super) async fn give_up(&mut self) {
        if let Err(error) = self.broker.terminate().await {
            report(&format!("the broker does not end: {error:#}"));
        }
    }

    /// Waits until the server is connected to the broker and answers commands.
    async fn ready(&mut self) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            self.server.check_running()?;
            self.broker.check_running()?;
            let log = std::fs::read_to_string(self.path("server.log"))?;
            let said = &log[self.log_before..];
            let subscribed = |name| said.contains(&format!("subscribed at the broker connection=\"{name}\""));
            // Before it says that it listens, the operator's secret may still be missing.
            if subscribed("events") && subscribed("readings") && said.contains("api is listening") {
                return Ok(());
            }
            if tokio::time::Instant::now() >= deadline {
                bail!("the server does not get to the broker, or does not answer; its log:\n{log}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) async fn command(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let output = Command::new(program("beltwatch")?)
            .args(["--server", &self.api_url()])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "beltwatch {}: {said}", arguments.join(" "));
        Ok(())
    }
}

/// The files of `deploy/mosquitto` with another folder and port; the server's own settings.
fn write_settings(folder: &Path, api_port: u16, broker_port: u16) -> anyhow::Result<()> {
    let files = folder.join("broker").display().to_string();
    let shipped = include_str!("../../../deploy/mosquitto/mosquitto.conf");
    let listener = "listener 8883\n";
    ensure!(shipped.contains(listener) && shipped.contains("/srv/beltwatch/broker"), "it has changed");
    let here = format!("listener {broker_port} 127.0.0.1\n");
    let mut settings = shipped.replace(listener, &here).replace("/srv/beltwatch/broker", &files);
    // Started by root it would become a user who may not look into this folder.
    settings.push_str("user root\n");
    std::fs::write(folder.join("mosquitto.conf"), settings)?;
    let server = format!(
        "folder = \"{0}/server\"\n[api]\nlisten = \"127.0.0.1:{api_port}\"\n\
         [broker]\nembedded = false\naddress = \"localhost:{broker_port}\"\nfiles = \"{files}\"\n",
        folder.display()
    );
    Ok(std::fs::write(folder.join("beltwatch.toml"), server)?)
}

fn certified(certificate: &str, key: &str) -> anyhow::Result<CertifiedKey> {
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes())?];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())?;
    Ok(CertifiedKey::from_der(chain, key, &ring::default_provider())?)
}

/// This computer's clock.
#[expect(clippy::disallowed_methods, reason = "certificates are made as of now")]
fn now() -> UnixMicros {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    UnixMicros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
