//! The ways to run it elsewhere, tried as they are in `deploy/` and `docker-compose.yml`: the composition with a docker
//! daemon of its own, the Debian packages in a bare Debian that is booted, the manifests for Kubernetes.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::process::Command;

use crate::processes::program;
use crate::report;

/// Where the scripts are, from the top of the project.
const SCRIPTS: &str = "tests/real/compose";
/// With this a script says that it cannot run here; it has told why.
const SKIPPED: i32 = 77;
/// How long one of them may take, with all that it makes at its first run.
const RUN_MAX: Duration = Duration::from_secs(900);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The InfluxDB that stands in for its image
    #[arg(long, value_name = "FILE")]
    influxd: PathBuf,
    /// Only this one
    #[arg(long, value_enum)]
    only: Option<Way>,
}

/// One way to run it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Way {
    /// docker-compose.yml
    Composition,
    /// The server's Debian package and its systemd unit
    Package,
    /// The agent's Debian package and its systemd unit, with a server to enrol at
    AgentPackage,
    /// The manifests for Kubernetes
    Manifests,
}

/// What became of one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Skipped,
}

/// Tries them all; ends the program with 77 if none of them could run here.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    ensure!(Path::new(SCRIPTS).is_dir(), "{SCRIPTS} is not there: start this at the top of the project");
    let programs = program("beltwatch")?.parent().context("a program lies in a folder")?.to_owned();
    program("beltwatch-agent")?;
    // Beside the target folder, so that what is costly to make outlives it.
    let cache = programs.ancestors().nth(2).context("the target folder lies in a folder")?.join("compose");
    let influxd = arguments.influxd.canonicalize().context("--influxd")?;
    let mut outcomes = Vec::new();
    for way in [Way::Manifests, Way::Package, Way::AgentPackage, Way::Composition] {
        if arguments.only.is_some_and(|only| only != way) {
            continue;
        }
        let (script, given): (&str, Vec<&Path>) = match way {
            Way::Manifests => ("manifests", vec![&cache]),
            Way::Package => ("package", vec![Path::new("beltwatch"), &programs, &cache]),
            Way::AgentPackage => ("package", vec![Path::new("beltwatch-agent"), &programs, &cache]),
            Way::Composition => ("run", vec![&programs, &influxd, &cache]),
        };
        let began = tokio::time::Instant::now();
        let outcome = try_way(script, &given).await.with_context(|| format!("{SCRIPTS}/{script}"))?;
        report(&format!("{way:?} by {SCRIPTS}/{script}: {outcome:?}, {} s", began.elapsed().as_secs()));
        outcomes.push(outcome);
    }
    if outcomes.iter().all(|outcome| *outcome == Outcome::Skipped) {
        std::process::exit(SKIPPED);
    }
    Ok(())
}

async fn try_way(script: &str, given: &[&Path]) -> anyhow::Result<Outcome> {
    let mut child = Command::new(format!("{SCRIPTS}/{script}"))
        .args(given)
        .stdin(Stdio::null())
        .spawn()
        .context("it cannot be started")?;
    let ended = tokio::time::timeout(RUN_MAX, child.wait()).await;
    let Ok(status) = ended else {
        // It takes down what it started.
        let id = child.id().context("it has ended")?;
        Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        child.wait().await?;
        bail!("it was not done after {RUN_MAX:?}");
    };
    judged(status?)
}

fn judged(status: ExitStatus) -> anyhow::Result<Outcome> {
    match status.code() {
        Some(0) => Ok(Outcome::Passed),
        Some(SKIPPED) => Ok(Outcome::Skipped),
        Some(_) | None => bail!("it ended with {status}"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn a_skipped_script_has_not_passed_and_a_failed_one_is_not_skipped() {
        let check = |wait_status: i32, expected: Option<Outcome>| {
            assert_eq!(judged(ExitStatus::from_raw(wait_status)).ok(), expected, "{wait_status:#x}");
        };
        check(0, Some(Outcome::Passed));
        check(77 << 8, Some(Outcome::Skipped));
        check(1 << 8, None);
        check(9, None);
    }
}
