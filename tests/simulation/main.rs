//! `cargo sim --seeds N`: runs worlds until one breaks a promise.

use clap::Parser;
use harness::simulation::{OfflineDay, Seeds, offline_day, run_all};

#[derive(Debug, Parser)]
#[command(
    name = "sim",
    about = "Runs the whole fleet from seeds, with faults, against a page-long reference."
)]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Run all seeds although some fail.
    #[arg(long)]
    keep_going: bool,
    /// Print each world's outcome.
    #[arg(long)]
    verbose: bool,
    /// Instead: a day without a connection, and then all are back at once.
    #[arg(long)]
    offline_day: bool,
    /// Machines of that day.
    #[arg(long, default_value_t = 200)]
    machines: usize,
    /// Its hours.
    #[arg(long, default_value_t = 24)]
    hours: u64,
    /// Messages that the server works on in a second.
    #[arg(long, default_value_t = 17_000)]
    messages_a_second: u64,
    /// Readings that the server works on in a second.
    #[arg(long, default_value_t = 166_000)]
    readings_a_second: u64,
}

fn main() -> std::process::ExitCode {
    let args = Args::parse();
    if args.offline_day {
        return live_offline(&args);
    }
    let seeds = Seeds { from: args.from, count: args.seeds, keep_going: args.keep_going };
    let broken = run_all(seeds, |seed, outcome| match outcome {
        Ok(outcome) if args.verbose => say(&format!("seed {seed}: {outcome}")),
        Ok(_) => {}
        Err(error) => say(&format!("seed {seed}: {error}")),
    });
    say(&format!("{} seeds from {}: {broken} broken", args.seeds, args.from));
    if broken == 0 { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}

fn live_offline(args: &Args) -> std::process::ExitCode {
    let Args { machines, hours, messages_a_second, readings_a_second, .. } = *args;
    match offline_day(OfflineDay { machines, hours, messages_a_second, readings_a_second }) {
        Ok(report) => {
            say(&report.to_string());
            std::process::ExitCode::SUCCESS
        }
        Err(error) => {
            say(&format!("{error:#}"));
            std::process::ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "what this program prints is its result")]
fn say(line: &str) {
    println!("{line}");
}
