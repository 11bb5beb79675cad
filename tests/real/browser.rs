//! The pages in a real Chromium: looked at, listened to, used by keyboard, attacked, and timed.

mod belt;
mod drill;
mod driver;
mod exchange;
mod floor;
mod found;
mod handling;
mod history;
mod hostile;
mod incidents;
mod keyboard;
mod lost;
mod pages;
mod people;
mod room;
mod stops;
mod times;

use std::path::PathBuf;

use anyhow::Context;
use clap::ValueEnum;

use self::driver::Driver;
use self::handling::Tools;
use crate::report;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only these; without it all
    #[arg(long = "step", value_enum)]
    steps: Vec<Step>,
    /// Folder for pictures of every page
    #[arg(long, value_name = "DIR")]
    shots: Option<PathBuf>,
    /// File axe.min.js of axe-core; without it pages are not asked whether everybody can use them
    #[arg(long, value_name = "FILE")]
    axe: Option<PathBuf>,
    /// Program pdftotext of poppler; without it the text of what is printed is not read
    #[arg(long, value_name = "FILE")]
    pdftotext: Option<PathBuf>,
    /// What the steps with people do at random is the same with the same seed
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Every page in light and dark, at a desk and on a phone, in English and German
    Pages,
    /// An incident's life among people, on telephones and on the command line
    Handling,
    /// A proof test with a telephone in one hand
    Drill,
    /// Every control by keyboard
    Keyboard,
    /// From the edge of an emergency stop to the painted page
    Stops,
    /// A room of 500 machines
    Room,
    /// The server goes and comes again
    Lost,
    /// Names with script in them, and pages of others that act in the person's name
    Hostile,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let steps = if arguments.steps.is_empty() { Step::value_variants() } else { &arguments.steps };
    let driver = Driver::start().await?;
    let outcome = run_steps(&driver, steps, arguments).await;
    driver.stop().await?;
    outcome
}

/// All steps; the failures of all of them.
async fn run_steps(driver: &Driver, steps: &[Step], arguments: &Arguments) -> anyhow::Result<()> {
    let mut failures = Vec::new();
    for step in steps {
        report(&format!("browser: {step:?}"));
        if let Err(error) = run_step(driver, *step, arguments).await {
            report(&format!("browser: {step:?} failed: {error:#}"));
            failures.push(format!("{step:?}"));
        }
    }
    anyhow::ensure!(failures.is_empty(), "failed: {}", failures.join(", "));
    Ok(())
}

async fn run_step(driver: &Driver, step: Step, arguments: &Arguments) -> anyhow::Result<()> {
    let browser = driver.browser().await?;
    let tools = Tools {
        seed: arguments.seed.unwrap_or_else(|| fastrand::u64(..)),
        shots: arguments.shots.as_deref(),
        pdftotext: arguments.pdftotext.as_deref(),
    };
    let outcome = match step {
        Step::Pages => {
            let axe = arguments.axe.as_ref().map(std::fs::read_to_string).transpose();
            let axe = axe.context("axe-core cannot be read")?;
            Box::pin(pages::run(&browser, arguments.shots.as_deref(), axe.as_deref())).await
        }
        Step::Handling => Box::pin(handling::run(driver, &browser, tools)).await,
        Step::Drill => Box::pin(drill::run(&browser, tools)).await,
        Step::Keyboard => Box::pin(keyboard::run(&browser)).await,
        Step::Stops => Box::pin(stops::run(&browser)).await,
        Step::Room => Box::pin(room::run(&browser)).await,
        Step::Lost => Box::pin(lost::run(&browser)).await,
        Step::Hostile => Box::pin(hostile::run(&browser)).await,
    };
    let stopped = browser.stop().await;
    outcome.and(stopped)
}
