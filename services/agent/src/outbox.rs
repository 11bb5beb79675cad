//! Spool and uplink as one mind: records and acks in, sealed messages out.
//!
//! The agent's body and the simulation run exactly this. [`Outbox::apply`] works in memory, so that what it gives
//! can be published at the same moment as [`Outbox::write`] brings it to the disk.

#[cfg(test)]
mod tests;

use bytes::Bytes;
use domain::belt::Belt;
use domain::clock::{Clock, ClockQuality};
use domain::ids::LogId;
use domain::limits;
use domain::log::{Lane, Position};
use domain::proven::configuration_detail;
use domain::record::{Event, EventKind, Payload};
use domain::units::MonotonicMicros;
use wire::ack::{Ack, Refusal, Settings};
use wire::seal::SealError;

use crate::spool::{Disk, DiskError, Row, Spool, SpoolStatus};
use crate::uplink::message::{Message, Picture, RECORDS_BYTES_MAX, Speaker};
use crate::uplink::{self, Uplink, UplinkCounts};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Something was observed: a record to keep and to send.
    Record {
        /// When.
        at: MonotonicMicros,
        /// What.
        payload: Payload,
    },
    /// The belt as it is now, for the next status.
    Picture(Picture),
    /// Broker and subscription are there.
    Connected {
        /// Number of the connection in this boot, from 1, ascending.
        connection: u32,
    },
    /// The connection is gone.
    Disconnected,
    /// Something came on the ack topic.
    Ack(Bytes),
    /// The way to the broker is full: this message was not sent, nor those after it in the same effects.
    Busy(Message),
    /// The operating system says what time it is, and is believed.
    SystemClock(Clock),
    /// The agent is about to stop: what waits for company goes now.
    Flush,
    /// Time has passed. Expected ten times a second.
    Tick,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Publish a message.
    Publish(Message),
    /// Give up the connection and make a new one: what is in the spool goes on in other logs, or its acks pass for old
    /// ones.
    Reconnect,
    /// The server wants these settings.
    Settings(Settings),
    /// Something that belongs into the log.
    Notice(Notice),
}

/// Something that belongs into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The ingest refused a message.
    Refused(Refusal),
    /// Something came on the ack topic that is not an ack for this machine.
    NoAck(SealError),
    /// The disk fails; records stay in memory.
    DiskFailing(DiskError),
    /// The first piece of a recording since the start was left out: there is no room for recordings any more.
    RecordingLeftOut,
    /// The disk works again.
    DiskRecovered,
    /// Another spool with this identity exists; what is in this one goes on in logs of its own.
    Renewed {
        /// What the ingest has under the old log.
        committed: Position,
        /// The new log of events.
        log: LogId,
    },
}

/// What an outbox did since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxCounts {
    /// Records taken, in the order of [`Lane::ALL`]. Counted events are not among them until they are told.
    pub appended: [u64; 2],
    /// Pieces of recordings among the records of the events lane.
    pub pieces: u64,
    /// Pieces of recordings left out for want of room.
    pub pieces_left_out: u64,
    /// Envelopes and acks.
    pub uplink: UplinkCounts,
}

/// One agent's spool and uplink.
#[derive(Debug)]
pub struct Outbox<D> {
    spool: Spool<D>,
    uplink: Uplink,
    speaker: Speaker,
    picture: Option<Picture>,
    appended: [u64; 2],
    pieces: u64,
    /// Whether the last read from the disk failed; it is told once.
    unreadable: bool,
}

impl<D: Disk> Outbox<D> {
    /// An outbox that begins its boot: the first record says so. `seed` is for the jitter of resends.
    pub fn new(spool: Spool<D>, speaker: Speaker, seed: u64, now: MonotonicMicros) -> Outbox<D> {
        let logs = Lane::ALL.map(|lane| spool.log(lane));
        let mut uplink = Uplink::new(speaker.boot, spool.boot().boot_count, logs, seed);
        for lane in Lane::ALL {
            if let Some(newest) = spool.newest(lane) {
                uplink.apply(uplink::Input::Appended { lane, newest }, now);
            }
        }
        let mut outbox =
            Outbox { spool, uplink, speaker, picture: None, appended: [0; 2], pieces: 0, unreadable: false };
        let version = outbox.speaker.version.clone();
        let configuration = outbox.speaker.configuration.map(configuration_detail);
        let started = Event {
            detail: [Some(version), configuration].into_iter().flatten().collect::<Vec<_>>().join(", "),
            capabilities: Some(outbox.speaker.capabilities),
            ..Event::new(EventKind::AgentStarted, now, Belt::default(), Belt::default())
        };
        outbox.append(now, Payload::Event(started), now);
        outbox
    }

