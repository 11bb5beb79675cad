//! One machine of a load: the agent's own uplink over a tape in the place of a spool.

use std::collections::VecDeque;
use std::sync::Arc;

use agent::spool::{Batch, SpoolStatus};
use agent::uplink::message::{Message, Speaker};
use agent::uplink::{Effect, Input, Uplink};
use bytes::Bytes;
use domain::clock::Clock;
use domain::ids::LogId;
use domain::limits;
use domain::log::{BootStart, Lane, Position};
use domain::units::MonotonicMicros;
use wire::status::LaneStatus;

use super::tally::Tally;
use super::tape::{BOOT_COUNT, Tape};

/// The only connection of every machine.
const CONNECTION: u32 = 1;

/// What a load's machines have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    /// Readings in a full envelope.
    pub(super) readings_per_envelope: usize,
    /// Wall-clock mapping of the machines' boots.
    pub(super) clock: Clock,
}

/// One machine.
#[derive(Debug)]
pub(super) struct Machine {
    speaker: Speaker,
    uplink: Uplink,
    logs: [LogId; 2],
    tape: Arc<Tape>,
    habits: Habits,
    lanes: [Records; 2],
}

/// Numbers of one lane's records.
#[derive(Debug, Default)]
struct Records {
    /// The newest that was made; 0: none.
    newest: u64,
    /// All up to here are acknowledged.
    acked: u64,
    /// The newest that was ever sent.
    sent: u64,
    /// The last record of each envelope that was sent and is not acknowledged, and when it was first sent.
    flight: VecDeque<(u64, MonotonicMicros)>,
}

impl Machine {
    pub(super) fn new(
        speaker: Speaker,
        spool: [u8; 16],
        tape: Arc<Tape>,
        habits: Habits,
        seed: u64,
    ) -> Machine {
        let logs = Lane::ALL.map(|lane| LogId::for_lane(spool, lane));
        let uplink = Uplink::new(speaker.boot, BOOT_COUNT, logs, seed);
        Machine { speaker, uplink, logs, tape, habits, lanes: Default::default() }
    }

    /// Who speaks.
    pub(super) fn speaker(&self) -> &Speaker {
        &self.speaker
    }

    /// The broker took the connection and the subscription.
    pub(super) fn connected(&mut self, now: MonotonicMicros, tally: &mut Tally, out: &mut Vec<Message>) {
        for input in [Input::SystemClock(self.habits.clock), Input::Connected { connection: CONNECTION }] {
            let effects = self.uplink.apply(input, now);
            self.perform(effects, now, tally, out);
        }
    }

    /// Something came on the ack topic.
    ///
    /// # Errors
    /// It is no ack for this machine.
    pub(super) fn heard(
        &mut self,
        payload: Bytes,
        now: MonotonicMicros,
        tally: &mut Tally,
        out: &mut Vec<Message>,
    ) -> anyhow::Result<()> {
        let ack = self.speaker.open_ack(payload)?;
        let was_heard = self.uplink.is_heard();
        let effects = self.uplink.apply(Input::Ack(ack), now);
        tally.machines_heard += usize::from(!was_heard && self.uplink.is_heard());
        self.perform(effects, now, tally, out);
        Ok(())
    }

    /// Time has passed. `is_behind`: the machine works off a backlog.
    pub(super) fn tick(
        &mut self,
        is_behind: bool,
        now: MonotonicMicros,
        tally: &mut Tally,
        out: &mut Vec<Message>,
    ) {
        let readings_wait_us = if is_behind { u64::MAX } else { 0 };
        let effects = self.uplink.apply(Input::Tick { readings_wait_us }, now);
        self.perform(effects, now, tally, out);
    }

    /// Makes records until the window cannot be empty before the next ack, or until there are so many readings.
    pub(super) fn fill(
        &mut self,
        most: u64,
        now: MonotonicMicros,
        tally: &mut Tally,
        out: &mut Vec<Message>,
    ) {
        let records = &self.lanes[Lane::Readings.index()];
        let ahead = 2 * u64::from(limits::WINDOW_ENVELOPES) * self.habits.readings_per_envelope as u64;
        let missing = (records.acked + ahead).min(most).saturating_sub(records.newest);
        self.append(missing, now, tally, out);
    }

    /// Makes so many envelopes of readings more, which wait for no company.
    pub(super) fn make(
        &mut self,
        envelopes: u64,
        now: MonotonicMicros,
        tally: &mut Tally,
        out: &mut Vec<Message>,
    ) {
        self.append(envelopes * self.habits.readings_per_envelope as u64, now, tally, out);
        self.flush(now, tally, out);
    }

    /// Makes so many readings more, and the events that come between them.
    fn append(&mut self, readings: u64, now: MonotonicMicros, tally: &mut Tally, out: &mut Vec<Message>) {
        if readings == 0 {
            return;
        }
        let through = self.lanes[Lane::Readings.index()].newest + readings;
        let events = self.tape.other_n(Lane::Readings, through);
        for (lane, newest) in [(Lane::Events, events), (Lane::Readings, through)] {
            let records = &mut self.lanes[lane.index()];
            if newest > records.newest {
                tally.made[lane.index()] += newest - records.newest;
                records.newest = newest;
                let newest = Position::new(BOOT_COUNT, newest);
                let effects = self.uplink.apply(Input::Appended { lane, newest }, now);
                self.perform(effects, now, tally, out);
            }
        }
    }

