//! The fleet from a seed: agents, a lying broker, ingest and stores in one process on a virtual clock.

mod agent;
mod disk;
mod incidents;
mod network;
mod reference;
mod server;
mod world;

use std::fmt;

/// What a world came to, in one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome(reference::Verdict);

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reference::Verdict {
            events_stored,
            readings_stored,
            pieces_stored,
            excused,
            forgotten,
            sessions,
            incidents,
            revoked_refused,
        } = self.0;
        write!(
            f,
            "{events_stored} events ({pieces_stored} of them pieces of recordings) and {readings_stored} readings \
             stored once, {excused} cut off or wiped, \
             {forgotten} forgotten by a backup and recorded, {sessions} sessions, {incidents} incidents, {revoked_refused} messages refused \
             for a revoked credential"
        )
    }
}

impl Outcome {
    /// Pieces of recordings that were stored.
    pub fn pieces_stored(&self) -> u64 {
        self.0.pieces_stored
    }

    /// Incidents in the ledger.
    pub fn incidents(&self) -> u64 {
        self.0.incidents
    }

    /// Messages that were refused because their credential was revoked.
    pub fn revoked_refused(&self) -> u64 {
        self.0.revoked_refused
    }
}

/// Runs the world of a seed. The same seed gives the same outcome.
///
/// # Errors
/// A promise was broken, or the world did not come to rest.
pub fn run(seed: u64) -> anyhow::Result<Outcome> {
    world::run(seed).map(Outcome)
}
