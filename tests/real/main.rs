//! The suite with real processes: a Mosquitto, a server, agents, each a program of its own.

mod browser;
mod judge;
mod kill;
mod notify;
mod processes;
mod reverse_run;
mod stored;
mod traffic;
mod truth;
mod verdict;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(
    about = "Starts real processes, has things happen to them, and compares what is stored with what was seen."
)]
struct Arguments {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Look at the pages in Chromium, use them, attack them, and time them
    Browser(browser::Arguments),
    /// Kill agents, server and broker at random moments
    Kill(kill::Arguments),
    /// Kill a server while it tells people of incidents, by webhook and by mail
    Notify(notify::Arguments),
    /// Follow one reverse run with an emergency stop as a plain subscriber and as a plain client see it
    ReverseRun(reverse_run::Arguments),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().step {
        Step::Browser(arguments) => Box::pin(browser::run(&arguments)).await,
        Step::Kill(arguments) => kill::run(&arguments).await,
        Step::Notify(arguments) => Box::pin(notify::run(&arguments)).await,
        Step::ReverseRun(arguments) => reverse_run::run(&arguments).await,
    }
}

#[expect(clippy::print_stdout, reason = "this program's output is its result")]
fn report(line: &str) {
    println!("{line}");
}
