//! When to send what: go-back-n for each lane, statuses, and the clock learnt from acks.
//!
//! The mind names positions only. Who holds the spool reads the records, builds and seals the messages, and tells
//! what was sent. Nothing is sent on a connection before its first ack: that ack tells what the ingest has, how
//! much it takes, and the time.

mod clock;
mod lane;
pub mod message;
pub mod mqtt;
#[cfg(test)]
mod tests;
pub mod tls;

use domain::clock::{Clock, ClockQuality};
use domain::ids::{BootId, LogId};
use domain::limits;
use domain::log::{Lane, Position};
use domain::units::{MonotonicMicros, SECOND};
use fastrand::Rng;
use wire::ack::{Ack, LaneAck, Refusal, Settings};
use wire::status::StatusOrder;

use self::clock::Estimate;
use self::lane::{Acked, UplinkLane};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The broker took the connection and the subscription to acks.
    Connected {
        /// Number of the connection in this boot, from 1, ascending.
        connection: u32,
    },
    /// The connection is gone.
    Disconnected,
    /// An authentic ack has come.
    Ack(Ack),
    /// An authentic ack has come that speaks of records which another process made: the spool knows
    /// (`Spool::is_of_another`).
    AckOfAnother {
        /// The ack.
        ack: Ack,
        /// What the ingest has.
        committed: Position,
    },
    /// The spool has a new record; this is the newest.
    Appended {
        /// Its lane.
        lane: Lane,
        /// Its position.
        newest: Position,
    },
    /// The operating system says what time it is, and is believed.
    SystemClock(Clock),
    /// The agent is about to stop: what waits for company goes now.
    Flush,
    /// Some time has passed. Expected ten times a second while connected.
    Tick {
        /// How long the oldest reading in the spool has waited, in microseconds; 0: there is none.
        readings_wait_us: u64,
    },
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send a status.
    SendStatus {
        /// Its place among the machine's statuses.
        order: StatusOrder,
    },
    /// Send an envelope of the records after this position, then say so with [`Uplink::sent`]; or say with
    /// [`Uplink::nothing`], [`Uplink::held`] or [`Uplink::unreadable`] why not.
    Send {
        /// The lane.
        lane: Lane,
        /// The position before the first record; `None`: from the oldest.
        after: Option<Position>,
    },
    /// Remove records that the ingest has.
    Trim {
        /// The lane.
        lane: Lane,
        /// The last of them.
        through: Position,
    },
    /// The clock of this boot has become better known.
    SetClock(Clock),
    /// The ingest refused a message, and says why.
    Refused(Refusal),
    /// The ingest sent settings.
    Settings(Settings),
    /// The ingest has records under this log that this spool has not made: the spool was restored or cloned.
    /// What the spool holds must go on in logs of its own, see [`Uplink::renew`]; until then nothing is sent.
    Conflict {
        /// What the ingest has.
        committed: Position,
    },
    /// Give up the connection and make a new one: on this one every ack would pass for an old one.
    Reconnect,
}

/// How long readings wait for company.
const BATCH_US: u64 = 2 * SECOND;
/// How much longer than for company and for the way readings may wait. If the oldest one waits longer, they are behind.
const BEHIND_US: u64 = SECOND;
/// Status period while readings are behind.
const BEHIND_STATUS_US: u64 = SECOND;
/// The longest pause before a status is repeated while no ack has come.
const UNHEARD_STATUS_MAX_US: u64 = 10 * SECOND;
/// How long records of this boot wait for a clock after the first ack, at most.
const CLOCK_WAIT_US: u64 = 30 * SECOND;
/// How long acks may all be too old before the connection is made anew.
const STALE_ACKS_US: u64 = 30 * SECOND;
/// How long nothing is sent after a refusal, at first and at most.
const REFUSAL_PAUSE_US: (u64, u64) = (SECOND, 30 * SECOND);

/// What was sent and acknowledged, counted since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UplinkCounts {
    /// Envelopes sent.
    pub envelopes_sent: u64,
    /// Envelopes that began with a record that had been sent before.
    pub envelopes_resent: u64,
    /// Acks that were for another boot, another connection, or older than one already seen.
    pub acks_ignored: u64,
    /// Lanes in acks that named another log.
    pub acks_foreign: u64,
}

