//! `beltwatch-agent selftest`

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use agent::config::Config;
use agent::probe::{self, Found};
use agent::run::{Agent, Feed, Progress};

use super::life::{self, ConfigArguments, Failure};

/// Check the whole way from the sources to the server, and say what is wrong.
///
/// It listens to every configured source, then runs the agent itself until the server has acknowledged its records.
/// Stop the agent first: ports and spool belong to one program at a time. Status 0: all is well; 69: something is not.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// How long to listen to the sources, and how long to wait for the server, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    patience: u64,
}

/// Something is not well.
const EX_UNAVAILABLE: u8 = 69;

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match check(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(EX_UNAVAILABLE),
        Err(failure) => failure.report(),
    }
}

/// Checks step by step. A step that the next ones need ends the test.
fn check(arguments: &Arguments) -> Result<bool, Failure> {
    let config = arguments.config.read()?;
    // What goes wrong is told in the steps' own words.
    life::log("error")?;
    let patience = Duration::from_secs(arguments.patience);
    life::runtime()?.block_on(async {
        let sources_well = if config.sources.is_empty() {
            say(false, "sources", &arguments.config.without_sources());
            false
        } else {
            sources(&config, patience).await
        };
        Ok(delivery(&config, patience).await? && sources_well)
    })
}

async fn sources(config: &Config, patience: Duration) -> bool {
    let sources = config.sources.iter().map(|source| source.source()).collect();
    let mut well = true;
    for found in probe::listen(sources, patience, |_| {}).await {
        let (is_well, outcome) = judge(&found, patience);
        say(is_well, &format!("source {}", found.source), &outcome);
        well &= is_well;
    }
    well
}

/// Whether a source is well, and why not.
fn judge(found: &Found, patience: Duration) -> (bool, String) {
    if let Some(why) = &found.lost {
        return (false, why.clone());
    }
    let told = found.told().join(", ");
    if told.is_empty() {
        let why = found.complaint().map_or(String::new(), |complaint| format!(": {complaint}"));
        return (false, format!("told nothing of the machine in {} s{why}", patience.as_secs()));
    }
    match found.untold().join(", ") {
        untold if untold.is_empty() => (true, format!("delivers {told}")),
        untold => (true, format!("delivers {told}; not seen now: {untold}")),
    }
}

/// Runs the agent itself until the server has acknowledged what it saw.
async fn delivery(config: &Config, patience: Duration) -> Result<bool, Failure> {
    let credential = match life::credential(&config.credential) {
        Ok(credential) => credential,
        Err(failure) => {
            say(false, "credential", failure.message());
            return Ok(false);
        }
    };
    let encrypted = if credential.tls.is_some() { "TLS" } else { "not encrypted" };
    let (machine, generation) = (&credential.machine, credential.generation);
    let broker = credential.broker.clone();
    say(true, "credential", &format!("{machine}, generation {generation}, broker {broker}, {encrypted}"));
    let sources = config.sources.iter().map(|source| source.source()).collect();
    let settings = life::settings(config, credential, Feed::Sources(sources));
    let mut agent = match Agent::start(settings).await {
        Ok(agent) => agent,
        Err(error) => {
            say(false, "spool", &error.to_string());
            return Ok(false);
        }
    };
    say(true, "spool", &config.spool.display().to_string());
    let has_connected = reached(&mut agent, patience, |progress| progress.is_connected).await;
    say(
        has_connected,
        "broker",
        if has_connected { "takes the credential" } else { "does not answer, or refuses it" },
    );
    let told = |progress: &Progress| progress.appended[0] > 0 && progress.is_delivered();
    let is_delivered = has_connected && reached(&mut agent, patience, told).await;
    let last = agent.stop(Duration::ZERO).await?;
    let [events, readings] = last.appended;
    let outcome = if is_delivered {
        format!("the server has acknowledged {events} events and {readings} readings")
    } else {
        let waiting = last.unacknowledged.iter().sum::<u64>();
        format!("{waiting} records are not acknowledged; does the server run, and know this credential?")
    };
    say(is_delivered, "delivery", &outcome);
    Ok(is_delivered)
}

/// Whether something becomes so in time.
async fn reached(
    agent: &mut agent::run::AgentHandle,
    patience: Duration,
    is_so: impl Fn(&Progress) -> bool,
) -> bool {
    tokio::time::timeout(patience, agent.wait_until(|progress| is_so(progress))).await.is_ok()
}

fn say(is_well: bool, what: &str, words: &str) {
    let mark = if is_well { "ok" } else { "NO" };
    // The reader may have gone; the status still tells.
    let _ = writeln!(std::io::stdout(), "{mark:<3} {what:<20} {words}");
}
