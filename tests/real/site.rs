//! A site's agents from nothing: one code for all of them over TLS, approval, an upgrade in stages, an upgrade that is
//! taken back; and every record of each is stored once.

mod computers;

use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::time::{Duration, Instant, sleep};

use self::computers::Computers;
use crate::processes::PATIENCE;
use crate::report;
use crate::secured::{POLL, Secured};
use crate::stored;
use crate::truth::Truth;
use crate::verdict::Verdict;

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

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut stage = Secured::start().await?;
    let outcome = site(&mut stage, arguments.machines).await;
    if outcome.is_err() || arguments.keep {
        stage.keep();
    }
    outcome
}

async fn site(stage: &mut Secured, machines: usize) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut computers = Computers::new(&stage.folder.join("computers"), machines)?;
    let made = stage.json(&["site", "enrol-code", "north", "--machines", &machines.to_string()]).await?;
    let code = made["codes"][0]["code"].as_str().context("no code was made")?.to_owned();
    computers.enrol(&stage.url(), &code)?;
    approve(stage, machines).await?;
    computers.enrolled().await?;
    report(&format!("{machines} agents enrolled with one code in {} s", began.elapsed().as_secs()));
    computers.start_agents()?;
    all_online(stage, machines, "0.1.0").await?;
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
async fn approve(stage: &Secured, machines: usize) -> anyhow::Result<()> {
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
async fn upgrade(stage: &Secured, computers: &Computers, machines: usize) -> anyhow::Result<()> {
    let (new, old) = (computers.package("0.1.1")?, computers.package("0.1.0")?);
    install(stage, &new, "0.1.1", &old, &computers.installer()?).await?;
    all_online(stage, machines, "0.1.1").await
}

/// The first machine of the next version does not come back: it gets the one before, and the others keep theirs.
async fn take_back(stage: &Secured, computers: &Computers, machines: usize) -> anyhow::Result<()> {
    let (broken, old) = (computers.broken_package()?, computers.package("0.1.1")?);
    let refused = install(stage, &broken, "0.1.2", &old, &computers.installer()?).await;
    let said = refused.err().context("an upgrade that does not start passed for a good one")?.to_string();
    ensure!(said.contains("stage 1 was taken back"), "{said}");
    all_online(stage, machines, "0.1.1").await
}

async fn judge(stage: &Secured, computers: &Computers) -> anyhow::Result<Verdict> {
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

async fn install(
    stage: &Secured,
    new: &Path,
    version: &str,
    old: &Path,
    installer: &Path,
) -> anyhow::Result<()> {
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
    stage.command(&arguments).await.map(drop)
}

/// Waits until so many machines are online with this version.
async fn all_online(stage: &Secured, machines: usize, version: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + LONG;
    loop {
        let fleet = stage.json(&["machine", "list", "--site", "north"]).await?;
        let is_so = |one: &&Value| one["presence"] == "online" && one["agent_version"] == version;
        let online = fleet["machines"].as_array().into_iter().flatten().filter(is_so).count();
        if online == machines {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{online} of {machines} are online with version {version}");
        sleep(POLL).await;
    }
}
