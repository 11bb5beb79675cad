//! Keeps sources running: reopens each after a growing pause, while the others go on.

use std::time::Duration;

use domain::signal::SourceNumber;
use domain::units::SECOND;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::outlet::{self, Signals, Taped};
use super::{Lost, Outlet, Source};
use crate::clock;

/// Pause before the first try to open a port again.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// A source that ran for so long worked. One that opens and breaks at once is tried less and less often, so that what it
/// tells of itself does not fill the spool.
const STEADY_US: u64 = 60 * SECOND;

/// The pause before the next try.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(super) fn new() -> Backoff {
        Backoff { next: PAUSE_MIN }
    }

    /// A source that was open for so many microseconds is lost.
    pub(super) fn pause(&mut self, open_us: u64) -> Duration {
        if open_us >= STEADY_US {
            self.next = PAUSE_MIN;
        }
        let pause = self.next;
        self.next = (pause * 2).min(PAUSE_MAX);
        pause
    }
}

/// Starts sources, each with its place as its number: what they see, and what keeps them running. Dropped, the second
/// closes their ports. With a tape, frames go there, too.
pub fn start(sources: Vec<Box<dyn Source>>, tape: Option<mpsc::Sender<Taped>>) -> (Signals, JoinSet<()>) {
    let (sender, signals) = outlet::queue();
    let mut running = JoinSet::new();
    for (source, number) in sources.into_iter().zip(0..=u8::MAX) {
        let name = source.spec().name;
        let outlet = Outlet::new(&name, SourceNumber(number), sender.clone(), tape.clone());
        running.spawn(supervise(source, outlet));
    }
    (signals, running)
}

/// Runs a source for ever: ends only by being dropped.
pub async fn supervise(mut source: Box<dyn Source>, outlet: Outlet) {
    let name = source.spec().name;
    let mut backoff = Backoff::new();
    let mut told: Option<Lost> = None;
    loop {
        let lost = source.run(&outlet).await;
        let opened = outlet.take_opened();
        let was_open = opened.is_some();
        let pause = backoff.pause(opened.map_or(0, |opened| clock::monotonic().since(opened)));
        // The same reason again and again is one event.
        if was_open || told.as_ref() != Some(&lost) {
            tracing::warn!(source.name = name, reason = %lost, again_in = ?pause, "the source is lost");
            outlet.lost(clock::monotonic(), &lost).await;
            told = Some(lost);
        }
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_to_a_minute_and_begins_anew_after_a_minute_of_work() {
        let mut backoff = Backoff::new();
        let short = [0, 1, SECOND, STEADY_US - 1];
        let pauses: Vec<u64> = (0..8).map(|time| backoff.pause(short[time % 4]).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(backoff.pause(STEADY_US), PAUSE_MIN);
        assert_eq!(backoff.pause(0).as_secs(), 2);
    }
}
