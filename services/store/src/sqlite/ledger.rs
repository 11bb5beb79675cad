//! The ledger in SQLite: facts append-only, what follows from them in tables; derived values by key and revision.

mod derived;
mod entries;
mod facts;
mod incidents;
mod labels;
mod notices;
mod recordings;
mod sessions;
mod steps;
mod usage;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::ids::{IncidentId, MachineId, RecordingId, SessionId};
use domain::limits;
use domain::live::Session;
use domain::units::UnixMicros;
use domain::usage::UsageRow;
use rusqlite::Connection;
use tokio::sync::watch;

use self::derived::Changes;
use super::failure::Failure;
use super::file::{Durability, Format, StoreFile};
use super::readers::Readers;
use super::writer::Writer;
use crate::fact::{Fact, FactOutcome, Leaf, StoredFact};
use crate::ledger::{
    Checkpoint, CourseQuery, Derived, DerivedPiece, IncidentCount, IncidentFilter, IncidentQuery, Ledger,
    Loss, Notice, NoticeQuery, SessionQuery, StoredIncident, Unreadable, UsageChange, UsageQuery, UsageTotal,
};
use crate::registry::{CourseId, Registry};
use crate::{StoreError, bounds};

pub(super) const FORMAT: Format = Format {
    name: "ledger",
    application_id: 0x4257_6c64,
    version: 6,
    schema: &[
        entries::SCHEMA,
        facts::SCHEMA,
        steps::SCHEMA,
        SCHEMA,
        sessions::TABLE,
        sessions::INDICES,
        labels::SCHEMA,
        usage::SCHEMA,
        incidents::TABLE,
        incidents::INDICES,
        notices::SCHEMA,
        recordings::SCHEMA,
    ],
    durability: Durability::AtOnce,
    cache_kib: 16 * 1024,
    overwrites_erased: true,
    upgrade,
};

const SCHEMA: &str = "
CREATE TABLE checkpoint (
    machine TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    state BLOB NOT NULL
) STRICT;
CREATE TABLE loss (
    machine TEXT NOT NULL,
    log BLOB NOT NULL,
    lane INTEGER NOT NULL,
    to_boot INTEGER NOT NULL,
    to_n INTEGER NOT NULL,
    from_boot INTEGER,
    from_n INTEGER,
    records_at_least INTEGER NOT NULL,
    before_us INTEGER,
    PRIMARY KEY (machine, log, lane, to_boot, to_n)
) STRICT, WITHOUT ROWID;
CREATE TABLE unreadable (
    number INTEGER PRIMARY KEY,
    machine TEXT NOT NULL,
    log BLOB NOT NULL,
    lane INTEGER NOT NULL,
    boot_count INTEGER NOT NULL,
    n INTEGER NOT NULL,
    reason TEXT NOT NULL,
    octets BLOB NOT NULL,
    UNIQUE (machine, log, lane, boot_count, n)
) STRICT;
CREATE INDEX unreadable_order ON unreadable (machine, number);
";

/// The ledger in `ledger.db`.
#[derive(Debug)]
pub struct SqliteLedger {
    /// Closed first: only a writer that closes last can move the log into the file.
    readers: Readers,
    writer: Writer<()>,
    /// As of the last fact that is on disk.
    registry: Arc<Mutex<Arc<Registry>>>,
    /// Number of the newest change of an incident that is on disk.
    change: Arc<watch::Sender<u64>>,
    /// Number of the newest change of a usage row that is on disk.
    usage_change: Arc<watch::Sender<u64>>,
    last_fact: Arc<watch::Sender<u64>>,
    /// Counts writings of notices that are on disk.
    notice_change: Arc<watch::Sender<u64>>,
}

/// Format 1 had a table each for sites, machines and tokens; format 2 had no incidents and recordings; format 3 nothing
/// of what people do about incidents, and no leaves of facts; format 4 no usage and no courses; format 5 no numbers of
/// changes of usage.
fn upgrade(connection: &Connection) -> Result<(), Failure> {
    let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version < 2 {
        facts::upgrade(connection)?;
    }
    if version < 3 {
        connection.execute_batch(incidents::TABLE)?;
        connection.execute_batch(recordings::SCHEMA)?;
    } else if version < 4 {
        incidents::add_handling(connection)?;
    }
    if version < 4 {
        connection.execute_batch(incidents::INDICES)?;
        facts::add_leaves(connection)?;
        connection.execute_batch(steps::SCHEMA)?;
        connection.execute_batch(notices::SCHEMA)?;
    }
    if version < 5 {
        sessions::upgrade(connection)?;
        connection.execute_batch(labels::SCHEMA)?;
        connection.execute_batch(usage::SCHEMA)?;
        return Ok(());
    }
    usage::number(connection)
}

