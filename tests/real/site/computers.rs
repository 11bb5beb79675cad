//! The computers of a site's machines: a folder each, with a program in it that is started again whenever it ends, as
//! a service is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::processes::{Process, program};

/// Keeps one computer's agent running until there is a file `stop`.
const SERVICE: &str = r#"
cd "$1"
while [ ! -e stop ]; do
    ./beltwatch-agent simulate --credential credential.json --spool spool --truth truth --seed "$2" --pace 20 >>agent.log 2>&1 &
    echo $! >pid.new && mv pid.new pid
    wait $! || true
    [ -e stop ] || sleep 0.2
done
"#;

/// Puts another program in the place of a computer's agent and ends the old one, as a package does.
const INSTALLER: &str = r#"#!/bin/sh
set -eu
cd "$(dirname "$0")/$1"
cp "$2" beltwatch-agent.new
mv beltwatch-agent.new beltwatch-agent
kill -TERM "$(cat pid)" 2>/dev/null || true
"#;

/// All computers of a site.
#[derive(Debug)]
pub(super) struct Computers {
    folder: PathBuf,
    machines: Vec<(String, PathBuf)>,
    enrolling: Vec<Process>,
    services: Vec<Process>,
}

impl Computers {
    pub(super) fn new(folder: &Path, machines: usize) -> anyhow::Result<Computers> {
        let mut all = Vec::new();
        for number in 1..=machines {
            let machine = format!("tm-{number:03}");
            let place = folder.join(&machine);
            fs::create_dir_all(&place)?;
            all.push((machine, place));
        }
        let folder = folder.to_owned();
        let computers = Computers { folder, machines: all, enrolling: Vec::new(), services: Vec::new() };
        let agent = computers.package("0.1.0")?;
        for (_, place) in &computers.machines {
            fs::copy(&agent, place.join("beltwatch-agent"))?;
        }
        Ok(computers)
    }

    /// Machines and their folders.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.machines.iter().map(|(machine, place)| (machine.as_str(), place.as_path()))
    }

    /// All enrol at once with the same code; each waits for its approval.
    pub(super) fn enrol(&mut self, url: &str, code: &str) -> anyhow::Result<()> {
        for (machine, place) in &self.machines {
            let credential = place.join("credential.json").into();
            let given = vec![
                "enrol".into(),
                url.into(),
                code.into(),
                "--name".into(),
                machine.into(),
                "--credential".into(),
                credential,
            ];
            self.enrolling.push(Process::start(
                place.join("beltwatch-agent"),
                given,
                place.join("enrol.log"),
            )?);
        }
        Ok(())
    }

    /// Waits until all have their credential.
    pub(super) async fn enrolled(&mut self) -> anyhow::Result<()> {
        for process in &mut self.enrolling {
            process.ended().await?;
        }
        for (machine, place) in &self.machines {
            let mode = fs::metadata(place.join("credential.json"))?.permissions().mode();
            ensure!(mode & 0o777 == 0o600, "{machine}: the credential has mode {mode:o}");
        }
        Ok(())
    }

    pub(super) fn start_agents(&mut self) -> anyhow::Result<()> {
        for (number, (_, place)) in self.machines.iter().enumerate() {
            let seed = number.to_string().into();
            let given = vec!["-c".into(), SERVICE.into(), "service".into(), place.into(), seed];
            self.services.push(Process::start("sh".into(), given, place.join("service.log"))?);
        }
        Ok(())
    }

    /// Ends all agents in order; each delivers first what it has.
    pub(super) async fn stop_agents(&mut self) -> anyhow::Result<()> {
        for (_, place) in &self.machines {
            fs::write(place.join("stop"), "")?;
            let id = fs::read_to_string(place.join("pid"))?;
            let status = std::process::Command::new("kill").args(["-TERM", id.trim()]).status()?;
            ensure!(status.success(), "cannot signal process {id}");
        }
        for service in &mut self.services {
            service.ended().await?;
        }
        for (machine, place) in &self.machines {
            let log = fs::read_to_string(place.join("agent.log"))?;
            ensure!(!log.contains("panicked at"), "{machine}: {log}");
        }
        Ok(())
    }

    /// The agent with another version's number: the same program otherwise.
    pub(super) fn package(&self, version: &str) -> anyhow::Result<PathBuf> {
        let (ours, file) = (env!("CARGO_PKG_VERSION"), self.folder.join(version));
        ensure!(ours.len() == version.len(), "{version} is not as long as {ours}");
        let mut octets = fs::read(program("beltwatch-agent")?)?;
        let at = |octets: &[u8]| octets.windows(ours.len()).position(|window| window == ours.as_bytes());
        at(&octets).context("the agent does not hold its version")?;
        if version != ours {
            let mut from = 0;
            while let Some(found) = at(&octets[from..]) {
                octets[from + found..from + found + ours.len()].copy_from_slice(version.as_bytes());
                from += found + ours.len();
            }
        }
        self.write(&file, &octets)
    }

    /// A program that does not start.
    pub(super) fn broken_package(&self) -> anyhow::Result<PathBuf> {
        self.write(&self.folder.join("broken"), b"#!/bin/sh\nexit 1\n")
    }

    pub(super) fn installer(&self) -> anyhow::Result<PathBuf> {
        self.write(&self.folder.join("install"), INSTALLER.as_bytes())
    }

    fn write(&self, file: &Path, octets: &[u8]) -> anyhow::Result<PathBuf> {
        fs::write(file, octets)?;
        fs::set_permissions(file, fs::Permissions::from_mode(0o755))?;
        Ok(file.to_owned())
    }
}
