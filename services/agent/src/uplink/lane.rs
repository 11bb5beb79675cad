//! Go-back-n for one lane.

use std::collections::VecDeque;

use domain::ids::LogId;
use domain::limits;
use domain::log::{Lane, Position};
use domain::units::{MonotonicMicros, SECOND};

use super::BATCH_US;

/// What an ack said of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acked {
    /// More is committed than was known.
    Progress(Position),
    /// Nothing new.
    Same,
}

/// The longest pause before an envelope is sent again.
const REST_MAX_US: u64 = 10 * SECOND;

/// One lane's part of the uplink.
#[derive(Debug)]
pub(super) struct UplinkLane {
    pub(super) lane: Lane,
    pub(super) log: LogId,
    /// Whether the records wait for a clock.
    pub(super) held: bool,
    /// The last round trip seen.
    pub(super) round_trip_us: u64,
    rest_least_us: u64,
    /// The newest record of the spool.
    newest: Option<Position>,
    /// The greatest position that an ack showed.
    acked: Option<Position>,
    /// The last record sent in this round.
    cursor: Option<Position>,
    /// The greatest position ever sent by this process.
    sent_last: Option<Position>,
    flight: VecDeque<Flight>,
    window: u32,
    /// When the oldest unacknowledged envelope is sent again.
    resend_at: MonotonicMicros,
    /// How often it was sent again for want of any ack.
    attempts: u32,
    /// After a timeout only one envelope is risked until an ack comes.
    probing: bool,
    /// Whether an ack without progress has sent the lane back since the last progress or timeout.
    went_back: bool,
    /// When what waits is sent; `None`: nothing waits.
    ripe_at: Option<MonotonicMicros>,
    /// The way is full or the spool cannot be read: wait for a tick.
    pub(super) busy: bool,
}

/// An envelope that is not yet acknowledged.
#[derive(Debug, Clone, Copy)]
struct Flight {
    first: Position,
    last: Position,
}

impl UplinkLane {
    pub(super) fn new(lane: Lane, log: LogId) -> UplinkLane {
        // Events are acknowledged at once, readings at most once a second.
        let rest_least_us = match lane {
            Lane::Events => SECOND,
            Lane::Readings => 4 * SECOND,
        };
        UplinkLane {
            lane,
            log,
            held: false,
            round_trip_us: 0,
            rest_least_us,
            newest: None,
            acked: None,
            cursor: None,
            sent_last: None,
            flight: VecDeque::new(),
            window: limits::WINDOW_ENVELOPES,
            resend_at: MonotonicMicros(0),
            attempts: 0,
            probing: false,
            went_back: false,
            ripe_at: None,
            busy: false,
        }
    }

    pub(super) fn cursor(&self) -> Option<Position> {
        self.cursor
    }

    pub(super) fn sent_last(&self) -> Option<Position> {
        self.sent_last
    }

    /// How long to wait for an ack before sending again.
    pub(super) fn rest_us(&self) -> u64 {
        let base = self.rest_least_us + 2 * self.round_trip_us;
        base.saturating_mul(1 << self.attempts.min(16)).min(REST_MAX_US)
    }

    pub(super) fn appended(&mut self, newest: Position, now: MonotonicMicros) {
        self.newest = self.newest.max(Some(newest));
        let wait_us = match self.lane {
            Lane::Events => 0,
            Lane::Readings => BATCH_US,
        };
        self.ripe_at = self.ripe_at.or(Some(now.plus(wait_us)));
    }

    /// A new connection, or none: everything unacknowledged is sent again, from the oldest.
    pub(super) fn restart(&mut self) {
        self.back_to_oldest();
        self.attempts = 0;
        self.probing = false;
        self.went_back = false;
        self.busy = false;
        self.window = limits::WINDOW_ENVELOPES;
    }

    /// What is in the spool goes on in another log, of which nothing was sent yet.
    pub(super) fn renew(&mut self, log: LogId) {
        self.log = log;
        self.acked = None;
        self.sent_last = None;
        self.back_to_oldest();
    }

    fn back_to_oldest(&mut self) {
        self.cursor = None;
        self.flight.clear();
        self.flush();
    }

    /// What is not sent waits no longer.
    pub(super) fn flush(&mut self) {
        if self.has_unsent() {
            self.ripe_at = Some(MonotonicMicros(0));
        }
    }

    fn has_unsent(&self) -> bool {
        self.newest.is_some() && self.newest > self.cursor.max(self.acked)
    }

    pub(super) fn tick(&mut self, now: MonotonicMicros) {
        self.busy = false;
        if !self.flight.is_empty() && now >= self.resend_at {
            self.attempts += 1;
            self.probing = true;
            self.went_back = false;
            self.back_to_oldest();
        }
    }

    pub(super) fn can_send(&self, now: MonotonicMicros) -> bool {
        let window = if self.probing { self.window.min(1) } else { self.window };
        let room = self.flight.len() < usize::try_from(window).unwrap_or(usize::MAX);
        room && !self.held && !self.busy && self.has_unsent() && self.is_ripe(now)
    }

    fn is_ripe(&self, now: MonotonicMicros) -> bool {
        let full = match (self.newest, self.cursor) {
            (Some(newest), Some(cursor)) if newest.boot_count == cursor.boot_count => {
                newest.n - cursor.n >= limits::ENVELOPE_RECORDS_MAX as u64
            }
            (_, _) => false,
        };
        full || self.ripe_at.is_some_and(|ripe_at| now >= ripe_at)
    }

    /// Notes what was sent; whether its first record had been sent before.
    pub(super) fn sent(
        &mut self,
        first: Position,
        last: Position,
        now: MonotonicMicros,
        rest_us: u64,
    ) -> bool {
        if self.flight.is_empty() {
            self.resend_at = now.plus(rest_us);
        }
        self.flight.push_back(Flight { first, last });
        self.cursor = Some(last);
        let again = Some(first) <= self.sent_last;
        self.sent_last = self.sent_last.max(Some(last));
        if !self.has_unsent() {
            self.ripe_at = None;
        }
        again
    }

    /// The spool has nothing after the cursor: what there was has been dropped or acknowledged.
    pub(super) fn nothing(&mut self) {
        self.cursor = self.newest;
        self.ripe_at = None;
    }

    /// The envelope that began with `first` did not go out, nor any after it.
    pub(super) fn unsend(&mut self, first: Position) {
        while self.flight.back().is_some_and(|flight| flight.first >= first) {
            self.flight.pop_back();
        }
        self.cursor = self.flight.back().map(|flight| flight.last);
        self.ripe_at = Some(MonotonicMicros(0));
        self.busy = true;
    }

    /// Takes what an ack says of this lane.
    pub(super) fn acked(
        &mut self,
        committed: Option<Position>,
        window: u32,
        now: MonotonicMicros,
        rest_us: u64,
    ) -> Acked {
        self.window = window.min(limits::WINDOW_ENVELOPES);
        self.probing = false;
        if let Some(through) = committed.filter(|committed| Some(*committed) > self.acked) {
            self.acked = Some(through);
            while self.flight.front().is_some_and(|flight| flight.last <= through) {
                self.flight.pop_front();
            }
            self.attempts = 0;
            self.went_back = false;
            self.resend_at = now.plus(rest_us);
            return Acked::Progress(through);
        }
        // The ingest repeats a position only with a reason: something is missing before what it sees.
        if !self.flight.is_empty() && !self.went_back {
            self.back_to_oldest();
            self.went_back = true;
        }
        Acked::Same
    }
}