impl SqliteLedger {
    /// Opens the ledger of a folder, or makes an empty one. Blocks for as long as the disk takes.
    pub fn open(folder: &Path) -> Result<SqliteLedger, StoreError> {
        let (file, connection) = StoreFile::open(folder, &FORMAT)?;
        let doing = "reading the registry of";
        let read = facts::registry(&connection).and_then(|registry| {
            let changes = (incidents::newest_change(&connection)?, usage::newest_change(&connection)?);
            Ok((registry, changes))
        });
        let (registry, (change, usage_change)) =
            read.map_err(|failure| failure.found_when(doing, file.path()).explain(doing, file.path()))?;
        let writer = Writer::start(file.clone(), connection, &FORMAT)?;
        Ok(SqliteLedger {
            writer,
            readers: Readers::new(file),
            last_fact: Arc::new(watch::Sender::new(registry.last_fact)),
            registry: Arc::new(Mutex::new(registry)),
            change: Arc::new(watch::Sender::new(change)),
            usage_change: Arc::new(watch::Sender::new(usage_change)),
            notice_change: Arc::default(),
        })
    }

    /// Writes what may change incidents or usage, and tells the newest changes once they are on disk.
    async fn write_changes(
        &self,
        work: impl FnOnce(&Connection) -> Result<Changes, Failure> + Send + 'static,
    ) -> Result<(), StoreError> {
        let (change, usage_change) = (self.change.clone(), self.usage_change.clone());
        let committed = move |made: Changes| {
            for (change, newest) in [(change, made.incident), (usage_change, made.usage)] {
                if let Some(newest) = newest {
                    change.send_replace(newest);
                }
            }
        };
        self.writer.write_then("writing to", move |connection, ()| work(connection), committed).await
    }
}

#[async_trait]
impl Ledger for SqliteLedger {
    async fn add_fact(&self, fact: Fact) -> Result<FactOutcome, StoreError> {
        bounds::fact(&fact)?;
        let (before, after) = (self.registry.clone(), self.registry.clone());
        let work = move |connection: &Connection, (): &mut ()| {
            let known = before.lock().unwrap_or_else(PoisonError::into_inner).clone();
            facts::add(connection, &known, &fact)
        };
        // On the writer's thread, so that the next fact finds what follows from this one.
        let (change, last_fact) = (self.change.clone(), self.last_fact.clone());
        let committed = move |added: facts::Added| {
            if let FactOutcome::Added(number) = added.outcome {
                let mut registry = after.lock().unwrap_or_else(PoisonError::into_inner);
                Arc::make_mut(&mut registry).put(number, added.changes);
                drop(registry);
                last_fact.send_replace(number);
            }
            if let Some(newest) = added.incident_change {
                change.send_replace(newest);
            }
            (added.outcome, added.has_erased)
        };
        let (outcome, has_erased) = self.writer.write_then("adding a fact to", work, committed).await?;
        if has_erased {
            // The log still holds what was erased.
            self.writer.empty_log().await;
        }
        Ok(outcome)
    }

    async fn facts(&self, after: u64, max: usize) -> Result<Vec<(u64, Fact)>, StoreError> {
        bounds::page(max, bounds::PAGE_MAX)?;
        // No fact has a number greater than SQLite's greatest.
        let Ok(after) = i64::try_from(after) else {
            return Ok(Vec::new());
        };
        self.readers.read("reading facts of", move |connection| facts::list(connection, after, max)).await
    }

    async fn facts_before(&self, before: u64, max: usize) -> Result<Vec<(u64, Fact)>, StoreError> {
        bounds::page(max, bounds::PAGE_MAX)?;
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        let work = move |connection: &_| facts::list_before(connection, before, max);
        self.readers.read("reading facts of", work).await
    }

