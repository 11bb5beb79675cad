//! Folding one machine's slices of the journal: both lanes of each spool merged into the order of writing, then the
//! domain's machine mind. The same slices give the same rows, however often and from whichever checkpoint.

mod spool;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use domain::ids::{LogId, MachineId, RecordingId};
use domain::incident::Incident;
use domain::incident::settings::Timeline;
use domain::live::Session;
use domain::log::{Lane, Position};
use domain::machine::{MachineFold, MachineMind};
use domain::record::{Payload, Record};
use domain::recording::{RecordingPiece, RecordingPoint};
use domain::usage::UsageRow;
use store::fact::NewCommissioning;
use store::journal::{Sequence, Slice};
use store::ledger::{Derived, DerivedPiece, Loss, RecordedPoint, Unreadable};
use store::telemetry::Block;
use wire::checkpoint::WaitingRecord;

use self::spool::Spool;
use crate::commit::Content;
use crate::machine::{read, spool_of};

/// The folded state of one machine, and what waits to be folded.
#[derive(Debug)]
pub(crate) struct Folder {
    mind: MachineMind,
    settings: Arc<Timeline>,
    /// The newest is the last; the others will send no more, unless they come back.
    spools: Vec<Spool>,
    /// The newest slice that was given.
    newest: Sequence,
    records_lost: u64,
    /// Counts checkpoints, so that the newer one always wins.
    revision: u64,
    is_reading_again: bool,
}

/// What followed from one slice, besides rows.
#[derive(Debug, Default)]
pub(crate) struct FoldedSlice {
    /// Its readable records; `None`: there are none.
    pub(crate) block: Option<Block>,
    /// Records folded.
    pub(crate) records: u64,
    /// Records that had been given before in another slice.
    pub(crate) duplicates: u64,
    /// Records that could not be read.
    pub(crate) unreadable: u64,
    /// Incidents that are new or have changed.
    pub(crate) incidents: Vec<Incident>,
    /// Commissionings that the agent has reported, each with its record's log and place.
    pub(crate) commissionings: Vec<(LogId, Position, NewCommissioning)>,
    /// Whether a session ended.
    pub(crate) session_ended: bool,
    /// Slices after this one have to be read from the journal again.
    pub(crate) read_again: Option<Sequence>,
}

impl Folder {
    pub(crate) fn new(machine: MachineId) -> Folder {
        Folder {
            mind: MachineMind::new(machine, MachineFold::default()),
            settings: Arc::default(),
            spools: Vec::new(),
            newest: 0,
            records_lost: 0,
            revision: 0,
            is_reading_again: false,
        }
    }

    /// As it was when it was last checkpointed.
    pub(crate) fn restored(machine: MachineId, checkpoint: &wire::checkpoint::Checkpoint) -> Folder {
        let mut folder = Folder::new(machine.clone());
        folder.mind = MachineMind::new(machine, checkpoint.fold.clone());
        folder.newest = checkpoint.newest_slice;
        folder.records_lost = checkpoint.records_lost;
        folder.revision = checkpoint.revision;
        for log in &checkpoint.logs {
            let id = spool_of(log.log);
            if folder.spools.iter().all(|spool| spool.id != id) {
                folder.spools.push(Spool::restored(id, &checkpoint.logs));
            }
        }
        for waiting in &checkpoint.waiting {
            let index = folder.spool_index(spool_of(waiting.log));
            folder.spools[index].restore(waiting);
        }
        folder
    }

    /// Goes by these settings from now on.
    pub(crate) fn obey(&mut self, settings: Arc<Timeline>) {
        self.mind.obey(settings.clone());
        self.settings = settings;
    }

    /// By what it goes.
    pub(crate) fn settings(&self) -> Arc<Timeline> {
        self.settings.clone()
    }

    /// Takes the next slice of the journal.
    pub(crate) fn slice(
        &mut self,
        sequence: Sequence,
        slice: &Slice,
        records: Vec<(u64, Content)>,
        derived: &mut Derived,
    ) -> FoldedSlice {
        let mut folded = FoldedSlice::default();
        let id = spool_of(slice.log);
        // Slices up to the newest were given before the checkpoint; of these only what waits is new.
        let index = if sequence <= self.newest {
            self.spool_index(id)
        } else {
            self.newest = sequence;
            let index = self.newest_spool(id, derived, &mut folded);
            if slice.lane == Lane::Events {
                self.judge_at_once(index, slice, &records, derived, &mut folded);
            }
            folded.duplicates = self.spools[index].receive(slice, &records);
            self.note_losses(slice, &records, derived, &mut folded);
            index
        };
        // One spool after the other: what another one left in the journal comes first.
        let is_newest = index + 1 == self.spools.len();
        if self.spools.iter().any(|spool| spool.id != id && spool.has_missing()) {
            self.spools[index].miss(slice.lane, sequence);
        } else {
            self.spools[index].push(sequence, slice, &records);
            self.drain(index, !is_newest, derived, &mut folded);
        }
        folded.block = block_from(sequence, slice, records);
        folded.read_again = self.read_again();
        folded
    }

