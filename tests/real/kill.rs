//! Kills agent, server or broker at random moments, real processes all, the broker's memory gone each time; then
//! holds what is stored against what the agents say they saw.

mod processes;
mod truth;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Parser;

use processes::{Fleet, Victim};

#[derive(Debug, Parser)]
#[command(about = "Kills real processes at random moments and compares what is stored with what was seen.")]
struct Args {
    /// How many kills.
    #[arg(long, default_value_t = 50)]
    kills: u32,
    /// Seed of the moments and victims.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many machines.
    #[arg(long, default_value_t = 3)]
    machines: u32,
    /// Longest pause between two kills, in milliseconds.
    #[arg(long, default_value_t = 1_500)]
    pause_ms: u64,
    /// Keep the folder with logs and databases.
    #[arg(long)]
    keep: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let folder = tempfile::Builder::new().prefix("beltwatch-kill-").tempdir()?;
    let path: PathBuf = folder.path().to_owned();
    if args.keep {
        report(&format!("keeping {}", folder.keep().display()));
    }
    let mut random = fastrand::Rng::with_seed(args.seed);
    let mut fleet = Fleet::start(&path, args.machines).await.context("starting the fleet")?;
    for kill in 1..=args.kills {
        tokio::time::sleep(Duration::from_millis(random.u64(50..=args.pause_ms))).await;
        let victim = match random.u32(0..3) {
            0 => Victim::Agent(random.usize(0..fleet.machines())),
            1 => Victim::Server,
            _ => Victim::Broker,
        };
        fleet.kill_and_restart(&victim).await.with_context(|| format!("kill {kill}, {victim:?}"))?;
        report(&format!("kill {kill}/{}: {victim:?}", args.kills));
    }
    fleet.stop_agents().await?;
    let seen = truth::read(&path, args.machines)?;
    let verdict = truth::compare(&mut fleet, &seen).await?;
    report(&verdict.to_string());
    fleet.stop().await?;
    ensure!(verdict.is_clean(), "what is stored is not what was seen");
    ensure!(verdict.events > 0 && verdict.readings > 0, "nothing was seen: the test proves nothing");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this program's output is its result")]
fn report(line: &str) {
    println!("{line}");
}
