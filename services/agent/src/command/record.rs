//! `beltwatch-agent record`

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use agent::probe;

use super::life::{self, ConfigArguments, Failure};

/// Write down every frame that goes over the ports of the configured sources, as `decode` and `replay` read them.
///
/// With such a file a machine that nobody has seen before can be understood elsewhere. It holds what the machine says,
/// and no names. A port can be open once only: stop the agent first. Programs of kind `exec` are not recorded: their
/// lines can be kept as they are.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file; must not be there yet.
    file: PathBuf,
    #[command(flatten)]
    config: ConfigArguments,
    /// How long to listen, in seconds.
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86400))]
    seconds: u64,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match record(arguments) {
        Ok(frames) => {
            let _ = writeln!(std::io::stderr(), "{frames} frames written");
            ExitCode::SUCCESS
        }
        Err(failure) => failure.report(),
    }
}

fn record(arguments: &Arguments) -> Result<usize, Failure> {
    let config = arguments.config.read_with_sources()?;
    life::log(&config.log)?;
    let shown = arguments.file.display();
    let failed = |error| Failure::io(format!("cannot write {shown}: {error}"));
    let file = OpenOptions::new().write(true).create_new(true).open(&arguments.file).map_err(failed)?;
    let mut file = BufWriter::new(file);
    let sources = config.sources.iter().map(|source| source.source()).collect();
    let time = Duration::from_secs(arguments.seconds);
    life::runtime()?.block_on(probe::record(sources, time, &mut file)).map_err(failed)
}
