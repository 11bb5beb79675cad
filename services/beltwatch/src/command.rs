//! The command line: one file a command. Data goes to standard output, everything else to standard error.

pub mod audit;
pub mod backtest;
pub mod backup;
pub mod bench;
pub mod blind_spots;
pub mod config;
pub mod contact;
pub mod course;
pub mod demo;
pub mod doctor;
pub mod drill;
pub mod enrolment;
pub mod event;
pub mod export;
pub mod finding;
pub mod fleet;
pub mod folder;
pub mod health;
pub mod incident;
pub mod influxdb;
pub mod machine;
pub mod maintenance;
pub mod notice;
pub mod policy;
pub mod proof;
pub mod rates;
pub mod reading;
pub mod rebuild;
pub mod restore;
pub mod rule;
pub mod serve;
pub mod session;
pub mod site;
pub mod stop;
pub mod token;
pub mod upgrade;
pub mod usage;
pub mod user;

mod coverage;
mod grants;
mod pages;
mod progress;
mod repeat;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::client::Options;
use crate::failure::{Exit, Failure};
use crate::table::Listing;

/// Fleet telemetry and safety watch for gym treadmills
#[derive(Debug, Parser)]
#[command(name = "beltwatch", version, about, arg_required_else_help = true)]
pub struct CommandLine {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(demo::Args),
    Serve(serve::Args),
    Config(config::Args),
    Backup(backup::Args),
    Restore(restore::Args),
    Influxdb(influxdb::Args),
    Doctor(doctor::Args),
    Health(health::Args),
    Fleet(fleet::Args),
    Machine(machine::Args),
    Enrolment(enrolment::Args),
    Maintenance(maintenance::Args),
    Site(site::Args),
    User(user::Args),
    Token(token::Args),
    Audit(audit::Args),
    Reading(reading::Args),
    Event(event::Args),
    Session(session::Args),
    Usage(usage::Args),
    Course(course::Args),
    Export(export::Args),
    Incident(incident::Args),
    Drill(drill::Args),
    Proof(proof::Args),
    Stop(stop::Args),
    Contact(contact::Args),
    Policy(policy::Args),
    Notice(notice::Args),
    Rule(rule::Args),
    Backtest(backtest::Args),
    Rebuild(rebuild::Args),
    BlindSpots(blind_spots::Args),
    Rates(rates::Args),
    Upgrade(upgrade::Args),
    Bench(bench::Args),
}

impl CommandLine {
    /// Reads the command line and does what it says.
    pub async fn run() -> ExitCode {
        let CommandLine { options, command } = match CommandLine::try_parse() {
            Ok(line) => line,
            Err(error) => {
                // Nothing can be done if even this cannot be printed; the code still tells.
                let _ = error.print();
                return if error.use_stderr() {
                    ExitCode::from(Exit::Usage as u8)
                } else {
                    ExitCode::SUCCESS
                };
            }
        };
        match command.run(&options).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                let _ = writeln!(io::stderr(), "beltwatch: {failure}");
                failure.code()
            }
        }
    }
}

impl Command {
    async fn run(self, options: &Options) -> Result<(), Failure> {
        match self {
            Command::Demo(args) => demo::run(args).await,
            Command::Serve(args) => serve::run(args).await,
            Command::Config(args) => config::run(args),
            Command::Backup(args) => backup::run(args),
            Command::Restore(args) => restore::run(args, options),
            Command::Influxdb(args) => influxdb::run(args, options).await,
            Command::Doctor(args) => doctor::run(args, options).await,
            Command::Health(args) => health::run(&args, options).await,
            Command::Fleet(args) => fleet::run(args, options).await,
            Command::Machine(args) => machine::run(args, options).await,
            Command::Enrolment(args) => enrolment::run(args, options).await,
            Command::Maintenance(args) => maintenance::run(args, options).await,
            Command::Site(args) => site::run(args, options).await,
            Command::User(args) => user::run(args, options).await,
            Command::Token(args) => token::run(args, options).await,
            Command::Audit(args) => audit::run(args, options).await,
            Command::Reading(args) => reading::run(args, options).await,
            Command::Event(args) => event::run(args, options).await,
            Command::Session(args) => session::run(args, options).await,
            Command::Usage(args) => usage::run(args, options).await,
            Command::Course(args) => course::run(args, options).await,
            Command::Export(args) => export::run(args, options).await,
            // It has many actions, and their futures would lie on everybody's stack.
            Command::Incident(args) => Box::pin(incident::run(args, options)).await,
            Command::Drill(args) => drill::run(args, options).await,
            Command::Proof(args) => proof::run(args, options).await,
            Command::Stop(args) => stop::run(args, options).await,
            Command::Contact(args) => contact::run(args, options).await,
            Command::Policy(args) => policy::run(args, options).await,
            Command::Notice(args) => notice::run(args, options).await,
            Command::Rule(args) => rule::run(args, options).await,
            Command::Backtest(args) => backtest::run(args, options).await,
            Command::Rebuild(args) => rebuild::run(args, options).await,
            Command::BlindSpots(args) => blind_spots::run(args, options).await,
            Command::Rates(args) => rates::run(args, options).await,
            Command::Upgrade(args) => upgrade::run(args, options).await,
            Command::Bench(args) => bench::run(args, options).await,
        }
    }
}

/// Prints a listing in the form that was asked for.
fn print<T>(listing: &Listing<'_, T>, options: &Options) -> Result<(), Failure> {
    match listing.print(options.format(), &mut io::stdout().lock(), &mut io::stderr().lock()) {
        // Whoever read it has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// A new identity for a request, so that it can be repeated.
fn request_id() -> Result<String, Failure> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets)
        .map_err(|error| Failure::new(Exit::Software, format!("no random octets: {error}")))?;
    Ok(hex::encode(octets))
}

/// This computer's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "a command is a body: it tells people the age of what they see"
)]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::try_from(std::time::SystemTime::now()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
