//! The source, and the recorder with the signal watcher behind it.

use domain::signal::Script;
use domain::units::MonotonicMicros;
use domain::watcher::{Observed, WatcherSettings};

use crate::outbox::Input;
use crate::recorder::Recorder;
use crate::uplink::message::Picture;

/// Asks a script when it wants to be asked, and lets the recorder tell what that means.
pub(super) struct Observer {
    script: Box<dyn Script>,
    recorder: Recorder,
    /// When the script wants to be asked; `None`: it has ended.
    next: Option<MonotonicMicros>,
}

impl Observer {
    pub(super) fn new(script: Box<dyn Script>, settings: WatcherSettings, now: MonotonicMicros) -> Observer {
        let recorder = Recorder::new(vec![script.spec()], settings, now);
        Observer { script, recorder, next: Some(now) }
    }

    /// Whether the script has ended. The watcher goes on: it tells that the source is silent.
    pub(super) fn has_ended(&self) -> bool {
        self.next.is_none()
    }

    /// Microseconds until there is something to observe, at most `longest_us`.
    pub(super) fn wake(&self, now: MonotonicMicros, longest_us: u64) -> u64 {
        self.next.map_or(longest_us, |next| next.since(now).min(longest_us))
    }

    /// What was observed up to now, and how the belt is.
    pub(super) fn observe(&mut self, now: MonotonicMicros, out: &mut Vec<Input>) {
        let (mut signals, mut observed) = (Vec::new(), Vec::new());
        if self.next.is_some_and(|next| next <= now) {
            self.next = self.script.observe(now, &mut signals);
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
