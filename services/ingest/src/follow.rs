//! Obeying the registry: whoever changes it, and however that ends for them, the pipeline hears of it.

use std::sync::Arc;

use store::ledger::Ledger;
use store::registry::Registry;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::registry::Registered;

/// The registry as far as the pipeline knows it.
#[derive(Debug)]
pub(crate) struct Follower {
    ledger: Arc<dyn Ledger>,
    last_fact: watch::Receiver<u64>,
    known: Arc<Registry>,
}

impl Follower {
    /// Begins with the registry as it is now: what the mind begins with is read after this.
    pub(crate) fn new(ledger: Arc<dyn Ledger>) -> Follower {
        let last_fact = ledger.last_fact();
        Follower { known: ledger.registry(), ledger, last_fact }
    }

    /// Tells of each machine that has changed, in the order of facts, until it is told to stop. What changes while the
    /// pipeline has no time is told at once, as it is then.
    pub(crate) async fn run(mut self, registered: mpsc::Sender<Vec<Registered>>, stop: CancellationToken) {
        loop {
            let changed = self.changed();
            let told = async {
                if !changed.is_empty() {
                    registered.send(changed).await.ok()?;
                }
                self.last_fact.changed().await.ok()
            };
            let goes_on = tokio::select! {
                () = stop.cancelled() => None,
                told = told => told,
            };
            if goes_on.is_none() {
                return;
            }
        }
    }

    /// The machines that have changed since this was asked last.
    fn changed(&mut self) -> Vec<Registered> {
        let now = self.ledger.registry();
        let changed = now.changed_since(&self.known).map(|machine| Registered::of(&now, machine)).collect();
        self.known = now;
        changed
    }
}
