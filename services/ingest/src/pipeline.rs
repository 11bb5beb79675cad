//! The body around the ingest's mind: one loop that turns the world into inputs and performs the effects.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::limits;
use domain::log::Lane;
use store::StoreError;
use store::feed::Feed;
use store::journal::{Journal, Sequence, Slice};
use store::ledger::Derived;
use store::telemetry::Block;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::body_clock::BodyClock;
use crate::counters::Counters;
use crate::ingest::{Effects, IngestMind, Input, ReadAgain, ReadSlices, Room};
use crate::metrics;
use crate::readiness::{Part, Readiness};
use crate::refusals::Refusals;
use crate::registry::Registered;
use crate::subscriber::{Message, Subscriber};
use crate::write;

/// Slices read from the journal at once.
const READ_SLICES: usize = 1_000;
/// Messages taken from the queue in one step.
const MESSAGES_A_STEP: usize = 512;
/// What was derived is given to the ledger at most so often.
const LEDGER_PERIOD: Duration = Duration::from_millis(50);
/// Rows for the ledger that wait here when it is slow. More: no messages are taken until it has caught up.
const LEDGER_ROWS_MAX: usize = 100_000;
/// Blocks are given to the telemetry at most so often.
const TELEMETRY_PERIOD: Duration = Duration::from_secs(1);
/// Records for the telemetry that are worth a batch at once.
const TELEMETRY_RECORDS: usize = 50_000;
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
}

/// What comes in.
#[derive(Debug)]
pub(crate) struct Inlets {
    pub(crate) urgent: mpsc::Receiver<Message>,
    pub(crate) readings: mpsc::Receiver<Message>,
    pub(crate) registered: mpsc::Receiver<Vec<Registered>>,
    pub(crate) journal_nearly_full: watch::Receiver<bool>,
}

/// Where to it goes.
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
    acks_dropped: u64,
}

/// What was read again, or why it could not be.
type Read = (ReadAgain, Result<ReadSlices, StoreError>);

type Appended = (Result<Sequence, StoreError>, Duration);

/// What waits to be given to the writers.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) derived: Derived,
    pub(crate) blocks: Vec<Block>,
    pub(crate) records: usize,
    /// Blocks up to here were given, or left to be read from the journal.
    pub(crate) given: Sequence,
    pub(crate) folded: Sequence,
    saved: Sequence,
    /// What has to be read from the journal again.
    reads: Vec<ReadAgain>,
    ledger_at: Instant,
    telemetry_at: Instant,
}

impl Held {
    /// Begins with rows that are not in the ledger yet. Blocks up to `folded` are left to be read from the journal.
    pub(crate) fn new(derived: Derived, folded: Sequence, reads: Vec<ReadAgain>) -> Held {
        let now = Instant::now();
        Held {
            derived,
            blocks: Vec::new(),
            records: 0,
            given: folded,
            folded,
            saved: 0,
            reads,
            ledger_at: now,
            telemetry_at: now,
        }
    }

    /// Takes over what is to be written.
    pub(crate) fn take(&mut self, effects: &mut Effects) {
        write::ledger::absorb(&mut self.derived, std::mem::take(&mut effects.derived));
        self.records += effects.blocks.iter().map(|block| block.records.len()).sum::<usize>();
        self.blocks.append(&mut effects.blocks);
        self.folded = self.folded.max(effects.folded);
    }
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
            let has_room = is_connected && write::ledger::rows(&self.held.derived) < LEDGER_ROWS_MAX;
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
            self.hand_on(false).await;
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

    /// Gives what is held to the writers, if it is time or if `all` has to go.
    async fn hand_on(&mut self, all: bool) {
        let now = Instant::now();
        let saved = self.mind.saved();
        let is_due = all || now >= self.held.ledger_at;
        if is_due && (saved > self.held.saved || write::ledger::rows(&self.held.derived) > 0) {
            let work = write::ledger::Work { derived: std::mem::take(&mut self.held.derived), saved };
            self.held.ledger_at = now + LEDGER_PERIOD;
            if all {
                // The writer has ended only if it gave up, and then the journal keeps what it needs.
                let _ = self.outlets.ledger.send(work).await;
            } else if let Err(error) = self.outlets.ledger.try_send(work) {
                self.held.derived = error.into_inner().derived;
            } else {
                self.held.saved = saved;
            }
        }
        let is_due = all || now >= self.held.telemetry_at || self.held.records >= TELEMETRY_RECORDS;
        if is_due && self.held.folded > self.held.given {
            let work = self.held.telemetry();
            self.held.telemetry_at = now + TELEMETRY_PERIOD;
            if all {
                let _ = self.outlets.telemetry.send(work).await;
            } else {
                // When the telemetry is slow, it reads these from the journal.
                let _ = self.outlets.telemetry.try_send(work);
            }
        }
    }

    fn wake(&self) -> Instant {
        let mut wake = Instant::now() + HOUSEKEEPING_PERIOD;
        if let Some(at) = self.mind.wake() {
            wake = wake.min(self.clock.at(at));
        }
        if write::ledger::rows(&self.held.derived) > 0 {
            wake = wake.min(self.held.ledger_at);
        }
        if self.held.folded > self.held.given {
            wake = wake.min(self.held.telemetry_at);
        }
        wake
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
        self.step(Input::Room(self.room()));
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
        self.hand_on(true).await;
        self.keep_house();
        self.subscriber.stop().await;
    }
}

impl Held {
    fn telemetry(&mut self) -> write::telemetry::Work {
        let after = std::mem::replace(&mut self.given, self.folded);
        self.records = 0;
        write::telemetry::Work { after, through: self.folded, blocks: std::mem::take(&mut self.blocks) }
    }
}

async fn append(journal: Arc<dyn Journal>, slices: Arc<[Slice]>) -> Appended {
    let began = Instant::now();
    let result = journal.append(slices).await;
    (result, began.elapsed())
}

/// The end of a task, if there is one; it is taken away then.
async fn finished<T>(task: &mut Option<JoinHandle<T>>) -> T {
    match task {
        Some(running) => {
            let result = running.await;
            *task = None;
            result.expect("a task of the journal neither panics nor is aborted")
        }
        None => std::future::pending().await,
    }
}

/// Reads the slices of one machine again, as many as may wait in memory.
async fn read_again(journal: Arc<dyn Journal>, asked: ReadAgain) -> Read {
    let mut found = Vec::new();
    let mut records = 0;
    let mut after = asked.after;
    loop {
        let read = match journal.read(after, READ_SLICES).await {
            Ok(read) => read,
            Err(error) => return (asked, Err(error)),
        };
        let Some((last, _)) = read.last() else { break };
        after = *last;
        for (sequence, slice) in read {
            if slice.machine == asked.machine {
                records += slice.records as usize;
                found.push((sequence, slice));
            }
        }
        if records >= limits::MERGE_RECORDS_MAX {
            break;
        }
    }
    (asked, Ok(ReadSlices { slices: found, through: after }))
}
