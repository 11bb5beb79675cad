//! Incidents of the long history: both lanes of one machine as they are stored, brought into the order in which its
//! agent wrote them, and folded under one or more timelines.
//!
//! It reads each lane as it is asked to, page by page, and nothing waits for what never comes: where a record names one
//! of the other lane that is not there, it is lost, or a piece of a recording, which the history does not keep.

use std::collections::VecDeque;

use super::Incident;
use super::mind::IncidentFold;
use super::settings::Timeline;
use crate::ids::{LogId, MachineId};
use crate::log::{Lane, Position};
use crate::record::Record;
use crate::units::UnixMicros;

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
    machine: MachineId,
    folds: Vec<(Timeline, IncidentFold)>,
    lanes: [VecDeque<Remembered>; 2],
    ended: [bool; 2],
}

impl HistoryFold {
    /// Nothing folded yet. Each timeline is folded for itself.
    pub fn new(machine: MachineId, timelines: Vec<Timeline>) -> HistoryFold {
        let folds = timelines.into_iter().map(|timeline| (timeline, IncidentFold::default())).collect();
        HistoryFold { machine, folds, lanes: Default::default(), ended: [false; 2] }
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

    /// Folds the next record. Gives the incidents that are new or have changed, each with the place of its timeline;
    /// `None`: a lane is needed first, or nothing is left.
    pub fn fold(&mut self) -> Option<Vec<(usize, Incident)>> {
        if self.wants().is_some() {
            return None;
        }
        let lane = self.next_lane()?;
        let next = self.lanes[lane.index()].pop_front()?;
        Some(self.take(&next))
    }

    /// Takes a record out of turn, such as the beginning of the agent's life that the history is from.
    pub fn take(&mut self, next: &Remembered) -> Vec<(usize, Incident)> {
        let Remembered { log, position, time, record } = next;
        let mut changed = Vec::new();
        for (place, (timeline, fold)) in self.folds.iter_mut().enumerate() {
            let at_once = fold.at_once(&self.machine, (*log, *position), *time, record, timeline);
            let merged = fold.merged(&self.machine, (*log, *position), *time, record, timeline);
            changed.extend(at_once.into_iter().chain(merged).map(|incident| (place, incident)));
        }
        changed
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
