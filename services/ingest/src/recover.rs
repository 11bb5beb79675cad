//! Loading what was there: the registry, the checkpoints, and the journal behind them.

use std::sync::Arc;

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
            ledger.put(std::mem::take(&mut derived)).await?;
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
    let entry = |machine: &Arc<store::registry::Machine>| Registered {
        machine: machine.id.clone(),
        key_generation: machine.key_generation,
        revoked_generation: machine.revoked_generation,
        settings: Arc::new(registry.timeline(&machine.id).unwrap_or_default()),
    };
    registry.machines().values().map(entry).collect()
}
