//! The body around the ingest's mind: one loop that turns the world into inputs and performs the effects.

pub(crate) mod held;
mod settled;
mod task;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::limits;
use domain::log::Lane;
use domain::units::UnixMicros;
use store::feed::Feed;
use store::journal::{Journal, Sequence};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::held::Held;
use self::settled::Mark;
use self::task::{Appended, Read, append, finished, read_again};
use crate::body_clock::BodyClock;
use crate::counters::Counters;
use crate::ingest::{Effects, IngestMind, Input, Renewed, Room};
use crate::metrics;
use crate::readiness::{Part, Readiness};
use crate::refusals::Refusals;
use crate::registry::Registered;
use crate::subscriber::{Message, Subscriber};
use crate::write;

/// Messages taken from the queue in one step.
const MESSAGES_A_STEP: usize = 64;
/// How often counters are shown and the journal's room is asked for.
const HOUSEKEEPING_PERIOD: Duration = Duration::from_millis(500);
/// Longest time that a stop waits for a commit under way.
const DRAIN_MAX: Duration = Duration::from_secs(5);

/// What others may look at while the pipeline runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared {
    pub(crate) counters: Arc<Mutex<Counters>>,
    pub(crate) refusals: Arc<Mutex<Refusals>>,
    pub(crate) readiness: Readiness,
    /// Everything committed before this can be read.
    pub(crate) settled: Arc<Mutex<Option<UnixMicros>>>,
    /// Machines that use a renewed key.
    pub(crate) renewed: Arc<Mutex<Renewed>>,
}

impl Shared {
    /// Brings up to date which machines use a renewed key.
    pub(crate) fn tell_renewed(&self, mind: &IngestMind) {
        let mut known = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(renewed) = mind.renewed(known.number) {
            *known = renewed;
        }
    }
}

/// What comes in.
#[derive(Debug)]
pub(crate) struct Inlets {
    pub(crate) urgent: mpsc::Receiver<Message>,
    pub(crate) readings: mpsc::Receiver<Message>,
    pub(crate) registered: mpsc::Receiver<Vec<Registered>>,
    pub(crate) journal_nearly_full: watch::Receiver<bool>,
}

/// Where it goes.
#[derive(Debug)]
pub(crate) struct Outlets {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) ledger: mpsc::Sender<write::ledger::Work>,
    pub(crate) telemetry: mpsc::Sender<write::telemetry::Work>,
    pub(crate) watermark: watch::Receiver<Sequence>,
    pub(crate) feed: Feed,
}

/// The loop and what it holds between two steps.
#[derive(Debug)]
pub(crate) struct Pipeline {
    mind: IngestMind,
    clock: BodyClock,
    subscriber: Subscriber,
    inlets: Inlets,
    outlets: Outlets,
    shared: Shared,
    append: Option<JoinHandle<Appended>>,
    reading: Option<JoinHandle<Read>>,
    held: Held,
    mark: Mark,
    acks_dropped: u64,
}

impl Pipeline {
    pub(crate) fn new(
        mind: IngestMind,
        clock: BodyClock,
        subscriber: Subscriber,
        inlets: Inlets,
        outlets: Outlets,
        shared: Shared,
        held: Held,
    ) -> Pipeline {
        let mark = Mark::new(held.folded, clock.now().unix);
        Pipeline {
            mind,
            clock,
            subscriber,
            inlets,
            outlets,
            shared,
            append: None,
            reading: None,
            held,
            mark,
            acks_dropped: 0,
        }
    }