    async fn incident_facts(&self, id: &IncidentId) -> Result<Vec<StoredFact>, StoreError> {
        let id = *id;
        let work = move |connection: &_| facts::of_incident(connection, id);
        self.readers.read("reading facts about an incident of", work).await
    }

    async fn leaves(&self, after: u64, max: usize) -> Result<Vec<Leaf>, StoreError> {
        bounds::page(max, limits::LEAVES_READ_MAX)?;
        // No fact has a number greater than SQLite's greatest.
        let Ok(after) = i64::try_from(after) else {
            return Ok(Vec::new());
        };
        self.readers.read("reading leaves of", move |connection| facts::leaves(connection, after, max)).await
    }

    fn registry(&self) -> Arc<Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn put(&self, derived: Derived) -> Result<(), StoreError> {
        bounds::derived(&derived)?;
        self.write_changes(move |connection| derived::put(connection, &derived)).await
    }

    async fn checkpoint(&self, machine: &MachineId) -> Result<Option<Checkpoint>, StoreError> {
        let machine = machine.clone();
        let work = move |connection: &_| derived::checkpoint(connection, &machine);
        self.readers.read("reading a checkpoint of", work).await
    }

    async fn checkpoints(
        &self,
        after: Option<&MachineId>,
        max: usize,
    ) -> Result<Vec<Checkpoint>, StoreError> {
        bounds::page(max, bounds::PAGE_MAX)?;
        let after = after.cloned();
        let work = move |connection: &_| derived::checkpoints(connection, after.as_ref(), max);
        self.readers.read("reading checkpoints of", work).await
    }

    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<Session>, StoreError> {
        bounds::sessions(query)?;
        let query = query.clone();
        self.readers.read("reading sessions of", move |connection| sessions::list(connection, &query)).await
    }

    async fn session(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        let id = *id;
        self.readers.read("reading a session of", move |connection| sessions::get(connection, id)).await
    }

    async fn session_spans(
        &self,
        machines: &[MachineId],
        from: UnixMicros,
        until: UnixMicros,
        max: usize,
    ) -> Result<Vec<(MachineId, UnixMicros, UnixMicros)>, StoreError> {
        bounds::session_spans(machines, max)?;
        let machines = machines.to_vec();
        let work = move |connection: &_| sessions::spans(connection, &machines, (from, until), max);
        self.readers.read("reading spans of sessions of", work).await
    }

    async fn usage(&self, query: &UsageQuery) -> Result<Vec<UsageRow>, StoreError> {
        bounds::usage(query)?;
        let query = query.clone();
        self.readers.read("reading usage of", move |connection| usage::list(connection, &query)).await
    }

    async fn usage_totals(&self, query: &UsageQuery) -> Result<Vec<UsageTotal>, StoreError> {
        bounds::usage(query)?;
        let query = query.clone();
        self.readers.read("reading usage of", move |connection| usage::totals(connection, &query)).await
    }

    async fn usage_through(
        &self,
        machines: &[MachineId],
    ) -> Result<Vec<(MachineId, UnixMicros)>, StoreError> {
        bounds::machines(machines)?;
        let machines = machines.to_vec();
        self.readers.read("reading usage of", move |connection| usage::through(connection, &machines)).await
    }

    async fn usage_changes(&self, after: u64, max: usize) -> Result<Vec<UsageChange>, StoreError> {
        bounds::page(max, bounds::PAGE_MAX)?;
        // No change has a number greater than SQLite's greatest.
        let Ok(after) = i64::try_from(after) else {
            return Ok(Vec::new());
        };
        let work = move |connection: &_| usage::changed(connection, after, max);
        self.readers.read("reading changes of usage of", work).await
    }

    fn last_fact(&self) -> watch::Receiver<u64> {
        self.last_fact.subscribe()
    }

    fn usage_change(&self) -> watch::Receiver<u64> {
        self.usage_change.subscribe()
    }

    async fn session_courses(
        &self,
        sessions: &[SessionId],
    ) -> Result<Vec<(SessionId, CourseId)>, StoreError> {
        bounds::named_sessions(sessions)?;
        let sessions = sessions.to_vec();
        let work = move |connection: &_| labels::of_sessions(connection, &sessions);
        self.readers.read("reading labels of sessions of", work).await
    }

    async fn course_sessions(&self, query: &CourseQuery) -> Result<Vec<Session>, StoreError> {
        bounds::page(query.max, bounds::PAGE_MAX)?;
        let query = query.clone();
        let work = move |connection: &_| labels::of_course(connection, &query);
        self.readers.read("reading sessions of a course of", work).await
    }

