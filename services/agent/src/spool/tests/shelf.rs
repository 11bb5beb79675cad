//! A disk in memory whose power can be cut.

use crate::spool::{
    Boot, Clock, Counter, Disk, DiskError, Lane, LaneOnDisk, Loaded, Position, Removal, Row, SpoolId,
};

/// One lane as it is in a file.
#[derive(Debug, Clone, Default)]
struct Shelved {
    rows: std::collections::BTreeMap<Position, Row>,
    trimmed: Option<Position>,
    dropped: u64,
}

/// One file with what may be lost and what may not.
#[derive(Debug, Clone, Default)]
struct Files {
    spool: Option<SpoolId>,
    boots: Vec<Boot>,
    counters: Vec<Counter>,
    events: Shelved,
    readings: Shelved,
}

/// A disk in memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf {
    now: Files,
    durable: Files,
    pub(crate) fails: bool,
}

impl Shelf {
    /// Forgets what is not durable.
    pub(crate) fn cut_power(&mut self) {
        self.now = self.durable.clone();
    }

    fn check(&self, action: &'static str) -> Result<(), DiskError> {
        if self.fails {
            return Err(DiskError { action, reason: "the disk was told to fail".to_owned() });
        }
        Ok(())
    }

    fn sync_events(&mut self) {
        self.durable.spool = self.now.spool;
        self.durable.boots = self.now.boots.clone();
        self.durable.counters = self.now.counters.clone();
        self.durable.events = self.now.events.clone();
    }

    fn lane(&mut self, lane: Lane) -> &mut Shelved {
        match lane {
            Lane::Events => &mut self.now.events,
            Lane::Readings => &mut self.now.readings,
        }
    }
}

impl Shelved {
    fn state(&self) -> LaneOnDisk {
        LaneOnDisk {
            records: self.rows.len() as u64,
            bytes: self.rows.values().map(Row::bytes).sum(),
            first: self.rows.keys().next().copied(),
            last: self.rows.keys().next_back().copied(),
            trimmed: self.trimmed,
            dropped: self.dropped,
        }
    }

    fn insert(&mut self, rows: &[Row]) {
        for row in rows {
            self.rows.entry(row.position).or_insert_with(|| row.clone());
        }
    }
}

impl Disk for Shelf {
    fn load(&mut self, fresh: SpoolId) -> Result<Loaded, DiskError> {
        self.check("load")?;
        let spool = *self.now.spool.get_or_insert(fresh);
        self.sync_events();
        Ok(Loaded {
            spool,
            boots: self.now.boots.clone(),
            events: self.now.events.state(),
            readings: self.now.readings.state(),
            counters: self.now.counters.clone(),
        })
    }

    fn begin_boot(&mut self, boot: &Boot, oldest_kept: u32) -> Result<(), DiskError> {
        self.check("begin a boot")?;
        self.now.boots.retain(|kept| kept.boot_count >= oldest_kept);
        self.now.boots.push(*boot);
        self.sync_events();
        Ok(())
    }

    fn renew(&mut self, spool: SpoolId) -> Result<(), DiskError> {
        self.check("renew the spool's identity")?;
        self.now.spool = Some(spool);
        self.sync_events();
        Ok(())
    }

    fn put_clock(&mut self, boot_count: u32, clock: &Clock) -> Result<(), DiskError> {
        self.check("put the clock")?;
        for boot in self.now.boots.iter_mut().filter(|boot| boot.boot_count == boot_count) {
            boot.clock = *clock;
        }
        Ok(())
    }

    fn write_events(&mut self, rows: &[Row], counters: Option<&[Counter]>) -> Result<(), DiskError> {
        self.check("write events")?;
        self.now.events.insert(rows);
        if let Some(counters) = counters {
            self.now.counters = counters.to_vec();
        }
        self.sync_events();
        Ok(())
    }

    fn write_readings(&mut self, rows: &[Row], dropped: u64) -> Result<(), DiskError> {
        self.check("write readings")?;
        self.now.readings.insert(rows);
        self.now.readings.dropped += dropped;
        Ok(())
    }

    fn sync_readings(&mut self) -> Result<(), DiskError> {
        self.check("sync readings")?;
        self.durable.readings = self.now.readings.clone();
        Ok(())
    }

    fn read(
        &mut self,
        lane: Lane,
        after: Option<Position>,
        records_max: usize,
    ) -> Result<Vec<Row>, DiskError> {
        self.check("read")?;
        let later = self.lane(lane).rows.values().filter(|row| Some(row.position) > after);
        Ok(later.take(records_max).cloned().collect())
    }

    fn trim(&mut self, lane: Lane, through: Position, removal: Removal) -> Result<LaneOnDisk, DiskError> {
        self.check("trim")?;
        let shelved = self.lane(lane);
        let before = shelved.rows.len();
        shelved.rows.retain(|position, _| *position > through);
        if removal == Removal::Dropped {
            shelved.dropped += (before - shelved.rows.len()) as u64;
        }
        shelved.trimmed = Some(through);
        Ok(shelved.state())
    }
}
