//! When one machine is told what is in the journal, and of which lane.
//!
//! Events are acked at once, readings at most once a second unless a good part of the window was used. An agent takes
//! an ack that repeats a position as a sign that something is missing, so a lane is told again only with a reason.

use domain::ids::LogId;
use domain::limits;
use domain::log::{Lane, Position};
use domain::units::{MILLI, MonotonicMicros, SECOND, UnixMicros};
use wire::ack::{LaneAck, Refusal};
use wire::status::LaneStatus;

#[cfg(test)]
mod tests;

/// Readings are acked at most so often, unless many envelopes wait for it.
const READINGS_PERIOD_US: u64 = SECOND;
/// So many envelopes of readings since the last ack are worth one at once: a quarter of the window.
const ENVELOPES_WORTH_AN_ACK: u32 = 16;
/// That something is missing is told at most so often; every envelope after the missing one would tell it.
const MISSING_PERIOD_US: u64 = 100 * MILLI;
/// A repeated envelope asks for the ack again, unless that was told so short a while ago that the broker repeated it.
const DUPLICATE_PERIOD_US: u64 = 500 * MILLI;
/// An ack that a status does not know after so long is lost. Until then it may have passed the status on its way: under
/// load each takes seconds.
const LOST_AFTER_US: u64 = 2 * SECOND;
/// A lane of which something waits is told how it stands when it was told nothing for so long. Whatever was thought to
/// have been heard may be lost, and who believes that nothing may be sent says nothing by himself.
const SILENT_US: u64 = 30 * SECOND;
/// Far longer than a checkpoint is old when the next one is made.
const AFTER_CHECKPOINT_US: u64 = 3_600 * SECOND;
/// Refusals are told at most so often.
const REFUSAL_PERIOD_US: u64 = SECOND;

/// The acks of one machine.
#[derive(Debug, Default)]
pub(crate) struct AckPace {
    counter: u64,
    echo: Option<(MonotonicMicros, MonotonicMicros)>,
    lanes: [LanePace; 2],
    told_refusal: Option<MonotonicMicros>,
    envelopes_since: u32,
    due: Option<MonotonicMicros>,
    refusal: Option<Refusal>,
}

/// What was told of one lane, and whether it has to be told again.
#[derive(Debug, Default)]
struct LanePace {
    told: Option<LaneAck>,
    told_at: Option<MonotonicMicros>,
    told_missing: Option<MonotonicMicros>,
    must_tell: bool,
    /// The agent may still think that it may send nothing: what it was told last may be lost. Something of the lane that
    /// is committed shows that it heard.
    unsure: bool,
}

impl AckPace {
    /// Goes on after a restart of the server. Numbers follow the wall clock, in microseconds, so they ascend even if
    /// the server was put back to an earlier state. If the wall clock itself was put back, they go on well beyond those
    /// of the acks that went out after the checkpoint was made.
    pub(crate) fn restored(counter: u64, time: UnixMicros) -> AckPace {
        // A little back heals itself when that time has passed.
        let was_put_back = u64::try_from(time.0).unwrap_or(0).saturating_add(60 * SECOND) < counter;
        let skipped = if was_put_back { AFTER_CHECKPOINT_US } else { 0 };
        let mut pace = AckPace { counter: counter.saturating_add(skipped), ..AckPace::default() };
        // What it was told by the server before is not known.
        pace.lanes.iter_mut().for_each(|lane| lane.unsure = true);
        pace
    }

    /// The number of the last ack.
    pub(crate) fn counter(&self) -> u64 {
        self.counter
    }

    /// A message of the current process came.
    pub(crate) fn heard(&mut self, sent: MonotonicMicros, now: MonotonicMicros) {
        if self.echo.is_none_or(|(newest, _)| sent >= newest) {
            self.echo = Some((sent, now));
        }
    }

    /// Another process speaks for the machine now.
    pub(crate) fn new_sender(&mut self) {
        self.echo = None;
        self.new_connection();
        // It may have been told to send nothing before this server, or the one before it, knew of it.
        self.lanes.iter_mut().for_each(|lane| lane.unsure = true);
    }

    /// The process has a new connection: it has been told nothing on it.
    pub(crate) fn new_connection(&mut self) {
        self.lanes = Default::default();
    }

    /// When the ack for an envelope that was committed in a lane is due. Only what is committed counts: an ack that goes
    /// out meanwhile does not tell what is still under way.
    pub(crate) fn committed(&mut self, lane: Lane, now: MonotonicMicros) -> Option<MonotonicMicros> {
        self.envelopes_since = self.envelopes_since.saturating_add(1);
        let pace = &mut self.lanes[lane.index()];
        pace.must_tell = true;
        pace.unsure = false;
        let at = match (lane, pace.told_at) {
            (Lane::Readings, Some(told)) if self.envelopes_since < ENVELOPES_WORTH_AN_ACK => {
                now.max(told.plus(READINGS_PERIOD_US))
            }
            (Lane::Events, _) | (Lane::Readings, _) => now,
        };
        self.want(at)
    }

