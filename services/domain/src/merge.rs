//! Merges the two lanes of one spool into the one order in which the agent wrote them.
//!
//! Each record names the last record of the other lane that was written before it. A lane arrives in order, so when
//! a record beyond the named one has come, or the named one was folded, everything before it is settled: folded,
//! or lost. The result does not depend on which lane arrives first, and nothing waits for a clock.

use std::collections::VecDeque;

use crate::limits;
use crate::log::{BootStart, Lane, Position};

/// A lane has no room: the record was not taken, nor is any later one of this lane until [`LaneMerge::reopen`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many records of one lane wait for the other")]
pub struct Full;

/// The last record of the other lane that was written before a record; `None`: there was none.
pub fn written_before(start: &BootStart, other_n: u64) -> Option<Position> {
    if other_n == 0 { start.other_previous } else { Some(Position::new(start.boot_count, other_n)) }
}

/// Two lanes on their way into one order.
#[derive(Debug, Clone)]
pub struct LaneMerge<T> {
    halves: [Half<T>; 2],
}

#[derive(Debug, Clone)]
struct Half<T> {
    waiting: VecDeque<Waiting<T>>,
    /// Everything up to here was popped, or lies before where the merge began.
    popped: Option<Position>,
    /// Everything up to here was pushed.
    pushed: Option<Position>,
    closed: bool,
}

#[derive(Debug, Clone)]
struct Waiting<T> {
    position: Position,
    /// The other lane's record that goes first.
    after: Option<Position>,
    item: T,
}

impl<T> LaneMerge<T> {
    /// A merge that goes on behind what was folded of the events and of the readings.
    pub fn new(events_folded: Option<Position>, readings_folded: Option<Position>) -> LaneMerge<T> {
        let half = |folded| Half { waiting: VecDeque::new(), popped: folded, pushed: folded, closed: false };
        LaneMerge { halves: [half(events_folded), half(readings_folded)] }
    }

    /// Adds a lane's next record. `after` is the last record of the other lane written before it. A record that was
    /// pushed before is ignored, so the journal may be read again.
    ///
    /// # Errors
    /// [`Full`] if too many records of this lane wait; then and until [`LaneMerge::reopen`] none is taken.
    pub fn push(
        &mut self,
        lane: Lane,
        position: Position,
        after: Option<Position>,
        item: T,
    ) -> Result<(), Full> {
        let half = &mut self.halves[lane.index()];
        if Some(position) <= half.pushed {
            return Ok(());
        }
        if half.closed || half.waiting.len() >= limits::MERGE_RECORDS_MAX {
            half.closed = true;
            return Err(Full);
        }
        half.pushed = Some(position);
        half.waiting.push_back(Waiting { position, after, item });
        Ok(())
    }

    /// The next record in the order of writing; `None`: it has not come yet.
    pub fn pop(&mut self) -> Option<(Lane, Position, T)> {
        let lane = Lane::ALL.into_iter().find(|lane| self.is_next(*lane)).or_else(|| self.knot())?;
        self.take(lane)
    }

    /// The next record, in whatever order, for a spool that will send no more.
    pub fn pop_regardless(&mut self) -> Option<(Lane, Position, T)> {
        self.pop().or_else(|| Lane::ALL.into_iter().find_map(|lane| self.take(lane)))
    }

    /// How many records wait.
    pub fn waiting(&self) -> usize {
        self.halves.iter().map(|half| half.waiting.len()).sum()
    }

    /// Whether a lane was closed for want of room.
    pub fn is_closed(&self, lane: Lane) -> bool {
        self.halves[lane.index()].closed
    }

    /// Takes records of a lane again, from the first that was refused.
    pub fn reopen(&mut self, lane: Lane) {
        self.halves[lane.index()].closed = false;
    }

    /// Everything of a lane up to here was popped.
    pub fn popped(&self, lane: Lane) -> Option<Position> {
        self.halves[lane.index()].popped
    }

    fn take(&mut self, lane: Lane) -> Option<(Lane, Position, T)> {
        let half = &mut self.halves[lane.index()];
        let next = half.waiting.pop_front()?;
        half.popped = Some(next.position);
        Some((lane, next.position, next.item))
    }

    fn is_next(&self, lane: Lane) -> bool {
        let Some(head) = self.halves[lane.index()].waiting.front() else { return false };
        let other = &self.halves[lane.other().index()];
        match other.waiting.front() {
            Some(other) => Some(other.position) > head.after,
            None => other.popped >= head.after,
        }
    }

    /// Two records that each name the other as written before it were not written by a sound agent; events first.
    fn knot(&self) -> Option<Lane> {
        self.halves.iter().all(|half| !half.waiting.is_empty()).then_some(Lane::Events)
    }
}
