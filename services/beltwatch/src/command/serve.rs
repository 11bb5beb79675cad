//! `beltwatch serve`: the service.

use std::io::Write;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::serve::Server;

/// Runs the service until it is told to stop
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Configuration file; `beltwatch config default` prints one
    #[arg(long, env = "BELTWATCH_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Reads the configuration, starts, announces, waits, drains.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let config = load(args.config)?;
    crate::log::start(&config.log).map_err(|error| Failure::new(Exit::Usage, format!("{error:#}")))?;
    let server = Server::start(&config).await.map_err(unavailable)?;
    let (url, broker) = (server.url(), server.broker_address());
    let has_tls = if config.broker.embedded { config.has_tls() } else { config.has_broker_files() };
    let mqtt = if has_tls { "mqtts" } else { "mqtt" };
    writeln!(std::io::stderr(), "beltwatch serves {url}/ (pages, gRPC) and {mqtt}://{broker}")?;
    if let Some(link) = server.first_administrator_link() {
        writeln!(
            std::io::stderr(),
            "nobody administers it yet: within 72 h open {url}{link} and make yourself the administrator"
        )?;
    }
    ended().await?;
    server.stop().await?;
    Ok(())
}

/// The configuration of a file, of the environment, or the default one.
pub(super) fn load(file: Option<PathBuf>) -> Result<Config, Failure> {
    let usage = |message: String| Failure::new(Exit::Usage, message);
    let text = match &file {
        Some(path) => {
            let text = std::fs::read_to_string(path);
            Some(text.map_err(|error| usage(format!("cannot read {}: {error}", path.display())))?)
        }
        None => None,
    };
    let name = file.map(|path| path.display().to_string()).unwrap_or_default();
    let file = text.as_deref().map(|text| (name.as_str(), text));
    Config::load(file, std::env::vars()).map_err(|error| usage(error.to_string()))
}

/// Returns at Ctrl-C or SIGTERM.
pub(super) async fn ended() -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// A port, a folder or a store cannot be used: the message says what to do.
pub(super) fn unavailable(error: anyhow::Error) -> Failure {
    Failure::new(Exit::Unavailable, format!("{error:#}"))
}