    /// Runs until it is told to stop, then finishes what is under way and writes what is unsaved.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut housekeeping = tokio::time::interval(HOUSEKEEPING_PERIOD);
        let mut urgent = Vec::with_capacity(MESSAGES_A_STEP);
        let mut readings = Vec::with_capacity(MESSAGES_A_STEP);
        // A connection ends before this only if it panicked, which was reported; there is nothing to take then.
        let mut is_connected = true;
        while !stop.is_cancelled() {
            let wake = self.wake();
            let has_room = is_connected && self.held.has_room();
            let takes_urgent = has_room && !self.mind.is_full(Lane::Events);
            let takes_readings = has_room && !self.mind.is_full(Lane::Readings);
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                appended = finished(&mut self.append) => self.appended(appended),
                _ = housekeeping.tick() => self.keep_house(),
                count = self.inlets.urgent.recv_many(&mut urgent, MESSAGES_A_STEP), if takes_urgent => {
                    is_connected &= count > 0;
                    self.messages(&mut urgent);
                }
                count = self.inlets.readings.recv_many(&mut readings, MESSAGES_A_STEP), if takes_readings => {
                    is_connected &= count > 0;
                    self.messages(&mut readings);
                }
                Some(registered) = self.inlets.registered.recv() => self.step(Input::Registered(&registered)),
                read = finished(&mut self.reading) => self.read(read),
                () = tokio::time::sleep_until(wake) => self.step(Input::Tick),
            }
            self.hand_on();
        }
        self.finish().await;
    }

    fn step(&mut self, input: Input<'_>) {
        let now = self.clock.now();
        let effects = self.mind.apply(input, now);
        self.perform(effects);
    }

    fn messages(&mut self, messages: &mut Vec<Message>) {
        let now = self.clock.now();
        let effects = self.mind.apply(Input::Room(self.room()), now);
        self.perform(effects);
        for message in messages.drain(..) {
            let input = Input::Message { topic: &message.topic, payload: message.payload };
            let effects = self.mind.apply(input, now);
            self.perform(effects);
        }
    }

    fn appended(&mut self, (result, took): Appended) {
        metrics::append(took);
        let readiness = &self.shared.readiness;
        match result {
            Ok(sequence) => {
                write::worked(Part::Journal, readiness);
                self.step(Input::Committed { sequence });
            }
            Err(error) => {
                if readiness.trouble(Part::Journal, &error.to_string()) {
                    tracing::error!(error = %error, "the journal refuses a group; nothing of it is acknowledged");
                }
                self.step(Input::CommitFailed { error: &error });
            }
        }
    }

    fn perform(&mut self, mut effects: Effects) {
        self.held.take(&mut effects);
        if let Some(slices) = effects.append {
            let journal = self.outlets.journal.clone();
            self.append = Some(tokio::spawn(append(journal, slices)));
        }
        for publish in effects.publishes {
            if !self.subscriber.publish(publish) {
                self.acks_dropped += 1;
            }
        }
        for state in effects.states {
            self.outlets.feed.put(state);
        }
        if !effects.refused.is_empty() {
            let mut refusals = self.shared.refusals.lock().unwrap_or_else(PoisonError::into_inner);
            effects.refused.into_iter().for_each(|refused| refusals.keep(refused));
        }
        for alarm in effects.alarms {
            tracing::error!(machine.id = %alarm.machine, alarm = alarm.message, "a machine needs a person");
        }
        self.held.reads.extend(effects.reads);
        if self.reading.is_none()
            && let Some(read) = self.held.reads.pop()
        {
            self.reading = Some(tokio::spawn(read_again(self.outlets.journal.clone(), read)));
        }
    }

    fn read(&mut self, (asked, result): Read) {
        self.reading = None;
        match result {
            Ok(slices) => {
                let effects = self.mind.read_again(&asked, slices, self.clock.now());
                self.perform(effects);
            }
            Err(error) => {
                tracing::warn!(machine.id = %asked.machine, error = %error, "the journal cannot be read; again");
                self.held.reads.push(asked);
            }
        }
    }

    fn hand_on(&mut self) {
        self.held.hand_on(self.mind.saved(), &self.outlets.ledger, &self.outlets.telemetry);
    }

    fn wake(&self) -> Instant {
        let wake = self.mind.wake().map(|at| self.clock.at(at));
        let latest = Instant::now() + HOUSEKEEPING_PERIOD;
        wake.into_iter().chain(self.held.wake()).fold(latest, Instant::min)
    }

    fn room(&self) -> Room {
        let readings = &self.inlets.readings;
        Room {
            queue_used: readings.len() + self.inlets.urgent.len(),
            queue_size: limits::INGEST_QUEUE_MESSAGES,
            journal_nearly_full: *self.inlets.journal_nearly_full.borrow(),
        }
    }

    fn keep_house(&mut self) {
        let counters = Counters {
            deferred: self.subscriber.deferred(),
            acks_dropped: self.acks_dropped,
            ..self.mind.counters()
        };
        *self.shared.counters.lock().unwrap_or_else(PoisonError::into_inner) = counters;
        metrics::counters(&counters);
        metrics::queue(self.room().queue_used);
        metrics::behind("telemetry", self.held.folded.saturating_sub(*self.outlets.watermark.borrow()));
        metrics::behind("ledger", self.held.folded.saturating_sub(self.mind.saved()));
        self.tell_settled();
        self.shared.tell_renewed(&self.mind);
        self.step(Input::Room(self.room()));
    }

    fn tell_settled(&mut self) {
        let watermark = *self.outlets.watermark.borrow();
        let now = self.clock.now().unix;
        if let Some(reached) = self.mark.reached(watermark, self.held.folded, now) {
            *self.shared.settled.lock().unwrap_or_else(PoisonError::into_inner) = Some(reached);
        }
    }

    /// Finishes what is under way, acknowledges it, and writes what is unsaved.
    async fn finish(mut self) {
        let until = Instant::now() + DRAIN_MAX;
        while !self.mind.is_idle() {
            let wake = self.wake().min(until);
            tokio::select! {
                appended = finished(&mut self.append) => self.appended(appended),
                () = tokio::time::sleep_until(wake) => self.step(Input::Tick),
            }
            if Instant::now() >= until {
                tracing::warn!(
                    "stopped with records that the journal has not taken; they stay at their agents"
                );
                break;
            }
        }
        self.step(Input::Stopping);
        let saved = self.mind.saved();
        self.held.hand_on_all(saved, &self.outlets.ledger, &self.outlets.telemetry).await;
        self.keep_house();
        self.subscriber.stop().await;
    }
}
