//! Whether both tiers answer alike: the same records are told to a server with its own broker and history, and to one
//! behind a Mosquitto whose history is in an InfluxDB. Both are restarted in the middle of a boot and at the end, and
//! judge the history anew. After each of that every reading method of the API is asked of both, and the answers are
//! compared field by field.
//!
//! Sessions, usage and rates are compared after a restart: of what is under way they get something once a minute, and
//! not at the same moment on both.
//!
//! Left out: readings of an incident whose trace is said to be incomplete; `ListMaintenance`, whose coverage counts from the registration until now, and `ListIncidentSteps`, which
//! here are all of the server's own.

mod compare;
mod feed;
mod player;
mod questions;
mod server;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use beltwatch::config::InfluxConfig;
use domain::units::UnixMicros;
use futures::future::try_join_all;
use tempfile::TempDir;
use tokio::time::Instant;

use self::feed::{Life, MACHINES, feed};
use self::player::Player;
use self::questions::{About, Answers, cursor, listed};
use self::server::{Tier, config};
use crate::influxd::{Influxd, NAME};
use crate::processes::{PATIENCE, Process, free_port};
use crate::report;

/// A day in microseconds.
const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// Most differences of one field that are shown.
const TOLD_EACH: usize = 5;
/// Before a difference counts it is looked so often at least, however slow the machine.
const LOOKS_MIN: u32 = 3;
/// How often it is looked whether the history has caught up.
const LOOK: std::time::Duration = std::time::Duration::from_millis(200);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The influxd
    #[arg(long, value_name = "FILE")]
    influxd: PathBuf,
    /// Tell the second server a record less, to see that the comparison finds it
    #[arg(long)]
    plant: bool,
    /// Keep the folders with logs and databases even if all is well
    #[arg(long)]
    keep: bool,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut stage = Stage::start(arguments).await?;
    let outcome = compare(&mut stage, arguments).await;
    if outcome.is_err() || arguments.keep {
        stage.influxd.keep();
        if let Some(temporary) = stage.temporary.take() {
            report(&format!("the servers' folders are in {}", temporary.keep().display()));
        }
    }
    outcome
}

/// Both tiers and what they stand on.
struct Stage {
    tiers: [Tier; 2],
    about: About,
    lives: Vec<Life>,
    broker: Process,
    influxd: Influxd,
    /// Dropped last, with everything in it.
    temporary: Option<TempDir>,
}

impl Stage {
    async fn start(arguments: &Arguments) -> anyhow::Result<Stage> {
        let temporary = tempfile::Builder::new().prefix("beltwatch-tiers-").tempdir()?;
        let folder = temporary.path();
        let influxd = Influxd::start(&arguments.influxd).await?;
        let port = free_port()?;
        let broker = start_broker(folder, port)?;
        let now_us = now_us();
        let about = About { from_us: now_us - 3 * DAY_US, until_us: now_us };
        let created = UnixMicros(now_us - 10 * DAY_US);
        let embedded = Tier::start("embedded", config(folder.join("embedded")), None, created).await?;
        let mut standard = config(folder.join("standard"));
        standard.broker.embedded = false;
        standard.broker.address = format!("127.0.0.1:{port}");
        standard.broker.password_file = folder.join("password");
        std::fs::write(&standard.broker.password_file, "not checked by this broker\n")?;
        standard.influxdb = InfluxConfig {
            url: influxd.url(),
            organisation: NAME.to_owned(),
            bucket: NAME.to_owned(),
            token_file: influxd.token_file(),
        };
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let standard = Tier::start("standard", standard, Some(address), created).await?;
        let (tiers, lives) = ([embedded, standard], feed(now_us));
        Ok(Stage { tiers, about, lives, broker, influxd, temporary: Some(temporary) })
    }

    /// Tells both tiers some lives, or for each of them only a part of it.
    async fn tell(&self, lives: &[Life], part: Part, planted: bool) -> anyhow::Result<()> {
        let [embedded, standard] = &self.tiers;
        tokio::try_join!(tell(embedded, lives, part, false), tell(standard, lives, part, planted))?;
        Ok(())
    }

    async fn restart(&mut self) -> anyhow::Result<()> {
        for tier in &mut self.tiers {
            tier.stop().await?;
            tier.start_again().await?;
        }
        Ok(())
    }

