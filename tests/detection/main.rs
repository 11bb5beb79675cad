//! `cargo detection --seed S --hours N`: plays machines whose truth is known and prints how well the rules found it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use clap::Parser;
use detection::document::{Made, document};
use detection::month::{self, month};
use detection::run::{Plan, run};
use domain::incident::Rule;

#[derive(Debug, Parser)]
#[command(
    name = "detection",
    about = "Plays machines whose truth is known and tells how well the rules found it."
)]
struct Args {
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Hours of machines at least, without the month.
    #[arg(long, default_value_t = 10_000)]
    hours: u64,
    /// Delivered episodes of each rule by each source that can report it, at least.
    #[arg(long, default_value_t = 300)]
    episodes: u64,
    /// Days of the ordinary month.
    #[arg(long, default_value_t = month::DAYS)]
    days: u64,
    /// Lives played at once.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Only lives about these rules, by name.
    #[arg(long, value_parser = rule)]
    only: Vec<Rule>,
    /// Print what was missed and what came without cause.
    #[arg(long)]
    explain: bool,
    /// Write the document here instead of printing it.
    #[arg(long)]
    out: Option<PathBuf>,
}

fn rule(name: &str) -> Result<Rule, String> {
    Rule::of_name(name).ok_or_else(|| format!("{name} is no rule; `beltwatch rule list` names all"))
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let plan = Plan {
        seed: args.seed,
        hours: args.hours,
        episodes: args.episodes,
        threads: args.threads,
        only: args.only.clone(),
    };
    let tally = run(&plan, &mut |round, hours| {
        tell(&format!("round {round}: {hours:.0} h of {}", plan.hours));
    });
    let load =
        month(args.seed, args.days, &mut |sites| tell(&format!("month: {sites} of {} sites", month::SITES)));
    let made = Made {
        command: format!("cargo detection --seed {} --hours {}", args.seed, args.hours),
        date: said("date", &["-u", "+%Y-%m-%d"])?,
        commit: said("git", &["rev-parse", "--short", "HEAD"])?,
    };
    let text = document(&made, &tally, &load);
    match &args.out {
        Some(path) => {
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?
        }
        None => say(&text),
    }
    if args.explain {
        tally.differences.iter().for_each(|difference| say(difference));
    }
    Ok(())
}

/// What another program says in one line.
fn said(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output =
        Command::new(program).args(arguments).output().with_context(|| format!("cannot run {program}"))?;
    anyhow::ensure!(output.status.success(), "{program} failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[expect(clippy::print_stdout, reason = "what this program prints is its result")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "progress does not belong to the result")]
fn tell(line: &str) {
    eprintln!("{line}");
}
