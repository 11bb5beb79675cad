//! Loading what was there: the registry, the checkpoints, and the journal behind them.

use domain::live::LiveState;
use store::StoreError;
use store::journal::{Journal, JournalSpan, Sequence};
use store::ledger::{Derived, Ledger};
use store::telemetry::Telemetry;
use wire::keys::MasterKey;

use crate::ingest::{IngestMind, Input, Now, ReadAgain};
use crate::registry::Registered;
use crate::start::StartError;

/// Checkpoints read at once.
const PAGE: usize = 1_000;
/// Slices read from the journal at once.
const READ_SLICES: usize = 5_000;
/// Rows that are written to the ledger at once.
const ROWS: usize = 10_000;

/// What the ingest begins with.
#[derive(Debug)]
pub struct Recovered {
    /// The mind, as it was.
    pub mind: IngestMind,
    /// Everything up to here is folded.
    pub folded: Sequence,
    /// Everything up to here is in the telemetry.
    pub watermark: Sequence,
    /// Rows that are not in the ledger yet.
    pub derived: Derived,
    /// What has to be read from the journal again.
    pub reads: Vec<ReadAgain>,
    /// What is known of every machine that was ever heard.
    pub states: Vec<LiveState>,
}

/// Loads checkpoints and folds the journal behind them.
///
/// # Errors
/// A store cannot be read, or the stores are not of one time.
pub async fn recover(
    master: MasterKey,
    journal: &dyn Journal,
    ledger: &dyn Ledger,
    telemetry: &dyn Telemetry,
    now: Now,
) -> Result<Recovered, StartError> {
    let span = journal.span().await?;
    let watermark = telemetry.watermark().await?;
    not_ahead(span, "the telemetry", watermark)?;
    if watermark < span.trimmed {
        tracing::warn!(
            watermark,
            trimmed = span.trimmed,
            "the history lacks slices that the journal has no more: another one, or none, was in use meanwhile; what it \
             lacks stays missing here"
        );
    }
    let mut mind = IngestMind::new(master);
    mind.apply(Input::Registered(&registered(ledger)), now);
    restore(&mut mind, ledger, span, now).await?;
    let mut derived = Derived::default();
    let mut reads = Vec::new();
    let mut after = span.trimmed;
    loop {
        let read = journal.read(after, READ_SLICES).await?;
        let Some((last, _)) = read.last() else { break };
        after = *last;
        for (sequence, slice) in &read {
            let effects = mind.replay(*sequence, slice, now).map_err(|unreadable| {
                let context = format!("slice {sequence} of the journal cannot be read: {unreadable}");
                StoreError::new(store::StoreErrorKind::Corrupt, context)
            })?;
            derived.absorb(effects.derived);
            reads.extend(effects.reads);
        }
        if derived.rows() >= ROWS {
            ledger.put(rows(&mut derived)).await?;
        }
    }
    mind.replayed(span.last);
    tracing::info!(
        machines = mind.machines_registered(),
        slices_replayed = span.last - span.trimmed,
        "the ingest knows where it was"
    );
    let states = mind.states().collect();
    Ok(Recovered { mind, folded: span.last, watermark, derived, reads, states })
}

/// What can be written at once. Facts stay: they are added one by one, by who writes the rest.
fn rows(derived: &mut Derived) -> Derived {
    let facts = std::mem::take(&mut derived.facts);
    std::mem::replace(derived, Derived { facts, ..Derived::default() })
}

async fn restore(
    mind: &mut IngestMind,
    ledger: &dyn Ledger,
    span: JournalSpan,
    now: Now,
) -> Result<(), StartError> {
    let mut after = None;
    loop {
        let page = ledger.checkpoints(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.machine.clone());
        for checkpoint in &page {
            not_ahead(span, "the ledger", checkpoint.sequence)?;
            let is_known = mind.restore(checkpoint, now).map_err(|unreadable| StartError::Checkpoint {
                machine: checkpoint.machine.clone(),
                reason: unreadable.message,
            })?;
            if !is_known {
                tracing::warn!(machine.id = %checkpoint.machine, "a checkpoint of a machine that is not registered");
            }
        }
    }
}

fn not_ahead(span: JournalSpan, store: &'static str, other: Sequence) -> Result<(), StartError> {
    if other > span.last {
        return Err(StartError::Apart { journal: span.last, store, other });
    }
    Ok(())
}

/// All machines of the registry with the generations of their keys.
pub fn registered(ledger: &dyn Ledger) -> Vec<Registered> {
    let registry = ledger.registry();
    registry.machines().values().map(|machine| Registered::of(&registry, machine)).collect()
}

#[cfg(test)]
mod tests {
    use domain::ids::MachineId;
    use domain::units::UnixMicros;
    use store::fact::{Fact, FactKind, MachineName};

    use super::*;

    #[test]
    fn facts_wait_for_who_adds_them() {
        let machine = MachineId::new("tm-01").unwrap();
        let unreadable = |n| store::ledger::Unreadable {
            log: domain::ids::LogId([1; 16]),
            lane: domain::log::Lane::Events,
            position: domain::log::Position { boot_count: 1, n },
            reason: String::new(),
            octets: Default::default(),
        };
        let kind = FactKind::CredentialRenewed(MachineName { machine: machine.clone() });
        let fact = Fact { time: UnixMicros(1), author: String::new(), request_id: None, kind };
        let mut derived = Derived { facts: vec![fact], ..Derived::default() };
        for n in 1..3 {
            derived.unreadable.push((machine.clone(), unreadable(n)));
            let written = rows(&mut derived);
            assert_eq!((written.facts.len(), written.unreadable.len()), (0, 1));
            assert_eq!((derived.facts.len(), derived.unreadable.len()), (1, 0));
        }
    }
}
