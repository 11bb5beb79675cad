//! The source and the signal watcher behind it.

use domain::signal::Script;
use domain::units::MonotonicMicros;
use domain::watcher::{SignalWatcher, WatcherSettings};

use crate::outbox::Input;
use crate::uplink::message::Picture;

/// Asks a script when it wants to be asked, and lets the watcher tell what that means.
pub(super) struct Observer {
    script: Box<dyn Script>,
    watcher: SignalWatcher,
    /// When the script wants to be asked; `None`: it has ended.
    next: Option<MonotonicMicros>,
}

impl Observer {
    pub(super) fn new(script: Box<dyn Script>, settings: WatcherSettings, now: MonotonicMicros) -> Observer {
        let watcher = SignalWatcher::new(vec![script.spec()], settings, now);
        Observer { script, watcher, next: Some(now) }
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
        for signal in &signals {
            self.watcher.apply(signal, &mut observed);
        }
        self.watcher.tick(now, &mut observed);
        out.extend(
            observed.into_iter().map(|record| Input::Record { at: record.at, payload: record.payload }),
        );
        let (belt, at, holds_for_ms) = self.watcher.belt(now);
        out.push(Input::Picture(Picture { belt, at, holds_for_ms }));
    }
}
