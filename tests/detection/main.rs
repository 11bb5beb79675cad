//! `cargo detection --seed S --hours N`: plays machines whose truth is known and prints how well the rules found it.

use clap::Parser;
use detection::run::{Plan, run};
use domain::incident::Rule;

#[derive(Debug, Parser)]
#[command(name = "detection", about = "Plays machines whose truth is known and tells how well the rules found it.")]
struct Args {
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Hours of machines at least.
    #[arg(long, default_value_t = 10_000)]
    hours: u64,
    /// Lives played at once.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Only lives about these rules, by name.
    #[arg(long, value_parser = rule)]
    only: Vec<Rule>,
    /// Print what was missed and what came without cause.
    #[arg(long)]
    explain: bool,
}

fn rule(name: &str) -> Result<Rule, String> {
    Rule::of_name(name).ok_or_else(|| format!("{name} is no rule; `beltwatch rule list` names all"))
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let plan = Plan { seed: args.seed, hours: args.hours, rounds: 7, threads: args.threads, only: args.only };
    let tally = run(&plan, &mut |round, hours| {
        tell(&format!("round {round}: {hours:.0} h of {}", plan.hours));
    });
    say(&detection::document::table(&tally));
    if args.explain {
        tally.differences.iter().for_each(|difference| say(difference));
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what this program prints is its result")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "progress does not belong to the result")]
fn tell(line: &str) {
    eprintln!("{line}");
}
