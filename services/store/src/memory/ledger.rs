//! The ledger in memory.

mod facts;
mod incidents;
mod notices;
mod sessions;
mod usage;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::ids::{IncidentId, LogId, MachineId, RecordingId, SessionId};
use domain::live::Session;
use domain::log::{Lane, Position};
use domain::units::UnixMicros;
use domain::usage::{Usage, UsageRow};
use tokio::sync::watch;

use self::facts::Facts;
use self::incidents::Incidents;
use self::notices::Notices;
use self::sessions::Sessions;
use self::usage::UsageRows;
use crate::fact::{Fact, FactOutcome, Leaf, StoredFact};
use crate::ledger::usage::total;
use crate::ledger::{
    Checkpoint, CourseQuery, Derived, DerivedPiece, IncidentCount, IncidentFilter, IncidentQuery, Ledger,
    Loss, Notice, NoticeQuery, SessionQuery, StoredIncident, Unreadable, UsageChange, UsageQuery, UsageTotal,
};
use crate::registry::{CourseId, Registry};
use crate::{StoreError, bounds};
use domain::limits;

/// A ledger that lives as long as its last handle.
#[derive(Debug, Clone, Default)]
pub struct MemoryLedger {
    state: Arc<Mutex<State>>,
    /// Number of the newest change of an incident.
    change: watch::Sender<u64>,
    /// Number of the newest change of a usage row.
    usage_change: watch::Sender<u64>,
    /// Counts writings of notices.
    notice_change: watch::Sender<u64>,
    /// Number of the last fact.
    last_fact: watch::Sender<u64>,
}

/// What was in a ledger at one moment.
#[derive(Debug, Clone, Default)]
pub struct LedgerSnapshot(State);

#[derive(Debug, Clone, Default)]
struct State {
    facts: Facts,
    registry: Arc<Registry>,
    checkpoints: BTreeMap<MachineId, Checkpoint>,
    sessions: Sessions,
    usage: UsageRows,
    losses: BTreeMap<(MachineId, LogId, Lane, Position), Loss>,
    /// With the order in which they came first.
    unreadable: BTreeMap<(MachineId, LogId, Lane, Position), (usize, Unreadable)>,
    incidents: Incidents,
    notices: Notices,
}

impl MemoryLedger {
    /// An empty ledger.
    pub fn new() -> MemoryLedger {
        MemoryLedger::default()
    }

    /// A copy of what is in it.
    pub fn snapshot(&self) -> LedgerSnapshot {
        LedgerSnapshot(self.state().clone())
    }

    /// Puts back what was in it then, for all handles.
    pub fn restore(&self, snapshot: &LedgerSnapshot) {
        let mut state = self.state();
        *state = snapshot.0.clone();
        self.tell(&state);
        self.notice_change.send_modify(|count| *count += 1);
    }

