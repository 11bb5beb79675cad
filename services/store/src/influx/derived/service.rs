//! How the server is, as a point.

use domain::units::UnixMicros;

use super::{SERVICE, nanoseconds, number};
use crate::influx::line::{DatedLine, Line};

/// Longest text about troubles, in characters.
const TROUBLE_CHARS_MAX: usize = 500;

/// What an operator needs to see of a server at one moment. Counters are since it was started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceFigures {
    /// What is wrong, a part and a sentence each; empty: it is ready.
    pub troubles: Vec<(String, String)>,
    /// Machines that are registered.
    pub machines: usize,
    /// Agents that were heard in time.
    pub agents_connected: usize,
    /// Agents of which a word is overdue.
    pub agents_late: usize,
    /// Machines whose belt is known to move.
    pub machines_moving: usize,
    /// Readings in the journal.
    pub readings_committed: u64,
    /// Events in the journal.
    pub events_committed: u64,
    /// Messages refused.
    pub refused: u64,
    /// Messages dropped unacknowledged because the queue was full.
    pub deferred: u64,
    /// Records known to be lost.
    pub records_lost: u64,
    /// Slices in the journal; this and the next two are `None` if a store does not say.
    pub journal_slices: Option<u64>,
    /// Slices that the history has not got yet.
    pub journal_behind_slices: Option<u64>,
    /// How long the oldest of these has waited, in microseconds.
    pub watermark_lag_us: Option<u64>,
    /// Changes that are not in the points yet.
    pub mirror_behind: u64,
    /// How long the server runs, in microseconds.
    pub uptime_us: u64,
}

/// The point of a moment; `None`: InfluxDB cannot keep its time.
pub fn service_line(figures: &ServiceFigures, now: UnixMicros) -> Option<DatedLine> {
    let line = Line::new(SERVICE)
        .flag("ready", figures.troubles.is_empty())
        .int("troubles", number(figures.troubles.len()))
        .int("machines", number(figures.machines))
        .int("agents_connected", number(figures.agents_connected))
        .int("agents_late", number(figures.agents_late))
        .int("machines_moving", number(figures.machines_moving))
        .int("readings_committed", number(figures.readings_committed))
        .int("events_committed", number(figures.events_committed))
        .int("refused", number(figures.refused))
        .int("deferred", number(figures.deferred))
        .int("records_lost", number(figures.records_lost))
        .int("mirror_behind", number(figures.mirror_behind))
        .int("uptime_s", number(figures.uptime_us / 1_000_000));
    let told = [
        ("journal_slices", figures.journal_slices),
        ("journal_behind_slices", figures.journal_behind_slices),
        ("watermark_lag_s", figures.watermark_lag_us.map(|micros| micros / 1_000_000)),
    ];
    let line = told.into_iter().fold(line, |line, (name, figure)| match figure {
        Some(figure) => line.int(name, number(figure)),
        None => line,
    });
    let said: Vec<String> =
        figures.troubles.iter().map(|(part, message)| format!("{part}: {message}")).collect();
    let line = match said.is_empty() {
        true => line,
        false => line.text("trouble", &said.join("; ").chars().take(TROUBLE_CHARS_MAX).collect::<String>()),
    };
    nanoseconds(now.0, 0).map(|at| line.at(at))
}
