//! What was measured of usage, for people and programs.

use anyhow::ensure;
use hdrhistogram::Histogram;
use serde::Serialize;

use super::fill::{Filled, SESSION_DAYS};
use super::questions::Question;
use super::{STARTS, UsageSettings};
use crate::bench::Percentiles;

/// Everything that one run measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UsageReport {
    /// Version of this program.
    pub version: &'static str,
    /// Processors that this process may use.
    pub processors: usize,
    /// How often each question was asked.
    pub times: usize,
    /// A tenth of the machines, a twelfth of the days, all.
    pub cases: Vec<UsageCase>,
}

/// A ledger of so many machines and days.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UsageCase {
    /// Machines.
    pub machines: usize,
    /// Days.
    pub days: usize,
    /// Parts of days in it.
    pub rows: usize,
    /// Sessions in it.
    pub sessions: usize,
    /// How long it took to make the year, with one processor, in seconds.
    pub made_seconds: f64,
    /// How long it took to make and put it, in seconds.
    pub put_seconds: f64,
    /// Octets of its file.
    pub file_bytes: u64,
    /// From the start of a server until it has answered its first question.
    pub start: Percentiles,
    /// One for each question, the same questions in each case.
    pub figures: Vec<UsageFigures>,
}

/// What one question measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UsageFigures {
    /// What was asked, in words.
    pub question: &'static str,
    /// Kinds of motion, periods, cells or sites in the last answer.
    pub rows: usize,
    /// From question to answer.
    pub took: Percentiles,
}

impl UsageFigures {
    pub(super) fn new(question: Question, rows: usize, took: &Histogram<u64>) -> UsageFigures {
        UsageFigures { question: question.name(), rows, took: Percentiles::of(took) }
    }
}

impl UsageCase {
    pub(super) fn new(
        (machines, days): (usize, usize),
        filled: Filled,
        file_bytes: u64,
        starts: &Histogram<u64>,
        figures: Vec<UsageFigures>,
    ) -> UsageCase {
        UsageCase {
            machines,
            days,
            rows: filled.rows,
            sessions: filled.sessions,
            made_seconds: filled.made_seconds,
            put_seconds: filled.seconds,
            file_bytes,
            start: Percentiles::of(starts),
            figures,
        }
    }
}

type Line = (&'static str, fn(&UsageCase) -> String);

const BESIDE: [Line; 6] = [
    ("server started until first answer, p50 / greatest ms", |case| times(&case.start)),
    ("parts of days in the ledger", |case| case.rows.to_string()),
    ("sessions in the ledger", |case| case.sessions.to_string()),
    ("octets of the ledger's files, MiB", |case| (case.file_bytes >> 20).to_string()),
    ("processor time to make the year, s", |case| format!("{:.1}", case.made_seconds)),
    ("time to make and put it, s", |case| format!("{:.1}", case.put_seconds)),
];

impl UsageReport {
    pub(super) fn new(settings: &UsageSettings, cases: Vec<UsageCase>) -> anyhow::Result<UsageReport> {
        let questions =
            |case: &UsageCase| -> Vec<&str> { case.figures.iter().map(|figures| figures.question).collect() };
        let are_same = cases.windows(2).all(|pair| questions(&pair[0]) == questions(&pair[1]));
        ensure!(are_same, "the ledgers were asked different questions");
        Ok(UsageReport {
            version: env!("CARGO_PKG_VERSION"),
            processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            times: settings.times,
            cases,
        })
    }

    /// A section for docs/benchmarks.md.
    pub fn markdown(&self) -> String {
        let (machines, days) = self.cases.last().map_or((0, 0), |case| (case.machines, case.days));
        let times_asked = self.times;
        let mut text = format!(
            "## Usage\n\n```sh\ntarget/release/beltwatch bench usage --machines {machines} --days {days} \
             --times {times_asked}\n```\n\nA generated year in gyms of 20 machines, put into a ledger on disk, beside one \
             with a tenth of the machines and one with a twelfth of the days. Each question was asked {times_asked} times \
             over gRPC on loopback, of another machine or site each time. Sessions are those of the last {SESSION_DAYS} \
             days. The server was started {STARTS} times. The ratios are those of the p50: with ten times the machines, \
             and with twelve times the days.\n\n"
        );
        let head = |case: &UsageCase| format!("{} machines, {} days: p50 / p99 ms", case.machines, case.days);
        let heads: Vec<String> = self.cases.iter().map(head).collect();
        text.push_str(&format!("| | {} | ratio, machines | ratio, days |\n", heads.join(" | ")));
        text.push_str(&format!("|---|{}---|---|\n", "---|".repeat(self.cases.len())));
        let questions = self.cases.first().map_or(0, |case| case.figures.len());
        for place in 0..questions {
            let figures: Vec<&UsageFigures> = self.cases.iter().map(|case| &case.figures[place]).collect();
            let cells: Vec<String> = figures.iter().map(|figures| times(&figures.took)).collect();
            let ratio = |less: usize| match (figures.get(less), figures.last()) {
                (Some(less), Some(all)) => ratio(&less.took, &all.took),
                (Some(_) | None, Some(_) | None) => "-".to_owned(),
            };
            let name = figures.first().map_or("", |figures| figures.question);
            text.push_str(&format!("| {name} | {} | {} | {} |\n", cells.join(" | "), ratio(0), ratio(1)));
        }
        for (name, figure) in BESIDE {
            let cells: Vec<String> = self.cases.iter().map(figure).collect();
            text.push_str(&format!("| {name} | {} | | |\n", cells.join(" | ")));
        }
        text
    }
}

fn ratio(less: &Percentiles, all: &Percentiles) -> String {
    match (less.p50_ms, all.p50_ms) {
        (Some(less), Some(all)) if less > 0.0 => format!("{:.1}", all / less),
        (Some(_) | None, Some(_) | None) => "-".to_owned(),
    }
}

fn times(took: &Percentiles) -> String {
    let millis = |time: Option<f64>| time.map_or("-".to_owned(), |time| format!("{time:.2}"));
    format!("{} / {}", millis(took.p50_ms), millis(took.p99_ms))
}
