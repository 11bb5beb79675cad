//! `beltwatch demo`: everything in one process, with simulated machines.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;

use crate::command::serve::{ended, unavailable};
use crate::config::{LogConfig, LogFormat};
use crate::demo::{Demo, DemoSettings};
use crate::failure::Failure;

/// Shows everything in one process, with simulated machines on two sites
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// How many machines
    #[arg(long, default_value_t = 12)]
    machines: usize,
    /// Seed of the belts; the same seed gives the same belts
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How much faster than in life sessions follow each other; belts never run faster
    #[arg(long, default_value_t = 10.0)]
    speed: f64,
    /// Folder to keep everything in; without it nothing is left behind
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address and port of the pages and the API; without it port 8080 of loopback, or a free one
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// End after this time, such as 30s or 5m, and print what was seen as JSON
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    length: Option<Duration>,
    /// Replay this capture in the place of the one that comes with the program
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// Which log lines, as in "info" or "info,ingest=debug"
    #[arg(long, default_value = "warn")]
    log: String,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    crate::log::start(&LogConfig { format: LogFormat::Text, filter: args.log })?;
    let settings = DemoSettings {
        machines: args.machines,
        seed: args.seed,
        speed: args.speed,
        folder: args.data,
        listen: args.listen,
        replay: args.replay,
    };
    let demo = Demo::start(&settings).await.map_err(unavailable)?;
    let until = match args.length {
        Some(length) => format!("it ends by itself after {} s", length.as_secs()),
        None => "Ctrl-C ends it".to_owned(),
    };
    let (machines, url) = (settings.machines, demo.link());
    writeln!(std::io::stderr(), "{machines} simulated treadmills on two sites are at {url} ; {until}")?;
    match args.length {
        Some(length) => tokio::select! {
            () = tokio::time::sleep(length) => {}
            ended = ended() => ended?,
        },
        None => ended().await?,
    }
    let report = demo.stop().await?;
    let report = serde_json::to_string(&report).map_err(anyhow::Error::from)?;
    writeln!(std::io::stdout(), "{report}")?;
    Ok(())
}

fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    Duration::try_from(span).map_err(|_| format!("\"{text}\" lies in the past"))
}
