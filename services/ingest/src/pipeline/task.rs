//! What the pipeline asks of the journal while it goes on: one append, and at times slices to be read again.

use std::sync::Arc;
use std::time::Duration;

use domain::limits;
use store::StoreError;
use store::journal::{Journal, Sequence, Slice};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::ingest::{ReadAgain, ReadSlices};

/// Slices read from the journal at once.
const READ_SLICES: usize = 1_000;

/// What became of an append, and how long it took.
pub(super) type Appended = (Result<Sequence, StoreError>, Duration);

/// What was read again, or why it could not be.
pub(super) type Read = (ReadAgain, Result<ReadSlices, StoreError>);

/// Writes a group to the journal.
pub(super) async fn append(journal: Arc<dyn Journal>, slices: Arc<[Slice]>) -> Appended {
    let began = Instant::now();
    let result = journal.append(slices).await;
    (result, began.elapsed())
}

/// The end of a task, if there is one; it is taken away then.
pub(super) async fn finished<T>(task: &mut Option<JoinHandle<T>>) -> T {
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
pub(super) async fn read_again(journal: Arc<dyn Journal>, asked: ReadAgain) -> Read {
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
