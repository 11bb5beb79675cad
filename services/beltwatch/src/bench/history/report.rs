//! What was measured of the history, for people and programs.

use hdrhistogram::Histogram;
use serde::Serialize;

use super::fill::BLOCK_US;
use super::{HistorySettings, each, percentiles};
use crate::bench::Percentiles;

/// Everything that one run measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistoryReport {
    /// Version of this program.
    pub version: &'static str,
    /// Processors that this process may use.
    pub processors: usize,
    /// Machines of all kinds.
    pub machines: usize,
    /// Days of readings.
    pub days: usize,
    /// How often a day was listed.
    pub times: usize,
    /// How much later than a whole second readings ended at most, in microseconds.
    pub late_us: u64,
    /// One for each kind of machine.
    pub cases: Vec<HistoryCase>,
}

/// The history of one kind of machines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistoryCase {
    /// Which kind.
    pub kind: &'static str,
    /// How many machines.
    pub machines: usize,
    /// Octets of the chunks that were compacted last, before.
    pub fresh_bytes: u64,
    /// Octets of the files that they became.
    pub compacted_bytes: u64,
    /// Readings in them.
    pub compacted_readings: u64,
    /// How long that took, in seconds.
    pub compacting_seconds: f64,
    /// With nine days of ten not compacted.
    pub stored_before: Stored,
    /// With all compacted.
    pub stored_after: Stored,
    /// A tenth of the days, compacted.
    pub listed_few: Listed,
    /// All days, most of them not compacted.
    pub listed_fresh: Listed,
    /// All days, compacted.
    pub listed_all: Listed,
}

/// What lies on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stored {
    /// Readings.
    pub readings: u64,
    /// Octets of the database, with its log.
    pub database_bytes: u64,
    /// Files of compacted chunks.
    pub files: u64,
    /// Octets of these.
    pub file_bytes: u64,
}

/// What listing a day of one machine cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Listed {
    /// Readings of a day, on average.
    pub readings: u64,
    /// From question to answer, all pages.
    pub took: Percentiles,
}

impl Listed {
    pub(super) fn new(readings: u64, took: &Histogram<u64>) -> Listed {
        Listed { readings, took: percentiles(took) }
    }
}

type Line = (&'static str, fn(&HistoryCase) -> String);

const LINES: [Line; 11] = [
    ("machines", |case| case.machines.to_string()),
    ("readings, millions", |case| format!("{:.1}", each(case.stored_after.readings, 1_000_000))),
    ("octets a reading, fresh chunks", |case| bytes(case.fresh_bytes, case.compacted_readings)),
    ("octets a reading, compacted files", |case| bytes(case.compacted_bytes, case.compacted_readings)),
    ("compacted readings a second, millions", |case| {
        format!("{:.2}", each(case.compacted_readings, 1_000_000) / case.compacting_seconds.max(0.001))
    }),
    ("files", |case| case.stored_after.files.to_string()),
    ("readings of a listed day", |case| case.listed_all.readings.to_string()),
    ("day listed, a tenth of the days, compacted, p50 / p99 ms", |case| times(&case.listed_few)),
    ("day listed, all days, most of them fresh, p50 / p99 ms", |case| times(&case.listed_fresh)),
    ("day listed, all days, compacted, p50 / p99 ms", |case| times(&case.listed_all)),
    ("ratio of the p50, all days to a tenth, each for the same readings", ratio),
];

impl HistoryReport {
    pub(super) fn new(settings: &HistorySettings, cases: Vec<HistoryCase>) -> HistoryReport {
        HistoryReport {
            version: env!("CARGO_PKG_VERSION"),
            processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            machines: settings.machines,
            days: settings.days,
            times: settings.times,
            late_us: settings.late_us,
            cases,
        }
    }

    /// A section for docs/benchmarks.md.
    pub fn markdown(&self) -> String {
        let (machines, days, times, late_us) = (self.machines, self.days, self.times, self.late_us);
        let together = BLOCK_US / 60_000_000;
        let mut text = format!(
            "## History\n\n```sh\ntarget/release/beltwatch bench history --machines {machines} --days {days} \
             --times {times} --late-us {late_us}\n```\n\nReadings of a generated fleet, one a second in motion and one in 30 s at rest, nights \
             included; an encoder's speeds scatter by 10 mm/s, a console tells tenths of a km/h, time and distance. Readings \
             end up to {late_us} us after a whole second, by chance. \
             Readings of {together} minutes were put together. Each kind of machine has a history of its own. A whole day \
             of one machine was listed {times} times through the store's trait.\n\n"
        );
        let kinds: Vec<&str> = self.cases.iter().map(|case| case.kind).collect();
        text.push_str(&format!(
            "| | {} | all |\n|---|{}---|\n",
            kinds.join(" | "),
            "---|".repeat(kinds.len())
        ));
        for (place, (name, figure)) in LINES.iter().enumerate() {
            let cells: Vec<String> = self.cases.iter().map(figure).collect();
            let all = self.all().get(place).cloned().unwrap_or_default();
            text.push_str(&format!("| {name} | {} | {all} |\n", cells.join(" | ")));
        }
        text
    }

    /// The first lines of all kinds together.
    fn all(&self) -> [String; 4] {
        let sum = |figure: fn(&HistoryCase) -> u64| -> u64 { self.cases.iter().map(figure).sum() };
        let readings = sum(|case| case.compacted_readings);
        [
            self.machines.to_string(),
            format!("{:.1}", each(sum(|case| case.stored_after.readings), 1_000_000)),
            bytes(sum(|case| case.fresh_bytes), readings),
            bytes(sum(|case| case.compacted_bytes), readings),
        ]
    }
}

fn bytes(octets: u64, readings: u64) -> String {
    format!("{:.2}", each(octets, readings))
}

fn times(listed: &Listed) -> String {
    let millis = |time: Option<f64>| time.map_or("-".to_owned(), |time| format!("{time:.1}"));
    format!("{} / {}", millis(listed.took.p50_ms), millis(listed.took.p99_ms))
}

fn ratio(case: &HistoryCase) -> String {
    let a_reading = |listed: &Listed| Some(listed.took.p50_ms? / each(listed.readings, 1).max(1.0));
    match (a_reading(&case.listed_few), a_reading(&case.listed_all)) {
        (Some(few), Some(all)) if few > 0.0 => format!("{:.1}", all / few),
        (Some(_) | None, Some(_) | None) => "-".to_owned(),
    }
}