    /// Sends what waits for company.
    pub(super) fn flush(&mut self, now: MonotonicMicros, tally: &mut Tally, out: &mut Vec<Message>) {
        let effects = self.uplink.apply(Input::Flush, now);
        self.perform(effects, now, tally, out);
    }

    fn perform(
        &mut self,
        effects: Vec<Effect>,
        now: MonotonicMicros,
        tally: &mut Tally,
        out: &mut Vec<Message>,
    ) {
        for effect in effects {
            match effect {
                Effect::SendStatus { order } => {
                    let status = self.status();
                    out.push(self.speaker.status(order, self.habits.clock, None, &status, now));
                }
                Effect::Send { lane, after } => self.send(lane, after, now, tally, out),
                Effect::Trim { lane, through } => self.acked(lane, through.n, now, tally),
                // A bench ends long before a connection is too old.
                Effect::SetClock(_) | Effect::Settings(_) | Effect::Reconnect => {}
                Effect::Refused(refusal) => tally.refused(&refusal),
                Effect::Conflict { .. } => tally.conflicts += 1,
            }
        }
    }

    /// Sends one envelope after another, as long as the uplink wants it.
    fn send(
        &mut self,
        lane: Lane,
        after: Option<Position>,
        now: MonotonicMicros,
        tally: &mut Tally,
        out: &mut Vec<Message>,
    ) {
        let mut next = Some((lane, after));
        while let Some((lane, after)) = next {
            let wanted = match self.batch(lane, after) {
                Some(batch) => self.send_batch(&batch, now, tally, out),
                None => self.uplink.nothing(lane, now),
            };
            next = match wanted {
                Some(Effect::Send { lane, after }) => Some((lane, after)),
                Some(
                    Effect::SendStatus { .. }
                    | Effect::Trim { .. }
                    | Effect::SetClock(_)
                    | Effect::Refused(_)
                    | Effect::Settings(_)
                    | Effect::Reconnect
                    | Effect::Conflict { .. },
                )
                | None => None,
            };
        }
    }

    fn send_batch(
        &mut self,
        batch: &Batch,
        now: MonotonicMicros,
        tally: &mut Tally,
        out: &mut Vec<Message>,
    ) -> Option<Effect> {
        let lane = batch.lane;
        let (first, last) = (batch.rows.first()?.position, batch.rows.last()?.position);
        let message = self.speaker.envelope(self.logs[lane.index()], BOOT_COUNT, batch, now);
        tally.sent(message.payload.len());
        out.push(message);
        let records = &mut self.lanes[lane.index()];
        if last.n > records.sent {
            records.sent = last.n;
            records.flight.push_back((last.n, now));
        } else {
            tally.resent += 1;
        }
        self.uplink.sent(lane, first, last, now)
    }

    /// The next records of a lane after a position; `None`: there are none.
    fn batch(&self, lane: Lane, after: Option<Position>) -> Option<Batch> {
        let records = &self.lanes[lane.index()];
        let first = records.acked.max(after.map_or(0, |position| position.n)) + 1;
        let last = records.newest.min(first - 1 + self.habits.readings_per_envelope as u64);
        if first > last {
            return None;
        }
        Some(Batch {
            lane,
            boot: BootStart { boot_count: BOOT_COUNT, previous: None, other_previous: None, maker: None },
            clock: self.habits.clock,
            clock_is_present: true,
            after: (first - 1 > records.acked).then(|| Position::new(BOOT_COUNT, first - 1)),
            after_maker: None,
            rows: (first..=last).map(|n| self.tape.row(lane, n)).collect(),
        })
    }

    fn acked(&mut self, lane: Lane, through: u64, now: MonotonicMicros, tally: &mut Tally) {
        let records = &mut self.lanes[lane.index()];
        tally.acked(lane, through.saturating_sub(records.acked));
        records.acked = records.acked.max(through);
        while let Some((_, sent)) = records.flight.pop_front_if(|(last, _)| *last <= through) {
            tally.delivered(lane, now.since(sent));
        }
    }

    fn status(&self) -> SpoolStatus {
        let lane = |lane: Lane| {
            let records = &self.lanes[lane.index()];
            let has_some = records.newest > records.acked;
            LaneStatus {
                lane,
                log: self.logs[lane.index()],
                first: has_some.then(|| Position::new(BOOT_COUNT, records.acked + 1)),
                next: Position::new(BOOT_COUNT, records.newest + 1),
                dropped: 0,
            }
        };
        let waiting = |records: &Records| records.newest - records.acked;
        let records = [waiting(&self.lanes[0]), waiting(&self.lanes[1])];
        SpoolStatus { lanes: Lane::ALL.map(lane), records, healthy: true, bytes: 0 }
    }
}