    /// When the ack for an envelope that is in the journal already is due; `None`: it was told just now.
    pub(crate) fn duplicate(&mut self, lane: Lane, now: MonotonicMicros) -> Option<MonotonicMicros> {
        let pace = &mut self.lanes[lane.index()];
        if pace.told_at.is_some_and(|told| now.since(told) < DUPLICATE_PERIOD_US) {
            return None;
        }
        pace.must_tell = true;
        self.want(now)
    }

    /// When the ack that tells from where to send again is due.
    pub(crate) fn missing(
        &mut self,
        lane: Lane,
        is_under_way: bool,
        now: MonotonicMicros,
    ) -> Option<MonotonicMicros> {
        let pace = &mut self.lanes[lane.index()];
        pace.must_tell = true;
        // What is under way will be told, too, if the ack waits a little.
        let soon = if is_under_way { now.plus(2 * limits::COMMIT_WAIT_US) } else { now };
        let at = pace.told_missing.map_or(soon, |told| soon.max(told.plus(MISSING_PERIOD_US)));
        let due = self.want(at);
        if due.is_some() {
            self.lanes[lane.index()].told_missing = due;
        }
        due
    }

    /// A status is answered at once. It shows which lanes have to be told: those whose oldest record is in the journal,
    /// unless that was told so short a while ago that the status may have been sent before.
    pub(crate) fn status(
        &mut self,
        lanes: &[LaneStatus],
        committed: impl Fn(LogId, Lane) -> Option<Position>,
        now: MonotonicMicros,
    ) -> Option<MonotonicMicros> {
        for status in lanes {
            let is_behind = status.first.is_some() && status.first <= committed(status.log, status.lane);
            let pace = &mut self.lanes[status.lane.index()];
            let silent_us = pace.told_at.map_or(u64::MAX, |told| now.since(told));
            let waits = status.first.is_some();
            let is_lost = (is_behind || (waits && pace.unsure)) && silent_us >= LOST_AFTER_US;
            pace.must_tell |= is_lost || (waits && silent_us >= SILENT_US);
        }
        self.want(now)
    }

    /// When a refusal is told.
    pub(crate) fn refuse(&mut self, refusal: Refusal, now: MonotonicMicros) -> Option<MonotonicMicros> {
        self.refusal = Some(refusal);
        let at = self.told_refusal.map_or(now, |told| now.max(told.plus(REFUSAL_PERIOD_US)));
        self.want(at)
    }

    /// Whether a refusal to a process that does not speak for the machine may be told now.
    pub(crate) fn may_tell_other(&mut self, now: MonotonicMicros) -> bool {
        let may = self.told_refusal.is_none_or(|told| now.since(told) >= REFUSAL_PERIOD_US);
        if may {
            self.told_refusal = Some(now);
        }
        may
    }

    /// The time for which an ack is wanted, if it is to be put on the list; `None`: one is due before.
    fn want(&mut self, at: MonotonicMicros) -> Option<MonotonicMicros> {
        if self.due.is_some_and(|due| due <= at) {
            return None;
        }
        self.due = Some(at);
        Some(at)
    }

    /// Whether an ack is due now.
    pub(crate) fn is_due(&self, now: MonotonicMicros) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// An ack that was due cannot be addressed yet.
    pub(crate) fn forget_due(&mut self) {
        self.due = None;
    }

    /// The ack's number: greater than any before, also than those of this server's life before.
    pub(crate) fn next_counter(&mut self, time: UnixMicros) -> u64 {
        self.counter = u64::try_from(time.0).unwrap_or(0).max(self.counter.saturating_add(1));
        self.counter
    }

    /// Of what could be told, what the ack that goes out now has to tell.
    pub(crate) fn take_lanes(&mut self, lanes: Vec<LaneAck>, now: MonotonicMicros) -> Vec<LaneAck> {
        let tell = |ack: &LaneAck| {
            let pace = &mut self.lanes[ack.lane.index()];
            // Another window is told with the next position; only who may send nothing would wait for it in vain.
            let is_news = |told: LaneAck| told.log != ack.log || (told.window == 0 && ack.window > 0);
            let tells = pace.must_tell || pace.told.is_none_or(is_news);
            if tells {
                if ack.lane == Lane::Readings {
                    self.envelopes_since = 0;
                }
                *pace = LanePace {
                    told: Some(*ack),
                    told_at: Some(now),
                    told_missing: pace.told_missing,
                    must_tell: false,
                    unsure: pace.unsure || ack.window == 0,
                };
            }
            tells
        };
        let mut lanes = lanes;
        lanes.retain(tell);
        lanes
    }

    /// An ack goes out now: the newest monotonic time of the agent with how long it was held, and what was refused.
    pub(crate) fn take(&mut self, now: MonotonicMicros) -> (Option<(MonotonicMicros, u64)>, Option<Refusal>) {
        self.due = None;
        let refusal = self.refusal.take();
        if refusal.is_some() {
            self.told_refusal = Some(now);
        }
        (self.echo.map(|(sent, received)| (sent, now.since(received))), refusal)
    }
}
