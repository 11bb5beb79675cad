//! Usage in memory.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use domain::ids::MachineId;
use domain::units::UnixMicros;
use domain::usage::{PartId, Usage, UsageRow};

use crate::ledger::{UsageChange, UsageQuery, UsageTotal};

type Key = (MachineId, i32, PartId);

/// All usage of a ledger.
#[derive(Debug, Clone, Default)]
pub(super) struct UsageRows {
    /// Rows with their sums.
    rows: BTreeMap<Key, (UsageRow, Usage)>,
    /// The last change of each row, and the row of each change.
    numbers: BTreeMap<Key, u64>,
    changes: BTreeMap<u64, Key>,
    through: BTreeMap<MachineId, UnixMicros>,
}

impl UsageRows {
    /// Takes a row and its sum unless a greater revision of it, or the very same, is there.
    pub(super) fn put(&mut self, row: UsageRow, total: Usage) {
        let key = (row.machine.clone(), row.day, row.part);
        let is_newer = |old: &UsageRow| old.revision <= row.revision && *old != row;
        if self.rows.get(&key).is_none_or(|(old, _)| is_newer(old)) {
            let change = self.newest_change() + 1;
            if let Some(before) = self.numbers.insert(key.clone(), change) {
                self.changes.remove(&before);
            }
            self.changes.insert(change, key.clone());
            let through = self.through.entry(row.machine.clone()).or_insert(row.through);
            *through = row.through.max(*through);
            self.rows.insert(key, (row, total));
        }
    }

    /// Number of the newest change; 0: there is none.
    pub(super) fn newest_change(&self) -> u64 {
        self.changes.last_key_value().map_or(0, |(number, _)| *number)
    }

    /// Rows changed after a number.
    pub(super) fn changed(&self, after: u64, max: usize) -> Vec<UsageChange> {
        let Some(first) = after.checked_add(1) else {
            return Vec::new();
        };
        let change = |(change, (machine, day, part)): (&u64, &Key)| UsageChange {
            change: *change,
            machine: machine.clone(),
            day: *day,
            part: *part,
        };
        self.changes.range(first..).map(change).take(max).collect()
    }

    /// Rows.
    pub(super) fn list(&self, query: &UsageQuery) -> Vec<UsageRow> {
        self.wanted(query).map(|(row, _)| row.clone()).collect()
    }

    /// Their sums.
    pub(super) fn totals(&self, query: &UsageQuery) -> Vec<UsageTotal> {
        let total = |(row, usage): &(UsageRow, Usage)| {
            let (machine, day, part) = (row.machine.clone(), row.day, row.part);
            UsageTotal { machine, day, part, usage: usage.clone() }
        };
        self.wanted(query).map(total).collect()
    }

    fn wanted(&self, query: &UsageQuery) -> impl Iterator<Item = &(UsageRow, Usage)> {
        let machines: HashSet<&MachineId> = query.machines.iter().collect();
        let wanted = self.rows.iter().filter(move |(key, _)| {
            machines.contains(&key.0)
                && (query.from_day..query.until_day).contains(&key.1)
                && query.after.as_ref().is_none_or(|after| *key > after)
        });
        wanted.map(|(_, row)| row).take(query.max)
    }

    /// Up to when usage of machines is counted.
    pub(super) fn through(&self, machines: &[MachineId]) -> Vec<(MachineId, UnixMicros)> {
        let machines: BTreeSet<&MachineId> = machines.iter().collect();
        let counted = machines.into_iter().filter_map(|machine| self.through.get_key_value(machine));
        counted.map(|(machine, through)| (machine.clone(), *through)).collect()
    }
}
