//! Measuring usage: what questions cost on a ledger with a year of a fleet, beside one with a tenth of the machines and
//! one with a twelfth of the days.
//!
//! The year is made from a seed and put into a ledger on disk. A server opens it, and each question is asked over gRPC on
//! loopback, as everybody asks.

mod fill;
mod questions;
mod report;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use domain::units::UnixMicros;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use self::questions::{Asked, Question};
use super::{cost, fleet, tally};
use crate::config::Config;
use crate::serve::Server;
use crate::year::Year;

pub use self::report::{UsageCase, UsageFigures, UsageReport};

/// Fewest and most machines of the greatest ledger.
const MACHINES: std::ops::RangeInclusive<usize> = 10..=1_000;
/// Fewest and most days of it.
const DAYS: std::ops::RangeInclusive<usize> = 24..=1_100;
/// Most times that each question is asked.
const TIMES_MAX: usize = 10_000;
/// How often each question is asked before it is measured.
const WARM_UP: usize = 3;
/// How often the server is started.
const STARTS: usize = 5;
/// Seed of the year.
const SEED: u64 = 1;

/// What is measured.
#[derive(Debug, Clone)]
pub struct UsageSettings {
    /// Machines of the greatest ledger; another one has a tenth.
    pub machines: usize,
    /// Days of the greatest ledger; another one has a twelfth.
    pub days: usize,
    /// How often each question is asked.
    pub times: usize,
    /// Folder in which the ledgers are made and removed again; `None`: the system's folder for temporary files.
    pub folder: Option<std::path::PathBuf>,
}

impl UsageSettings {
    /// Whether this can be measured.
    ///
    /// # Errors
    /// A value is not allowed; the message says which are.
    pub fn check(&self) -> anyhow::Result<()> {
        for (name, value, allowed) in [
            ("--machines", self.machines, MACHINES),
            ("--days", self.days, DAYS),
            ("--times", self.times, 1..=TIMES_MAX),
        ] {
            let (least, most) = (allowed.start(), allowed.end());
            ensure!(allowed.contains(&value), "{name} is {value}: {least} to {most} is allowed");
        }
        Ok(())
    }
}

/// Measures a tenth of the machines, a twelfth of the days, and all. `progress` is told what begins.
///
/// # Errors
/// The settings are not allowed, the folder cannot be used, or an answer is not what was put.
pub async fn usage(settings: &UsageSettings, progress: &dyn Fn(String)) -> anyhow::Result<UsageReport> {
    settings.check()?;
    let folder = super::temporary(settings.folder.as_deref())?;
    let (machines, days) = (settings.machines, settings.days);
    let mut cases = Vec::new();
    for (machines, days) in [(machines / 10, days), (machines, days / 12), (machines, days)] {
        let place = folder.path().join(format!("usage-{machines}-{days}"));
        let case = measure(settings, (machines, days), &place, progress).await;
        cases.push(case.with_context(|| format!("{machines} machines, {days} days"))?);
        std::fs::remove_dir_all(&place).context("the ledger cannot be removed")?;
    }
    UsageReport::new(settings, cases)
}

async fn measure(
    settings: &UsageSettings,
    (machines, days): (usize, usize),
    place: &Path,
    progress: &dyn Fn(String),
) -> anyhow::Result<UsageCase> {
    progress(format!("{machines} machines, {days} days: making and putting them"));
    let year = year(machines, days)?;
    let filled = fill::fill(place, &year).await?;
    let file_bytes = cost::file_bytes(place, "ledger.db")?;
    let asked = Asked::of(&year, days)?;
    let mut starts = tally::times();
    for _ in 0..STARTS {
        let took = start(place, &asked).await?;
        starts.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }
    progress(format!("{machines} machines, {days} days: asking {} times each", settings.times));
    let server = Server::start(&config(place)).await?;
    let figures = ask_all(&server, &asked, settings.times).await;
    server.stop().await?;
    Ok(UsageCase::new((machines, days), filled, file_bytes, &starts, figures?))
}

/// The last days up to yesterday.
pub(super) fn year(machines: usize, days: usize) -> anyhow::Result<Year> {
    let now = Timestamp::from_microsecond(unix_now().0)?.to_zoned(TimeZone::UTC);
    let days = i32::try_from(days).context("too many days")?;
    let first: Date = now.date().checked_sub((days + 1).days())?;
    Ok(Year::of_fleet(SEED, machines, first, days)?)
}

fn unix_now() -> UnixMicros {
    let monotonic = i64::try_from(agent::clock::monotonic().0).unwrap_or(i64::MAX);
    UnixMicros(monotonic.saturating_add(agent::clock::system().offset_us))
}

fn config(folder: &Path) -> Config {
    let mut config = Config { folder: folder.to_owned(), ..Config::default() };
    config.api.listen.set_port(0);
    config.broker.listen.set_port(0);
    config
}

/// From the beginning of a start until the first question is answered.
async fn start(place: &Path, asked: &Asked) -> anyhow::Result<Duration> {
    let began = fleet::now();
    let server = Server::start(&config(place)).await?;
    let mut client = questions::client(&server).await?;
    let rows = Question::MachineYear.ask(&mut client, asked, 0).await?;
    let took = Duration::from_micros(fleet::now().since(began));
    drop(client);
    server.stop().await?;
    ensure!(rows > 0, "the first answer is empty");
    Ok(took)
}

async fn ask_all(server: &Server, asked: &Asked, times: usize) -> anyhow::Result<Vec<UsageFigures>> {
    let mut client = questions::client(server).await?;
    let mut figures = Vec::new();
    for question in Question::ALL {
        let mut took = tally::times();
        let mut rows = 0;
        for turn in 0..WARM_UP + times {
            let began = fleet::now();
            rows = question.ask(&mut client, asked, turn).await.with_context(|| question.name())?;
            ensure!(rows > 0, "{}: the answer is empty", question.name());
            if turn >= WARM_UP {
                took.saturating_record(fleet::now().since(began));
            }
        }
        figures.push(UsageFigures::new(question, rows, &took));
    }
    Ok(figures)
}
