//! The rows of one lane on a simulated disk.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use agent::spool::{LaneOnDisk, Removal, Row};
use domain::log::Position;

#[derive(Debug, Clone, Default)]
pub(super) struct LaneRows {
    rows: BTreeMap<Position, Row>,
    bytes: u64,
    /// Rows that a power cut would take.
    unsynced: Vec<Position>,
    /// Rows whose removal a power cut would undo, with what was trimmed before it.
    removed: Vec<Row>,
    trimmed_before_removal: Option<Position>,
    trimmed: Option<Position>,
    pub(super) dropped: u64,
}

impl LaneRows {
    pub(super) fn undo_removal(&mut self) {
        for row in std::mem::take(&mut self.removed) {
            self.add(&row, true);
            self.trimmed = self.trimmed_before_removal;
        }
    }

    pub(super) fn settle_removal(&mut self) {
        self.removed.clear();
        self.trimmed_before_removal = self.trimmed;
    }

    pub(super) fn sync(&mut self) {
        self.unsynced.clear();
        self.settle_removal();
    }

    /// The power is cut: of what was not synced the first `kept` stay. Gives the others.
    pub(super) fn cut(&mut self, kept: usize) -> Vec<Position> {
        let kept = kept.min(self.unsynced.len());
        let gone = self.unsynced.split_off(kept);
        self.unsynced.clear();
        gone.into_iter().filter(|position| self.take(*position).is_some()).collect()
    }

    pub(super) fn summary(&self) -> LaneOnDisk {
        LaneOnDisk {
            records: self.rows.len() as u64,
            bytes: self.bytes,
            first: self.rows.keys().next().copied(),
            last: self.rows.keys().next_back().copied(),
            trimmed: self.trimmed,
            dropped: self.dropped,
        }
    }

    /// A row that is there already stays as it is.
    pub(super) fn add(&mut self, row: &Row, is_synced: bool) {
        let Entry::Vacant(place) = self.rows.entry(row.position) else { return };
        place.insert(row.clone());
        self.bytes += row.bytes();
        if !is_synced {
            self.unsynced.push(row.position);
        }
    }

    pub(super) fn read(&self, after: Option<Position>, records_max: usize) -> Vec<Row> {
        let from = after.map_or(Position::default(), Position::next);
        self.rows.range(from..).take(records_max).map(|(_, row)| row.clone()).collect()
    }

    /// Removes rows up to and at a position, and gives them.
    pub(super) fn remove(&mut self, through: Position, removal: Removal) -> Vec<Row> {
        let mut gone = Vec::new();
        while let Some(row) = self.rows.first_entry().filter(|row| *row.key() <= through) {
            gone.push(row.remove());
        }
        self.bytes -= gone.iter().map(Row::bytes).sum::<u64>();
        if removal == Removal::Dropped {
            self.dropped += gone.len() as u64;
        }
        self.unsynced.retain(|position| *position > through);
        self.removed.extend(gone.iter().cloned());
        self.trimmed = self.trimmed.max(Some(through));
        gone
    }

    /// Where rows are, and those that a power cut would bring back.
    pub(super) fn positions(&self) -> Vec<Position> {
        self.rows.keys().copied().chain(self.removed.iter().map(|row| row.position)).collect()
    }

    fn take(&mut self, position: Position) -> Option<Row> {
        let row = self.rows.remove(&position)?;
        self.bytes -= row.bytes();
        Some(row)
    }
}