    /// The spool.
    pub fn spool(&mut self) -> &mut Spool<D> {
        &mut self.spool
    }

    /// Ends the outbox and gives the spool back, without writing anything.
    pub fn into_spool(self) -> Spool<D> {
        self.spool
    }

    /// What was done so far.
    pub fn counts(&self) -> OutboxCounts {
        OutboxCounts {
            appended: self.appended,
            pieces: self.pieces,
            pieces_left_out: self.spool.pieces_left_out(),
            uplink: self.uplink.counts(),
        }
    }

    /// What the spool holds.
    pub fn status(&self) -> SpoolStatus {
        self.spool.status()
    }

    /// The will for a connection.
    pub fn will(&self, connection: u32) -> Message {
        self.speaker.will(self.spool.boot().boot_count, connection)
    }

    /// Events that are counted because there is no room for them.
    pub fn counted(&self) -> u64 {
        self.spool.counted()
    }

    /// Whether everything that was taken has been acknowledged.
    pub fn is_empty(&self) -> bool {
        self.spool.status().records == [0; 2] && self.spool.counted() == 0
    }

    /// Whether [`Outbox::apply`] may have to read from the disk.
    pub fn reads_disk(&self) -> bool {
        self.spool.is_cold()
    }

    /// Whether [`Outbox::write`] has something to do.
    pub fn has_to_write(&self, now: MonotonicMicros) -> bool {
        self.spool.has_to_write(now)
    }

    /// Takes one input and says what to do. Reads from the disk only what is no longer in memory.
    pub fn apply(&mut self, input: Input, now: MonotonicMicros) -> Vec<Effect> {
        let mut effects = Vec::new();
        let steps = match input {
            Input::Record { at, payload } => {
                let left_out = self.spool.pieces_left_out();
                let steps = self.append(at, payload, now);
                if left_out == 0 && self.spool.pieces_left_out() > 0 {
                    effects.push(Effect::Notice(Notice::RecordingLeftOut));
                }
                steps
            }
            Input::Picture(picture) => {
                self.picture = Some(picture);
                Vec::new()
            }
            Input::Connected { connection } => {
                self.uplink.apply(uplink::Input::Connected { connection }, now)
            }
            Input::Disconnected => self.uplink.apply(uplink::Input::Disconnected, now),
            Input::Ack(payload) => match self.speaker.open_ack(payload) {
                Ok(ack) => {
                    let input = match self.of_another(&ack) {
                        Some(committed) => uplink::Input::AckOfAnother { ack, committed },
                        None => uplink::Input::Ack(ack),
                    };
                    self.uplink.apply(input, now)
                }
                Err(error) => {
                    effects.push(Effect::Notice(Notice::NoAck(error)));
                    Vec::new()
                }
            },
            Input::Busy(message) => {
                if let Some((lane, first)) = message.envelope {
                    self.uplink.busy(lane, first);
                }
                Vec::new()
            }
            Input::SystemClock(clock) => self.uplink.apply(uplink::Input::SystemClock(clock), now),
            Input::Flush => self.uplink.apply(uplink::Input::Flush, now),
            Input::Tick => {
                let readings_wait_us = self.spool.readings_wait_us(now);
                self.uplink.apply(uplink::Input::Tick { readings_wait_us }, now)
            }
        };
        self.perform(steps, now, &mut effects);
        effects
    }

    /// Brings to the disk what is not there yet: call it after publishing, and at least once a second.
    /// Gives the records that are on the disk now, and what else follows.
    pub fn write(&mut self, now: MonotonicMicros) -> (Vec<(Lane, Row)>, Vec<Effect>) {
        let written = self.spool.write(now);
        let mut effects = Vec::new();
        let turned = match (written.failed, written.recovered) {
            (Some(error), _) => Some((EventKind::SpoolFailing, Notice::DiskFailing(error))),
            (None, true) => Some((EventKind::SpoolRecovered, Notice::DiskRecovered)),
            (None, false) => None,
        };
        if let Some((kind, notice)) = turned {
            effects.push(Effect::Notice(notice));
            let belt = self.picture.map_or(Belt::default(), |picture| picture.belt);
            let steps = self.append(now, Payload::Event(Event::new(kind, now, belt, belt)), now);
            self.perform(steps, now, &mut effects);
        }
        // What was counted may have become records by this.
        if let Some(newest) = self.spool.newest(Lane::Events) {
            let appended = uplink::Input::Appended { lane: Lane::Events, newest };
            if written.rows.iter().any(|(lane, _)| *lane == Lane::Events) {
                let steps = self.uplink.apply(appended, now);
                self.perform(steps, now, &mut effects);
            }
        }
        (written.rows, effects)
    }

