//! What all commands that run an agent have in common: credential, log, signals, exit codes.

use std::fs;
use std::io::{IsTerminal, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use agent::clock;
use agent::config::{CONFIG_FILE, Config};
use agent::run::{Agent, AgentSettings, Feed, Progress, StartError};
use agent::spool::sqlite::OpenError;
use domain::units::MonotonicMicros;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use wire::credential::Credential;

/// Exit codes of sysexits that an agent uses.
const EX_DATAERR: u8 = 65;
const EX_NOINPUT: u8 = 66;
#[cfg(feature = "bluetooth")]
const EX_UNAVAILABLE: u8 = 69;
const EX_SOFTWARE: u8 = 70;
const EX_OSERR: u8 = 71;
const EX_CANTCREAT: u8 = 73;
const EX_IOERR: u8 = 74;
const EX_TEMPFAIL: u8 = 75;
const EX_CONFIG: u8 = 78;

/// What every command that runs an agent takes.
#[derive(Debug, clap::Args)]
pub(super) struct AgentArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The machine's credential; goes before the configuration's.
    #[arg(long, value_name = "FILE")]
    credential: Option<PathBuf>,
    /// Folder of the spool; goes before the configuration's.
    #[arg(long, value_name = "FOLDER")]
    spool: Option<PathBuf>,
    /// Believe this computer's clock, because something keeps it right. Otherwise the server tells the time.
    #[arg(long)]
    trust_system_clock: bool,
    /// How long to wait for acknowledgements when told to stop, in seconds; goes before the configuration's. What is
    /// not acknowledged by then stays in the spool.
    #[arg(long, value_name = "SECONDS")]
    drain: Option<u64>,
    /// Which lines are logged, as in "info" or "info,agent=debug"; goes before the configuration's.
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

impl AgentArguments {
    /// The configuration with what the command line says.
    fn config(&self) -> Result<Config, Failure> {
        let config = self.config.read()?;
        Ok(Config {
            credential: self.credential.clone().unwrap_or(config.credential),
            spool: self.spool.clone().unwrap_or(config.spool),
            trust_system_clock: self.trust_system_clock || config.trust_system_clock,
            drain_seconds: self.drain.unwrap_or(config.drain_seconds),
            log: self.log.clone().unwrap_or(config.log),
            sources: config.sources,
        })
    }
}

/// Where the configuration is.
#[derive(Debug, clap::Args)]
pub(super) struct ConfigArguments {
    /// The configuration. Without it, /etc/beltwatch-agent.toml if that is there.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArguments {
    /// Which file it is.
    pub(super) fn file(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new(CONFIG_FILE))
    }

    /// Reads it, if there are sources in it.
    pub(super) fn read_with_sources(&self) -> Result<Config, Failure> {
        let config = self.read()?;
        if config.sources.is_empty() {
            return Err(Failure::config(self.without_sources()));
        }
        Ok(config)
    }

    /// That it names no source, in words.
    pub(super) fn without_sources(&self) -> String {
        let file = self.file().display();
        format!("{file} names no source: take away the `#` before the lines of those that this machine has")
    }

    /// Reads it.
    pub(super) fn read(&self) -> Result<Config, Failure> {
        let file = self.file();
        if self.config.is_none() && !file.exists() {
            return Ok(Config::default());
        }
        let shown = file.display();
        let text = fs::read_to_string(file)
            .map_err(|error| Failure::no_input(format!("cannot read the configuration {shown}: {error}")))?;
        Config::read(&text).map_err(|error| Failure { code: EX_CONFIG, message: format!("{shown}: {error}") })
    }
}

/// Whether an agent ends when its source does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// When it is told to.
    WhenTold,
    /// When its source has ended and everything is acknowledged, too.
    WithItsSource,
}

