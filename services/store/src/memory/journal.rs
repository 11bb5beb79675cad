//! The journal in memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::StoreError;
use crate::bounds;
use crate::journal::{Journal, JournalSpan, Sequence, Slice};

/// A journal that lives as long as its last handle.
#[derive(Debug, Clone, Default)]
pub struct MemoryJournal {
    state: Arc<Mutex<State>>,
}

/// What was in a journal at one moment.
#[derive(Debug, Clone, Default)]
pub struct JournalSnapshot(State);

#[derive(Debug, Clone, Default)]
struct State {
    trimmed: Sequence,
    slices: VecDeque<Arc<Slice>>,
}

impl State {
    fn last(&self) -> Sequence {
        self.trimmed + self.slices.len() as u64
    }
}

impl MemoryJournal {
    /// An empty journal.
    pub fn new() -> MemoryJournal {
        MemoryJournal::default()
    }

    /// A copy of what is in it.
    pub fn snapshot(&self) -> JournalSnapshot {
        JournalSnapshot(self.state().clone())
    }

    /// Puts back what was in it then, for all handles.
    pub fn restore(&self, snapshot: &JournalSnapshot) {
        *self.state() = snapshot.0.clone();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn append(&self, slices: Arc<[Slice]>) -> Result<Sequence, StoreError> {
        bounds::slices(&slices)?;
        let mut state = self.state();
        state.slices.extend(slices.iter().cloned().map(Arc::new));
        Ok(state.last())
    }

    async fn read(&self, after: Sequence, max: usize) -> Result<Vec<(Sequence, Slice)>, StoreError> {
        bounds::slices_read(max)?;
        let state = self.state();
        let after = after.max(state.trimmed);
        let skipped = usize::try_from(after - state.trimmed).unwrap_or(usize::MAX);
        let slices = state.slices.iter().skip(skipped).take(max);
        Ok((after.saturating_add(1)..).zip(slices.map(|slice| Slice::clone(slice))).collect())
    }

    async fn trim(&self, through: Sequence) -> Result<(), StoreError> {
        let mut state = self.state();
        bounds::trim(through, state.last())?;
        let count = usize::try_from(through.saturating_sub(state.trimmed)).unwrap_or(usize::MAX);
        state.slices.drain(..count);
        state.trimmed += count as u64;
        Ok(())
    }

    async fn span(&self) -> Result<JournalSpan, StoreError> {
        let state = self.state();
        Ok(JournalSpan { trimmed: state.trimmed, last: state.last() })
    }
}
