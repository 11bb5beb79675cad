//! The body: follows the changes of incidents, plans notices, sends them, and writes what became of them.
//!
//! One task owns all of it. Each message goes in a task of its own, so a receiver that hangs delays nobody else. Nothing
//! waits for this task: the ingest only writes incidents.

mod changes;
mod tell;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::ids::IncidentId;
use domain::limits::{MESSAGES_UNDER_WAY_MAX, NOTICES_READ_MAX};
use domain::units::UnixMicros;
use store::StoreError;
use store::ledger::{About, Ledger, Notice, StoredIncident};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use self::tell::Ended;
use crate::carrier::Carrier;
use crate::metrics;
use crate::mind::{Known, Mind};
use crate::surroundings::{OpenPages, Proof, Settings};

#[cfg(test)]
mod tests;

/// How often it looks around although nothing has changed.
const TICK: Duration = Duration::from_secs(1);
/// How long messages under way get when the server stops.
const LAST_MOMENT: Duration = Duration::from_secs(2);

/// Follows incidents and tells people.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) settings: Settings,
    pub(crate) pages: Arc<dyn OpenPages>,
    pub(crate) proof: Arc<dyn Proof>,
    pub(crate) carrier: Arc<dyn Carrier>,
    pub(crate) mind: Mind,
    /// Up to which change incidents were planned; `None`: not known yet.
    pub(crate) taken: Option<u64>,
    /// Ends that could not be written yet.
    pub(crate) unwritten: Vec<Notice>,
    pub(crate) sending: JoinSet<Ended>,
}

impl Follower {
    pub(crate) fn new(
        ledger: Arc<dyn Ledger>,
        settings: Settings,
        pages: Arc<dyn OpenPages>,
        proof: Arc<dyn Proof>,
        carrier: Arc<dyn Carrier>,
    ) -> Follower {
        Follower {
            ledger,
            settings,
            pages,
            proof,
            carrier,
            mind: Mind::default(),
            taken: None,
            unwritten: Vec::new(),
            sending: JoinSet::new(),
        }
    }

    fn now(&self) -> UnixMicros {
        (self.settings.clock)()
    }

    /// Until it is told to stop. What is under way then gets a moment; otherwise it is sent again after the next start.
    pub(crate) async fn run(mut self, stopping: CancellationToken) {
        self.follow(&stopping).await;
        let ends = async {
            while let Some(ended) = self.sending.join_next().await {
                self.ended(ended);
            }
        };
        let _ = tokio::time::timeout(LAST_MOMENT, ends).await;
        if let Err(error) = self.write_ends().await {
            metrics::store_failed("notices", &error);
        }
    }

    async fn follow(&mut self, stopping: &CancellationToken) {
        let mut incidents = self.ledger.incident_change();
        let mut notices = self.ledger.notice_change();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                Ok(()) = incidents.changed() => {}
                Ok(()) = notices.changed() => {}
                Some(ended) = self.sending.join_next(), if !self.sending.is_empty() => self.ended(ended),
                _ = tick.tick() => {}
            }
            while let Some(ended) = self.sending.try_join_next() {
                self.ended(ended);
            }
            if let Err(error) = self.turn().await {
                metrics::store_failed("notices", &error);
                // The ledger is left alone for a moment.
                tick.reset();
                tokio::select! {
                    () = stopping.cancelled() => return,
                    _ = tick.tick() => {}
                }
            }
        }
    }

    /// One look around: what has ended is written, what has changed is planned, what is due is sent.
    pub(crate) async fn turn(&mut self) -> Result<(), StoreError> {
        self.write_ends().await?;
        self.take_changes().await?;
        self.send_due().await
    }

    async fn send_due(&mut self) -> Result<(), StoreError> {
        let waiting = self.ledger.waiting_notices(NOTICES_READ_MAX).await?;
        metrics::load(waiting.len(), self.sending.len());
        if waiting.is_empty() || self.sending.len() >= MESSAGES_UNDER_WAY_MAX {
            return Ok(());
        }
        let now = self.now();
        let registry = self.ledger.registry();
        self.mind.tidy(&registry);
        let pages = self.pages.clone();
        let candidates = self.mind.candidates(&waiting, &registry, |site| pages.count(site) > 0, now);
        let candidates: Vec<Notice> = candidates.into_iter().cloned().collect();
        let known = self.incidents_of(&candidates).await?;
        let turn = self.mind.turn(candidates, &known, &registry, now);
        for (contact, notices) in turn.sent {
            self.send(contact, notices, &known, now);
        }
        let mut written = turn.written;
        if waiting.len() >= NOTICES_READ_MAX {
            written.extend(self.mind.put_off(&waiting, now));
        }
        self.write(written, None).await
    }

    async fn incidents_of(&self, notices: &[Notice]) -> Result<Known, StoreError> {
        let mut known: BTreeMap<IncidentId, Option<StoredIncident>> = BTreeMap::new();
        for notice in notices {
            if let About::Incident { incident } = &notice.about
                && !known.contains_key(incident)
            {
                known.insert(*incident, self.ledger.incident(incident).await?);
            }
        }
        Ok(known)
    }

    async fn write(&self, notices: Vec<Notice>, taken: Option<u64>) -> Result<(), StoreError> {
        if notices.is_empty() && taken.is_none() {
            return Ok(());
        }
        self.ledger.put_notices(notices.clone(), taken).await?;
        metrics::written(&notices);
        Ok(())
    }
}
