//! What was measured, for people and programs.

use hdrhistogram::Histogram;
use serde::Serialize;

use super::IngestSettings;
use super::case::count;
use super::cost::{Disk, Processor, Used};

/// Everything that one run measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Version of this program.
    pub version: &'static str,
    /// Processors that this process may use.
    pub processors: usize,
    /// Readings in an envelope.
    pub readings_per_envelope: usize,
    /// How long each measurement took.
    pub seconds: u64,
    /// The disk of the stores, asked before the first load.
    pub disk: Disk,
    /// One for each load.
    pub cases: Vec<Case>,
}

/// One load.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Case {
    /// Machines, each with a connection.
    pub machines: usize,
    /// The same broker and load with a subscriber that only answers.
    pub floor: Figures,
    /// The whole path.
    pub ingest: Ingest,
    /// Readings a second of the ingest, as a share of the floor's.
    pub share_of_floor: f64,
}

/// What a load with full windows measured. The generator of the load runs in the same process on the same processors.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Envelopes acknowledged in a second.
    pub messages_per_second: f64,
    /// Readings acknowledged in a second.
    pub readings_per_second: f64,
    /// Octets of an envelope as it is published, sealed, on average.
    pub message_bytes: f64,
    /// From publish to ack of an envelope of readings. With full windows it is mostly waiting in queues.
    pub readings_ack: Percentiles,
    /// From publish to ack of an envelope of events, with full windows of readings beside them.
    pub events_ack: Percentiles,
    /// Processor seconds for a million readings acknowledged.
    pub processor_seconds_per_million_readings: Processor,
    /// Processors in use meanwhile.
    pub processors_used: Used,
    /// Greatest memory of the process, generator included; `None`: the system does not tell.
    pub memory_max_mib: Option<u64>,
    /// Octets written to the disk for a reading: logs, files, and files' logs moved into them.
    pub written_bytes_per_reading: f64,
    /// Envelopes that were sent again.
    pub messages_resent: u64,
}

/// What the whole path measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ingest {
    /// With full windows.
    pub full: Figures,
    /// With half of the readings a second that came through with full windows.
    pub half: HalfLoad,
    /// Groups brought to disk in a second.
    pub commits_per_second: f64,
    /// Readings and events in a group.
    pub records_per_commit: f64,
    /// From a group's first record to its commit.
    pub commit_wait_mean_ms: f64,
    /// Octets of the journal for a reading; `None`: too little was left of it to say.
    pub journal_bytes_per_reading: Option<f64>,
    /// Octets of the history for a reading, after the last checkpoint.
    pub telemetry_bytes_per_reading: f64,
    /// Readings in the history in the end.
    pub readings_stored: u64,
    /// Events in the history in the end.
    pub events_stored: u64,
    /// Records that were made and are not in the history. Must be 0.
    pub records_lost: u64,
    /// Records that were stored twice. Must be 0.
    pub duplicates_applied: u64,
    /// Messages that the ingest had no room for; they were sent again.
    pub messages_deferred: u64,
    /// Acks that found no room on their way; the next one told the same.
    pub acks_dropped: u64,
}

/// What a load that leaves room measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HalfLoad {
    /// Readings acknowledged in a second.
    pub readings_per_second: f64,
    /// Events acknowledged in a second.
    pub events_per_second: f64,
    /// Processors in use meanwhile.
    pub processors_used: Used,
    /// From publish to ack of an envelope of events.
    pub events_ack: Percentiles,
    /// From publish to ack of an envelope of readings, which are acked at most once a second.
    pub readings_ack: Percentiles,
}

/// A distribution of times; `None`: there were none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Percentiles {
    /// Half of them are no longer.
    pub p50_ms: Option<f64>,
    /// 99 of 100 are no longer.
    pub p99_ms: Option<f64>,
    /// How many there were.
    pub count: u64,
}

impl Percentiles {
    /// Of times in microseconds.
    pub(super) fn of(times: &Histogram<u64>) -> Percentiles {
        let at = |quantile: f64| (!times.is_empty()).then(|| count(times.value_at_quantile(quantile)) / 1e3);
        Percentiles { p50_ms: at(0.5), p99_ms: at(0.99), count: times.len() }
    }
}

impl Case {
    pub(super) fn new(machines: usize, floor: Figures, ingest: Ingest) -> Case {
        let share_of_floor = ingest.full.readings_per_second / floor.readings_per_second.max(1.0);
        Case { machines, floor, ingest, share_of_floor }
    }
}

impl Report {
    pub(super) fn new(settings: &IngestSettings, disk: Disk, cases: Vec<Case>) -> Report {
        Report {
            version: env!("CARGO_PKG_VERSION"),
            processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            readings_per_envelope: settings.readings_per_envelope,
            seconds: settings.time.as_secs(),
            disk,
            cases,
        }
    }

