//! Every engine runs the contract suites.

use std::rc::Rc;

use store::contract;
use store::journal::Journal;
use store::ledger::Ledger;
use store::memory::{MemoryJournal, MemoryLedger, MemoryTelemetry};
use store::sqlite::{SqliteJournal, SqliteLedger, SqliteTelemetry};
use store::telemetry::Telemetry;
use tempfile::TempDir;

fn folder() -> Rc<TempDir> {
    Rc::new(tempfile::tempdir().expect("a folder can be made"))
}

/// Memory engines answer at once: no runtime is needed.
fn at_once(suite: impl Future<Output = ()>) {
    futures::FutureExt::now_or_never(suite).expect("the memory engines never wait");
}

#[test]
fn the_memory_journal_keeps_its_contract() {
    at_once(contract::journal(|| {
        let journal = MemoryJournal::new();
        async move || Box::new(journal.clone()) as Box<dyn Journal>
    }));
}

#[test]
fn the_memory_ledger_keeps_its_contract() {
    at_once(contract::ledger(|| {
        let ledger = MemoryLedger::new();
        async move || Box::new(ledger.clone()) as Box<dyn Ledger>
    }));
}

#[test]
fn the_memory_telemetry_keeps_its_contract() {
    at_once(contract::telemetry(|| {
        let telemetry = MemoryTelemetry::new();
        async move || Box::new(telemetry.clone()) as Box<dyn Telemetry>
    }));
}

#[tokio::test]
async fn the_sqlite_journal_keeps_its_contract() {
    contract::journal(|| {
        let folder = folder();
        async move || Box::new(SqliteJournal::open(folder.path()).unwrap()) as Box<dyn Journal>
    })
    .await;
}

#[tokio::test]
async fn the_sqlite_ledger_keeps_its_contract() {
    contract::ledger(|| {
        let folder = folder();
        async move || Box::new(SqliteLedger::open(folder.path()).unwrap()) as Box<dyn Ledger>
    })
    .await;
}

#[tokio::test]
async fn the_sqlite_telemetry_keeps_its_contract() {
    contract::telemetry(|| {
        let folder = folder();
        async move || Box::new(SqliteTelemetry::open(folder.path()).unwrap()) as Box<dyn Telemetry>
    })
    .await;
}
