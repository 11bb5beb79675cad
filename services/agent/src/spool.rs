//! The agent's disk queue: two lanes with two promises, as a policy over a small disk.
//!
//! Records are given to memory first, so that they can be sent at the same moment as they are written.
//! Events are never lost: with no room left they are counted, durably, and told as one event each as soon as
//! there is room. Pieces of recordings take the first half of the room only. Readings are bounded: the oldest go
//! first, and are counted.

mod bounds;
mod counters;
mod disk;
mod lane;
mod read;
pub mod sqlite;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::clock::Clock;
use domain::ids::{BootId, LogId};
use domain::log::{Lane, Position};
use domain::record::{Event, Payload, Record};
use domain::recording::RecordingPiece;
use domain::units::{MonotonicMicros, SECOND};
use wire::ack::LaneAck;
use wire::status::LaneStatus;

use self::bounds::AGE_CHECK_US;
pub use self::bounds::Bounds;
pub use self::disk::{
    Boot, Counter, Disk, DiskError, KernelBoot, LaneOnDisk, Loaded, ROW_OVERHEAD_BYTES, Removal, Row,
};
use self::lane::SpoolLane;
pub use self::read::Batch;

/// Identity of a spool: 16 random octets, made with it. Its two logs follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpoolId(pub [u8; 16]);

/// What a new boot of the agent brings to its spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootIds {
    /// The process, random.
    pub boot: BootId,
    /// The kernel's life.
    pub kernel: KernelBoot,
    /// Identity of the spool if this is its first boot, random.
    pub fresh_spool: SpoolId,
}

/// What a call of [`Spool::write`] did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    /// Records that are on the disk now and were not before.
    pub rows: Vec<(Lane, Row)>,
    /// Set when the disk began to fail.
    pub failed: Option<DiskError>,
    /// Whether the disk works again after it failed.
    pub recovered: bool,
}

/// The state of a spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolStatus {
    /// Both lanes.
    pub lanes: [LaneStatus; 2],
    /// Records of both lanes, in the order of [`Lane::ALL`].
    pub records: [u64; 2],
    /// Whether the disk works.
    pub healthy: bool,
    /// Octets that the records count for.
    pub bytes: u64,
}

/// How long readings may wait to be made durable.
const SYNC_AFTER_US: u64 = 3 * SECOND;
/// How long a clock that changed little may wait to be written.
const CLOCK_WRITE_US: u64 = 600 * SECOND;
/// A change of the clock that is written at once.
const CLOCK_CHANGE_US: u64 = SECOND / 10;
/// How long a failing disk is left alone, at first and at most.
const RETRY_US: (u64, u64) = (SECOND, 30 * SECOND);

/// A spool. It never asks the time and never waits but for its disk.
#[derive(Debug)]
pub struct Spool<D> {
    disk: D,
    id: SpoolId,
    bounds: Bounds,
    boots: BTreeMap<u32, Boot>,
    boot: Boot,
    events: SpoolLane,
    readings: SpoolLane,
    counters: Vec<Counter>,
    counters_changed: bool,
    pieces_left_out: u64,
    clock_written: (Clock, MonotonicMicros),
    /// Since when readings on the disk are not durable.
    unsynced_since: Option<MonotonicMicros>,
    age_checked: MonotonicMicros,
    failing: Option<Failing>,
    /// The identity that the spool gets if another one goes on under its own.
    fresh: SpoolId,
    /// The disk failed while the spool was to get it, and may have it.
    is_renewing: bool,
}

/// Another identity, as good as random as this one.
fn next(id: SpoolId) -> SpoolId {
    let mut octets = id.0;
    octets[0] = octets[0].wrapping_add(1);
    SpoolId(octets)
}

/// A disk that fails.
#[derive(Debug, Clone, Copy)]
struct Failing {
    pause_us: u64,
    retry_at: MonotonicMicros,
}

