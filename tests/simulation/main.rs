//! `cargo sim --seeds N`: runs worlds until one breaks a promise.

use clap::Parser;
use harness::simulation;

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
}

fn main() -> std::process::ExitCode {
    let args = Args::parse();
    let mut broken = 0;
    for seed in args.from..args.from.saturating_add(args.seeds) {
        match simulation::run(seed) {
            Ok(outcome) if args.verbose => say(&format!("seed {seed}: {outcome}")),
            Ok(_) => {}
            Err(error) => {
                broken += 1;
                say(&format!("seed {seed}: {error:#}"));
                if !args.keep_going {
                    break;
                }
            }
        }
    }
    say(&format!("{} seeds from {}: {broken} broken", args.seeds, args.from));
    if broken == 0 { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}

#[expect(clippy::print_stdout, reason = "what this program prints is its result")]
fn say(line: &str) {
    println!("{line}");
}