    /// Takes slices that were read from the journal again: all of this machine up to `through`.
    pub(crate) fn again(
        &mut self,
        slices: &[(Sequence, Slice)],
        through: Sequence,
        derived: &mut Derived,
    ) -> FoldedSlice {
        let mut folded = FoldedSlice::default();
        self.is_reading_again = false;
        if let Some(index) = self.spools.iter().position(Spool::has_missing) {
            let is_newest = index + 1 == self.spools.len();
            self.spools[index].reopen();
            let id = self.spools[index].id;
            for (sequence, slice) in slices.iter().filter(|(_, slice)| spool_of(slice.log) == id) {
                let Ok(entries) = wire::envelope::decode_slice(slice.body.clone()) else { continue };
                self.spools[index].push_again(*sequence, slice, &read(slice.lane, &entries));
                self.drain(index, !is_newest, derived, &mut folded);
            }
            self.spools[index].read_through(through);
        }
        folded.read_again = self.read_again();
        folded
    }

    /// Which slices have to be read again, if some are missing and there is room for them.
    fn read_again(&mut self) -> Option<Sequence> {
        if self.is_reading_again {
            return None;
        }
        let missing = self.spools.iter().find(|spool| spool.has_missing())?;
        let first = missing.first_missing().filter(|_| missing.has_room())?;
        self.is_reading_again = true;
        Some(first - 1)
    }

    /// The spool of a slice, which is the newest from now on. The others will send no more: nothing of them waits.
    fn newest_spool(&mut self, id: LogId, derived: &mut Derived, folded: &mut FoldedSlice) -> usize {
        let index = self.spool_index(id);
        let last = self.spools.len() - 1;
        if index != last {
            self.spools[index..].rotate_left(1);
        }
        for other in 0..last {
            self.drain(other, true, derived, folded);
        }
        last
    }

    fn spool_index(&mut self, id: LogId) -> usize {
        self.spools.iter().position(|spool| spool.id == id).unwrap_or_else(|| {
            // Half as many spools as logs: each has two.
            if self.spools.len() >= domain::limits::LOGS_PER_MACHINE_MAX / 2 {
                self.spools.remove(0);
            }
            self.spools.push(Spool::new(id));
            self.spools.len() - 1
        })
    }

    fn note_losses(
        &mut self,
        slice: &Slice,
        records: &[(u64, Content)],
        derived: &mut Derived,
        folded: &mut FoldedSlice,
    ) {
        let machine = &slice.machine;
        let (log, lane) = (slice.log, slice.lane);
        if let Some(hole) = slice.hole {
            self.records_lost = self.records_lost.saturating_add(hole.records_at_least);
            let before = records.iter().find_map(|(_, content)| match content {
                Content::Record(record) => slice.clock.unix(record.at),
                Content::Unreadable(..) => None,
            });
            derived.losses.push((machine.clone(), Loss { log, lane, hole, before }));
        }
        for (n, content) in records {
            if let Content::Unreadable(reason, octets) = content {
                folded.unreadable += 1;
                let position = Position::new(slice.boot.boot_count, *n);
                let (reason, octets) = (reason.clone(), octets.clone());
                let unreadable = Unreadable { log, lane, position, reason, octets };
                derived.unreadable.push((machine.clone(), unreadable));
            }
        }
    }

    /// Judges the events of a slice by the rules that need no readings, and keeps its pieces of recordings: both need not
    /// wait for the other lane.
    fn judge_at_once(
        &mut self,
        index: usize,
        slice: &Slice,
        records: &[(u64, Content)],
        derived: &mut Derived,
        folded: &mut FoldedSlice,
    ) {
        for (n, content) in records {
            let Content::Record(record) = content else { continue };
            let position = Position::new(slice.boot.boot_count, *n);
            if !self.spools[index].is_new(Lane::Events, position) {
                continue;
            }
            match &record.payload {
                Payload::Event(_) => {
                    let time = slice.clock.unix(record.at);
                    folded.incidents.extend(self.mind.at_once(slice.log, position, time, record));
                }
                Payload::Recording(piece) => derived.recordings.extend(kept(slice, piece)),
                Payload::Commissioning(report) => {
                    let done = slice.clock.unix(record.at);
                    let new = NewCommissioning::reported(slice.machine.clone(), done, (**report).clone());
                    folded.commissionings.push((slice.log, position, new));
                }
                Payload::Reading(_) => {}
            }
        }
    }