/// One agent's uplink.
#[derive(Debug)]
pub struct Uplink {
    boot: BootId,
    boot_count: u32,
    random: Rng,
    link: Option<Link>,
    events: UplinkLane,
    readings: UplinkLane,
    clock: Estimate,
    refusal_pause_us: u64,
    paused_until: Option<MonotonicMicros>,
    /// Whether the server hears of the belt later than it should by readings alone: statuses tell it meanwhile.
    is_behind: bool,
    counts: UplinkCounts,
}

/// A connection.
#[derive(Debug)]
struct Link {
    connection: u32,
    ack_counter: u64,
    status_counter: u64,
    status_due: MonotonicMicros,
    status_sent: MonotonicMicros,
    /// Pause before the status is repeated while no ack has come.
    status_pause_us: u64,
    /// When the first ack came.
    heard: Option<MonotonicMicros>,
    /// When the newest ack came that counted; until then, when the connection was made.
    counted: MonotonicMicros,
}

impl Uplink {
    /// An uplink that is not connected. `logs` in the order of [`Lane::ALL`]; `seed` for the jitter.
    pub fn new(boot: BootId, boot_count: u32, logs: [LogId; 2], seed: u64) -> Uplink {
        Uplink {
            boot,
            boot_count,
            random: Rng::with_seed(seed),
            link: None,
            events: UplinkLane::new(Lane::Events, logs[0]),
            readings: UplinkLane::new(Lane::Readings, logs[1]),
            clock: Estimate::default(),
            refusal_pause_us: REFUSAL_PAUSE_US.0,
            paused_until: None,
            is_behind: false,
            counts: UplinkCounts::default(),
        }
    }

    /// What was sent so far.
    pub fn counts(&self) -> UplinkCounts {
        self.counts
    }