    fn append(&mut self, at: MonotonicMicros, payload: Payload, now: MonotonicMicros) -> Vec<uplink::Effect> {
        let lane = payload.lane();
        let is_piece = matches!(payload, Payload::Recording(_));
        if self.spool.append(at, payload).is_none() {
            return Vec::new();
        }
        let Some(newest) = self.spool.newest(lane) else { return Vec::new() };
        self.pieces += u64::from(is_piece);
        match lane {
            Lane::Events => self.appended[0] += 1,
            Lane::Readings => self.appended[1] += 1,
        }
        self.uplink.apply(uplink::Input::Appended { lane, newest }, now)
    }

    fn perform(&mut self, steps: Vec<uplink::Effect>, now: MonotonicMicros, out: &mut Vec<Effect>) {
        for step in steps {
            let mut next = self.perform_one(step, now, out);
            while let Some(step) = next {
                next = self.perform_one(step, now, out);
            }
        }
    }

    fn perform_one(
        &mut self,
        step: uplink::Effect,
        now: MonotonicMicros,
        out: &mut Vec<Effect>,
    ) -> Option<uplink::Effect> {
        match step {
            uplink::Effect::SendStatus { order } => {
                let (clock, spool) = (self.uplink.clock(), self.spool.status());
                let message = self.speaker.status(order, clock, self.picture, &spool, now);
                out.push(Effect::Publish(message));
                None
            }
            uplink::Effect::Send { lane, after } => self.send(lane, after, now, out),
            uplink::Effect::Trim { lane, through } => {
                self.spool.trim(lane, through);
                None
            }
            uplink::Effect::SetClock(clock) => {
                self.spool.set_clock(clock);
                None
            }
            uplink::Effect::Refused(refusal) => {
                out.push(Effect::Notice(Notice::Refused(refusal)));
                None
            }
            uplink::Effect::Settings(settings) => {
                out.push(Effect::Settings(settings));
                None
            }
            uplink::Effect::Conflict { committed } => {
                self.renew(committed, out);
                None
            }
            uplink::Effect::Reconnect => {
                out.push(Effect::Reconnect);
                None
            }
        }
    }

    fn send(
        &mut self,
        lane: Lane,
        after: Option<Position>,
        now: MonotonicMicros,
        out: &mut Vec<Effect>,
    ) -> Option<uplink::Effect> {
        let batch = match self.spool.read(lane, after, limits::ENVELOPE_RECORDS_MAX, RECORDS_BYTES_MAX) {
            Ok(Some(batch)) => batch,
            Ok(None) => return self.uplink.nothing(lane, now),
            Err(error) => {
                if !self.unreadable {
                    out.push(Effect::Notice(Notice::DiskFailing(error)));
                }
                self.unreadable = true;
                return self.uplink.unreadable(lane, now);
            }
        };
        self.unreadable = false;
        let undated = batch.clock.quality == ClockQuality::Undated;
        if batch.clock_is_present && undated && !self.uplink.sends_undated(now) {
            return self.uplink.held(lane, now);
        }
        let boot_count = self.spool.boot().boot_count;
        let message = self.speaker.envelope(self.spool.log(lane), boot_count, &batch, now);
        out.push(Effect::Publish(message));
        let place = |row: Option<&Row>| row.map(|row| row.position);
        let (first, last) = place(batch.rows.first()).zip(place(batch.rows.last()))?;
        self.uplink.sent(lane, first, last, now)
    }

    /// What an ack says of records that were not made here. While it is not known under which identity the disk has the
    /// spool, each does.
    fn of_another(&self, ack: &Ack) -> Option<Position> {
        if self.spool.is_renewing() {
            return Some(ack.lanes.iter().find_map(|lane| lane.committed).unwrap_or_default());
        }
        ack.lanes.iter().find(|lane| self.spool.is_of_another(lane)).and_then(|lane| lane.committed)
    }

    fn renew(&mut self, committed: Position, out: &mut Vec<Effect>) {
        match self.spool.renew() {
            Ok(()) => {
                self.uplink.renew(Lane::ALL.map(|lane| self.spool.log(lane)));
                let log = self.spool.log(Lane::Events);
                out.push(Effect::Notice(Notice::Renewed { committed, log }));
            }
            // The first ack of the next connection shows the same and it is tried again; before that nothing is sent.
            Err(error) => out.push(Effect::Notice(Notice::DiskFailing(error))),
        }
        out.push(Effect::Reconnect);
    }
}
