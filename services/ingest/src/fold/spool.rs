//! One spool of a machine: its two lanes, merged, and what of them waits in the journal for want of room.

use domain::ids::LogId;
use domain::limits;
use domain::log::{Lane, Position};
use domain::merge::{LaneMerge, written_before};
use domain::record::Record;
use domain::units::UnixMicros;
use store::journal::{Sequence, Slice};
use wire::checkpoint::{LogState, WaitingRecord};

use crate::commit::Content;

/// A record that waits for its turn.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    /// The other lane's record that was written before it.
    after: Option<Position>,
    /// Its settled event time.
    pub(super) time: Option<UnixMicros>,
    /// The record; `None`: it could not be read, and only keeps its place.
    pub(super) record: Option<Record>,
}

/// One spool.
#[derive(Debug)]
pub(super) struct Spool {
    /// Its log of events, by which it is known.
    pub(super) id: LogId,
    logs: [LogId; 2],
    merge: LaneMerge<Waiting>,
    /// Everything up to here was given, by lane.
    received: [Option<Position>; 2],
    /// Slices that wait in the journal, by lane: the first and the last.
    missing: [Option<(Sequence, Sequence)>; 2],
}

impl Spool {
    pub(super) fn new(id: LogId) -> Spool {
        Spool {
            id,
            logs: Lane::ALL.map(|lane| LogId::for_lane(id.0, lane)),
            merge: LaneMerge::new(None, None),
            received: [None; 2],
            missing: [None; 2],
        }
    }

    pub(super) fn restored(id: LogId, logs: &[LogState]) -> Spool {
        let mut spool = Spool::new(id);
        let mut folded = [None; 2];
        for log in logs.iter().filter(|log| crate::machine::spool_of(log.log) == id) {
            let index = log.lane.index();
            spool.logs[index] = log.log;
            spool.received[index] = log.committed;
            folded[index] = log.folded;
        }
        spool.merge = LaneMerge::new(folded[0], folded[1]);
        spool
    }

    /// Puts back what waited.
    pub(super) fn restore(&mut self, waiting: &WaitingRecord) {
        let item = Waiting { after: waiting.after, time: waiting.time, record: waiting.record.clone() };
        // As much as waited before has room.
        let _ = self.merge.push(waiting.lane, waiting.position, waiting.after, item);
    }

    /// Whether a record was not given before.
    pub(super) fn is_new(&self, lane: Lane, position: Position) -> bool {
        Some(position) > self.received[lane.index()]
    }

    /// Notes a new slice, and counts the records that had been given before.
    pub(super) fn receive(&mut self, slice: &Slice, records: &[(u64, Content)]) -> u64 {
        let index = slice.lane.index();
        self.logs[index] = slice.log;
        let received = &mut self.received[index];
        let before = |(n, _): &&(u64, Content)| Some(Position::new(slice.boot.boot_count, *n)) <= *received;
        let duplicates = records.iter().filter(before).count() as u64;
        *received = (*received).max(Some(slice.last_position()));
        duplicates
    }

    /// Adds the records of the next slice. Without room they wait in the journal, as do all later ones of the lane.
    pub(super) fn push(&mut self, sequence: Sequence, slice: &Slice, records: &[(u64, Content)]) {
        if self.missing[slice.lane.index()].is_some() || !self.push_all(slice, records) {
            self.miss(slice.lane, sequence);
        }
    }

    /// Adds the records of a slice that was read again; those that were pushed before are passed over.
    pub(super) fn push_again(&mut self, sequence: Sequence, slice: &Slice, records: &[(u64, Content)]) {
        let index = slice.lane.index();
        if self.missing[index].is_none_or(|(first, _)| sequence < first) {
            return;
        }
        let last = self.missing[index].map_or(sequence, |(_, last)| last);
        if self.merge.is_closed(slice.lane) || !self.push_all(slice, records) {
            return;
        }
        self.missing[index] = (sequence < last).then_some((sequence + 1, last));
    }

    fn push_all(&mut self, slice: &Slice, records: &[(u64, Content)]) -> bool {
        let start = &slice.boot;
        records.iter().all(|(n, content)| {
            let position = Position::new(start.boot_count, *n);
            let item = match content {
                Content::Record(record) => Waiting {
                    after: written_before(start, record.other_n),
                    time: slice.clock.unix(record.at),
                    record: Some(record.clone()),
                },
                Content::Unreadable(..) => Waiting { after: None, time: None, record: None },
            };
            self.merge.push(slice.lane, position, item.after, item).is_ok()
        })
    }

    /// A slice of a lane waits in the journal.
    pub(super) fn miss(&mut self, lane: Lane, sequence: Sequence) {
        let missing = &mut self.missing[lane.index()];
        let first = missing.map_or(sequence, |(first, _)| first);
        *missing = Some((first, sequence));
    }

    /// The journal was read up to here: what is missing lies behind it, unless a lane has no room again.
    pub(super) fn read_through(&mut self, through: Sequence) {
        for lane in Lane::ALL {
            let missing = &mut self.missing[lane.index()];
            if let Some((first, last)) = *missing
                && !self.merge.is_closed(lane)
                && first <= through
            {
                *missing = (through < last).then_some((through + 1, last));
            }
        }
    }

    /// Takes records of both lanes again.
    pub(super) fn reopen(&mut self) {
        Lane::ALL.into_iter().for_each(|lane| self.merge.reopen(lane));
    }

    pub(super) fn has_missing(&self) -> bool {
        self.missing.iter().any(Option::is_some)
    }

    pub(super) fn first_missing(&self) -> Option<Sequence> {
        self.missing.iter().flatten().map(|(first, _)| *first).min()
    }

    /// Whether it is worth reading again what is missing.
    pub(super) fn has_room(&self) -> bool {
        self.merge.waiting() <= limits::MERGE_RECORDS_MAX / 2
    }

    pub(super) fn pop(&mut self, regardless: bool) -> Option<(Lane, Position, Waiting)> {
        if regardless { self.merge.pop_regardless() } else { self.merge.pop() }
    }

    pub(super) fn log(&self, lane: Lane) -> LogId {
        self.logs[lane.index()]
    }

    pub(super) fn folded(&self, lane: Lane) -> Option<Position> {
        self.merge.popped(lane)
    }

    /// What waits, lane by lane in order.
    pub(super) fn waiting(&self) -> Vec<WaitingRecord> {
        if self.merge.waiting() == 0 {
            return Vec::new();
        }
        let mut merge = self.merge.clone();
        let record = |(lane, position, waiting): (Lane, Position, Waiting)| WaitingRecord {
            log: self.log(lane),
            lane,
            position,
            after: waiting.after,
            time: waiting.time,
            record: waiting.record,
        };
        std::iter::from_fn(|| merge.pop_regardless()).map(record).collect()
    }
}
