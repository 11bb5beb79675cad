//! `beltwatch-agent config`

use std::io::Write;
use std::process::ExitCode;

use super::life::ConfigArguments;

/// Print a configuration with every setting and its meaning, or check one.
///
/// Status 0: it can be used; 66: it cannot be read; 78: it is wrong.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Check the configuration instead of printing one.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    if !arguments.check {
        // The reader may have seen enough, as `head` has.
        let _ = std::io::stdout().write_all(agent::config::example().as_bytes());
        return ExitCode::SUCCESS;
    }
    match arguments.config.read() {
        Ok(config) => {
            let names: Vec<&str> = config.sources.iter().map(|source| source.name()).collect();
            let said = if names.is_empty() {
                format!("it can be used, but {}", arguments.config.without_sources())
            } else {
                format!("{} can be used; sources: {}", arguments.config.file().display(), names.join(", "))
            };
            let _ = writeln!(std::io::stderr(), "{said}");
            ExitCode::SUCCESS
        }
        Err(failure) => failure.report(),
    }
}
