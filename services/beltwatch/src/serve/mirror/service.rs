//! How the server is, every ten seconds. What cannot be written is dropped: a gap tells that, too.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::limits::LAG_MOMENTS_KEPT;
use domain::live::LiveState;
use domain::presence::{Presence, belt_now, presence};
use domain::units::UnixMicros;
use ingest::IngestHandle;
use store::influx::derived::{ServiceFigures, service_line};
use store::influx::line::Lines;
use store::journal::Sequence;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::metrics;
use super::points::Points;
use crate::serve::Stores;
use crate::serve::surroundings::unix_now;

/// How often a point is written.
const PERIOD: Duration = Duration::from_secs(10);

/// Writes how the server is.
#[derive(Debug)]
pub(super) struct ServicePoints {
    stores: Stores,
    ingest: Arc<IngestHandle>,
    points: Arc<dyn Points>,
    mirror_behind: Arc<AtomicU64>,
    lag: Lag,
    started: UnixMicros,
}

impl ServicePoints {
    pub(super) fn new(
        stores: Stores,
        ingest: Arc<IngestHandle>,
        points: Arc<dyn Points>,
        mirror_behind: Arc<AtomicU64>,
    ) -> ServicePoints {
        ServicePoints { stores, ingest, points, mirror_behind, lag: Lag::default(), started: unix_now() }
    }

    /// Until it is told to stop.
    pub(super) async fn run(mut self, stopping: CancellationToken) {
        let mut tick = tokio::time::interval(PERIOD);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let turn = async {
                tick.tick().await;
                tokio::time::timeout(PERIOD, self.write()).await.unwrap_or(false)
            };
            let is_written = tokio::select! {
                () = stopping.cancelled() => return,
                is_written = turn => is_written,
            };
            if !is_written {
                metrics::dropped();
            }
        }
    }

    async fn write(&mut self) -> bool {
        let now = unix_now();
        let figures = self.figures(now).await;
        let lines: Lines = service_line(&figures, now).into_iter().collect();
        matches!(self.points.write(&lines).await, Ok(0))
    }

    async fn figures(&mut self, now: UnixMicros) -> ServiceFigures {
        let counters = self.ingest.counters();
        let troubles = self.ingest.readiness().troubles();
        let (states, _) = self.stores.feed.subscribe();
        let span = self.stores.journal.span().await.ok();
        let watermark = self.stores.telemetry.watermark().await.ok();
        let ends = span.zip(watermark).map(|(span, watermark)| (span.last, watermark));
        let of = |wanted| states.iter().filter(|state| heard(state, now) == wanted).count();
        ServiceFigures {
            troubles: troubles.into_iter().map(|(part, said)| (part.name().to_owned(), said)).collect(),
            machines: self.stores.ledger.registry().machines().len(),
            agents_connected: of(Presence::Online),
            agents_late: of(Presence::Late),
            machines_moving: states.iter().filter(|state| is_moving(state, now)).count(),
            readings_committed: counters.readings_committed,
            events_committed: counters.events_committed,
            refused: counters.refused_total(),
            deferred: counters.deferred,
            records_lost: counters.records_lost,
            journal_slices: span.map(|span| span.last.saturating_sub(span.trimmed)),
            journal_behind_slices: ends.map(|(last, watermark)| last.saturating_sub(watermark)),
            watermark_lag_us: ends.map(|(last, watermark)| self.lag.look(now, last, watermark)),
            mirror_behind: self.mirror_behind.load(Ordering::Relaxed),
            uptime_us: u64::try_from(now.since(self.started)).unwrap_or(0),
        }
    }
}

fn heard(state: &LiveState, now: UnixMicros) -> Presence {
    presence(state.heard, state.lost_by_broker, now)
}

fn is_moving(state: &LiveState, now: UnixMicros) -> bool {
    state.latest.as_ref().is_some_and(|latest| belt_now(latest, now).0.is_moving() == Some(true))
}

/// Remembers when the journal ended where, to tell how long slices have waited for the history.
#[derive(Debug, Default)]
struct Lag {
    moments: VecDeque<(UnixMicros, Sequence)>,
}

impl Lag {
    /// The journal ends at `last` now, and the history has everything up to `watermark`: how long the oldest slice that it
    /// lacks has been seen, in microseconds; 0: it lacks none.
    fn look(&mut self, now: UnixMicros, last: Sequence, watermark: Sequence) -> u64 {
        while self.moments.front().is_some_and(|(_, seen)| *seen <= watermark) {
            self.moments.pop_front();
        }
        let is_new = self.moments.back().is_none_or(|(_, seen)| *seen < last);
        if last > watermark && is_new && self.moments.len() < LAG_MOMENTS_KEPT {
            self.moments.push_back((now, last));
        }
        let oldest = self.moments.front().map_or(0, |(since, _)| now.since(*since));
        u64::try_from(oldest).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_is_as_old_as_the_oldest_slice_that_is_missing() {
        let mut lag = Lag::default();
        let mut check = |now: i64, last, watermark, expected| {
            assert_eq!(lag.look(UnixMicros(now), last, watermark), expected, "at {now}");
        };
        check(10, 0, 0, 0);
        check(20, 5, 5, 0);
        check(30, 8, 5, 0);
        check(40, 8, 5, 10);
        check(50, 12, 6, 20);
        // Up to 8 it has come; what came by 50 is waiting.
        check(60, 13, 8, 10);
        check(70, 13, 12, 10);
        check(80, 13, 13, 0);
        // The clock was set back, and the watermark is ahead.
        check(5, 14, 13, 0);
        check(1, 14, 13, 0);
        check(9, 3, 14, 0);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut lag = Lag::default();
        for step in 1..5_000_u64 {
            let now = step.cast_signed();
            assert_eq!(lag.look(UnixMicros(now), step, 0), step - 1, "the first one is not forgotten");
        }
        assert_eq!(lag.moments.len(), LAG_MOMENTS_KEPT);
        assert_eq!(lag.look(UnixMicros(9_000), 5_000, 5_000), 0);
    }
}
