//! Whether the ingest can do its work, and if not, why.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A part of the ingest that can fail by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The connection for events and statuses.
    Events,
    /// The connection for readings.
    Readings,
    /// The journal: without it nothing is acknowledged.
    Journal,
    /// Room on the journal's disk: without it readings wait at the agents.
    Room,
    /// The ledger, which is written behind the journal.
    Ledger,
    /// The telemetry, which is written behind the journal.
    Telemetry,
}

impl Part {
    /// Its name in logs and in readiness.
    pub fn name(self) -> &'static str {
        match self {
            Part::Events => "events",
            Part::Readings => "readings",
            Part::Journal => "journal",
            Part::Room => "room",
            Part::Ledger => "ledger",
            Part::Telemetry => "telemetry",
        }
    }
}

/// What is wrong now, part by part. Nothing: ready.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    troubles: Arc<Mutex<BTreeMap<Part, String>>>,
}

impl Readiness {
    /// What is wrong now, in one sentence a part; empty: ready.
    pub fn troubles(&self) -> Vec<(Part, String)> {
        let troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        troubles.iter().map(|(part, message)| (*part, message.clone())).collect()
    }

    /// Whether everything works.
    pub fn is_ready(&self) -> bool {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// A part does not work; whether that was not said before.
    pub(crate) fn trouble(&self, part: Part, message: &str) -> bool {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        troubles.insert(part, message.to_owned()).as_deref() != Some(message)
    }

    /// A part works; whether it did not before.
    pub(crate) fn fine(&self, part: Part) -> bool {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).remove(&part).is_some()
    }
}
