//! The body that keeps proofs: notes the evidence of incidents once it is complete, and sends the daily head of all facts.
//!
//! It runs beside the follower, so that making evidence never delays a message.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::handling::Step;
use domain::ids::{IncidentId, NoticeId};
use domain::incident::Severity;
use domain::limits::{INCIDENT_CHANGES_READ, INCIDENTS_COMPARED_MAX, LEAVES_READ_MAX, SEALS_WAITING_MAX};
use domain::units::UnixMicros;
use dossier::Peaks;
use store::StoreError;
use store::ledger::{
    About, IncidentFilter, IncidentOrder, IncidentPlace, IncidentQuery, Ledger, Notice, NoticeQuery,
    NoticeState, StoredIncident,
};
use store::registry::ContactName;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::seal::{self, Readiness};
use crate::surroundings::{Evidence, Proof, Settings};
use crate::{facts, metrics, text};

#[cfg(test)]
pub(crate) mod tests;

/// How often it looks around although nothing has changed.
const TICK: Duration = Duration::from_secs(1);
/// Seals made before it looks around again.
const SEALS_A_TURN: usize = 20;
/// How often it looks for what was missed, and how far back, in microseconds.
const SWEEP_EVERY_US: i64 = 3_600 * 1_000_000;
const SWEPT_US: i64 = 24 * 3_600 * 1_000_000;
/// What was sealed is sealed in a newer version when it has not changed for so long, in microseconds: an incident that stands
/// for something that happens every second must not add a fact every second.
const CALM_US: i64 = 60 * 1_000_000;
/// When evidence that could not be told is asked for again, in microseconds.
const AGAIN_US: i64 = 30 * 1_000_000;

/// Keeps proofs.
#[derive(Debug)]
pub(crate) struct Keeper {
    ledger: Arc<dyn Ledger>,
    settings: Settings,
    proof: Arc<dyn Proof>,
    /// Up to which change of an incident it has looked.
    taken: u64,
    /// Incidents to be sealed, and from when on it is tried.
    waiting: BTreeMap<IncidentId, UnixMicros>,
    /// When it looked for what was missed.
    swept: Option<UnixMicros>,
    /// The day whose head a contact was given last.
    heads: BTreeMap<ContactName, String>,
}

impl Keeper {
    pub(crate) fn new(ledger: Arc<dyn Ledger>, settings: Settings, proof: Arc<dyn Proof>) -> Keeper {
        let taken = *ledger.incident_change().borrow();
        Keeper {
            ledger,
            settings,
            proof,
            taken,
            waiting: BTreeMap::new(),
            swept: None,
            heads: BTreeMap::new(),
        }
    }

    fn now(&self) -> UnixMicros {
        (self.settings.clock)()
    }

