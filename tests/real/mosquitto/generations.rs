//! What becomes of a machine that is revoked, and of an older key; with real agents, whose server stands still for a
//! while.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use domain::ids::MachineId;
use rustls::ClientConfig;
use tokio::process::Command;
use wire::topics::{Kind, Topic, filter_all};

use super::client::{Client, Wish, refused};
use super::stage::Stage;
use super::table::Table;
use crate::processes::{AgentPlan, AgentProcess, PATIENCE};
use crate::report;
use crate::stored;
use crate::truth::Truth;
use crate::verdict::Verdict;

const REVOKED: &str = "tm-01";
const WITNESS: &str = "tm-02";
const RENEWED: &str = "tm-03";
/// How long the server stands still while agents send.
const STILL: Duration = Duration::from_secs(3);

pub(super) async fn run(stage: &mut Stage) -> anyhow::Result<()> {
    report("a machine whose credential is revoked, and renewed then");
    let mut open = revoked(stage).await?;
    stage.start_server().await?;
    renewed_after(stage, &mut open).await?;
    report("a machine whose credential is renewed");
    renewed(stage).await
}

fn topic(machine: &str, kind: Kind) -> anyhow::Result<String> {
    Ok(Topic::new(MachineId::new(machine)?, kind).to_string())
}

async fn attempt(stage: &Stage, tls: &Arc<ClientConfig>) -> &'static str {
    match Client::open(stage.broker_port, tls, Wish::default()).await {
        Ok(_) => "let in",
        Err(error) => refused(&error),
    }
}

/// Tries until the answer is this one; the last answer.
async fn until(stage: &Stage, tls: &Arc<ClientConfig>, wanted: &str) -> anyhow::Result<&'static str> {
    stage.until(wanted, async || Ok(attempt(stage, tls).await == wanted)).await?;
    Ok(attempt(stage, tls).await)
}

/// The connection that was there before, at the end.
async fn revoked(stage: &mut Stage) -> anyhow::Result<Client> {
    let mut table = Table::default();
    let tls = stage.credential(REVOKED)?;
    table.row("a new connection before", "let in", attempt(stage, &tls).await);
    let mut open = Client::open(stage.broker_port, &tls, Wish::default()).await?;
    open.subscribe("#").await?;
    stage.command(&["machine", "revoke", REVOKED]).await?;
    stage.until_file("acl", "user tm-01\n", false).await?;
    // This program takes the server's place, to hear what the broker lets through.
    stage.stop_server().await?;
    let server = stage.signed("Beltwatch-ingest-events", 0)?;
    let mut server = Client::open(stage.broker_port, &server, Wish::default()).await?;
    server.subscribe(&filter_all(Kind::Events)).await?;
    let mut witness = Client::open(stage.broker_port, &stage.credential(WITNESS)?, Wish::default()).await?;
    let mut said = 0;
    stage
        .until("what it publishes is heard by nobody", async || {
            said += 1;
            let (word, fence) = (format!("said {said}"), format!("fence {said}"));
            open.publish(&topic(REVOKED, Kind::Events)?, false, &word).await?;
            witness.publish(&topic(WITNESS, Kind::Events)?, false, &fence).await?;
            Ok(!server.until(&fence).await?.iter().any(|(_, payload)| payload == word.as_bytes()))
        })
        .await?;
    table.row("the connection that was there publishes events", "heard by nobody", "heard by nobody");
    open.so_far().await?;
    server.publish(&topic(REVOKED, Kind::Ack)?, false, "for it").await?;
    let heard = if open.so_far().await?.is_empty() { "nothing" } else { "its ack" };
    table.row("the connection that was there hears of its ack", "nothing", heard);
    // The same configuration as before: it would resume that session.
    table.row("a new connection", "refused by TLS", until(stage, &tls, "refused by TLS").await?);
    let fresh = stage.credential(REVOKED)?;
    table.row("a new connection without a session to resume", "refused by TLS", attempt(stage, &fresh).await);
    table.end()?;
    Ok(open)
}

async fn renewed_after(stage: &Stage, open: &mut Client) -> anyhow::Result<()> {
    let mut table = Table::default();
    let old = stage.credential(REVOKED)?;
    let file = stage.path("tm-01-new.json").display().to_string();
    stage.command(&["machine", "renew", REVOKED, "--out", &file]).await?;
    stage.until_file("acl", "user tm-01\n", true).await?;
    let new = stage.credential("tm-01-new")?;
    table.row("the new certificate", "let in", attempt(stage, &new).await);
    table.row("the revoked certificate", "refused by TLS", attempt(stage, &old).await);
    let seen = if open.so_far().await.is_ok() { "stays" } else { "ended" };
    table.row("the connection that was there, once the new one was made", "ended", seen);
    table.end()
}

async fn renewed(stage: &mut Stage) -> anyhow::Result<()> {
    let mut table = Table::default();
    std::fs::rename(stage.path("tm-03.json"), stage.path("tm-03-old.json"))?;
    let file = stage.path("tm-03.json").display().to_string();
    stage.command(&["machine", "renew", RENEWED, "--out", &file]).await?;
    let (old, new) = (stage.credential("tm-03-old")?, stage.credential(RENEWED)?);
    table.row("the older certificate, before the newer key was used", "let in", attempt(stage, &old).await);
    table.row("the newer certificate", "let in", attempt(stage, &new).await);
    let list = std::fs::read(stage.path("broker/revoked.pem"))?;
    let mut agents = Vec::new();
    for (seed, machine) in (1..).zip([WITNESS, RENEWED, "tm-04"]) {
        agents.push(AgentProcess::start(machine, AgentPlan { seed, pace: 20 }, stage.folder())?);
    }
    // Each attempt that is let in pushes the agent out, so there is none before the list has changed.
    stage
        .until("the list is written", async || Ok(std::fs::read(stage.path("broker/revoked.pem"))? != list))
        .await?;
    let answer = until(stage, &old, "refused by TLS").await?;
    table.row("the older certificate, after the newer key was used", "refused by TLS", answer);
    table.end()?;
    let server = stage.server_id()?;
    signal(server, "-STOP").await?;
    tokio::time::sleep(STILL).await;
    signal(server, "-CONT").await?;
    for agent in &mut agents {
        agent.stop().await?;
    }
    let verdict = judge(stage, &agents).await?;
    report(&format!("real agents, whose server stands still for {} s: {verdict}", STILL.as_secs()));
    ensure!(verdict.is_clean(), "what is stored is not what was seen");
    ensure!(verdict.events > 0 && verdict.readings > 0, "nothing was seen: the test proves nothing");
    Ok(())
}

async fn signal(process: u32, signal: &str) -> anyhow::Result<()> {
    let status = Command::new("kill").args([signal, &process.to_string()]).status().await?;
    ensure!(status.success(), "cannot signal the server, process {process}");
    Ok(())
}

/// Compares again and again until nothing is missing or patience ends.
async fn judge(stage: &Stage, agents: &[AgentProcess]) -> anyhow::Result<Verdict> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let mut verdict = Verdict::default();
        for agent in agents {
            let truth = Truth::read(&agent.truth_file())?;
            let listing = stored::list(&stage.api_url(), agent.machine()).await;
            let listing =
                listing.with_context(|| format!("listing what is stored of {}", agent.machine()))?;
            verdict.add(Verdict::of(agent.machine(), &truth, &listing, agent::clock::system().offset_us));
        }
        if verdict.is_complete() || tokio::time::Instant::now() >= deadline {
            return Ok(verdict);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
