//! Everything the ingest keeps of one machine: its logs, who speaks for it, its acks, its folded state.

use domain::ids::{LogId, MachineId};
use domain::limits;
use domain::log::{BootStart, Lane};
use domain::units::MonotonicMicros;
use store::journal::{Sequence, Slice};
use wire::ack::LaneAck;
use wire::checkpoint::{Checkpoint, LogState, SenderState};
use wire::envelope::{Entry, Envelope, encode_slice};

use crate::acks::AckPace;
use crate::clock::Settled;
use crate::commit::Content;
use crate::fold::Folder;
use crate::ingest::Now;
use crate::live::Presence;
use crate::log::{LogMind, Part};
use crate::sender::{Sender, Senders};

/// One machine.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) id: MachineId,
    pub(crate) logs: Logs,
    pub(crate) senders: Senders,
    pub(crate) presence: Presence,
    pub(crate) pace: AckPace,
    pub(crate) folder: Folder,
    /// The logs of the process that speaks for the machine, events and readings.
    pub(crate) current_logs: [Option<LogId>; 2],
    /// Its records are set aside until then: the journal refused them for good.
    pub(crate) set_aside_until: Option<MonotonicMicros>,
    /// When it last raised an alarm.
    pub(crate) alarmed: Option<MonotonicMicros>,
    /// Something was committed since its live state was told.
    pub(crate) touched: bool,
    /// Checkpointed up to here; everything of it up to here is in the ledger's checkpoint.
    pub(crate) checkpoint: CheckpointPace,
}

/// When a machine's checkpoint is due, and from where the journal is needed without it.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct CheckpointPace {
    /// The first slice that no checkpoint holds; `None`: all are held.
    pub(crate) first_unsaved: Option<Sequence>,
    /// Every slice up to here was in the checkpoint from which it went on; 0: there was none.
    pub(crate) saved: Sequence,
    /// When the last one was made.
    pub(crate) last: Option<MonotonicMicros>,
}

impl Machine {
    pub(crate) fn new(id: MachineId) -> Machine {
        Machine {
            folder: Folder::new(id.clone()),
            id,
            logs: Logs::default(),
            senders: Senders::default(),
            presence: Presence::default(),
            pace: AckPace::default(),
            current_logs: [None; 2],
            set_aside_until: None,
            alarmed: None,
            touched: false,
            checkpoint: CheckpointPace::default(),
        }
    }

    /// What the ack says of each lane.
    pub(crate) fn lane_acks(&self, window: impl Fn(Lane) -> u32) -> Vec<LaneAck> {
        let sender = self.senders.current();
        let ack = |(lane, log): (Lane, Option<LogId>)| {
            let log = log?;
            let known = self.logs.get(log, lane);
            let told =
                known.zip(sender).map(|(mind, sender)| mind.committed_for(sender.boot, sender.boot_count));
            let (committed, maker) = told.unwrap_or_default();
            Some(LaneAck { lane, log, committed, maker, window: window(lane) })
        };
        Lane::ALL.into_iter().zip(self.current_logs).filter_map(ack).collect()
    }

    /// Notes which log a lane of the current process has.
    pub(crate) fn note_log(&mut self, lane: Lane, log: LogId) {
        self.current_logs[lane.index()] = Some(log);
    }

    /// As it was when it was last checkpointed.
    pub(crate) fn restored(id: MachineId, checkpoint: &Checkpoint, now: Now) -> Machine {
        let mut machine = Machine::new(id.clone());
        for log in &checkpoint.logs {
            let (boot_count, clock, last_at) = (log.clock_boot_count, log.clock, log.clock_last_at);
            let mind = LogMind::restored(log.committed, log.maker, Settled { boot_count, clock, last_at });
            *machine.logs.get_or_make(log.log, log.lane) = mind;
        }
        let sender = checkpoint.sender.map(|sender| Sender {
            boot: sender.boot,
            boot_count: sender.boot_count,
            connection: sender.connection,
            log: sender.spool,
        });
        machine.senders = Senders::restored(sender, now.monotonic);
        machine.current_logs = checkpoint.sender.map_or([None; 2], |sender| sender.logs);
        machine.pace = AckPace::restored(checkpoint.ack_counter, now.unix);
        machine.presence = Presence::restored(checkpoint);
        machine.folder = Folder::restored(id, checkpoint);
        machine
    }

