//! What was measured of incidents, for people and programs.

use anyhow::ensure;
use hdrhistogram::Histogram;
use serde::Serialize;

use super::IncidentSettings;
use super::questions::Question;
use crate::bench::Percentiles;

/// Everything that one run measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentReport {
    /// Version of this program.
    pub version: &'static str,
    /// Processors that this process may use.
    pub processors: usize,
    /// How often each question was asked.
    pub pages: usize,
    /// A tenth of the incidents, then all.
    pub cases: Vec<IncidentCase>,
}

/// A ledger of so many incidents.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentCase {
    /// How many it has.
    pub incidents: usize,
    /// How long it took to put them, 1 000 at once, in seconds.
    pub put_seconds: f64,
    /// Octets of its file.
    pub file_bytes: u64,
    /// One for each question, the same questions in each case.
    pub figures: Vec<IncidentFigures>,
}

/// What one question measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentFigures {
    /// What was asked, in words.
    pub question: String,
    /// Incidents or counts in the last answer.
    pub rows: usize,
    /// From question to answer.
    pub took: Percentiles,
}

impl IncidentFigures {
    pub(super) fn new(question: &Question, rows: usize, took: &Histogram<u64>) -> IncidentFigures {
        IncidentFigures { question: question.name.clone(), rows, took: Percentiles::of(took) }
    }
}

impl IncidentReport {
    pub(super) fn new(
        settings: &IncidentSettings,
        cases: Vec<IncidentCase>,
    ) -> anyhow::Result<IncidentReport> {
        let questions = |case: &IncidentCase| -> Vec<String> {
            case.figures.iter().map(|figures| figures.question.clone()).collect()
        };
        let are_same = cases.windows(2).all(|pair| questions(&pair[0]) == questions(&pair[1]));
        ensure!(are_same, "the ledgers were asked different questions");
        Ok(IncidentReport {
            version: env!("CARGO_PKG_VERSION"),
            processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            pages: settings.pages,
            cases,
        })
    }

    /// A section for docs/benchmarks.md.
    pub fn markdown(&self) -> String {
        let incidents: Vec<String> = self.cases.iter().map(|case| case.incidents.to_string()).collect();
        let most = incidents.last().map_or("", String::as_str);
        let pages = self.pages;
        let mut text = format!(
            "## Incidents\n\n```sh\ntarget/release/beltwatch bench incidents --incidents {most} --pages {pages}\n```\n\n\
             A ledger on disk with a tenth of the incidents beside one with all: 200 machines, all 30 rules, two years, \
             one of four by the same rule, one of ten active, a trace of 20 readings each. Each question was asked \
             {pages} times through the store's trait, so API and page are not in the figures. Pages have 100 incidents; \
             those in the middle begin at 51 places. The ratio is that of the p50.\n\n"
        );
        let heads: Vec<String> = incidents.iter().map(|count| format!("{count}: p50 / p99 ms")).collect();
        text.push_str(&format!("| | {} | ratio |\n|---|---|---|---|\n", heads.join(" | ")));
        let questions = self.cases.first().map_or(0, |case| case.figures.len());
        for place in 0..questions {
            let figures: Vec<&IncidentFigures> = self.cases.iter().map(|case| &case.figures[place]).collect();
            let cells: Vec<String> = figures
                .iter()
                .map(|figures| format!("{} / {}", millis(figures.took.p50_ms), millis(figures.took.p99_ms)))
                .collect();
            let name = figures.first().map_or("", |figures| figures.question.as_str());
            text.push_str(&format!("| {name} | {} | {} |\n", cells.join(" | "), ratio(&figures)));
        }
        let line = |name: &str, figure: fn(&IncidentCase) -> String| {
            let cells: Vec<String> = self.cases.iter().map(figure).collect();
            format!("| {name} | {} | |\n", cells.join(" | "))
        };
        text.push_str(&line("incidents put in a second", per_second));
        text.push_str(&line("octets of the file an incident", |case| {
            (case.file_bytes / case.incidents.max(1) as u64).to_string()
        }));
        text
    }
}

fn ratio(figures: &[&IncidentFigures]) -> String {
    match figures {
        [less, .., more] => match (less.took.p50_ms, more.took.p50_ms) {
            (Some(less), Some(more)) if less > 0.0 => format!("{:.1}", more / less),
            (Some(_) | None, Some(_) | None) => "-".to_owned(),
        },
        [] | [_] => "-".to_owned(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are at most a million")]
fn per_second(case: &IncidentCase) -> String {
    format!("{:.0}", case.incidents as f64 / case.put_seconds.max(0.001))
}

fn millis(time: Option<f64>) -> String {
    time.map_or("-".to_owned(), |time| format!("{time:.2}"))
}