impl<D: Disk> Spool<D> {
    /// Opens a spool and begins a boot: its number is on the disk when this returns.
    pub fn open(
        mut disk: D,
        ids: BootIds,
        bounds: Bounds,
        now: MonotonicMicros,
    ) -> Result<Spool<D>, DiskError> {
        let loaded = disk.load(ids.fresh_spool)?;
        // What was found may still be in the kernel's memory only; the boot is about to name it as durable.
        disk.sync_readings()?;
        let last = loaded.boots.last();
        let before = |lane: Lane, on_disk: &LaneOnDisk| {
            let known = last.and_then(|boot| boot.before(lane));
            on_disk.last.max(on_disk.trimmed).max(known)
        };
        let boot = Boot {
            boot_count: last.map_or(0, |boot| boot.boot_count) + 1,
            boot: ids.boot,
            kernel: ids.kernel,
            events_before: before(Lane::Events, &loaded.events),
            readings_before: before(Lane::Readings, &loaded.readings),
            clock: Clock::UNDATED,
        };
        let counters = counters::carry_over(&loaded, &boot, now);
        let oldest = [loaded.events.first, loaded.readings.first].into_iter().flatten().min();
        disk.begin_boot(&boot, oldest.map_or(boot.boot_count, |position| position.boot_count))?;
        let boots = loaded.boots.iter().chain([&boot]).map(|boot| (boot.boot_count, *boot)).collect();
        Ok(Spool {
            disk,
            id: loaded.spool,
            bounds,
            boots,
            boot,
            events: SpoolLane::new(loaded.events),
            readings: SpoolLane::new(loaded.readings),
            counters_changed: counters != loaded.counters,
            counters,
            pieces_left_out: 0,
            clock_written: (Clock::UNDATED, now),
            unsynced_since: None,
            age_checked: now,
            failing: None,
            // A new spool has that of its first boot.
            fresh: if loaded.spool == ids.fresh_spool { next(ids.fresh_spool) } else { ids.fresh_spool },
            is_renewing: false,
        })
    }

    /// The running boot.
    pub fn boot(&self) -> &Boot {
        &self.boot
    }

    /// The log of a lane.
    pub fn log(&self, lane: Lane) -> LogId {
        LogId::for_lane(self.id.0, lane)
    }

    /// The newest record of a lane that the spool holds.
    pub fn newest(&self, lane: Lane) -> Option<Position> {
        self.lane(lane).last().filter(|last| self.lane(lane).trimmed.is_none_or(|trimmed| *last > trimmed))
    }

    /// The disk, for those who made it.
    pub fn disk(&mut self) -> &mut D {
        &mut self.disk
    }

    /// Ends the spool and gives the disk back, without writing anything.
    pub fn into_disk(self) -> D {
        self.disk
    }

    /// Takes a record and gives it its position. It can be read at once and is written by the next
    /// [`Spool::write`]. `None`: there is no room for this event; it is counted and will be told later. A piece of a
    /// recording for which there is no room is left out, and counted.
    pub fn append(&mut self, at: MonotonicMicros, payload: Payload) -> Option<Position> {
        match payload {
            Payload::Event(event) => self.append_event(at, event),
            Payload::Recording(piece) => self.append_piece(at, piece),
            // One in years, made by a person who can make it again: it takes its place whatever else waits.
            Payload::Commissioning(_) => Some(self.push(at, payload)),
            Payload::Reading(_) => {
                let position = self.push(at, payload);
                if self.failing.is_some() {
                    self.readings.drop_unwritten_beyond(self.bounds.unwritten_bytes_max);
                }
                Some(position)
            }
        }
    }

    fn append_event(&mut self, at: MonotonicMicros, event: Event) -> Option<Position> {
        self.release_counters();
        if self.counters.is_empty() && self.has_room(at, &event) {
            return Some(self.push(at, Payload::Event(event)));
        }
        counters::count(&mut self.counters, self.boot.boot_count, at, event);
        self.counters_changed = true;
        None
    }

    /// A piece of a recording takes the room that events do not need.
    fn append_piece(&mut self, at: MonotonicMicros, piece: RecordingPiece) -> Option<Position> {
        let payload = Payload::Recording(piece);
        let bytes = self.encode(at, payload.clone()).len() as u64 + ROW_OVERHEAD_BYTES;
        let waiting = self.events.unwritten_bytes() + bytes;
        let has_room = self.events.bytes() + bytes <= self.bounds.recordings_bytes_max
            && waiting <= self.bounds.unwritten_bytes_max / 2;
        if self.counters.is_empty() && has_room {
            return Some(self.push(at, payload));
        }
        self.pieces_left_out += 1;
        None
    }

    /// Pieces of recordings left out for want of room since the spool was opened.
    pub fn pieces_left_out(&self) -> u64 {
        self.pieces_left_out
    }

    /// Makes records of what was counted, as far as there is room.
    fn release_counters(&mut self) {
        while let Some(counter) = self.counters.first() {
            if !self.has_room(counter.at, &counter.event) {
                return;
            }
            let counter = self.counters.remove(0);
            self.counters_changed = true;
            self.push(counter.at, Payload::Event(counter.event));
        }
    }

