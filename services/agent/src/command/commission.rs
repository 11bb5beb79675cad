//! `beltwatch-agent commission`

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use agent::clock;
use agent::commission::body::{self, Lines};
use agent::commission::{Calibrated, Commissioning, Plan};
use agent::config::Config;
use agent::run::{Agent, AgentSettings, Feed, Progress, StartError};
use agent::source::encoder::{self, Encoder};
use agent::source::settings::SourceSettings;
use agent::source::{Source, supervise};
use agent::spool::sqlite::SqliteDisk;
use domain::commissioning::CommissioningReport;
use domain::ids::ConfigurationHash;
use domain::signal::{Capabilities, SourceSpec};
use tokio::sync::mpsc;
use wire::credential::Credential;

use super::life::{self, ConfigArguments, Failure};

/// Commission a machine: be led through showing what its sources tell, and record it at the server.
///
/// It only watches; the belt is moved at the console, with nobody on it. Before a commissioning a measured direction counts
/// as unknown. Stop the agent first: ports and spool belong to one program at a time; start it again afterwards.
/// Status 0: recorded; 69: it could not be delivered yet and stays in the spool; 75: broken off, or the agent still runs.
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
    /// Deliver what an earlier commissioning has written to this file because it could not be delivered then.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["answers", "one_way", "buttons", "belt_mm", "laps"])]
    report: Option<PathBuf>,
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
    let configuration =
        config.configuration().ok_or_else(|| Failure::config(arguments.config.without_sources()))?;
    life::log("warn")?;
    // What would keep the report from being delivered is told before a technician has done all the work.
    let credential = life::credential(&config.credential)?;
    // Held meanwhile, so that no agent starts beside it.
    let spool = SqliteDisk::open(&config.spool).map_err(StartError::Spool)?;
    if let Some(file) = &arguments.report {
        let report = kept(file, configuration)?;
        drop(spool);
        let code = life::runtime()?.block_on(deliver(&config, credential, report, arguments.patience))?;
        // It is delivered, or in the spool: a file that stays is no harm.
        let _ = std::fs::remove_file(file);
        return Ok(code);
    }
    let lines = lines(arguments)?;
    life::runtime()?.block_on(async {
        let report = dialogue(arguments, &config, configuration, lines).await?;
        drop(spool);
        let Some(report) = report.map(CommissioningReport::fitted) else {
            return Ok(ExitCode::from(EX_TEMPFAIL));
        };
        let outcome = deliver(&config, credential, report.clone(), arguments.patience).await;
        outcome.map_err(|failure| keep(&config, &report, failure))
    })
}

/// Writes a report that cannot be delivered to a file beside the spool, so that the work is not lost.
fn keep(config: &Config, report: &CommissioningReport, failure: Failure) -> Failure {
    let file = config.spool.with_file_name("commissioning-report");
    let shown = file.display();
    let words = match std::fs::write(&file, report.encode()) {
        Ok(()) => format!(
            "The report is in {shown}; `beltwatch-agent commission --report {shown}` delivers it, with the same \
             configuration of the sources."
        ),
        Err(error) => format!("The report is LOST: it cannot be written to {shown}, either: {error}"),
    };
    failure.with(&words)
}

/// Reads a report that could not be delivered.
fn kept(file: &Path, configuration: ConfigurationHash) -> Result<CommissioningReport, Failure> {
    let shown = file.display();
    let octets = std::fs::read(file)
        .map_err(|error| Failure::no_input(format!("cannot read the report {shown}: {error}")))?;
    let report = CommissioningReport::decode(&octets)
        .map_err(|error| Failure::wrong_content(format!("{shown} is no report: {error}")))?;
    if report.configuration == configuration {
        return Ok(report);
    }
    Err(Failure::wrong_content(format!(
        "{shown} is of sources that were set otherwise: commission the machine anew"
    )))
}

/// The technician's lines, read by a thread of their own: it may wait for ever.
fn lines(arguments: &Arguments) -> Result<Lines, Failure> {
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
    Ok(Lines { lines, are_typed: arguments.answers.is_none() && std::io::stdin().is_terminal() })
}

