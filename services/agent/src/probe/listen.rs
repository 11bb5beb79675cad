//! Runs sources for a while, without an agent.

use std::io::Write;
use std::time::Duration;

use domain::limits::CAPTURE_FRAMES_MAX;
use domain::signal::Signal;
use domain::units::MILLI;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::{Found, Tally};
use crate::clock;
use crate::source::Source;
use crate::source::outlet::Taped;
use crate::source::supervise::start;

/// Frames that wait to be written. More: they are left out, with a warning.
const FRAMES_WAITING_MAX: usize = 256;

/// Lets sources run for a time and tells what they delivered.
pub async fn listen(
    sources: Vec<Box<dyn Source>>,
    time: Duration,
    mut seen: impl FnMut(&Signal),
) -> Vec<Found> {
    let mut tally = Tally::new(sources.iter().map(|source| source.spec()).collect());
    let (begun, until) = (clock::monotonic(), deadline(time));
    let (mut signals, _running) = start(sources, None);
    while let Ok(Some(signal)) = timeout_at(until, signals.recv()).await {
        seen(&signal);
        tally.count(&signal);
    }
    tally.found(begun, clock::monotonic())
}

/// Lets sources run for a time and writes every frame that goes over their ports, a JSON object a line, as
/// `captures/README.md` describes it; gives how many.
///
/// # Errors
///
/// If writing fails.
pub async fn record(
    sources: Vec<Box<dyn Source>>,
    time: Duration,
    out: &mut impl Write,
) -> std::io::Result<usize> {
    let names: Vec<String> = sources.iter().map(|source| source.spec().name).collect();
    let (begun, until) = (clock::monotonic(), deadline(time));
    let (tape, mut frames) = mpsc::channel(FRAMES_WAITING_MAX);
    let (mut signals, _running) = start(sources, Some(tape));
    let mut count = 0;
    while count < CAPTURE_FRAMES_MAX {
        let frame: Taped = tokio::select! {
            Ok(Some(frame)) = timeout_at(until, frames.recv()) => frame,
            // Sources wait until their signals are taken.
            Ok(Some(_)) = timeout_at(until, signals.recv()) => continue,
            else => break,
        };
        let line = serde_json::json!({
            "source": names.get(usize::from(frame.source.0)),
            "characteristic": frame.characteristic.name(),
            "direction": frame.way.name(),
            "seq": count + 1,
            "ts_ms": frame.at.since(begun) / MILLI,
            "hex": hex::encode(&frame.octets),
        });
        writeln!(out, "{line}")?;
        count += 1;
    }
    out.flush()?;
    Ok(count)
}

fn deadline(time: Duration) -> Instant {
    Instant::now() + time
}
