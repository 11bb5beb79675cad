//! `beltwatch config`: the configuration file, explained and checked.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use crate::command::serve;
use crate::config::Config;
use crate::failure::Failure;

/// Prints and checks configuration
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Prints the default file, with a comment for every key
    Default,
    /// Checks a file together with the environment; ends with 64 if it cannot be used
    Check {
        /// The file
        file: PathBuf,
    },
    /// Prints the values that would be in force
    Show {
        /// The file; without it the defaults and the environment
        file: Option<PathBuf>,
    },
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let text = match args.action {
        Action::Default => Config::default_file(),
        Action::Check { file } => {
            let name = file.display().to_string();
            serve::load(Some(file))?;
            writeln!(std::io::stderr(), "{name} can be used")?;
            return Ok(());
        }
        Action::Show { file } => serve::load(file)?.shown(),
    };
    write!(std::io::stdout(), "{text}")?;
    Ok(())
}
