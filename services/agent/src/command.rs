//! The command line: one file a command. Exit codes are those of sysexits.

mod decode;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The program beside one treadmill: observes its belt and publishes what it saw. It only watches.
#[derive(Debug, Parser)]
#[command(name = "beltwatch-agent", version)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Decode(decode::Arguments),
}

/// Wrong usage.
const EX_USAGE: u8 = 64;

impl CommandLine {
    /// Runs what the command line asks for.
    pub(crate) fn run() -> ExitCode {
        match CommandLine::try_parse() {
            Ok(CommandLine { command: Command::Decode(arguments) }) => decode::run(&arguments),
            Err(error) => {
                // Nothing can be done if even this cannot be printed; the code still tells.
                let _ = error.print();
                if error.use_stderr() { ExitCode::from(EX_USAGE) } else { ExitCode::SUCCESS }
            }
        }
    }
}
