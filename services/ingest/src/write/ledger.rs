//! Writes what was derived to the ledger, in the order in which it was derived.

use std::sync::Arc;

use domain::ids::{IncidentId, MachineId, SessionId};
use std::collections::HashMap;
use store::fact::{Fact, FactOutcome};
use store::journal::Sequence;
use store::ledger::{Checkpoint, Derived, Ledger};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{wait_after, worked};
use crate::readiness::{Part, Readiness};
use crate::recover::registered;
use crate::registry::Registered;

/// Something to write, and how far the journal is not needed any more when it is written.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) derived: Derived,
    pub(crate) saved: Sequence,
}

pub(crate) struct LedgerWriter {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) work: mpsc::Receiver<Work>,
    pub(crate) saved: watch::Sender<Sequence>,
    /// Tells the pipeline that the registry has changed.
    pub(crate) registered: mpsc::Sender<Vec<Registered>>,
    pub(crate) readiness: Readiness,
    pub(crate) give_up: CancellationToken,
}

impl LedgerWriter {
    /// Writes until the other side closes and all is written, or until it has to give up.
    pub(crate) async fn run(mut self) {
        let mut waiting = Vec::new();
        while self.work.recv_many(&mut waiting, 64).await > 0 {
            let mut all = Derived::default();
            let mut saved = 0;
            for work in waiting.drain(..) {
                all.absorb(work.derived);
                saved = work.saved.max(saved);
            }
            keep_newest(&mut all);
            for fact in std::mem::take(&mut all.facts) {
                if !self.add(fact).await {
                    return;
                }
            }
            if !self.put(all).await {
                return;
            }
            self.saved.send_replace(saved);
        }
    }

    /// Adds a fact that an agent told, once however often it comes. What can never be added is left out and said.
    async fn add(&self, fact: Fact) -> bool {
        let mut attempts = 0;
        loop {
            let error = match self.ledger.add_fact(fact.clone()).await {
                Ok(FactOutcome::Repeated(..)) => return true,
                Ok(FactOutcome::Added(number)) => {
                    tracing::info!(
                        author = fact.author,
                        fact = number,
                        "an agent has reported a commissioning"
                    );
                    // The pipeline is gone only if the ingest is stopping; then there is nobody to obey.
                    let _ = self.registered.send(registered(&*self.ledger)).await;
                    return true;
                }
                Err(error) => error,
            };
            if !error.kind.is_retryable() {
                tracing::error!(author = fact.author, error = %error, "what an agent reported cannot be a fact");
                return true;
            }
            if !wait_after(&error, &mut attempts, Part::Ledger, &self.readiness, &self.give_up).await {
                return false;
            }
        }
    }

    async fn put(&self, derived: Derived) -> bool {
        if derived.rows() == 0 {
            return true;
        }
        let mut attempts = 0;
        loop {
            let Err(error) = self.ledger.put(derived.clone()).await else {
                worked(Part::Ledger, &self.readiness);
                return true;
            };
            if !wait_after(&error, &mut attempts, Part::Ledger, &self.readiness, &self.give_up).await {
                return false;
            }
        }
    }
}

/// Of several versions of a checkpoint or session only the newest is written.
fn keep_newest(derived: &mut Derived) {
    let mut checkpoints: HashMap<MachineId, u64> = HashMap::new();
    for checkpoint in &derived.checkpoints {
        let newest = checkpoints.entry(checkpoint.machine.clone()).or_default();
        *newest = checkpoint.revision.max(*newest);
    }
    let is_newest = |c: &Checkpoint| checkpoints.get(&c.machine) == Some(&c.revision);
    derived.checkpoints.retain(is_newest);
    let mut incidents: HashMap<IncidentId, u64> = HashMap::new();
    for found in &derived.incidents {
        let newest = incidents.entry(found.incident.id).or_default();
        *newest = found.incident.revision.max(*newest);
    }
    derived.incidents.retain(|found| incidents.get(&found.incident.id) == Some(&found.incident.revision));
    let mut sessions: HashMap<SessionId, u64> = HashMap::new();
    for session in &derived.sessions {
        let newest = sessions.entry(session.id).or_default();
        *newest = session.revision.max(*newest);
    }
    derived.sessions.retain(|session| sessions.get(&session.id) == Some(&session.revision));
}