    /// Tells the numbers of the newest changes while nobody else can change anything.
    fn tell(&self, state: &State) {
        let newest = [
            (&self.change, state.incidents.newest_change()),
            (&self.usage_change, state.usage.newest_change()),
            (&self.last_fact, state.registry.last_fact),
        ];
        for (change, newest) in newest {
            change.send_if_modified(|told| std::mem::replace(told, newest) != newest);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn after<T>(after: Option<&T>) -> (Bound<&T>, Bound<&T>) {
    (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}

impl State {
    /// The registry, to be changed; who holds it keeps what it was.
    fn registry_mut(&mut self) -> &mut Registry {
        Arc::make_mut(&mut self.registry)
    }

    fn put(&mut self, derived: Derived, totals: Vec<Usage>) {
        for checkpoint in derived.checkpoints {
            let old = self.checkpoints.get(&checkpoint.machine);
            if old.is_none_or(|old| old.revision <= checkpoint.revision) {
                self.checkpoints.insert(checkpoint.machine.clone(), checkpoint);
            }
        }
        derived.sessions.into_iter().for_each(|session| self.sessions.put(session));
        derived.usage.into_iter().zip(totals).for_each(|(row, total)| self.usage.put(row, total));
        for (machine, loss) in derived.losses {
            self.losses.insert((machine, loss.log, loss.lane, loss.hole.to), loss);
        }
        for (machine, unreadable) in derived.unreadable {
            let key = (machine, unreadable.log, unreadable.lane, unreadable.position);
            let next = self.unreadable.len();
            let order = self.unreadable.get(&key).map_or(next, |(order, _)| *order);
            self.unreadable.insert(key, (order, unreadable));
        }
        derived.incidents.into_iter().for_each(|incident| self.incidents.put(incident));
        derived.recordings.into_iter().for_each(|piece| self.incidents.put_piece(piece));
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn add_fact(&self, fact: Fact) -> Result<FactOutcome, StoreError> {
        bounds::fact(&fact)?;
        let mut state = self.state();
        let outcome = state.add_fact(fact)?;
        self.tell(&state);
        Ok(outcome)
    }

    async fn facts(&self, after: u64, max: usize) -> Result<Vec<(u64, Fact)>, StoreError> {
        bounds::page(max, bounds::PAGE_MAX)?;
        let skipped = usize::try_from(after).unwrap_or(usize::MAX);
        let state = self.state();
        let facts = state.facts.iter().skip(skipped).take(max);
        Ok(facts.map(|(number, fact)| (number, fact.clone())).collect())
    }

    async fn facts_before(&self, before: u64, max: usize) -> Result<Vec<(u64, Fact)>, StoreError> {
        bounds::page(max, bounds::PAGE_MAX)?;
        let state = self.state();
        let facts = state.facts.iter().take_while(|(number, _)| *number < before);
        let mut facts: Vec<(u64, Fact)> = facts.map(|(number, fact)| (number, fact.clone())).collect();
        facts.reverse();
        facts.truncate(max);
        Ok(facts)
    }

    async fn incident_facts(&self, id: &IncidentId) -> Result<Vec<StoredFact>, StoreError> {
        Ok(self.state().facts.of_incident(id))
    }

    async fn leaves(&self, after: u64, max: usize) -> Result<Vec<Leaf>, StoreError> {
        bounds::page(max, limits::LEAVES_READ_MAX)?;
        Ok(self.state().facts.leaves(after, max))
    }

    fn registry(&self) -> Arc<Registry> {
        self.state().registry.clone()
    }

    async fn put(&self, derived: Derived) -> Result<(), StoreError> {
        bounds::derived(&derived)?;
        let totals = derived.usage.iter().map(total).collect::<Result<_, _>>()?;
        let mut state = self.state();
        state.put(derived, totals);
        self.tell(&state);
        Ok(())
    }

    async fn checkpoint(&self, machine: &MachineId) -> Result<Option<Checkpoint>, StoreError> {
        Ok(self.state().checkpoints.get(machine).cloned())
    }

    async fn checkpoints(
        &self,
        after_machine: Option<&MachineId>,
        max: usize,
    ) -> Result<Vec<Checkpoint>, StoreError> {
        bounds::page(max, bounds::PAGE_MAX)?;
        let state = self.state();
        let checkpoints = state.checkpoints.range(after(after_machine));
        Ok(checkpoints.map(|(_, checkpoint)| checkpoint.clone()).take(max).collect())
    }

    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<Session>, StoreError> {
        bounds::sessions(query)?;
        Ok(self.state().sessions.list(query))
    }

    async fn session(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.state().sessions.get(id))
    }

    async fn session_spans(
        &self,
        machines: &[MachineId],
        from: UnixMicros,
        until: UnixMicros,
        max: usize,
    ) -> Result<Vec<(MachineId, UnixMicros, UnixMicros)>, StoreError> {
        bounds::session_spans(machines, max)?;
        Ok(self.state().sessions.spans(machines, (from, until), max))
    }

    async fn usage(&self, query: &UsageQuery) -> Result<Vec<UsageRow>, StoreError> {
        bounds::usage(query)?;
        Ok(self.state().usage.list(query))
    }

    async fn usage_totals(&self, query: &UsageQuery) -> Result<Vec<UsageTotal>, StoreError> {
        bounds::usage(query)?;
        Ok(self.state().usage.totals(query))
    }

    async fn usage_through(
        &self,
        machines: &[MachineId],
    ) -> Result<Vec<(MachineId, UnixMicros)>, StoreError> {
        bounds::machines(machines)?;
        Ok(self.state().usage.through(machines))
    }

    async fn usage_changes(&self, after: u64, max: usize) -> Result<Vec<UsageChange>, StoreError> {
        bounds::page(max, bounds::PAGE_MAX)?;
        Ok(self.state().usage.changed(after, max))
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
        Ok(self.state().sessions.courses(sessions))
    }

    async fn course_sessions(&self, query: &CourseQuery) -> Result<Vec<Session>, StoreError> {
        bounds::page(query.max, bounds::PAGE_MAX)?;
        Ok(self.state().sessions.of_course(query))
    }

    async fn losses(&self, machine: &MachineId, max: usize) -> Result<Vec<Loss>, StoreError> {
        bounds::page(max, bounds::LOSSES_MAX)?;
        let state = self.state();
        let of_machine = state.losses.iter().filter(|((owner, ..), _)| owner == machine);
        Ok(of_machine.map(|(_, loss)| *loss).take(max).collect())
    }

    async fn unreadable(&self, machine: &MachineId, max: usize) -> Result<Vec<Unreadable>, StoreError> {
        bounds::page(max, bounds::PAGE_MAX)?;
        let state = self.state();
        let of_machine = state.unreadable.iter().filter(|((owner, ..), _)| owner == machine);
        let mut unreadable: Vec<&(usize, Unreadable)> =
            of_machine.map(|(_, unreadable)| unreadable).collect();
        unreadable.sort_by_key(|(order, _)| Reverse(*order));
        Ok(unreadable.into_iter().take(max).map(|(_, unreadable)| unreadable.clone()).collect())
    }

    async fn incidents(&self, query: &IncidentQuery) -> Result<Vec<StoredIncident>, StoreError> {
        bounds::incidents(query)?;
        Ok(self.state().incidents.list(query))
    }

    async fn incident(&self, id: &IncidentId) -> Result<Option<StoredIncident>, StoreError> {
        Ok(self.state().incidents.get(id))
    }

    async fn incident_counts(&self, filter: &IncidentFilter) -> Result<Vec<IncidentCount>, StoreError> {
        bounds::incident_filter(filter)?;
        Ok(self.state().incidents.counts(filter))
    }

    async fn incident_changes(&self, after: u64, max: usize) -> Result<Vec<StoredIncident>, StoreError> {
        bounds::page(max, bounds::PAGE_MAX)?;
        Ok(self.state().incidents.changed(after, max))
    }

    fn incident_change(&self) -> watch::Receiver<u64> {
        self.change.subscribe()
    }

    async fn mark_unconfirmed(&self, ids: Vec<IncidentId>, rule_version: u32) -> Result<(), StoreError> {
        bounds::marked(&ids)?;
        let mut state = self.state();
        state.incidents.mark_unconfirmed(&ids, rule_version);
        self.tell(&state);
        Ok(())
    }

    async fn put_notices(&self, notices: Vec<Notice>, taken: Option<u64>) -> Result<(), StoreError> {
        bounds::notices(&notices, taken)?;
        let mut state = self.state();
        if state.notices.put(notices, taken) {
            self.notice_change.send_modify(|count| *count += 1);
        }
        Ok(())
    }

    async fn notices_taken(&self) -> Result<Option<u64>, StoreError> {
        Ok(self.state().notices.taken())
    }

    async fn waiting_notices(&self, max: usize) -> Result<Vec<Notice>, StoreError> {
        bounds::page(max, limits::NOTICES_READ_MAX)?;
        Ok(self.state().notices.waiting(max))
    }

    async fn notices(&self, query: &NoticeQuery) -> Result<Vec<Notice>, StoreError> {
        bounds::notice_query(query)?;
        Ok(self.state().notices.list(query))
    }

    fn notice_change(&self) -> watch::Receiver<u64> {
        self.notice_change.subscribe()
    }

    async fn recording(&self, id: &RecordingId) -> Result<Vec<DerivedPiece>, StoreError> {
        Ok(self.state().incidents.pieces(*id))
    }
}