    fn has_room(&self, at: MonotonicMicros, event: &Event) -> bool {
        let bytes = self.encode(at, Payload::Event(event.clone())).len() as u64 + ROW_OVERHEAD_BYTES;
        let waiting = self.events.unwritten_bytes() + bytes;
        self.events.bytes() + bytes <= self.bounds.events_bytes_max
            && waiting <= self.bounds.unwritten_bytes_max
    }

    fn push(&mut self, at: MonotonicMicros, payload: Payload) -> Position {
        let lane = payload.lane();
        let octets = self.encode(at, payload);
        let position = Position::new(self.boot.boot_count, self.lane(lane).next_n);
        self.lane_mut(lane).push(Row { position, at, octets });
        position
    }

    fn encode(&self, at: MonotonicMicros, payload: Payload) -> Bytes {
        let other_n = self.lane(payload.lane().other()).next_n - 1;
        wire::record::encode(&Record { at, other_n, payload })
    }

    /// Brings to the disk what is not there yet, and keeps the bounds. Call it after appending and at least once
    /// a second. A disk that fails is left alone for a while and tried again; until then records stay in memory.
    pub fn write(&mut self, now: MonotonicMicros) -> Written {
        if self.failing.is_some_and(|failing| now < failing.retry_at) {
            return Written::default();
        }
        let mut written = Written::default();
        match self.try_write(now, &mut written.rows) {
            Ok(()) => written.recovered = self.failing.take().is_some(),
            Err(error) => {
                let pause_us = self.failing.map_or(RETRY_US.0, |f| (f.pause_us * 2).min(RETRY_US.1));
                if self.failing.is_none() {
                    written.failed = Some(error);
                }
                self.failing = Some(Failing { pause_us, retry_at: now.plus(pause_us) });
            }
        }
        written
    }

    fn try_write(&mut self, now: MonotonicMicros, out: &mut Vec<(Lane, Row)>) -> Result<(), DiskError> {
        self.release_counters();
        let events = self.events.unwritten();
        if !events.is_empty() || self.counters_changed {
            let counters = self.counters_changed.then_some(self.counters.as_slice());
            self.disk.write_events(&events, counters)?;
            self.counters_changed = false;
            self.events.written(self.bounds.memory_bytes_max);
            out.extend(events.into_iter().map(|row| (Lane::Events, row)));
        }
        let readings = self.readings.unwritten();
        if !readings.is_empty() || self.readings.dropped_in_memory > 0 {
            self.disk.write_readings(&readings, self.readings.dropped_in_memory)?;
            self.unsynced_since = self.unsynced_since.or(Some(now));
            self.readings.written(self.bounds.memory_bytes_max);
            out.extend(readings.into_iter().map(|row| (Lane::Readings, row)));
        }
        for lane in Lane::ALL {
            self.trim_disk(lane)?;
        }
        self.write_clock(now)?;
        self.drop_beyond_bounds(now)?;
        if self.unsynced_since.is_some_and(|since| now.since(since) >= SYNC_AFTER_US) {
            self.sync()?;
        }
        Ok(())
    }

    /// Whether [`Spool::write`] has something to do.
    pub fn has_to_write(&self, now: MonotonicMicros) -> bool {
        let waiting = self.events.unwritten_bytes() + self.readings.unwritten_bytes() > 0;
        waiting
            || self.counters_changed
            || self.failing.is_some_and(|failing| now >= failing.retry_at)
            || self.clock_has_changed(now)
            || self.unsynced_since.is_some_and(|since| now.since(since) >= SYNC_AFTER_US)
            || now.since(self.age_checked) >= AGE_CHECK_US
    }

    /// Whether a lane holds records that are only on the disk.
    pub fn is_cold(&self) -> bool {
        Lane::ALL.into_iter().any(|lane| self.lane(lane).is_cold_after(self.lane(lane).trimmed))
    }

    /// Makes everything written durable at once. Also done by [`Spool::write`] in time.
    pub fn sync(&mut self) -> Result<(), DiskError> {
        self.disk.sync_readings()?;
        self.unsynced_since = None;
        Ok(())
    }

    fn write_clock(&mut self, now: MonotonicMicros) -> Result<(), DiskError> {
        if self.clock_has_changed(now) {
            self.disk.put_clock(self.boot.boot_count, &self.boot.clock)?;
            self.clock_written = (self.boot.clock, now);
        }
        Ok(())
    }