    /// Folds what is ready; with `regardless`, in whatever order, what will not be joined by the other lane.
    fn drain(&mut self, index: usize, regardless: bool, derived: &mut Derived, folded: &mut FoldedSlice) {
        let spool = &mut self.spools[index];
        while let Some((lane, position, waiting)) = spool.pop(regardless) {
            let Some(record) = &waiting.record else { continue };
            folded.records += 1;
            let result = self.mind.fold(spool.log(lane), position, waiting.time, record);
            folded.session_ended |= result.sessions.iter().any(|session| session.ended);
            folded.incidents.extend(result.incidents);
            derived.sessions.extend(result.sessions);
            derived.usage.extend(result.usage);
        }
    }
}

/// What others look at.
impl Folder {
    pub(crate) fn open_session(&self) -> Option<Session> {
        self.mind.open_session()
    }

    pub(crate) fn open_usage(&self) -> Option<UsageRow> {
        self.mind.open_usage()
    }

    pub(crate) fn fold_state(&self) -> &MachineFold {
        self.mind.fold_state()
    }

    pub(crate) fn records_lost(&self) -> u64 {
        self.records_lost
    }

    /// The newest slice that was given.
    pub(crate) fn newest(&self) -> Sequence {
        self.newest
    }

    /// The number of the next checkpoint.
    pub(crate) fn next_revision(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    /// The first slice that a checkpoint made now does not hold; `None`: it holds all.
    pub(crate) fn first_missing(&self) -> Option<Sequence> {
        self.spools.iter().filter_map(Spool::first_missing).min()
    }

    /// What of a log was folded; the records after it wait.
    pub(crate) fn folded(&self, log: LogId, lane: Lane) -> Option<Position> {
        self.spools.iter().find(|spool| spool.id == spool_of(log)).and_then(|spool| spool.folded(lane))
    }

    /// The spools, the newest last.
    pub(crate) fn spools(&self) -> impl Iterator<Item = LogId> {
        self.spools.iter().map(|spool| spool.id)
    }

    /// What waits, spool by spool.
    pub(crate) fn waiting(&self) -> Vec<WaitingRecord> {
        self.spools.iter().flat_map(Spool::waiting).collect()
    }
}

/// A piece of a recording as the ledger keeps it; `None`: its boot cannot be dated, so no incident can show it.
fn kept(slice: &Slice, piece: &RecordingPiece) -> Option<DerivedPiece> {
    let point = |point: &RecordingPoint| {
        Some(RecordedPoint {
            time: slice.clock.unix(point.at)?,
            direction: point.direction,
            origin: point.origin,
            speed: point.speed,
            incline: point.incline,
            contacts: point.contacts,
        })
    };
    Some(DerivedPiece {
        recording: RecordingId::of(&slice.machine, slice.log, slice.boot.boot_count, piece.trigger),
        machine: slice.machine.clone(),
        number: piece.number,
        is_last: piece.is_last,
        points: piece.points.iter().map(point).collect::<Option<_>>()?,
    })
}

/// The readable readings or events of a slice, for the telemetry; `None`: it has none.
pub fn block_of(sequence: Sequence, slice: &Slice) -> Option<Block> {
    let entries = wire::envelope::decode_slice(slice.body.clone()).ok()?;
    block_from(sequence, slice, read(slice.lane, &entries))
}

fn block_from(sequence: Sequence, slice: &Slice, records: Vec<(u64, Content)>) -> Option<Block> {
    let readable = |(n, content)| match content {
        // Recordings belong to incidents; the history holds readings and events.
        // A commissioning is a fact.
        Content::Record(Record { payload: Payload::Recording(_) | Payload::Commissioning(_), .. })
        | Content::Unreadable(..) => None,
        Content::Record(record) => Some((n, record)),
    };
    let records: Vec<_> = records.into_iter().filter_map(readable).collect();
    (!records.is_empty()).then(|| Block {
        sequence,
        machine: slice.machine.clone(),
        log: slice.log,
        lane: slice.lane,
        boot_count: slice.boot.boot_count,
        clock: slice.clock,
        records,
    })
}