/// Why a command fails.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// A file that cannot be read.
    pub(super) fn no_input(message: String) -> Failure {
        Failure { code: EX_NOINPUT, message }
    }

    /// A file that holds something else than it should.
    pub(super) fn wrong_content(message: String) -> Failure {
        Failure { code: EX_DATAERR, message }
    }

    /// A configuration that does not do.
    pub(super) fn config(message: String) -> Failure {
        Failure { code: EX_CONFIG, message }
    }

    /// What is needed is not there now.
    #[cfg(feature = "bluetooth")]
    pub(super) fn unavailable(message: String) -> Failure {
        Failure { code: EX_UNAVAILABLE, message }
    }

    /// Reading or writing failed.
    pub(super) fn io(message: String) -> Failure {
        Failure { code: EX_IOERR, message }
    }

    /// The same, with what else is to be said.
    pub(super) fn with(self, words: &str) -> Failure {
        Failure { message: format!("{}\n{words}", self.message), ..self }
    }

    /// Why, in words.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Says it on standard error and gives the code.
    pub(super) fn report(&self) -> ExitCode {
        // That standard error is closed is no reason to fail in another way.
        let _ = writeln!(std::io::stderr(), "{}", self.message);
        ExitCode::from(self.code)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Failure {
        let code = match &error {
            StartError::Spool(OpenError::InUse { .. }) => EX_TEMPFAIL,
            StartError::Spool(OpenError::Folder { .. } | OpenError::OfAnotherUser { .. })
            | StartError::Truth { .. } => EX_CANTCREAT,
            StartError::Spool(OpenError::Newer { .. } | OpenError::Foreign { .. }) => EX_DATAERR,
            StartError::Spool(OpenError::Sqlite { .. }) | StartError::Disk(_) => EX_IOERR,
            StartError::Address(_) | StartError::Tls(_) => EX_CONFIG,
            StartError::Random(_) => EX_OSERR,
            StartError::Task(_) => EX_SOFTWARE,
        };
        Failure { code, message: error.to_string() }
    }
}

/// Reads a credential file.
pub(super) fn credential(file: &PathBuf) -> Result<Credential, Failure> {
    let shown = file.display();
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::no_input(format!("cannot read the credential {shown}: {error}")))?;
    let credential = Credential::from_json(&text)
        .map_err(|error| Failure { code: EX_CONFIG, message: format!("{shown}: {error}") })?;
    let mode = fs::metadata(file).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o077 != 0 {
        tracing::warn!(file = %shown, "others can read this credential; it should have mode 0600");
    }
    Ok(credential)
}

/// What an agent of this configuration is told.
pub(super) fn settings(config: &Config, credential: Credential, feed: Feed) -> AgentSettings {
    AgentSettings {
        trust_system_clock: config.trust_system_clock,
        configuration: config.configuration(),
        ..AgentSettings::new(credential, config.spool.clone(), feed)
    }
}

/// Runs an agent until it is told to stop. `feed` makes what it observes from the configuration; it begins at the given
/// time.
pub(super) fn run(
    arguments: &AgentArguments,
    truth: Option<PathBuf>,
    ending: Ending,
    feed: impl FnOnce(&Config, MonotonicMicros) -> Result<Feed, Failure>,
) -> ExitCode {
    let outcome = arguments.config().and_then(|config| {
        log(&config.log)?;
        let credential = credential(&config.credential)?;
        let feed = feed(&config, clock::monotonic())?;
        let settings = AgentSettings { truth, ..settings(&config, credential, feed) };
        live(settings, ending, Duration::from_secs(config.drain_seconds))
    });
    match outcome {
        Ok(progress) => {
            let [events, readings] = progress.unacknowledged;
            if events + readings > 0 {
                tracing::info!(events, readings, "not acknowledged; kept in the spool");
            }
            ExitCode::SUCCESS
        }
        Err(failure) => failure.report(),
    }
}

/// Begins to log to standard error.
pub(super) fn log(filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter).map_err(|error| Failure {
        code: super::EX_USAGE,
        message: format!("--log is \"{filter}\": {error}; \"info\" or \"info,agent=debug\" are allowed"),
    })?;
    // Colours are for terminals only.
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(is_terminal).with_writer(std::io::stderr);
    // Colours are for people: a file shall hold words only.
    log.with_ansi(std::io::stderr().is_terminal()).init();
    Ok(())
}

/// One agent needs one thread, and one beside it that may wait for the disk.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().max_blocking_threads(2).build().map_err(failed)
}

fn failed(error: std::io::Error) -> Failure {
    Failure { code: EX_OSERR, message: format!("cannot start: {error}") }
}

fn live(settings: AgentSettings, ending: Ending, drain: Duration) -> Result<Progress, Failure> {
    runtime()?.block_on(async {
        let (mut terminate, mut interrupt) = (
            signal(SignalKind::terminate()).map_err(failed)?,
            signal(SignalKind::interrupt()).map_err(failed)?,
        );
        let mut agent = Agent::start(settings).await?;
        let ended = move |progress: &Progress| {
            ending == Ending::WithItsSource && progress.has_source_ended && progress.is_delivered()
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = agent.wait_until(ended) => {}
        }
        Ok(agent.stop(drain).await?)
    })
}
