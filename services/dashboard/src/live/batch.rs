//! Messages of a watch, gathered, and what of them a page does not know yet. Pure.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use wire::api::v1;
use wire::api::v1::watch_fleet_response::Update as Message;

use crate::tile::{self, Fixed, Tile};
use crate::words::Reader;

/// Most machines in one event; the rest follows in the next.
const MACHINES_MAX: usize = 1_000;

/// What came within a short time: of each machine the newest.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Whether the page's machines start over with this.
    begins: bool,
    /// Whether the snapshot is complete with this.
    completes: bool,
    machines: BTreeMap<String, v1::MachineState>,
    urgent: bool,
}

impl Batch {
    /// Takes the next message; `sent` is what the page knows.
    pub(super) fn take(&mut self, message: v1::WatchFleetResponse, sent: &Sent) {
        match message.update {
            Some(Message::Snapshot(snapshot)) => {
                if snapshot.part == 0 {
                    *self = Batch { begins: true, ..Batch::default() };
                }
                for state in snapshot.machines {
                    self.put(state, sent);
                }
                self.completes |= snapshot.last;
            }
            Some(Message::Changed(state)) => self.put(state, sent),
            Some(Message::Heartbeat(_)) | None => {}
        }
    }

    fn put(&mut self, state: v1::MachineState, sent: &Sent) {
        let id = state.machine.as_ref().map(|machine| machine.id.clone()).unwrap_or_default();
        self.urgent |= tile::is_stop(state.status()) && sent.stops.get(&id) != Some(&stop_of(&state));
        self.machines.insert(id, state);
    }

    /// Whether a person has to look: it must not wait for others.
    pub(super) fn is_urgent(&self) -> bool {
        self.urgent
    }

    /// Whether there is no machine in it.
    pub(super) fn is_empty(&self) -> bool {
        self.machines.is_empty() && !self.begins
    }

    /// Whether no more is taken.
    pub(super) fn is_full(&self) -> bool {
        self.machines.len() >= MACHINES_MAX
    }
}

/// One event for the page.
#[derive(Debug, Serialize)]
pub(super) struct Update {
    /// The server's time in milliseconds since 1970.
    now: i64,
    /// Pages open at the site, if it changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pages: Option<usize>,
    #[serde(skip_serializing_if = "is_false")]
    begins: bool,
    #[serde(skip_serializing_if = "is_false")]
    completes: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tiles: Vec<Live>,
}

/// A tile, and the point that a chart draws.
#[derive(Debug, Serialize)]
struct Live {
    #[serde(flatten)]
    tile: Tile,
    /// Speed in the visitor's unit for charts, without sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A stop that needs somebody: its status, its time, and whether its contact has closed again.
type Stop = (i32, Option<prost_types::Timestamp>, bool);

fn stop_of(state: &v1::MachineState) -> Stop {
    let stop = state.last_stop.as_ref();
    (state.status, stop.and_then(|stop| stop.time), stop.is_some_and(|stop| stop.release_time.is_some()))
}

/// What the page knows already.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pages: usize,
    /// What the page shows of machines that need somebody.
    stops: HashMap<String, Stop>,
    fixed: HashMap<String, Fixed>,
}

impl Sent {
    /// The event that brings the page up to the batch.
    pub(super) fn update(&mut self, batch: Batch, reader: Reader, pages: usize, now_ms: i64) -> Update {
        if batch.begins {
            self.fixed.clear();
            self.stops.clear();
        }
        let tiles = batch.machines.values().map(|state| self.live(state, reader)).collect();
        let changed = (pages != self.pages).then_some(pages);
        self.pages = pages;
        Update { now: now_ms, pages: changed, begins: batch.begins, completes: batch.completes, tiles }
    }

    fn live(&mut self, state: &v1::MachineState, reader: Reader) -> Live {
        let id = state.machine.as_ref().map(|machine| machine.id.clone()).unwrap_or_default();
        if tile::is_stop(state.status()) {
            self.stops.insert(id, stop_of(state));
        } else {
            self.stops.remove(&id);
        }
        let mut tile = Tile::new(state, reader);
        if let Some(fixed) = &tile.fixed {
            if self.fixed.get(&tile.id) == Some(fixed) {
                tile.fixed = None;
            } else {
                self.fixed.insert(tile.id.clone(), fixed.clone());
            }
        }
        let speed = state.belt.and_then(|belt| belt.speed_mps);
        let value =
            speed.map(|speed| (speed * reader.unit.per_metre_per_second() * 1_000.0).round() / 1_000.0);
        Live { tile, value }
    }
}

#[cfg(test)]
mod tests;