    /// Whether an ack has come on the present connection.
    pub fn is_heard(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.heard.is_some())
    }

    /// What is known of this boot's clock.
    pub fn clock(&self) -> Clock {
        self.clock.clock()
    }

    /// Whether records of this boot may be sent without a date: their clock did not become known in time.
    pub fn sends_undated(&self, now: MonotonicMicros) -> bool {
        let heard = self.link.as_ref().and_then(|link| link.heard);
        heard.is_some_and(|heard| now.since(heard) >= CLOCK_WAIT_US)
    }

    /// Takes one input and says what to do.
    pub fn apply(&mut self, input: Input, now: MonotonicMicros) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Connected { connection } => self.connect(connection, now, &mut effects),
            Input::Disconnected => self.disconnect(),
            Input::Ack(ack) => self.take_ack(&ack, None, now, &mut effects),
            Input::AckOfAnother { ack, committed } => {
                self.take_ack(&ack, Some(committed), now, &mut effects);
            }
            Input::Appended { lane, newest } => self.append(lane, newest, now),
            Input::SystemClock(clock) => self.set_clock(clock, now, &mut effects),
            Input::Flush => Lane::ALL.into_iter().for_each(|lane| self.lane_mut(lane).flush()),
            Input::Tick { readings_wait_us } => self.tick(readings_wait_us, now, &mut effects),
        }
        effects.extend(self.next_send(now));
        effects
    }

    /// An event goes at once, and with it the readings from before it: the ingest folds both lanes in the order of
    /// writing, so a stop is shown only when they are there.
    fn append(&mut self, lane: Lane, newest: Position, now: MonotonicMicros) {
        self.lane_mut(lane).appended(newest, now);
        match lane {
            Lane::Events => self.lane_mut(Lane::Readings).flush(),
            Lane::Readings => {}
        }
    }

    /// An envelope was sent; says what to send next.
    pub fn sent(
        &mut self,
        lane: Lane,
        first: Position,
        last: Position,
        now: MonotonicMicros,
    ) -> Option<Effect> {
        let rest = self.jitter(self.lane(lane).rest_us());
        let again = self.lane_mut(lane).sent(first, last, now, rest);
        self.counts.envelopes_sent += 1;
        self.counts.envelopes_resent += u64::from(again);
        self.next_send(now)
    }

    /// There was nothing to send after all; says what to send next.
    pub fn nothing(&mut self, lane: Lane, now: MonotonicMicros) -> Option<Effect> {
        self.lane_mut(lane).nothing();
        self.next_send(now)
    }

    /// The spool could not be read: the lane waits for the next tick. Says what to send next.
    pub fn unreadable(&mut self, lane: Lane, now: MonotonicMicros) -> Option<Effect> {
        self.lane_mut(lane).busy = true;
        self.next_send(now)
    }

    /// The records wait for a clock; says what to send next.
    pub fn held(&mut self, lane: Lane, now: MonotonicMicros) -> Option<Effect> {
        self.lane_mut(lane).held = true;
        self.next_send(now)
    }

    /// The way to the broker is full: the envelope that began with `first` was not sent, and none after it.
    /// The lane goes back to there and waits for the next tick.
    pub fn busy(&mut self, lane: Lane, first: Position) {
        self.lane_mut(lane).unsend(first);
    }

    /// What the spool holds goes on in other logs, in the order of [`Lane::ALL`]; the connection must be made anew.
    pub fn renew(&mut self, logs: [LogId; 2]) {
        self.disconnect();
        for (lane, log) in Lane::ALL.into_iter().zip(logs) {
            self.lane_mut(lane).renew(log);
        }
    }

    fn connect(&mut self, connection: u32, now: MonotonicMicros, effects: &mut Vec<Effect>) {
        self.disconnect();
        self.link = Some(Link {
            connection,
            ack_counter: 0,
            status_counter: 0,
            status_due: now,
            status_sent: now,
            status_pause_us: SECOND,
            heard: None,
            counted: now,
        });
        self.paused_until = None;
        self.send_status(now, effects);
    }

    fn disconnect(&mut self) {
        self.link = None;
        self.events.restart();
        self.readings.restart();
    }

    fn tick(&mut self, readings_wait_us: u64, now: MonotonicMicros, effects: &mut Vec<Effect>) {
        if self.sends_undated(now) {
            Lane::ALL.into_iter().for_each(|lane| self.lane_mut(lane).held = false);
        }
        for lane in Lane::ALL {
            self.lane_mut(lane).tick(now);
        }
        // A backlog that shrinks counts to its end: in between, too, the newest reading comes late.
        let usual_us = BATCH_US + self.clock.round_trip_us();
        self.is_behind = readings_wait_us > if self.is_behind { usual_us } else { usual_us + BEHIND_US };
        let Some(link) = &mut self.link else { return };
        if link.heard.is_some() && (self.is_behind || self.clock.is_undated()) {
            link.status_due = link.status_due.min(link.status_sent.plus(BEHIND_STATUS_US));
        }
        if now >= link.status_due {
            self.send_status(now, effects);
        }
    }

    fn send_status(&mut self, now: MonotonicMicros, effects: &mut Vec<Effect>) {
        let Some(link) = &mut self.link else { return };
        link.status_counter += 1;
        link.status_sent = now;
        if link.heard.is_some() {
            link.status_due = now.plus(limits::STATUS_PERIOD_US);
        } else {
            link.status_due = now.plus(link.status_pause_us);
            link.status_pause_us = (link.status_pause_us * 2).min(UNHEARD_STATUS_MAX_US);
        }
        let (connection, counter) = (link.connection, link.status_counter);
        let order = StatusOrder { boot_count: self.boot_count, connection, counter };
        effects.push(Effect::SendStatus { order });
    }

    fn take_ack(
        &mut self,
        ack: &Ack,
        of_another: Option<Position>,
        now: MonotonicMicros,
        effects: &mut Vec<Effect>,
    ) {
        let own =
            self.link.as_mut().filter(|link| ack.boot == self.boot && ack.connection == link.connection);
        let Some(link) = own else {
            self.counts.acks_ignored += 1;
            return;
        };
        if ack.counter <= link.ack_counter {
            self.counts.acks_ignored += 1;
            // A server counts by its wall clock. If that was put back over a restart, only a new connection counts anew.
            if now.since(link.counted) >= STALE_ACKS_US {
                link.counted = now;
                effects.push(Effect::Reconnect);
            }
            return;
        }
        link.ack_counter = ack.counter;
        link.counted = now;
        if link.heard.is_none() {
            link.heard = Some(now);
            link.status_due = link.status_sent.plus(limits::STATUS_PERIOD_US);
        }
        if let Some((sent, held_us)) = ack.echo {
            if let Some(clock) = self.clock.learn(sent, held_us, ack.server_time, now) {
                self.clock_changed(clock, effects);
            }
        }
        if let Some(committed) = of_another.or_else(|| ack.lanes.iter().find_map(|lane| self.conflict(lane)))
        {
            self.disconnect();
            effects.push(Effect::Conflict { committed });
            return;
        }
        for lane in &ack.lanes {
            self.take_lane_ack(lane, now, effects);
        }
        match &ack.refusal {
            Some(refusal) => {
                self.paused_until = Some(now.plus(self.jitter(self.refusal_pause_us)));
                self.refusal_pause_us = (self.refusal_pause_us * 2).min(REFUSAL_PAUSE_US.1);
                effects.push(Effect::Refused(refusal.clone()));
            }
            None => self.refusal_pause_us = REFUSAL_PAUSE_US.0,
        }
        effects.extend(ack.settings.map(Effect::Settings));
    }

    /// A position of this boot that was never sent, or of a later boot, was made by another spool's life.
    fn conflict(&self, ack: &LaneAck) -> Option<Position> {
        let lane = self.lane(ack.lane);
        let committed = ack.committed.filter(|_| ack.log == lane.log)?;
        let own = committed.boot_count < self.boot_count || Some(committed) <= lane.sent_last();
        (!own).then_some(committed)
    }

    fn take_lane_ack(&mut self, ack: &LaneAck, now: MonotonicMicros, effects: &mut Vec<Effect>) {
        let rest = self.jitter(self.lane(ack.lane).rest_us());
        let lane = self.lane_mut(ack.lane);
        if ack.log != lane.log {
            self.counts.acks_foreign += 1;
            return;
        }
        match lane.acked(ack.committed, ack.window, now, rest) {
            Acked::Progress(through) => effects.push(Effect::Trim { lane: ack.lane, through }),
            Acked::Same => {}
        }
    }

    fn set_clock(&mut self, clock: Clock, now: MonotonicMicros, effects: &mut Vec<Effect>) {
        if let Some(clock) = self.clock.set(clock, now) {
            self.clock_changed(clock, effects);
        }
    }

    fn clock_changed(&mut self, clock: Clock, effects: &mut Vec<Effect>) {
        let trip_us = self.clock.round_trip_us();
        for lane in Lane::ALL {
            let lane = self.lane_mut(lane);
            lane.held = lane.held && clock.quality == ClockQuality::Undated;
            lane.round_trip_us = trip_us;
        }
        effects.push(Effect::SetClock(clock));
    }

    /// Events before readings; one envelope at a time.
    fn next_send(&self, now: MonotonicMicros) -> Option<Effect> {
        let paused = self.paused_until.is_some_and(|until| now < until);
        if !self.is_heard() || paused {
            return None;
        }
        let ready = Lane::ALL.into_iter().find(|lane| self.lane(*lane).can_send(now))?;
        Some(Effect::Send { lane: ready, after: self.lane(ready).cursor() })
    }

    /// Up to a quarter more, so that agents do not come all at once.
    fn jitter(&mut self, micros: u64) -> u64 {
        micros + self.random.u64(0..=micros / 4)
    }

    fn lane(&self, lane: Lane) -> &UplinkLane {
        match lane {
            Lane::Events => &self.events,
            Lane::Readings => &self.readings,
        }
    }

    fn lane_mut(&mut self, lane: Lane) -> &mut UplinkLane {
        match lane {
            Lane::Events => &mut self.events,
            Lane::Readings => &mut self.readings,
        }
    }
}