    /// Everything that is needed to go on from here.
    pub(crate) fn checkpointed(&mut self, key_generation_seen: u32) -> Checkpoint {
        let revision = self.folder.next_revision();
        let folder = &self.folder;
        let spools: Vec<LogId> = folder.spools().collect();
        let mut logs: Vec<LogState> = self
            .logs
            .iter()
            .filter_map(|(log, lane, mind)| {
                let (settled, committed) = (&mind.settled, mind.committed()?);
                Some(LogState {
                    log,
                    lane,
                    committed: Some(committed),
                    folded: folder.folded(log, lane),
                    clock_boot_count: settled.boot_count,
                    clock: settled.clock,
                    clock_last_at: settled.last_at,
                    maker: mind.maker(),
                })
            })
            .collect();
        // The newest spool is the last, here as there.
        logs.sort_by_key(|log| (spools.iter().position(|spool| *spool == spool_of(log.log)), log.lane));
        let sender = self.senders.current().map(|sender| SenderState {
            boot: sender.boot,
            boot_count: sender.boot_count,
            connection: sender.connection,
            spool: sender.log,
            logs: self.current_logs,
        });
        Checkpoint {
            logs,
            fold: folder.fold_state().clone(),
            sender,
            key_generation_seen,
            records_lost: folder.records_lost(),
            heard: self.presence.heard,
            capabilities: self.presence.capabilities,
            agent_version: self.presence.agent_version.clone(),
            newest_slice: folder.newest(),
            revision,
            ack_counter: self.pace.counter(),
            waiting: folder.waiting(),
        }
    }

    /// The state that watchers see.
    pub(crate) fn live(&self) -> domain::live::LiveState {
        let folder = &self.folder;
        let settings = folder.settings();
        self.presence.live(self.id.clone(), folder.fold_state(), &settings, folder.records_lost())
    }
}

/// The logs of one machine: few, usually two.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    kept: Vec<Kept>,
    uses: u64,
}

#[derive(Debug)]
struct Kept {
    log: LogId,
    lane: Lane,
    mind: LogMind,
    used: u64,
}

impl Logs {
    pub(crate) fn get(&self, log: LogId, lane: Lane) -> Option<&LogMind> {
        self.kept.iter().find(|kept| kept.log == log && kept.lane == lane).map(|kept| &kept.mind)
    }

    /// The mind of a log. When there are too many, the one longest without new records is forgotten.
    pub(crate) fn get_or_make(&mut self, log: LogId, lane: Lane) -> &mut LogMind {
        self.uses += 1;
        let found = self.kept.iter().position(|kept| kept.log == log && kept.lane == lane);
        let index = found.unwrap_or_else(|| {
            if self.kept.len() >= limits::LOGS_PER_MACHINE_MAX {
                let oldest = (0..self.kept.len()).min_by_key(|index| self.kept[*index].used);
                self.kept.swap_remove(oldest.unwrap_or(0));
            }
            self.kept.push(Kept { log, lane, mind: LogMind::default(), used: 0 });
            self.kept.len() - 1
        });
        let kept = &mut self.kept[index];
        kept.used = self.uses;
        &mut kept.mind
    }

    /// The greatest boot count that is known of a spool.
    pub(crate) fn boot_count(&self, spool: LogId) -> Option<u32> {
        let of_spool = self.kept.iter().filter(|kept| spool_of(kept.log) == spool);
        of_spool.filter_map(|kept| kept.mind.applied()).map(|applied| applied.boot_count).max()
    }

    /// What was on its way did not get into the journal.
    pub(crate) fn roll_back(&mut self) {
        for kept in &mut self.kept {
            kept.mind.roll_back();
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (LogId, Lane, &LogMind)> {
        self.kept.iter().map(|kept| (kept.log, kept.lane, &kept.mind))
    }
}

/// The spool of a log, named by its events log.
pub(crate) fn spool_of(log: LogId) -> LogId {
    LogId::for_lane(log.0, Lane::Events)
}

/// A part of an envelope as a slice of the journal, with its records read.
pub(crate) fn slice_of(
    machine: &MachineId,
    envelope: &Envelope,
    part: Part,
    mind: &mut LogMind,
) -> (Slice, Vec<(u64, Content)>) {
    let entries = &envelope.entries[part.entries];
    let records = read(envelope.lane, entries);
    let times = || {
        records.iter().filter_map(|(_, content)| match content {
            Content::Record(record) => Some(record.at),
            Content::Unreadable(..) => None,
        })
    };
    let boot_count = envelope.boot.boot_count;
    // Without a readable record there is no time to settle for; what holds goes on.
    let last = mind.settled.last_at(boot_count);
    let (first_at, last_at) = (times().min().unwrap_or(last), times().max().unwrap_or(last));
    let clock = mind.settled.settle(boot_count, envelope.clock, first_at, last_at);
    let number = |entry: Option<&Entry>| entry.map_or(0, |entry| entry.n);
    let slice = Slice {
        machine: machine.clone(),
        log: envelope.log,
        lane: envelope.lane,
        boot: BootStart { maker: envelope.maker(), ..envelope.boot },
        first: number(entries.first()),
        last: number(entries.last()),
        records: u32::try_from(records.len()).unwrap_or(u32::MAX),
        hole: part.hole,
        clock,
        body: encode_slice(entries),
    };
    (slice, records)
}

/// Reads the records of a slice. One that cannot be read keeps its place, its octets and the reason.
pub(crate) fn read(lane: Lane, entries: &[Entry]) -> Vec<(u64, Content)> {
    let read = |entry: &Entry| {
        let content = match wire::record::decode(lane, &entry.record) {
            Ok(record) => Content::Record(record),
            Err(unreadable) => Content::Unreadable(unreadable.message, entry.record.clone()),
        };
        (entry.n, content)
    };
    entries.iter().map(read).collect()
}
