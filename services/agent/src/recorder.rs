//! The recorder: the signal watcher with a memory of the last 20 s. What a person will want to look at closely is
//! recorded: the belt before it and after it, in pieces that are written as they fill.

mod tape;
#[cfg(test)]
mod tests;

use domain::belt::{Belt, Contact};
use domain::record::{Event, EventKind, Payload};
use domain::signal::{Signal, SourceSpec};
use domain::units::MonotonicMicros;
use domain::watcher::{Observed, SignalWatcher, WatcherSettings};

use self::tape::Tape;

/// Watches the signals of one machine and records.
#[derive(Debug)]
pub struct Recorder {
    watcher: SignalWatcher,
    tape: Tape,
}

impl Recorder {
    /// A recorder that has seen nothing yet; see [`SignalWatcher::new`].
    pub fn new(sources: Vec<SourceSpec>, settings: WatcherSettings, now: MonotonicMicros) -> Recorder {
        Recorder { watcher: SignalWatcher::new(sources, settings, now), tape: Tape::default() }
    }

    /// Takes signals, oldest first, and lets time pass until `now`: call it at least ten times a second. Appends what
    /// became a record, in the order in which it is to be written.
    pub fn observe(&mut self, signals: &[Signal], now: MonotonicMicros, out: &mut Vec<Observed>) {
        for (index, signal) in signals.iter().enumerate() {
            let goes_on = signals.get(index + 1).is_some_and(|next| next.at == signal.at);
            self.step(out, |watcher, told| watcher.apply(signal, told));
            // A picture is taken when all that a moment brought is known.
            if !goes_on {
                let (belt, at, _) = self.watcher.belt(signal.at);
                self.tape.see(&belt, at, out);
            }
        }
        self.step(out, |watcher, told| watcher.tick(now, told));
        let (belt, at, _) = self.watcher.belt(now);
        self.tape.settle(&belt, at, out);
    }

    /// Observes no more: what was recorded is told; without a last piece it says that it is incomplete.
    pub fn stop(&mut self, out: &mut Vec<Observed>) {
        self.tape.stop(out);
    }

    /// The newest picture, its time, and how long it stands in milliseconds.
    pub fn belt(&self, now: MonotonicMicros) -> (Belt, MonotonicMicros, u32) {
        self.watcher.belt(now)
    }

    /// When it wants time to pass next, if that is sooner than a tenth of a second; see [`SignalWatcher::due`].
    pub fn due(&self) -> Option<MonotonicMicros> {
        self.watcher.due()
    }

    /// One step of the watcher. Its events name the recording that covers them; one may start it.
    fn step(&mut self, out: &mut Vec<Observed>, watch: impl FnOnce(&mut SignalWatcher, &mut Vec<Observed>)) {
        let (source, mut told) = (self.watcher.speed_source(), Vec::new());
        watch(&mut self.watcher, &mut told);
        let is_speed_lost = source.is_some() && source != self.watcher.speed_source();
        for mut observed in told {
            let mut starts = false;
            if let Payload::Event(event) = &mut observed.payload {
                starts = self.tape.trigger().is_none() && is_trigger(event, is_speed_lost);
                event.recording = if starts { Some(observed.at) } else { self.tape.trigger() };
            }
            let at = observed.at;
            out.push(observed);
            if starts {
                self.tape.start(at, out);
            }
        }
    }
}

/// Whether an event starts a recording.
fn is_trigger(event: &Event, is_speed_lost: bool) -> bool {
    let moved = event.belt.is_moving() == Some(true) || event.before.is_moving() == Some(true);
    match event.kind {
        EventKind::ContactOpened => match event.contact {
            Some(Contact::EmergencyStop | Contact::SafetyKey) => true,
            Some(Contact::MachinePower) => moved,
            Some(Contact::HandRail | Contact::UserPresence) | None => false,
        },
        EventKind::SafetyKeyStop | EventKind::DirectionChanged | EventKind::SpeedJumped => true,
        EventKind::SourceStale => is_speed_lost && event.belt.is_moving() == Some(true),
        EventKind::BeltStarted => event.belt.contacts.is_open(Contact::EmergencyStop) == Some(true),
        EventKind::BeltStopped
        | EventKind::ContactClosed
        | EventKind::ContactChattering
        | EventKind::SourceFresh
        | EventKind::UserStarted
        | EventKind::UserStopped
        | EventKind::UserPaused
        | EventKind::AgentStarted
        | EventKind::SpoolFailing
        | EventKind::SpoolRecovered
        | EventKind::ValueImplausible
        | EventKind::DirectionDisagreed
        | EventKind::ContactDisagreed
        | EventKind::FaultReported => false,
    }
}
