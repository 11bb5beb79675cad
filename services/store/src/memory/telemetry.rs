//! Telemetry in memory.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::clock::Clock;
use domain::ids::{LogId, MachineId};
use domain::log::{Lane, Position};
use domain::record::{Event, Payload, Reading, Record};
use domain::units::UnixMicros;

use crate::StoreError;
use crate::bounds;
use crate::journal::Sequence;
use crate::telemetry::{Block, Counts, Cursor, Forgotten, RangeQuery, Stock, Stored, Telemetry};

/// A history that lives as long as its last handle.
#[derive(Debug, Clone, Default)]
pub struct MemoryTelemetry {
    state: Arc<Mutex<State>>,
}

/// What was in a history at one moment.
#[derive(Debug, Clone, Default)]
pub struct TelemetrySnapshot(State);

#[derive(Debug, Clone, Default)]
struct State {
    watermark: Sequence,
    shelves: HashMap<(MachineId, Lane), Shelf>,
}

/// Records of one machine and lane.
#[derive(Debug, Clone, Default)]
struct Shelf {
    by_place: BTreeMap<(LogId, Position), (Clock, Arc<Record>)>,
    by_time: BTreeMap<Cursor, (u64, Arc<Record>)>,
}

impl MemoryTelemetry {
    /// An empty history.
    pub fn new() -> MemoryTelemetry {
        MemoryTelemetry::default()
    }

    /// A copy of what is in it.
    pub fn snapshot(&self) -> TelemetrySnapshot {
        TelemetrySnapshot(self.state().clone())
    }

    /// Puts back what was in it then, for all handles.
    pub fn restore(&self, snapshot: &TelemetrySnapshot) {
        *self.state() = snapshot.0.clone();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn list<T: Clone>(
        &self,
        lane: Lane,
        query: &RangeQuery,
        value: fn(&Record) -> Option<&T>,
    ) -> Result<Vec<Stored<T>>, StoreError> {
        let Some(from) = bounds::range(query)? else {
            return Ok(Vec::new());
        };
        let state = self.state();
        let Some(shelf) = state.shelves.get(&(query.machine.clone(), lane)) else {
            return Ok(Vec::new());
        };
        let least = |time: UnixMicros| (time, LogId([0; 16]), Position::default());
        let begin = match query.after {
            Some(after) if after.0 == from => Bound::Excluded(after),
            Some(_) | None => Bound::Included(least(from)),
        };
        let records = shelf.by_time.range((begin, Bound::Excluded(least(query.until))));
        let stored = records.filter_map(|((time, log, position), (uncertainty_us, record))| {
            let value = value(record)?.clone();
            Some(Stored {
                log: *log,
                position: *position,
                time: *time,
                uncertainty_us: *uncertainty_us,
                value,
            })
        });
        Ok(stored.take(query.max).collect())
    }
}

impl Shelf {
    fn put(&mut self, block: &Block) {
        for (n, record) in &block.records {
            let place = (block.log, Position::new(block.boot_count, *n));
            if self.by_place.contains_key(&place) {
                continue;
            }
            let record = Arc::new(record.clone());
            if let Some(time) = block.clock.unix(record.at) {
                self.by_time.insert((time, place.0, place.1), (block.clock.uncertainty_us, record.clone()));
            }
            self.by_place.insert(place, (block.clock, record));
        }
    }

    /// Removes what is older; how many they were.
    fn forget(&mut self, before: UnixMicros) -> u64 {
        let kept = self.by_time.split_off(&(before, LogId([0; 16]), Position::default()));
        let old = std::mem::replace(&mut self.by_time, kept);
        for (_, log, position) in old.keys() {
            self.by_place.remove(&(*log, *position));
        }
        old.len() as u64
    }
}

#[async_trait]
impl Telemetry for MemoryTelemetry {
    async fn put(&self, blocks: Vec<Block>) -> Result<(), StoreError> {
        blocks.iter().try_for_each(bounds::block)?;
        let mut state = self.state();
        for block in &blocks {
            state.shelves.entry((block.machine.clone(), block.lane)).or_default().put(block);
        }
        Ok(())
    }

    async fn watermark(&self) -> Result<Sequence, StoreError> {
        Ok(self.state().watermark)
    }

    async fn set_watermark(&self, through: Sequence) -> Result<(), StoreError> {
        bounds::number("watermark", through)?;
        self.state().watermark = through;
        Ok(())
    }

    async fn readings(&self, query: &RangeQuery) -> Result<Vec<Stored<Reading>>, StoreError> {
        self.list(Lane::Readings, query, |record| match &record.payload {
            Payload::Reading(reading) => Some(reading),
            Payload::Event(_) | Payload::Recording(_) | Payload::Commissioning(_) => None,
        })
    }

    async fn events(&self, query: &RangeQuery) -> Result<Vec<Stored<Event>>, StoreError> {
        self.list(Lane::Events, query, |record| match &record.payload {
            Payload::Event(event) => Some(event),
            Payload::Reading(_) | Payload::Recording(_) | Payload::Commissioning(_) => None,
        })
    }

    async fn history(&self, lane: Lane, query: &RangeQuery) -> Result<Vec<Stored<Record>>, StoreError> {
        self.list(lane, query, |record| Some(record))
    }

    async fn counts(&self, machine: Option<&MachineId>) -> Result<Counts, StoreError> {
        let mut counts = Counts::default();
        for ((owner, lane), shelf) in &self.state().shelves {
            if machine.is_some_and(|machine| machine != owner) {
                continue;
            }
            let records = shelf.by_place.len() as u64;
            match lane {
                Lane::Readings => counts.readings += records,
                Lane::Events => counts.events += records,
            }
            counts.undated += records - shelf.by_time.len() as u64;
        }
        Ok(counts)
    }

    async fn forget(&self, lane: Lane, before: UnixMicros) -> Result<Forgotten, StoreError> {
        let mut forgotten = Forgotten::default();
        for ((_, of), shelf) in &mut self.state().shelves {
            if *of == lane {
                forgotten.records += shelf.forget(before);
            }
        }
        Ok(forgotten)
    }

    async fn stock(&self) -> Result<Stock, StoreError> {
        let mut stock = Stock::default();
        for ((_, lane), shelf) in &self.state().shelves {
            let oldest = match lane {
                Lane::Events => &mut stock.events.oldest,
                Lane::Readings => &mut stock.readings.oldest,
            };
            let times = shelf.by_time.keys().next().map(|(time, _, _)| *time);
            *oldest = [*oldest, times].into_iter().flatten().min();
        }
        Ok(stock)
    }
}
