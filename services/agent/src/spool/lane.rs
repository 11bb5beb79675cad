//! One lane of a spool: what is on the disk, and the newest records in memory.

use std::collections::VecDeque;

use domain::log::Position;

use super::disk::{LaneOnDisk, Row};

/// Bookkeeping of one lane. Every record after `cold` is in memory; the last `unwritten` of those are nowhere else.
#[derive(Debug)]
pub(super) struct SpoolLane {
    pub(super) disk: LaneOnDisk,
    /// The newest records, ascending.
    rows: VecDeque<Row>,
    rows_bytes: u64,
    unwritten: usize,
    unwritten_bytes: u64,
    /// The newest record that is on the disk and not in memory.
    cold: Option<Position>,
    /// Up to where an ack removed records.
    pub(super) trimmed: Option<Position>,
    /// Number of the next record of this boot.
    pub(super) next_n: u64,
    /// Records dropped from memory that the disk has not counted yet.
    pub(super) dropped_in_memory: u64,
}

impl SpoolLane {
    pub(super) fn new(disk: LaneOnDisk) -> SpoolLane {
        SpoolLane {
            cold: disk.last,
            trimmed: disk.trimmed,
            disk,
            rows: VecDeque::new(),
            rows_bytes: 0,
            unwritten: 0,
            unwritten_bytes: 0,
            next_n: 1,
            dropped_in_memory: 0,
        }
    }

    pub(super) fn push(&mut self, row: Row) {
        self.next_n += 1;
        self.rows_bytes += row.bytes();
        self.unwritten_bytes += row.bytes();
        self.unwritten += 1;
        self.rows.push_back(row);
    }

    /// Octets of the lane, in memory and on the disk.
    pub(super) fn bytes(&self) -> u64 {
        self.disk.bytes + self.unwritten_bytes
    }

    pub(super) fn records(&self) -> u64 {
        self.disk.records + self.unwritten as u64
    }

    pub(super) fn unwritten_bytes(&self) -> u64 {
        self.unwritten_bytes
    }

    pub(super) fn unwritten(&self) -> Vec<Row> {
        self.rows.range(self.rows.len() - self.unwritten..).cloned().collect()
    }

    /// Whether something is on the disk that memory does not hold.
    pub(super) fn is_cold_after(&self, after: Option<Position>) -> bool {
        self.cold.is_some_and(|cold| after.is_none_or(|after| after < cold))
    }

    /// The oldest record, in memory or on the disk.
    pub(super) fn first(&self) -> Option<Position> {
        match (self.disk.first, self.rows.front().map(|row| row.position)) {
            (Some(disk), Some(memory)) => Some(disk.min(memory)),
            (disk, memory) => disk.or(memory),
        }
    }

    /// The newest record, in memory or on the disk.
    pub(super) fn last(&self) -> Option<Position> {
        self.rows.back().map(|row| row.position).max(self.disk.last)
    }

    /// The oldest record in memory.
    pub(super) fn front(&self) -> Option<&Row> {
        self.rows.front()
    }

    /// Records in memory after a position.
    pub(super) fn in_memory_after(&self, after: Option<Position>) -> impl Iterator<Item = &Row> {
        let from = self.rows.partition_point(|row| after.is_some_and(|after| row.position <= after));
        self.rows.range(from..)
    }

    /// The record at or before `after`, if the spool still has one.
    pub(super) fn held_at_or_before(&self, after: Option<Position>) -> Option<Position> {
        let after = after?;
        let below = self.rows.partition_point(|row| row.position <= after);
        if let Some(row) = below.checked_sub(1).and_then(|last| self.rows.get(last)) {
            return Some(row.position);
        }
        // Not in memory: on the disk, if that reaches back far enough. What lies between is `cold` at the latest.
        self.disk.first.filter(|first| *first <= after)?;
        self.cold.map(|cold| cold.min(after))
    }

    /// All rows are on the disk now; the oldest leave memory beyond `memory_bytes_max`.
    pub(super) fn written(&mut self, memory_bytes_max: u64) {
        let fresh = self.rows.range(self.rows.len() - self.unwritten..);
        for row in fresh {
            self.disk.records += 1;
            self.disk.bytes += row.bytes();
            self.disk.first = self.disk.first.or(Some(row.position));
            self.disk.last = Some(row.position);
        }
        self.disk.dropped += self.dropped_in_memory;
        self.dropped_in_memory = 0;
        self.unwritten = 0;
        self.unwritten_bytes = 0;
        while self.rows_bytes > memory_bytes_max {
            let Some(row) = self.rows.pop_front() else { break };
            self.rows_bytes -= row.bytes();
            self.cold = Some(row.position);
        }
    }

    /// Forgets records in memory up to and at a position.
    pub(super) fn trim_memory(&mut self, through: Position) {
        while self.rows.front().is_some_and(|row| row.position <= through) {
            self.forget(0);
        }
    }

    /// Drops the oldest records that are only in memory until they fit.
    pub(super) fn drop_unwritten_beyond(&mut self, bytes_max: u64) {
        while self.unwritten_bytes > bytes_max && self.unwritten > 1 {
            self.forget(self.rows.len() - self.unwritten);
            self.dropped_in_memory += 1;
        }
    }

    fn forget(&mut self, index: usize) {
        let only_here = index >= self.rows.len() - self.unwritten;
        let Some(row) = self.rows.remove(index) else { return };
        self.rows_bytes -= row.bytes();
        if only_here {
            self.unwritten -= 1;
            self.unwritten_bytes -= row.bytes();
        }
    }
}
