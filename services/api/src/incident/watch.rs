//! Watchers of incidents: every change from a cursor on, with a sign of life.

use std::collections::VecDeque;
use std::time::Duration;

use domain::limits::INCIDENT_CHANGES_READ;
use futures::{FutureExt, Stream};
use store::ledger::StoredIncident;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Interval, MissedTickBehavior};
use tonic::Status;
use wire::api::v1;

use super::show;
use super::wanted::Wanted;
use crate::access::Scope;
use crate::access::rights::Permission;
use crate::convert::timestamp;
use crate::handling::show::View;
use crate::metrics::Present;
use crate::paging::{AfterNumber, Asked, Pages};
use crate::status::{ApiError, Violation};
use crate::watch::{Ground, Viewer};

/// How often a watch asks what its client may still see.
const TICK: Duration = Duration::from_secs(1);
/// Ticks between signs of life: 5 s.
const HEARTBEAT_TICKS: u32 = 5;

/// Makes and reads the cursors of watches. One of any filter goes on with any other.
#[derive(Debug, Clone)]
pub(super) struct Cursors {
    pages: Pages,
    asked: Asked,
}

impl Cursors {
    pub(super) fn new(pages: Pages) -> Cursors {
        Cursors { pages, asked: Asked::new("WatchIncidents", &()) }
    }

    fn show(&self, change: u64) -> String {
        self.pages.token(&self.asked, &AfterNumber(change))
    }

    /// The change that a cursor stands behind; `newest` for an empty one.
    fn read(&self, cursor: &str, newest: u64) -> Result<u64, ApiError> {
        let wrong = |description: &str| {
            ApiError::from(Violation { field: "cursor", description: description.to_owned() })
        };
        let read = self.pages.cursor::<AfterNumber>(&self.asked, cursor);
        match read.map_err(|_| wrong("is not one that this server gave; begin anew without one"))? {
            None => Ok(newest),
            Some(AfterNumber(change)) if change <= newest => Ok(change),
            Some(_) => Err(wrong(
                "is ahead of this server, whose stores were brought back from a copy; begin anew without one",
            )),
        }
    }
}

/// The body of one watch. It works only when its client takes messages, and holds at most one batch of incidents.
#[derive(Debug)]
struct Watch {
    ground: Ground,
    viewer: Viewer,
    /// Where whether somebody was hurt may be shown.
    evidence: Scope,
    wanted: Wanted,
    cursors: Cursors,
    changes: watch::Receiver<u64>,
    /// Everything up to this change was sent or passed over.
    change: u64,
    /// Changed incidents by number, not looked at yet.
    ready: VecDeque<StoredIncident>,
    /// When all of `ready` was looked at, everything up to this change was.
    ready_through: u64,
    /// Whether a sign of life is due.
    sign: bool,
    tick: Interval,
    ticks: u32,
    ended: bool,
    _slot: OwnedSemaphorePermit,
    _present: Present,
}

/// The stream of one watch.
///
/// # Errors
/// The cursor is none, or of a server that had got further.
pub(super) fn watch(
    ground: Ground,
    viewer: Viewer,
    wanted: Wanted,
    cursors: Cursors,
    cursor: &str,
    slot: OwnedSemaphorePermit,
) -> Result<impl Stream<Item = Result<v1::WatchIncidentsResponse, Status>> + Send + use<>, ApiError> {
    let changes = ground.ledger.incident_change();
    let newest = *changes.borrow();
    let change = cursors.read(cursor, newest)?;
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + TICK, TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let evidence = viewer.gate.reach(&viewer.caller, Permission::Evidence);
    let watch = Watch {
        ground,
        viewer,
        evidence,
        wanted,
        cursors,
        changes,
        change,
        ready: VecDeque::new(),
        ready_through: change,
        // The first response tells the client where it stands.
        sign: true,
        tick,
        ticks: 0,
        ended: false,
        _slot: slot,
        _present: Present::watcher(),
    };
    Ok(futures::stream::unfold(
        watch,
        |mut watch| async move { watch.next().await.map(|next| (next, watch)) },
    ))
}

impl Watch {
    async fn next(&mut self) -> Option<Result<v1::WatchIncidentsResponse, Status>> {
        if self.ended {
            return None;
        }
        Some(self.response().await.map_err(|error| {
            self.ended = true;
            if error.is_ours() {
                tracing::error!(error = %error, "watch of incidents ended");
            }
            error.to_status()
        }))
    }

    async fn response(&mut self) -> Result<v1::WatchIncidentsResponse, ApiError> {
        loop {
            // A client that takes a long batch slowly is asked for, too.
            if self.tick.tick().now_or_never().is_some() {
                self.ticked()?;
            }
            if self.sign {
                self.sign = false;
                return Ok(self.respond(None));
            }
            if let Some(incident) = self.next_ready() {
                return Ok(self.respond(Some(incident)));
            }
            self.learn().await?;
        }
    }

    fn respond(&self, incident: Option<v1::Incident>) -> v1::WatchIncidentsResponse {
        v1::WatchIncidentsResponse {
            incident,
            cursor: self.cursors.show(self.change),
            server_time: Some(timestamp(self.ground.surroundings.now())),
        }
    }

    /// The next incident of those read that the client asked for and may see now.
    fn next_ready(&mut self) -> Option<v1::Incident> {
        let visible = self.ground.visible(self.viewer.scope.clone());
        let now = self.ground.surroundings.now();
        let view = View { registry: visible.registry(), evidence: &self.evidence, now };
        while let Some(stored) = self.ready.pop_front() {
            self.change = stored.change;
            if let Some(machine) = self.wanted.machine_of(&stored, &visible)
                && self.wanted.has(&stored, &machine, now)
            {
                return Some(show::incident(&stored, &machine, &view));
            }
        }
        self.change = self.ready_through;
        None
    }

    /// Reads what has changed, or waits for it.
    async fn learn(&mut self) -> Result<(), ApiError> {
        let newest = *self.changes.borrow_and_update();
        if newest > self.change {
            return self.read(newest).await;
        }
        tokio::select! {
            () = self.ground.stopping.cancelled() => Err(ApiError::Stopping),
            changed = self.changes.changed() => changed.map_err(|_| ApiError::Stopping),
            _ = self.tick.tick() => self.ticked(),
        }
    }

    /// Reads the next changes, up to the newest that a restart cannot take back.
    async fn read(&mut self, newest: u64) -> Result<(), ApiError> {
        let rows = self.ground.ledger.incident_changes(self.change, INCIDENT_CHANGES_READ).await?;
        let is_last = rows.len() < INCIDENT_CHANGES_READ;
        self.ready = rows.into_iter().take_while(|row| row.change <= newest).collect();
        // What is not among them has changed again since, and comes with a greater number.
        let last = self.ready.back().map_or(self.change, |last| last.change);
        let beyond = is_last || last == self.change;
        self.ready_through = if beyond { newest } else { last };
        Ok(())
    }

    /// Once a second: may they still see it.
    fn ticked(&mut self) -> Result<(), ApiError> {
        let Viewer { caller, gate, .. } = &self.viewer;
        let scope = gate.scope(caller, "IncidentService/WatchIncidents")?;
        self.evidence = gate.reach(caller, Permission::Evidence);
        self.viewer.scope = scope;
        self.ticks = (self.ticks + 1) % HEARTBEAT_TICKS;
        self.sign |= self.ticks == 0;
        Ok(())
    }
}
