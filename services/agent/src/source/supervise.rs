//! Keeps a source running: reopens it after a growing pause, while the others go on.

use std::time::Duration;

use super::{Lost, Outlet, Source};
use crate::clock;

/// Pause before the first try to open a port again.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// The pause before the next try.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(super) fn new() -> Backoff {
        Backoff { next: PAUSE_MIN }
    }

    /// A try has failed; `was_open`: after the port had been open.
    pub(super) fn pause(&mut self, was_open: bool) -> Duration {
        if was_open {
            self.next = PAUSE_MIN;
        }
        let pause = self.next;
        self.next = (pause * 2).min(PAUSE_MAX);
        pause
    }
}

/// Runs a source for ever: ends only by being dropped.
pub async fn supervise(mut source: Box<dyn Source>, outlet: Outlet) {
    let name = source.spec().name;
    let mut backoff = Backoff::new();
    let mut told: Option<Lost> = None;
    loop {
        let lost = source.run(&outlet).await;
        let was_open = outlet.take_opened();
        let pause = backoff.pause(was_open);
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
    fn the_pause_grows_to_a_minute_and_begins_anew_when_the_port_was_open() {
        let mut backoff = Backoff::new();
        let pauses: Vec<u64> = (0..8).map(|_| backoff.pause(false).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(backoff.pause(true), PAUSE_MIN);
        assert_eq!(backoff.pause(false).as_secs(), 2);
    }
}