    async fn losses(&self, machine: &MachineId, max: usize) -> Result<Vec<Loss>, StoreError> {
        bounds::page(max, bounds::LOSSES_MAX)?;
        let machine = machine.clone();
        let work = move |connection: &_| derived::losses(connection, &machine, max);
        self.readers.read("reading losses of", work).await
    }

    async fn unreadable(&self, machine: &MachineId, max: usize) -> Result<Vec<Unreadable>, StoreError> {
        bounds::page(max, bounds::PAGE_MAX)?;
        let machine = machine.clone();
        let work = move |connection: &_| derived::unreadable(connection, &machine, max);
        self.readers.read("reading unreadable records of", work).await
    }

    async fn incidents(&self, query: &IncidentQuery) -> Result<Vec<StoredIncident>, StoreError> {
        bounds::incidents(query)?;
        let query = query.clone();
        self.readers.read("reading incidents of", move |connection| incidents::list(connection, &query)).await
    }

    async fn incident(&self, id: &IncidentId) -> Result<Option<StoredIncident>, StoreError> {
        let id = *id;
        self.readers.read("reading an incident of", move |connection| incidents::get(connection, id)).await
    }

    async fn incident_counts(&self, filter: &IncidentFilter) -> Result<Vec<IncidentCount>, StoreError> {
        bounds::incident_filter(filter)?;
        let filter = filter.clone();
        self.readers
            .read("counting incidents of", move |connection| incidents::counts(connection, &filter))
            .await
    }

    async fn incident_changes(&self, after: u64, max: usize) -> Result<Vec<StoredIncident>, StoreError> {
        bounds::page(max, bounds::PAGE_MAX)?;
        // No change has a number greater than SQLite's greatest.
        let Ok(after) = i64::try_from(after) else {
            return Ok(Vec::new());
        };
        let work = move |connection: &_| incidents::changed(connection, after, max);
        self.readers.read("reading changes of incidents of", work).await
    }

    fn incident_change(&self) -> watch::Receiver<u64> {
        self.change.subscribe()
    }

    async fn mark_unconfirmed(&self, ids: Vec<IncidentId>, rule_version: u32) -> Result<(), StoreError> {
        bounds::marked(&ids)?;
        self.write_changes(move |connection| {
            let incident = incidents::mark_unconfirmed(connection, &ids, rule_version)?;
            Ok(Changes { incident, usage: None })
        })
        .await
    }

    async fn put_notices(&self, notices: Vec<Notice>, taken: Option<u64>) -> Result<(), StoreError> {
        bounds::notices(&notices, taken)?;
        let change = self.notice_change.clone();
        let work = move |connection: &Connection, (): &mut ()| notices::put(connection, &notices, taken);
        let committed = move |is_changed: bool| {
            if is_changed {
                change.send_modify(|count| *count += 1);
            }
        };
        self.writer.write_then("writing notices to", work, committed).await
    }

    async fn notices_taken(&self) -> Result<Option<u64>, StoreError> {
        self.readers.read("reading the cursor of notices of", notices::taken).await
    }

    async fn waiting_notices(&self, max: usize) -> Result<Vec<Notice>, StoreError> {
        bounds::page(max, limits::NOTICES_READ_MAX)?;
        self.readers.read("reading notices of", move |connection| notices::waiting(connection, max)).await
    }

    async fn notices(&self, query: &NoticeQuery) -> Result<Vec<Notice>, StoreError> {
        bounds::notice_query(query)?;
        let query = query.clone();
        self.readers.read("reading notices of", move |connection| notices::list(connection, &query)).await
    }

    fn notice_change(&self) -> watch::Receiver<u64> {
        self.notice_change.subscribe()
    }

    async fn recording(&self, id: &RecordingId) -> Result<Vec<DerivedPiece>, StoreError> {
        let id = *id;
        self.readers
            .read("reading a recording of", move |connection| recordings::pieces(connection, id))
            .await
    }
}

/// The steps of SQLite's plan.
#[cfg(test)]
fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("it is SQL");
    // Unbound parameters are null.
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().expect("it is planned") {
        steps.push(row.get(3).expect("a step has a text"));
    }
    steps
}
