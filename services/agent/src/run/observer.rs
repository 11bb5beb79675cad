//! The sources, and the recorder with the signal watcher behind them.

use std::time::Duration;

use domain::limits::SOURCE_SIGNALS_WAITING_MAX;
use domain::signal::{Script, Signal};
use domain::units::MonotonicMicros;
use domain::watcher::{Observed, WatcherSettings};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::feed::Feed;
use crate::outbox::Input;
use crate::recorder::Recorder;
use crate::source::outlet::Signals;
use crate::source::supervise::start;
use crate::uplink::message::Picture;

/// Gathers what the sources see, and lets the recorder tell what that means.
pub(super) struct Observer {
    recorder: Recorder,
    from: From,
}

enum From {
    Script {
        script: Box<dyn Script>,
        /// When the script wants to be asked; `None`: it has ended.
        next: Option<MonotonicMicros>,
    },
    Sources {
        signals: Signals,
        /// What came and was not given to the recorder yet.
        came: Vec<Signal>,
        /// Dropped, it ends the sources and closes their ports.
        _running: JoinSet<()>,
    },
}

impl Observer {
    /// Begins to observe. Sources that listen to a real machine are started.
    pub(super) fn new(feed: Feed, settings: WatcherSettings, now: MonotonicMicros) -> Observer {
        let recorder = Recorder::new(feed.specs(), settings, now);
        let from = match feed {
            Feed::Script(script) => From::Script { script, next: Some(now) },
            Feed::Sources(sources) => {
                let (signals, running) = start(sources, None);
                From::Sources { signals, came: Vec::new(), _running: running }
            }
        };
        Observer { recorder, from }
    }

    /// Whether the script has ended. The watcher goes on: it tells that the source is silent.
    pub(super) fn has_ended(&self) -> bool {
        match &self.from {
            From::Script { next, .. } => next.is_none(),
            From::Sources { .. } => false,
        }
    }

    /// Waits until there is something to observe, at most `longest_us` microseconds from now. What came is kept if
    /// this is given up.
    pub(super) async fn ready(&mut self, now: MonotonicMicros, longest_us: u64) {
        let due = self.recorder.due().map_or(longest_us, |due| due.since(now).min(longest_us));
        match &mut self.from {
            From::Script { next, .. } => {
                let wake = next.map_or(due, |next| next.since(now).min(due));
                sleep(Duration::from_micros(wake)).await;
            }
            From::Sources { signals, came, .. } => {
                tokio::select! {
                    Some(signal) = signals.recv() => came.push(signal),
                    () = sleep(Duration::from_micros(due)) => {}
                }
            }
        }
    }

    /// What was observed up to now, and how the belt is.
    pub(super) fn observe(&mut self, now: MonotonicMicros, out: &mut Vec<Input>) {
        let (mut signals, mut observed) = (Vec::new(), Vec::new());
        match &mut self.from {
            From::Script { script, next } => {
                if next.is_some_and(|next| next <= now) {
                    *next = script.observe(now, &mut signals);
                }
            }
            From::Sources { signals: queue, came, .. } => {
                signals.append(came);
                while signals.len() < SOURCE_SIGNALS_WAITING_MAX {
                    let Ok(signal) = queue.try_recv() else { break };
                    signals.push(signal);
                }
                // Each source tells its own in order; together they come as their ports were read.
                signals.sort_by_key(|signal| signal.at);
            }
        }
        self.recorder.observe(&signals, now, &mut observed);
        out.extend(observed.into_iter().map(record));
        let (belt, at, holds_for_ms) = self.recorder.belt(now);
        out.push(Input::Picture(Picture { belt, at, holds_for_ms }));
    }

    /// Observes no more: what was recorded so far.
    pub(super) fn stop(&mut self, out: &mut Vec<Input>) {
        let mut observed = Vec::new();
        self.recorder.stop(&mut observed);
        out.extend(observed.into_iter().map(record));
    }
}

fn record(observed: Observed) -> Input {
    Input::Record { at: observed.at, payload: observed.payload }
}
