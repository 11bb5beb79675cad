//! The live view: each machine's last committed state, and the feed of committed changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::ids::MachineId;
use domain::limits;
use domain::live::LiveState;
use tokio::sync::broadcast;

/// Why a watcher stopped getting changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// It was too slow and missed some: it needs a new snapshot.
    Behind,
    /// The server is stopping.
    Closed,
}

/// Each machine's last committed state, and who watches.
///
/// One writer (the ingest) puts; anybody reads and subscribes. What is put here is in the journal already, or is
/// presence, which is not replayed.
#[derive(Debug, Clone)]
pub struct Feed {
    states: Arc<Mutex<HashMap<MachineId, Arc<LiveState>>>>,
    changes: broadcast::Sender<Arc<LiveState>>,
}

/// One watcher's view of the changes from its subscription on.
#[derive(Debug)]
pub struct Watcher {
    changes: broadcast::Receiver<Arc<LiveState>>,
}

impl Default for Feed {
    fn default() -> Feed {
        Feed::new()
    }
}

impl Feed {
    /// An empty feed.
    pub fn new() -> Feed {
        let (changes, _) = broadcast::channel(limits::FEED_CHANGES_MAX);
        Feed { states: Arc::default(), changes }
    }

    /// Puts a machine's new state and tells the watchers. The state's revision is set to the next one.
    pub fn put(&self, mut state: LiveState) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        state.revision = states.get(&state.machine).map_or(0, |old| old.revision) + 1;
        let state = Arc::new(state);
        states.insert(state.machine.clone(), state.clone());
        // Sent under the lock, so that a snapshot and the changes after it fit together. Nobody watching is no error.
        let _ = self.changes.send(state);
    }

    /// The last committed state of one machine.
    pub fn latest(&self, machine: &MachineId) -> Option<Arc<LiveState>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner).get(machine).cloned()
    }

    /// Subscribes, and gives the states from which the changes go on.
    pub fn subscribe(&self) -> (Vec<Arc<LiveState>>, Watcher) {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let watcher = Watcher { changes: self.changes.subscribe() };
        (states.values().cloned().collect(), watcher)
    }
}

impl Watcher {
    /// The next change.
    pub async fn next(&mut self) -> Result<Arc<LiveState>, Missed> {
        self.changes.recv().await.map_err(|error| match error {
            broadcast::error::RecvError::Lagged(_) => Missed::Behind,
            broadcast::error::RecvError::Closed => Missed::Closed,
        })
    }
}
