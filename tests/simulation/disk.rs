//! An agent's disk with a power switch: what was not synced may be gone, what was removed may be back.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agent::spool::{Boot, Counter, Disk, DiskError, LaneOnDisk, Loaded, Removal, Row, SpoolId};
use domain::clock::Clock;
use domain::log::{Lane, Position};

/// The disk of one agent. Clones are the same disk: one is the agent's, one is the world's.
#[derive(Debug, Clone, Default)]
pub(crate) struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    spool: Option<SpoolId>,
    boots: Vec<Boot>,
    counters: Vec<Counter>,
    events: LaneRows,
    readings: LaneRows,
    /// Set while every call fails.
    failing: bool,
}

#[derive(Debug, Default)]
struct LaneRows {
    rows: BTreeMap<Position, Row>,
    /// Rows that a power cut would take.
    unsynced: Vec<Position>,
    /// Rows whose removal a power cut would undo, with what was trimmed before it.
    removed: Vec<Row>,
    trimmed_before_removal: Option<Position>,
    trimmed: Option<Position>,
    dropped: u64,
}

impl SimulatedDisk {
    /// A power cut: of the unsynced readings only the first `kept` survive; with `undo`, removals are undone.
    /// Gives the positions of the readings that are gone.
    pub(crate) fn cut_power(&self, kept: usize, undo: bool) -> Vec<Position> {
        let mut state = self.state();
        if undo {
            state.events.undo_removal();
            state.readings.undo_removal();
        }
        let kept = kept.min(state.readings.unsynced.len());
        let gone = state.readings.unsynced.split_off(kept);
        state.readings.unsynced.clear();
        gone.into_iter().filter(|position| state.readings.rows.remove(position).is_some()).collect()
    }

    /// A new disk in the place of the old one.
    pub(crate) fn wipe(&self) {
        *self.state() = State::default();
    }

    /// Makes every call fail, or work again.
    pub(crate) fn set_failing(&self, failing: bool) {
        self.state().failing = failing;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn working(&self, action: &'static str) -> Result<MutexGuard<'_, State>, DiskError> {
        let state = self.state();
        if state.failing {
            return Err(DiskError { action, reason: "the simulated disk fails".to_owned() });
        }
        Ok(state)
    }
}

impl State {
    fn lane(&mut self, lane: Lane) -> &mut LaneRows {
        match lane {
            Lane::Events => &mut self.events,
            Lane::Readings => &mut self.readings,
        }
    }
}

impl LaneRows {
    fn undo_removal(&mut self) {
        for row in self.removed.drain(..) {
            self.rows.entry(row.position).or_insert(row);
            self.trimmed = self.trimmed_before_removal;
        }
    }

    fn settle_removal(&mut self) {
        self.removed.clear();
        self.trimmed_before_removal = self.trimmed;
    }

    fn summary(&self) -> LaneOnDisk {
        LaneOnDisk {
            records: self.rows.len() as u64,
            bytes: self.rows.values().map(Row::bytes).sum(),
            first: self.rows.keys().next().copied(),
            last: self.rows.keys().next_back().copied(),
            trimmed: self.trimmed,
            dropped: self.dropped,
        }
    }

    fn add(&mut self, rows: &[Row], synced: bool) {
        for row in rows {
            if let Entry::Vacant(place) = self.rows.entry(row.position) {
                place.insert(row.clone());
                if !synced {
                    self.unsynced.push(row.position);
                }
            }
        }
    }
}

impl Disk for SimulatedDisk {
    fn load(&mut self, fresh: SpoolId) -> Result<Loaded, DiskError> {
        let mut state = self.working("open the spool")?;
        Ok(Loaded {
            spool: *state.spool.get_or_insert(fresh),
            boots: state.boots.clone(),
            events: state.events.summary(),
            readings: state.readings.summary(),
            counters: state.counters.clone(),
        })
    }

    fn begin_boot(&mut self, boot: &Boot, oldest_kept: u32) -> Result<(), DiskError> {
        let mut state = self.working("begin a boot")?;
        state.boots.retain(|old| old.boot_count >= oldest_kept && old.boot_count != boot.boot_count);
        state.boots.push(*boot);
        state.events.settle_removal();
        Ok(())
    }

    fn renumber_boot(&mut self, from: u32, to: u32) -> Result<(), DiskError> {
        let mut state = self.working("renumber a boot")?;
        for boot in state.boots.iter_mut().filter(|boot| boot.boot_count == from) {
            boot.boot_count = to;
        }
        for lane in Lane::ALL {
            let rows = std::mem::take(&mut state.lane(lane).rows);
            let renumber = |mut row: Row| {
                if row.position.boot_count == from {
                    row.position.boot_count = to;
                }
                (row.position, row)
            };
            state.lane(lane).rows = rows.into_values().map(renumber).collect();
        }
        Ok(())
    }

    fn put_clock(&mut self, boot_count: u32, clock: &Clock) -> Result<(), DiskError> {
        let mut state = self.working("note the clock")?;
        for boot in state.boots.iter_mut().filter(|boot| boot.boot_count == boot_count) {
            boot.clock = *clock;
        }
        Ok(())
    }

    fn write_events(&mut self, rows: &[Row], counters: Option<&[Counter]>) -> Result<(), DiskError> {
        let mut state = self.working("write events")?;
        state.events.add(rows, true);
        state.events.settle_removal();
        if let Some(counters) = counters {
            state.counters = counters.to_vec();
        }
        Ok(())
    }

    fn write_readings(&mut self, rows: &[Row], dropped: u64) -> Result<(), DiskError> {
        let mut state = self.working("write readings")?;
        state.readings.add(rows, false);
        state.readings.dropped += dropped;
        Ok(())
    }

    fn sync_readings(&mut self) -> Result<(), DiskError> {
        let mut state = self.working("sync readings")?;
        state.readings.unsynced.clear();
        state.readings.settle_removal();
        Ok(())
    }

    fn read(
        &mut self,
        lane: Lane,
        after: Option<Position>,
        records_max: usize,
    ) -> Result<Vec<Row>, DiskError> {
        let mut state = self.working("read")?;
        let rows = &state.lane(lane).rows;
        let rows = rows.values().filter(|row| Some(row.position) > after);
        Ok(rows.take(records_max).cloned().collect())
    }

    fn trim(&mut self, lane: Lane, through: Position, removal: Removal) -> Result<LaneOnDisk, DiskError> {
        let mut state = self.working("trim")?;
        let lane = state.lane(lane);
        let kept = lane.rows.split_off(&through.next());
        let gone = std::mem::replace(&mut lane.rows, kept);
        if removal == Removal::Dropped {
            lane.dropped += gone.len() as u64;
        }
        lane.unsynced.retain(|position| *position > through);
        lane.removed.extend(gone.into_values());
        lane.trimmed = lane.trimmed.max(Some(through));
        Ok(lane.summary())
    }
}