    /// Until it is told to stop.
    pub(crate) async fn run(mut self, stopping: CancellationToken) {
        let mut incidents = self.ledger.incident_change();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                Ok(()) = incidents.changed() => {}
                _ = tick.tick() => {}
            }
            if let Err(error) = self.turn().await {
                metrics::store_failed("proofs", &error);
                tick.reset();
                tokio::select! {
                    () = stopping.cancelled() => return,
                    _ = tick.tick() => {}
                }
            }
        }
    }

    /// One look around.
    pub(crate) async fn turn(&mut self) -> Result<(), StoreError> {
        let now = self.now();
        if self.swept.is_none_or(|swept| now.since(swept) >= SWEEP_EVERY_US) {
            self.sweep().await?;
            self.swept = Some(now);
        }
        self.take_changes().await?;
        self.seal_ready().await?;
        self.send_heads().await
    }

    async fn take_changes(&mut self) -> Result<(), StoreError> {
        loop {
            let changes = self.ledger.incident_changes(self.taken, INCIDENT_CHANGES_READ).await?;
            let Some(last) = changes.last() else { return Ok(()) };
            self.taken = last.change;
            let calm = self.now().plus(CALM_US);
            let from = |stored: &StoredIncident| match stored.handling.sealed {
                Some(_) => calm,
                None => UnixMicros(i64::MIN),
            };
            let unsealed = changes.iter().filter(|stored| seal::is_wanted(stored));
            let unsealed: Vec<(IncidentId, UnixMicros)> =
                unsealed.map(|stored| (stored.incident.id, from(stored))).collect();
            self.want(unsealed);
        }
    }

    /// Finds what a restart or too many at once has left unsealed.
    async fn sweep(&mut self) -> Result<(), StoreError> {
        let mut after: Option<IncidentPlace> = None;
        let from = self.now().plus(-SWEPT_US);
        while self.waiting.len() < SEALS_WAITING_MAX {
            let filter = IncidentFilter { from, ..IncidentFilter::default() };
            let order = IncidentOrder::NewestFirst;
            let query = IncidentQuery { filter, order, after, max: INCIDENTS_COMPARED_MAX };
            let found = self.ledger.incidents(&query).await?;
            let Some(last) = found.last() else { return Ok(()) };
            after = Some(IncidentPlace::of(&last.incident));
            // Of those with a recording more may have come since they were sealed; only a start has forgotten which.
            let is_first = self.swept.is_none();
            let may_grow = |stored: &StoredIncident| is_first && stored.incident.recording.is_some();
            let wanted = found.iter().filter(|stored| seal::is_wanted(stored) || may_grow(stored));
            self.want(wanted.map(|stored| (stored.incident.id, UnixMicros(i64::MIN))));
        }
        Ok(())
    }

    fn want(&mut self, wanted: impl IntoIterator<Item = (IncidentId, UnixMicros)>) {
        for (id, from) in wanted {
            if self.waiting.len() < SEALS_WAITING_MAX || self.waiting.contains_key(&id) {
                self.waiting.insert(id, from);
            }
        }
    }

    async fn seal_ready(&mut self) -> Result<(), StoreError> {
        let now = self.now();
        let ready = self.waiting.iter().filter(|(_, from)| **from <= now).map(|(id, from)| (*from, *id));
        // What was tried lately comes last, so that a recording that is long in coming holds nothing up.
        let ready: BTreeSet<(UnixMicros, IncidentId)> = ready.collect();
        for (_, id) in ready.into_iter().take(SEALS_A_TURN) {
            match self.seal(id, now).await? {
                Some(later) => self.waiting.insert(id, later),
                None => self.waiting.remove(&id),
            };
        }
        Ok(())
    }

    /// Seals an incident if it is ready; gives when to try again.
    async fn seal(&self, id: IncidentId, now: UnixMicros) -> Result<Option<UnixMicros>, StoreError> {
        let Some(stored) = self.ledger.incident(&id).await? else { return Ok(None) };
        if !stored.incident.trace_complete {
            return Ok(None);
        }
        let Some(evidence) = self.proof.evidence(&id).await else { return Ok(Some(now.plus(AGAIN_US))) };
        match seal::readiness(&stored, &evidence, now) {
            Readiness::NotWanted => return Ok(None),
            Readiness::From(later) => return Ok(Some(later)),
            Readiness::Ready => {}
        }
        let Evidence { revision, hash, .. } = evidence;
        // The same evidence is sealed once, whoever finds that it has to be.
        let request = format!("seal:{id}:{}", hash.get(..16).unwrap_or(&hash));
        let step = (id, Step::Seal { revision, evidence: hash });
        facts::step(&*self.ledger, "seal", request, step, now).await?;
        // What comes of its recording later is looked for, too.
        Ok((!evidence.is_complete).then(|| now.plus(AGAIN_US)))
    }

    /// Gives the head of the day to each anchor that has not got it.
    async fn send_heads(&mut self) -> Result<(), StoreError> {
        let now = self.now();
        let day = text::day(now);
        let registry = self.ledger.registry();
        self.heads.retain(|name, _| registry.contact(name).is_some_and(|contact| contact.is_anchor));
        let anchors = registry.contacts().filter(|contact| contact.is_anchor).map(|contact| &contact.name);
        let wanting: Vec<&ContactName> = anchors.filter(|name| self.heads.get(*name) != Some(&day)).collect();
        if wanting.is_empty() {
            return Ok(());
        }
        let about = format!("head:{day}");
        let mut missing = Vec::new();
        for name in &wanting {
            let query = NoticeQuery { contact: Some((*name).clone()), max: 100, ..NoticeQuery::default() };
            let id = NoticeId::of(&about, name, 0);
            if !self.ledger.notices(&query).await?.iter().any(|notice| notice.id == id) {
                missing.push((*name).clone());
            }
        }
        plan_head(&*self.ledger, &about, &missing, now).await?;
        self.heads.extend(wanting.into_iter().map(|name| (name.clone(), day.clone())));
        Ok(())
    }
}

/// Sends the head of all facts to all contacts that are anchors, now. Gives how many facts it covers and its root in 64
/// hexadecimal digits; `None`: there is no anchor, or no fact.
///
/// # Errors
/// The ledger fails.
pub async fn send_head(ledger: &dyn Ledger, now: UnixMicros) -> Result<Option<(u64, String)>, StoreError> {
    let registry = ledger.registry();
    let anchors = registry.contacts().filter(|contact| contact.is_anchor).map(|contact| contact.name.clone());
    let anchors: Vec<ContactName> = anchors.collect();
    plan_head(ledger, &format!("head at {}", now.0), &anchors, now).await
}

async fn plan_head(
    ledger: &dyn Ledger,
    about: &str,
    contacts: &[ContactName],
    now: UnixMicros,
) -> Result<Option<(u64, String)>, StoreError> {
    if contacts.is_empty() {
        return Ok(None);
    }
    let Some((facts, root)) = head(ledger).await? else { return Ok(None) };
    let notice = |contact: &ContactName| Notice {
        id: NoticeId::of(about, contact, 0),
        about: About::Head { facts, root: root.clone() },
        contact: contact.clone(),
        site: None,
        severity: Severity::Info,
        step: 0,
        planned: now,
        due: now,
        state: NoticeState::Waiting,
        attempts: 0,
        last_attempt: None,
        reason: String::new(),
        together: 0,
        revision: 1,
    };
    ledger.put_notices(contacts.iter().map(notice).collect(), None).await?;
    Ok(Some((facts, root)))
}

/// The head of all facts as they are now: how many, and its root in 64 hexadecimal digits. `None`: there is no fact.
pub(crate) async fn head(ledger: &dyn Ledger) -> Result<Option<(u64, String)>, StoreError> {
    let mut peaks = Peaks::default();
    loop {
        let leaves = ledger.leaves(peaks.facts(), LEAVES_READ_MAX).await?;
        let is_last = leaves.len() < LEAVES_READ_MAX;
        peaks.extend(leaves);
        if is_last {
            break;
        }
    }
    let head = peaks.head();
    Ok((head.facts > 0).then(|| (head.facts, hex::encode(head.root))))
}