    fn clock_has_changed(&self, now: MonotonicMicros) -> bool {
        let (written, at) = self.clock_written;
        let known = self.boot.clock;
        written.quality != known.quality
            || written.offset_us.abs_diff(known.offset_us) > CLOCK_CHANGE_US
            || (written != known && now.since(at) >= CLOCK_WRITE_US)
    }

    /// Removes what the ingest has. Positions beyond what the spool holds are harmless. If the disk fails, it is
    /// tried again by [`Spool::write`]; until then the records are there but no longer read.
    pub fn trim(&mut self, lane: Lane, through: Position) {
        let state = self.lane_mut(lane);
        state.trimmed = state.trimmed.max(Some(through));
        state.trim_memory(through);
        // A disk that fails says so at the next write, which comes within a second and tries this again.
        let _tried_again_by_write = self.trim_disk(lane);
    }

    fn trim_disk(&mut self, lane: Lane) -> Result<(), DiskError> {
        let state = self.lane(lane);
        if let (Some(first), Some(trimmed)) = (state.disk.first, state.trimmed) {
            if first <= trimmed {
                self.lane_mut(lane).disk = self.disk.trim(lane, trimmed, Removal::Acknowledged)?;
            }
        }
        Ok(())
    }

    /// Sets what is known of the running boot's clock.
    pub fn set_clock(&mut self, clock: Clock) {
        self.boot.clock = clock;
        self.boots.insert(self.boot.boot_count, self.boot);
    }

    /// Whether an ack speaks of records that another life of this spool has made: somebody copied the card, or put it back
    /// from a copy. What the ack says of positions says nothing of the records that are here then.
    pub fn is_of_another(&self, ack: &LaneAck) -> bool {
        let known = ack.committed.zip(ack.maker).filter(|_| ack.log == self.log(ack.lane));
        known.is_some_and(|(committed, maker)| match self.boots.get(&committed.boot_count) {
            Some(boot) => boot.boot != maker,
            // What was made up to that boot left this spool long ago, or that boot was never here.
            None => self.boots.keys().next().is_some_and(|oldest| *oldest < committed.boot_count),
        })
    }

    /// Gives the spool another identity, because another spool goes on under this one: what is here goes on in logs of its
    /// own. If the disk fails it may be done all the same: then nothing may be sent until this was repeated.
    pub fn renew(&mut self) -> Result<(), DiskError> {
        self.is_renewing = true;
        self.disk.renew(self.fresh)?;
        self.is_renewing = false;
        self.id = self.fresh;
        self.fresh = next(self.fresh);
        Ok(())
    }

    /// Whether [`Spool::renew`] has failed and must be repeated before anything is sent.
    pub fn is_renewing(&self) -> bool {
        self.is_renewing
    }

    /// How long the oldest reading has waited, in microseconds; 0: there is none. One that is no longer in memory has
    /// waited for ever.
    pub fn readings_wait_us(&self, now: MonotonicMicros) -> u64 {
        if self.readings.is_cold_after(self.readings.trimmed) {
            return u64::MAX;
        }
        self.readings.front().map_or(0, |row| now.since(row.at))
    }

    /// What the spool holds.
    pub fn status(&self) -> SpoolStatus {
        let of = |lane| {
            let state = self.lane(lane);
            LaneStatus {
                lane,
                log: self.log(lane),
                first: state.first(),
                next: Position::new(self.boot.boot_count, state.next_n),
                dropped: state.disk.dropped + state.dropped_in_memory,
            }
        };
        SpoolStatus {
            lanes: Lane::ALL.map(of),
            records: Lane::ALL.map(|lane| self.lane(lane).records()),
            healthy: self.failing.is_none(),
            bytes: self.events.bytes() + self.readings.bytes(),
        }
    }

    /// Events that are counted because there is no room for them.
    pub fn counted(&self) -> u64 {
        self.counters.iter().map(|counter| u64::from(counter.event.count)).sum()
    }

    fn lane(&self, lane: Lane) -> &SpoolLane {
        match lane {
            Lane::Events => &self.events,
            Lane::Readings => &self.readings,
        }
    }

    fn lane_mut(&mut self, lane: Lane) -> &mut SpoolLane {
        match lane {
            Lane::Events => &mut self.events,
            Lane::Readings => &mut self.readings,
        }
    }
}
