//! The command line: one file a command. Exit codes are those of sysexits.

mod commission;
mod config;
mod decode;
mod decode_envelope;
mod enrol;
mod life;
mod probe;
mod record;
mod replay;
mod run;
mod selftest;
mod simulate;

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
    Commission(commission::Arguments),
    Config(config::Arguments),
    Decode(decode::Arguments),
    DecodeEnvelope(decode_envelope::Arguments),
    Enrol(enrol::Arguments),
    Probe(probe::Arguments),
    Record(record::Arguments),
    Replay(replay::Arguments),
    Run(run::Arguments),
    Selftest(selftest::Arguments),
    Simulate(simulate::Arguments),
}

/// Wrong usage.
const EX_USAGE: u8 = 64;

impl CommandLine {
    /// Runs what the command line asks for.
    pub(crate) fn run() -> ExitCode {
        match CommandLine::try_parse() {
            Ok(CommandLine { command }) => match command {
                Command::Commission(arguments) => commission::run(&arguments),
                Command::Config(arguments) => config::run(&arguments),
                Command::Decode(arguments) => decode::run(&arguments),
                Command::DecodeEnvelope(arguments) => decode_envelope::run(&arguments),
                Command::Enrol(arguments) => enrol::run(&arguments),
                Command::Probe(arguments) => probe::run(&arguments),
                Command::Record(arguments) => record::run(&arguments),
                Command::Replay(arguments) => replay::run(&arguments),
                Command::Run(arguments) => run::run(&arguments),
                Command::Selftest(arguments) => selftest::run(&arguments),
                Command::Simulate(arguments) => simulate::run(&arguments),
            },
            Err(error) => {
                // Nothing can be done if even this cannot be printed; the code still tells.
                let _ = error.print();
                if error.use_stderr() { ExitCode::from(EX_USAGE) } else { ExitCode::SUCCESS }
            }
        }
    }
}
