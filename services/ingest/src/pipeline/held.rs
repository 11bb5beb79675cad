//! What waits between the mind and the stores that are written behind the journal.

use std::time::Duration;

use store::journal::Sequence;
use store::ledger::Derived;
use store::telemetry::Block;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::ingest::{Effects, ReadAgain};
use crate::write;

/// What was derived is given to the ledger at most so often.
const LEDGER_PERIOD: Duration = Duration::from_millis(50);
/// Rows for the ledger that wait here when it is slow. More: no messages are taken until it has caught up.
const LEDGER_ROWS_MAX: usize = 100_000;
/// Blocks are given to the telemetry at most so often.
const TELEMETRY_PERIOD: Duration = Duration::from_secs(1);
/// Records for the telemetry that are worth a batch at once.
const TELEMETRY_RECORDS: usize = 50_000;

/// What waits to be given to the writers.
#[derive(Debug)]
pub(crate) struct Held {
    derived: Derived,
    blocks: Vec<Block>,
    records: usize,
    /// Blocks up to here were given, or left to be read from the journal.
    given: Sequence,
    /// The telemetry had no room for some, and has to be told to read them from the journal.
    must_catch_up: bool,
    pub(super) folded: Sequence,
    saved: Sequence,
    /// What has to be read from the journal again.
    pub(super) reads: Vec<ReadAgain>,
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
            must_catch_up: true,
            folded,
            saved: 0,
            reads,
            ledger_at: now,
            telemetry_at: now,
        }
    }

    /// Takes over what is to be written.
    pub(crate) fn take(&mut self, effects: &mut Effects) {
        self.derived.absorb(std::mem::take(&mut effects.derived));
        self.records += effects.blocks.iter().map(|block| block.records.len()).sum::<usize>();
        self.blocks.append(&mut effects.blocks);
        self.folded = self.folded.max(effects.folded);
    }

    /// Whether the ledger keeps up; if not, no messages are taken.
    pub(super) fn has_room(&self) -> bool {
        self.derived.rows() < LEDGER_ROWS_MAX
    }

    /// Gives what is due to the writers, without waiting. What the ledger has no room for is held; what the telemetry
    /// has no room for it reads from the journal.
    pub(super) fn hand_on(
        &mut self,
        saved: Sequence,
        ledger: &mpsc::Sender<write::ledger::Work>,
        telemetry: &mpsc::Sender<write::telemetry::Work>,
    ) {
        let now = Instant::now();
        // Somebody waits for an incident.
        if (now >= self.ledger_at || !self.derived.incidents.is_empty())
            && let Some(work) = self.ledger(saved)
        {
            self.ledger_at = now + LEDGER_PERIOD;
            match ledger.try_send(work) {
                Ok(()) => self.saved = saved,
                Err(error) => self.derived = error.into_inner().derived,
            }
        }
        if (now >= self.telemetry_at || self.records >= TELEMETRY_RECORDS)
            && let Some(work) = self.telemetry()
        {
            self.telemetry_at = now + TELEMETRY_PERIOD;
            self.must_catch_up = telemetry.try_send(work).is_err();
        }
    }

    /// Gives everything to the writers, waiting for room.
    pub(super) async fn hand_on_all(
        &mut self,
        saved: Sequence,
        ledger: &mpsc::Sender<write::ledger::Work>,
        telemetry: &mpsc::Sender<write::telemetry::Work>,
    ) {
        // A writer has ended only if it gave up, and then the journal keeps what it needs.
        if let Some(work) = self.ledger(saved) {
            let _ = ledger.send(work).await;
        }
        self.must_catch_up = true;
        if let Some(work) = self.telemetry() {
            let _ = telemetry.send(work).await;
        }
    }

    /// When something is due; `None`: nothing waits.
    pub(super) fn wake(&self) -> Option<Instant> {
        let ledger = (self.derived.rows() > 0).then_some(self.ledger_at);
        let has_blocks = self.folded > self.given || self.must_catch_up;
        let telemetry = has_blocks.then_some(self.telemetry_at);
        ledger.into_iter().chain(telemetry).min()
    }

    fn ledger(&mut self, saved: Sequence) -> Option<write::ledger::Work> {
        let has_work = saved > self.saved || self.derived.rows() > 0;
        has_work.then(|| write::ledger::Work { derived: std::mem::take(&mut self.derived), saved })
    }

    fn telemetry(&mut self) -> Option<write::telemetry::Work> {
        if self.folded <= self.given && !self.must_catch_up {
            return None;
        }
        let after = std::mem::replace(&mut self.given, self.folded);
        self.records = 0;
        let blocks = std::mem::take(&mut self.blocks);
        Some(write::telemetry::Work { after, through: self.folded, blocks })
    }
}
