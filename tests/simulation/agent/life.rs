//! One life of an agent's process, with its own account of the events that it saw.

use std::collections::BTreeMap;

use agent::outbox::{Effect, Input, Notice, Outbox};
use agent::recorder::Recorder;
use agent::spool::Row;
use agent::uplink::message::Picture;
use bytes::Bytes;
use domain::log::{Lane, Position};
use domain::record::Payload;
use domain::signal::Signal;
use domain::units::MonotonicMicros;

use crate::simulation::disk::SimulatedDisk;
use crate::simulation::tally::{Met, Tally};

pub(super) struct Life {
    pub(super) outbox: Outbox<SimulatedDisk>,
    pub(super) is_connected: bool,
    pub(super) retry_at: u64,
    /// What came on the ack topic and was no ack for this machine.
    pub(super) acks_refused: u64,
    pub(super) newest_notice: Option<String>,
    recorder: Recorder,
    connection: u32,
    /// Events that were seen, by what they stand for, with those that were counted in the boot before.
    offered: u64,
    /// Events of this boot that are on the disk or were sent, by position, with what they stand for.
    told: BTreeMap<Position, u64>,
    coalesced_max: u64,
}

impl Life {
    /// `counted` events are on the disk as counters. The outbox has begun with an event that says so.
    pub(super) fn new(recorder: Recorder, outbox: Outbox<SimulatedDisk>, counted: u64, now: u64) -> Life {
        Life {
            outbox,
            is_connected: false,
            retry_at: now,
            acks_refused: 0,
            newest_notice: None,
            recorder,
            connection: 0,
            offered: counted + 1,
            told: BTreeMap::new(),
            coalesced_max: 0,
        }
    }

    /// Gives the number of the new connection.
    pub(super) fn connect(&mut self) -> u32 {
        self.is_connected = true;
        self.connection += 1;
        self.connection
    }

    pub(super) fn observe(&mut self, signals: &[Signal], now: MonotonicMicros, inputs: &mut Vec<Input>) {
        let mut observed = Vec::new();
        self.recorder.observe(signals, now, &mut observed);
        inputs.extend(observed.into_iter().map(|seen| Input::Record { at: seen.at, payload: seen.payload }));
        let (belt, at, holds_for_ms) = self.recorder.belt(now);
        inputs.push(Input::Picture(Picture { belt, at, holds_for_ms }));
    }

    pub(super) fn note_offered(&mut self, input: &Input) {
        if let Input::Record { payload: Payload::Event(event), .. } = input {
            self.offered += u64::from(event.count);
        }
    }

    /// Holds what was written against what was seen: every event is a record on the disk, or counted there. Gives what is
    /// wrong.
    pub(super) fn note_written(&mut self, rows: &[(Lane, Row)], effects: &[Effect]) -> Option<String> {
        for (lane, row) in rows {
            self.note_told(*lane, row.position, &row.octets);
        }
        let is_turned =
            matches!(effects.first(), Some(Effect::Notice(Notice::DiskFailing(_) | Notice::DiskRecovered)));
        self.offered += u64::from(is_turned);
        self.coalesced_max = self.coalesced_max.max(self.outbox.counted());
        // While the disk fails, what it lacks is in memory, and so is the event that tells it works again.
        if is_turned || !self.outbox.status().healthy {
            return None;
        }
        let (offered, counted) = (self.offered, self.outbox.counted());
        let told = self.told.values().sum::<u64>();
        (offered != told + counted)
            .then(|| format!("{offered} events were seen; {told} are records and {counted} are counted"))
    }

    /// A record is on the disk or was sent. One that was acknowledged before it was written never comes to the disk.
    pub(super) fn note_told(&mut self, lane: Lane, position: Position, octets: &Bytes) {
        let is_of_boot = position.boot_count == self.outbox.spool().boot().boot_count;
        if lane == Lane::Events && is_of_boot {
            self.told.insert(position, stands_for(lane, octets));
        }
    }

    pub(super) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        tally.note(Met::Coalesced, self.coalesced_max);
        tally.note(Met::PiecesLeftOut, self.outbox.counts().pieces_left_out);
        tally
    }
}

/// How many events a record stands for.
fn stands_for(lane: Lane, octets: &Bytes) -> u64 {
    match wire::record::decode(lane, octets).map(|record| record.payload) {
        Ok(Payload::Event(event)) => u64::from(event.count),
        Ok(Payload::Reading(_) | Payload::Recording(_) | Payload::Commissioning(_)) | Err(_) => 0,
    }
}
