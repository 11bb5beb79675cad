//! Beltwatch beside Telegraf: the same broker, the same InfluxDB, the same readings and events in messages of the same
//! number, one after the other in rounds that take turns. Then both are killed under load, and what InfluxDB holds is
//! held against what was published.
//!
//! Beltwatch's machines publish sealed envelopes with the agent's own uplink and send again what is not acknowledged.
//! Telegraf's publish line protocol with the same fields, QoS 1, and are done with a message when the broker has it.
//! The lines are written before a round begins, so that Telegraf does not pay for that.

mod cost;
mod lines;
mod load;
mod publisher;
mod stage;
mod stored;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use tokio::time::Instant;

use self::cost::Spent;
use self::stage::{Stage, Target};
use self::stored::Stored;
use self::table::{Figures, Killed};
use crate::report;

/// How long everything that was published may take to be in InfluxDB.
const CATCH_UP: Duration = Duration::from_secs(300);
/// How often it is looked whether it is there.
const LOOK: Duration = Duration::from_millis(200);
/// Longest time from the begin of a part of a load until the kill, in milliseconds: half of the kills strike while the
/// part is published, the others as well while it is on its way to InfluxDB.
const KILL_MS_MAX: [u64; 2] = [150, 1_500];

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The influxd
    #[arg(long, value_name = "FILE")]
    influxd: PathBuf,
    /// The telegraf
    #[arg(long, value_name = "FILE")]
    telegraf: PathBuf,
    /// How many machines publish at once
    #[arg(long, default_value_t = 10)]
    machines: usize,
    /// Readings that each machine publishes in a round
    #[arg(long, default_value_t = 2_000)]
    readings: u64,
    /// Readings in a message
    #[arg(long, default_value_t = 10)]
    readings_per_message: usize,
    /// How many rounds are measured, each with both
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// How often each is killed under load
    #[arg(long, default_value_t = 5)]
    kills: usize,
    /// Seed of the moments of the kills
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Let Telegraf begin a new session at each start, as it does unless it is told otherwise
    #[arg(long)]
    telegraf_clean_session: bool,
    /// Keep the folders with logs and databases even if all is well
    #[arg(long)]
    keep: bool,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    ensure!(
        arguments.machines > 0 && arguments.readings > 0,
        "without machines and readings nothing is shown"
    );
    let mut stage = Stage::start(arguments).await?;
    let outcome = compare(&mut stage, arguments).await;
    if outcome.is_err() || arguments.keep {
        stage.keep();
    }
    outcome
}

async fn compare(stage: &mut Stage, arguments: &Arguments) -> anyhow::Result<()> {
    let mut measured = Target::BOTH.map(|_| Vec::new());
    for round in 0..arguments.rounds {
        // Who comes first changes: what a round leaves InfluxDB to do falls upon both.
        let mut order = Target::BOTH;
        order.rotate_left(round % 2);
        for target in order {
            let figures = measure(stage, arguments, target, round).await?;
            report(&format!("round {}, {}: {figures}", round + 1, target.name()));
            measured[target.index()].push(figures);
        }
    }
    let mut killed = Vec::new();
    for target in Target::BOTH {
        let outcome = kill(stage, arguments, target).await?;
        report(&format!("{}: {outcome}", target.name()));
        killed.push(outcome);
    }
    report(&table::markdown(&measured, &killed));
    let [ours, theirs] = &killed[..] else { anyhow::bail!("two were killed") };
    ensure!(ours.published > 0 && theirs.published > 0, "nothing was published: this shows nothing");
    ensure!(ours.lost == 0 && ours.twice == 0, "Beltwatch lost or doubled something");
    // What Telegraf loses is measured, not asserted: with a session that lasts it should be nothing.
    stage.stop().await
}

/// One load from its first message until all of it is in InfluxDB.
async fn measure(
    stage: &mut Stage,
    arguments: &Arguments,
    target: Target,
    round: usize,
) -> anyhow::Result<Figures> {
    let prefix = format!("r{round}");
    let mut load = stage.load(arguments, target, &prefix).await?;
    let (began, before) = (Instant::now(), stage.spent(target)?);
    load.publish(1, 1).await?;
    let made = load.end().await?;
    let published = began.elapsed();
    let mut anonymous_kib = 0;
    let deadline = Instant::now() + CATCH_UP;
    loop {
        let stored = Stored::count(stage.influxd(), target, &prefix).await?;
        anonymous_kib = anonymous_kib.max(stage.anonymous_kib(target)?);
        if stored.records >= made.records() {
            break;
        }
        ensure!(
            Instant::now() < deadline,
            "{} has brought {stored:?} of {made:?} to InfluxDB in time; its log:\n{}",
            target.name(),
            stage.last_words(target)
        );
        tokio::time::sleep(LOOK).await;
    }
    let (took, after) = (began.elapsed(), stage.spent(target)?);
    let memory_kib = (cost::memory_max_kib(stage.process_id(target)?)?, anonymous_kib);
    Ok(Figures::new(made, published, took, Spent::passed(&before, &after), memory_kib))
}

/// One load in parts; in each the target is killed at a moment by chance, and started again at once.
async fn kill(stage: &mut Stage, arguments: &Arguments, target: Target) -> anyhow::Result<Killed> {
    let mut random = fastrand::Rng::with_seed(arguments.seed);
    let mut load = stage.load(arguments, target, "k").await?;
    let parts = arguments.kills + 1;
    for part in 1..=parts {
        let publishing = load.publish(part, parts);
        if part == parts {
            publishing.await?;
            break;
        }
        let moment = Duration::from_millis(random.u64(0..=KILL_MS_MAX[part % 2]));
        let killing = async {
            tokio::time::sleep(moment).await;
            stage.kill(target).await
        };
        tokio::try_join!(publishing, killing)?;
    }
    let made = load.end().await?;
    let stored = settled(stage, target, "k", made.records()).await?;
    Ok(Killed {
        kills: arguments.kills,
        published: made.records(),
        lost: made.records().saturating_sub(stored.different),
        twice: stored.records - stored.different,
    })
}

/// What is stored when all of it is there, or when nothing more comes.
async fn settled(stage: &Stage, target: Target, prefix: &str, made: u64) -> anyhow::Result<Stored> {
    let mut stored = Stored::count(stage.influxd(), target, prefix).await?;
    let mut grown = Instant::now();
    while stored.different < made && grown.elapsed() < stage::QUIET {
        tokio::time::sleep(LOOK).await;
        let now = Stored::count(stage.influxd(), target, prefix).await?;
        if now != stored {
            (stored, grown) = (now, Instant::now());
        }
    }
    Ok(stored)
}
