//! What the watchers measured, for people and programs.

use serde::Serialize;

use super::WatchSettings;
use crate::bench::{Percentiles, Used};

/// Everything that one run measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WatchReport {
    /// Version of this program.
    pub version: &'static str,
    /// Processors that this process may use.
    pub processors: usize,
    /// Watchers, half of them of the API, half of a page.
    pub watchers: usize,
    /// Machines; each changed once a second.
    pub machines: usize,
    /// How long each measurement took.
    pub seconds: u64,
    /// Alone, and beside two that stopped reading.
    pub cases: Vec<WatchFigures>,
}

/// What one measurement found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WatchFigures {
    /// From a state put into the feed to its receipt from `WatchFleet`.
    pub rpc: Percentiles,
    /// From a state put into the feed to its receipt by a page's stream, which gathers changes.
    pub page: Percentiles,
    /// The same of the one machine with a stop that nobody has seen to, which waits for no others.
    pub page_stops: Percentiles,
    /// Messages that the watchers of the API received.
    pub rpc_messages: u64,
    /// Octets that the streams of pages received.
    pub page_bytes: u64,
    /// Processor seconds of the server: feed, API, pages.
    pub server_cpu_seconds: f64,
    /// Processor seconds of the watchers themselves.
    pub watchers_cpu_seconds: f64,
    /// Processors in use meanwhile.
    pub processors_used: Used,
    /// Memory of the process before the first watcher, in MiB; `None`: the system does not tell. A second measurement
    /// begins with what the first one's memory was good for.
    pub memory_before_mib: Option<u64>,
    /// Greatest memory of the process from then on, the watchers' own included, in MiB.
    pub memory_max_mib: Option<u64>,
    /// New snapshots that the watcher of the API that stopped reading found when it read on; `None`: none stopped.
    pub stalled_snapshots: Option<u64>,
    /// Changes put into the feed since it began.
    pub changes: u64,
}

type Line = (&'static str, fn(&WatchFigures) -> String);

const LINES: [Line; 17] = [
    ("WatchFleet, commit to receipt, p50 ms", |case| millis(case.rpc.p50_ms)),
    ("WatchFleet, commit to receipt, p99 ms", |case| millis(case.rpc.p99_ms)),
    ("receipts timed", |case| case.rpc.count.to_string()),
    ("page stream, commit to receipt, p50 ms", |case| millis(case.page.p50_ms)),
    ("page stream, commit to receipt, p99 ms", |case| millis(case.page.p99_ms)),
    ("receipts timed", |case| case.page.count.to_string()),
    ("page stream, a stop, p50 ms", |case| millis(case.page_stops.p50_ms)),
    ("page stream, a stop, p99 ms", |case| millis(case.page_stops.p99_ms)),
    ("receipts timed", |case| case.page_stops.count.to_string()),
    ("messages of WatchFleet received", |case| case.rpc_messages.to_string()),
    ("octets of page streams received", |case| case.page_bytes.to_string()),
    ("CPU s, server", |case| format!("{:.1}", case.server_cpu_seconds)),
    ("CPU s, the watchers themselves", |case| format!("{:.1}", case.watchers_cpu_seconds)),
    ("processors in use by other programs", |case| format!("{:.2}", case.processors_used.others)),
    ("memory before the first watcher, MiB", |case| {
        case.memory_before_mib.map_or("-".to_owned(), |mib| mib.to_string())
    }),
    ("memory at most, MiB (watchers included)", |case| {
        case.memory_max_mib.map_or("-".to_owned(), |mib| mib.to_string())
    }),
    ("new snapshots for the one that stopped reading", |case| {
        case.stalled_snapshots.map_or(String::new(), |snapshots| snapshots.to_string())
    }),
];

impl WatchReport {
    pub(super) fn new(settings: &WatchSettings, cases: Vec<WatchFigures>) -> WatchReport {
        WatchReport {
            version: env!("CARGO_PKG_VERSION"),
            processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            watchers: settings.watchers,
            machines: settings.machines,
            seconds: settings.time.as_secs(),
            cases,
        }
    }

    /// A section for docs/benchmarks.md.
    pub fn markdown(&self) -> String {
        let WatchReport { watchers, machines, seconds, processors, .. } = self;
        let mut text = format!(
            "## Watchers\n\n```sh\ntarget/release/beltwatch bench watch --watchers {watchers} --machines {machines} \
             --seconds {seconds}\n```\n\n{watchers} watchers, half of them calling `WatchFleet`, half reading a page's \
             stream over HTTP/1.1, each on a connection of its own; {machines} machines that change once a second; \
             {seconds} s; {processors} processors, which server and watchers share. States are put straight into the \
             feed, where the ingest puts them after a commit. A page's stream gathers changes; a stop does not wait. Times \
             of page streams are whole milliseconds.\n\n\
             | | alone | beside one of each kind that stops reading |\n|---|---|---|\n"
        );
        for (name, figure) in LINES {
            let cells: Vec<String> = self.cases.iter().map(figure).collect();
            text.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
        }
        text
    }
}

fn millis(time: Option<f64>) -> String {
    time.map_or("-".to_owned(), |time| format!("{time:.1}"))
}
