//! Writes what was derived to the ledger, in the order in which it was derived.

mod reports;

use std::collections::HashMap;
use std::sync::Arc;

use domain::ids::{IncidentId, MachineId, SessionId};
use domain::limits::COMMISSIONINGS_A_DAY_MAX;
use store::StoreError;
use store::fact::{Fact, FactOutcome};
use store::journal::Sequence;
use store::ledger::{Checkpoint, Derived, Ledger};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

pub(crate) use self::reports::Reports;
use super::{wait_after, worked};
use crate::metrics;
use crate::readiness::{Part, Readiness};

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
    pub(crate) reports: Reports,
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

    /// Adds a fact that an agent told, once however often it comes. What can never be added, and what is too much of it, is
    /// left out and said.
    async fn add(&mut self, fact: Fact) -> bool {
        let mut attempts = 0;
        loop {
            let error = match self.try_to_add(&fact).await {
                Ok(()) => {
                    worked(Part::Ledger, &self.readiness);
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

    async fn try_to_add(&mut self, fact: &Fact) -> Result<(), StoreError> {
        if !self.reports.knows(fact) {
            // What an earlier process has added counts, too.
            let newest = self.ledger.facts_before(u64::MAX, reports::FACTS_READ).await?;
            self.reports.learn(fact, newest.iter().map(|(_, other)| other));
        }
        if !self.reports.has_room(fact) {
            metrics::report_set_aside();
            if self.reports.set_aside(fact) {
                tracing::error!(
                    author = fact.author,
                    allowed = COMMISSIONINGS_A_DAY_MAX,
                    "an agent has reported as many commissionings as can be facts in a day; what it reports more today is set \
                     aside: see what it does, or revoke its credential"
                );
            }
            return Ok(());
        }
        if let FactOutcome::Added(number) = self.ledger.add_fact(fact.clone()).await? {
            self.reports.added(fact);
            tracing::info!(author = fact.author, fact = number, "an agent has reported a commissioning");
        }
        Ok(())
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
