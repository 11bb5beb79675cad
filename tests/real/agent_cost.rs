//! What an agent costs: memory, processor time, octets written, size of the program; at rest and while it observes ten
//! times a second.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use crate::processes::{Fleet, Process, program};
use crate::report;

/// How long an agent runs before it is looked at: what it needs to start is not what it costs.
const WARM_UP: Duration = Duration::from_secs(20);
/// A kernel's tick, in microseconds; the same on all processors that Linux runs on.
const TICK_US: u64 = 10_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How long each is measured, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The agent to measure; the one beside this program if not given
    #[arg(long)]
    agent: Option<PathBuf>,
    /// Keep the folder with logs and databases even if all is well
    #[arg(long)]
    keep: bool,
}

/// What a belt's source says, and how often, in words of the shell.
#[derive(Debug, Clone, Copy)]
enum Use {
    Rest,
    Moving,
}

impl Use {
    fn name(self) -> &'static str {
        match self {
            Use::Rest => "at rest",
            Use::Moving => "moving, 10 Hz",
        }
    }

    fn script(self) -> &'static str {
        match self {
            Use::Rest => {
                r#"while :; do echo '{"speed_mm_s":0,"contacts":{"emergency_stop":"closed","safety_key":"closed"}}'; sleep 1; done"#
            }
            Use::Moving => {
                r#"n=0; while :; do n=$(( (n + 7) % 40 )); echo "{\"direction\":\"reverse\",\"speed_mm_s\":$((440 + n)),\"contacts\":{\"emergency_stop\":\"closed\",\"safety_key\":\"closed\",\"hand_rail\":\"closed\"}}"; sleep 0.1; done"#
            }
        }
    }
}

/// What the kernel counts of a process.
#[derive(Debug, Clone, Copy)]
struct Counted {
    anonymous_kib: u64,
    cpu_us: u64,
    written: u64,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut fleet = Fleet::start().await?;
    let outcome = measure(&mut fleet, arguments).await;
    if outcome.is_err() || arguments.keep {
        fleet.keep();
    }
    outcome
}

async fn measure(fleet: &mut Fleet, arguments: &Arguments) -> anyhow::Result<()> {
    let agent = match &arguments.agent {
        Some(agent) => agent.clone(),
        None => program("beltwatch-agent")?,
    };
    let mut lines = vec![
        "| agent | anonymous memory, KiB | processor, % of one | octets written an hour |".to_owned(),
        "|---|---|---|---|".to_owned(),
    ];
    for (number, kind) in [Use::Rest, Use::Moving].into_iter().enumerate() {
        let machine = format!("cost-{number}");
        let credential = fleet.add_machine(&machine).await?;
        let folder = credential.parent().context("a file lies in a folder")?.to_owned();
        let config = folder.join(format!("{machine}.toml"));
        fs::write(&config, configuration(&credential, &folder.join(format!("{machine}.spool")), kind))?;
        let given = vec!["run".into(), "--config".into(), config.into()];
        let mut process = Process::start(agent.clone(), given, folder.join(format!("{machine}.log")))?;
        tokio::time::sleep(WARM_UP).await;
        let before = counted(process.id()?)?;
        tokio::time::sleep(Duration::from_secs(arguments.seconds)).await;
        process.check_running()?;
        let after = counted(process.id()?)?;
        process.terminate().await?;
        process.check_log()?;
        lines.push(row(kind, before, after, arguments.seconds));
    }
    lines.push(format!(
        "the program has {} octets as it is ({})",
        fs::metadata(&agent)?.len(),
        agent.display()
    ));
    for line in lines {
        report(&line);
    }
    fleet.stop().await
}

fn configuration(credential: &Path, spool: &Path, kind: Use) -> String {
    format!(
        "credential = {credential:?}\nspool = {spool:?}\n\n[[source]]\nkind = \"exec\"\nname = \"belt\"\n\
         command = [\"sh\", \"-c\", '''{}''']\nreports = [\"speed\", \"direction\", \"emergency_stop\", \"safety_key\"]\n",
        kind.script()
    )
}

fn row(kind: Use, before: Counted, after: Counted, seconds: u64) -> String {
    let cpu_us = after.cpu_us - before.cpu_us;
    let per_cent = cpu_us as f64 / (seconds as f64 * 10_000.0);
    let hourly = (after.written - before.written) * 3_600 / seconds.max(1);
    format!("| {} | {} | {per_cent:.2} | {hourly} |", kind.name(), after.anonymous_kib)
}

fn counted(id: u32) -> anyhow::Result<Counted> {
    let read = |name: &str| {
        fs::read_to_string(format!("/proc/{id}/{name}")).with_context(|| format!("/proc/{id}/{name}"))
    };
    let field = |text: &str, key: &str| -> anyhow::Result<u64> {
        let line =
            text.lines().find_map(|line| line.strip_prefix(key)).with_context(|| format!("no {key}"))?;
        Ok(line.split_whitespace().next().context("no number")?.parse()?)
    };
    let (memory, io, stat) = (read("smaps_rollup")?, read("io")?, read("stat")?);
    // The name of the program is in brackets and may hold anything.
    let (_, fields) = stat.rsplit_once(')').context("no program name")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |index: usize| -> anyhow::Result<u64> { Ok(fields.get(index).context("no ticks")?.parse()?) };
    Ok(Counted {
        anonymous_kib: field(&memory, "Anonymous:")?,
        cpu_us: (ticks(11)? + ticks(12)?) * TICK_US,
        written: field(&io, "write_bytes:")?,
    })
}
