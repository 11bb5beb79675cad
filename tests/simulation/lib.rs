//! The fleet from a seed: agents, a lying broker, ingest and stores in one process on a virtual clock.

mod agent;
mod clocks;
mod day;
mod disk;
mod forger;
mod incidents;
mod made;
mod network;
mod reference;
mod registered;
mod seeds;
mod server;
mod tally;
mod weather;
mod world;
mod writers;

use std::fmt;

pub use day::{DayReport, OfflineDay, offline_day};
pub use seeds::{Seeds, run_all};
pub use tally::Met;

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
            met,
        } = self.0;
        write!(
            f,
            "{events_stored} events ({pieces_stored} of them pieces of recordings) and {readings_stored} readings \
             stored once, {excused} cut off or wiped, \
             {forgotten} forgotten by a backup and recorded, {sessions} sessions, {incidents} incidents{met}"
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

    /// How often a fault was met.
    pub fn met(&self, what: Met) -> u64 {
        self.0.met.get(what)
    }
}

/// Runs the world of a seed. The same seed gives the same outcome.
///
/// # Errors
/// A promise was broken, or the world did not come to rest.
pub fn run(seed: u64) -> anyhow::Result<Outcome> {
    world::run(seed).map(Outcome)
}

/// Runs a long world whose only fault is a copied card.
///
/// # Errors
/// A promise was broken, or the world did not come to rest.
pub fn run_copied(seed: u64) -> anyhow::Result<Outcome> {
    world::run_copied(seed).map(Outcome)
}
