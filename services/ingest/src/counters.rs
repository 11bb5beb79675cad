//! What the ingest counts. The mind keeps these as plain numbers; `metrics` shows them.

use crate::refusals::RefusalReason;

/// Counts since the process started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Messages that reached the mind.
    pub messages: u64,
    /// Envelopes of which records were taken.
    pub envelopes_taken: u64,
    /// Envelopes that held nothing new: repeated by the agent or the broker.
    pub envelopes_duplicate: u64,
    /// Envelopes dropped because something before them was missing; the agent sends them again.
    pub envelopes_missing: u64,
    /// Statuses that were newer than the one before.
    pub statuses: u64,
    /// Messages dropped unacknowledged because the queue was full; agents send them again.
    pub deferred: u64,
    /// Messages refused, by reason.
    pub refused: [u64; RefusalReason::ALL.len()],
    /// Readings in the journal.
    pub readings_committed: u64,
    /// Events in the journal.
    pub events_committed: u64,
    /// Records in envelopes that were known already and were not taken again.
    pub records_duplicate: u64,
    /// Records that were committed although their position had been committed before. Must stay 0; it is counted
    /// behind the journal, apart from the check that prevents it.
    pub duplicates_applied: u64,
    /// Records known to be lost.
    pub records_lost: u64,
    /// Authentic records that could not be read; kept as they came.
    pub records_unreadable: u64,
    /// Records folded into a machine's state.
    pub records_folded: u64,
    /// Groups written to the journal.
    pub commits: u64,
    /// Groups that the journal refused for now; each is tried again.
    pub commits_retried: u64,
    /// Times that a machine's records were set aside because the journal refuses them for good.
    pub set_aside: u64,
    /// Sum of the times from a group's first record to its commit, in microseconds.
    pub commit_wait_us: u64,
    /// Acks made.
    pub acks: u64,
    /// Acks that found no room on their way to the broker; a lost ack costs a resend.
    pub acks_dropped: u64,
    /// Times that a second living process spoke for one machine: a copied credential.
    pub clones_seen: u64,
    /// Checkpoints made.
    pub checkpoints: u64,
}

impl Counters {
    /// Messages refused for one reason.
    pub fn refused_for(&self, reason: RefusalReason) -> u64 {
        self.refused[reason.index()]
    }

    /// Messages refused for any reason.
    pub fn refused_total(&self) -> u64 {
        self.refused.iter().sum()
    }
}
