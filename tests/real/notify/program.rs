//! A program that runs beside the test, can be killed, and started again in the same folder.

use std::ffi::OsString;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail, ensure};
use tokio::process::{Child, Command};

use crate::processes::PATIENCE;

/// What is needed to run it.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Vec<(&'static str, OsString)>,
    pub(super) log: PathBuf,
}

/// It runs. Ended when this is dropped.
#[derive(Debug)]
pub(super) struct Program {
    plan: Plan,
    child: Child,
}

impl Program {
    pub(super) fn start(plan: Plan) -> anyhow::Result<Program> {
        let child = spawn(&plan)?;
        Ok(Program { plan, child })
    }

    /// SIGKILL. Whoever ended before was not killed: that is a failure of its own.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        self.check_running()?;
        self.child.kill().await.context("SIGKILL")
    }

    /// The same program again, in the same folder.
    pub(super) fn start_again(&mut self) -> anyhow::Result<()> {
        self.child = spawn(&self.plan)?;
        Ok(())
    }

    /// SIGTERM, and a wait with an end.
    pub(super) async fn terminate(&mut self) -> anyhow::Result<()> {
        self.check_running()?;
        let name = self.plan.program.display();
        let id = self.child.id().with_context(|| format!("{name} has ended"))?;
        let status = Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        ensure!(status.success(), "cannot signal {name}, process {id}");
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = ended.with_context(|| format!("{name} does not end"))??;
        ensure!(status.success(), "{name} ended with {status}; its log:\n{}", self.last_words());
        Ok(())
    }

    pub(super) fn check_running(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            let name = self.plan.program.display();
            bail!("{name} ended by itself with {status}; its log:\n{}", self.last_words());
        }
        Ok(())
    }

    /// The end of its log.
    pub(super) fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.plan.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// A program may be killed; it may never panic.
    pub(super) fn check_log(&self) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(&self.plan.log)?;
        let panicked = text.lines().find(|line| line.contains("panicked at"));
        ensure!(panicked.is_none(), "{}: {}", self.plan.log.display(), panicked.unwrap_or_default());
        Ok(())
    }
}

fn spawn(plan: &Plan) -> anyhow::Result<Child> {
    let log = open_log(&plan.log)?;
    let mut command = Command::new(&plan.program);
    command.args(&plan.arguments).envs(plan.environment.iter().cloned());
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
    command.spawn().with_context(|| format!("cannot start {}", plan.program.display()))
}

fn open_log(log: &Path) -> anyhow::Result<File> {
    File::options()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("cannot write {}", log.display()))
}

/// Ports that were free a moment ago. They are kept over restarts, so they cannot be chosen by the listeners.
pub(super) fn free_ports<const COUNT: usize>() -> anyhow::Result<[u16; COUNT]> {
    let mut listeners = Vec::new();
    let mut ports = [0; COUNT];
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        *port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(ports)
}