async fn dialogue(
    arguments: &Arguments,
    config: &Config,
    configuration: ConfigurationHash,
    mut lines: Lines,
) -> Result<Option<CommissioningReport>, Failure> {
    let mut sources: Vec<Box<dyn Source>> = config.sources.iter().map(SourceSettings::source).collect();
    let specs: Vec<SourceSpec> = sources.iter().map(|source| source.spec()).collect();
    let (mut calibrated, mut odometer) = (None, None);
    if let Some((place, encoder, source)) = first_encoder(&config.sources) {
        (calibrated, odometer) = (Some(encoder), Some(source.odometer()));
        sources[place] = Box::new(source);
    }
    let plan = Plan {
        key_in_words: !config.sources.iter().zip(&specs).any(tells_key_level),
        encoder: calibrated,
        is_one_way: arguments.one_way,
        buttons: arguments.buttons,
        belt_mm: arguments.belt_mm,
        laps: arguments.laps,
        ..Plan::of(&specs).with_inverted(&config.sources.iter().map(inverted).collect::<Vec<_>>())
    };
    let mind = Commissioning::new(plan, configuration, env!("CARGO_PKG_VERSION"));
    // Dropped at the end, it closes the ports.
    let (mut signals, _running) = supervise::start(sources, None);
    let mut out = std::io::stdout();
    body::run(mind, &mut signals, &mut lines, odometer.as_ref(), clock::monotonic, &mut out)
        .await
        .map_err(|error| Failure::io(format!("cannot write to standard output: {error}")))
}

/// The first encoder of a configuration: its place, what laps calibrate, and the source.
fn first_encoder(settings: &[SourceSettings]) -> Option<(usize, Calibrated, Encoder)> {
    settings.iter().enumerate().find_map(|(place, one)| {
        let SourceSettings::Encoder(settings) = one else { return None };
        let calibrated = Calibrated { name: settings.name.clone(), nm_per_count: settings.nm_per_count() };
        Some((place, calibrated, encoder::source(settings)))
    })
}

/// Whether a source tells the key's level. A console over Bluetooth tells only that the key has stopped it.
fn tells_key_level((settings, spec): (&SourceSettings, &SourceSpec)) -> bool {
    spec.capabilities.has(Capabilities::SAFETY_KEY) && !matches!(settings, SourceSettings::Ftms(_))
}

/// Whether a source's setting `invert` is on; `None`: its kind has no such setting.
fn inverted(source: &SourceSettings) -> Option<bool> {
    match source {
        SourceSettings::Encoder(settings) => Some(settings.invert),
        SourceSettings::Drive(settings) => Some(settings.invert),
        SourceSettings::Biodex(settings) => Some(settings.invert),
        SourceSettings::Contact(_)
        | SourceSettings::Ftms(_)
        | SourceSettings::RunningSpeed(_)
        | SourceSettings::Csafe(_)
        | SourceSettings::Tap(_)
        | SourceSettings::Exec(_) => None,
    }
}

/// Runs the agent until the server has acknowledged the report. What is not acknowledged stays in the spool.
async fn deliver(
    config: &Config,
    credential: Credential,
    report: CommissioningReport,
    patience: u64,
) -> Result<ExitCode, Failure> {
    let sources = config.sources.iter().map(|source| source.source()).collect();
    let settings = AgentSettings {
        commissioning: Some(Box::new(report)),
        ..life::settings(config, credential, Feed::Sources(sources))
    };
    let mut agent = Agent::start(settings).await?;
    let delivered = |progress: &Progress| progress.appended[0] > 1 && progress.unacknowledged[0] == 0;
    let waiting = tokio::time::timeout(Duration::from_secs(patience), agent.wait_until(delivered));
    let is_delivered = waiting.await.is_ok();
    agent.stop(Duration::ZERO).await?;
    let (words, code) = if is_delivered {
        let words = "Recorded: it holds from ten seconds from now on. Next: sudo systemctl start beltwatch-agent; then \
                     `beltwatch rebuild` gives the history before it its direction.";
        (words, ExitCode::SUCCESS)
    } else {
        let words = "The server has not acknowledged it yet. It is in the spool and goes with the agent's next start.";
        (words, ExitCode::from(EX_UNAVAILABLE))
    };
    // That nobody reads it any more changes nothing.
    let _ = writeln!(std::io::stdout(), "{words}");
    Ok(code)
}
