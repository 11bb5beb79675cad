//! Where a source hands on what it sees: signals to the agent's loop, frames to a recording, complaints to the log.

use std::sync::Mutex;

use domain::limits::SOURCE_SIGNALS_WAITING_MAX;
use domain::signal::{Signal, SignalValue, SourceNumber};
use domain::units::{MonotonicMicros, SECOND};
use tokio::sync::mpsc;

use super::Lost;
use crate::capture::Characteristic;
use crate::clock;

/// Least time between two warnings of one source.
const WARNING_PAUSE_US: u64 = 10 * SECOND;
/// How many octets a warning shows.
const WARNING_OCTETS_MAX: usize = 64;

/// Which way a frame went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The machine told it unasked.
    Notify,
    /// It was read.
    Read,
    /// It was asked for, by us or by somebody whom we overhear.
    Request,
    /// It is an answer.
    Response,
}

impl Way {
    /// Its name in a capture.
    pub fn name(self) -> &'static str {
        match self {
            Way::Notify => "notify",
            Way::Read => "read",
            Way::Request => "request",
            Way::Response => "response",
        }
    }
}

/// A frame as it came, for a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taped {
    /// When.
    pub at: MonotonicMicros,
    /// By which source.
    pub source: SourceNumber,
    /// What it is of.
    pub characteristic: Characteristic,
    /// Which way it went.
    pub way: Way,
    /// Its octets.
    pub octets: Vec<u8>,
}

/// The receiving end of all sources of an agent.
pub type Signals = mpsc::Receiver<Signal>;

/// Makes the queue that all sources of an agent share. When it is full, sources wait: a port's own buffer holds what
/// comes meanwhile, and says so if it overflows.
pub fn queue() -> (mpsc::Sender<Signal>, Signals) {
    mpsc::channel(SOURCE_SIGNALS_WAITING_MAX)
}

/// Where one source hands on what it sees.
#[derive(Debug)]
pub struct Outlet {
    name: String,
    number: SourceNumber,
    signals: mpsc::Sender<Signal>,
    tape: Option<mpsc::Sender<Taped>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether the port has been open since the last loss.
    opened: Option<MonotonicMicros>,
    warned: Option<MonotonicMicros>,
    /// Frames that could not be read, since the last warning and in all.
    unreadable: u64,
    unreadable_in_all: u64,
}

impl Outlet {
    /// The outlet of one source. With a tape, frames go there, too; if it is full they are left out.
    pub fn new(
        name: &str,
        number: SourceNumber,
        signals: mpsc::Sender<Signal>,
        tape: Option<mpsc::Sender<Taped>>,
    ) -> Outlet {
        Outlet { name: name.to_owned(), number, signals, tape, state: Mutex::default() }
    }

    /// The port is open and the machine may be heard from.
    pub fn opened(&self, what: &str) {
        tracing::info!(source.name = self.name, port = what, "the source is open");
        self.lock().opened = Some(clock::monotonic());
    }

    /// When the port was opened last, if it was since this was last asked.
    pub(super) fn take_opened(&self) -> Option<MonotonicMicros> {
        self.lock().opened.take()
    }

    /// Hands on a signal. Waits while the agent's loop has too much to do.
    pub async fn tell(&self, at: MonotonicMicros, value: SignalValue) {
        let signal = Signal { at, source: self.number, value };
        if self.signals.send(signal).await.is_err() {
            // The agent's loop has ended, and this task will be dropped in a moment.
            tracing::debug!(source.name = self.name, "nobody listens any more");
        }
    }

    /// Hands on all that was seen at one moment.
    pub async fn tell_all(&self, at: MonotonicMicros, values: impl IntoIterator<Item = SignalValue>) {
        for value in values {
            self.tell(at, value).await;
        }
    }

    /// Hands on the reason why the source cannot go on: what it said last is not known any more.
    pub(super) async fn lost(&self, at: MonotonicMicros, lost: &Lost) {
        self.tell(at, SignalValue::Lost(lost.to_string())).await;
    }

    /// Whether frames are wanted.
    pub(super) fn has_tape(&self) -> bool {
        self.tape.is_some()
    }

    /// A frame went over the port, in either way.
    pub fn tape(&self, at: MonotonicMicros, characteristic: Characteristic, way: Way, octets: &[u8]) {
        let Some(tape) = &self.tape else { return };
        let taped = Taped { at, source: self.number, characteristic, way, octets: octets.to_vec() };
        if tape.try_send(taped).is_err() {
            tracing::warn!(source.name = self.name, "the recording is too slow: a frame was left out");
        }
    }

    /// Octets came that make no sense. They are counted, and told now and then.
    pub fn unreadable(&self, at: MonotonicMicros, why: &str, octets: &[u8]) {
        let mut state = self.lock();
        state.unreadable += 1;
        state.unreadable_in_all += 1;
        if state.warned.is_some_and(|warned| at.since(warned) < WARNING_PAUSE_US) {
            return;
        }
        state.warned = Some(at);
        let count = std::mem::take(&mut state.unreadable);
        let in_all = state.unreadable_in_all;
        drop(state);
        let shown = hex::encode(&octets[..octets.len().min(WARNING_OCTETS_MAX)]);
        let octets = octets.len();
        tracing::warn!(source.name = self.name, why, count, in_all, octets, first = shown, "cannot be read");
    }

    /// How many frames could not be read.
    pub fn unreadable_count(&self) -> u64 {
        self.lock().unreadable_in_all
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // What is in there is counters: a panic between two of them spoils nothing.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