    /// A line for each figure; a column for each floor and each ingest. The first line is the heading.
    pub fn lines(&self) -> Vec<Vec<String>> {
        let mut heading = vec![String::new()];
        for case in &self.cases {
            heading.push(format!("{} floor", case.machines));
            heading.push(format!("{} ingest", case.machines));
        }
        let mut lines = vec![heading];
        for (name, figure) in BOTH {
            let cells = self.cases.iter().flat_map(|case| [figure(&case.floor), figure(&case.ingest.full)]);
            lines.push(std::iter::once(name.to_owned()).chain(cells).collect());
        }
        for (name, figure) in INGEST_ONLY {
            let cells = self.cases.iter().flat_map(|case| [String::new(), figure(case)]);
            lines.push(std::iter::once(name.to_owned()).chain(cells).collect());
        }
        lines
    }

    /// What has to be said beside the figures.
    pub fn notes(&self) -> Vec<String> {
        let disk = self.disk;
        vec![
            format!(
                "{} processors, {} readings an envelope, {} s each; broker, server and generator share the processors",
                self.processors, self.readings_per_envelope, self.seconds
            ),
            format!(
                "append of 4 KiB with fsync on the same disk: p50 {:.2} ms, p99 {:.2} ms",
                count(disk.fsync_p50_us) / 1e3,
                count(disk.fsync_p99_us) / 1e3
            ),
            "with full windows the time from publish to ack is the queue's; half load shows what an event waits".to_owned(),
        ]
    }
}

type Line<T> = (&'static str, fn(&T) -> String);

const BOTH: [Line<Figures>; 17] = [
    ("messages/s", |figures| format!("{:.0}", figures.messages_per_second)),
    ("readings/s", |figures| format!("{:.0}", figures.readings_per_second)),
    ("octets a message", |figures| format!("{:.0}", figures.message_bytes)),
    ("readings, publish to ack, p50 ms", |figures| millis(figures.readings_ack.p50_ms)),
    ("readings, publish to ack, p99 ms", |figures| millis(figures.readings_ack.p99_ms)),
    ("events, publish to ack, p50 ms", |figures| millis(figures.events_ack.p50_ms)),
    ("events, publish to ack, p99 ms", |figures| millis(figures.events_ack.p99_ms)),
    ("CPU s a million readings", |figures| processor(figures, |part| part.total)),
    ("  generator", |figures| processor(figures, |part| part.load)),
    ("  broker", |figures| processor(figures, |part| part.broker)),
    ("  ingest, or the floor's subscriber", |figures| processor(figures, |part| part.server)),
    ("  stores' writers", |figures| processor(figures, |part| part.stores)),
    ("processors in use", |figures| format!("{:.2}", figures.processors_used.own)),
    ("  and by other programs", |figures| format!("{:.2}", figures.processors_used.others)),
    ("memory at most, MiB", |figures| figures.memory_max_mib.map_or("-".to_owned(), |mib| mib.to_string())),
    ("octets a reading written to disk", |figures| format!("{:.1}", figures.written_bytes_per_reading)),
    ("messages sent again", |figures| figures.messages_resent.to_string()),
];

const INGEST_ONLY: [Line<Case>; 18] = [
    ("share of the floor", |case| format!("{:.0} %", case.share_of_floor * 100.0)),
    ("commits/s", |case| format!("{:.1}", case.ingest.commits_per_second)),
    ("records a commit", |case| format!("{:.0}", case.ingest.records_per_commit)),
    ("first record to commit, mean ms", |case| format!("{:.1}", case.ingest.commit_wait_mean_ms)),
    ("journal, octets a reading", |case| {
        case.ingest.journal_bytes_per_reading.map_or("-".to_owned(), |octets| format!("{octets:.1}"))
    }),
    ("history, octets a reading", |case| format!("{:.1}", case.ingest.telemetry_bytes_per_reading)),
    ("readings stored", |case| case.ingest.readings_stored.to_string()),
    ("records lost", |case| case.ingest.records_lost.to_string()),
    ("records stored twice", |case| case.ingest.duplicates_applied.to_string()),
    ("messages deferred", |case| case.ingest.messages_deferred.to_string()),
    ("half load: readings/s", |case| format!("{:.0}", case.ingest.half.readings_per_second)),
    ("half load: events/s", |case| format!("{:.0}", case.ingest.half.events_per_second)),
    ("half load: processors in use", |case| format!("{:.2}", case.ingest.half.processors_used.own)),
    ("  and by other programs", |case| format!("{:.2}", case.ingest.half.processors_used.others)),
    ("half load: events to ack, p50 ms", |case| millis(case.ingest.half.events_ack.p50_ms)),
    ("half load: events to ack, p99 ms", |case| millis(case.ingest.half.events_ack.p99_ms)),
    ("half load: readings to ack, p50 ms", |case| millis(case.ingest.half.readings_ack.p50_ms)),
    ("half load: readings to ack, p99 ms", |case| millis(case.ingest.half.readings_ack.p99_ms)),
];

fn millis(time: Option<f64>) -> String {
    time.map_or("-".to_owned(), |time| format!("{time:.1}"))
}

fn processor(figures: &Figures, part: fn(&Processor) -> f64) -> String {
    format!("{:.2}", part(&figures.processor_seconds_per_million_readings))
}