    /// Waits until both list everything that they were told.
    async fn wait(&self, lives: &[Life]) -> anyhow::Result<()> {
        for (machine, _) in MACHINES {
            let of_machine = lives.iter().filter(|life| life.machine == machine);
            let told =
                of_machine.fold([0; 2], |sum, life| [sum[0] + life.listed[0], sum[1] + life.listed[1]]);
            for tier in &self.tiers {
                let deadline = Instant::now() + PATIENCE;
                loop {
                    let listed = listed(tier, self.about, machine).await?;
                    if listed == told {
                        break;
                    }
                    let late = Instant::now() >= deadline;
                    ensure!(
                        !late,
                        "the {} tier lists {listed:?} events and readings of {machine}, and was told {told:?}",
                        tier.name
                    );
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
        Ok(())
    }

    /// Asks both; gives how many answers there were, and what differs.
    async fn ask(&self, asked: Asked, cursors: &[String; 2]) -> anyhow::Result<(usize, Vec<String>)> {
        let ([embedded, standard], about) = (&self.tiers, self.about);
        let [first, second] = cursors;
        let (ours, other) = match asked {
            Asked::Settled => tokio::try_join!(
                Answers::of_settled(embedded, about, first),
                Answers::of_settled(standard, about, second)
            ),
            Asked::All => {
                tokio::try_join!(Answers::of(embedded, about, first), Answers::of(standard, about, second))
            }
        }?;
        Ok((ours.all().len(), self.differences(&ours, &other)))
    }

    fn differences(&self, ours: &Answers, other: &Answers) -> Vec<String> {
        let [here, there] = [self.tiers[0].name, self.tiers[1].name];
        let mut found = Vec::new();
        if ours.all().len() != other.all().len() {
            found.push(format!("{} answers on {here}, {} on {there}", ours.all().len(), other.all().len()));
        }
        for ((question, answer), (other_question, other_answer)) in ours.all().iter().zip(other.all()) {
            if question != other_question {
                found.push(format!("asked {question} on {here}, {other_question} on {there}"));
                break;
            }
            let differences = compare::differences((here, answer), (there, other_answer));
            found.extend(differences.into_iter().map(|difference| format!("{question}: {difference}")));
        }
        found
    }
}

/// Which part of a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    First,
    Second,
    All,
}

/// What is asked of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// What depends only on the records that are listed.
    Settled,
    All,
}

async fn compare(stage: &mut Stage, arguments: &Arguments) -> anyhow::Result<()> {
    let cursors = [cursor(&stage.tiers[0]).await?, cursor(&stage.tiers[1]).await?];
    let lives = stage.lives.clone();
    let (whole, cut) = lives.split_at(lives.len() / 2);
    stage.tell(whole, Part::All, arguments.plant).await?;
    stage.tell(cut, Part::First, false).await?;
    stage.restart().await?;
    check(stage, Asked::All, &cursors, "after the restart in the middle").await?;
    stage.tell(cut, Part::Second, false).await?;
    stage.wait(&lives).await?;
    check(stage, Asked::Settled, &cursors, "before the last restart").await?;
    stage.restart().await?;
    check(stage, Asked::All, &cursors, "after the last restart").await?;
    let ([embedded, standard], about) = (&stage.tiers, stage.about);
    let (ours, other) =
        tokio::try_join!(Answers::of_rebuild(embedded, about), Answers::of_rebuild(standard, about))?;
    found("while rebuilding", ours.all().len(), &stage.differences(&ours, &other))?;
    check(stage, Asked::All, &cursors, "after a rebuild").await?;
    for tier in &mut stage.tiers {
        tier.stop().await?;
    }
    stage.influxd.kill().await?;
    stage.influxd.check_log()?;
    stage.broker.terminate().await
}

async fn check(stage: &Stage, asked: Asked, cursors: &[String; 2], when: &str) -> anyhow::Result<()> {
    let (began, mut looks) = (Instant::now(), 0);
    loop {
        let (answers, differences) = stage.ask(asked, cursors).await?;
        ensure!(answers > 100, "only {answers} answers: this shows nothing");
        looks += 1;
        // Judging and sealing go on beside the answers.
        let is_late = looks >= LOOKS_MIN && began.elapsed() >= PATIENCE;
        if differences.is_empty() || is_late {
            report(&format!("{when}: asked {looks} times within {} s", began.elapsed().as_secs()));
            return found(when, answers, &differences);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Tells what was found; a difference is an error.
fn found(when: &str, answers: usize, differences: &[String]) -> anyhow::Result<()> {
    report(&format!("{when}: {answers} answers of each tier, {} differences", differences.len()));
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    for difference in differences {
        // Of each field a few: one that differs everywhere would hide all others.
        let place = difference.rsplit_once(": ").map_or(&**difference, |(place, _)| place);
        let count = told.entry(place.rsplit('.').next().unwrap_or(place)).or_default();
        *count += 1;
        if *count <= TOLD_EACH {
            report(&format!("  {difference}"));
        }
    }
    ensure!(
        differences.is_empty(),
        "{when} the tiers do not answer alike: {} differences",
        differences.len()
    );
    Ok(())
}

/// Tells one tier a part of some lives, all machines at once. `planted`: a record of the first life is kept back.
async fn tell(tier: &Tier, lives: &[Life], part: Part, planted: bool) -> anyhow::Result<()> {
    let first = lives.first().map(|life| life.machine);
    let machines = MACHINES.iter().map(|(machine, _)| async move {
        let mut planted = planted && first == Some(machine);
        for life in lives.iter().filter(|life| life.machine == *machine) {
            tell_life(tier, life, part, std::mem::take(&mut planted)).await?;
        }
        anyhow::Ok(())
    });
    try_join_all(machines).await.with_context(|| format!("telling the {} tier", tier.name))?;
    Ok(())
}

async fn tell_life(tier: &Tier, life: &Life, part: Part, planted: bool) -> anyhow::Result<()> {
    let middle = life.batches.len() / 2;
    let (batches, connection) = match part {
        Part::First => (&life.batches[..middle], 1),
        Part::Second => (&life.batches[middle..], 2),
        Part::All => (&life.batches[..], 1),
    };
    let mut batches = batches.to_vec();
    if planted {
        let of_two = batches.iter_mut().find(|batch| batch.rows.len() > 1);
        drop(of_two.context("no envelope of two records")?.rows.remove(0));
    }
    Player::play(tier.broker()?, tier.master()?, (life, &batches), connection).await
}

fn start_broker(folder: &Path, port: u16) -> anyhow::Result<Process> {
    let settings = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n\
         max_inflight_messages 1000\n"
    );
    let file = folder.join("mosquitto.conf");
    std::fs::write(&file, settings)?;
    Process::start(PathBuf::from("mosquitto"), vec!["-c".into(), file.into()], folder.join("mosquitto.log"))
}

/// The present, in microseconds since 1970.
fn now_us() -> i64 {
    let clock = agent::clock::system();
    i64::try_from(agent::clock::monotonic().0).unwrap_or(0) + clock.offset_us
}
