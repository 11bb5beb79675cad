//! The long history folded anew: both lanes of one machine as they are stored, brought into the order in which its
//! agent wrote them, and folded under one or more timelines.
//!
//! It reads each lane as it is asked to, page by page, and nothing waits for what never comes: where a record names one
//! of the other lane that is not there, it is lost, or a piece of a recording, which the history does not keep.

use std::collections::VecDeque;

use super::mind::IncidentFold;
use super::settings::Timeline;
use crate::ids::{LogId, MachineId};
use crate::live::Session;
use crate::log::{Lane, Position};
use crate::machine::{Folded, MachineFold, MachineMind};
use crate::proven::Configurations;
use crate::record::Record;
use crate::units::UnixMicros;
use crate::usage::UsageRow;
use std::sync::Arc;

/// A record of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// Of which log.
    pub log: LogId,
    /// Its place.
    pub position: Position,
    /// Event time.
    pub time: UnixMicros,
    /// The record.
    pub record: Record,
}

/// The fold of one machine's history.
#[derive(Debug)]
pub struct HistoryFold {
    minds: Vec<MachineMind>,
    lanes: [VecDeque<Remembered>; 2],
    ended: [bool; 2],
}

impl HistoryFold {
    /// Nothing folded yet. Each timeline is folded for itself. `configurations` is what is known already of how the agent's
    /// sources were set.
    pub fn new(machine: MachineId, timelines: Vec<Timeline>, configurations: &Configurations) -> HistoryFold {
        let mind = |timeline| {
            let incidents = IncidentFold::knowing(configurations);
            let mut mind =
                MachineMind::new(machine.clone(), MachineFold { incidents, ..MachineFold::default() });
            mind.obey(Arc::new(timeline));
            mind
        };
        let minds = timelines.into_iter().map(mind).collect();
        HistoryFold { minds, lanes: Default::default(), ended: [false; 2] }
    }

    /// The lane whose next records are needed; `None`: there is something to fold, or nothing is left.
    pub fn wants(&self) -> Option<Lane> {
        Lane::ALL.into_iter().find(|lane| self.is_short_of(*lane))
    }

    fn is_short_of(&self, lane: Lane) -> bool {
        self.lanes[lane.index()].is_empty() && !self.ended[lane.index()]
    }

    /// Takes the next records of a lane, in their order; none: the lane has ended.
    pub fn push(&mut self, lane: Lane, records: Vec<Remembered>) {
        self.ended[lane.index()] |= records.is_empty();
        self.lanes[lane.index()].extend(records);
    }

    /// Folds the next record. Gives what it changed, by the place of the timeline; `None`: a lane is needed first, or
    /// nothing is left.
    pub fn fold(&mut self) -> Option<Vec<Folded>> {
        if self.wants().is_some() {
            return None;
        }
        let lane = self.next_lane()?;
        let next = self.lanes[lane.index()].pop_front()?;
        Some(self.take(&next))
    }

    /// Takes a record out of turn, such as the beginning of the agent's life that the history is from.
    pub fn take(&mut self, next: &Remembered) -> Vec<Folded> {
        let Remembered { log, position, time, record } = next;
        let fold = |mind: &mut MachineMind| {
            let mut incidents = mind.at_once(*log, *position, Some(*time), record);
            let mut folded = mind.fold(*log, *position, Some(*time), record);
            incidents.append(&mut folded.incidents);
            Folded { incidents, ..folded }
        };
        self.minds.iter_mut().map(fold).collect()
    }

    /// What goes on at the end, as it would be written now, by the place of the timeline.
    pub fn open(&self) -> Vec<(Option<Session>, Option<UsageRow>)> {
        self.minds.iter().map(|mind| (mind.open_session(), mind.open_usage())).collect()
    }

    /// The lane of the record that was written first.
    fn next_lane(&self) -> Option<Lane> {
        let [events, readings] = &self.lanes;
        let (event, reading) = match (events.front(), readings.front()) {
            (Some(event), Some(reading)) => (event, reading),
            (Some(_), None) => return Some(Lane::Events),
            (None, Some(_)) => return Some(Lane::Readings),
            (None, None) => return None,
        };
        let spool = |remembered: &Remembered| LogId::for_lane(remembered.log.0, Lane::Events);
        if spool(event) != spool(reading) {
            // Spools know nothing of each other; one comes after the other.
            return Some(if reading.time < event.time { Lane::Readings } else { Lane::Events });
        }
        // Two that each name the other as written before it were not written by a sound agent; events first.
        let reading_first = is_before(reading, event) && !is_before(event, reading);
        Some(if reading_first { Lane::Readings } else { Lane::Events })
    }
}

/// Whether a record says that one of the other lane was written before it.
fn is_before(earlier: &Remembered, later: &Remembered) -> bool {
    earlier.position <= Position::new(later.position.boot_count, later.record.other_n)
}

#[cfg(test)]
mod tests;
