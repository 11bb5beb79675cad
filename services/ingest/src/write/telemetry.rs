//! Writes readings and events to the telemetry. What it was too slow to be given it reads from the journal.

use std::sync::Arc;

use store::journal::{Journal, Sequence};
use store::telemetry::{Block, Telemetry};
use store::{StoreError, StoreErrorKind};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{wait_after, worked};
use crate::fold::block_of;
use crate::readiness::{Part, Readiness};

/// Slices read from the journal at once.
const READ_SLICES: usize = 1_000;
/// Works that wait are written together up to so many records, so that a slow telemetry is asked seldom. More: the next put.
const PUT_RECORDS: usize = 50_000;

/// Blocks of all slices after `after` up to `through` that have readable records.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) after: Sequence,
    pub(crate) through: Sequence,
    pub(crate) blocks: Vec<Block>,
}

impl Work {
    fn records(&self) -> usize {
        self.blocks.iter().map(|block| block.records.len()).sum()
    }
}

pub(crate) struct TelemetryWriter {
    pub(crate) telemetry: Arc<dyn Telemetry>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) work: mpsc::Receiver<Work>,
    /// What was taken and does not follow what is being written.
    pub(crate) held: Option<Work>,
    pub(crate) watermark: watch::Sender<Sequence>,
    pub(crate) readiness: Readiness,
    pub(crate) give_up: CancellationToken,
}

impl TelemetryWriter {
    /// Writes until the other side closes and all is written, or until it has to give up.
    pub(crate) async fn run(mut self) {
        while let Some(work) = self.next().await {
            if !self.catch_up(work.after).await {
                return;
            }
            let mut attempts = 0;
            if let Err(error) = self.put(work.blocks, work.through).await
                && !(self.wait(&error, &mut attempts).await && self.catch_up(work.through).await)
            {
                return;
            }
        }
    }

    /// All that waits, as far as it follows one another; `None`: nothing will come any more.
    async fn next(&mut self) -> Option<Work> {
        let mut all = match self.held.take() {
            Some(work) => work,
            None => self.work.recv().await?,
        };
        let mut records = all.records();
        while records < PUT_RECORDS
            && let Ok(work) = self.work.try_recv()
        {
            if work.after != all.through {
                // Something in between has to be read from the journal first.
                self.held = Some(work);
                break;
            }
            records += work.records();
            all.through = work.through;
            all.blocks.extend(work.blocks);
        }
        Some(all)
    }

    /// Writes from the journal what was not given, because this was too slow, or could not be written.
    async fn catch_up(&self, until: Sequence) -> bool {
        let mut attempts = 0;
        while *self.watermark.borrow() < until {
            match self.step(until).await {
                Ok(()) => attempts = 0,
                Err(error) => {
                    if !self.wait(&error, &mut attempts).await {
                        return false;
                    }
                }
            }
        }
        true
    }

    async fn step(&self, until: Sequence) -> Result<(), StoreError> {
        let after = *self.watermark.borrow();
        let mut read = self.journal.read(after, READ_SLICES).await?;
        read.retain(|(sequence, _)| *sequence <= until);
        let mut all = Work { after, through: until, blocks: Vec::new() };
        let mut records = 0;
        for (sequence, slice) in &read {
            // So much at once that a failure in its midst does not cost much, and the watermark moves on.
            if records >= PUT_RECORDS {
                break;
            }
            let block = block_of(*sequence, slice);
            records += block.as_ref().map_or(0, |block| block.records.len());
            all.blocks.extend(block);
            all.through = *sequence;
        }
        self.put(all.blocks, all.through).await
    }

    async fn put(&self, blocks: Vec<Block>, through: Sequence) -> Result<(), StoreError> {
        if !blocks.is_empty() {
            // A telemetry that hangs must not hold up a stop: what it had not confirmed is in the journal.
            tokio::select! {
                put = self.telemetry.put(blocks) => put?,
                () = self.give_up.cancelled() => {
                    return Err(StoreError::new(StoreErrorKind::Unavailable, "the server is stopping"));
                }
            }
        }
        self.telemetry.set_watermark(through).await?;
        worked(Part::Telemetry, &self.readiness);
        self.watermark.send_replace(through);
        Ok(())
    }

    async fn wait(&self, error: &StoreError, attempts: &mut u32) -> bool {
        wait_after(error, attempts, Part::Telemetry, &self.readiness, &self.give_up).await
    }
}
