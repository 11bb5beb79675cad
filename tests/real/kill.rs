//! Kills agent, server or broker at random moments, the broker's memory gone each time; then holds what is stored
//! against what the agents say they saw.

use std::time::Duration;

use anyhow::{Context, ensure};

use crate::judge::judge;
use crate::processes::{AgentPlan, Fleet, Victim};
use crate::report;
use crate::traffic::Traffic;

/// How long a kill waits for a message to strike behind.
const NEXT_MESSAGE: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many kills
    #[arg(long, default_value_t = 50)]
    kills: u32,
    /// Seed of the moments and victims
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many machines
    #[arg(long, default_value_t = 6)]
    machines: u32,
    /// Longest pause between two kills, in milliseconds
    #[arg(long, default_value_t = 4_000)]
    pause_ms: u64,
    /// Longest time that a victim stays away, in milliseconds
    #[arg(long, default_value_t = 1_000)]
    down_ms: u64,
    /// Keep the folder with logs and databases even if all is well
    #[arg(long)]
    keep: bool,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let began = tokio::time::Instant::now();
    let mut fleet = Fleet::start().await?;
    let outcome = kill_and_judge(&mut fleet, arguments).await;
    report(&format!("{} s", began.elapsed().as_secs()));
    if outcome.is_err() || arguments.keep {
        fleet.keep();
    }
    outcome
}

async fn kill_and_judge(fleet: &mut Fleet, arguments: &Arguments) -> anyhow::Result<()> {
    for number in 0..arguments.machines {
        let machine = format!("tm-{:02}", number + 1);
        fleet.add_machine(&machine).await?;
        let seed = arguments.seed.wrapping_mul(1_000_000).wrapping_add(u64::from(number));
        fleet.start_agent(&machine, AgentPlan { seed, pace: 20 })?;
    }
    kill_many(fleet, arguments).await?;
    fleet.stop_agents().await?;
    let verdict = judge(fleet).await?;
    report(&verdict.to_string());
    fleet.restart_server().await?;
    let again = judge(fleet).await?;
    if again != verdict {
        report(&format!("after a restart of the server: {again}"));
    }
    fleet.stop().await?;
    ensure!(verdict.is_clean(), "what is stored is not what was seen");
    ensure!(again == verdict, "after a restart of the server something else is stored");
    ensure!(verdict.events > 0 && verdict.readings > 0, "nothing was seen: the test proves nothing");
    Ok(())
}

async fn kill_many(fleet: &mut Fleet, arguments: &Arguments) -> anyhow::Result<()> {
    let mut random = fastrand::Rng::with_seed(arguments.seed);
    let mut traffic = Traffic::watch(fleet.broker_port())?;
    let (mut killed, mut at_work) = ([0; 3], 0);
    for kill in 1..=arguments.kills {
        // Half of the pauses are short: the next kill then strikes those who are still catching up.
        let pause_ms_max = if random.bool() { arguments.pause_ms / 20 } else { arguments.pause_ms };
        let pause = Duration::from_millis(random.u64(0..=pause_ms_max));
        let down = Duration::from_millis(random.u64(0..=arguments.down_ms));
        tokio::time::sleep(pause).await;
        // Half of the kills strike right behind a message: while it is appended, acknowledged or trimmed.
        if random.bool() && traffic.next(NEXT_MESSAGE).await {
            tokio::time::sleep(Duration::from_micros(random.u64(0..=5_000))).await;
            at_work += 1;
        }
        let kind = random.usize(0..3);
        let victim = match kind {
            0 => Victim::Agent(random.usize(0..fleet.agents().len())),
            1 => Victim::Server,
            _ => Victim::Broker,
        };
        fleet.kill(victim, down).await.with_context(|| format!("kill {kill}, {victim:?}"))?;
        killed[kind] += 1;
    }
    let [agents, servers, brokers] = killed;
    let (seed, kills) = (arguments.seed, arguments.kills);
    report(&format!(
        "seed {seed}, {kills} kills: {agents} of agents, {servers} of the server, {brokers} of the broker; \
         {at_work} of them right behind a message"
    ));
    Ok(())
}
