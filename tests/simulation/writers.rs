//! What is written behind the journal, as the service does it: the same again until it succeeds, and from the journal
//! what the telemetry did not take. Stores refuse, or do and say that they did not.

use store::journal::{Journal, Sequence};
use store::ledger::{Derived, Ledger};
use store::telemetry::{Block, Telemetry};
use store::{StoreError, StoreErrorKind};

use super::server::{Stores, at_once};

/// How often what was derived is written to the ledger and to the telemetry, in microseconds.
const LEDGER_US: u64 = 50_000;
const TELEMETRY_US: u64 = 1_000_000;
/// The pause after a failure, at first and at most.
const PAUSE_US: (u64, u64) = (100_000, 10_000_000);

/// How a store answers for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Answer {
    #[default]
    Works,
    Refuses,
    /// Everything is written, and an error is reported.
    DoneButFails,
    /// A part is written, and an error is reported.
    HalfDone,
}

impl Answer {
    pub(crate) fn drawn(random: &mut fastrand::Rng) -> Answer {
        random.choice([Answer::Refuses, Answer::DoneButFails, Answer::HalfDone]).unwrap_or(Answer::Refuses)
    }
}

/// When something is tried again.
#[derive(Debug)]
struct Pace {
    due: u64,
    pause_us: u64,
    errors: u64,
}

impl Pace {
    fn new(now: u64) -> Pace {
        Pace { due: now, pause_us: PAUSE_US.0, errors: 0 }
    }

    fn note(&mut self, is_done: bool, now: u64, period_us: u64) {
        if is_done {
            (self.due, self.pause_us) = (now + period_us, PAUSE_US.0);
        } else {
            self.due = now + self.pause_us;
            self.pause_us = (self.pause_us * 2).min(PAUSE_US.1);
            self.errors += 1;
        }
    }
}

/// Writes to the ledger, in the order in which things were derived.
#[derive(Debug)]
pub(crate) struct LedgerWriter {
    pub(crate) waiting: Derived,
    /// What is being written, and how far the journal is not needed any more when it is.
    trying: Option<(Derived, Sequence)>,
    pub(crate) saved: Sequence,
    pace: Pace,
}

impl LedgerWriter {
    pub(crate) fn new(waiting: Derived, now: u64) -> LedgerWriter {
        LedgerWriter { waiting, trying: None, saved: 0, pace: Pace::new(now) }
    }

    pub(crate) fn errors(&self) -> u64 {
        self.pace.errors
    }

    pub(crate) fn hurry(&mut self, now: u64) {
        self.pace.due = now;
    }

    /// Writes if it is due. `saved` is how far the journal is not needed for what waits.
    pub(crate) fn write(
        &mut self,
        stores: &Stores,
        answer: Answer,
        saved: Sequence,
        now: u64,
    ) -> anyhow::Result<()> {
        if now < self.pace.due {
            return Ok(());
        }
        let (derived, saved) =
            self.trying.take().unwrap_or_else(|| (std::mem::take(&mut self.waiting), saved));
        // The ledger writes all or nothing.
        if matches!(answer, Answer::Works | Answer::DoneButFails) {
            at_once(stores.ledger.put(derived.clone()))?;
        }
        let is_done = answer == Answer::Works;
        if is_done {
            self.saved = saved;
        } else {
            self.trying = Some((derived, saved));
        }
        self.pace.note(is_done, now, LEDGER_US);
        Ok(())
    }
}

/// Writes to the telemetry.
#[derive(Debug)]
pub(crate) struct TelemetryWriter {
    blocks: Vec<Block>,
    /// What lies between the watermark and the blocks is read from the journal.
    lacks: bool,
    folded: Sequence,
    pub(crate) watermark: Sequence,
    pace: Pace,
}

impl TelemetryWriter {
    /// Nothing of what is folded was given.
    pub(crate) fn new(watermark: Sequence, folded: Sequence, now: u64) -> TelemetryWriter {
        TelemetryWriter { blocks: Vec::new(), lacks: true, folded, watermark, pace: Pace::new(now) }
    }

    pub(crate) fn take(&mut self, blocks: Vec<Block>, folded: Sequence) {
        self.blocks.extend(blocks);
        self.folded = self.folded.max(folded);
    }

    pub(crate) fn errors(&self) -> u64 {
        self.pace.errors
    }

    pub(crate) fn hurry(&mut self, now: u64) {
        self.pace.due = now;
    }

    /// Writes if it is due.
    pub(crate) fn write(&mut self, stores: &Stores, answer: Answer, now: u64) -> anyhow::Result<()> {
        if now < self.pace.due {
            return Ok(());
        }
        let mut blocks = std::mem::take(&mut self.blocks);
        if self.lacks {
            let read = at_once(stores.journal.read(self.watermark, 10_000))?;
            let known = read.iter().take_while(|(sequence, _)| *sequence <= self.folded);
            blocks = known.filter_map(|(sequence, slice)| ingest::block_of(*sequence, slice)).collect();
        }
        let is_done = self.put(stores, blocks, answer).is_ok();
        if is_done {
            self.watermark = self.folded;
        }
        self.lacks = !is_done;
        self.pace.note(is_done, now, TELEMETRY_US);
        Ok(())
    }

    fn put(&self, stores: &Stores, mut blocks: Vec<Block>, answer: Answer) -> Result<(), StoreError> {
        let error = || StoreError::new(StoreErrorKind::Timeout, "the simulated store did not answer");
        match answer {
            Answer::Works | Answer::DoneButFails => {}
            Answer::HalfDone => blocks.truncate(blocks.len() / 2),
            Answer::Refuses => return Err(error()),
        }
        at_once(stores.telemetry.put(blocks))?;
        if answer != Answer::Works {
            return Err(error());
        }
        at_once(stores.telemetry.set_watermark(self.folded))
    }
}
