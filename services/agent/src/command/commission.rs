//! `beltwatch-agent commission`

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use agent::clock;
use agent::commission::{Commissioning, Plan, body};
use agent::config::Config;
use agent::run::{Agent, AgentSettings, Feed, Progress};
use domain::commissioning::CommissioningReport;
use domain::signal::SourceSpec;
use tokio::sync::mpsc;

use super::life::{self, ConfigArguments, Failure};

/// Commission a machine: be led through showing what its sources tell, and record it at the server.
///
/// It only watches; the belt is moved at the console, with nobody on it. Before a commissioning a measured direction counts
/// as unknown. Stop the agent first: ports and spool belong to one program at a time; start it again afterwards.
/// Status 0: recorded; 69: it could not be delivered yet and stays in the spool; 75: broken off.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The belt can only run forward: no reverse run is asked for.
    #[arg(long)]
    one_way: bool,
    /// Emergency-stop buttons; each is pressed once.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=8))]
    buttons: u8,
    /// Length of the belt, once around, in millimetres. Without it no laps are counted.
    #[arg(long, value_name = "MM", value_parser = clap::value_parser!(u32).range(1_000..=10_000))]
    belt_mm: Option<u32>,
    /// Laps of the belt that are counted.
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    laps: u32,
    /// Take answers from this file, a line each, in place of the terminal.
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// How long to wait for the server, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    patience: u64,
}

/// It could not be delivered yet.
const EX_UNAVAILABLE: u8 = 69;
/// The technician broke it off.
const EX_TEMPFAIL: u8 = 75;
/// Answers that wait to be asked for. More: whoever types waits.
const LINES_WAITING_MAX: usize = 16;

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match commission(arguments) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

fn commission(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = arguments.config.read()?;
    life::log("warn")?;
    if config.sources.is_empty() {
        return Err(Failure::config(
            "the configuration names no source: there is nothing to commission".to_owned(),
        ));
    }
    let lines = lines(arguments)?;
    life::runtime()?.block_on(async {
        match dialogue(arguments, &config, lines).await? {
            Some(report) => deliver(&config, report.fitted(), arguments.patience).await,
            None => Ok(ExitCode::from(EX_TEMPFAIL)),
        }
    })
}

/// The technician's lines, read by a thread of their own: it may wait for ever.
fn lines(arguments: &Arguments) -> Result<mpsc::Receiver<String>, Failure> {
    let (sender, lines) = mpsc::channel(LINES_WAITING_MAX);
    let file = match &arguments.answers {
        Some(file) => Some(std::fs::File::open(file).map_err(|error| {
            Failure::no_input(format!("cannot read the answers {}: {error}", file.display()))
        })?),
        None => None,
    };
    std::thread::spawn(move || {
        let all: Box<dyn BufRead> = match file {
            Some(file) => Box::new(std::io::BufReader::new(file)),
            None => Box::new(std::io::stdin().lock()),
        };
        for line in all.lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    Ok(lines)
}

async fn dialogue(
    arguments: &Arguments,
    config: &Config,
    mut lines: mpsc::Receiver<String>,
) -> Result<Option<CommissioningReport>, Failure> {
    let sources: Vec<_> = config.sources.iter().map(|source| source.source()).collect();
    let specs: Vec<SourceSpec> = sources.iter().map(|source| source.spec()).collect();
    let plan = Plan {
        is_one_way: arguments.one_way,
        buttons: arguments.buttons,
        belt_mm: arguments.belt_mm,
        laps: arguments.laps,
        ..Plan::of(&specs)
    };
    let mind = Commissioning::new(plan, config.configuration(), env!("CARGO_PKG_VERSION"));
    // Dropped at the end, it closes the ports.
    let (mut signals, _running) = body::start(sources);
    let mut out = std::io::stdout();
    body::run(mind, &mut signals, &mut lines, clock::monotonic, &mut out)
        .await
        .map_err(|error| Failure::io(format!("cannot write to standard output: {error}")))
}

/// Runs the agent until the server has acknowledged the report. What is not acknowledged stays in the spool.
async fn deliver(config: &Config, report: CommissioningReport, patience: u64) -> Result<ExitCode, Failure> {
    let credential = life::credential(&config.credential)?;
    let sources = config.sources.iter().map(|source| source.source()).collect();
    let settings = AgentSettings {
        trust_system_clock: config.trust_system_clock,
        configuration: Some(config.configuration()),
        commissioning: Some(Box::new(report)),
        ..AgentSettings::new(credential, config.spool.clone(), Feed::Sources(sources))
    };
    let mut agent = Agent::start(settings).await?;
    let delivered = |progress: &Progress| progress.appended[0] > 1 && progress.unacknowledged[0] == 0;
    let waiting = tokio::time::timeout(Duration::from_secs(patience), agent.wait_until(delivered));
    let is_delivered = waiting.await.is_ok();
    agent.stop(Duration::ZERO).await?;
    let (words, code) = if is_delivered {
        ("Recorded: it holds from ten seconds from now on.", ExitCode::SUCCESS)
    } else {
        let words = "The server has not acknowledged it yet. It is in the spool and goes with the agent's next start.";
        (words, ExitCode::from(EX_UNAVAILABLE))
    };
    // That nobody reads it any more changes nothing.
    let _ = writeln!(std::io::stdout(), "{words}");
    Ok(code)
}
